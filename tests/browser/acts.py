"""What a reader does with what most pages hold: plays a player, folds and unfolds solutions. Each act asserts."""

TIME = "(e) => e.sepbookPlayer.time()"


def first_player(page):
    """Scroll to the first player of a page, wait until it is alive, and return it."""
    page.wait_for_selector(".sepbook-player button[data-action=play]")
    player = page.query_selector(".sepbook-player")
    player.scroll_into_view_if_needed()
    page.wait_for_function("(e) => 'sepbookPlayer' in e", arg=player)
    return player


def wait_for_time(page, player, seconds):
    """Wait until a player has come to this second."""
    page.wait_for_function(f"(e) => e.sepbookPlayer.time() >= {seconds}", arg=player, timeout=20_000)


def press_play(player):
    """Start or stop a player."""
    player.query_selector("button[data-action=play]").click()


def play_compare_and_stop(page):
    """Play the first player, change the version while it plays, stop it."""
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


def unfold_and_fold_solutions(page):
    """Unfold each solution with the mouse, and fold it with the keyboard."""
    for solution in page.query_selector_all("div.solution.dropdown"):
        button = solution.query_selector("button.toggle-button")
        text = solution.query_selector("section")
        assert not text.is_visible() and button.get_attribute("aria-expanded") == "false"
        button.click()
        assert text.is_visible() and button.get_attribute("aria-expanded") == "true"
        button.focus()
        page.keyboard.press("Enter")
        assert not text.is_visible()
