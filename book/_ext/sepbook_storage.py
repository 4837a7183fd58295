"""Storage refused: what stands in for it, in the head of every page before the first script that asks for it.

Readers may forbid their browser to store anything. Then the mere name ``localStorage`` throws, and the script that
said it ends there: the theme's search button, its colours and its contents stay dead. Nobody can mend each of those
scripts, so the page gives them a storage that lasts as long as the page.
"""

import re
from pathlib import Path

SCRIPT = Path(__file__).resolve().parent / "static" / "sepbook_storage.js"


def script():
    """Return the script as it stands in a page: without comments, each line on its own."""
    text = re.sub(r"(^|\s)//.*", "", SCRIPT.read_text(encoding="utf-8"))
    lines = [line.strip() for line in text.splitlines()]
    return "<script>\n" + "\n".join(filter(None, lines)) + "\n</script>\n"


def stand_in(app, pagename, templatename, context, doctree):
    """Put it before all other scripts: the tags that describe a page come first (``html-page-context``)."""
    context["metatags"] = str(context.get("metatags") or "") + script()


def setup(app):
    """Called by our extension."""
    app.connect("html-page-context", stand_in, priority=930)
