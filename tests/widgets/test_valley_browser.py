"""The valley explorer in a real browser: its steps are Python's, and what it says of them is so."""

from functools import partial

import pytest

from sepbook.widgets.valley import descend, valley
from tests.widgets.driver import WidgetDriver

pytestmark = pytest.mark.slow  # real processes: `make test` runs them, `make check` does not

BEST, CURVATURE, REST = 0.25, 1.6, 0.1
MAKE = partial(valley, BEST, CURVATURE, REST)


class Driver(WidgetDriver):
    """One explorer on a page."""

    name = "valley"


def test_the_steps_are_pythons_and_axe_finds_nothing(book, look):
    driver = book(**look)
    assert "from side to side" in driver.status, "the first state shows the point"
    before = driver.painted()
    for settings in ({"share": 0.3, "start": 1.5, "steps": 4}, {"share": 1.1, "start": -0.5, "steps": 30}):
        for action, value in settings.items():
            driver.root.locator(f"[data-action={action}]").fill(str(value))
        found = driver.ask("p.walk(p.desk.settings)")
        assert found == pytest.approx(descend(BEST, CURVATURE, **settings))
        assert driver.ask(f"p.height({found[-1]})") == pytest.approx(REST + CURVATURE / 2 * (found[-1] - BEST) ** 2)
    assert driver.painted() != before
    driver.assert_it_fits_and_axe_finds_nothing()
    driver.root.get_by_role("button", name="reset").click()
    assert driver.painted() == before


@pytest.mark.parametrize(
    ("name", "words", "leaves"),
    [
        ("short steps", "by 0.70: it comes nearer, from the same side", None),
        ("in one step", "by 0.00: one step arrives", None),
        ("long steps", "by −0.70: it comes nearer, from side to side", None),
        ("at the limit", "by −1.00: it jumps from side to side for ever", None),
        ("too long", "by −1.20: it goes further away, from side to side", 5),  # 0.75 · 1.2⁵ is beyond 1.6
    ],
)
def test_it_says_what_the_steps_do(book, name, words, leaves):
    driver = book()
    driver.root.get_by_role("button", name=name, exact=True).click()
    assert words in driver.status and "After 6 steps" in driver.status
    assert ("left the picture" in driver.status) is (leaves is not None)
    if leaves:
        assert driver.status.endswith(f"It left the picture at step {leaves}.")


def test_without_javascript_there_is_a_table(open_page, element):
    assert open_page(element, java_script_enabled=False).locator("tbody tr").count() == 4


def test_the_same_module_lives_in_a_notebook(open_in_notebook):
    page = open_in_notebook(MAKE("Try").widget)
    driver = Driver(page)
    driver.root.locator("[data-action=share]").press("ArrowRight")
    assert driver.ask("p.desk.settings.share") == pytest.approx(0.9)
    page.evaluate("cleanup()")
