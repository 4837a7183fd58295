"""The embedding explorer in a browser: its arithmetic against Python's, its controls, its looks."""

import numpy as np
import pytest
import torch

from sepbook.building_blocks.stft import ISTFT, STFT
from sepbook.widgets.embedding import DIRECTIONS
from tests.widgets.driver import WidgetDriver
from tests.widgets.test_embedding import SOUND, F, T, explorer, unpacked

pytestmark = pytest.mark.slow  # real processes: `make test` runs them, `make check` does not

NAMES = ("talker A", "talker B")


@pytest.fixture(scope="module")
def made():
    """Give the explorer with two talkers."""
    return explorer(title="Walk around", names=NAMES)


@pytest.fixture(scope="module")
def element(site, made):
    """Give the explorer as the book's build writes it."""
    static = site[0] / "_static"
    return made.html(audio=static / "audio", figures=static / "figures")


class Driver(WidgetDriver):
    """One explorer on a page."""

    name = "embedding"

    def run(self, body):
        return super().run(f"p.draw(); {body}")

    def set(self, action, value):
        """Move a slider, or press a radio button."""
        control = self.root.locator(f"[data-action={action}]")
        if action in ("version", "paint"):
            self.root.get_by_role("radio", name=value, exact=True).check()
        else:
            control.fill(str(value))

    def said(self):
        """Return what is said below the pictures."""
        self.ask("1")
        return self.status.replace("−", "-")


SPACE = """async ([points, size, chosen, groups, turn, tilt]) => {
  const m = await import("/_static/widgets/embedding_space.js");
  const all = Int8Array.from(points), values = m.affinities(all, size, chosen);
  const { x, y, depth } = m.turned(all, size, turn, tilt);
  return { values: [...values], means: m.means(values, groups, 2), x: [...x], y: [...y], depth: [...depth] };
}"""


def test_arithmetic_is_pythons(open_page, made):
    points, chosen, turn, tilt = made.vectors["trained"], 7, 0.7, -0.4
    groups = made.source.tolist()
    found = open_page("").evaluate(SPACE, [points.ravel().tolist(), DIRECTIONS, chosen, groups, turn, tilt])
    real = points / 127
    values = real @ real[chosen]
    assert found["values"] == pytest.approx(values, abs=1e-6)
    assert found["means"] == pytest.approx([values[made.source == s].mean() for s in (0, 1)], abs=1e-6)
    about = np.array([[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]])
    over = np.array([[1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]])
    expected = real[:, :3] @ (over @ about).T
    for k, name in enumerate(("x", "y", "depth")):
        assert found[name] == pytest.approx(expected[:, k], abs=1e-6)


def test_a_bin_finds_its_point_and_a_point_its_bin(open_page, made, element):
    driver = Driver(open_page(element))
    assert driver.ask("p.settings.chosen") == made.content[0]["start"] and "with the bins of talker A" in driver.said()
    for picture, number in (("bins", 40), ("space", 90)):
        canvas = driver.root.locator("canvas").nth(0 if picture == "space" else 1)
        px, py = driver.ask(f"[p.seen.{picture}.xs[{number}], p.seen.{picture}.ys[{number}]]")
        canvas.click(position={"x": px, "y": py})
        chosen = driver.ask("p.settings.chosen")
        near = driver.ask(f"[p.seen.{picture}.xs[{chosen}], p.seen.{picture}.ys[{chosen}]]")
        assert near == pytest.approx([px, py], abs=2)
        assert chosen == number or picture == "space"
    driver.set("version", "trained")
    values = driver.ask("p.affinities()")
    real = unpacked(made.content[0]["versions"][1]["points"], np.int8).reshape(-1, DIRECTIONS) / 127
    chosen = driver.ask("p.settings.chosen")
    assert values == pytest.approx(real @ real[chosen], abs=1e-6)
    said = [f"{np.mean(np.array(values)[made.source == s]):.2f} with the bins of {NAMES[s]}" for s in (0, 1)]
    assert all(words in driver.said() for words in said)
    assert f"of {NAMES[made.source[chosen]]}" in driver.said()


