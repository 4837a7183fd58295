"""The mask painter in a browser: its arithmetic against Python's, and painting by mouse, finger and keyboard."""

import pytest
import torch

from sepbook.building_blocks.stft import ISTFT, STFT
from sepbook.evaluation import oracles
from sepbook.evaluation.metrics import si_sdr
from sepbook.widgets.mask_painter import mask_painter
from tests.widgets.driver import WidgetDriver

pytestmark = pytest.mark.slow  # real processes: `make test` runs them, `make check` does not

RATE, NAMES = 16000, ["vocals", "drums", "bass", "other"]
IDEAL = {
    "binary": oracles.binary_mask,
    "ratio 1": lambda X: oracles.ratio_mask(X, 1),
    "ratio 2": lambda X: oracles.ratio_mask(X, 2),
    "truncated": oracles.truncated_phase_sensitive_mask,
}


@pytest.fixture(scope="module")
def sources():
    """Give four sources `(S, C, N)` of two seconds in bands of their own that overlap, as 16-bit files hold them."""
    noise = torch.randn(4, 1, 2 * RATE, generator=torch.Generator().manual_seed(0))
    bins = STFT()(noise)
    rows = torch.arange(513)
    bands = torch.stack([torch.exp(-(((rows - centre) / width) ** 2)) for centre, width in
                         [(40, 20), (200, 150), (8, 6), (60, 30)]])  # fmt: skip
    sounds = 0.15 * ISTFT()(bins * bands[:, None, :, None], 2 * RATE)
    return (sounds * 32768).round() / 32768


@pytest.fixture(scope="module")
def element(sources, site):
    """Give the painter as the book's build writes it."""
    static = site[0] / "_static"
    assert sources.sum(0).abs().max() < 0.89, "it would be turned down"
    return mask_painter(dict(zip(NAMES, sources, strict=True)), RATE, "Paint").html(
        static / "audio", static / "figures"
    )


class Driver(WidgetDriver):
    """One painter on a page."""

    name = "painter"

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.canvas = self.page.locator("canvas")
        self.first = self.run(
            "const first = [...p.mask]; p.mask.fill(0); return first;"
        )  # tests paint on an empty mask

    def scores(self):
        """Return the scores once everything has been computed."""
        self.ask("await p.load()")
        self.wait("!p.busy")
        return self.ask("p.scores")

    def choose(self, text):
        """Choose a radio button by its label."""
        self.root.get_by_label(text).first.check(force=True)

    def drag(self, *places):
        """Draw through places, each (x, y) from 0 to 1, y upwards."""
        self.canvas.scroll_into_view_if_needed()
        box = self.canvas.bounding_box()
        points = [(box["x"] + x * box["width"], box["y"] + (1 - y) * box["height"]) for x, y in places]
        self.page.mouse.move(*points[0])
        self.page.mouse.down()
        for point in points[1:]:
            self.page.mouse.move(*point, steps=4)
        self.page.mouse.up()


COMPUTE = """async ([data, kinds]) => {
  const { Stft } = await import("/_static/widgets/explorer_stft.js");
  const { idealMask, siSdr } = await import("/_static/widgets/explorer_masks.js");
  const sounds = data.map((row) => Float32Array.from(row)), stft = new Stft(64, 16);
  const bins = sounds.map((x) => stft.forward(x));
  const mixture = stft.forward(sounds[0].map((_, n) => sounds.reduce((sum, x) => sum + x[n], 0)));
  const out = { F: stft.F, T: mixture.T, re: [...mixture.re], im: [...mixture.im] };
  for (const kind of kinds) {
    const mask = idealMask(kind, 1, bins, mixture);
    const sound = stft.inverse(mixture, mask, sounds[0].length);
    out[kind] = { mask: [...mask], sound: [...sound], score: siSdr(sound, sounds[1]) };
  }
  return out;
}"""


