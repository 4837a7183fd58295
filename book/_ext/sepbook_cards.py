"""``{lab}``: the card that leads from a page to its lab, and the one that stands on the lab itself.
``{ledger}``: the shapes of a system, traced now.
"""

import json
import os
import posixpath
import re
from pathlib import Path
from urllib.parse import urlsplit

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx import addnodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

logger = logging.getLogger(__name__)

READ_HERE = "You are reading this lab. Nothing runs here: run it with one of these."
READ_AFTER_A_RUN = "You are reading one run of this lab. Run it yourself with one of these."


def lab_links(repository, branch, name):
    """Return the addresses that open the lab ``name`` in Colab and in Kaggle."""
    where = f"{urlsplit(repository).path.strip('/')}/blob/{branch}/notebooks/{name}.ipynb"
    return {
        "Open in Colab": f"https://colab.research.google.com/github/{where}",
        "Open in Kaggle": f"https://kaggle.com/kernels/welcome?src=https://github.com/{where}",
    }


def notebook_title(path):
    """Return the first heading of a notebook, without the word that the card itself begins with."""
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        for line in "".join(cell["source"]).splitlines():
            if cell["cell_type"] == "markdown" and line.startswith("# "):
                return re.sub(r"^Lab:\s*(.)", lambda first: first[1].upper(), line[2:].strip())
    raise ValueError(f"{path} has no heading '# …' to name the lab by")


class Lab(SphinxDirective):
    """A card: what the lab is called, where to run it, how long it takes, what there is to hear."""

    required_arguments = 1
    option_spec = {key: directives.unchanged_required for key in ("cpu", "gpu", "hear")}
    rows = {"cpu": "On a laptop", "gpu": "On a GPU", "hear": "You will hear"}

    def run(self):
        """Build the card from nodes, so that its inner link is checked like any other."""
        name = self.arguments[0].removesuffix(".ipynb")
        path = Path(self.env.srcdir) / "notebooks" / f"{name}.ipynb"
        missing = [f":{key}:" for key in self.rows if key not in self.options]
        if not path.is_file() or missing:
            problem = f"needs {', '.join(missing)}" if missing else f"there is no notebooks/{name}.ipynb"
            logger.warning("{lab} %s: %s", name, problem, location=self.get_location())
            return []
        self.env.note_dependency(str(path))
        labs_of(self.env)[name] = (self.env.docname, self.facts())
        card = nodes.container(classes=["sepbook-lab"])
        card += nodes.paragraph("", "Lab", classes=["sepbook-lab-kind"])
        card += nodes.paragraph("", notebook_title(path), classes=["sepbook-lab-title"])
        card += self.facts()
        card += self.links(name)
        return [card]

    def facts(self):
        """Return the three options as a definition list."""
        items = []
        for key, label in self.rows.items():
            words, _ = self.state.inline_text(self.options[key], self.lineno)
            body = nodes.definition("", nodes.paragraph("", "", *words))
            items.append(nodes.definition_list_item("", nodes.term(text=label), body))
        return nodes.definition_list("", *items)

    def links(self, name):
        """Return the paragraph of links: Colab, Kaggle, the lab's page in the book."""
        theme = self.config.html_theme_options
        line = nodes.paragraph(classes=["sepbook-lab-links"])
        for text, uri in lab_links(theme["repository_url"], theme["repository_branch"], name).items():
            line += [nodes.reference("", text, refuri=uri, internal=False), nodes.Text(" ")]
        page = addnodes.pending_xref(
            "", nodes.inline(text="Read it here"),
            refdoc=self.env.docname, refdomain="std", reftype="doc", reftarget=f"/notebooks/{name}",
            refexplicit=True, refwarn=True,
        )  # fmt: skip
        line += page
        return line


def labs_of(env):
    """Return ``{lab: (the page that leads to it, its facts)}``, filled as pages are read."""
    if not hasattr(env, "sepbook_labs"):
        env.sepbook_labs = {}
    return env.sepbook_labs


