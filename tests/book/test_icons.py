"""The icon fonts: every icon that is shown is in them, and they weigh a few kilobytes."""

import re
import sys

import pytest
from book_sources import ROOT

sys.path.insert(0, str(ROOT / "book" / "_ext"))
import sepbook_icons as icons
from built_pages import HTML, PAGES, soup


def code_points(font):
    """Return the characters that a font can draw."""
    from fontTools.ttLib import TTFont

    return set(TTFont(font).getBestCmap())


@pytest.fixture
def site(tmp_path):
    """Give a site of two pages with the theme's fonts."""
    import pydata_sphinx_theme

    theme = icons.Path(pydata_sphinx_theme.__file__).parent / "theme" / "pydata_sphinx_theme" / "static" / "vendor"
    icons.shutil.copytree(theme, tmp_path / "_static" / "vendor")
    (tmp_path / "deep").mkdir()
    (tmp_path / "a.html").write_text('<i class="fa-solid fa-bars fa-lg"></i><i class="fab fa-github"></i>')
    (tmp_path / "deep" / "b.html").write_text(
        '<i class="theme-switch fas fa-magnifying-glass"></i><p class="fare">no</p>'
    )
    (tmp_path / "_static" / "theme.css").write_text('a::after { content: "\\f107"; }')
    return tmp_path


def write(site):
    """Cut the fonts of a site."""
    builder = type("Builder", (), {"format": "html"})
    icons.write_icons(type("App", (), {"outdir": site, "builder": builder}), None)
    return site / icons.OURS


def test_fonts_hold_what_pages_and_styles_ask_for_and_no_more(site):
    folder = write(site)
    style = (folder / "icons.css").read_text()
    assert set(re.findall(r"\.fa-([\w-]+)::before", style)) == {"bars", "github", "magnifying-glass"}
    assert code_points(folder / "solid.woff") == {0xF0C9, 0xF002, 0xF107}
    assert code_points(folder / "brands.woff") == {0xF09B}
    assert (folder / "LICENSE.txt").is_file() and not (site / "_static" / "vendor").exists()


def test_a_second_build_that_writes_one_page_keeps_all_icons(site):
    vendor = site / "kept"
    icons.shutil.copytree(site / "_static" / "vendor", vendor)
    write(site)
    icons.shutil.copytree(vendor, site / "_static" / "vendor")  # the theme copies its files at each build
    (site / "a.html").write_text('<i class="fa-solid fa-moon"></i>')
    style = (write(site) / "icons.css").read_text()
    assert set(re.findall(r"\.fa-([\w-]+)::before", style)) == {"moon", "magnifying-glass"}


# --- the built book ------------------------------------------------------------------------------------------------


def test_every_icon_of_the_built_book_is_there(built):
    folder = HTML / icons.OURS
    style = (folder / "icons.css").read_text(encoding="utf-8")
    drawn = {
        name: int(code, 16) for name, code in re.findall(r'\.fa-([\w-]+)::before \{ content: "\\([0-9a-f]+)"', style)
    }
    fonts = code_points(folder / "solid.woff") | code_points(folder / "brands.woff")
    shown = {c for name in [*PAGES, "search.html"] for e in soup(name).select("[class*=fa-]") for c in e["class"]}
    shown = {c.removeprefix("fa-") for c in shown if c.startswith("fa-")} - {"solid", "brands", "regular", "lg"}
    assert shown <= set(drawn) and set(drawn.values()) <= fonts
    assert sum(path.stat().st_size for path in folder.glob("*.woff")) < 20_000
    assert not (HTML / "_static" / "vendor").exists()


@pytest.mark.parametrize("name", PAGES)
def test_mathematics_is_loaded_where_there_is_some(built, name):
    scripts = [script for script in soup(name).select("script") if re.search("src.*/mathjax", str(script), re.I)]
    assert len(scripts) == bool(soup(name).select(".math"))
