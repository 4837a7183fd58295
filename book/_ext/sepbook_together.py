"""What belongs together stays on one line: a formula and the marks that touch it, its unit, 16 000, a short name.

A browser may begin a new line on either side of a formula, also before the full stop, at every space, also inside a
number, and in a narrow column of a table in the middle of a name. On a telephone it often does. The text stays as it
is; a box that does not break is put around it.
"""

import re
from html import unescape

UNIT = r"(?:dB|Hz|kHz|ms|s|degrees)\b"
BEHIND = rf"(?:\s{UNIT})?[.,;:?!)\]”’…]*"
FORMULA = re.compile(
    rf'(?P<before>[(\[“‘]*)<span class="math notranslate nohighlight">\\\([^<]*\\\)</span>(?P<behind>{BEHIND})'
)
THOUSANDS = re.compile(r"(?<![\d,.])\d{1,3}(?: \d{3})+(?![\d,]|\.\d)")
NAME = re.compile(r'<code class="(?P<kind>[^"]*\bliteral\b[^"]*)">(?P<inside>.*?)</code>', re.DOTALL)
LONGEST = 17  # characters of a name that stays whole
TAG = re.compile(r"<[^>]*>")
LEFT_ALONE = re.compile(r"(<(script|style|pre|code|svg|textarea|title)\b.*?</\2>|<[^>]*>)", re.DOTALL)


def held(text):
    """Return text in a box that does not break."""
    return f'<span class="sepbook-together">{text}</span>'


def whole(match):
    """Return a name in code, marked if each of its words is short."""
    words = unescape(TAG.sub("", match["inside"])).split()
    if not words or max(map(len, words)) > LONGEST:
        return match[0]
    return f'<code class="{match["kind"]} sepbook-whole">{match["inside"]}</code>'


def together(body):
    """Return a page's HTML with such boxes around formulas and what touches them, around long numbers and names."""
    body = NAME.sub(whole, body)
    body = FORMULA.sub(lambda match: held(match[0]) if match["before"] or match["behind"] else match[0], body)
    parts, pieces = [], LEFT_ALONE.split(body)  # text, a tag with what must stay, its name, text, …
    for index in range(0, len(pieces), 3):
        parts.append(THOUSANDS.sub(lambda match: held(match[0]), pieces[index]))
        parts.extend(pieces[index + 1 : index + 2])
    return "".join(parts)


def hold(app, pagename, templatename, context, doctree):
    """Keep together what belongs together on a page (``html-page-context``)."""
    if context.get("body"):
        context["body"] = together(context["body"])


def setup(app):
    """Called by our extension."""
    app.connect("html-page-context", hold, priority=906)
