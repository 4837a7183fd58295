"""The listening tests on their page: a run of each by keyboard alone, blind, with what the page states about them."""

import csv
import io
import re

import pytest

PAGE = "book/evaluation/listening_test.html"
LIVE = "() => document.querySelectorAll('.sepbook-listening')[1]?.sepbookListening"
TRIAL = "([el, number]) => el.querySelector('.lt-progress')?.textContent.startsWith(`Trial ${number} `)"
STAGE = "([el, stage]) => el.sepbookListening.stage === stage"
# What X is, told by its samples: a listener with perfect ears.
EARS = """(el) => { const [a, x] = ["A", "X"].map((label) => el.sepbookListening.samples(label));
  return a.every((value, n) => value === x[n]) ? "A" : "B"; }"""
HIDDEN = """(el) => { const { samples } = el.sepbookListening, open = samples("reference");
  return [..."12345"].filter((label) => samples(label).every((value, n) => value === open[n])); }"""
SIDEWAYS = "document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth"


@pytest.fixture
def tests(visit, view):
    """Give page, log and the two tests, with nothing kept from before; keep nothing for those who come after."""
    page, log = visit(PAGE, view)
    page.evaluate("localStorage.clear()")
    page.reload()
    page.wait_for_function(LIVE)
    yield page, log, page.locator(".sepbook-listening").all()
    page.evaluate("localStorage.clear()")


def press(page, keys):
    for key in keys.split():
        page.keyboard.press(key)


def start(page, test):
    test.scroll_into_view_if_needed()
    test.locator("[data-action=start]").focus()
    press(page, "Enter")


def wait(page, script, test, value):
    page.wait_for_function(script, arg=[test.element_handle(), value])


def saved(page, test):
    """Return the rows of the file that *save as CSV* hands over."""
    with page.expect_download() as download:
        test.locator("[data-action=save]").click()
    text = download.value.path().read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(text)))


def test_abx_of_ten_trials_by_keyboard(tests):
    page, log, (test, _) = tests
    assert not [url for url, _ in log.fetched if url.endswith(".wav")]
    names = re.split(" or ", test.locator(".lt-choice label").first.inner_text())
    start(page, test)
    for number in range(1, 11):
        wait(page, TRIAL, test, number)
        shown = test.evaluate("(el) => el.outerHTML")
        assert not [word for word in (*names, "true source", ".wav") if word in shown]
        press(page, "a b x")
        press(page, "1 n" if test.evaluate(EARS) == "A" else "2 n")
    wait(page, STAGE, test, "result")
    assert "You were right in 10 of 10 trials." in test.inner_text() and "true source" in test.inner_text()
    assert len([url for url, _ in log.fetched if url.endswith(".wav")]) == 2
    rows = saved(page, test)
    assert [row["trial"] for row in rows] == [str(n) for n in range(1, 11)]
    assert {row["score"] for row in rows} == {"1"} and {row["of"] for row in rows} == {"10"}
    assert page.evaluate(SIDEWAYS) <= 0 and not log.errors and not log.strangers


def test_mushra_by_keyboard_and_clear(tests):
    page, log, (_, test) = tests
    start(page, test)
    for number in range(1, 4):
        wait(page, TRIAL, test, number)
        assert not [word for word in ("true source", "anchor", "mixture", "mask", ".wav") if word in test.inner_html()]
        (hidden,) = test.evaluate(HIDDEN)
        press(page, "r")
        for label in "12345":
            press(page, f"{label} End" if label == hidden else f"{label} PageUp PageUp ArrowRight")
        assert page.evaluate(SIDEWAYS) <= 0
        press(page, "n")
    wait(page, STAGE, test, "result")
    rows = saved(page, test)
    by_condition = {row["condition"]: [] for row in rows}
    for row in rows:
        by_condition[row["condition"]].append(int(row["score"]))
    assert by_condition.pop("true source") == [100] * 3 and set(map(tuple, by_condition.values())) == {(21, 21, 21)}
    assert set(by_condition) >= {"anchor", "ideal mask", "mixture"} and len(by_condition) == 4
    assert all(float(row["si_sdr"]) == 100 for row in rows if row["condition"] == "true source")
    clear = test.locator("[data-action=clear]")
    clear.click()
    clear.click()
    assert page.evaluate("localStorage.getItem('sepbook-listening')") is None
    assert page.evaluate(SIDEWAYS) <= 0 and not log.errors and not log.strangers
