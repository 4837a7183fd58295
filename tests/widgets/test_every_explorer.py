"""What holds for every explorer: axes with names and numbers, a reset, keys, fingers, a word about missing sound."""

import re

import pytest
import torch

from sepbook.evaluation.bss_eval import project
from sepbook.widgets.activation import activation_explorer
from sepbook.widgets.aliasing import aliasing
from sepbook.widgets.beats import beats
from sepbook.widgets.convolution import convolution
from sepbook.widgets.descent import descent
from sepbook.widgets.error_mixer import error_mixer
from sepbook.widgets.filterbank import filterbank
from sepbook.widgets.mask_painter import mask_painter
from sepbook.widgets.recurrent_memory import recurrent_memory
from sepbook.widgets.training_replay import training_replay
from sepbook.widgets.turning_arrow import turning_arrow
from sepbook.widgets.valley import valley
from sepbook.widgets.waveform_loss import waveform_loss
from sepbook.widgets.window_hop import window_hop
from tests.widgets.conftest import WIDGETS
from tests.widgets.driver import NO_DEVICE, WidgetDriver
from tests.widgets.replay_stages import LOSS, stages
from tests.widgets.test_descent import piles
from tests.widgets.test_embedding import SOUND
from tests.widgets.test_embedding import explorer as embedding

slow = pytest.mark.slow  # real processes: `make test` runs them, `make check` does not

