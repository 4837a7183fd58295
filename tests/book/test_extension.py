"""The extension at work: one tiny book with everything in it, built strictly."""

import json
import re

import pytest
from bs4 import BeautifulSoup

FIGURE = "0123456789abcdef.svg"
CELL = f"""
```{{code-cell}} ipython3
import os
from pathlib import Path
from IPython.display import HTML
assert os.environ["SEPBOOK_BOOK"] == "1" and Path(os.environ["SEPBOOK_BOOK_AUDIO"]).is_dir()
picture = Path(os.environ["SEPBOOK_BOOK_FIGURES"]) / "{FIGURE}"
picture.write_text("<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>")
HTML('<img alt="A small empty picture" src="{{{{SEPBOOK_STATIC}}}}/figures/{FIGURE}">')
```
"""
FOLD = """
:::{fold-start} Behind `this` *title*
:::

Words, and a cell:

```{code-cell} ipython3
print(6 * 7)
```

```{fold-end}
```

After it.
"""
PAGE = """
It gains {result}`unet/small.json:test.mean|.1f dB` with {result}`unet/small.json:count|,` weights.

```{result} unet/small.json:test.per_source
:format: +.1f
:unit: dB
:head: source, gain
```

| a | b |
|---|---|
| 1 | 2 |

```{explorer} player
:label: A thing to try
:state: {"level": 3}

What there is to see, in **words**.
```

```{player} test/SONG
:stems: mixture, vocals, drums
:title: One song
```

```{lab} tiny
:cpu: half a minute
:gpu: a moment
:hear: a *click*
```

```{ledger} unet small
:seconds: 0.5
```

```{exercise} First
:label: first-one

Why?
```

```{exercise} Second
:label: second-one

How?
```
"""


@pytest.fixture(scope="module")
def book(tiny_of_module, lab):
    """Build the book once."""
    from sepbook.data import corpus

    tiny = tiny_of_module
    numbers = {"test": {"mean": -10.84, "per_source": {"vocals": 9.96, "drums": -0.5}}, "count": 1234567}
    tiny.write("results/unet/small.json", json.dumps(numbers))
    tiny.page("index", PAGE.replace("SONG", corpus.songs("test")[0].name))
    tiny.page("deep/down", CELL + FOLD)
    tiny.write("notebooks/tiny.ipynb", lab)
    status, printed = tiny.build()
    assert status == 0, printed[-3000:]
    return tiny


@pytest.fixture(scope="module")
def index(book):
    return BeautifulSoup(book.html("book/index"), "html.parser")


def test_result_prints_a_number_with_format_unit_and_true_minus(index):
    assert [e.text for e in index.select("p .sepbook-result")] == ["−10.8\N{NO-BREAK SPACE}dB", "1,234,567"]


def test_result_prints_a_table(index):
    table = index.select_one("table.sepbook-results")
    assert [[c.text.strip() for c in row.select("td, th")] for row in table.select("tr")] == [
        ["source", "gain"],
        ["vocals", "+10.0\N{NO-BREAK SPACE}dB"],
        ["drums", "−0.5\N{NO-BREAK SPACE}dB"],
    ]


def test_every_table_can_scroll(index):
    assert all("sepbook-scroll" in table.parent["class"] for table in index.select("article table"))
    assert len(index.select("article table")) >= 2


def test_explorer_holds_its_words_state_and_module(book, index):
    explorer = index.select_one(".sepbook-explorer")
    assert explorer.select_one(".sepbook-explorer-fallback strong").text == "words"
    assert json.loads(explorer["data-state"]) == {"level": 3} and explorer["aria-label"] == "A thing to try"
    assert re.fullmatch(r"\.\./_static/widgets/player\.js\?v=[0-9a-f]{8}", explorer["data-module"])
    assert (book.folder / "_build/html/_static/widgets/player.js").is_file()


def test_player_of_a_song_has_its_stems_and_their_files(book, index):
    player = index.select_one(".sepbook-player[data-player]")
    data = json.loads(player["data-player"])
    assert data["spec"]["title"] == "One song"
    assert {row["name"] for row in data["spec"]["rows"]} == {"mixture", "vocals", "drums"}
    page = book.folder / "_build/html/book"
    sounds = [audio["src"] for audio in player.select("audio[preload=none]")]
    assert len(sounds) == 3 and all(re.fullmatch(r"\.\./_static/audio/[0-9a-f]+\.mp3", sound) for sound in sounds)
    assert all((page / address).stat().st_size > 1000 for address in sounds)
    assert all((page / address).is_file() for address in data["files"].values())


