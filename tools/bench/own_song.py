"""Your own song in headless Chromium: three minutes of mono sound, from the file to the stems, in one thread."""

import functools
import http.server
import os
import tempfile
import threading
import time
from pathlib import Path
from statistics import median

import soundfile
import torch

from sepbook.data.corpus import songs

MINUTES = 3
RUNS = 3
LIMIT = 60  # seconds
HANDLE = "document.querySelector('.sepbook-explorer-live').sepbookOwnSong"
LAG = """() => { window.lags = []; let last = performance.now();
  setInterval(() => { const now = performance.now(); lags.push(now - last - 20); last = now; }, 20); }"""


def write_song(path: Path) -> None:
    """Write the test songs, again and again."""
    rate = songs("test")[2].sample_rate
    mixtures = torch.cat([track.mixture() for track in songs("test")], dim=1)  # (1, N)
    many = mixtures.repeat(1, -(-60 * MINUTES * rate // mixtures.shape[1]))[:, : 60 * MINUTES * rate]
    soundfile.write(path, many.T.numpy(), rate)


def once(browser, address: str, song: Path) -> dict:
    """Separate the file in a new page, fetching included; note how long the page kept its own thread busy at most."""
    page = browser.new_page()
    page.set_default_timeout(600_000)
    page.goto(address)
    page.wait_for_selector("[data-action=example]")
    page.evaluate(LAG)
    start = time.perf_counter()
    page.set_input_files("input[type=file]", song)
    page.wait_for_selector(".os-save a")
    seconds = time.perf_counter() - start
    lag = page.evaluate("Math.max(...lags)")
    page.close()
    return {"seconds": seconds, "longest_pause_ms": lag}


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serve files without a line for each."""

    def log_message(self, *words):
        """Say nothing."""


def run() -> dict:
    """Serve the built book, and separate."""
    from playwright.sync_api import sync_playwright

    html = Path(os.environ.get("SEPBOOK_HTML", "_build/html"))
    if not (html / "book/own_song.html").is_file():
        return {"skipped": "there is no built book: run `make book` first"}
    handler = functools.partial(Quiet, directory=str(html))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_address[1]}/book/own_song.html"
    path = os.environ.get("SEPBOOK_CHROMIUM", "/usr/bin/chromium")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        song = Path(folder) / "song.wav"
        write_song(song)
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        runs = [once(browser, address, song) for _ in range(RUNS)]
        browser.close()
    server.shutdown()
    medians = {key: median(each[key] for each in runs) for key in runs[0]}
    return {"minutes": MINUTES, "threads": 1, "runs": RUNS, **medians, "limit_seconds": LIMIT}
