"""The convolution explorer in a browser: its arithmetic against Python's, its pictures, its controls, its looks."""

import itertools
import re

import pytest
import torch
from torch.nn import functional

from sepbook import shapes
from sepbook.widgets.convolution import convolution
from tests.widgets.driver import WidgetDriver

pytestmark = pytest.mark.slow  # real processes: `make test` runs them, `make check` does not

NAMES = ("n", "kernel", "stride", "padding", "dilation", "output_padding", "transposed")
GRID = [
    dict(zip(NAMES, values, strict=True))
    for values in itertools.product((1, 2, 5, 12), (1, 2, 3, 7), (1, 2, 4), (0, 1, 4), (1, 3), (0, 2), (False, True))
    if values[6] or not values[5]
]
SOLVE = """async (grid) => {
  const { solve, counts } = await import("/_static/widgets/convolution_arithmetic.js");
  return grid.map((geometry) => ({ ...solve(geometry), counts: counts(geometry) }));
}"""


def steps_of(geometry):
    """Return (lines, error) as Python has them."""
    try:
        steps = shapes.conv_length(**geometry, explain=False).steps
    except shapes.ShapeError as error:
        return None, str(error)
    return [re.split(r"\s{2,}", line) for line in steps.splitlines()], None


def counts_of(geometry):
    """Count by gradients how often PyTorch reads each value of the padded input, or paints each of the output."""
    n, kernel, stride, padding, dilation, _, transposed = (geometry[name] for name in NAMES)
    weight = torch.ones(1, 1, kernel)
    if transposed:
        return functional.conv_transpose1d(torch.ones(1, 1, n), weight, stride=stride, dilation=dilation).flatten()
    padded = torch.zeros(1, 1, n + 2 * padding, requires_grad=True)
    functional.conv1d(padded, weight, stride=stride, dilation=dilation).sum().backward()
    return padded.grad.flatten()


def test_every_step_and_every_count_is_pythons(open_page):
    found = open_page("").evaluate(SOLVE, GRID)
    impossible = 0
    for geometry, said in zip(GRID, found, strict=True):
        lines, error = steps_of(geometry)
        assert said.get("error") == error, geometry
        impossible += error is not None
        if error is None:
            assert said["lines"] == lines and said["length"] == int(lines[-1][1]), geometry
            counts = counts_of(geometry).int().tolist()
            assert said["counts"] == counts + [0] * (len(said["counts"]) - len(counts)), geometry
    assert 20 < impossible < len(GRID) / 2


class Driver(WidgetDriver):
    """One explorer on a page."""

    name = "convolution"

    def set(self, **settings):
        """Move sliders."""
        for action, value in settings.items():
            self.root.locator(f"[data-action={action}]").fill(str(value))

    def press(self, name):
        """Press a button."""
        self.root.get_by_role("button", name=name, exact=True).click()

    def cells(self, kind):
        """Count cells of a kind that are drawn."""
        return self.root.locator(f".cv-cell{kind}").count()

    @property
    def caption(self):
        """What is said about this place of the kernel."""
        return self.root.locator(".cv-caption").inner_text()


@pytest.fixture(scope="module")
def element():
    """Give the explorer as the book's build writes it."""
    return convolution("Try").html(audio="/", figures="/")


def test_sliders_presets_and_places(book):
    driver = book()
    assert driver.caption == "Output value 0 reads input 0, 1, 2."
    driver.set(padding=1, stride=2, place=3)
    assert driver.caption == "Output value 3 reads input 5, 6, (7); in brackets: padding."
    assert (driver.cells(".cv-in"), driver.cells(".cv-outside"), driver.cells(".cv-out")) == (9, 2, 4)
    assert (driver.cells(".cv-in.cv-on"), driver.cells(".cv-out.cv-on")) == (3, 1)
    assert "output length 4" in " ".join(driver.root.locator("dl").inner_text().split())
    driver.set(n=2, kernel=7)
    assert "no place to put it" in driver.root.locator(".cv-error").inner_text()
    assert (
        driver.caption == "There is no place for the kernel."
        and driver.root.locator("[data-action=play]").is_disabled()
    )
    assert driver.root.locator("[data-action=output_padding]").is_hidden()
    driver.press("transposed, kernel 3")
    assert driver.ask("p.counts") == [1, 1, 2, 1, 2, 1, 2, 1, 1]
    driver.press("transposed, kernel 4")
    assert driver.ask("p.counts") == [1, 1, 2, 2, 2, 2, 2, 2, 1, 1] and driver.cells(".cv-out.cv-outside") == 2
    assert driver.caption == "Input value 0 paints output (-1), 0, 1, 2; in brackets: cropped."
    driver.set(output_padding=1)
    assert "output length 9" in " ".join(driver.root.locator("dl").inner_text().split())


def test_two_axes(book):
    driver = book()
    driver.root.get_by_label("2-D").check()
    driver.press("stride 2")
    driver.set(place=5)
    assert driver.caption == "Output value 1, 2 reads input 2, 3, 4 × 4, 5, 6."
    assert (driver.cells(".cv-in"), driver.cells(".cv-out"), driver.cells(".cv-on")) == (49, 9, 10)
    driver.root.get_by_label("transposed", exact=True).check()
    assert driver.cells(".cv-out") == 225 and driver.ask("p.settings.axes") == 2


def test_it_moves_only_when_asked_and_stops_at_the_end(book):
    driver = book(reduced_motion="no-preference")
    driver.page.wait_for_timeout(900)
    assert driver.ask("[p.place, p.playing]") == [0, False]
    driver.set(n=3)
    driver.set(padding=1)
    driver.press("▶ move")
    assert driver.ask("[p.place, p.playing]") == [1, True]
    driver.wait("!p.playing")
    assert driver.ask("p.place") == 2
    driver.press("▶ move")
    assert driver.ask("p.place") == 0
    driver.press("❚❚ stop")
    place, playing = driver.ask("[p.place, p.playing]")  # on a busy machine it has gone on before the press
    assert not playing and place < 2
    driver.root.locator("[data-action=place]").focus()
    driver.page.keyboard.press("ArrowRight")
    assert driver.ask("p.place") == place + 1
    assert driver.root.locator("svg").get_attribute("aria-label") == driver.caption


def test_it_fits_and_axe_finds_nothing(book, look):
    driver = book(**look)
    for name in ("transposed, kernel 4", "same length"):
        driver.press(name)
        driver.set(n=12, kernel=7, padding=4, place=2)
        driver.assert_it_fits_and_axe_finds_nothing()


def test_it_lives_in_a_notebook_and_says_its_steps_without_javascript(open_page, open_in_notebook):
    driver = Driver(open_in_notebook(convolution(n=5, kernel=4, transposed=True, stride=3).widget))
    assert driver.ask("p.settings.stride") == 3 and driver.cells(".cv-out") == 16
    driver.page.evaluate("cleanup()")
    page = open_page(convolution(n=5).html(audio="/", figures="/"), java_script_enabled=False)
    assert "the kernel fits" in page.locator("pre.cv-steps").inner_text()
