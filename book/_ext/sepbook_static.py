"""Sounds, pictures and widget modules: found by their placeholder, copied next to the page that asks for them.

Executed cells and directives cannot know how deep their page lies, so they write
``{{SEPBOOK_STATIC}}/audio/<sha>.mp3``. Here the placeholder becomes the page's own relative path.
"""

import hashlib
import re
import shutil
from pathlib import Path

from sphinx.util import logging

PLACEHOLDER = "{{SEPBOOK_STATIC}}"
# The braces may have been escaped on their way through a JSON attribute.
REFERENCE = re.compile(r"\{\{SEPBOOK_STATIC\}\}/(audio|figures|widgets|own_song)/([\w.\-]+)")
logger = logging.getLogger(__name__)


def sources(app):
    """Return the folder in which each kind of file lies before it is copied."""
    build = Path(app.outdir).resolve().parent
    return {
        "audio": build / "audio",
        "figures": build / "figures",
        "widgets": Path(app.srcdir) / "sepbook" / "widgets",
        "own_song": Path(__file__).resolve().parent / "own_song",
    }


def copy(source, target):
    """Copy ``source`` unless ``target`` already holds the same bytes."""
    if target.is_file() and target.read_bytes() == source.read_bytes():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def version(path):
    """Return a short digest, so that browsers do not keep an old module after a change."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:8]


def resolve(app, pagename, templatename, context, doctree):
    """Replace the placeholder in a page's body and copy the files behind it; warn where one is missing."""
    body = context.get("body")
    if not body or PLACEHOLDER not in body:
        return
    static = context["pathto"]("_static", 1)
    folders = sources(app)

    def replace(match):
        kind, name = match.groups()
        source = folders[kind] / name
        if not source.is_file():
            logger.warning(
                "the page asks for %s/%s, which is not there: its stored outputs are older than _build/%s. "
                "Delete the folder _build and build again.", kind, name, kind, location=pagename,
            )  # fmt: skip
            return f"{static}/{kind}/{name}"
        if kind in ("widgets", "own_song"):
            return f"{static}/{kind}/{name}?v={version(source)}"
        copy(source, Path(app.outdir) / "_static" / kind / name)
        return f"{static}/{kind}/{name}"

    context["body"] = REFERENCE.sub(replace, body).replace(PLACEHOLDER, static)


def copy_widgets(app, exception):
    """Copy every widget module and style sheet, since modules import each other."""
    if exception is None and app.builder.format == "html":
        for source in sources(app)["widgets"].glob("*"):
            if source.suffix in (".js", ".css"):
                copy(source, Path(app.outdir) / "_static" / "widgets" / source.name)
