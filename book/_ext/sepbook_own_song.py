"""``{own-song}``: separates a reader's song inside the page, and the files that this loads on a click."""

import ast
import html
import json
import shutil
import subprocess
import sys
from pathlib import Path

from docutils import nodes
from sepbook_execution import digest
from sepbook_media import raw
from sepbook_sources import Sources, mentioned
from sepbook_static import PLACEHOLDER, copy
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import nested_parse_with_titles

HERE = Path(__file__).resolve().parent
PAGE = "book/own_song"
WEIGHTS = "sepbook/assets/weights/manifest.json"  # it has the hash of each file
RUNTIME = HERE / "own_song" / "onnxruntime"


class OwnSong(SphinxDirective):
    """The body is what a reader without JavaScript sees. The first test song of the corpus is the example."""

    has_content = True

    def run(self):
        """Write the example's sounds and return the element that ``sepbook.js`` brings to life."""
        from sepbook.data import corpus
        from sepbook.widgets._hosts import addresses
        from sepbook.widgets.player import Player

        song = corpus.songs("test")[2]
        stems = dict(zip(song.stem_names, song.sources(), strict=True))
        groups = {"mixture": song.mixture(), "true stems": stems}
        spec, files = Player({}, song.sample_rate, song.name.replace("_", " ").capitalize(), groups).content
        state = {"example": {"spec": spec, "files": addresses(files)}}
        attributes = {
            "class": "sepbook-explorer",
            "role": "group",
            "aria-label": "Separate a song of your own",
            "data-module": f"{PLACEHOLDER}/own_song/own_song.js",
            "data-state": json.dumps(state),
        }
        opening = " ".join(f'{key}="{html.escape(value)}"' for key, value in attributes.items())
        body = nodes.container(classes=["sepbook-explorer-fallback"])
        nested_parse_with_titles(self.state, self.content, body, self.content_offset)
        return [raw(f"<div {opening}>"), body, raw('<div class="sepbook-explorer-live" hidden></div></div>')]


def made_of(root):
    """Return the files that decide what the networks' files say: the writer, all that it imports, weights, runtime."""
    writer = sorted(root.glob("tools/own_song/*.py"))
    used = set().union(*(mentioned(ast.parse(path.read_text(encoding="utf-8")))[0] for path in writer))
    reached, _ = Sources(root).reached(used, set())
    return [*writer, *sorted(reached), root / WEIGHTS, RUNTIME]


def networks(root, build):
    """Return the folder with the networks as ONNX files, written anew when one of the files behind them has changed."""
    folder = build / "own_song" / digest(made_of(root))[:16]
    if not (folder / "networks.json").is_file():
        shutil.rmtree(folder.parent, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "tools.own_song", str(folder)], cwd=root, check=True)
    return folder


def copy_files(app, exception):
    """Copy modules, runtime and networks beside the page: they belong to the book, not to the package."""
    if exception is not None or app.builder.format != "html" or PAGE not in app.env.found_docs:
        return
    target = Path(app.outdir) / "_static" / "own_song"
    made = networks(Path(app.srcdir), Path(app.outdir).resolve().parent)
    for folder in (HERE / "own_song", made):
        for source in sorted(path for path in folder.rglob("*") if path.is_file()):
            copy(source, target / source.relative_to(folder))


def setup(app):
    """Called by ``sepbook_sphinx``."""
    app.add_directive("own-song", OwnSong)
    app.connect("build-finished", copy_files)
