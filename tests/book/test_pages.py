"""What the source of every page and lab has to keep to (the page contract)."""

import json
import re
import sys

import pytest
import yaml
from book_sources import ROOT, labs, pages, sentences, text_of

sys.path.insert(0, str(ROOT / "book" / "_ext"))
from sepbook_sources import OPTIONS

WITHOUT_HEAD = ("book/index.md", "book/how_to_read.md", "book/classroom/", "book/appendix/")
CONTRACT = [name for name in pages() if not name.startswith(WITHOUT_HEAD)]

COUNT = r"(?:[kM]|thousand|million|billion)?\s*(?:parameters|weights|MACs|FLOPs)"
BARE = re.compile(rf"(?<![\w.$])[-−+]?\d[\d,.]*\s*(?:dB|ms|µs|kB|MB|GB|{COUNT})(?!\w)")
PATH_LIKE = re.compile(r"\.(png|svg|jpe?g|gif|webp)\b|/|^[0-9a-f]{8,}$", re.IGNORECASE)
HEAD = re.compile(r"^(`{3,}|:{3,})\{admonition\}[^\n]*\n:class: sepbook-head\n(.*?)^\1\s*$", re.M | re.S)


@pytest.mark.parametrize("name", pages() + labs())
def test_measured_numbers_are_not_typed_into_prose(name):
    bare = [s for s in sentences(text_of(name)) if BARE.search(s) and "{cite}" not in s]
    assert not bare, "measure it in a cell, print it with {result}, cite its source, or define it in code or $…$"


@pytest.mark.parametrize(
    "text", ["It gains 10.8 dB.", "With 5 M parameters it", "It takes 3 ms.", "(9,823,313 weights)"]
)
def test_the_rule_sees_a_bare_number(text):
    assert any(BARE.search(s) for s in sentences(text))
    assert any(BARE.search(s) for s in sentences(f"```{{note}}\n:class: x\n{text}\n```"))


HARMLESS = ["$-20$ dB", "{result}`u.json:x|.1f dB`", "`5 ms`", "```python\nx = '3 ms'\n```", "48 dBFS", "16 filters"]


@pytest.mark.parametrize("text", HARMLESS)
def test_the_rule_lets_pass_what_is_no_measurement(text):
    assert not any(BARE.search(s) for s in sentences(text))


def test_a_citation_covers_its_own_sentence_only():
    found = list(sentences("They report 11 dB {cite:p}`x2017`. We get 9 dB."))
    assert ["{cite}" in s for s in found if BARE.search(s)] == [True, False]


@pytest.mark.parametrize("name", CONTRACT)
def test_head_names_prerequisites_minutes_and_three_goals(name):
    before_sections = re.split(r"^## ", text_of(name), maxsplit=1, flags=re.MULTILINE)[0]
    block = HEAD.search(before_sections)
    assert block, "the head is an {admonition} with `:class: sepbook-head` before the first section"
    head = block[2]
    needs = re.search(r"^Prerequisites\n:\s+(.+?)\n\n", head, re.M | re.S)
    assert needs, "the head has a term `Prerequisites`, then `: ` and links"
    assert "](" in needs[1] or "none" in needs[1].lower(), "prerequisites are links, or none"
    assert re.search(r"\b(\d+|[a-z-]+) minutes\b", head), "the head says how many minutes the page takes"
    assert len(re.findall(r"^(?::)?\s+(?:\d\.|[-*])\s", head, re.M)) == 3, "the head lists three goals"


@pytest.mark.parametrize("name", pages())
def test_every_exercise_has_a_folded_solution(name):
    text = text_of(name)
    labels = re.findall(r"\{exercise(?:-start)?\}[^\n]*\n(?::class:[^\n]*\n)?:label: (\S+)", text)
    assert len(labels) == len(re.findall(r"\{exercise(?:-start)?\}", text)), "every exercise has a label"
    for label in labels:
        solution = rf"\{{solution(?:-start)?\}} {re.escape(label)}\n:class: dropdown"
        assert re.search(solution, text), f"{label} has no solution with `:class: dropdown`"


REMEMBER = re.compile(r"^(`{3,}|:{3,})\{admonition\} To remember\n(?::class: tip\n)?\n?(.*?)^\1\s*$", re.M | re.S)
# These are being rewritten and have no box yet: the name goes when the box comes.
WITHOUT_BOX = {f"book/architectures/{name}.md" for name in ("keras_sketch", "unet")}


def lines_to_remember(text):
    """Return the points of a page's box, and whether they stand in its last sections; None where there is no box."""
    found = list(REMEMBER.finditer(text))
    if len(found) != 1:
        return None
    points = [point for point in re.split(r"^- ", found[0][2], flags=re.M)[1:] if point.strip()]
    after = re.findall(r"^## (.*)$", text[found[0].end() :], re.M)
    return points, set(after) <= {"To read", "The lab", "One of your own"}


@pytest.mark.parametrize("name", [name for name in CONTRACT if not name.endswith("/recap.md")])
def test_a_page_ends_with_what_to_remember_in_at_most_five_lines(name):
    box = lines_to_remember(text_of(name))
    if name in WITHOUT_BOX:
        assert box is None, "it has a box now: take its name out of WITHOUT_BOX"
        return
    assert box, "the page has one {admonition} To remember, with a list"
    points, at_the_end = box
    assert 3 <= len(points) <= 5 and at_the_end
    assert max(len(" ".join(point.split())) for point in points) <= 160, "a line to remember is a line"