@pytest.mark.parametrize("N", [1000, 1024, 1039])  # an odd and an even number of frames
def test_transform_masks_and_scores_are_pythons(open_page, N):
    sounds = (
        torch.randn(3, 1, N, generator=torch.Generator().manual_seed(N)) * torch.tensor([0.3, 1, 0.6])[:, None, None]
    )
    sounds[:, :, 200:400] = 0
    page = open_page("")
    found = page.evaluate(COMPUTE, [sounds[:, 0].tolist(), list(IDEAL)])
    X = STFT(64, 16)(sounds)
    Y = X.sum(0)[0]

    def table(values):
        return torch.tensor(values, dtype=torch.float32).view(found["T"], found["F"]).T

    torch.testing.assert_close(table(found["re"]), Y.real, atol=1e-4, rtol=0)
    torch.testing.assert_close(table(found["im"]), Y.imag, atol=1e-4, rtol=0)
    clear = Y.abs() > 1e-3  # elsewhere a mask depends on the last digit of a silent bin
    for kind, make in IDEAL.items():
        mask = make(X)
        sound = ISTFT(64, 16)(mask * X.sum(0), N)
        torch.testing.assert_close(table(found[kind]["mask"])[clear], mask[1, 0][clear], atol=1e-4, rtol=0)
        torch.testing.assert_close(torch.tensor(found[kind]["sound"]), sound[1, 0], atol=1e-4, rtol=0)
        assert found[kind]["score"] == pytest.approx(si_sdr(sound, sounds)[1].item(), abs=1e-3)


def test_ideal_lines_show_pythons_numbers(book, sources):
    driver = book()
    for s, name in enumerate(NAMES):
        driver.choose(name)
        scores = driver.scores()
        assert scores["mixture"] == pytest.approx(
            si_sdr(sources.sum(0, keepdim=True), sources[s : s + 1]).item(), abs=1e-3
        )
        for kind, make in IDEAL.items():
            expected = si_sdr(ISTFT()(make(STFT()(sources)) * STFT()(sources).sum(0), 2 * RATE), sources)[s].item()
            assert scores[kind] == pytest.approx(expected, abs=2e-3)
    text = driver.root.locator("[data-row='ratio 2']").inner_text()
    assert f"{scores['ratio 2']:.1f}" in text.replace("−", "-")


def test_nothing_is_fetched_before_the_first_touch(book):
    driver = book()
    fetched = "performance.getEntriesByType('resource').filter((e) => e.name.endsWith('.wav')).length"
    assert driver.page.evaluate(fetched) == 0
    driver.drag((0.5, 0.5), (0.6, 0.5))
    driver.scores()
    assert driver.page.evaluate(fetched) == 4


def test_painting_changes_the_score_and_undo_brings_it_back(book):
    driver = book()
    driver.choose("bass")
    assert driver.scores()["yours"] == -100  # nothing is kept
    assert "keeps nothing" in driver.status
    driver.root.locator("[data-action=size]").fill("30")
    driver.drag((0, 0.08), (1, 0.08))
    painted = driver.scores()
    assert painted["yours"] > painted["mixture"] + 5
    assert driver.ask("p.mask.some((x) => x > 0 && x < 1) && Math.max(...p.mask) === 1")  # its edge is soft
    driver.choose("remove")
    driver.drag((0, 0.08), (0.5, 0.08))
    assert driver.scores()["yours"] < painted["yours"] - 1
    driver.root.get_by_role("button", name="undo").click()
    assert driver.scores()["yours"] == pytest.approx(painted["yours"], abs=1e-3)
    driver.root.get_by_role("button", name="undo").click()
    assert driver.scores()["yours"] == -100
    assert driver.root.get_by_role("button", name="undo").is_disabled()


def test_a_stroke_paints_each_place_once_and_as_strongly_as_asked(book):
    driver = book()
    driver.root.locator("[data-action=strength]").fill("0.525")
    driver.drag((0.3, 0.5), (0.6, 0.5), (0.3, 0.5), (0.6, 0.5))
    strength = float(driver.root.locator("[data-action=strength]").input_value())
    assert driver.ask("Math.max(...p.mask)") == pytest.approx(strength, abs=1e-5) and 0.4 < strength < 0.6


def test_presets_and_a_start_from_an_ideal_mask(book):
    driver = book()
    driver.root.get_by_role("button", name="keep all").click()
    scores = driver.scores()
    assert scores["yours"] == pytest.approx(scores["mixture"], abs=1e-3)
    driver.choose("ideal binary")
    driver.wait("p.shown === 'binary'")
    driver.root.get_by_role("button", name="start from the mask shown").click()
    scores = driver.scores()
    assert scores["yours"] == pytest.approx(scores["binary"], abs=1e-6) and driver.ask("p.shown") == "yours"
    driver.root.get_by_role("button", name="keep nothing").click()
    assert driver.scores()["yours"] == -100


