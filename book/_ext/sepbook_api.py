"""The package's docstrings on their way into the book, and the way back from a page to the functions it teaches.

Docstrings are written like the rest of the book: code in single backticks, and a last line that names the page.
Here they become reStructuredText, the last line becomes a link, and the page gets a list *In the package*.
"""

import re

from docutils import nodes
from sepbook_references import breakable, link
from sphinx_design.dropdown import dropdown_main, dropdown_title
from sphinx_design.icons import get_octicon
from sphinx_design.shared import create_component

TAUGHT = re.compile(r"\s*\bTaught on:?\s+`*book/([\w/]+)`*\.?")
CODE = re.compile(r"(?<![:`\\])`([^`]+)`(?!`)")
# A long signature has one parameter to a line, which Sphinx calls a list of definitions without terms.
LONG = re.compile(r'(sig-paren">\(</span>)\s*<dl>(.*?)</dl>(\s*<span class="sig-paren">\))', re.DOTALL)
LITERAL = re.compile(r"(``.+?``|:\w+:`[^`]+`)", re.DOTALL)


def prose(text):
    """Return a paragraph in which single backticks mean code, and bars and underscores mean themselves."""
    pieces = LITERAL.split(CODE.sub(r"``\1``", text))
    pieces[::2] = [re.sub(r"\|", r"\\|", re.sub(r"(?<=\w)_(?!\w)", r"\\_", piece)) for piece in pieces[::2]]
    return "".join(pieces)


def paragraphs(lines):
    """Yield (text, is literal) for each run of lines between blank ones; a block after ``::`` is literal."""
    block, depth, literal = [], 0, False
    for line in [*lines, ""]:
        if line.strip():
            block.append(line)
        elif block:
            indent = len(block[0]) - len(block[0].lstrip())
            literal = literal and indent > depth
            yield "\n".join(block), literal
            if not literal:
                depth, literal = indent, block[-1].rstrip().endswith("::")
            block = []


def as_rst(lines):
    """Return the lines of a docstring as reStructuredText, and the pages that teach it."""
    found, pages = [], []
    for text, literal in paragraphs(lines):
        if not literal:
            pages += TAUGHT.findall(text)
            text = prose(TAUGHT.sub("", text))
        if text.strip():
            found += [*text.split("\n"), ""]
    return found, pages


def process(app, what, name, item, options, lines):
    """Change the docstring of one object (``autodoc-process-docstring``) and remember who teaches it."""
    text, pages = as_rst(lines)
    there = [page for page in pages if f"book/{page}" in app.env.found_docs]
    if there:
        text += ["Taught on " + ", ".join(f":doc:`/book/{page}`" for page in there) + ".", ""]
    lines[:] = text
    if what in ("function", "class", "exception"):
        known = remembered(app.env).setdefault(app.env.docname, {})
        for page in there:
            known.setdefault(f"book/{page}", []).append(name)


def remembered(env):
    """Return {page of the reference: {page that teaches: names}}; it is kept between builds."""
    if not hasattr(env, "sepbook_taught"):
        env.sepbook_taught = {}
    return env.sepbook_taught


def forget(app, env, page):
    """Forget what a page of the reference said, before it is read again (``env-purge-doc``)."""
    remembered(env).pop(page, None)


def merge(app, env, pages, other):
    """Take over what another process has read (``env-merge-info``)."""
    remembered(env).update({page: known for page, known in remembered(other).items() if page in pages})


def taught(env, page):
    """Return {module: full names} of what a page teaches."""
    groups = {}
    for known in remembered(env).values():
        for name in known.get(page, ()):
            groups.setdefault(name.rpartition(".")[0], []).append(name)
    return groups


def add_list(app, doctree, page):
    """End a page that teaches parts of the package with a fold of links to them (``doctree-resolved``)."""
    groups = taught(app.env, page)
    if not groups:
        return
    items = nodes.bullet_list(bullet="*")
    for module, names in groups.items():
        line = nodes.paragraph("", "", breakable(module, "."), nodes.Text(": "))
        for place, name in enumerate(names):
            entry = app.env.get_domain("py").objects[name]
            text = nodes.literal(text=name.rpartition(".")[2])
            line += [nodes.Text(", " if place else ""), link(app, page, entry.docname, entry.node_id, text)]
        items += nodes.list_item("", line)
    title, count = nodes.title(text="In the package"), sum(map(len, groups.values()))
    fold = folded(f"{count} name{'s' if count > 1 else ''} that this page teaches", items)
    doctree[0] += nodes.section("", title, fold, ids=["in-the-package"], classes=["sepbook-package"])


def folded(words, *inside):
    """Return the dropdown of sphinx-design, which makes its own before this list is known."""
    fold = dropdown_main(classes=["sd-sphinx-override", "sd-dropdown", "sd-card", "sd-mb-3"])
    arrow = nodes.raw("", get_octicon("chevron-right", height="1.5em"), format="html")
    marker = nodes.inline("", "", arrow, classes=["sd-summary-state-marker", "sd-summary-chevron-right"])
    title = nodes.inline(text=words, classes=["sd-summary-text"])
    fold += dropdown_title("", "", title, marker, classes=["sd-summary-title", "sd-card-header"])
    fold += create_component("dropdown-body", classes=["sd-summary-content", "sd-card-body"], children=inside)
    return fold


def pages_to_read(app, env, added, changed, removed):
    """Read the reference again when a page comes or goes, for its links (``env-get-outdated``)."""
    return [page for page in remembered(env) if page not in removed] if added or removed else []


def pages_to_write(app, env):
    """Name the pages whose list has changed with a docstring since the last build (``env-updated``)."""
    pages = {page for known in remembered(env).values() for page in known}
    before, now = getattr(env, "sepbook_lists", {}), {page: taught(env, page) for page in pages & env.found_docs}
    env.sepbook_lists = now
    return {page for page in now.keys() | before.keys() if now.get(page) != before.get(page)} & env.found_docs


def plain_signatures(app, pagename, templatename, context, doctree):
    """Make the lines of a long signature plain lines (``html-page-context``)."""

    def lines(match):
        body = match[2].replace("<dd>", '<span class="sepbook-parameter">').replace("</dd>", "</span>")
        return match[1] + body.strip() + match[3]

    if "sig-paren" in (context.get("body") or ""):
        context["body"] = LONG.sub(lines, context["body"])


def setup(app):
    """Called by ``sepbook_sphinx``."""
    app.connect("autodoc-process-docstring", process)
    app.connect("env-get-outdated", pages_to_read)
    app.connect("env-purge-doc", forget)
    app.connect("env-merge-info", merge)
    app.connect("doctree-resolved", add_list)
    app.connect("env-updated", pages_to_write)
    app.connect("html-page-context", plain_signatures)