def test_versions_colours_and_turning_change_the_pictures(book):
    driver = book()
    seen = [driver.painted()]
    for action, value in (
        ("version", "trained"),
        ("paint", "affinity with the chosen bin"),
        ("turn", 60),
        ("tilt", 30),
    ):
        driver.set(action, value)
        seen.append(driver.painted())
        assert seen[-1][0] != seen[-2][0]
    assert seen[1][1] == seen[0][1] and seen[2][1] != seen[1][1] and seen[3][1] == seen[2][1]
    space = driver.root.locator("canvas").first
    space.scroll_into_view_if_needed()
    box = space.bounding_box()
    driver.page.mouse.move(box["x"] + 100, box["y"] + 100)
    driver.page.mouse.down()
    driver.page.mouse.move(box["x"] + 140, box["y"] + 80, steps=3)
    driver.page.mouse.up()
    assert driver.ask("[p.settings.turn, p.settings.tilt]") == [80, 20]
    driver.root.get_by_role("button", name="from the front").click()
    assert driver.ask("[p.settings.turn, p.settings.tilt]") == [0, 0]
    driver.root.locator("[data-action=turn]").focus()
    driver.page.keyboard.press("ArrowRight")
    assert driver.ask("p.settings.turn") == 1


def test_it_fits_and_axe_finds_nothing(book, look):
    driver = book(**look)
    assert driver.root.locator("canvas").first.bounding_box()["width"] > 0.4 * min(look["width"], 800)
    driver.assert_it_fits_and_axe_finds_nothing()


def test_the_same_module_lives_in_a_notebook_and_a_table_without_javascript(open_in_notebook, open_page, made, element):
    page = open_in_notebook(made.widget)
    driver = Driver(page)
    driver.set("version", "ideal")
    assert set(np.round(driver.ask("p.affinities()"), 3)) == {0.0, 1.0}
    page.evaluate("cleanup()")
    still = open_page(element, java_script_enabled=False)
    assert still.get_by_role("table").get_by_role("row").count() == 4


def stands(bins):
    """For each bin the nearest drawn one, by its number, or -1 where it is more than three steps away; all of them."""
    f, t = np.divmod(np.arange(F * T), T)
    away = np.abs(f[:, None] - f[bins]) + np.abs(t[:, None] - t[bins])  # (F * T, n)
    return [set(np.flatnonzero(row == row.min())) if row.min() <= 3 else {-1} for row in away]


def test_the_bins_like_the_chosen_one_are_heard(open_page, site):
    static = site[0] / "_static"
    made = explorer(names=NAMES, sound=SOUND, hop=16)
    driver = Driver(open_page(made.html(audio=static / "audio", figures=static / "figures")))
    driver.run("await p.sound.load()")
    spec = made.content[0]
    which = """import(new URL("/_static/widgets/embedding_space.js", document.baseURI))"""
    found = np.array(
        driver.run(
            f"const m = await {which}; return [...m.standing(Uint32Array.from({made.bins.tolist()}), [{F}, {T}])];"
        )
    )
    assert all(point in near for point, near in zip(found, stands(made.bins), strict=True))
    stft, istft = STFT(2 * (F - 1), 16, "hann"), ISTFT(2 * (F - 1), 16, "hann")
    rounded = (SOUND * 32768).round() / 32768
    chosen, values = spec["start"], np.array(driver.ask("p.affinities()"))
    wanted = {"true source": made.source == made.source[chosen], "affinity with the chosen bin": values.clip(0, 1)}
    for paint, share in wanted.items():
        driver.set("paint", paint)
        mask = np.where(found < 0, 0, share[found]).reshape(F, T)
        expected = istft(stft(rounded[None]) * torch.tensor(mask, dtype=torch.float32), SOUND.shape[-1])[0, 0].numpy()
        assert np.abs(expected).max() > 0.05
        assert np.abs(driver.samples("p.sound.made()") - expected).max() < 1e-4
    driver.root.get_by_role("radio", name="the whole mixture").check()
    assert np.abs(driver.samples("p.sound.made()") - rounded[0].numpy()).max() < 1e-6


def test_a_turn_of_the_space_changes_no_sound(open_page, site):
    static = site[0] / "_static"
    driver = Driver(open_page(explorer(sound=SOUND, hop=16).html(audio=static / "audio", figures=static / "figures")))
    driver.root.locator("[data-action=play]").click()
    driver.wait("p.sound.loop.playing && !p.sound.busy")
    driver.run("window.before = p.sound.loop.samples")
    driver.set("turn", 40)
    driver.page.wait_for_timeout(200)
    assert driver.ask("p.sound.loop.samples === window.before")
    driver.set("chosen", 3)
    driver.wait("p.sound.loop.samples !== window.before")
