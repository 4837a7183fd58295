"""What a reader does on a page: play, solo, mute, compare, unfold, change the light, search."""

import re

TIME = "(e) => e.sepbookPlayer.time()"
GAINS = "(e) => e.sepbookPlayer.gains()"


def first_player(page):
    """Scroll to the first player of a page and wait until it is alive."""
    page.wait_for_selector(".sepbook-player button[data-action=play]")
    player = page.query_selector(".sepbook-player")
    player.scroll_into_view_if_needed()
    page.wait_for_function("(e) => 'sepbookPlayer' in e", arg=player)
    return player


def wait_for_time(page, player, seconds):
    page.wait_for_function(f"(e) => e.sepbookPlayer.time() >= {seconds}", arg=player, timeout=20_000)


def press_play(player):
    player.query_selector("button[data-action=play]").click()


def test_there_are_players_and_solutions(pages_with):
    assert pages_with("sepbook-player") and pages_with("solution dropdown")


def test_the_first_player_plays_stops_and_compares(player_page, visit):
    page, log = visit(player_page)
    player = first_player(page)
    assert player.evaluate(TIME) == 0
    press_play(player)
    wait_for_time(page, player, 0.3)
    labels = player.query_selector_all(".sp-versions label")
    if labels:  # compared at one time: the clock goes on
        before = player.evaluate(TIME)
        labels[-1].click()
        page.wait_for_timeout(300)
        assert before < player.evaluate(TIME) < before + 10
        assert player.evaluate("(e) => e.sepbookPlayer.version") == labels[-1].inner_text()
    press_play(player)
    stopped = player.evaluate(TIME)
    page.wait_for_timeout(200)
    assert player.evaluate(TIME) == stopped
    assert not log.errors and not log.strangers


def test_solo_and_mute_switch_at_once_and_keep_the_time(visit):
    page, _ = visit("book/index.html", "390-dark")  # its player has stems
    player = first_player(page)
    for version in player.query_selector_all(".sp-versions label")[-1:]:
        version.click()  # one that has stems, not the mixture as a whole
    solos, mutes = (player.query_selector_all(f"button[data-action={kind}]") for kind in ("solo", "mute"))
    assert len(solos) == len(mutes) >= 2
    stem = solos[0].get_attribute("data-stem")
    player.query_selector("button[data-action=play]").click()
    wait_for_time(page, player, 0.2)
    before = player.evaluate(TIME)
    solos[0].click()
    assert solos[0].get_attribute("aria-pressed") == "true"
    page.wait_for_timeout(300)
    gains = player.evaluate(GAINS)
    heard = {name for name, gain in gains.items() if gain > 0.01}
    assert stem in heard and not heard & {s.get_attribute("data-stem") for s in solos[1:]}
    solos[0].click()
    mutes[0].click()
    page.wait_for_timeout(300)
    assert player.evaluate(GAINS)[stem] < 0.01
    after = player.evaluate(TIME)
    assert before < after < before + 10  # the clock neither stopped nor started anew
    player.query_selector("button[data-action=play]").click()


def test_solutions_fold_and_unfold_by_mouse_and_by_keyboard(solution_page, visit):
    page, _ = visit(solution_page)
    for solution in page.query_selector_all("div.solution.dropdown"):
        button = solution.query_selector("button.toggle-button")
        text = solution.query_selector("section")
        assert not text.is_visible() and button.get_attribute("aria-expanded") == "false"
        button.click()
        assert text.is_visible() and button.get_attribute("aria-expanded") == "true"
        button.focus()
        page.keyboard.press("Enter")
        assert not text.is_visible()


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
    page.wait_for_function("() => /finished|found/i.test(document.querySelector('#search-results')?.innerText ?? '')")
    assert re.search(r"[1-9]\d* page", page.inner_text("#search-results")) and not log.errors
    page.evaluate("localStorage.clear()")  # else the pages that follow mark the word