def test_lab_card_leads_to_colab_kaggle_and_the_page(book, index):
    card = index.select_one(".sepbook-lab")
    links = {a.text: a["href"] for a in card.select("a")}
    import yaml

    config = yaml.safe_load((book.folder / "_config.yml").read_text())["repository"]
    name = config["url"].removeprefix("https://github.com/")
    where = f"{name}/blob/{config['branch']}/notebooks/tiny.ipynb"
    assert links["Open in Colab"] == f"https://colab.research.google.com/github/{where}"
    assert links["Open in Kaggle"] == f"https://kaggle.com/kernels/welcome?src=https://github.com/{where}"
    assert links["Read it here"] == "../notebooks/tiny.html"
    assert "Build a tiny thing" in card.text and card.select_one("dd em").text == "click"


def test_the_lab_itself_begins_with_its_card(book):
    lab = BeautifulSoup(book.html("notebooks/tiny"), "html.parser")
    card = lab.select_one("article h1").find_next_sibling()
    assert "sepbook-lab-top" in card["class"] and "Nothing runs here" in card.text
    assert "half a minute" in card.text and card.select_one("dd em").text == "click"
    links = {a.text: a["href"] for a in card.select("a")}
    assert set(links) == {"Open in Colab", "Open in Kaggle", "Download", "index"}
    page = book.folder / "_build/html/notebooks"
    assert json.loads((page / links["Download"]).read_text())["cells"] and links["index"] == "../book/index.html"


def test_page_says_what_it_is(book, index):
    said = {tag.get("name", tag.get("property")): tag["content"] for tag in index.select("meta[content]")}
    assert said["description"] == said["og:description"] and said["og:title"] == "index"
    assert said["og:url"] == index.select_one("link[rel=canonical]")["href"]
    assert said["og:url"].endswith("/book/index.html") and said["og:image"].endswith("/_static/social_card.png")
    html = book.folder / "_build/html"
    assert (html / "_static/social_card.png").is_file() and (html / "404.html").is_file()
    assert said["og:url"] in (html / "sitemap.xml").read_text()
    foot = index.select_one(".sepbook-foot")
    assert foot.select_one("a")["href"].endswith("/edit/main/book/index.md") and "@incollection" in foot.text


def test_icons_are_there_and_mathematics_waits_for_a_formula(book, index):
    icons = (book.folder / "_build/html/_static/icons/icons.css").read_text()
    assert ".fa-bars::before" in icons and not (book.folder / "_build/html/_static/vendor").exists()
    assert not index.select("script[src*=mathjax]")


def test_ledger_shows_the_shapes_of_the_system(index):
    ledger = index.select_one(".sepbook-ledger table")
    assert "N=8000" in ledger.text and "S=4" in ledger.text and len(ledger.select("tbody tr")) > 10


def test_placeholder_becomes_the_relative_path_of_each_page(book):
    page = book.html("book/deep/down")
    picture = BeautifulSoup(page, "html.parser").select_one(f"img[src$='{FIGURE}']")
    assert picture["src"] == f"../../_static/figures/{FIGURE}"
    assert (book.folder / "_build/html/_static/figures" / FIGURE).is_file()


def test_a_fold_is_closed_and_holds_prose_and_cells(book):
    page = BeautifulSoup(book.html("book/deep/down"), "html.parser")
    fold = page.select_one("article details.sd-dropdown")
    assert not fold.has_attr("open") and fold.summary.text.strip() == "Behind this title"
    assert [fold.summary.select_one(kind).text for kind in ("code", "em")] == ["this", "title"]
    assert fold.select_one(".cell_input") and fold.select_one(".cell_output").text.strip() == "42"
    assert "Words, and a cell" in fold.text and "After it" not in fold.text and "After it" in page.text


def test_root_leads_to_the_first_page(book):
    assert "url=book/index.html" in book.html("index")


def test_thebe_is_gone_and_identifiers_are_unique(book, index):
    assert "thebe" not in book.html("book/index").lower()
    identifiers = [element["id"] for element in index.select("[id]")]
    assert len(identifiers) == len(set(identifiers))


def test_colab_button_stands_on_labs_only(book, index):
    lab = BeautifulSoup(book.html("notebooks/tiny"), "html.parser")
    assert lab.select(".article-header-buttons a[href*='colab.research.google.com']")
    assert not index.select(".article-header-buttons a[href*='colab']")
    assert not index.select(".article-header-buttons a[href$='.ipynb']")


def test_a_page_runs_anew_when_something_changes_that_it_depends_on_and_only_then(book):
    page, numbers = book.folder / "book/deep/down.md", book.folder / "results/unet/small.json"
    page.write_text(page.read_text() + "\nOne more sentence.\n")
    numbers.write_text(numbers.read_text().replace("1234567", "7654321"))
    status, printed = book.build()
    assert status == 0 and "index.md: Execut" in printed and "down.md: Execut" not in printed
    assert "One more sentence" in book.html("book/deep/down") and "7,654,321" in book.html("book/index")

    (book.folder / "requirements.txt").write_text("something==1.0\n")
    status, printed = book.build()
    assert status == 0 and "index.md: Execut" in printed and "down.md: Execut" in printed
    assert len(list((book.folder / "_build/.jupyter_cache/book.deep.down").iterdir())) == 2
