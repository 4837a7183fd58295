"""The two places a player can live in: a page of the book, and a notebook with a kernel."""

import html
import json
import os
import re
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
STATIC = "{{SEPBOOK_STATIC}}"  # the book's extension puts the page's own path to its static files here


def page_element(spec, files, audio=None, figures=None):
    """Write the files and return the element: native players inside it, until ``host.js`` replaces them.

    ``audio`` and ``figures`` are folders, by default those that SEPBOOK_BOOK_AUDIO and SEPBOOK_BOOK_FIGURES name.
    """
    where = addresses(files, audio, figures)
    data = html.escape(json.dumps({"spec": spec, "files": where}))
    items = "\n".join(
        native_player(label(version, clip, spec), where[clip["audio"]])
        for version in spec["versions"]
        for clip in version["clips"]
    )
    title = f'<p class="sp-title">{html.escape(spec["title"])}</p>\n' if spec["title"] else ""
    return (
        f'<link rel="stylesheet" href="{STATIC}/widgets/player.css">\n'
        f'<script type="module" src="{STATIC}/widgets/host.js"></script>\n'
        f'<div class="sepbook-player" data-player="{data}">\n'
        f'{title}<ul class="sp-native">\n{items}\n</ul>\n</div>'
    )


def addresses(files, audio=None, figures=None):
    """Write files into the two folders and return their addresses by name."""
    folders = {"audio": audio or folder("AUDIO"), "figures": figures or folder("FIGURES")}
    found = {}
    for name, data in files.items():
        kind = "figures" if name.endswith(".png") else "audio"
        write(Path(folders[kind]) / name, data)
        found[name] = f"{STATIC}/{kind}/{name}"
    return found


def label(version, clip, spec):
    """Return what a clip is called on a page: its stem, and its version where there are several."""
    if version["whole"] or len(spec["versions"]) == 1:
        return clip["row"]
    return f"{clip['row']} ({version['name']})"


def native_player(name, source):
    """Return a list item with the browser's own player for one clip: what works without JavaScript."""
    name = html.escape(name)
    return f'<li>{name} <audio controls preload="none" aria-label="{name}" src="{source}"></audio></li>'


def folder(kind):
    """Return the folder that the build of the book names for sounds or pictures."""
    try:
        return os.environ[f"SEPBOOK_BOOK_{kind}"]
    except KeyError:
        raise RuntimeError(
            f"SEPBOOK_BOOK is set, but SEPBOOK_BOOK_{kind} is not: the player does not know where to write its files."
        ) from None


def write(path, data):
    """Write a file whose name says its content: once, and never half."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f"{path.name}.{os.getpid()}.part")
    half.write_bytes(data)
    os.replace(half, path)


@cache
def bundle(name):
    """Return a module's source with the modules that it imports in place of its import lines, each once.

    A kernel can hand over one module only. Exported names become plain ones, except the default export.
    """
    return inlined(name, set())


def inlined(name, seen):
    """Return a module's source with its imports in place, without those that are among the names in `seen`."""
    seen.add(name)
    source = (HERE / name).read_text(encoding="utf-8")
    imports = re.compile(r'^import \{[^}]*\} from "\./([\w.]+)";$', re.MULTILINE)

    def inline(line):
        return "" if line[1] in seen else re.sub(r"^export (?!default)", "", inlined(line[1], seen), flags=re.MULTILINE)

    return imports.sub(inline, source)


@cache
def widget_class():
    """Return the anywidget class, made when first needed: anywidget takes a while to import."""
    import anywidget
    import traitlets

    class StemPlayer(anywidget.AnyWidget):
        """The notebook's end of ``player.js``. The bytes travel as they are, not as text."""

        _esm = bundle("player.js")
        _css = (HERE / "player.css").read_text(encoding="utf-8")
        spec = traitlets.Dict().tag(sync=True)
        files = traitlets.Dict().tag(sync=True)

    return StemPlayer
