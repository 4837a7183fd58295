"""The built book, read file by file: links, pictures, sounds, foreign hosts, weights."""

import json
import re
from functools import cache
from statistics import median
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import NavigableString, Tag
from built_pages import HTML, PAGES, soup

PATH_LIKE = re.compile(r"\.(png|svg|jpe?g|gif|webp)\b|_images|^[0-9a-f]{8,}$", re.IGNORECASE)
# Attributes that make a browser fetch something as the page opens.
FETCHING = {"script": "src", "img": "src", "audio": "src", "source": "src", "iframe": "src"}
FETCHING["link:not([rel=canonical])"] = "href"  # the canonical address says where the page lives


@cache
def identifiers(name):
    """Return every id of a page."""
    return {element["id"] for element in soup(name).select("[id]")} | {a["name"] for a in soup(name).select("a[name]")}


def player_files(page):
    """Return the addresses of the sounds and pictures that the players of a page load on demand."""
    found = [json.loads(element["data-player"])["files"].values() for element in page.select("[data-player]")]
    return [address for addresses in found for address in addresses]


def local(name, address):
    """Return the file behind an address on a page, and its fragment."""
    parts = urlsplit(address)
    path = (HTML / name).parent / unquote(parts.path) if parts.path else HTML / name
    return path.resolve(), unquote(parts.fragment)


@pytest.fixture(autouse=True)
def there_is_a_book(built):
    """Fail with one clear message where there is none."""


@pytest.mark.parametrize("name", PAGES)
def test_no_formula_is_broken_in_two(name):
    """A line that begins with a minus sign is an item of a list to Markdown, also in the middle of a formula."""
    words = [t for t in soup(name).find_all(string=re.compile(r"\$")) if not t.find_parent(class_=["math", "output"])]
    bare = [str(t) for t in words if not any(t.find_parent(tag) for tag in ("pre", "code", "script", "style"))]
    assert not bare


@pytest.mark.parametrize("name", PAGES)
def test_every_inner_link_and_anchor_leads_somewhere(name):
    lost = []
    for link in soup(name).select("a[href]"):
        address = link["href"]
        if urlsplit(address).scheme:
            continue
        path, fragment = local(name, address)
        if path.is_dir():
            path /= "index.html"
        if not path.is_file():
            lost.append(address)
        elif fragment and path.suffix == ".html":
            inside = path.relative_to(HTML.resolve()).as_posix()
            if fragment not in identifiers(inside) and fragment != "top":
                lost.append(address)
    assert not lost


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_fetched_from_another_host(name):
    page = soup(name)
    fetched = [e.get(attribute) for tag, attribute in FETCHING.items() for e in page.select(tag)]
    foreign = [a for a in fetched if a and re.match(r"(?:https?:)?//", a)]
    inline = "\n".join(e.text for e in page.select("script, style"))
    foreign += re.findall(r"(?:import\s*\(?|from|url\()\s*['\"]?(?:https?:)?//[^'\")\s]+", inline)
    assert not foreign


def test_our_modules_and_styles_name_no_other_host():
    own = [*(HTML / "_static").glob("sepbook*"), *(HTML / "_static" / "widgets").glob("*")]
    own += (HTML / "_static" / "own_song").rglob("*js")
    assert len(own) >= 2
    for path in own:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"(?:import|from|fetch|url)\b[\s('\"]*(?:https?:)?//\w", text), path.name


@pytest.mark.parametrize("name", PAGES)
def test_no_widget_state_and_no_sound_is_embedded(name):
    text = (HTML / name).read_text(encoding="utf-8")
    assert "application/vnd.jupyter.widget" not in text
    assert "data:audio" not in text
    assert "{{SEPBOOK_STATIC}}" not in "".join(str(e) for e in soup(name).select("[src], [href], [data-player]"))


@pytest.mark.parametrize("name", PAGES)
def test_every_file_a_page_loads_is_there(name):
    page = soup(name)
    asked = [e.get(attribute) for tag, attribute in FETCHING.items() for e in page.select(tag)]
    asked += player_files(page) + [e["data-module"] for e in page.select("[data-module]")]
    asked = [address for address in asked if address and not urlsplit(address).scheme]
    # Sphinx names pages for `rel` links and a search page that are written as files as well.
    assert not [address for address in asked if not local(name, address)[0].is_file()]


@pytest.mark.parametrize("name", PAGES)
def test_sounds_wait_until_they_are_asked_for(name):
    assert all(audio.get("preload") == "none" for audio in soup(name).select("audio"))


@pytest.mark.parametrize("name", PAGES)
def test_every_picture_is_put_into_words(name):
    pictures = soup(name).select("article img")
    poor = [p["src"] for p in pictures if len(p.get("alt", "").split()) < 4 or PATH_LIKE.search(p["alt"])]
    assert not poor