def forget(app, env, page):
    """Forget the labs of a page that is read again (``env-purge-doc``)."""
    env.sepbook_labs = {name: lab for name, lab in labs_of(env).items() if lab[0] != page}


def gather(app, env, pages, other):
    """Take over what another process has read (``env-merge-info``)."""
    labs_of(env).update({name: lab for name, lab in labs_of(other).items() if lab[0] in pages})


def write_labs_again(app, env):
    """A page that was read may say new things of its lab (``env-updated``)."""
    return [f"notebooks/{name}" for name in labs_of(env) if f"notebooks/{name}" in env.found_docs]


def put_card_on_lab(app, doctree, docname):
    """Begin a lab's page with where to run it, how long it takes, what there is to hear (``doctree-resolved``)."""
    folder, _, name = docname.partition("/")
    lab = labs_of(app.env).get(name)
    title = next(iter(doctree.findall(nodes.title)), None)
    if folder != "notebooks" or lab is None or title is None or app.builder.format != "html":
        return
    page, facts = lab
    title.parent.insert(title.parent.index(title) + 1, lab_card(app, docname, name, page, facts))


def lab_card(app, docname, name, page, facts):
    """Return the card that stands on a lab's own page."""
    theme, uri = app.config.html_theme_options, app.builder.get_relative_uri
    source = posixpath.relpath(f"_sources/{docname}.ipynb", posixpath.dirname(docname))
    links = {**lab_links(theme["repository_url"], theme["repository_branch"], name), "Download": source}
    line = nodes.paragraph(classes=["sepbook-lab-links"])
    for text, address in links.items():
        line += [nodes.reference("", text, refuri=address, internal=text == "Download"), nodes.Text(" ")]
    title = app.env.titles[page].astext()
    way = nodes.paragraph(classes=["sepbook-lab-page"])
    way += [
        nodes.Text("The page that explains it: "),
        nodes.reference("", title, refuri=uri(docname, page), internal=True),
    ]
    said = READ_AFTER_A_RUN if os.environ.get("SEPBOOK_SITE") == "1" else READ_HERE
    facts = facts.deepcopy()
    for link in list(facts.findall(addnodes.pending_xref)):
        link.replace_self(link.children)  # it was written for the other page: its words will do
    card = nodes.container(classes=["sepbook-lab", "sepbook-lab-top"])
    card += [nodes.paragraph("", said, classes=["sepbook-lab-kind"]), facts, line, way]
    return card


class Ledger(SphinxDirective):
    """``{ledger} unet small``: every module of a system with its shapes, parameters and operations.

    Nothing is computed (``:device: meta``), so a system of any size has its ledger in a moment. Blocks that are alike
    and follow each other share a row; ``:unfold:`` shows each.
    """

    required_arguments = 1
    optional_arguments = 1
    option_spec = {
        "seconds": float,
        "batch": directives.positive_int,
        "depth": directives.positive_int,
        "unfold": directives.flag,
        "device": directives.unchanged,
    }

    def run(self):
        """Trace the system and print the table."""
        import torch

        from sepbook import architectures, shapes

        name, preset = (*self.arguments, "small")[:2]
        with torch.device(self.options.get("device", "meta")):
            system = architectures.create(name, preset)
            samples = round(self.options.get("seconds", 3.0) * system.sample_rate)
            mixture = torch.zeros(self.options.get("batch", 1), system.channels, samples)
            trace = shapes.trace(system, mixture, depth=self.options.get("depth"), unfold="unfold" in self.options)
        return [nodes.raw("", trace._repr_html_(), format="html")]


def setup(app):
    """Called by ``sepbook_sphinx``."""
    app.add_directive("lab", Lab)
    app.add_directive("ledger", Ledger)
    app.connect("env-purge-doc", forget)
    app.connect("env-merge-info", gather)
    app.connect("env-updated", write_labs_again)
    app.connect("doctree-resolved", put_card_on_lab)
