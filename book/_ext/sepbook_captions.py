"""The caption of shown source: which file it comes from and what it is, with links to both.

Every ``{literalinclude}`` has one, so nobody writes it by hand: ``sepbook/architectures/unet.py · UNet.forward``. The
file leads to these lines in the repository, the name to its entry in the reference: its own, or that of its class or
module where it has none of its own. A block that leaves lines out says that it is a part.
"""

from pathlib import Path

from docutils import nodes
from sepbook_references import breakable, link
from sphinx.directives.code import LiteralInclude
from sphinx.pycode import ModuleAnalyzer

PARTS = ("lines", "start-at", "start-after", "end-at", "end-before")


class shown_name(nodes.Inline, nodes.Element):
    """The name of what is shown, until the whole reference has been read."""


class Shown(LiteralInclude):
    """Source with a generated caption; one of its own wins."""

    def run(self):
        """Put the block below its caption."""
        found = super().run()
        if "caption" in self.options or not isinstance(found[0], nodes.literal_block):
            return found
        path = Path(self.env.relfn2path(self.arguments[0])[1])
        caption = nodes.caption("", "", *self.words(path, Path(self.env.srcdir)))
        caption.source, caption.line = found[0].source, found[0].line
        return [nodes.container("", caption, *found, literal_block=True, classes=["literal-block-wrapper"])]

    def words(self, path, root):
        """Return what the caption says of a file: where it lies, what of it is shown, and whether that is all."""
        name, file = self.options.get("pyobject", ""), path.resolve().relative_to(root.resolve()).as_posix()
        theme = self.config.html_theme_options
        address = f"{theme['repository_url']}/blob/{theme['repository_branch']}/{file}{lines(path, name)}"
        yield nodes.reference("", "", breakable(file, "/"), refuri=address, internal=False)
        module = file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        if name:
            yield nodes.Text(" · ")
            yield shown_name("", nodes.literal(text=name), module=module, name=name)
        if any(option in self.options for option in PARTS):
            yield nodes.Text(", a part")


def lines(path, name):
    """Return the lines of a function or class, as addresses in a repository name them; nothing for a whole file."""
    if not name:
        return ""
    _, first, last = ModuleAnalyzer.for_file(str(path), "").find_tags()[name]
    return f"#L{first}-L{last}"


def entry(domain, module, name):
    """Return (page, anchor) of the nearest entry in the reference: the name's own, its class's or its module's."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        if found := domain.objects.get(".".join([module, *parts[:end]])):
            return found.docname, found.node_id
    found = domain.modules.get(module)
    return (found.docname, found.node_id) if found else None


def resolve(app, doctree, page):
    """Make the names links (``doctree-resolved``: by now the reference has been read)."""
    for place in list(doctree.findall(shown_name)):
        found = entry(app.env.get_domain("py"), place["module"], place["name"])
        place.replace_self(link(app, page, *found, *place.children) if found else place.children)


def setup(app):
    """Called by ``sepbook_sphinx``."""
    app.add_node(shown_name)
    app.add_directive("literalinclude", Shown, override=True)
    app.connect("doctree-resolved", resolve)
