"""What belongs together stays on one line: a formula and the comma behind it, a number and its unit, 16 000.

A browser may break a line behind every formula, also before the full stop, and at every space, also inside a number. On
a telephone it often does. The text stays as it is; a box that does not break is put around it.
"""

import re

UNIT = r"(?:dB|Hz|kHz|ms|s|degrees)\b"
BEHIND = rf"(?:\s{UNIT})?[.,;:?!)”’]*"
FORMULA = re.compile(rf'<span class="math notranslate nohighlight">\\\([^<]*\\\)</span>(?P<behind>{BEHIND})')
THOUSANDS = re.compile(r"(?<![\d,.])\d{1,3}(?: \d{3})+(?![\d,]|\.\d)")
LEFT_ALONE = re.compile(r"(<(script|style|pre|code|svg|textarea|title)\b.*?</\2>|<[^>]*>)", re.DOTALL)


def held(text):
    """Return text in a box that does not break."""
    return f'<span class="sepbook-together">{text}</span>'


def together(body):
    """Return a page's HTML with such boxes around formulas and what follows them, and around long numbers."""
    body = FORMULA.sub(lambda match: held(match[0]) if match["behind"] else match[0], body)
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
