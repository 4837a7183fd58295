"""The listening tests in a browser: blind, by keyboard alone, at one place; what is kept, saved and cleared."""

import collections
import json

import numpy as np
import pytest
import torch

from sepbook.evaluation import answers, listening
from sepbook.widgets.listening_test import abx, mushra
from tests.widgets.driver import WidgetDriver

pytestmark = pytest.mark.slow  # real processes: `make test` runs them, `make check` does not

RATE = 16000
NAMES = ("honest truth", "careful mask", "hasty network")
SONGS = ("first song", "second song")


def noise(seed):
    return 0.1 * torch.randn(1, RATE, generator=torch.Generator().manual_seed(seed))


def sounds(seed=0):
    return {name: noise(seed + k) for k, name in enumerate(NAMES)}


def pairs():
    one = sounds(20)
    return {"easy, one": {name: one[name] for name in NAMES[:2]}, "hard": {name: one[name] for name in NAMES[1:]}}


@pytest.fixture(scope="module")
def element(site):
    """Give both tests, one below the other, as the book's build writes them."""
    static = site[0] / "_static"
    folders = {"audio": static / "audio", "figures": static / "figures"}
    items = {song: sounds(10 * k) for k, song in enumerate(SONGS)}
    scores = {song: dict(zip(NAMES, (100.0, 9.5, -1.25), strict=True)) for song in SONGS}
    two = abx(pairs(), RATE, "Which", 4), mushra(items, RATE, "How good", scores)
    return "".join(test.html(**folders) for test in two)


class Driver(WidgetDriver):
    """One of the two tests, worked by keyboard alone."""

    name = "listening"

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)

    def begin(self, *labels):
        """Choose by label, then start; wait for the first trial."""
        for label in labels:
            self.root.get_by_label(label, exact=True).focus()
            self.press("Space")
        self.root.get_by_role("button", name="Start").focus()
        self.press("Enter")
        self.wait_for_trial(1)

    def wait_for_trial(self, number):
        self.page.wait_for_function(
            "([el, number]) => el.querySelector('.lt-progress')?.textContent.startsWith(`Trial ${number} `)",
            arg=[self.root.element_handle(), number],
        )

    def samples_of(self, label):
        return self.samples(f"p.samples({json.dumps(label)})")

    def right(self):
        """Return what X is, by comparing its samples."""
        x = self.samples_of("X")
        found = [label for label in "AB" if np.array_equal(self.samples_of(label), x)]
        assert len(found) == 1
        return found[0]

    def run_abx(self, trials, truthful=True):
        for number in range(1, trials + 1):
            self.wait_for_trial(number)
            self.press("a", "b", "x", "1" if (self.right() == "A") == truthful else "2", "n")
        self.wait("p.stage === 'result'")

    def kept(self):
        return json.loads(self.page.evaluate("localStorage.getItem('sepbook-listening')") or "[]")

    def save(self, folder):
        """Press *save as CSV* and return the file."""
        with self.page.expect_download() as download:
            self.root.get_by_role("button", name="save as CSV").click()
        download.value.save_as(folder / download.value.suggested_filename)
        return folder / download.value.suggested_filename


@pytest.fixture
def both(open_page, element):
    """Open a page on which both tests live and nothing is kept: ``both()`` -> the two drivers."""

    def opened(**options):
        page = open_page(element, **options)
        page.evaluate("localStorage.clear()")
        page.reload()
        return Driver(page, 0), Driver(page, 1)

    return opened


DRAW = """async ({ kind, times }) => {
  const { abxTrials, mushraTrials } = await import("/_static/widgets/listening_test_trials.js");
  const sounds = ["a", "b", "c", "d"].map((name) => ({ name }));
  const items = ["i", "j", "k"].map((name) => ({ name, sounds }));
  const say = ({ item, sounds }) => [item.name, ...[...sounds].map(([label, { name }]) => `${label}${name}`)].join(" ");
  return Array.from({ length: times }, () =>
    kind === "abx" ? abxTrials({ name: "i", sounds: sounds.slice(0, 2) }, 3).map(say) : mushraTrials(items).map(say));
}"""


def test_what_x_is_is_drawn_anew_for_each_trial_and_all_series_are_alike(open_page):
    drawn = open_page("").evaluate(DRAW, {"kind": "abx", "times": 3200})
    assert all(len({trial[:7] for trial in run}) == 1 for run in drawn)  # A and B stay within a run
    count = collections.Counter((run[0][3], *(trial[-1] for trial in run)) for run in drawn)
    assert len(count) == 16  # what A is, and X three times
    assert all(120 < times < 290 for times in count.values())  # 200 expected, scatter 14


def test_order_of_trials_and_of_sounds_is_drawn(open_page):
    drawn = open_page("").evaluate(DRAW, {"kind": "mushra", "times": 2400})
    order = collections.Counter("".join(trial[0] for trial in run) for run in drawn)
    assert len(order) == 6 and all(300 < times < 500 for times in order.values())
    sounds = collections.Counter(trial.partition("1")[2] for run in drawn for trial in run)
    assert len(sounds) == 24 and all(200 < times < 400 for times in sounds.values())
    assert all("referencea" in trial for run in drawn for trial in run)


