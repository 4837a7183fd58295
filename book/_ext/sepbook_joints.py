"""What must not be torn: a formula and the comma behind it, and a short name in code.

A browser may begin a new line on either side of a formula in a sentence, so a full stop could stand alone on the next
line. A formula is tied to the marks that touch it. And a narrow column of a table could break a name in its middle: a
short one stays whole, and the table scrolls instead.
"""

import re
from html import unescape

LONGEST = 17  # characters of a name that stays whole
FORMULA = re.compile(
    r'[(\[“‘]*<span class="math notranslate nohighlight">[^<]*</span>[.,;:!?)\]”’…]*'  # in a sentence
)
NAME = re.compile(r'<code class="(?P<kind>[^"]*\bliteral\b[^"]*)">(?P<inside>.*?)</code>', re.DOTALL)
TAG = re.compile(r"<[^>]*>")


def tied(match):
    """Return a formula in one piece with the marks that touch it."""
    text = match[0]
    alone = text.startswith("<") and text.endswith(">")
    return text if alone else f'<span class="sepbook-tied">{text}</span>'


def whole(match):
    """Return a name in code, marked if each of its words is short."""
    words = unescape(TAG.sub("", match["inside"])).split()
    if not words or max(map(len, words)) > LONGEST:
        return match[0]
    return f'<code class="{match["kind"]} sepbook-whole">{match["inside"]}</code>'


def tie(app, pagename, templatename, context, doctree):
    """Tie what must not be torn on a page (``html-page-context``)."""
    if context.get("body"):
        context["body"] = NAME.sub(whole, FORMULA.sub(tied, context["body"]))


def setup(app):
    """Called by our extension."""
    app.connect("html-page-context", tie, priority=906)
