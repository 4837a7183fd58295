"""A small site with players on it, a browser to open it, and sounds whose every sample is known."""

import base64
import functools
import http.server
import itertools
import json
import shutil
import threading
from collections import defaultdict
from pathlib import Path

import pytest
import torch

import sepbook.widgets
from sepbook.widgets.player import player
from tests.chromium import playwright

WIDGETS = Path(sepbook.widgets.__file__).parent
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--autoplay-policy=no-user-gesture-required"]
RATE = 16000
NUMBERS = itertools.count()  # of the pages of the site


def tone(hertz, level=0.2, seconds=20.0, rate=RATE):
    """Return a sine `(1, N)`."""
    time = torch.arange(round(seconds * rate)) / rate
    return (level * torch.sin(2 * torch.pi * hertz * time))[None]


@pytest.fixture(scope="session")
def song():
    """Give true stems, estimates (quieter, with some of the others in them) and their mixture."""
    sources = {"vocals": tone(440), "drums": tone(1000, 0.1), "bass": tone(110, 0.3), "other": tone(660, 0.05)}
    mixture = sum(sources.values())
    estimates = {name: 0.4 * source + 0.05 * mixture for name, source in sources.items()}
    return {"mixture": mixture, "estimates": estimates, "true stems": sources}


@pytest.fixture(scope="session")
def slow(song):
    """Give a player of the song, whose sounds are encoded once for all tests."""
    return player({}, RATE, title="Slow", groups=song)


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves quietly, and types modules as browsers want them."""

    extensions_map = {**http.server.SimpleHTTPRequestHandler.extensions_map, ".js": "text/javascript"}

    def log_message(self, *args):
        """Stay silent."""


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """Give ``(folder, address)`` of a served folder that holds the widgets as the book's build places them."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "_static" / "widgets").mkdir(parents=True)
    for path in [*WIDGETS.glob("*.js"), *WIDGETS.glob("*.css")]:
        shutil.copy(path, folder / "_static" / "widgets")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield folder, f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()


@pytest.fixture(scope="session")
def browser(chromium_path):
    """Give one headless Chromium."""
    with playwright() as made:
        browser = made.chromium.launch(executable_path=chromium_path, args=FLAGS)
        yield browser
        browser.close()


PAGE = """<!doctype html><html lang="en" {attributes}><head><meta charset="utf-8"><title>A page</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,"></head>
<body><main><h1>A page</h1>{body}</main></body></html>"""


@pytest.fixture(scope="session")
def idle_pages():
    """Give the browser's pages that no test has at present, by what was asked for when they were made."""
    return defaultdict(list)


@pytest.fixture
def open_page(site, browser, idle_pages):
    """Open a page that holds some HTML: ``open_page(body, width=…, scheme=…)``; fails on any error in the console.

    A browser's page takes longer to make than most tests take, so tests hand theirs on. The document is always new.
    """
    folder, address = site
    used, errors = [], []

    def listen(page, event, heard):
        page.on(event, heard)
        used[-1][2].append((event, heard))

    def go(
        body, width=1280, scheme="light", reduced_motion="no-preference", expect_errors=False, attributes="", **options
    ):
        viewport, made_with = {"width": width, "height": 900}, tuple(options.items())
        idle = idle_pages[made_with]
        page = idle.pop() if idle else browser.new_context(viewport=viewport, **options).new_page()
        used.append((page, idle, []))
        page.set_default_timeout(90_000)  # other work may run beside the tests
        page.set_viewport_size(viewport)
        page.emulate_media(color_scheme=scheme, reduced_motion=reduced_motion)
        if not expect_errors:
            listen(page, "console", lambda message: errors.append(message.text) if message.type != "log" else None)
            listen(page, "pageerror", lambda error: errors.append(str(error)))
            listen(page, "request", lambda request: None if ours(request.url) else errors.append(request.url))
        file = folder / f"page-{next(NUMBERS)}.html"
        body = body.replace("{{SEPBOOK_STATIC}}", "_static")
        file.write_text(PAGE.format(attributes=attributes, body=body), encoding="utf-8")
        page.goto(f"{address}/{file.name}")
        return page

    def ours(url):
        return url.startswith((address, "data:", "blob:"))

    yield go
    for page, idle, listeners in used:
        page.mouse.move(0, 0)
        for event, heard in listeners:
            page.remove_listener(event, heard)
        page.goto("about:blank")
        idle.append(page)
    assert errors == []


@pytest.fixture(scope="module")
def element(site, request):
    """Give a module's explorer, its ``MAKE``, as the book's build writes it; most modules have their own."""
    return request.module.MAKE("Try").html(audio=site[0], figures=site[0])


@pytest.fixture
def book(open_page, element, request):
    """Open a test module's ``element`` on a page of the book: ``book(width=…)`` -> the module's ``Driver``."""
    return lambda **options: request.module.Driver(open_page(element, **options))


@pytest.fixture(params=["1280 light", "390 dark"])
def look(request):
    """Give the options of ``book`` for a wide light page, and for a narrow dark one."""
    width, scheme = request.param.split()
    return {
        "width": int(width),
        "scheme": scheme,
        "attributes": f'data-theme="{scheme}" style="color-scheme: {scheme}"',
    }


# A notebook's front end in small: it builds a model from the widget's true state and mounts the widget's own module.
MOUNT = """async ({ state, buffers }) => {
  for (const [path, data] of buffers) {
    const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0)), last = path.pop();
    path.reduce((at, key) => at[key], state)[last] = new DataView(bytes.buffer);
  }
  document.head.append(Object.assign(document.createElement("style"), { textContent: state._css }));
  const url = URL.createObjectURL(new Blob([state._esm], { type: "text/javascript" }));
  const { default: widget } = await import(url);
  const model = { get: (key) => state[key], set() {}, on() {}, off() {}, save_changes() {}, send() {} };
  const el = document.body.appendChild(document.createElement("div"));
  window.cleanup = await widget.render({ model, el });
}"""


@pytest.fixture
def open_in_notebook(open_page):
    """Give a function that mounts a widget on an empty page, as a notebook does: state and buffers, no book."""
    from ipywidgets.widgets.widget import _remove_buffers

    def opened(widget):
        state, paths, buffers = _remove_buffers(widget.get_state())
        encoded = [[path, base64.b64encode(data).decode()] for path, data in zip(paths, buffers, strict=True)]
        state = {key: state[key] for key in ("spec", "files", "_esm", "_css")}
        page = open_page("")
        page.evaluate(MOUNT, {"state": json.loads(json.dumps(state)), "buffers": encoded})
        return page

    return opened
