"""``{systems}``: one table of all systems, from the code, the results and a file of what neither of them knows.

The file, ``overview.toml`` beside the page, says of each system when it was published, what it reads and answers with,
and its published score. Parameters, operations and latency are counted from preset ``paper`` while the book is built,
our score is read from ``results/architectures/``. The table works as it is; with JavaScript it can be sorted by any
column and narrowed.
"""

import json
import tomllib
from html import escape
from pathlib import Path
from statistics import mean

from docutils import nodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

HEAD = ("system", "reads", "answers with", "ours (dB)", "of the ideal mask", "millions of parameters",
        "10⁹ operations per second", "causal", "trained by", "published", "paper")  # fmt: skip
FILTERS = ("reads", "separates")  # what the table can be narrowed by
SOUND = {"songs": "songs", "vocals": "songs", "talkers": "talkers", "speech_noise": "speech in noise"}
SECONDS = 60.0  # of sound whose operations are counted: long beside what a network fills up with zeros
logger = logging.getLogger(__name__)


def systems_of(file):
    """Return what the file says of each system; its ancestors are for the family tree alone."""
    return {
        name: entry for name, entry in tomllib.loads(file.read_text(encoding="utf-8")).items() if name != "ancestors"
    }


def counted(name):
    """Return millions of parameters, and billions of multiplications for a second, of preset ``paper``."""
    import torch

    from sepbook import architectures, shapes

    with torch.device("meta"):
        system = architectures.create(name, "paper")
        mixture = torch.zeros(1, system.channels, round(SECONDS * system.sample_rate))
        trace = shapes.trace(system, mixture)
    return trace.parameters / 1e6, trace.macs / 1e9 / SECONDS


def measured(root, name):
    """Return our gain in dB and its share of the ideal mask of its kind, on what no training saw; None where untrained.

    Systems that work at a lower rate than the test are scored at their own. Talkers are compared with binary masks, all
    else with ratio masks.
    """
    file = root / "results" / "architectures" / f"{name}.json"
    part = json.loads(file.read_text(encoding="utf-8")).get("small") if file.is_file() else None
    if part is None:
        return None
    own = "at_system" in part["shipped"]
    shipped = part["shipped"]["at_system"] if own else part["shipped"]
    ideal = part["oracles_at_system" if own and "oracles_at_system" in part else "oracles"]
    kind = "binary" if part["recipe"]["task"] == "talkers" else "ratio_1"
    gain = shipped["improvement"]["mean"]
    return gain, gain / ideal[kind]["mean"]


class Systems(SphinxDirective):
    """Print the table of the file that is named."""

    required_arguments = 1

    def run(self):
        """Build one row for each system, in the order of the file."""
        from sepbook.architectures import names, recipe_of

        file = Path(self.env.doc2path(self.env.docname)).parent / self.arguments[0]
        self.env.note_dependency(str(file))
        entries = systems_of(file)
        if wrong := set(names()) ^ set(entries):
            logger.warning("{systems}: in %s or on the shelf, not in both: %s", file.name, ", ".join(sorted(wrong)),
                           location=self.get_location())  # fmt: skip
        rows = []
        for name in entries:
            if name in names():
                self.env.note_dependency(str(Path(self.env.srcdir) / "results" / "architectures" / f"{name}.json"))
                rows.append(self.row(name, entries[name], SOUND[recipe_of(name).task]))
        return [self.table(rows)]

    def row(self, name, entry, separates):
        """Return the row of a system; what it is narrowed by stands in its classes."""
        parameters, operations = counted(name)
        ours = measured(Path(self.env.srcdir), name)
        gain, share = (["–"], ["–"]) if ours is None else ([f"{ours[0]:.1f}"], [f"{ours[1]:.0%}"])
        cells = [
            self.named(name, entry),
            [entry["domain"]],
            [entry["estimates"]],
            gain,
            share,
            [f"{parameters:.1f}"],
            [f"{operations:.2f}" if operations < 10 else f"{operations:.0f}"],
            self.inline(entry["causal"]),
            [entry["loss"]],
            self.published(entry),
            self.inline(f"{{cite:p}}`{','.join(entry['cite'])}`"),
        ]
        marks = [f"reads-{entry['domain']}", f"separates-{separates.replace(' ', '-')}"]
        return nodes.row(
            "", *(nodes.entry("", nodes.paragraph("", "", *map(text, cell))) for cell in cells), classes=marks
        )

    def named(self, name, entry):
        """Return the system's name, linked with its page where it has one."""
        page = f"book/architectures/{name}"
        there = (Path(self.env.srcdir) / f"{page}.md").is_file()
        return self.inline(f"{{doc}}`{entry['title']} </{page}>`") if there else [entry["title"]]

    def published(self, entry):
        """Return the published score: the mean over sources, and what was measured."""
        if "published" not in entry:
            return ["–"]
        score = entry["published"]
        by = f" {{cite:p}}`{score['by']}`" if "by" in score else ""
        return self.inline(f"{mean(score['values']):.1f} {score['measure']}{by}")

    def inline(self, words):
        """Parse words as the page's own text is."""
        found, messages = self.state.inline_text(words, self.lineno)
        return [*found, *messages]

    def table(self, rows):
        """Return the table in a box that scrolls sideways, with the words that its buttons are made of."""
        group = nodes.tgroup("", *(nodes.colspec(colwidth=1) for _ in HEAD), cols=len(HEAD))
        head = nodes.row("", *(nodes.entry("", nodes.paragraph(text=cell)) for cell in HEAD))
        group += [nodes.thead("", head), nodes.tbody("", *rows)]
        choices = {kind: sorted({mark.removeprefix(f"{kind}-") for row in rows for mark in row["classes"]
                                 if mark.startswith(f"{kind}-")}) for kind in FILTERS}  # fmt: skip
        data = escape(json.dumps(choices), quote=True)
        return nodes.container(
            "",
            nodes.raw("", f'<div class="sepbook-systems-choices" data-choices="{data}"></div>', format="html"),
            nodes.table("", group, classes=["sepbook-systems"]),
            classes=["sepbook-systems-box"],
        )


def text(part):
    """Return a part of a cell as a node."""
    return nodes.Text(part) if isinstance(part, str) else part


def setup(app):
    """Add the directive."""
    app.add_directive("systems", Systems)
    app.add_js_file("sepbook_systems.js", type="module")
