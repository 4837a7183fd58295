"""How soon a page shows: one style sheet in the place of many, scripts that wait, mathematics after the first picture.

A browser shows nothing before it has all style sheets and has run all scripts of the head. Each file costs a way there
and back, which on a phone takes longer than the file itself. So the style sheets that a page names in its head become
one file, in the same order, and scripts are marked ``defer``: they run when the page has been read, in their order.
MathJax, the largest script, is asked for when the text has been shown.
"""

import hashlib
import posixpath
import re
from pathlib import Path

from sphinx.builders.html._assets import _JavaScript

SHEET = "_static/book.css"
LINK = re.compile(r'[ \t]*<link\b[^>]*\brel="stylesheet"[^>]*?>\n?')
ADDRESS = re.compile(r'\bhref="([^"?]*)[^"]*"')
COMMENT = re.compile(r"/\*(?!!).*?\*/", re.DOTALL)
IMPORT = re.compile(r'@import\s+(?:url\()?"([^"]+)"\)?\s*;')
MADE_OF = re.compile(r"/\*! ([^*]*) \*/")
FILE = re.compile(r"""url\((["']?)(?!["']?(?:data:|\#|https?:))([^)"']+)\1\)""")
# The search page has scripts of its own in its head, which ask for these at once.
AT_ONCE = ("search",)
MATHEMATICS = """(() => {
  const script = Object.assign(document.createElement("script"), { src: "%s" });
  const drawn = new Promise((done) => { script.onload = () => MathJax.startup.promise.then(done); });
  window.MathJax = { ...window.MathJax, startup: { ...window.MathJax?.startup, promise: drawn } };
  const begin = () => document.head.append(script);
  addEventListener("DOMContentLoaded", () => setTimeout(begin, document.hidden ? 0 : 500), { once: true });
  addEventListener("DOMContentLoaded", () => requestAnimationFrame(() => setTimeout(begin)), { once: true });
})()"""


def wait(app, pagename, templatename, context, doctree):
    """Let the scripts of a page's head run when the page has been read (``html-page-context``)."""
    if pagename in AT_ONCE:
        return
    scripts = []
    for script in context.get("script_files", []):
        attributes = dict(getattr(script, "attributes", {}))
        if "mathjax" in str(script.filename):
            [address] = re.findall(r'src="([^"]+)"', context["js_tag"](script))
            script = _JavaScript(None, priority=script.priority, body=MATHEMATICS % address)
        elif script.filename and not {"type", "async"} & attributes.keys():
            script = _JavaScript(script.filename, priority=script.priority, **attributes | {"defer": "defer"})
        elif "DOCUMENTATION_OPTIONS" in attributes.get("body", ""):
            script = _JavaScript(None, priority=script.priority, **attributes | {"type": "module"})
        scripts.append(script)  # a new one where it differs: the search page has the same ones, as they are
    context["script_files"] = scripts


def plain(path, base):
    """Return the text of a style sheet and of those that it imports; files are named as seen from ``base``."""
    text = COMMENT.sub("", path.read_text(encoding="utf-8-sig")).replace('@charset "UTF-8";', "")

    def file(match):
        there = (path.parent / re.split("[?#]", match[2])[0]).resolve()
        return f'url("{posixpath.relpath(there.as_posix(), base.as_posix())}")'

    def imported(match):
        return plain((path.parent / match[1]).resolve(), base)

    return IMPORT.sub(imported, FILE.sub(file, text)).strip() + "\n"


def linked(head):
    """Return the local style sheets that a page's head names: (lines of HTML, addresses without a version)."""
    lines = [line for line in LINK.findall(head) if "://" not in line]
    return lines, [ADDRESS.search(line)[1] for line in lines]


def join_styles(app, exception):
    """Write one style sheet, and name it alone in the head of every page (``build-finished``)."""
    if exception is None and app.builder.format == "html":
        join(Path(app.outdir))


def join(out):
    """Do so in a folder of finished pages; pages of an earlier build name the joined one already."""
    heads = {page: page.read_text(encoding="utf-8") for page in out.rglob("*.html") if "_static" not in page.parts}
    names = []
    for page, text in heads.items():
        _, addresses = linked(text.partition("</head>")[0])
        found = [posixpath.normpath(posixpath.join(page.parent.relative_to(out).as_posix(), a)) for a in addresses]
        names += [name for name in found if name not in names and name != SHEET]
    sheet = out / SHEET
    before = MADE_OF.match(sheet.read_text(encoding="utf-8"))[1].split() if sheet.is_file() else []
    if not names:
        return
    names = names if set(before) <= set(names) else list(dict.fromkeys(before + names))
    text = "".join(plain(out / name, sheet.parent.resolve()) for name in names)
    sheet.write_text(f"/*! {' '.join(names)} */\n{text}", encoding="utf-8")
    version = hashlib.sha256(sheet.read_bytes()).hexdigest()[:8]
    for page, text in heads.items():
        head, mark, body = text.partition("</head>")
        lines, _ = linked(head)
        if not lines:
            continue
        address = posixpath.relpath(SHEET, page.parent.relative_to(out).as_posix())
        new = head.replace(lines[0], f'  <link rel="stylesheet" href="{address}?v={version}" />\n', 1)
        for line in lines[1:]:
            new = new.replace(line, "", 1)
        if new != head:
            page.write_text(new + mark + body, encoding="utf-8")


def setup(app):
    """Called by our extension."""
    app.connect("html-page-context", wait, priority=920)
    app.connect("build-finished", join_styles, priority=950)  # after the icons, whose style sheet is written last
