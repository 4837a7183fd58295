"""The guards themselves: each sees a fault that is planted on a page."""

import importlib.util
from pathlib import Path

import pytest

spec = importlib.util.spec_from_file_location("browser_pages", Path(__file__).with_name("test_pages.py"))
checks = importlib.util.module_from_spec(spec)
spec.loader.exec_module(checks)

START = "book/index.html"


@pytest.fixture
def page_and_log(visit):
    return visit(START)


def plant(page, html):
    page.evaluate("(html) => document.querySelector('article').insertAdjacentHTML('beforeend', html)", html)


@pytest.mark.parametrize(
    ("html", "rule"),
    [
        ('<p style="color:#999;background:#fff">pale words</p>', "color-contrast"),
        ('<img src="x.png">', "image-alt"),
        ("<button></button>", "button-name"),
    ],
)
def test_axe_sees_a_fault(page_and_log, html, rule):
    page, _ = page_and_log
    plant(page, html)
    assert any(line.startswith(rule) for line in checks.violations(page))


def test_sideways_scroll_is_seen(visit):
    page, _ = visit(START, "390-dark")
    assert page.evaluate(checks.SIDEWAYS) == []
    plant(page, '<div style="width:700px">wide</div>')
    assert page.evaluate(checks.SIDEWAYS)


def test_a_scroller_out_of_reach_is_seen(page_and_log):
    page, _ = page_and_log
    plant(page, '<div style="width:99px;overflow-x:auto"><div style="width:700px">wide</div></div>')
    # Chromium lets one tab into such a box; other browsers do not: it needs a tabindex of its own.
    assert page.evaluate(checks.UNREACHABLE)


def test_a_broken_picture_is_seen(page_and_log):
    page, log = page_and_log
    plant(page, '<img alt="A picture that is not there" src="not-there.png">')
    assert page.evaluate(checks.PICTURES) == ["not-there.png"]
    assert any("404" in error for error in log.errors)


def test_a_stranger_is_blocked_and_noted(page_and_log):
    page, log = page_and_log
    assert page.evaluate("fetch('https://example.org/').then(() => 'reached', () => 'blocked')") == "blocked"
    assert log.strangers == ["https://example.org/"]


def test_errors_of_scripts_are_noted(page_and_log):
    page, log = page_and_log
    page.evaluate("console.error('planted'); setTimeout(() => { throw new Error('thrown') })")
    page.wait_for_timeout(200)
    assert any("planted" in error for error in log.errors) and any("thrown" in error for error in log.errors)
