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
    page.wait_for_function(f"(e) => e.sepbookPlayer.time() >= {seconds}", arg=player)


def watch_time(page, player):
    """Note the player's time again and again from now on; return it."""
    page.evaluate("(e) => { window.times = []; setInterval(() => times.push(e.sepbookPlayer.time()), 10); }", player)
    return player.evaluate(TIME)


def assert_time_went_on(page, player, before):
    """The clock runs past ``before``, however long a busy machine takes, and never went back."""
    page.wait_for_function(f"(e) => e.sepbookPlayer.time() > {before}", arg=player)
    times = page.evaluate("times")
    assert times == sorted(times)


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
        before = watch_time(page, player)
        labels[-1].click()
        page.wait_for_function("([e, name]) => e.sepbookPlayer.version === name", arg=[player, labels[-1].inner_text()])
        assert_time_went_on(page, player, before)
    player.query_selector("button[data-action=loop]").click()  # else a short sound ends before a busy machine stops it
    if not player.evaluate("(e) => e.sepbookPlayer.playing"):
        press_play(player)
        wait_for_time(page, player, 0.1)
    press_play(player)
    stopped = player.evaluate(TIME)
    page.wait_for_timeout(200)
    assert player.evaluate(TIME) == stopped


def unfold_and_fold_solutions(page):
    """Unfold each solution with the mouse, and fold it with the keyboard."""
    for solution in page.query_selector_all("div.solution.dropdown"):
        button = solution.query_selector("button.toggle-button")
        text = solution.query_selector("section")
        solution.evaluate("e => { for (let d = e; (d = d.parentElement.closest('details')); ) d.open = true; }")
        assert not text.is_visible() and button.get_attribute("aria-expanded") == "false"
        button.click()
        assert text.is_visible() and button.get_attribute("aria-expanded") == "true"
        button.focus()
        page.keyboard.press("Enter")
        assert not text.is_visible()