def words_of(element):
    """Give an element's text piece by piece, without code and citations."""
    for child in element.children:
        if isinstance(child, Tag):
            if child.name not in ("pre", "code", "script") and "citation" not in child.get("class", ()):
                yield from words_of(child)
        elif type(child) is NavigableString:  # and no comment
            yield child


@pytest.mark.parametrize("name", PAGES)
def test_no_role_or_directive_is_left_as_text(name):
    """A bar inside a table cuts a role in two: there it has to be written as a bar after a backslash."""
    words = "".join(words_of(soup(name).select_one("article")))
    assert not re.findall(r"\{[a-z]+[\w:]*\}`[^`]*|:::\{?[a-z]*|`{3}\{[a-z]+", words)


@pytest.mark.parametrize("name", PAGES)
def test_the_first_play_is_light(name):
    """What sounds at the first press of play: all clips of the first version."""
    for element in soup(name).select("[data-player]"):
        data = json.loads(element["data-player"])
        clips = data["spec"]["versions"][0]["clips"]
        sizes = [local(name, data["files"][clip["audio"]])[0].stat().st_size for clip in clips]
        assert sum(sizes) <= 400_000, data["spec"]["title"]


def own_bytes(name):
    """Return the bytes of a page's HTML, pictures and own modules; sounds are loaded on demand."""
    page = soup(name)
    asked = [p["src"] for p in page.select("article img")]
    asked += [address for address in player_files(page) if not address.endswith(".mp3")]
    files = {local(name, address)[0] for address in asked if not urlsplit(address).scheme}
    if page.select(".sepbook-player, .sepbook-explorer"):
        files |= set((HTML / "_static" / "widgets").glob("*"))
    files |= set((HTML / "_static").glob("sepbook.*"))
    return (HTML / name).stat().st_size + sum(path.stat().st_size for path in files)


LOADED = "script[src], link[rel=stylesheet], link[rel=preload], article img"


def first_visit(name, other):
    """Return the bytes that a first visit fetches before anything is played, and those of MathJax among them.

    Pictures of the `other` mode, "dark" or "light", are not shown, so no browser asks for them; tests/browser sees it.
    """
    page = soup(name)
    asked = {e.get("src") or e.get("href") for e in page.select(LOADED) if f"only-{other}" not in e.get("class", [])}
    asked |= set(player_files(page))
    files = {
        local(name, address)[0] for address in asked if not urlsplit(address).scheme and not address.endswith(".mp3")
    }
    sizes = {path: path.stat().st_size for path in files}
    mathematics = sum(size for path, size in sizes.items() if "mathjax" in path.parts)
    return (HTML / name).stat().st_size + sum(sizes.values()), mathematics


@pytest.mark.parametrize("name", PAGES)
def test_no_page_prints_a_score_of_silence(name):
    """A stem that rests in the excerpt has no score: another excerpt says more than "nan dB"."""
    assert not [text for text in soup(name).find_all(string=re.compile(r"\bnan dB"))]


@pytest.mark.parametrize("name", PAGES)
def test_mathematics_is_loaded_where_there_is_a_formula_and_nowhere_else(name):
    page = soup(name)
    scripts = [
        script for script in page.select("script") if "mathjax" in f"{script.get('src')} {script.string}".lower()
    ]
    assert bool(scripts) == bool(page.select("article .math"))


@pytest.mark.parametrize("name", [name for name in PAGES if name.startswith("notebooks/")])
def test_a_lab_begins_with_its_card(name):
    """Before anything else: that nothing runs here, where it runs, how long it takes, what there is to hear."""
    heading = soup(name).select_one("article h1")
    card = heading.find_next_sibling()
    assert "sepbook-lab-top" in card["class"] and "You are reading" in card.select_one(".sepbook-lab-kind").text
    addresses = [link["href"] for link in card.select(".sepbook-lab-links a")]
    for host in ("https://colab.research.google.com/", "https://kaggle.com/"):
        assert [address for address in addresses if address.startswith(host) and f"/{name[:-5]}.ipynb" in address]
    rows = dict(zip((e.text for e in card.select("dt")), (e.text.strip() for e in card.select("dd")), strict=True))
    assert {"On a laptop", "On a GPU", "You will hear"} <= set(rows) and all(rows.values())


@pytest.mark.parametrize("other", ["light", "dark"])
def test_a_first_visit_is_light(other):
    """The first pages that a reader opens, uncompressed: with mathematics and without."""
    total, mathematics = first_visit("book/index.html", other)
    assert mathematics == 0 and total <= 1_000_000
    assert first_visit("book/first_separation.html", other)[0] <= 2_200_000


def test_pages_are_light():
    weights = {name: own_bytes(name) for name in PAGES}
    assert median(weights.values()) <= 300_000
    assert max(weights.values()) <= 1_500_000, max(weights, key=weights.get)
