"""Docstrings become a reference: complete, well-formed, and linked with the pages that teach."""

import ast
import io
import re

import pytest
import sepbook_api
from book_sources import ROOT
from bs4 import BeautifulSoup
from docutils import nodes
from docutils.core import publish_doctree
from docutils.parsers.rst import roles

PACKAGE = ROOT / "sepbook"
API = (ROOT / "book" / "appendix" / "api.md").read_text(encoding="utf-8")
LISTED = re.findall(r"automodule:: (\S+)", API)
# These show through their package; or they are no library: the command line, and the answers to exercises.
PROGRAM = "sepbook.grading"  # for teachers, by the command line: see book/classroom/teaching
SHOWN_BY_PACKAGE = ("sepbook.audio.", "sepbook.shapes.", "sepbook.plots.")
NO_LIBRARY = ("sepbook.check", "sepbook.cli")


def documented():
    """Yield (module, kind and name, docstring) of everything that can be shown."""
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        if re.search(r"\._", name) or name.startswith(NO_LIBRARY):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node):
                yield name, getattr(node, "name", ""), ast.get_docstring(node)


DOCUMENTED = list(documented())


def test_every_public_module_is_in_the_reference_once():
    public = {module for module, name, _ in DOCUMENTED if name and not name.startswith("_")}
    public = {module for module in public if not module.startswith(SHOWN_BY_PACKAGE)}
    public |= {name[:-1] for name in SHOWN_BY_PACKAGE}
    public = {module for module in public if not module.startswith(PROGRAM)}
    assert sorted(LISTED) == sorted(public - {"sepbook"})


@pytest.fixture
def doc_role():
    """A stand-in for Sphinx's ``:doc:``."""
    roles.register_local_role("doc", lambda name, raw, text, *rest: ([nodes.inline(raw, text)], []))


@pytest.mark.parametrize("module", sorted({module for module, _, _ in DOCUMENTED}))
def test_docstrings_are_well_formed(module, doc_role):
    wrong = {}
    for where, name, text in DOCUMENTED:
        if where == module:
            lines, _ = sepbook_api.as_rst(text.splitlines())
            said = io.StringIO()
            tree = publish_doctree("\n".join(lines), settings_overrides={"warning_stream": said, "report_level": 2})
            if said.getvalue() or [n for n in tree.findall(nodes.Text) if re.search(r"`|Taught on", n)]:
                wrong[name or "module"] = said.getvalue() or "a backtick, or a page, is left over"
    assert not wrong


def test_every_listed_module_stands_in_a_block_of_its_own():
    """A fence too many turns all that follows it into text, without a warning."""
    fences = re.findall(r"^```(.*)$", API, re.M)
    assert all(fences[::2]) and not any(fences[1::2])


@pytest.mark.parametrize(
    ("text", "rst", "pages"),
    [
        ("Masks `(S, C)`. Taught on: book/a/b", "Masks ``(S, C)``.", ["a/b"]),
        ("One line. Taught on: book/a/b.", "One line.", ["a/b"]),
        ("Two words.\nTaught on: book/how_to_read", "Two words.", ["how_to_read"]),
        ("``x`` and `y` and :doc:`z`", "``x`` and ``y`` and :doc:`z`", []),
        ("|s|^p of name_ and `|t|`", r"\|s\|^p of name\_ and ``|t|``", []),
    ],
)
def test_prose_becomes_restructured_text(text, rst, pages):
    lines, found = sepbook_api.as_rst(text.splitlines())
    assert "\n".join(lines).strip() == rst and found == pages


def test_drawings_stay_as_they_are():
    text = ["Like `this`::", "", "    a | `b`", "", "    c_ ", "", "And `so` on."]
    lines, _ = sepbook_api.as_rst(text)
    assert lines == ["Like ``this``::", "", "    a | `b`", "", "    c_ ", "", "And ``so`` on.", ""]


REFERENCES = """
```{bibliography}
:style: plain
```

```{cited}
```
"""
TAUGHT = """
The {term}`loss` of {cite:t}`jansson2017singing`, and {cite:p}`leroux2019sdr,jansson2017singing`.
"""
GLOSSARY = """
```{glossary}
loss
  What training makes smaller. [Losses](../losses/spectrogram.md)
```
"""
MODULES = ("sepbook.losses.spectrogram", "sepbook.losses.waveform")
REFERENCE = "".join(f"\n## Part\n\n```{{eval-rst}}\n.. automodule:: {module}\n```\n" for module in MODULES)


