"""The player in a browser: on a page without a kernel, and as an anywidget whose sounds come from Python."""

import pytest

from sepbook.widgets.player import player
from tests.widgets.driver import NO_DEVICE, WidgetDriver

pytestmark = pytest.mark.slow  # real processes: `make test` runs them, `make check` does not


@pytest.fixture(scope="module")
def element(slow, site):
    """Give the player of the song as the book's build writes it."""
    static = site[0] / "_static"
    return slow.html(audio=static / "audio", figures=static / "figures")


class Driver(WidgetDriver):
    """One player on a page."""

    name = "player"

    def press(self, action, stem=None):
        """Click a button."""
        which = f"[data-action={action}]" + (f"[data-stem={stem}]" if stem else "")
        self.root.locator(f"button{which}").click()

    def choose(self, version):
        """Choose a version."""
        self.root.locator("label", has_text=version).click()

    def play(self):
        """Play, and wait until it moves."""
        self.press("play")
        self.wait("p.playing && p.time() > 0.1")


def heard(gains):
    """Return the rows that sound."""
    return {row for row, gain in gains.items() if gain > 0.01}


def lit(driver, action):
    """Return the stems whose button is pressed."""
    pressed = driver.root.locator(f"[data-action={action}][aria-pressed=true]")
    return set(pressed.evaluate_all("(all) => all.map((button) => button.dataset.stem)"))


def fetched(driver):
    """Return how many sounds the page has asked for."""
    return driver.page.evaluate(
        "performance.getEntriesByType('resource').filter((e) => e.name.endsWith('.mp3')).length"
    )


def test_only_what_is_heard_is_fetched(book):
    driver = book()
    driver.play()
    assert fetched(driver) == 1  # the mixture
    driver.press("solo", "vocals")
    driver.wait("p.gains().vocals > 0.1")
    assert fetched(driver) == 2
    driver.press("solo", "bass")
    driver.wait("p.gains().bass > 0.1")
    assert fetched(driver) == 3
    driver.page.keyboard.press("0")
    driver.wait("p.gains().drums > 0.01 && p.gains().other > 0.01")
    assert fetched(driver) == 5
    driver.root.locator("label", has_text="true stems").hover()  # what is pointed at may be wanted next
    driver.page.wait_for_function(
        "performance.getEntriesByType('resource').filter((e) => e.name.endsWith('.mp3')).length === 9"
    )
    assert driver.ask("p.version") == "estimates"


def test_a_missing_sound_device_is_said_and_taken_back(book):
    driver = book()
    driver.page.evaluate(NO_DEVICE)
    driver.press("play")
    driver.root.locator("[role=status]", has_text="No sound device answers").wait_for()
    driver.page.evaluate("mend()")
    driver.wait("p.time() > 0.1")
    driver.page.wait_for_function("!document.querySelector('.sepbook-player [role=status]').textContent")


def test_without_web_audio_native_players_come_back(book):
    driver = book()
    driver.page.evaluate("delete window.AudioContext")
    driver.press("play")
    assert "no Web Audio" in driver.status
    assert driver.root.locator("audio").count() == 9 and not driver.ask("p.playing")


def test_nothing_is_fetched_before_play_and_the_clock_runs_after(open_page, element):
    page = open_page(element)
    driver = Driver(page)
    assert page.evaluate("performance.getEntriesByType('resource').filter((e) => e.name.endsWith('.mp3')).length") == 0
    assert driver.ask("p.playing") is False and driver.ask("p.time()") == 0
    driver.play()
    before = driver.ask("[p.time(), performance.now()]")
    driver.wait(f"p.time() > {before[0]} + 0.3")
    after = driver.ask("[p.time(), performance.now()]")
    assert 0 < after[0] - before[0] < (after[1] - before[1]) / 1000 + 0.1  # a busy machine may hold sound up
    driver.press("play")
    stopped = driver.ask("p.time()")
    page.wait_for_timeout(100)
    assert driver.ask("p.playing") is False and driver.ask("p.time()") == stopped


def test_solo_and_mute_change_all_gains_and_not_the_clock(book):
    driver = book()
    driver.choose("true stems")
    driver.play()
    assert heard(driver.ask("p.gains()")) == {"vocals", "drums", "bass", "other"}
    driver.press("solo", "vocals")
    driver.wait("p.gains().drums < 1e-3 && p.gains().vocals > 0.1")
    assert heard(driver.ask("p.gains()")) == {"vocals"}
    driver.press("solo", "bass")
    driver.press("mute", "vocals")  # a stem is soloed or muted, never both
    driver.wait("p.gains().vocals < 1e-3 && p.gains().bass > 0.1")
    assert heard(driver.ask("p.gains()")) == {"bass"}
    assert lit(driver, "solo") == {"bass"} and lit(driver, "mute") == {"vocals"}
    assert driver.ask("p.playing")


