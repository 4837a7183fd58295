"""The guards themselves: each sees a fault that is planted on a page."""

import importlib.util
from pathlib import Path

import pytest


def module(name):
    """Return a module of tests that stands beside this one."""
    spec = importlib.util.spec_from_file_location(f"browser_{name}", Path(__file__).with_name(f"test_{name}.py"))
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


checks, reading = module("pages"), module("reading")

START = "book/index.html"


@pytest.fixture
def page_and_log(visit):
    return visit(START)


def plant(page, html):
    page.evaluate("(html) => document.querySelector('article').insertAdjacentHTML('beforeend', html)", html)


def test_axe_sees_faults(page_and_log):
    page, _ = page_and_log
    plant(page, '<p style="color:#999;background:#fff">pale words</p><img src="x.png"><button></button>')
    rules = {line.partition(":")[0] for line in checks.violations(page)}
    assert rules >= {"color-contrast", "image-alt", "button-name"}


def test_axe_sees_one_pale_word_among_many_that_are_not(page_and_log):
    page, _ = page_and_log
    assert checks.violations(page) == []
    for pale in ("color: #999", "opacity: 0.4", "background: #555"):
        cells = [f"<td><b>word {n}</b></td>" for n in range(9)]
        cells[7] = f'<td style="{pale}"><b id="pale">pale word</b></td>'
        plant(page, f'<table class="planted"><tr>{"".join(cells)}</tr></table>')
        found = checks.violations(page)
        assert len(found) == 1 and "pale word" in found[0]
        page.evaluate("document.querySelector('.planted').remove()")


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


def test_a_picture_for_the_other_light_is_seen(page_and_log):
    page, _ = page_and_log
    plant(page, '<img class="only-dark" style="display:block !important" alt="A dark picture" src="dark.png">')
    assert len(page.evaluate(checks.WRONG_LIGHT)) == 1


def test_a_fold_that_does_not_open_is_seen(page_and_log):
    page, _ = page_and_log
    plant(page, "<details onclick='return false'><summary>stuck</summary>words</details>")
    assert "stuck" in page.evaluate(checks.STUCK)


def test_what_paper_would_cut_is_seen(page_and_log):
    page, _ = page_and_log
    before = len(page.evaluate(reading.CUT))
    plant(page, '<div style="overflow:auto;width:200px"><div style="width:500px">a box that scrolls</div></div>')
    plant(page, f'<pre style="overflow:auto;width:100px">{"code" * 40}</pre>')
    plant(page, "<details><summary>a fold</summary>words</details>")
    plant(page, '<div style="width:3000px">too wide</div>')
    assert len(page.evaluate(reading.CUT)) >= before + 4


def test_a_stranger_is_blocked_and_noted(page_and_log):
    page, log = page_and_log
    assert page.evaluate("fetch('https://example.org/').then(() => 'reached', () => 'blocked')") == "blocked"
    assert log.strangers == ["https://example.org/"]


def test_errors_of_scripts_are_noted(page_and_log):
    page, log = page_and_log
    with page.context.expect_event("weberror"):
        page.evaluate("console.error('planted'); setTimeout(() => { throw new Error('thrown') })")
    assert any("planted" in error for error in log.errors) and any("thrown" in error for error in log.errors)
