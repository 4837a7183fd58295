"""Figures on a page: two versions, text for those who cannot see, small files named by their content."""

import hashlib
import io
from html.parser import HTMLParser

import matplotlib
import numpy as np
import pytest
from PIL import Image

matplotlib.use("Agg")

from matplotlib import pyplot as plt  # noqa: E402

from sepbook import plots  # noqa: E402
from sepbook.plots.page import figure_of, png, write  # noqa: E402

ALT = 'A line that rises from "0" to 1 & stays there'


def line():
    return plots.curves(np.arange(3), {"rise": np.array([0, 1, 1])}, xlabel="x")


class Pictures(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.found = []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        if tag == "img":
            self.found.append(dict(attributes))


@pytest.fixture
def page(monkeypatch, tmp_path):
    """Pretend that a page is being built; returns the folder of figures and the list of what was displayed."""
    shown = []
    monkeypatch.setenv("SEPBOOK_BOOK", "1")
    monkeypatch.setenv("SEPBOOK_BOOK_FIGURES", str(tmp_path / "figures"))
    monkeypatch.setattr("IPython.display.display", lambda data, raw: shown.append(data))
    return tmp_path / "figures", shown


def test_a_page_gets_a_light_and_a_dark_version(page):
    folder, shown = page
    plots.show(line, alt=ALT)
    (output,) = shown
    assert list(output) == ["text/html"]
    light, dark = Pictures(output["text/html"]).found
    assert (light["class"], dark["class"]) == ("only-light", "only-dark")
    assert light["src"] != dark["src"]
    for picture in (light, dark):
        assert picture["alt"] == ALT and picture["loading"] == "lazy"
        place, name = picture["src"].rsplit("/", 1)
        assert place == "{{SEPBOOK_STATIC}}/figures"
        content = (folder / name).read_bytes()
        assert hashlib.sha256(content).hexdigest().startswith(name.removesuffix(".png"))
        image = Image.open(io.BytesIO(content))
        assert image.size == (2 * int(picture["width"]), 2 * int(picture["height"]))
    assert not plt.get_fignums()


def test_the_background_is_clear_and_the_text_has_the_ink_of_the_mode(page):
    folder, shown = page
    plots.show(line, alt=ALT)
    brightness = []
    for picture in Pictures(shown[0]["text/html"]).found:
        pixels = np.array(Image.open(folder / picture["src"].rsplit("/", 1)[1]).convert("RGBA")).astype(float)
        assert pixels[0, 0, 3] == 0 and (pixels[..., 3] == 0).mean() > 0.8
        grey = pixels[(pixels[..., 3] > 0) & (np.ptp(pixels[..., :3], axis=-1) < 16)][:, :3].mean(-1)
        brightness.append((grey.min(), grey.max()))
    assert brightness[0][0] < 60 and brightness[1][1] > 200


def test_the_same_picture_is_written_once(page):
    folder, shown = page
    plots.show(line, alt=ALT)
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    plots.show(line, alt=ALT)
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before and len(before) == 2
    assert shown[0] == shown[1]


def test_files_are_small(page):
    folder, _ = page
    noise = np.random.default_rng(0).standard_normal(16000 * 6)  # the worst case: nothing repeats
    plots.show(lambda: plots.spectrogram(noise, 16000), alt=ALT)
    assert max(path.stat().st_size for path in folder.iterdir()) < 90_000
    plots.show(line, alt=ALT)
    assert min(path.stat().st_size for path in folder.iterdir()) < 25_000


def test_a_width_scales_both_sides(page):
    _, shown = page
    plots.show(line, alt=ALT, width=290)
    picture = Pictures(shown[0]["text/html"]).found[0]
    assert (picture["width"], picture["height"]) == ("290", "160")


@pytest.mark.parametrize("alt", ["", "   ", "a spectrogram", None, " " * 30])
def test_a_figure_needs_a_description(alt, page):
    with pytest.raises(ValueError, match="needs a description of at least 20 characters"):
        plots.show(line, alt=alt)
    assert not page[1]


def test_elsewhere_a_figure_is_drawn_once_in_the_light_style(monkeypatch):
    monkeypatch.delenv("SEPBOOK_BOOK", raising=False)
    inks = []
    shown = []
    monkeypatch.setattr("IPython.get_ipython", lambda: object())
    monkeypatch.setattr("IPython.display.display", shown.append)
    before = plt.rcParams["text.color"]
    plots.show(lambda: inks.append(plt.rcParams["text.color"]) or line(), alt=ALT)
    assert inks == ["#23282f"] and plt.rcParams["text.color"] == before
    assert [type(figure).__name__ for figure in shown] == ["Figure"] and not plt.get_fignums()


def test_in_a_script_the_window_of_matplotlib_opens(monkeypatch):
    monkeypatch.delenv("SEPBOOK_BOOK", raising=False)
    monkeypatch.setattr("IPython.get_ipython", lambda: None)
    calls = []
    monkeypatch.setattr(plt, "show", lambda: calls.append(plt.get_fignums()))
    plots.show(line, alt=ALT)
    assert len(calls) == 1 and len(calls[0]) == 1


def test_the_figure_is_found_whatever_was_returned():
    figure, panels = plt.subplots(2, 2)
    for drawn in (figure, panels, list(panels), panels[0, 1], None):
        assert figure_of(drawn) is figure
    plt.close(figure)


def test_a_picture_keeps_its_colours():
    figure, ax = plt.subplots(figsize=(2, 1), dpi=50)
    ax.set_position([0, 0, 1, 1])
    ax.axis("off")
    for i, paint in enumerate(plots.COLOURS.values()):
        ax.axvspan(i, i + 0.8, color=paint)
    pixels = np.array(Image.open(io.BytesIO(png(figure))).convert("RGBA")).reshape(-1, 4)
    plt.close(figure)
    for paint in plots.COLOURS.values():
        wanted = np.array([int(paint[i : i + 2], 16) for i in (1, 3, 5)] + [255])
        assert np.abs(pixels - wanted).max(1).min() <= 6


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    target = tmp_path / "deep" / "a.png"
    write(target, b"123")
    assert target.read_bytes() == b"123" and [path.name for path in target.parent.iterdir()] == ["a.png"]
    write(target, b"other")
    assert target.read_bytes() == b"123"


@pytest.mark.parametrize("size", [(5.8, 3.337), (5.801, 2.999), (3.0, 2.0), (6.2, 4.4449), (4.6, 3.8)])
def test_sides_need_not_be_whole_pixels(size):
    figure, ax = plt.subplots(figsize=size)
    ax.set_position([0, 0, 0.5, 1])  # filled, the rest is empty: an upright edge
    ax.axis("off")
    ax.axvspan(0, 1, color="black")
    image = Image.open(io.BytesIO(png(figure)))
    assert image.width / image.height == pytest.approx(size[0] / size[1], rel=0.01)
    rows = np.array(image.convert("RGBA"))[5:-5]
    assert (rows == rows[0]).all() and 0 < (rows[0, :, 3] > 0).mean() < 1
    plt.close(figure)
