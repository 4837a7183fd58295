"""What a reader does on some page: solo, mute, change the light, search. What is done on each stands in acts.py."""

import json
import re

import pytest

from tests.browser.acts import assert_time_went_on, first_player, press_play, wait_for_time, watch_time
from tests.browser.conftest import VIEWS, weight

# Some rows are heard, others are not: gains glide, and a busy machine takes its time over it.
HEARD = """([e, heard, silent]) => { const gains = e.sepbookPlayer.gains();
    return heard.every((name) => gains[name] > 0.01) && silent.every((name) => gains[name] < 0.01); }"""

# To the end of the page, one screen after the other, as a reader would.
DOWN = """async () => {
    const sheet = document.scrollingElement;
    for (let y = 0; y < sheet.scrollHeight; y += innerHeight / 2) {
        sheet.scrollTo({ top: y, behavior: "instant" });
        await new Promise((done) => setTimeout(done, 60));
    }
}"""


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


@pytest.mark.parametrize(
    ("opened", "most"), [("book/index.html", 1_000_000), ("book/first_separation.html", 2_200_000)]
)
def test_a_first_visit_fetches_little_and_nothing_of_the_other_mode(chromium, server, view, opened, most):
    """As it opens; then read from top to end, with a little more. Nothing is in the cache, nothing is played."""
    fetched = {}
    with chromium.new_context(**VIEWS[view]) as context:
        page = context.new_page()
        page.on("response", lambda answer: fetched.update({answer.url: weight(answer)}))
        page.goto(f"{server}/{opened}", wait_until="networkidle")
        first = sum(fetched.values())
        page.evaluate(DOWN)
        page.wait_for_load_state("networkidle")
        shown, hidden = (set(page.eval_on_selector_all(f"article img.only-{mode}", "all => all.map((e) => e.src)"))
                         for mode in (("light", "dark") if "light" in view else ("dark", "light")))  # fmt: skip
    assert shown <= set(fetched), "read to the end"
    assert not hidden & set(fetched) and first <= most and sum(fetched.values()) <= 1.05 * most


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


WORDS = 150  # the glossary has at least as many
# What Sphinx's search finds for a word, best first: [page, title, anchor].
FOUND = """(word) => { const [query, ...rest] = Search._parseQuery(word);
    return Search._performSearch(query, ...rest).map(([page, title, anchor]) => [page, title, anchor]).reverse(); }"""


@pytest.fixture
def search(visit):
    """Open the search page for a word, and wait for what it finds: ``search(word)`` -> page."""

    def searched(word):
        page, _ = visit(f"search.html?q={word}")
        finished = "() => /finished/i.test(document.querySelector('#search-results .search-summary')?.innerText ?? '')"
        page.wait_for_function(finished)
        page.evaluate("localStorage.clear()")  # else the pages that follow mark the word
        return page

    return searched


def test_for_words_of_the_glossary_the_page_that_teaches_them_is_first(search):
    page = search("mask")
    words = json.loads(page.text_content("#sepbook-teaches"))
    assert len(words) >= WORDS
    first = {word: page.evaluate(FOUND, word)[0][::2] for word, *_ in words}
    other = {word: [first[word], at] for word, *at in words if first[word] != at}
    assert not other
    upper = words[0][0].upper()
    assert page.evaluate(FOUND, upper)[0][0] == words[0][1]


def test_the_reference_comes_last_and_every_page_once_for_what_it_teaches(search):
    page = search("softmax")
    found = page.evaluate(FOUND, "softmax")
    places = [number for number, (name, *_) in enumerate(found) if name == "book/appendix/api"]
    assert places and places == list(range(len(found) - len(places), len(found)))
    assert len({tuple(each) for each in found}) >= len(found) - 1


def test_what_the_search_shows_of_a_page_is_its_own_text(search):
    page = search("mask")
    page.wait_for_selector("#search-results .context")
    shown = page.eval_on_selector_all("#search-results .context", "(all) => all.map((e) => e.textContent)")
    assert not [
        text for text in shown if re.search(r"Open issue|\.ipynb\s+\.pdf|Contents|Before you start|data-player", text)
    ]


def test_a_word_of_the_glossary_is_explained_where_it_stands(visit, pages_with, view):
    page, log = visit(pages_with("glossary.html#term-")[0], view)
    link = page.locator('article a[href*="glossary.html#term-"]').first
    here = page.url
    link.click()
    box = page.locator(".sepbook-word:popover-open")
    box.wait_for()
    assert len(box.inner_text().split()) > 8 and page.url == here
    assert box.get_attribute("role") == "dialog" and box.get_attribute("aria-label").startswith("Definition")
    inside = box.evaluate(
        """(e) => { const r = e.getBoundingClientRect();
          return [r.left, r.top, innerWidth - r.right, innerHeight - r.bottom]; }"""
    )
    assert min(inside) >= 0
    page.keyboard.press("Escape")
    page.wait_for_function("!document.querySelector('.sepbook-word:popover-open')")
    assert link.evaluate("(e) => e === document.activeElement") and not log.errors


