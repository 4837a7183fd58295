"""How long does the book take to build again after one page was edited, and how heavy are its pages?"""

import subprocess
import sys
from pathlib import Path

from tools.bench._measure import seconds
from tools.results import ROOT

PAGE = ROOT / "book/how_to_read.md"


def build() -> None:
    jupyter_book = Path(sys.executable).with_name("jupyter-book")
    subprocess.run([jupyter_book, "build", ".", "-W", "-n", "--keep-going"], cwd=ROOT, check=True, capture_output=True)


def run() -> dict:
    build()
    before = PAGE.read_bytes()
    try:
        PAGE.write_bytes(before + b"\nOne more line.\n")
        edited = seconds(build)
    finally:
        PAGE.write_bytes(before)
    build()
    sizes = sorted(page.stat().st_size / 1000 for page in (ROOT / "_build/html/book").rglob("*.html"))
    return {
        "edited_page_seconds": edited,
        "limit_seconds": 30,
        "html_kb": {"median": sizes[len(sizes) // 2], "largest": sizes[-1]},
        "pages": len(sizes),
    }
