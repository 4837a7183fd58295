"""Long lines of shown code and of what it prints: broken at 88 characters, so that nothing is cut on a desk.

The text stays as it is, so that what is copied runs: a long line becomes a box of its own, in which the style sheet
breaks it. What goes on below begins further in: in code four characters after the line's own beginning, in what is
printed below the second column where there is one. Drawings made of characters are left alone, since a broken drawing
is none: they scroll, and fade where there is more.
"""

import re
from html import unescape

WIDEST = 88  # characters, as for code that is written into pages and labs
BLOCK = re.compile(
    r'(<div class="(?P<kind>[^"]*\bhighlight-[^"]*)"><div class="highlight"><pre>)(.*?)(</pre>)', re.DOTALL
)
DRAWN = re.compile("[\u2500-\u25ff]")  # lines, corners, blocks and circles
TAG = re.compile(r"<[^>]*>")
COLUMN = re.compile(r"^ *\S.*?(?: {3,}|: {2,})(?=\S)")  # the first column of a printed table
FURTHER, FURTHEST = 4, 48  # characters by which the rest of a line begins further in, and at most


def plain(line):
    """Return the characters of a line of HTML."""
    return unescape(TAG.sub("", line))


def hanging(text, printed):
    """Return how many characters further in the rest of a line begins."""
    column = COLUMN.match(text) if printed else None
    if column and column.end() <= FURTHEST:
        return column.end()
    return min(len(text) - len(text.lstrip()) + FURTHER, FURTHEST)


def broken(match):
    """Return a block of code whose long lines are boxes."""
    begin, kind, inside, end = match.groups()
    if DRAWN.search(inside):
        return match[0]
    lines = inside.split("\n")
    for number, line in enumerate(lines):
        text = plain(line)
        if len(text) > WIDEST:
            style = f"--further: {hanging(text, 'ansi' in kind)}ch"
            lines[number] = f'<span class="sepbook-long" style="{style}">{line}</span>'
    return begin + "\n".join(lines) + end


def break_lines(app, pagename, templatename, context, doctree):
    """Break the long lines of a page's blocks of code (``html-page-context``)."""
    if context.get("body"):
        context["body"] = BLOCK.sub(broken, context["body"])


def setup(app):
    """Called by our extension."""
    app.connect("html-page-context", break_lines, priority=905)