@pytest.fixture(scope="module")
def book(tiny_of_module):
    """A book with one of the two pages that teach these modules, and an appendix; the reference is read first."""
    tiny = tiny_of_module
    tiny.page("index", "Cites {cite:p}`ioffe2015batch`.")
    tiny.page("appendix/api", REFERENCE)
    tiny.page("appendix/references", REFERENCES)
    tiny.page("appendix/glossary", GLOSSARY)
    tiny.page("losses/spectrogram", TAUGHT)
    status, printed = tiny.build()
    assert status == 0, printed[-3000:]
    return tiny


def soup(book, page):
    return BeautifulSoup(book.html(f"book/{page}"), "html.parser")


def test_docstring_links_to_the_page_that_teaches(book):
    entry = soup(book, "appendix/api").find(id="sepbook.losses.spectrogram.l1").parent
    assert entry.select_one("dd a.internal")["href"] == "../losses/spectrogram.html"
    assert "Taught on losses/spectrogram." in entry.text and "book/" not in entry.text
    assert "`" not in entry.text and entry.select("dd code.literal")


def test_long_signature_has_one_parameter_to_a_line(book):
    signature = soup(book, "appendix/api").find(id="sepbook.losses.waveform.si_sdr_loss")
    assert [line.text for line in signature.select(".sepbook-parameter")][0] == "estimates,"
    assert not signature.select("dl, dd"), "a list of definitions without terms"


def test_no_link_leads_to_a_page_that_is_not_there(book):
    entry = soup(book, "appendix/api").find(id="sepbook.losses.waveform.si_sdr").parent
    assert "Taught on" not in entry.text


def test_page_ends_with_links_to_what_it_teaches(book):
    section = soup(book, "losses/spectrogram").find(id="in-the-package")
    links = {a.text: a["href"] for a in section.select("li a")}
    assert links["l1"] == "../appendix/api.html#sepbook.losses.spectrogram.l1"
    assert section.select_one("li code").text == "sepbook.losses.spectrogram"
    count = len(section.select("details:not([open]) li a"))
    assert section.select_one("summary .sd-summary-text").text == f"{count} names that this page teaches"
    assert soup(book, "index").find(id="in-the-package") is None


def test_table_leads_from_each_work_to_its_pages(book):
    rows = [[cell for cell in row.select("td")] for row in soup(book, "appendix/references").select("tbody tr")]
    table = {key.text: (work, where) for work, key, where in rows}
    assert {key: where.text for key, (_, where) in table.items()} == {
        "ioffe2015batch": "index",
        "jansson2017singing": "losses/spectrogram",
        "leroux2019sdr": "losses/spectrogram",
    }
    work, where = table["leroux2019sdr"]
    assert work.text == "Le Roux et al., 2019" and where.a["href"] == "../losses/spectrogram.html"
    target = soup(book, "appendix/references").find(id=work.a["href"].removeprefix("#"))
    assert "half-baked" in target.text


def test_term_leads_to_the_glossary(book):
    term = soup(book, "losses/spectrogram").select_one("a .std-term").parent
    assert term["href"] == "../appendix/glossary.html#term-loss"
    assert soup(book, "appendix/glossary").find(id="term-loss")


def test_table_and_lists_follow_another_page_that_changes(book):
    book.page("losses/waveform", "Cites {cite:p}`leroux2019sdr`.")
    status, printed = book.build()
    assert status == 0, printed[-3000:]
    row = soup(book, "appendix/references").find("code", string="leroux2019sdr").find_parent("tr")
    assert row.select("td")[2].text == "losses/spectrogram, losses/waveform"
    assert soup(book, "losses/waveform").find(id="in-the-package")
    assert (
        "Taught on losses/waveform." in soup(book, "appendix/api").find(id="sepbook.losses.waveform.si_sdr").parent.text
    )


def test_a_page_whose_list_is_the_same_is_not_written_again(book):
    page = book.folder / "_build" / "html" / "book" / "losses" / "spectrogram.html"
    before = page.stat().st_mtime_ns
    book.page("index", "Cites {cite:p}`ioffe2015batch`, and says one word more.")
    status, printed = book.build()
    assert status == 0, printed[-3000:]
    assert "one word more" in book.html("book/index") and page.stat().st_mtime_ns == before