def test_each_source_keeps_its_own_mask(book):
    driver = book()
    driver.drag((0.2, 0.5), (0.8, 0.5))
    kept = driver.ask("p.mask.reduce((sum, x) => sum + x)")
    driver.choose("drums")
    assert kept > 0 and driver.ask("p.mask.some((x) => x)") is False
    driver.choose("vocals")
    assert driver.ask("p.mask.reduce((sum, x) => sum + x)") == kept


def test_keyboard(book):
    driver = book()
    keyboard, mask = driver.page.keyboard, "p.mask.reduce((sum, x) => sum + x)"
    driver.canvas.focus()
    assert driver.page.evaluate("getComputedStyle(document.querySelector('.mp-panel')).outlineStyle") == "solid"
    for _ in range(3):
        keyboard.press("Shift+ArrowDown")
    spoken = driver.root.locator(".mp-spoken").inner_text()
    assert "seconds" in spoken and "hertz" in spoken
    keyboard.press("Space")
    dab = driver.ask(mask)
    assert dab > 0
    keyboard.press("ArrowRight")
    assert driver.ask(mask) == dab  # the brush is up
    keyboard.down("Space")
    keyboard.press("Shift+ArrowRight")
    keyboard.up("Space")
    line = driver.ask(mask)
    assert line > dab
    keyboard.press("]")
    keyboard.press("Enter")
    keyboard.press("Shift+ArrowLeft")
    keyboard.press("Enter")
    assert driver.ask(mask) > line
    keyboard.press("e")
    assert driver.root.get_by_label("remove", exact=True).is_checked()
    keyboard.press("Space")
    assert driver.ask(mask) < driver.ask("p.mask.length")
    for _ in range(4):
        keyboard.press("z")
    assert driver.ask(mask) == 0
    assert driver.scores()["yours"] == -100
    keyboard.press("p")
    driver.wait("p.playing")


def test_it_plays_in_a_loop_and_a_new_sound_keeps_the_time(book):
    driver = book()
    driver.choose("untouched mixture")
    driver.scores()
    driver.root.get_by_role("button", name="play").click()
    driver.wait("p.time() > 0.3")
    before = driver.ask("p.time()")
    driver.drag((0.1, 0.5), (0.9, 0.5))
    driver.scores()
    assert driver.ask("p.shown") == "yours" and driver.ask("p.playing")
    after = driver.ask("p.time()")
    assert 0 < (after - before) % 2 < 1.9
    driver.wait(f"p.time() < {after}")
    driver.root.get_by_role("button", name="pause").click()
    assert driver.ask("p.playing") is False


# The sound of a swap, rendered: the old loop, then the new one, at the same place in the loop.
SWAP = """async () => {
  const { Loop } = await import("/_static/widgets/explorer_sound.js");
  const rate = 16000, context = new OfflineAudioContext(1, rate, rate);
  window.AudioContext = class { constructor() { return context; } };
  context.resume = async () => {};
  const wave = (n) => Math.sin((2 * Math.PI * 200 * n) / rate);
  const tone = (level) => Float32Array.from({ length: rate / 2 }, (_, n) => level * wave(n));
  const loop = new Loop(rate);
  loop.put(tone(0.5));
  loop.play(0.5);
  context.suspend(0.256).then(() => { loop.put(tone(0.25)); OfflineAudioContext.prototype.resume.call(context); });
  const data = (await context.startRendering()).getChannelData(0);
  const steps = data.map((x, n) => Math.abs(x - (data[n - 1] ?? 0)));
  const peak = (from, to) => Math.max(...data.slice(from * rate, to * rate));
  return { step: Math.max(...steps), before: peak(0.15, 0.25), after: peak(0.4, 0.5) };
}"""


def test_a_swap_does_not_click(open_page):
    found = open_page("").evaluate(SWAP)
    assert found["before"] == pytest.approx(0.5, abs=0.01) and found["after"] == pytest.approx(0.25, abs=0.01)
    assert found["step"] < 0.06  # the tone itself moves by 0.04 from sample to sample


