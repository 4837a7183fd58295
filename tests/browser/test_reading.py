"""What a reader does on some page: solo, mute, change the light, search. What is done on each stands in acts.py."""

import re

from tests.browser.acts import assert_time_went_on, first_player, press_play, wait_for_time, watch_time

# Some rows are heard, others are not: gains glide, and a busy machine takes its time over it.
HEARD = """([e, heard, silent]) => { const gains = e.sepbookPlayer.gains();
    return heard.every((name) => gains[name] > 0.01) && silent.every((name) => gains[name] < 0.01); }"""


def test_there_are_players_and_solutions(pages_with):
    assert pages_with("sepbook-player") and pages_with("solution dropdown")


def test_solo_and_mute_switch_at_once_and_keep_the_time(visit):
    page, _ = visit("book/index.html", "390-dark")  # its player has stems
    player = first_player(page)
    for version in player.query_selector_all(".sp-versions label")[-1:]:
        version.click()  # one that has stems, not the mixture as a whole
    solos, mutes = (player.query_selector_all(f"button[data-action={kind}]") for kind in ("solo", "mute"))
    assert len(solos) == len(mutes) >= 2
    stem = solos[0].get_attribute("data-stem")
    press_play(player)
    wait_for_time(page, player, 0.2)
    before = watch_time(page, player)
    solos[0].click()
    assert solos[0].get_attribute("aria-pressed") == "true"
    others = [s.get_attribute("data-stem") for s in solos[1:]]
    page.wait_for_function(HEARD, arg=[player, [stem], others])
    solos[0].click()
    mutes[0].click()
    page.wait_for_function(HEARD, arg=[player, others, [stem]])
    assert_time_went_on(page, player, before)
    press_play(player)


def test_light_and_dark_change(visit):
    page, _ = visit("book/index.html")
    switch = page.query_selector(".theme-switch-button")
    themes = []
    for _ in range(3):
        switch.click()
        themes.append(page.evaluate("document.documentElement.dataset.theme"))
    assert set(themes) == {"light", "dark"}
    page.evaluate("localStorage.clear()")


def test_search_finds_a_page_without_a_server(visit):
    page, log = visit("search.html?q=mixture")
    summary = "#search-results .search-summary"  # the word may stand in the pages that are found, too
    try:
        page.wait_for_function(f"() => /finished/i.test(document.querySelector('{summary}')?.innerText ?? '')")
        assert re.search(r"[1-9]\d* page", page.inner_text(summary)) and not log.errors
    finally:
        page.evaluate("localStorage.clear()")  # else the pages that follow mark the word


def test_cheat_sheets_print_on_one_page_of_a4_each(visit):
    page, _ = visit("book/appendix/cheat_sheets.html")
    printed = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == len(page.query_selector_all(".sepbook-sheet")) == 5
    sizes = re.findall(rb"/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]", printed)
    assert {(round(float(wide)), round(float(high))) for wide, high in sizes} == {(595, 842)}  # points
