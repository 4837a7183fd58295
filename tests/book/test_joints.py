"""A formula keeps the comma behind it, and a short name in code stays whole."""

import pytest
import sepbook_joints as joints
from built_pages import PAGES, soup

FORMULA = r'<span class="math notranslate nohighlight">\(t\)</span>'


@pytest.mark.parametrize(("before", "after"), [("", ","), ("(", ")."), ("“", "”"), ("", "…")])
def test_a_formula_is_tied_to_the_marks_that_touch_it(before, after):
    text = f"step {before}{FORMULA}{after} and"
    assert joints.FORMULA.sub(joints.tied, text) == (
        f'step <span class="sepbook-tied">{before}{FORMULA}{after}</span> and'
    )


def test_a_formula_between_blanks_is_left_alone():
    text = f"step {FORMULA} and (more)"
    assert joints.FORMULA.sub(joints.tied, text) == text


@pytest.mark.parametrize(
    ("name", "stays"),
    [("mixture", True), ("len(source_names)", True), ("a b " * 9, True), ("x" * 18, False), ("&lt;" * 17, True)],
)
def test_a_short_name_stays_whole(name, stays):
    code = f'<code class="docutils literal notranslate"><span class="pre">{name}</span></code>'
    assert ("sepbook-whole" in joints.NAME.sub(joints.whole, code)) == stays


@pytest.mark.parametrize("name", PAGES)
def test_no_mark_touches_a_formula_that_is_not_tied(built, name):
    for formula in soup(name).select("article span.math.notranslate"):
        behind = formula.next_sibling
        if isinstance(behind, str) and behind[:1] in tuple(".,;:!?)"):
            assert "sepbook-tied" in formula.parent.get("class", []), formula.parent.get_text()[:200]
