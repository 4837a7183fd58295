"""``{player}``: stems of a corpus song, heard without a kernel. ``{explorer}``: an interactive picture."""

import html
import json
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import directives
from sepbook_static import PLACEHOLDER
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import nested_parse_with_titles

logger = logging.getLogger(__name__)


def raw(text):
    """Return a node that holds ``text`` as HTML."""
    return nodes.raw("", text, format="html")


class Player(SphinxDirective):
    """``{player} test/<song>``: the true stems of one song of the built-in corpus; all of them are the mixture.

    ``:stems:`` chooses some of them; ``mixture`` among them offers the mixture as one sound beside the stems.
    """

    required_arguments = 1
    option_spec = {"stems": directives.unchanged_required, "title": directives.unchanged_required}

    def run(self):
        """Write the sounds and return the player's static HTML."""
        from sepbook.data import corpus
        from sepbook.widgets.player import player_html

        split, _, name = self.arguments[0].partition("/")
        tracks = {track.name: track for track in corpus.songs(split)}
        if name not in tracks:
            known = ", ".join(tracks)
            return self.refuse(f"split {split!r} has no song {name!r}; there is: {known}")
        track = tracks[name]
        asked = [stem.strip() for stem in self.options.get("stems", "").split(",") if stem.strip()]
        stems = [stem for stem in asked or track.stem_names if stem != "mixture"]
        unknown = [stem for stem in stems if stem not in track.stem_names]
        if unknown:
            known = ", ".join(["mixture", *track.stem_names])
            return self.refuse(f"{name} has no stem {unknown[0]!r}; there is: {known}")
        sounds = dict(zip(stems, track.sources(stems), strict=True)) if stems else {}
        whole = {"mixture": track.mixture()} if "mixture" in asked else None
        title = self.options.get("title", name.replace("_", " "))
        return [raw(player_html(sounds, track.sample_rate, title, whole))]

    def refuse(self, problem):
        """Warn, and print nothing."""
        logger.warning("{player} %s: %s", self.arguments[0], problem, location=self.get_location())
        return []


class Explorer(SphinxDirective):
    """``{explorer} name``: the body is what a reader without JavaScript sees; the module replaces it.

    ``:state:`` is a JSON object, the first values of the module's model.
    """

    required_arguments = 1
    has_content = True
    option_spec = {"state": directives.unchanged_required, "label": directives.unchanged_required}

    def run(self):
        """Wrap the body in the element that ``sepbook.js`` looks for."""
        name = self.arguments[0]
        if not (Path(self.env.srcdir) / "sepbook" / "widgets" / f"{name}.js").is_file():
            return self.refuse(f"there is no sepbook/widgets/{name}.js")
        if not self.content:
            return self.refuse("the body is empty: say in words or a picture what the explorer shows")
        try:
            state = json.dumps(json.loads(self.options.get("state", "{}")))
        except json.JSONDecodeError as error:
            return self.refuse(f":state: is not JSON: {error}")
        attributes = {
            "class": "sepbook-explorer",
            "role": "group",
            "aria-label": self.options.get("label", name.replace("_", " ")),
            "data-module": f"{PLACEHOLDER}/widgets/{name}.js",
            "data-state": state,
        }
        opening = " ".join(f'{key}="{html.escape(value)}"' for key, value in attributes.items())
        body = nodes.container(classes=["sepbook-explorer-fallback"])
        nested_parse_with_titles(self.state, self.content, body, self.content_offset)
        return [raw(f"<div {opening}>"), body, raw('<div class="sepbook-explorer-live" hidden></div></div>')]

    def refuse(self, problem):
        """Warn, and print nothing."""
        logger.warning("{explorer} %s: %s", self.arguments[0], problem, location=self.get_location())
        return []