@pytest.mark.parametrize("version", ["mixture", "estimates", "true stems"])
@pytest.mark.parametrize("stem", ["vocals", "other"])
def test_what_is_lit_is_heard_from_every_version(book, version, stem):
    driver = book()
    driver.choose("true stems")
    driver.press("solo", "drums")
    driver.press("mute", "bass")
    driver.choose(version)
    if version == "mixture":
        assert not lit(driver, "solo") and not lit(driver, "mute")  # it has no stems: nothing may claim to act
    for kind, rest in [("solo", {stem}), ("mute", {"vocals", "drums", "bass", "other"} - {stem})]:
        driver.choose(version)
        driver.page.keyboard.press("0")
        driver.press(kind, stem)
        assert heard(driver.ask("p.gains()")) == rest and lit(driver, kind) == {stem}
        assert driver.ask("p.version") == ("true stems" if version == "mixture" else version)
        assert driver.status == ("" if version != "mixture" else (
            f"“mixture” has no {stem} of its own, so “true stems” is chosen now."
        ))  # fmt: skip


def test_a_version_that_lacks_a_soloed_stem_is_not_silent(open_page, site, song):
    static = site[0] / "_static"
    groups = {"two": {"vocals": song["true stems"]["vocals"], "rest": song["mixture"]}, "four": song["true stems"]}
    made = player({}, 16000, groups=groups).html(audio=static / "audio", figures=static / "figures")
    driver = Driver(open_page(made))
    driver.press("solo", "drums")
    assert driver.ask("p.version") == "four" and heard(driver.ask("p.gains()")) == {"drums"}
    driver.choose("two")
    assert heard(driver.ask("p.gains()")) == {"vocals", "rest"} and not lit(driver, "solo")
    driver.choose("four")
    assert heard(driver.ask("p.gains()")) == lit(driver, "solo") == {"drums"}


def test_rows_that_sound_are_marked_and_the_others_can_be_read(book, look):
    driver = book(**look)
    driver.choose("estimates")
    driver.press("solo", "vocals")
    seen = driver.root.locator(".sp-row[data-stem]").evaluate_all(
        """(rows) => rows.map((row) => { const lane = row.querySelector(".sp-lane"), image = lane.firstChild;
             image.getAnimations().forEach((each) => each.finish());
             return [row.dataset.stem, Number(getComputedStyle(image).opacity), getComputedStyle(lane).outlineStyle,
                     lane.clientHeight, row.querySelectorAll(".sp-axis span").length]; })"""
    )
    assert {stem: (opacity, outline) for stem, opacity, outline, *_ in seen} == {
        "vocals": (1, "solid"), **dict.fromkeys(["mixture", "drums", "bass", "other"], (0.6, "none"))
    }  # fmt: skip
    assert all(height >= 72 and ticks == 3 for *_, height, ticks in seen)


def test_versions_switch_while_the_clock_runs(book):
    driver = book()
    driver.play()
    assert driver.ask("p.version") == "mixture" and heard(driver.ask("p.gains()")) == {"mixture"}
    driver.ask("void (window.times = [], setInterval(() => times.push(p.playing ? p.time() : -1), 10))")
    driver.choose("estimates")
    driver.wait("p.version === 'estimates' && p.gains().vocals > 0.1")
    times = driver.page.evaluate("times")
    assert 0 < times[0] and times == sorted(times)  # it neither stopped nor went back
    assert driver.ask("p.gains().mixture") == 0
    driver.choose("true stems")
    driver.wait("p.version === 'true stems' && p.gains().vocals > 0.1")
    matched = driver.ask("p.gains().vocals")
    driver.root.locator("[data-action=matched]").uncheck()
    driver.wait(f"p.gains().vocals > {1.5 * matched}")  # the estimates are 7 dB quieter


def test_keys(book):
    driver = book()
    driver.choose("estimates")
    keyboard, seek = driver.page.keyboard, driver.root.locator("input[data-action=seek]")
    seek.focus()
    for key, time in [("ArrowRight", 1), ("ArrowRight", 2), ("Shift+ArrowRight", 7), ("ArrowLeft", 6)]:
        keyboard.press(key)
        assert driver.ask("p.time()") == pytest.approx(time)
    assert seek.get_attribute("aria-valuetext") == "6.0 of 20.0 seconds"
    keyboard.press("Home")
    assert driver.ask("p.time()") == 0
    for keys, rows in [
        ("1", {"vocals"}),
        ("3", {"vocals", "bass"}),
        ("m1", {"bass"}),
        ("0", {"vocals", "drums", "bass", "other"}),
    ]:
        for key in keys:
            keyboard.press(key)
        assert heard(driver.ask("p.gains()")) == rows
    keyboard.press("v")
    assert driver.ask("p.version") == "true stems"
    keyboard.press("Space")
    driver.wait("p.playing")
    keyboard.press("Space")
    driver.wait("!p.playing")


