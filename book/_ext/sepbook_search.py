"""The search page learns from the glossary which page teaches a word (``static/sepbook_search.js`` puts it first)."""

import json
import posixpath
import re

GLOSSARY = "book/appendix/glossary"
ENTRIES = re.compile(r"```\{glossary\}\n(?::\w+:\n)*\n?(.*?)\n```", re.DOTALL)
LINK = re.compile(r"\]\(([\w./]+)\.md(#[\w-]+)?\)\s*$")


def taught(text, page=GLOSSARY):
    """Return ``[word, page, anchor]`` for each word of a glossary whose entry ends with a link to a page."""
    body = ENTRIES.search(text)
    found = []
    for entry in body[1].split("\n\n") if body else ():
        link = LINK.search(entry)
        words = [line for line in entry.split("\n") if not line.startswith(" ")]
        if link:
            target = posixpath.normpath(posixpath.join(posixpath.dirname(page), link[1]))
            found += [[word, target, link[2] or ""] for word in words]
    return found


def teach_search(app, pagename, templatename, context, doctree):
    """Give the search page its words and its script (``html-page-context``)."""
    if pagename != "search":
        return
    text = ""
    if GLOSSARY in app.env.found_docs:
        with open(app.env.doc2path(GLOSSARY), encoding="utf-8") as file:
            text = file.read()
    words = json.dumps(taught(text)).replace("<", "\\u003c")
    app.add_js_file(None, body=words, type="application/json", id="sepbook-teaches")
    app.add_js_file("sepbook_search.js", type="module")


def setup(app):
    """Called by our extension."""
    app.connect("html-page-context", teach_search)
