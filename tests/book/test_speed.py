"""One style sheet for each page, in the order of the many; scripts wait until the page has been read."""

import re

import pytest
import sepbook_speed as speed
from built_pages import HTML, PAGES, soup
from sphinx.builders.html._assets import _JavaScript

HEAD = '<html><head>\n  <link rel="stylesheet" href="{up}_static/a.css?v=1" />\n<link href="{up}_static/sub/b.css" rel="stylesheet" />\n</head><body><link rel="stylesheet" href="own.css"></body></html>'  # noqa: E501


@pytest.fixture
def folder(tmp_path):
    static = tmp_path / "_static"
    (static / "sub").mkdir(parents=True)
    (tmp_path / "book").mkdir()
    (static / "a.css").write_text('@charset "UTF-8";\n/* why */ @import "base.css";\n.a { color: red }')
    (static / "base.css").write_text(".base { background: url(file.png) }")
    (static / "sub" / "b.css").write_text('.b { background: url("x.png?y") url(data:,z) url("#c") }')
    (tmp_path / "index.html").write_text(HEAD.format(up=""))
    (tmp_path / "book" / "page.html").write_text(HEAD.format(up="../"))
    return tmp_path


def test_style_sheets_become_one_in_their_order(folder):
    speed.join(folder)
    sheet = (folder / "_static" / "book.css").read_text()
    assert re.findall(r"\.(base|a|b) \{", sheet) == ["base", "a", "b"]
    assert "@import" not in sheet and "@charset" not in sheet and "why" not in sheet
    assert re.findall(r"url\([^)]*\)", sheet) == ['url("file.png")', 'url("sub/x.png")', "url(data:,z)", 'url("#c")']
    for name, up in (("index.html", ""), ("book/page.html", "../")):
        head, _, body = (folder / name).read_text().partition("</head>")
        assert re.findall(r'href="([^"?]*)', head) == [f"{up}_static/book.css"] and "own.css" in body


def test_a_page_of_an_earlier_build_is_given_the_new_version(folder):
    speed.join(folder)
    before = (folder / "index.html").read_text()
    speed.join(folder)
    assert (folder / "index.html").read_text() == before, "nothing new, nothing changed"
    (folder / "_static" / "sub" / "b.css").write_text(".new { color: blue }")
    (folder / "book" / "page.html").write_text(HEAD.format(up="../").replace("a.css", "sub/b.css"))
    speed.join(folder)
    versions = [re.search(r"book\.css\?v=(\w+)", page.read_text())[1] for page in sorted(folder.rglob("*.html"))]
    assert len(set(versions)) == 1 and versions[0] not in before
    assert ".base" in (folder / "_static" / "book.css").read_text(), "what the other page needs is still there"


def waiting(*scripts, page="book/index"):
    context = {"script_files": list(scripts), "js_tag": lambda js: f'<script src="../_static/{js.filename}"></script>'}
    speed.wait(None, page, "page.html", context, None)
    return context["script_files"]


def test_scripts_wait_and_mathematics_comes_after_the_first_picture():
    scripts = waiting(
        _JavaScript("a.js"),
        _JavaScript("m.js", type="module"),
        _JavaScript(None, body="DOCUMENTATION_OPTIONS.pagename = 'x'"),
        _JavaScript(None, body="let x = 1"),
        _JavaScript("mathjax/tex-chtml.js", defer="defer"),
    )
    plain, module, options, inline, maths = (script.attributes for script in scripts)
    assert plain == {"defer": "defer"} and module == {"type": "module"} and inline == {"body": "let x = 1"}
    assert options["type"] == "module", "it speaks of what a script that waits has made"
    assert scripts[-1].filename is None and '"../_static/mathjax/tex-chtml.js"' in maths["body"]


def test_the_search_page_keeps_its_scripts_as_they_are():
    shared = _JavaScript("a.js")
    assert waiting(shared)[0].attributes == {"defer": "defer"}
    assert waiting(shared, page="search")[0].attributes == {}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_names_one_style_sheet_and_no_script_that_blocks(built, name):
    head = soup(name).head
    assert [re.sub(r"^(\.\./)*|\?.*", "", link["href"]) for link in head.select("link[rel=stylesheet]")] == [
        speed.SHEET
    ]
    assert not head.select("script[src]:not([defer], [async], [type=module])")
    assert (HTML / speed.SHEET).is_file()
