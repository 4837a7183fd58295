"""How soon does a page show on a slow phone, and does Lighthouse find fault with it?

Lighthouse opens five pages as a slow phone would: it measures on this machine and reckons with a slow network and a
processor four times as slow. So the times mean something on an idle machine alone; the other scores do not depend on
it. Needs the built book, Node and a Chromium; Lighthouse itself is installed into _build/, by name.
"""

import functools
import http.server
import json
import os
import shutil
import subprocess
import threading
from contextlib import contextmanager
from pathlib import Path

from tools import serve
from tools.pdf import BROWSERS

ROOT = Path(__file__).resolve().parents[2]
HTML = Path(os.environ.get("SEPBOOK_HTML", serve.HTML))
WORK = ROOT / "_build" / "lighthouse"
PACKAGE = "lighthouse@12.8.2"
PAGES = {
    "index": "book/index.html",
    "first_separation": "book/first_separation.html",
    "convolution": "book/building_blocks/convolution.html",
    "clustering": "book/losses/clustering.html",
    "lab": "notebooks/first_separation.html",
}
SCORES = {"accessibility": "accessibility", "best_practices": "best-practices", "seo": "seo"}
TIMES = {"fcp_seconds": "first-contentful-paint", "lcp_seconds": "largest-contentful-paint"}
LIMITS = {"fcp_seconds": 1.8, "lcp_seconds": 2.5}
RUNS = 3  # of each page; the times are medians
FLAGS = "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
FLAGS += " --disable-component-update --disable-sync"


class Quiet(serve.Handler):
    def log_message(self, *words):
        """Say nothing."""


@contextmanager
def served(folder: Path):
    """Serve a folder as `make serve` does; give its address."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def missing() -> str:
    """Say what is not here that this needs; nothing where all is."""
    if not all((HTML / page).is_file() for page in PAGES.values()):
        return "there is no built book: run `make book`"
    if not shutil.which("npm"):
        return "there is no Node, which Lighthouse runs on"
    return "" if browser() else "there is no Chromium"


def browser() -> str | None:
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def program() -> Path:
    """Return Lighthouse, installed if it has to be."""
    found = WORK / "node_modules" / ".bin" / "lighthouse"
    if not found.exists():
        command = ["npm", "install", "--prefix", WORK, "--no-audit", "--no-fund", "--no-save", PACKAGE]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return found


def report(address: str) -> dict:
    """Let Lighthouse open a page; return what it says."""
    command = [program(), address, "--output=json", "--quiet", f"--chrome-flags={FLAGS}"]
    command += ["--only-categories=performance," + ",".join(SCORES.values())]
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, env={**os.environ, "CHROME_PATH": browser()}
    )
    return json.loads(done.stdout)


def figures(said: dict) -> dict:
    """Return scores out of 100, times in seconds, and the audits that a score below 100 comes from."""
    found = {name: round(100 * said["categories"][key]["score"]) for name, key in SCORES.items()}
    found |= {name: said["audits"][key]["numericValue"] / 1000 for name, key in TIMES.items()}
    counted = [ref["id"] for key in SCORES.values() for ref in said["categories"][key]["auditRefs"] if ref["weight"]]
    found["faults"] = sorted(key for key in counted if said["audits"][key]["score"] == 0)
    return found | {"benchmark_index": said["environment"]["benchmarkIndex"]}


def middle(runs: list[dict]) -> dict:
    """Return one page's figures: medians of the times, the worst of the scores, every fault."""
    found = {name: min(run[name] for run in runs) for name in SCORES}
    found |= {name: sorted(run[name] for run in runs)[len(runs) // 2] for name in (*TIMES, "benchmark_index")}
    return found | {"faults": sorted({fault for run in runs for fault in run["faults"]})}


def run() -> dict:
    if why := missing():
        return {"skipped": why}
    loads, pages = [], {}
    with served(HTML) as address:
        for name, page in PAGES.items():
            runs = [figures(report(f"{address}/{page}")) for _ in range(RUNS)]
            loads.append(os.getloadavg()[0])
            pages[name] = middle(runs)
    return {"pages": pages, "limits": LIMITS, "runs": RUNS, "lighthouse": PACKAGE, "loads": loads}