def test_a_press_on_a_picture_and_the_slider_seek(book):
    driver = book()
    driver.root.locator(".sp-lane").nth(2).click(position={"x": 100, "y": 10})
    width = driver.root.locator(".sp-lane").nth(2).bounding_box()["width"]
    assert driver.ask("p.time()") == pytest.approx(20 * 100 / width, abs=0.1)
    driver.root.locator("[data-action=seek]").fill("4.5")
    assert driver.ask("p.time()") == pytest.approx(4.5)
    assert driver.root.locator("[data-role=time]").inner_text() == "0:04.5 / 0:20.0"
    driver.play()
    driver.wait("p.time() > 4.6")


def test_it_ends_at_the_end_and_loops_when_asked(book):
    driver = book()
    driver.ask("void (window.played = 0, setInterval(() => (played += p.playing), 10))")
    driver.root.locator("[data-action=seek]").fill("19.5")
    driver.press("play")
    driver.wait("played && !p.playing && p.time() === 0")
    driver.press("loop")
    driver.root.locator("[data-action=seek]").fill("19.5")
    driver.press("play")
    driver.wait("p.playing && p.time() > 0.1 && p.time() < 10")


def test_one_player_at_a_time(open_page, element):
    page = open_page(element + element)
    first, second = Driver(page), Driver(page, 1)
    first.play()
    second.play()
    assert not first.ask("p.playing") and second.ask("p.playing")


@pytest.mark.parametrize("look", ["1280 light", "390 dark", "320 light"], indirect=True)
def test_it_fits_and_axe_finds_nothing(book, look):
    driver = book(**look)
    driver.choose("estimates")
    driver.press("mute", "vocals")
    driver.root.locator("summary").click()
    assert driver.root.locator(".sp-lane").first.bounding_box()["width"] > 0.6 * min(look["width"], 500)
    driver.assert_it_fits_and_axe_finds_nothing()


def test_every_control_is_named_and_shows_the_focus(book):
    driver = book()
    names = driver.root.locator("button, input").evaluate_all(
        "(all) => all.map((e) => e.getAttribute('aria-label') ?? e.closest('label')?.innerText)"
    )
    assert all(names) and len(set(names)) == len(names)
    assert {"Play", "Position", "Volume", "Solo drums", "Mute other", "mixture", "equal loudness"} <= set(names)
    for _ in range(3):
        driver.page.keyboard.press("Tab")
    assert driver.page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_without_javascript_each_clip_has_a_native_player(open_page, element):
    page = open_page(element, java_script_enabled=False)
    assert page.locator("audio[controls][preload=none]").count() == 9
    assert page.locator("audio").first.is_visible()


def test_missing_sounds_are_reported_and_native_players_come_back(open_page, element):
    driver = Driver(open_page(element.replace(".mp3", "-gone.mp3"), expect_errors=True))
    assert driver.root.locator("audio").count() == 0
    driver.press("play")
    driver.root.locator("[role=status]", has_text="could not be loaded").wait_for()
    assert driver.root.locator("audio").count() == 9 and not driver.ask("p.playing")


def test_less_motion(book):
    driver = book(reduced_motion="reduce")
    driver.play()
    shown = driver.page.evaluate("""async () => {
        const seen = new Set(), clock = document.querySelector(".sepbook-player");
        for (const end = performance.now() + 1000; performance.now() < end; await new Promise(requestAnimationFrame))
          seen.add(clock.style.getPropertyValue("--at"));
        return seen.size;
    }""")
    assert 2 <= shown <= 6


def test_the_same_module_lives_in_a_notebook(open_in_notebook, slow):
    page = open_in_notebook(slow.widget)
    driver = Driver(page)
    assert page.evaluate("[...document.images].every((image) => image.complete || image.src.startsWith('blob:'))")
    driver.play()
    driver.choose("estimates")
    driver.wait("p.gains().drums > 0.1")
    driver.press("solo", "drums")
    driver.wait("p.gains().vocals < 1e-3")
    assert heard(driver.ask("p.gains()")) == {"drums"}
    page.evaluate("window.cleanup()")
    assert not driver.ask("p.playing")
