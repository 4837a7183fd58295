"""The descent explorer in a browser: its steps against PyTorch's optimisers, its controls, its looks."""

import math

import pytest
import torch

from sepbook.widgets.descent import descent
from tests.widgets.driver import WidgetDriver
from tests.widgets.test_descent import piles

pytestmark = pytest.mark.slow  # real processes: `make test` runs them, `make check` does not

UNIT = 20 / math.log(10)
# What is written on canvases from now on.
WRITE_DOWN = """() => {
  window.written = [];
  const context = CanvasRenderingContext2D.prototype, own = context.fillText;
  context.fillText = function (text, ...where) { written.push(String(text)); return own.call(this, text, ...where); };
}"""


def by_torch(name, rate, start, steps=200, unit=1.0):
    """Walk with PyTorch's own optimiser and return weights (in natural units) and heights."""
    energy, overlap, middle = piles()
    v = torch.nn.Parameter(torch.tensor([start[0] / unit, start[1]], dtype=torch.float64))
    optimizer = {
        "sgd": lambda: torch.optim.SGD([v], rate),
        "momentum": lambda: torch.optim.SGD([v], rate, momentum=0.9),
        "adam": lambda: torch.optim.Adam([v], rate),
    }[name]()
    points, heights = [], []
    for _ in range(steps + 1):
        share = torch.sigmoid(v[0] * unit * middle + v[1])
        loss = 1 + (share**2 * energy - 2 * share * overlap).sum()
        points.append([v[0].item() * unit, v[1].item()])
        heights.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return points, heights


class Driver(WidgetDriver):
    """One explorer on a page."""

    name = "descent"

    def set(self, method, exponent):
        """Choose a method and a rate of ten to the `exponent`."""
        self.root.locator(f"input[value={method}]").check()
        self.root.locator("[data-action=rate]").fill(str(exponent))


@pytest.fixture(scope="module")
def element():
    """Give the explorer as the book's build writes it."""
    return descent(*piles(), "Try").html(audio="x", figures="x")


def test_every_walk_is_pytorchs(book):
    driver = book()
    for method, exponent in (("sgd", 0.5), ("momentum", -0.5), ("adam", -1)):
        driver.set(method, exponent)
        for button, start in (("from the wall", (-1, 3)), ("from the plain", (4, -2.5))):
            driver.root.get_by_role("button", name=button).click()
            path = driver.ask("p.path")
            points, heights = by_torch(method, 10**exponent, start)
            assert path["heights"] == pytest.approx(heights, abs=1e-6)
            assert torch.tensor(path["points"]) == pytest.approx(torch.tensor(points), abs=1e-4)
    driver.root.get_by_label("x in decibels").check()
    points, heights = by_torch("adam", 0.1, (4, -2.5), unit=UNIT)
    assert driver.ask("p.path.heights") == pytest.approx(heights, abs=1e-6)


def test_the_start_is_moved_by_key_and_by_pointer(book):
    driver = book()
    canvas = driver.root.locator("canvas").first
    canvas.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown"):
        driver.page.keyboard.press(key)
    assert driver.ask("p.state.start") == pytest.approx([-0.6, 2.8])

    def pixel(w, b):
        return driver.place(0, (w + 1.6) / 6.4, (b + 3.2) / 6.6)

    mouse = driver.page.mouse
    mouse.move(*pixel(-0.6, 2.8))
    mouse.down()
    mouse.move(*pixel(2.0, -1.0), steps=4)
    mouse.up()
    assert driver.ask("p.state.start") == pytest.approx([2.0, -1.0], abs=0.05)
    mouse.move(*pixel(0, 0))
    assert driver.ask("p.state.start") == pytest.approx([2.0, -1.0], abs=0.05)  # let go is let go
    for _ in range(40):
        driver.page.keyboard.press("ArrowLeft")
    assert driver.ask("p.state.start[0]") == pytest.approx(-1.6)  # not beyond the map


def test_it_says_and_draws_where_it_stands(book):
    driver = book()
    before = driver.painted()
    driver.root.locator("[data-action=steps]").fill("3")
    w, b = driver.ask("p.path.points[3]")
    said = driver.status.replace("−", "-")
    assert f"step 3: w = {w:.2f}, b = {b:.2f}" in said and f"{driver.ask('p.path.heights[3]'):.3f}" in said
    assert "step 3" in driver.root.locator("canvas").first.get_attribute("aria-label")
    after = driver.painted()
    assert before[0] != after[0] and before[1] != after[1]
    slider = driver.root.locator("[data-action=rate]")
    assert slider.get_attribute("aria-valuetext") == "0.5"
    slider.focus()
    driver.page.keyboard.press("ArrowRight")
    assert driver.ask("p.state.exponent") > math.log10(0.5)


def test_a_walk_that_leaves_the_map_is_noticed(book):
    """In words, and with a mark at the edge, from the step on at which it leaves; not before."""
    driver = book()
    assert "map" not in driver.status
    driver.set("momentum", 1)
    points = driver.ask("p.path.points")
    out = next(k for k, (w, b) in enumerate(points) if not (-1.6 <= w <= 4.8 and -3.2 <= b <= 3.4))
    steps = driver.root.locator("[data-action=steps]")
    steps.fill(str(out - 1))
    assert "map" not in driver.status
    driver.page.evaluate(WRITE_DOWN)
    steps.fill(str(out))
    assert driver.status.split("; ")[1] == f"off the map, which it left at step {out}"
    assert f"left at step {out}" in driver.root.locator("canvas").first.get_attribute("aria-label")
    assert f"left at step {out}" in driver.page.evaluate("written")
    driver.root.get_by_role("button", name="reset").click()
    assert "map" not in driver.status


def test_it_fits_and_axe_finds_nothing(book, look):
    driver = book(**look)
    driver.set("adam", -1)
    driver.assert_it_fits_and_axe_finds_nothing()


def test_the_same_module_lives_in_a_notebook(open_in_notebook):
    page = open_in_notebook(descent(*piles()).widget)
    driver = Driver(page)
    assert driver.ask("p.ground([0, 0]).height") == pytest.approx(
        descent(*piles()).height(torch.tensor(0.0), torch.tensor(0.0)).item(), abs=1e-6
    )
    page.evaluate("cleanup()")