def test_guessing_is_pythons(open_page):
    asked = [(right, trials) for trials in (1, 5, 10, 16, 100) for right in {0, 1, trials // 2, trials}]
    code = """async (asked) => {
      const { guessing } = await import("/_static/widgets/listening_test_trials.js");
      return asked.map(([right, trials]) => guessing(right, trials)); }"""
    found = open_page("").evaluate(code, asked)
    assert found == pytest.approx([listening.guessing(*pair) for pair in asked], rel=1e-9)


def test_abx_by_keyboard_from_the_first_choice_to_the_file(both, tmp_path):
    test, other = both()
    test.begin("hard", "5 trials")
    test.run_abx(5)
    said = test.root.inner_text()
    assert "You were right in 5 of 5 trials." in said and "5 or more of 5 right in 3.1 %" in said
    assert all(name in said for name in NAMES[1:]) and NAMES[0] not in said
    test.root.get_by_role("button", name="another run").focus()
    test.press("Enter")
    test.begin("easy, one", "4 trials")
    test.run_abx(4, truthful=False)
    assert "You were right in 0 of 4 trials." in test.root.inner_text()
    read = answers.read(test.save(tmp_path))
    assert not read.aside and {row.test for row in read.rows} == {"abx"}
    scores = read.table("item")
    assert scores == {"hard": [1.0] * 5, "easy, one": [0.0] * 4}
    assert len({row.run for row in read.rows}) == 2 and len({row.listener for row in read.rows}) == 1
    assert {row.condition for row in read.rows if row.item == "hard"} <= set(NAMES[1:])
    assert "2 runs with 9 answers" in other.root.inner_text()


def test_mushra_by_keyboard_from_start_to_file(both, tmp_path):
    _, test = both()
    test.begin()
    for number in (1, 2):
        test.wait_for_trial(number)
        reference = test.samples_of("reference")
        hidden = next(label for label in "123" if np.array_equal(test.samples_of(label), reference))
        assert len({test.samples_of(label).tobytes() for label in "123"}) == 3
        test.press("n")
        assert test.status == "Not heard yet: reference, 1, 2, 3."
        test.press("r", "1", "2", "3", "n")
        assert test.status == "Not rated yet: 1, 2, 3."
        for label in "123":
            test.press(label, *(["End"] if label == hidden else ["PageUp", "ArrowRight", "ArrowRight"]))
        test.press("n")
    test.wait("p.stage === 'result'")
    assert "You rated the hidden reference 90 or more each time." in test.root.inner_text()
    head, *rows = [line.split("\t") for line in test.root.locator("tr").all_inner_texts()]
    assert set(head[2:]) == set(SONGS) and rows[0] == [NAMES[0], "100.0", "100", "100"] and len(rows) == 3
    read = answers.read(test.save(tmp_path))
    assert not read.aside and read.table("condition") == {NAMES[0]: [100] * 2, NAMES[1]: [12] * 2, NAMES[2]: [12] * 2}
    assert read.table("condition", value="si_sdr") == {NAMES[0]: [100] * 2, NAMES[1]: [9.5] * 2, NAMES[2]: [-1.25] * 2}
    assert {row.item for row in read.rows} == set(SONGS)


def test_while_a_run_lasts_nothing_on_the_page_tells_which_is_which(both, site):
    test, other = both()
    files = [path.name for path in (site[0] / "_static" / "audio").iterdir()]
    for driver in (test, other):
        driver.begin()
        shown = driver.root.evaluate("(el) => el.outerHTML")
        told = [word for word in (*NAMES, *SONGS, "easy", "hard", *files, ".wav", "http") if word in shown]
        assert not told and "Trial 1" in shown
    script = "document.documentElement.outerHTML.replace(/<noscript>.*?<\\/noscript>/gs, '')"
    assert not [word for word in NAMES if word in test.page.evaluate(script)]


def test_what_is_fetched_and_in_which_order_does_not_depend_on_the_draw(both):
    fetched = "performance.getEntriesByType('resource').map((e) => e.name).filter((name) => name.endsWith('.wav'))"
    orders = set()
    for _ in range(4):
        test, _ = both()
        assert test.page.evaluate(fetched) == []
        test.begin()
        test.run_abx(4)
        orders.add(tuple(test.page.evaluate(fetched)))
    assert len(orders) == 1 and len(orders.pop()) == 2  # X has no file of its own


def test_a_switch_keeps_the_place_and_leaves_one_sound(both):
    test, _ = both()
    test.begin()
    test.press("a")
    test.wait("p.time > 0.2")
    for label in "bxa":
        before = test.ask("p.time")
        test.press(label)
        test.wait(f"p.gains().{label.upper()} > 0.999 && p.playing")
        assert (test.ask("p.time") - before) % 1 < 0.9  # it went on, and may have begun the loop anew
        gains = test.ask("p.gains()")
        assert sum(gains.values()) == pytest.approx(1, abs=0.01)
        pressed = test.root.locator("[aria-pressed=true]").all_inner_texts()
        assert pressed == [label.upper()]
    test.press("Space")
    test.wait("!p.playing")
    stopped = test.ask("p.time")
    test.press("Space")
    test.wait("p.playing")
    assert (test.ask("p.time") - stopped) % 1 < 0.5
    test.let_others_play()
    assert test.ask("p.playing") is False


def test_an_answer_counts_once_however_often_next_is_pressed(both):
    test, _ = both()
    test.begin()
    test.press("a", "b", "x", "1", "n", "n", "n")
    test.wait_for_trial(2)
    assert test.status in ("", "Not heard yet: A, B, X.") and len(test.kept()[0]["rows"]) == 1


def test_a_run_that_is_given_up_stays_as_unfinished(both, tmp_path):
    test, _ = both()
    test.begin()
    test.press("a", "b", "x", "2", "n")
    test.wait_for_trial(2)
    test.root.get_by_role("button", name="give up").click()
    assert test.status == "The trials so far are kept, as an unfinished run." and test.ask("p.stage") == "setup"
    read = answers.read(test.save(tmp_path))
    assert read.rows == [] and len(read.aside) == 1 and "only 1 of 4 trials were answered" in read.aside[0]


def test_clear_asks_twice_and_forgets_all(both):
    test, other = both()
    test.begin()
    test.run_abx(4)
    clear = test.root.get_by_role("button", name="clear")
    clear.click()
    assert "Press again" in test.status and len(test.kept()) == 1
    clear.click()
    assert test.page.evaluate("localStorage.length") == 0
    assert "No answers yet" in test.root.inner_text() and "No answers yet" in other.root.inner_text()


def test_answers_and_code_are_there_again_when_the_page_is_opened_again(both):
    test, other = both()
    field = test.root.get_by_label("Your code")
    field.fill("group 7, Ada!")
    assert field.input_value() == "group7Ada" == other.root.get_by_label("Your code").input_value()
    test.begin()
    test.run_abx(4)
    test.page.reload()
    again = Driver(test.page, 1)
    assert "1 run with 4 answers" in again.root.inner_text()
    assert again.root.get_by_label("Your code").input_value() == again.kept()[0]["listener"] == "group7Ada"


def test_a_browser_that_keeps_nothing_says_so_and_still_saves(both, tmp_path):
    test, _ = both()
    test.page.evaluate("() => { Storage.prototype.setItem = () => { throw new Error('refused'); }; }")
    test.begin()
    test.run_abx(4)
    assert "save them before you leave the page" in test.root.inner_text()
    assert len(answers.read(test.save(tmp_path)).rows) == 4


def test_sounds_that_are_missing_are_reported(open_page, element):
    page = open_page(element.replace(".wav", "-gone.wav"), expect_errors=True)
    driver = Driver(page)
    driver.root.get_by_role("button", name="Start").click()
    driver.root.locator("[role=status]", has_text="could not be loaded").wait_for()
    assert driver.ask("p.stage") == "setup"


@pytest.mark.parametrize("look", ["1280 light", "390 dark", "320 light"], indirect=True)
def test_each_stage_fits_and_axe_finds_nothing(both, look):
    test, other = both(**look)
    test.assert_it_fits_and_axe_finds_nothing()
    for driver in (test, other):
        driver.begin()
        driver.root.locator("summary").click()
        driver.press("1")
    test.assert_it_fits_and_axe_finds_nothing()
    test.root.get_by_role("button", name="give up").click()
    test.begin()
    test.run_abx(4)
    test.assert_it_fits_and_axe_finds_nothing()


def test_everything_is_reached_by_tab_and_focus_is_seen(both):
    _, test = both()
    test.begin()
    test.press("r")
    reached = []
    for _ in range(11):
        test.press("Tab")
        reached.append(test.page.evaluate("document.activeElement.dataset.action ?? document.activeElement.tagName"))
        assert test.page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert reached == ["hear", "play", *["hear", "rate"] * 3, "next", "stop", "SUMMARY"]


def test_with_reduced_motion_the_bar_moves_in_steps(both):
    test, _ = both(reduced_motion="reduce")
    test.begin()
    test.press("a")
    test.wait("p.playing")
    moves = test.run("""let moves = 0;
      const seen = new MutationObserver(() => moves++);
      seen.observe(el.querySelector(".lt-root"), { attributes: true, attributeFilter: ["style"] });
      await new Promise((done) => setTimeout(done, 1000));
      return moves;""")
    assert moves <= 5


def test_without_javascript_the_sounds_stand_under_their_names(open_page, element):
    page = open_page(element, java_script_enabled=False)
    assert page.locator("audio[controls][preload=none]").count() == 10
    assert "needs JavaScript" in page.locator(".lt-words").first.text_content()


def test_the_same_module_lives_in_a_notebook(open_in_notebook):
    page = open_in_notebook(abx(pairs(), RATE, trials=2).widget)
    page.evaluate("try { localStorage.clear() } catch {}")
    driver = Driver(page)
    driver.begin()
    driver.run_abx(2)
    assert "You were right in 2 of 2 trials." in driver.root.inner_text()
    page.evaluate("cleanup()")
