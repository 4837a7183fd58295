"""One server, one browser, two views. Every host but our own is unknown, and asking it is an error.

The browser itself knows no other host: a `route` in each context would switch its cache off, and every page would read
MathJax and the theme anew.
"""

import functools
import http.server
import os
import threading
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from sepbook.data import corpus
from tests.browser import song_page
from tests.chromium import playwright
from tools import serve

ROOT = Path(__file__).resolve().parents[2]
HTML = Path(os.environ.get("SEPBOOK_HTML", ROOT / "_build" / "html"))
VIEWS = {
    "1280-light": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
    "390-dark": {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark", "has_touch": True},
}


def pages():
    """Return the addresses of all pages a reader can open, or one that says that there is no book."""
    found = sorted(p.relative_to(HTML).as_posix() for p in HTML.rglob("*.html") if "_static" not in p.parts)
    return [p for p in found if p not in ("index.html", "genindex.html", "404.html")] or [
        "no book: run `make book` first"
    ]


def pages_that_hold(text):
    """Return the pages whose HTML holds ``text``."""
    return [name for name in pages() if (HTML / name).is_file() and text in (HTML / name).read_text(encoding="utf-8")]


def pytest_generate_tests(metafunc):
    """Run a test on each page and in each view."""
    for name, values in {"address": pages, "view": lambda: VIEWS}.items():
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, values())


@pytest.fixture(scope="session")
def pages_with():
    """Find the pages whose HTML holds some text: ``pages_with(text)`` -> addresses."""
    return pages_that_hold


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Stay silent when the browser hangs up in the middle of a file."""


class Handler(serve.Handler):
    def log_message(self, *args):
        """Stay silent."""


@pytest.fixture(scope="session")
def server():
    """Serve the built book, as ``make serve`` does; give its address."""
    with Server(("127.0.0.1", 0), functools.partial(Handler, directory=str(HTML))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture(scope="session")
def chromium(chromium_path):
    """Give one headless Chromium for the whole session."""
    flags = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--mute-audio"]
    flags += ["--use-fake-device-for-media-stream"]  # a microphone that beeps
    flags += ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
    with playwright() as made:
        browser = made.chromium.launch(executable_path=chromium_path, args=flags)
        yield browser
        browser.close()


@dataclass
class Log:
    """What went wrong while a page was open, and what the page fetched."""

    errors: list = field(default_factory=list)
    strangers: list = field(default_factory=list)
    fetched: list = field(default_factory=list)

    def clear(self):
        """Forget the page before."""
        for entries in (self.errors, self.strangers, self.fetched):
            entries.clear()


def weight(answer):
    """Return the bytes of an answer; of a packed one those of its file, which is what the bounds are about."""
    file = HTML / unquote(urlsplit(answer.url).path).lstrip("/")
    if answer.headers.get("content-encoding") and file.is_file():
        return file.stat().st_size
    return int(answer.headers.get("content-length", 0))


def guard(context, log):
    """Write down what the pages of ``context`` do, and which other hosts they ask."""

    def request(asked):
        if urlsplit(asked.url).hostname != "127.0.0.1" and not asked.url.startswith(("data:", "blob:")):
            log.strangers.append(asked.url)

    def console(message):
        if message.type == "error":
            log.errors.append(f"console: {message.text}")

    def response(answer):
        log.fetched.append((answer.url, weight(answer)))
        if answer.status >= 400:
            log.errors.append(f"{answer.status}: {answer.url}")

    context.on("request", request)
    context.on("console", console)
    context.on("weberror", lambda error: log.errors.append(f"page: {error.error}"))
    context.on("response", response)


@pytest.fixture(scope="session")
def contexts(chromium):
    """Give one browser context and one log per view, made when first asked for."""
    made = {}

    def get(view):
        if view not in made:
            context, log = chromium.new_context(**VIEWS[view]), Log()
            context.set_default_timeout(90_000)  # other work may run beside the tests
            guard(context, log)
            made[view] = context.new_page(), log
        return made[view]

    yield get
    for page, _ in made.values():
        page.context.close()


READY = """async () => {
  await document.fonts.ready;
  if (window.MathJax?.startup?.promise) await window.MathJax.startup.promise;
  await new Promise((done) => setTimeout(done, 50));
}"""


@pytest.fixture
def visit(contexts, server):
    """Open a page in a view and wait until its mathematics is drawn: ``visit(address, view)`` -> page, log."""

    def open_page(address, view="1280-light"):
        page, log = contexts(view)
        log.clear()
        page.goto(f"{server}/{address}", wait_until="load")
        page.evaluate(READY)
        return page, log

    return open_page


@pytest.fixture(scope="session")
def song():
    """The song of the book that the page *Your own song* offers."""
    return corpus.songs("test")[2]


@pytest.fixture(scope="session")
def served(tmp_path_factory, song):
    """Serve the page *Your own song* alone; give its address."""
    folder = tmp_path_factory.mktemp("own_song")
    song_page.lay_out(folder, song)
    with Server(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture
def open_page(chromium, served):
    """Open the page in a context of its own; when the test is over, nobody else may have been asked for anything."""
    log, made = Log(), []

    def go(name="light", view="1280-light", **options):
        context = chromium.new_context(**VIEWS[view], **options)
        context.set_default_timeout(180_000)  # other work may run beside the tests
        guard(context, log)
        made.append(context)
        page = context.new_page()
        page.goto(f"{served}/{name}.html")
        page.wait_for_selector("[data-action=example]")
        page.log = log
        return page

    yield go
    for context in made:
        context.close()
    assert not log.strangers and not log.errors
