"""The activation explorer in a real browser: it computes what Python computes, and everyone can use it."""

import pytest

from sepbook.widgets.activation import CURVES, activation_explorer, bend
from tests.widgets.driver import WidgetDriver

pytestmark = pytest.mark.slow  # real processes: `make test` runs them, `make check` does not
MAKE = activation_explorer

POINTS = [x / 4 for x in range(-32, 33)]


class Driver(WidgetDriver):
    """One explorer on a page."""

    name = "activation"

    def said(self):
        """Return the line below the picture, once it fits what Python computes for the same settings."""
        state, text = self.ask("p.state"), self.status
        value, slope = bend(**state)
        for word, number in (("value", value), ("slope", slope)):
            shown = f"{number:.3f}" if not number or abs(number) >= 0.001 else ""
            assert f"{word} {shown}".replace("-", "−") in text
        return text


def test_every_curve_is_pythons_and_axe_finds_nothing(book, look):
    driver = book(**look)
    painted = set()
    for name, words in CURVES.items():
        driver.root.get_by_role("radio", name=words, exact=True).check(force=True)
        found = driver.ask(f"{POINTS}.map((x) => p.bend('{name}', x, 0.3))")
        assert found == [pytest.approx(bend(name, x, 0.3), abs=1e-12) for x in POINTS]
        driver.said()
        painted.update(driver.painted())
    assert len(painted) == len(CURVES)
    driver.assert_it_fits_and_axe_finds_nothing()


def test_by_pointer_and_by_keyboard(book):
    driver = book()
    canvas = driver.root.locator("canvas")
    driver.page.mouse.move(*driver.place(0, 0.5, 0.7))
    driver.page.mouse.down()
    driver.page.mouse.move(*driver.place(0, 0.75, 0.7), steps=3)
    driver.page.mouse.up()
    assert driver.ask("p.state.x") == pytest.approx(4, abs=0.11)
    driver.page.mouse.move(*driver.place(0, 0.05, 0.7))  # no longer held
    assert driver.ask("p.state.x") == pytest.approx(4, abs=0.11)
    for key, x in (("Home", -8), ("PageUp", -7), ("ArrowRight", -6.9), ("ArrowLeft", -7), ("ArrowLeft", -7.1)):
        canvas.press(key)
        assert driver.ask("p.state.x") == x and canvas.get_attribute("aria-valuenow") == f"{x:.1f}"
        driver.said()
    canvas.press("a")
    assert driver.ask("p.state.x") == -7.1
    canvas.press("End")
    canvas.press("ArrowUp")
    assert driver.ask("p.state.x") == 8
    slope = driver.root.locator("[data-action=slope]")
    assert slope.is_disabled()
    driver.root.locator("input[value=leaky]").check(force=True)
    canvas.press("Home")
    slope.fill("-0.25")
    assert driver.ask("p.state.slope") == -0.25 and "value 2.000, slope −0.250" in driver.said()
    for _ in range(8):
        canvas.press("PageUp")
    assert "what autograd takes" in driver.said() and "x = 0.0" in driver.said()


def test_without_javascript_there_is_a_table(open_page, element):
    page = open_page(element, java_script_enabled=False)
    assert page.locator("tbody tr").count() == len(CURVES)


def test_the_same_module_lives_in_a_notebook(open_in_notebook):
    page = open_in_notebook(activation_explorer().widget)
    driver = Driver(page)
    driver.root.locator("canvas").press("End")
    assert "x = 8.0" in driver.said()
    page.evaluate("cleanup()")
