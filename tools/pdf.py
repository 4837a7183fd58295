"""`python -m tools.pdf [PART …]`: the built book as PDF, each part a file, and the whole.

Chromium prints each page by the page's own print style: folds open, light, without controls. Files go to _build/pdf/;
their outlines follow the contents. Needs the finished book (`make book`) and a Chromium.
"""

import functools
import http.server
import os
import re
import shutil
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from io import BytesIO
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
HTML, OUT = ROOT / "_build" / "html", ROOT / "_build" / "pdf"
MARGIN = {"top": "15mm", "bottom": "18mm", "left": "14mm", "right": "14mm"}
FOOT = (
    '<div style="width: 100%; font: 8px sans-serif; color: #555; text-align: center;">'
    '<span class="title"></span> · <span class="pageNumber"></span></div>'
)
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
DRAWN = """async () => {
    await document.fonts.ready;
    await window.MathJax?.startup?.promise;
    for (const picture of document.images) picture.loading = "eager";
    await Promise.all([...document.images].filter((p) => p.offsetParent).map((p) => p.decode().catch(() => null)));
}"""


@dataclass(frozen=True)
class Part:
    """A part of the contents: what it is called, and its pages as ``book/…`` or ``notebooks/…``."""

    caption: str
    pages: tuple[str, ...]

    @property
    def file(self) -> str:
        """The name of its PDF."""
        return re.sub(r"[^a-z0-9]+", "_", self.caption.lower()).strip("_") + ".pdf"


def parts(toc: dict) -> list[Part]:
    """Return the parts of the contents; the first page of the book opens the first of them."""
    found = []
    for part in toc["parts"]:
        chapters = [page for chapter in part["chapters"] for page in (chapter, *chapter.get("sections", ()))]
        found.append(Part(part["caption"], tuple(page["file"] for page in chapters)))
    return [Part(found[0].caption, (toc["root"], *found[0].pages)), *found[1:]]


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serve files without a word."""

    def log_message(self, *words) -> None:
        """Say nothing."""


@contextmanager
def served(folder: Path):
    """Serve a folder on this machine alone; give its address."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@contextmanager
def browser():
    """Start a Chromium that is installed, or playwright's own."""
    from playwright.sync_api import sync_playwright

    installed = os.environ.get("SEPBOOK_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=installed, args=["--no-sandbox", "--disable-gpu"])
        yield chromium
        chromium.close()


def printed(chromium, address: str) -> bytes:
    """Return one page as PDF. Raises RuntimeError where there is no such page."""
    page = chromium.new_page(color_scheme="light")
    answer = page.goto(address, wait_until="load")
    if not answer.ok:
        raise RuntimeError(f"{address} answers {answer.status}: is the book built? `make book`")
    page.emulate_media(media="print")
    page.evaluate(DRAWN)
    content = page.pdf(format="A4", margin=MARGIN, print_background=True, display_header_footer=True,
                       header_template="<span></span>", footer_template=FOOT)  # fmt: skip
    page.close()
    return content


def title_of(html: Path) -> str:
    """Return a page's title, without the book's name behind it."""
    found = re.search(r"<title>(.*?)(?: &#8212; [^<]*)?</title>", html.read_text(encoding="utf-8"), re.DOTALL)
    return unescape(found[1].strip()) if found else html.stem


def write(chosen: list[Part], html: Path = HTML, out: Path = OUT, whole: bool = True) -> list[Path]:
    """Print parts into files, and, with `whole`, all of them into one; return the files."""
    from pypdf import PdfReader, PdfWriter

    out.mkdir(parents=True, exist_ok=True)
    book, files = PdfWriter(), []
    with served(html) as address, browser() as chromium:
        for part in chosen:
            own, caption = PdfWriter(), None
            for page in part.pages:
                reader = PdfReader(BytesIO(printed(chromium, f"{address}/{page}.html")))
                title = title_of(html / f"{page}.html")
                add(own, reader, title)
                if whole:
                    place = add(book, reader)
                    caption = caption or book.add_outline_item(title=part.caption, page_number=place)
                    book.add_outline_item(title=title, page_number=place, parent=caption)
            files.append(save(own, out / part.file))
            print(f"{files[-1].name}: {len(own.pages)} pages", flush=True)
        if whole:
            files.append(save(book, out / "sepbook.pdf"))
            print(f"sepbook.pdf: {len(book.pages)} pages", flush=True)
    return files


def add(writer, reader, title: str = "") -> int:
    """Put pages behind the others, by a title in the outline if one is given; return the number of the first."""
    place = len(writer.pages)
    writer.append(reader, outline_item=title or None, import_outline=False)
    return place


def save(writer, path: Path) -> Path:
    """Write a PDF, each picture in it once."""
    writer.compress_identical_objects()
    writer.write(path)
    return path


def main() -> None:
    """Print the parts that are named, or all."""
    known = parts(yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8")))
    chosen = [part for part in known if not sys.argv[1:] or part.caption in sys.argv[1:]]
    if unknown := set(sys.argv[1:]) - {part.caption for part in known}:
        sys.exit(f"no part {', '.join(unknown)}; there are: {', '.join(part.caption for part in known)}")
    if not (HTML / "index.html").is_file():
        sys.exit("There is no book yet. Build it with `make book`.")
    write(chosen, whole=not sys.argv[1:])


if __name__ == "__main__":
    main()
