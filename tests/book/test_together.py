"""A formula keeps the comma behind it, a number its unit and its thousands, and no character of a page changes."""

import re

import pytest
import sepbook_together as rule
from built_pages import PAGES, soup

MATH = r'<span class="math notranslate nohighlight">\(x^2\)</span>'
BOX = '<span class="sepbook-together">'


@pytest.mark.parametrize("behind", [".", ",", " dB", "\nHz,", ")."])
def test_a_formula_is_held_with_what_follows_it(behind):
    assert rule.together(f"<p>by {MATH}{behind} More</p>") == f"<p>by {BOX}{MATH}{behind}</span> More</p>"


@pytest.mark.parametrize("behind", [" and", "-fold", " hertz", " samples"])
def test_a_formula_before_other_words_is_left_alone(behind):
    page = f"<p>{MATH}{behind}</p>"
    assert rule.together(page) == page


@pytest.mark.parametrize(("before", "after"), [("(", ")."), ("“", "”"), ("", "…"), ("[", "")])
def test_a_formula_is_held_with_the_marks_that_touch_it(before, after):
    text = f"step {before}{MATH}{after} and"
    assert rule.together(text) == f"step {BOX}{before}{MATH}{after}</span> and"


@pytest.mark.parametrize("number", ["16 000", "44 100", "1 234 567"])
def test_a_long_number_is_held(number):
    assert rule.together(f"<p>a rate of {number} Hz</p>") == f"<p>a rate of {BOX}{number}</span> Hz</p>"


@pytest.mark.parametrize(
    "page",
    [
        "<pre>16 000</pre>",
        '<img alt="16 000 Hz"/>',
        "<p><code>16 000</code></p>",
        "<script>x = '16 000'</script>",
        "<p>in 2026 1000 songs</p>",
        "<p>1,615 276</p>",
        "<p>step 16 0001</p>",
    ],
)
def test_code_attributes_and_other_numbers_are_left_alone(page):
    assert rule.together(page) == page


def test_the_text_of_a_page_stays_as_it_is():
    page = f"<h2>Of 16 000</h2><p>{MATH}, <b>44 100</b> {MATH} dB</p><pre>1 000</pre>"
    assert re.sub("<[^>]*>", "", rule.together(page)) == re.sub("<[^>]*>", "", page)


@pytest.mark.parametrize(
    ("name", "stays"),
    [("mixture", True), ("len(source_names)", True), ("a b " * 9, True), ("x" * 18, False), ("&lt;" * 17, True)],
)
def test_a_short_name_stays_whole(name, stays):
    code = f'<code class="docutils literal notranslate"><span class="pre">{name}</span></code>'
    assert ("sepbook-whole" in rule.together(code)) == stays


@pytest.mark.parametrize("name", PAGES)
def test_no_mark_touches_a_formula_that_is_not_held(built, name):
    for formula in soup(name).select("article span.math.notranslate"):
        behind = formula.next_sibling
        if isinstance(behind, str) and behind[:1] in tuple(".,;:!?)"):
            assert "sepbook-together" in formula.parent.get("class", []), formula.parent.get_text()[:200]
