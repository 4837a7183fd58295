"""``{cited}``: which work is cited on which page. Collected from the pages, so that it cannot drift."""

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

MARK = "sepbook_cited"  # in the metadata of a page that holds the table


class cited(nodes.General, nodes.Element):
    """The place of the table, until all pages have been read."""


class Cited(SphinxDirective):
    """Leave a place for the table."""

    def run(self):
        """Mark the page, so that it is written anew with every build."""
        self.env.metadata[self.env.docname][MARK] = "yes"
        return [cited()]


def short_name(entry):
    """Return a work as the text cites it: ``Le Roux et al., 2019``."""
    people = entry.persons.get("author") or entry.persons.get("editor") or []
    names = [" ".join(str(part) for part in (*p.rich_prelast_names, *p.rich_last_names)) for p in people]
    if len(names) > 2:
        names = [f"{names[0]} et al."]
    return f"{' and '.join(names) or entry.key}, {entry.fields.get('year', 'no year')}"


def pages_by_key(domain, order):
    """Return for each key the pages that cite it, in the order of the contents."""
    found = {}
    for reference in domain.citation_refs:
        for target in reference.targets:
            found.setdefault(target.key, set()).add(reference.docname)
    rank = {name: position for position, name in enumerate(order)}
    return {key: sorted(names, key=lambda name: (rank.get(name, len(rank)), name)) for key, names in found.items()}


def link(app, source, target, anchor, *content):
    """Return a link from the page ``source`` to a place on the page ``target``."""
    uri = app.builder.get_relative_uri(source, target) if source != target else ""
    return nodes.reference("", "", *content, internal=True, refuri=f"{uri}#{anchor}" if anchor else uri)


def breakable(name, mark):
    """Return a long name as code that a narrow screen breaks behind its marks, and not within a word."""
    first, *rest = name.split(mark)
    parts = [nodes.Text(first)]
    for word in rest:
        parts[-1] = nodes.Text(parts[-1] + mark)
        parts += [nodes.raw("", "<wbr>", format="html"), nodes.Text(word)]
    return nodes.literal("", "", *parts)


def row(app, page, citation, names):
    """Return a row of the table: the work, its key, the pages that cite it."""
    work = link(
        app, page, citation.bibliography_key.docname, citation.citation_id, nodes.Text(short_name(citation.entry))
    )
    pages = []
    for name in names:
        title = nodes.Text(app.env.titles[name].astext())
        pages += [nodes.Text(", "), link(app, page, name, "", title)]
    cells = ([work], [nodes.literal(text=citation.key)], pages[1:])
    return nodes.row("", *(nodes.entry("", nodes.paragraph("", "", *cell)) for cell in cells))


def table(app, page):
    """Return the whole table."""
    domain = app.env.get_domain("cite")
    where = pages_by_key(domain, contents(app.env))
    body = [row(app, page, c, where.get(c.key, ())) for c in domain.citations]
    names = ("work", "key", "cited on")
    head = nodes.row("", *(nodes.entry("", nodes.paragraph(text=name)) for name in names))
    group = nodes.tgroup("", *(nodes.colspec(colwidth=1) for _ in names), cols=len(names))
    group += [nodes.thead("", head), nodes.tbody("", *body)]
    return nodes.table("", group, classes=["sepbook-cited"])


def contents(env):
    """Return the names of the pages in the order in which a reader meets them."""
    order, todo = [], [env.config.root_doc]
    while todo:
        name = todo.pop(0)
        if name not in order:
            order.append(name)
            todo = list(env.toctree_includes.get(name, [])) + todo
    return order


def fill(app, doctree, page):
    """Put the table in its place (``doctree-resolved``: by now every page has been read)."""
    for place in list(doctree.findall(cited)):
        place.replace_self(table(app, page))


def pages_to_write(app, env):
    """Name the pages whose table may have changed with some other page (``env-updated``)."""
    return [name for name, data in env.metadata.items() if MARK in data]


def setup(app):
    """Called by ``sepbook_sphinx``."""
    app.add_node(cited)
    app.add_directive("cited", Cited)
    app.connect("doctree-resolved", fill)
    app.connect("env-updated", pages_to_write)