RATE = 16000
SOUNDS = 0.1 * torch.randn(2, RATE // 2, generator=torch.Generator().manual_seed(0))
STEMS = {"clicks": SOUNDS[:1], "tones": SOUNDS[1:]}
EXPLORERS = {  # by the name in host.js
    "activation": lambda: activation_explorer("Try"),
    "aliasing": lambda: aliasing("Try"),
    "arrow": lambda: turning_arrow("Try"),
    "beats": lambda: beats("Try"),
    "convolution": lambda: convolution("Try"),
    "descent": lambda: descent(*piles(), "Try"),
    "embedding": lambda: embedding(title="Try", sound=SOUND, hop=16),
    "errors": lambda: error_mixer(*SOUNDS, RATE, project, "Try"),
    "filterbank": lambda: filterbank({"a": SOUNDS[0, :3200].view(20, 160), "b": SOUNDS[1, :1600].view(10, 160)}, RATE),
    "memory": lambda: recurrent_memory(title="Try"),
    "painter": lambda: mask_painter(STEMS, RATE, "Try"),
    "replay": lambda: training_replay(stages(), RATE, LOSS, "Try"),
    "valley": lambda: valley(0.2, 1.5, 0.1, "Try"),
    "waveform": lambda: waveform_loss(*SOUNDS, RATE, "Try"),
    "window": lambda: window_hop(STEMS, RATE, "Try"),
}
NO_EXPLORERS = {"player", "listening"}
SILENT = {"activation", "convolution", "descent", "memory", "valley"}  # their subject has no sound
OWN_AXES = {"embedding": [0], "painter": [0]}  # pictures that turn in space, or have their axes beside them


def test_there_are_no_others():
    hosted = set(re.findall(r'(\w+): "\./\w+\.js"', (WIDGETS / "host.js").read_text(encoding="utf-8")))
    assert hosted == set(EXPLORERS) | NO_EXPLORERS


# All that can be seen of an explorer: what its controls say is `slice(1)`, and its pictures are the first.
SEEN = """(el) => {
  const all = (what) => [...el.querySelectorAll(what)];
  const pictures = [...all("canvas").map((each) => each.toDataURL()), ...all("svg").map((each) => each.outerHTML)];
  const controls = all("input, select, button").map((each) => [each.value, each.checked, each.disabled].join());
  return [pictures.join(), el.innerText.replace(/\\s+/g, " "), ...controls];
}"""

MOVE_ALL = """(el) => {
  const said = (each) => each.dispatchEvent(new Event("input", { bubbles: true }));
  for (const each of el.querySelectorAll("input[type=checkbox]:enabled")) each.click();
  for (const group of new Set([...el.querySelectorAll("input[type=radio]:enabled")].map(({ name }) => name)))
    [...el.querySelectorAll(`input[name="${group}"]:enabled`)].at(-1).click();
  for (const each of el.querySelectorAll("select")) (each.selectedIndex = each.options.length - 1), said(each);
  for (const each of el.querySelectorAll("input[type=range]:enabled"))
    (each.value = each.value === each.max ? each.min : each.max), said(each);
}"""

# What is written on canvases from now on, with where it stands and whether it stands upright.
LISTEN = """() => {
  window.written = new Map();
  const context = CanvasRenderingContext2D.prototype, own = context.fillText;
  context.fillText = function (text, x, y) {
    const now = this.getTransform(), { x: left, y: down } = now.transformPoint({ x, y });
    if (!written.has(this.canvas)) written.set(this.canvas, []);
    written.get(this.canvas).push([String(text), Math.round(left), Math.round(down), now.b !== 0]);
    return own.call(this, text, x, y);
  };
}"""
WRITTEN = "(el) => [...el.querySelectorAll('canvas')].map((each) => written.get(each) ?? [])"

REACHABLE = """(el) => {
  const free = [...el.querySelectorAll("button:enabled, select, input:enabled, [tabindex='0']")];
  const stops = free.filter((each) => each.checkVisibility() && (each.type !== "radio" || each.checked));
  stops.forEach((each, n) => (each.dataset.stop = n));
  return stops.length;
}"""


class Driver(WidgetDriver):
    """Any explorer on a page, once its sounds are there."""

    def __init__(self, page, name):
        self.name = name
        super().__init__(page)
        self.ask("p.load?.()")
        self.ask("new Promise((done) => setTimeout(done, 100))")
        self.wait("!p.busy && !(('image' in p) && !p.image)")

    def seen(self):
        """Return all that can be seen, once it stays the same."""
        before = None
        for _ in range(100):
            now = self.root.evaluate(SEEN)
            if now == before and not self.ask("Boolean(p.busy)"):
                return now
            before = now
            self.page.wait_for_timeout(70)
        raise AssertionError("it never comes to rest")


def on_page(open_page, site, name, **options):
    static = site[0] / "_static"
    element = EXPLORERS[name]().html(audio=static / "audio", figures=static / "figures")
    page = open_page(f'{element}<div style="height: 3000px"></div>', **options)
    return Driver(page, name)


def numbered(row):
    """Whether a row of what is written has two numbers at two places."""
    numbers = {text for text, _ in row if re.match(r"[−≤]?\d", text)}
    return len(numbers) > 1 and len({at for _, at in row}) > 1


def assert_axes(written):
    """Both axes have a name and numbers: those along it stand in one line."""
    names = {
        upright: [t for t, *_, u in written if u is upright and re.search("[a-z]", t)] for upright in (True, False)
    }
    assert names[True] and names[False], written
    for along in (True, False):
        rows = {}
        for text, x, y, _ in written:
            rows.setdefault(y if along else x, []).append((text, x if along else y))
        assert any(map(numbered, rows.values())), (along, written)


@slow
@pytest.mark.parametrize("name", EXPLORERS)
def test_axes_reset_and_keys(open_page, site, name):
    driver = on_page(open_page, site, name)
    first = driver.seen()

    driver.page.evaluate(LISTEN)
    driver.page.evaluate("document.documentElement.dataset.theme = 'light'")  # it is drawn again
    driver.page.wait_for_timeout(100)
    canvases = driver.root.evaluate(WRITTEN)
    for number, written in enumerate(canvases):
        if number not in OWN_AXES.get(name, ()):
            assert_axes(written)
    beside = driver.root.locator("[data-axis]").all_inner_texts()
    drawn = driver.root.locator("svg .cv-number").count() > 3 and driver.root.locator("svg .cv-name").count() == 2
    assert canvases or beside or drawn, "no axes"
    assert all(len(re.findall(r"\d+", text)) > 1 for text in beside)
    if name == "embedding":
        assert {"1st", "2nd", "0.5", "1"} <= {text for text, *_ in canvases[0]}
    if name == "painter":
        assert len(beside) == 2 and "Hz" in beside[0] and " s" in beside[1]

    stops = driver.root.evaluate(REACHABLE)
    reached = set()
    driver.page.evaluate("document.activeElement.blur()")
    for _ in range(stops):
        driver.page.keyboard.press("Tab")
        reached.add(driver.page.evaluate("Number(document.activeElement.dataset.stop)"))
    assert reached == set(range(stops)), "keys reach each control once"

    for canvas in driver.root.locator("canvas[tabindex]").all():
        canvas.press("ArrowRight")
    if name != "painter":  # there the brush has moved, which is not seen
        assert canvas_free(driver) or driver.seen() != first
    driver.root.evaluate(MOVE_ALL)
    assert driver.seen()[0] != first[0] or name == "errors"
    driver.root.get_by_role("button", name="reset").click()
    assert driver.seen() == first


def canvas_free(driver):
    return driver.root.locator("canvas[tabindex]").count() == 0


def swipe(session, x, y):
    """Move a finger up the screen."""
    session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for step in range(1, 9):
        session.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [{"x": x, "y": y - 20 * step}]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


@slow
@pytest.mark.parametrize("name", EXPLORERS)
def test_fingers_and_missing_sound(open_page, site, name):
    driver = on_page(open_page, site, name, width=390, has_touch=True, is_mobile=True)
    session = driver.page.context.new_cdp_session(driver.page)
    for picture in driver.root.locator("canvas, .cv-figure").all():
        picture.evaluate("(it) => it.scrollIntoView({ block: 'center' })")
        box, before, seen = picture.bounding_box(), driver.page.evaluate("scrollY"), driver.seen()[1:]
        swipe(session, box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        driver.page.wait_for_function("(before) => scrollY > before + 50", arg=before)
        assert driver.seen()[1:] == seen, "a swipe scrolls, and changes nothing"
    play = driver.root.locator("[data-action=play]").filter(has_not_text="move")
    assert (play.count() == 0) is (name in SILENT)
    if play.count():
        driver.page.evaluate(NO_DEVICE)
        play.click()
        driver.root.get_by_text("No sound device answers").wait_for()
        driver.assert_it_fits()
