"""Shown source says where it comes from and what it is, on every page, without anybody writing it."""

import re
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
import sepbook_captions as captions
import yaml
from book_sources import ROOT, pages, text_of
from built_pages import soup

SHOWN = re.compile(r"^```\{literalinclude\} (\S+)\n((?::.*\n)*)```", re.M)
SHOWING = [name for name in pages() if SHOWN.search(text_of(name))]
CODE = ROOT / "book" / "_ext" / "sepbook_captions.py"
IN_REFERENCE = re.findall(r"automodule:: (\S+)", text_of("book/appendix/api.md"))
REPOSITORY = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["repository"]["url"]


def test_the_lines_of_a_function_are_found():
    first, last = map(int, re.fullmatch(r"#L(\d+)-L(\d+)", captions.lines(CODE, "lines")).groups())
    code = CODE.read_text(encoding="utf-8").splitlines()
    assert code[first - 1].startswith("def lines(") and code[last - 1].strip().startswith("return f")
    assert captions.lines(CODE, "") == ""


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("Net.forward", ("api", "net.forward")),
        ("Net._private", ("api", "net")),
        ("_Hidden.forward", ("api", "module")),
        ("", ("api", "module")),
    ],
)
def test_a_name_leads_to_its_nearest_entry(name, found):
    objects = {"sepbook.a.Net": ("api", "net"), "sepbook.a.Net.forward": ("api", "net.forward")}
    domain = SimpleNamespace(
        objects={key: SimpleNamespace(docname=page, node_id=at) for key, (page, at) in objects.items()},
        modules={"sepbook.a": SimpleNamespace(docname="api", node_id="module")},
    )
    assert captions.entry(domain, "sepbook.a", name) == found
    assert captions.entry(domain, "tools.b", name) is None


@pytest.mark.parametrize("name", SHOWING)
def test_all_shown_source_has_its_caption(built, name):
    """The file, with a link to its lines; the name, with a link into the reference where it is the package's."""
    found = soup(name.removesuffix(".md") + ".html").select(".literal-block-wrapper > .code-block-caption")
    written = SHOWN.findall(text_of(name))
    assert len(found) == len(written)
    for caption, (path, options) in zip(found, written, strict=True):
        file = (ROOT / name).parent.joinpath(path).resolve().relative_to(ROOT).as_posix()
        what = re.search(r":pyobject: (\S+)", options)
        text = caption.select_one(".caption-text").text
        assert text.startswith(f"{file} · {what[1]}" if what else file)
        assert text.endswith(", a part") == bool(re.search(r"^:(lines|start|end)", options, re.M))
        source, *entry = caption.select(".caption-text a")
        assert source["href"].startswith(f"{REPOSITORY}/blob/") and urlsplit(source["href"]).path.endswith(file)
        if what and file.removesuffix(".py").replace("/", ".") in IN_REFERENCE:
            assert len(entry) == 1
        assert all(re.search(r"api\.html#\S", link["href"]) for link in entry)