@pytest.mark.parametrize("name", [name for name in CONTRACT if name.endswith("/recap.md")])
def test_a_recap_is_what_its_chapter_has_said(name):
    assert "\n## To remember\n" in text_of(name)


@pytest.mark.parametrize(
    ("box", "said"),
    [
        ("```{admonition} To remember\n- one\n- two\n  more\n```\n", (2, True)),
        (":::{admonition} To remember\n:class: tip\n\n- one\n:::\n## To read\n", (1, True)),
        ("```{admonition} To remember\n- one\n```\n## Hear it\n", (1, False)),
        ("```{note}\n- one\n```\n", None),
    ],
)
def test_how_a_box_is_read(box, said):
    found = lines_to_remember(f"# Page\n\n{box}")
    assert (found and (len(found[0]), found[1])) == said


def words_for_pictures(text):
    """Return the alternative texts of a page: of Markdown and HTML images, directives and executed cells."""
    patterns = [
        r"!\[([^\]]*)\]\(",
        r"^\s*:alt:(.*)$",
        r"<img\b[^>]*?alt=[\"']([^\"']*)",
        r"^\s*alt: [\"']?(.*?)[\"']?$",
    ]
    return [words.strip() for pattern in patterns for words in re.findall(pattern, text, re.MULTILINE)]


@pytest.mark.parametrize("name", pages() + labs())
def test_pictures_have_words_for_those_who_do_not_see_them(name):
    text = text_of(name)
    assert not [alt for alt in words_for_pictures(text) if len(alt.split()) < 4 or PATH_LIKE.search(alt)]
    asked = len(re.findall(r"\{(?:image|figure)\}", text))
    assert len(re.findall(r"^\s*:alt:", text, re.MULTILINE)) >= asked, "an {image} or {figure} has no :alt:"


STATEMENT = re.compile(r'^```\{dropdown\} "[^\n]*"\n((?:(?!```).*\n)+)```', re.M)
VERDICT = re.compile(r"(It holds|True)|(It does not hold|False)")


def verdicts(name):
    """Return of each statement of a page's self-check whether it holds."""
    section = re.split(r"^## ", text_of(name).partition("\n## Check yourself\n")[2], maxsplit=1, flags=re.M)[0]
    found = [VERDICT.match(answer) for answer in STATEMENT.findall(section)]
    assert all(found), "an answer begins with its verdict"
    return [bool(verdict[1]) for verdict in found]


CHECKED = [name for name in CONTRACT if "\n## Check yourself\n" in text_of(name)]


@pytest.mark.parametrize("name", CHECKED)
def test_a_self_check_has_true_statements_among_the_false(name):
    found = verdicts(name)
    assert len(found) == 5 and set(found) == {True, False}
    assert re.search(r"\n## Check yourself\n\nFive statements\. .*Decide", text_of(name))


def test_self_checks_cannot_be_guessed():
    """Whoever says "no" to all, or goes by the place, is right about as often as by tossing a coin."""
    found = [verdicts(name) for name in CHECKED]
    for place in (*zip(*found, strict=True), sum(found, [])):
        assert 0.2 <= sum(place) / len(place) <= 0.7


PYTHON = re.compile(r"^```python\n(.*?)^```", re.M | re.S)
WIDEST = 88  # characters of a line of code that is read without scrolling
HIDDEN = re.compile(r"(?:hide|remove)-(?:input|cell)")


def shown_code(text):
    """Yield the code that a page shows at once: its cells but for those that are folded."""
    for cell in re.finditer(r"^(`{3,})\{code-cell\}[^\n]*\n(.*?)^\1\s*$", text, re.M | re.S):
        options = OPTIONS.match(cell[2])
        if not (options and HIDDEN.search(options[0])):
            yield OPTIONS.sub("", cell[2])


def lab_code(name):
    """Yield the code of a lab: its cells, and the solutions in its words."""
    for cell in json.loads((ROOT / name).read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        yield from (
            [source] if cell["cell_type"] == "code" else re.findall(r"^```python\n(.*?)^```", source, re.M | re.S)
        )


@pytest.mark.parametrize("name", pages() + labs())
def test_code_that_is_shown_fits_its_column(name):
    code = lab_code(name) if name in labs() else shown_code(text_of(name))
    wide = [line for block in code for line in block.splitlines() if len(line) > WIDEST]
    assert not wide


def listed(node):
    """Return the files that a part of the table of contents names."""
    if isinstance(node, list):
        return [name for item in node for name in listed(item)]
    if not isinstance(node, dict):
        return []
    return [node[key] for key in ("root", "file") if key in node] + listed(list(node.values()))


def test_contents_list_every_page_and_every_lab_once():
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    assert sorted(listed(contents)) == sorted(name.rpartition(".")[0] for name in pages() + labs())


@pytest.mark.parametrize("name", labs())
def test_each_lab_is_reached_by_a_card(name):
    lab = name.removeprefix("notebooks/").removesuffix(".ipynb")
    assert any(re.search(rf"\{{lab\}} {re.escape(lab)}\s*$", text_of(page), re.MULTILINE) for page in pages())
