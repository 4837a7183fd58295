"""The cheat sheets say what the code says: their cells are run, and what they hold is compared with the package."""

import re

import pytest
import torch
from book_sources import ROOT, text_of
from bs4 import BeautifulSoup
from sepbook_sources import cells

from sepbook.building_blocks.stft import STFT
from sepbook.shapes.dims import LEGEND, parse

PAGE = "book/appendix/cheat_sheets.md"
STYLE = (ROOT / "book" / "_ext" / "static" / "sepbook.css").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def sheets():
    """Return what the cells of the page leave behind."""
    names = {}
    for code in cells(text_of(PAGE)):
        exec(compile(code, PAGE, "exec"), names)
    return names


def test_every_letter_of_the_legend_is_used_by_a_part(sheets):
    sides = [side for part in sheets["PARTS"].values() for side in (parse(part.dims).inputs, parse(part.dims).outputs)]
    used = {letter.rstrip("'") for side in sides for item in side for axis in item.axes for letter in axis.letters}
    assert used <= set(LEGEND) and {"B", "S", "C", "N", "F", "T", "H", "D", "K"} <= used


# What we know without asking: along which axes a layer mixes.
MIXES = {
    "nn.Linear(H, ·)": "H",
    "nn.Conv1d(H, ·, 3, padding=1)": "HT",
    "nn.LSTM(H, ·, batch_first=True)": "TH",
    "nn.BatchNorm1d(H), training": "BT",
    "nn.BatchNorm2d(H).eval()": "",
    "nn.LayerNorm(H)": "H",
    "x.softmax(dim=1)": "S",
    "functional.glu(x, dim=1)": "H",
    "x.sum(dim=1)": "S",
    "x.transpose(1, 2)": "",
}


@pytest.mark.parametrize(("layer", "axes"), MIXES.items())
def test_layers_were_asked_for_their_axes(sheets, layer, axes):
    assert "".join(sheets["found"][layer][1]) == axes


def test_levels_of_sounds_are_what_theory_says(sheets):
    levels = list(sheets["LEVELS"].values())
    rounding = 20 * torch.log10(torch.tensor(2.0**-15 / 12**0.5)).item()
    assert levels == pytest.approx([-3.01, 0, rounding, 6.02, 3.01, 0], abs=0.02)
    assert sheets["amplitude_db"](0.5) == pytest.approx(sheets["energy_db"](0.25))


def test_sizes_of_spectrograms_are_those_of_the_layer(sheets):
    for rate, n_fft, hop in sheets["USUAL"]:
        F, T, window, step, bins, numbers = sheets["stft_line"](rate, n_fft, hop)
        assert STFT(n_fft, hop)(torch.zeros(1, 1, rate)).shape == (1, 1, F, T)
        assert window * bins == pytest.approx(1000) and step == pytest.approx(window * hop / n_fft)
        assert numbers == pytest.approx(2 * F * T / rate)


def test_questions_stand_in_one_place():
    marks = re.search(r':start-after: "(.*)"\n:end-before: "(.*)"', text_of(PAGE)).groups()
    clinic = text_of("book/training/bug_clinic.md")
    assert all(clinic.count(mark) == 1 for mark in marks)
    between = clinic.split(marks[0])[1].split(marks[1])[0]
    assert re.findall(r"^\| (\d) \|", between, re.M) == list("1234567")


def test_each_sheet_is_a_printed_page():
    assert len(re.findall(r"^\{\.sepbook-sheet\}\n## ", text_of(PAGE), re.M)) == 5 == text_of(PAGE).count("\n## ")
    rule = STYLE.split("@media print", 1)[1]
    assert ".sepbook-sheet" in rule and "size: A4" in STYLE and "break-before: page" in rule


def test_built_page_holds_five_sheets_and_the_questions(built):
    page = BeautifulSoup((built / "book" / "appendix" / "cheat_sheets.html").read_text(encoding="utf-8"), "html.parser")
    sheets = page.select("section.sepbook-sheet")
    assert len(sheets) == 5 and len(sheets[-1].select("tbody tr")) == 7
