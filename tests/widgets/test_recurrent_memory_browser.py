"""The memory explorer in a real browser: it computes what Python computes, and everyone can use it."""

from dataclasses import asdict

import pytest

from sepbook.widgets.recurrent_memory import CASES, recurrent_memory, remember
from tests.widgets.driver import WidgetDriver

pytestmark = pytest.mark.slow  # real processes: `make test` runs them, `make check` does not

FIELDS = ("kind", "weight", "bias", "note", "noise")


@pytest.fixture(scope="module")
def element(site):
    """Give the explorer as the book's build writes it."""
    return recurrent_memory(title="Try").html(audio=site[0], figures=site[0])


class Driver(WidgetDriver):
    """One explorer on a page."""

    name = "memory"

    def matches_python(self):
        """Whether what is shown is what Python computes for the same settings."""
        settings, found = self.ask("p.settings"), self.ask("p.found")
        expected = asdict(remember(**settings))
        assert {key: found[key] for key in ("visible", "learnable")} == {
            k: expected[k] for k in ("visible", "learnable")
        }
        for key in ("played", "silent", "slopes"):
            assert found[key] == pytest.approx(expected[key], rel=1e-6, abs=1e-9)
        return settings


def test_every_case_is_pythons_and_axe_finds_nothing(book, look):
    driver = book(**look)
    buttons = driver.root.locator("[data-action=preset]")
    assert buttons.count() == len(CASES)
    for i, case in enumerate(CASES.values()):
        buttons.nth(i).click()
        assert tuple(driver.matches_python()[field] for field in FIELDS) == case
    said = driver.status
    assert f"{remember(*case).visible} frames" in said and f"{remember(*case).learnable} frames" in said
    driver.assert_it_fits_and_axe_finds_nothing()


def test_controls_by_hand_and_by_keyboard(book):
    driver = book()
    before = driver.painted()
    for action, value in (("weight", "0.9"), ("bias", "3"), ("note", "2"), ("noise", "0.5")):
        driver.root.locator(f"[data-action={action}]").fill(value)
        assert driver.matches_python()[action] == float(value)
    assert all(a != b for a, b in zip(before, driver.painted(), strict=True))
    knob = driver.root.locator("[data-action=bias]")
    knob.focus()
    driver.page.keyboard.press("ArrowRight")
    assert driver.ask("p.settings.bias") == 3.5 and "keeps 97 %" in knob.get_attribute("aria-valuetext")
    driver.root.get_by_role("radio", name="plain RNN").check(force=True)
    assert driver.matches_python()["kind"] == "rnn" and knob.is_disabled()
    driver.root.get_by_role("radio", name="plain RNN").focus()
    driver.page.keyboard.press("ArrowRight")
    assert driver.matches_python()["kind"] == "lstm" and knob.is_enabled()


def test_without_javascript_there_is_a_table(open_page, element):
    page = open_page(element, java_script_enabled=False)
    assert page.locator("tbody tr").count() == len(CASES)


def test_the_same_module_lives_in_a_notebook(open_in_notebook):
    page = open_in_notebook(recurrent_memory(40, 0.01).widget)
    driver = Driver(page)
    driver.root.get_by_role("button", name="RNN that latches").click()
    assert len(driver.ask("p.found.played")) == 40 and driver.ask("p.found.visible") == 39
    assert "all 40 frames" in driver.status
    page.evaluate("cleanup()")
