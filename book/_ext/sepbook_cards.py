"""``{lab}``: the card that leads from a page to its lab. ``{ledger}``: the shapes of a system, traced now."""

import json
import re
from pathlib import Path
from urllib.parse import urlsplit

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx import addnodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

logger = logging.getLogger(__name__)


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
