"""``{core-path}``: the labs to do first, in order, with their minutes; the contents beside each page mark them too.

The path is the setting ``sepbook_core_path`` of ``_config.yml``: a list of ``{name: [minutes of page, of lab]}``.
"""

import posixpath
import re

from docutils import nodes
from sphinx import addnodes
from sphinx.util.docutils import SphinxDirective

MARK = '<span class="sepbook-core" aria-hidden="true">●</span><span class="visually-hidden">, core path</span>'
LINK = re.compile(r'(<a class="(?:current )?reference internal" href="([^"]*)">)(.*?)(</a>)', re.DOTALL)
HEADER = ("step", "page", "lab", "minutes")


def steps(config):
    """Return the path as a list of (name, minutes of the page, minutes of the lab)."""
    return [(name, *minutes) for entry in config.sepbook_core_path for name, minutes in entry.items()]


class CorePath(SphinxDirective):
    """A table: one line for each page of the core path, and the time it takes in all."""

    def run(self):
        """Build the table from nodes, so that its links are checked like any others."""
        path = steps(self.config)
        rows = [
            self.row(str(number), self.link("book", name), self.link("notebooks", name, "lab"), f"{page} + {lab}")
            for number, (name, page, lab) in enumerate(path, 1)
        ]
        total = sum(page + lab for _, page, lab in path)
        rows.append(self.row("", "in all", f"{len(path)} labs", f"{total / 60:.0f} hours"))
        group = nodes.tgroup("", *(nodes.colspec(colwidth=1) for _ in HEADER), cols=len(HEADER))
        group += [nodes.thead("", self.row(*HEADER)), nodes.tbody("", *rows)]
        return [nodes.table("", group, classes=["sepbook-core-path"])]

    def row(self, *cells):
        """Return one line of the table; a cell is a text or a node."""
        texts = [nodes.Text(cell) if isinstance(cell, str) else cell for cell in cells]
        return nodes.row("", *(nodes.entry("", nodes.paragraph("", "", text)) for text in texts))

    def link(self, folder, name, text=None):
        """Return a link to the page or the lab of that name, called by its title where there is no other text."""
        return addnodes.pending_xref(
            "", nodes.inline(text=text or ""),
            refdoc=self.env.docname, refdomain="std", reftype="doc", reftarget=f"/{folder}/{name}",
            refexplicit=bool(text), refwarn=True,
        )  # fmt: skip


def mark_contents(app, pagename, templatename, context, doctree):
    """Let the contents beside the page mark what is on the core path (called by Sphinx for every page)."""
    contents = context.get("generate_toctree_html")
    if contents is None:
        return
    core = {f"book/{name}" for name, _, _ in steps(app.config)}

    def mark(match):
        start, href, text, end = match.groups()
        page = pagename if href == "#" else posixpath.normpath(posixpath.join(posixpath.dirname(pagename), href))
        return f"{start}{text} {MARK}{end}" if page.removesuffix(".html") in core else match[0]

    def marked(kind, *args, **options):
        made = contents(kind, *args, **options)
        return LINK.sub(mark, str(made)) if kind == "sidebar" else made

    context["generate_toctree_html"] = marked


def setup(app):
    """Add the setting, the directive and the marks."""
    app.add_config_value("sepbook_core_path", [], "env")
    app.add_directive("core-path", CorePath)
    app.connect("html-page-context", mark_contents, priority=905)
