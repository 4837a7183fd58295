"""Clean-ups of the finished page: what the stock theme gets wrong or loads for nothing."""

import re
from pathlib import Path

TABLE = re.compile(r"<table\b.*?</table>", re.DOTALL)
# Identifiers that an exercise gives to each of its kind, a role that is no longer one, and what thebe leaves behind.
REPAIRS = (
    (re.compile(r'<section id="(exercise|solution)-content">'), r'<section class="\1-content">'),
    (re.compile(r' role="doc-biblioentry"'), ' role="listitem"'),
    (re.compile(r'<summary aria-label="Toggle hidden content">'), "<summary>"),  # it says in words what it opens
    (re.compile(r'<script type="text/x-thebe-config">.*?</script>', re.DOTALL), ""),
    (re.compile(r"<script>kernelName = .*?</script>"), ""),
)


def clean_up(app, pagename, templatename, context, doctree):
    """Mend the page's scripts, buttons and tables (called by Sphinx for every page)."""
    drop_unused(context)
    if pagename in app.env.found_docs and Path(app.env.doc2path(pagename)).suffix != ".ipynb":
        drop_notebook_buttons(context)
    if context.get("body"):
        context["body"] = TABLE.sub(scrollable, context["body"])
        for wrong, right in REPAIRS:
            context["body"] = wrong.sub(right, context["body"])


def drop_unused(context):
    """Leave out thebe, which no page uses, and MathJax (1.2 MB) where a page has no formula."""
    unused = ["thebe"] if 'class="math' in (context.get("body") or "") else ["thebe", "mathjax"]
    for kind in ("script_files", "css_files"):
        if kind in context:
            context[kind] = [item for item in context[kind] if not belongs(item, unused)]


def belongs(asset, tools):
    """Say whether a script or style sheet, or a line of inline script, belongs to one of these tools."""
    body = str(getattr(asset, "attributes", {}).get("body") or "")
    text = f"{getattr(asset, 'filename', asset)} {body}".lower()
    return any(tool in text for tool in tools)


def drop_notebook_buttons(context):
    """Pages in Markdown have no Colab button: it would open the Markdown file. Their lab card has the link."""
    kept = []
    for button in context.get("header_buttons", []):
        if button.get("label") == "launch-buttons":
            continue
        if "buttons" in button:
            inner = [b for b in button["buttons"] if not str(b.get("url", "")).endswith(".ipynb")]
            button = {**button, "buttons": inner}
        kept.append(button)
    context["header_buttons"] = kept


def scrollable(match):
    """Let a wide table scroll inside its own box; sepbook.js makes the box reachable by keyboard."""
    return f'<div class="sepbook-scroll">{match.group(0)}</div>'