def test_other_players_fall_silent_and_so_does_this(book):
    driver = book()
    driver.page.evaluate("window.asked = 0; document.addEventListener('sepbook-play', () => window.asked++)")
    driver.root.get_by_role("button", name="play").click()
    driver.wait("p.playing")
    assert driver.page.evaluate("asked") == 1
    driver.let_others_play()
    assert driver.ask("p.playing") is False


def touch(driver, places):
    """Draw with one finger."""
    session = driver.page.context.new_cdp_session(driver.page)
    driver.canvas.scroll_into_view_if_needed()
    box = driver.canvas.bounding_box()
    points = [{"x": box["x"] + x * box["width"], "y": box["y"] + (1 - y) * box["height"]} for x, y in places]
    session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": points[:1]})
    for point in points[1:]:
        session.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_a_finger_paints_sideways_and_upwards_once_it_has_tapped(book):
    driver = book(width=390, has_touch=True, is_mobile=True)
    before, painted = driver.page.evaluate("scrollY"), "p.mask.reduce((sum, x) => sum + x)"
    upwards = [(0.3, 0.8), (0.3, 0.6), (0.3, 0.4), (0.3, 0.2)]
    touch(driver, upwards)
    assert driver.ask(painted) == 0, "so far it would scroll the page"
    touch(driver, [(0.6, 0.3)])
    touch(driver, upwards)
    line = driver.ask(painted)
    assert line > 100 and driver.page.evaluate("scrollY") == before
    assert driver.scores()["yours"] > -100
    driver.canvas.blur()
    touch(driver, [(0.5, 0.9), (0.6, 0.9), (0.8, 0.9)])
    assert driver.ask(painted) > line, "sideways it paints at once"
    touching = "(selector) => getComputedStyle(document.querySelector(selector)).touchAction"
    assert driver.page.evaluate(touching, ".mp-lines") == driver.page.evaluate(touching, ".ex-root") == "auto"
    assert driver.canvas.bounding_box()["height"] < 300  # there is page beside it to scroll by


def test_the_first_state_is_a_try_that_can_be_bettered(book):
    driver = book()
    assert 0 < sum(driver.first) < len(driver.first) and "A first try keeps all from 300 to 3000 Hz" in driver.status
    driver.root.get_by_role("button", name="reset").click()
    assert driver.ask("[...p.mask]") == driver.first
    scores = driver.scores()
    assert -100 < scores["yours"] < scores["ratio 2"]


@pytest.mark.parametrize("look", ["1280 light", "390 dark", "320 light"], indirect=True)
def test_it_fits_and_axe_finds_nothing(book, look):
    driver = book(**look)
    driver.drag((0.2, 0.3), (0.5, 0.3))
    driver.scores()
    assert driver.canvas.bounding_box()["width"] > 0.7 * min(look["width"], 500)
    driver.assert_it_fits_and_axe_finds_nothing()


def test_less_motion(book):
    driver = book(reduced_motion="reduce")
    driver.root.get_by_role("button", name="play").click()
    driver.wait("p.playing")
    shown = driver.page.evaluate("""async () => {
        const seen = new Set(), head = document.querySelector(".mp-head");
        for (const end = performance.now() + 1000; performance.now() < end; await new Promise(requestAnimationFrame))
          seen.add(head.style.left);
        return seen.size;
    }""")
    assert 2 <= shown <= 7


def test_without_javascript_there_are_a_picture_and_players(open_page, element):
    page = open_page(element, java_script_enabled=False)
    assert page.locator("audio[controls][preload=none]").count() == 5 and page.locator("img[alt]").is_visible()


def test_missing_sounds_are_reported(open_page, element):
    driver = Driver(open_page(element.replace(".wav", "-gone.wav"), expect_errors=True))
    driver.root.get_by_role("button", name="play").click()
    driver.root.locator("[role=status]", has_text="could not be loaded").wait_for()
    assert driver.ask("p.playing") is False


def test_the_same_module_lives_in_a_notebook(open_in_notebook, sources):
    widget = mask_painter(dict(zip(NAMES, sources, strict=True)), RATE, "Paint").widget
    page = open_in_notebook(widget)
    driver = Driver(page)
    driver.root.get_by_role("button", name="keep all").click()
    scores = driver.scores()
    assert scores["yours"] == pytest.approx(scores["mixture"], abs=1e-3) and scores["ratio 2"] > scores["mixture"]
    page.evaluate("window.cleanup()")
    assert not driver.ask("p.playing")