def test_a_self_check_asks_for_a_decision_and_counts(visit, pages_with):
    page, log = visit(pages_with('id="check-yourself"')[0])
    section = page.locator("section[id^=check-yourself]")
    sentences = section.locator("details.sd-dropdown").count()
    rows = section.locator(".sepbook-decide")
    assert rows.count() == sentences >= 2 and not section.locator("details[open]").count()
    said = rows.first.get_by_role("button").first.inner_text()
    assert said in ("right", "I know why")
    for number, (then, told) in enumerate([("yes", 1), ("no", 1)], 1):
        row = rows.nth(number - 1)
        row.get_by_role("button", name=said).click()
        assert section.locator("details[open]").count() == number
        row.get_by_role("button", name=then).click()
        assert f"You said “{said}”" in row.inner_text()
        counted = f"Decided: {number} of {sentences}. As the answers say: {told}."
        assert section.locator("[role=status]").inner_text() == counted
    if sentences > 2:  # who unfolds without deciding is not asked any more, and not counted
        section.locator("details.sd-dropdown").nth(2).locator("summary").click()
        page.wait_for_function(f"document.querySelectorAll('.sepbook-decide').length === {sentences - 1}")
        assert section.locator("[role=status]").inner_text() == counted
    assert not log.errors


def test_the_page_that_is_read_is_in_sight_in_the_contents(visit, pages_with):
    deep = [name for name in pages_with('aria-current="page"') if name.startswith("book/")][-1]
    page, _ = visit(deep)
    page.wait_for_function(
        """() => { const here = document.querySelector('.sepbook-part [aria-current=page]').getBoundingClientRect();
          const box = document.querySelector('.bd-sidebar-primary').getBoundingClientRect();
          return here.height && here.top >= box.top && here.bottom <= Math.min(box.bottom, innerHeight); }"""
    )


# On paper nothing scrolls and nothing can be unfolded.
CUT = """() => {
  const aside = "mjx-container *, .visually-hidden, legend, svg";
  const seen = (e) => e.checkVisibility() && e.getBoundingClientRect().width && !e.closest(aside);
  const beyond = (e, inner) => inner.getBoundingClientRect().right > e.getBoundingClientRect().right + 2;
  const article = document.querySelector("article"), all = [...article.querySelectorAll("*")].filter(seen);
  const wide = all.filter((e) => beyond(article, e)).map((e) => `too wide: ${e.outerHTML.slice(0, 120)}`);
  const boxes = all.filter((e) => getComputedStyle(e).overflowX !== "visible" && e.scrollWidth > e.clientWidth + 1);
  const inside = (box) => [...box.querySelectorAll("*")].filter(seen);
  const holds = (box) => box.matches("pre, code") || inside(box).some((e) => beyond(box, e));
  const cut = boxes.filter(holds).map((e) => `cut: ${e.outerHTML.slice(0, 120)}`);
  const folded = [...article.querySelectorAll("details:not([open]):not(.sp-keys), .toggle-hidden")];
  return [...wide, ...cut, ...folded.map((e) => `folded: ${e.outerHTML.slice(0, 120)}`)];
}"""
PRINTED = ["index", "first_separation", "how_to_read", "foundations/hearing", "foundations/masks"]
PRINTED += ["building_blocks/convolution", "losses/waveform", "appendix/notation"]
PRINTED += ["architectures/unet", "training/loop", "training/optimization", "losses/clustering", "appendix/api"]
PRINTED += ["../notebooks/losses/clustering"]


@pytest.mark.parametrize("name", PRINTED)
def test_paper_shows_everything(visit, name):
    page, _ = visit(f"book/{name}.html", "390-dark")
    size = page.viewport_size
    try:
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        page.emulate_media(media="print")
        page.set_viewport_size({"width": 720, "height": 1000})  # A4 without its margins
        assert page.evaluate("document.documentElement.dataset.theme") == "light"
        assert page.evaluate(CUT) == []
        knobs = page.query_selector_all(".sepbook-shell :is(button, input[type=range])")
        assert not [knob for knob in knobs if knob.is_visible()]
    finally:
        page.emulate_media(media="screen")
        page.set_viewport_size(size)
        page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert not page.query_selector_all("article .sd-dropdown[open]")


def test_cheat_sheets_print_on_one_page_of_a4_each(visit):
    page, _ = visit("book/appendix/cheat_sheets.html")
    printed = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == len(page.query_selector_all(".sepbook-sheet")) == 5
    sizes = re.findall(rb"/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]", printed)
    assert {(round(float(wide)), round(float(high))) for wide, high in sizes} == {(595, 842)}  # points


def test_the_table_of_systems_is_sorted_and_narrowed(visit):
    page, log = visit("book/architectures/overview.html", "390-dark")

    def column(number):
        return page.eval_on_selector_all(
            f"table.sepbook-systems tbody tr:not([hidden]) td:nth-child({number})", "all => all.map((e) => e.innerText)"
        )

    everything = sorted(column(1))
    heads = page.query_selector_all("table.sepbook-systems th button")
    heads[5].click()
    sizes = [float(words) for words in column(6)]
    assert sizes == sorted(sizes) and sizes[0] < sizes[-1]
    heads[5].press("Enter")
    assert [float(words) for words in column(6)] == sorted(sizes, reverse=True), "once more turns the order"
    scores = [words for words in (heads[3].click(), column(4))[1] if words != "–"]
    assert column(4)[: len(scores)] == scores, "what has no score comes last"
    reads, separates = page.query_selector_all(".sepbook-systems-choices select")
    reads.select_option("samples")
    separates.select_option("talkers")
    assert set(column(2)) == {"samples"} and 0 < len(column(1)) < len(everything)
    assert page.inner_text(".sepbook-systems-choices output") == f"{len(column(1))} of {len(everything)} systems"
    for choice in (reads, separates):
        choice.select_option("")
    assert sorted(column(1)) == everything and not log.errors
