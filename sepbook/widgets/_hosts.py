"""The two places a widget can live in: a page of the book, and a notebook with a kernel."""

import hashlib
import html
import json
import os
import re
from functools import cache, cached_property
from pathlib import Path

HERE = Path(__file__).parent
STATIC = "{{SEPBOOK_STATIC}}"  # the book's extension puts the page's own path to its static files here
LIGHT = 24_000  # characters of data that may stand in a page: more would keep its text from showing


class Hosted:
    """What shows itself in both places: a page element in the book, a widget in a notebook.

    A subclass names its module and the page's element, and gives two things: ``content``, and ``fallback``, which
    readers without JavaScript see.
    """

    module = ""  # of NAME.js and NAME.css
    element = ""  # the page's element has the class "sepbook-NAME", and its data in data-NAME, as host.js expects
    prefix = ""  # of the classes inside it
    title = ""
    sheets = ()  # style sheets of its own and shared ones, by name; empty: the one of its module

    @property
    def content(self):
        """``(spec, files)``: what there is as JSON data, and the bytes of each file by name."""
        raise NotImplementedError

    def fallback(self, spec, where):
        """Return the HTML for readers without JavaScript; ``where`` has the address of each file."""
        raise NotImplementedError

    @cached_property
    def widget(self):
        """The anywidget that a notebook shows. Made once, however often it is shown."""
        spec, files = self.content
        return widget_class(self.module, self.sheets or (self.module,))(spec=spec, files=files)

    def html(self, audio=None, figures=None):
        """Write the files and return the page element: its fallback, until ``host.js`` replaces it.

        ``audio`` and ``figures`` are folders, by default those that SEPBOOK_BOOK_AUDIO and SEPBOOK_BOOK_FIGURES name.
        """
        spec, files = self.content
        where = addresses(files, audio, figures)
        data = html.escape(json.dumps({"spec": apart(self.module, spec, figures), "files": where}))
        title = f'<p class="{self.prefix}-title">{html.escape(self.title)}</p>\n' if self.title else ""
        sheets = self.sheets or (self.module,)
        links = "\n".join(f'<link rel="stylesheet" href="{STATIC}/widgets/{name}.css">' for name in sheets)
        return (
            f"{links}\n"
            f'<script type="module" src="{STATIC}/widgets/host.js"></script>\n'
            f'<div class="{self.classes}" data-{self.element}="{data}">\n'
            f"{title}{self.fallback(spec, where)}\n</div>"
        )

    @property
    def classes(self):
        """The classes of the page's element."""
        return f"sepbook-{self.element}" + (" sepbook-shell" if "explorer" in self.sheets else "")

    def native(self, sounds):
        """Return the browser's own players as a list; ``sounds`` has an address by name."""
        items = "\n".join(native_player(name, address) for name, address in sounds)
        return f'<ul class="{self.prefix}-native">\n{items}\n</ul>'

    def _repr_mimebundle_(self, **kwargs):
        if os.environ.get("SEPBOOK_BOOK") == "1":
            return {"text/html": self.html()}
        return self.widget._repr_mimebundle_(**kwargs)


def addresses(files, audio=None, figures=None):
    """Write files into the two folders and return their addresses by name."""
    folders = {"audio": audio or folder("AUDIO"), "figures": figures or folder("FIGURES")}
    found = {}
    for name, data in files.items():
        kind = "figures" if name.endswith(".png") else "audio"
        write(Path(folders[kind]) / name, data)
        found[name] = f"{STATIC}/{kind}/{name}"
    return found


def apart(name, spec, figures=None):
    """Return data that a page can hold: as they are, or ``{"at": address}`` of a file where they are large.

    ``host.js`` fetches such a file when the text is there already.
    """
    text = json.dumps(spec)
    if len(text) <= LIGHT:
        return spec
    file = f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:20]}.json"
    write(Path(figures or folder("FIGURES")) / file, text.encode())
    return {"at": f"{STATIC}/figures/{file}"}


def native_player(name, source):
    """Return a list item with the browser's own player for one clip: what works without JavaScript."""
    name = html.escape(name)
    return f'<li>{name} <audio controls preload="none" aria-label="{name}" src="{source}"></audio></li>'


def table(corner, head, rows):
    """Return a table; ``rows`` has the cells of each by its name. A minus is printed as one."""
    cells = "".join(f'<th scope="col">{html.escape(text)}</th>' for text in (corner, *head))
    body = ""
    for name, values in rows.items():
        body += (
            f'<tr><th scope="row">{html.escape(name)}</th>{"".join(f"<td>{html.escape(v)}</td>" for v in values)}</tr>'
        )
    return f"<table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table>".replace(">-", ">−")


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
def widget_class(module, sheets):
    """Return the anywidget class of a module, made when first needed: anywidget takes a while to import."""
    import anywidget
    import traitlets

    class HostedWidget(anywidget.AnyWidget):
        """The notebook's end of a module. The bytes travel as they are, not as text."""

        _esm = bundle(f"{module}.js")
        _css = "\n".join((HERE / f"{name}.css").read_text(encoding="utf-8") for name in sheets)
        spec = traitlets.Dict().tag(sync=True)
        files = traitlets.Dict().tag(sync=True)

    return HostedWidget
