"""Pictures: what they show is what they were given."""

import itertools
import re
from pathlib import Path

import matplotlib
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

matplotlib.use("Agg")

from matplotlib import pyplot as plt  # noqa: E402

from sepbook import plots  # noqa: E402
from sepbook.plots import charts, sound, style  # noqa: E402

RATE = 8000
ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def book_style():
    with plots.styled():
        yield
    plt.close("all")


def sine(frequency, seconds=0.5):
    return torch.sin(2 * torch.pi * frequency * torch.arange(int(seconds * RATE)) / RATE)


# colours -------------------------------------------------------------------------------------------------------

SEEN = {  # linear RGB as seen with full protanopia, deuteranopia and tritanopia (Machado et al. 2009)
    "all cones": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(paint):
    share = np.array([int(paint[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    x, y, z = np.cbrt(np.maximum(TO_XYZ @ np.clip(rgb, 0, 1) / [0.9505, 1, 1.089], 0.008856))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def contrast(one, other):
    low, high = sorted((TO_XYZ @ linear(paint))[1] + 0.05 for paint in (one, other))
    return high / low


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_everything_stands_out_from_the_page(mode):
    ink = style.INK[mode]
    assert contrast(ink["text"], ink["page"]) > 7 and contrast(ink["quiet"], ink["page"]) > 4.5
    assert all(contrast(paint, ink["page"]) >= 3 for paint in plots.COLOURS.values())


@pytest.mark.parametrize("eyes", SEEN)
def test_sources_are_told_apart_by_all_eyes(eyes):
    seen = {name: lab(np.array(SEEN[eyes]) @ linear(paint)) for name, paint in plots.COLOURS.items()}
    distances = {pair: np.linalg.norm(seen[pair[0]] - seen[pair[1]]) for pair in itertools.combinations(seen, 2)}
    assert min(distances.values()) > 25, min(distances, key=distances.get)


@pytest.mark.parametrize("eyes", SEEN)
def test_other_things_are_told_apart_by_all_eyes(eyes):
    """Less than sources are: they have dashes, marks and hatches besides."""
    seen = {paint: lab(np.array(SEEN[eyes]) @ linear(paint)) for paint in style.CYCLE}
    assert min(np.linalg.norm(seen[a] - seen[b]) for a, b in itertools.combinations(seen, 2)) > 15
    assert all(contrast(paint, ink["page"]) >= 3 for paint in seen for ink in style.INK.values())


def test_a_source_has_one_colour_and_other_names_get_different_ones():
    assert plots.colour("Vocals", 3) == plots.colour("vocals") == plots.COLOURS["vocals"]
    assert len({plots.colour(f"talker {i}", i) for i in range(5)}) == 5


STEMS = ("vocals", "drums", "bass", "other")


def test_nothing_but_a_stem_has_the_colour_of_a_stem():
    stems = {plots.COLOURS[name] for name in STEMS}
    others = {plots.colour(name, i) for name in ("", "talker", "MSE", *style.OTHERS) for i in range(12)}
    assert not stems & others and not stems & set(plt.rcParams["axes.prop_cycle"].by_key()["color"])
    seen = [lab(linear(paint)) for paint in stems]
    assert all(np.linalg.norm(lab(linear(paint)) - one) > 25 for paint in style.OTHERS.values() for one in seen)


def test_nobody_asks_for_the_colour_of_a_stem_by_name_unless_it_is_drawn():
    """A stem's name in quotes, where a colour is chosen: curves, losses and masks have colours of their own."""
    drawn = {"book/data/corpus.md": 1, "book/foundations/sound.md": 1, "sepbook/widgets/waveform_loss.py": 1}  # vocals
    asked = re.compile(rf"""(?:colour\(|COLOURS\[)[^)\]\n]*\\?["'](?:{"|".join(STEMS)})\\?["']""")
    files = [p for kind in ("book/**/*.md", "notebooks/**/*.ipynb", "sepbook/plots/*.py", "sepbook/widgets/*.py")
             for p in ROOT.glob(kind)]  # fmt: skip
    found = {p.relative_to(ROOT).as_posix(): len(asked.findall(p.read_text(encoding="utf-8"))) for p in files}
    assert {name: count for name, count in found.items() if count} == drawn


def test_the_style_is_put_back():
    before = dict(plt.rcParams)
    with plots.styled("dark"):
        assert plt.rcParams["text.color"] == style.INK["dark"]["text"]
    assert dict(plt.rcParams) == before
    with pytest.raises(ValueError, match="must be 'light' or 'dark'"):
        plots.use_style("sepia")


# sound ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("frequency", [500, 1000, 3000])
def test_a_sine_is_loudest_at_its_frequency(frequency):
    ax = plots.spectrogram(sine(frequency), RATE)
    (image,) = ax.images
    levels, (left, right, low, high) = image.get_array(), image.get_extent()
    row = int(levels[:, levels.shape[1] // 2].argmax())
    assert (row + 0.5) / levels.shape[0] * (high - low) == pytest.approx(frequency, abs=1.5 * high / levels.shape[0])
    assert levels.max() == pytest.approx(0, abs=1e-6) and levels.min() >= -80
    assert (left, low, high) == (0, 0, RATE / 2) and right == pytest.approx(0.5, abs=0.02)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("time (s)", "frequency (Hz)")
    assert ax.figure.axes[1].get_ylabel() == "level (dB)"


def test_samples_channels_magnitudes_and_complex_bins_give_the_same_picture():
    samples = torch.randn(1, 4000, generator=torch.Generator().manual_seed(0))
    bins = torch.stft(samples, 512, 128, window=torch.hann_window(512), pad_mode="constant", return_complex=True)
    given = [samples, samples[0], samples.expand(2, -1).requires_grad_(), samples.numpy(), bins, bins.abs(), bins[0]]
    pictures = [plots.spectrogram(x, RATE, n_fft=512, hop=128).images[0].get_array() for x in given]
    for picture in pictures[1:]:
        width = min(picture.shape[1], pictures[0].shape[1])
        assert np.allclose(picture[:, : width - 1], pictures[0][:, : width - 1], atol=0.01)


def test_levels_can_be_compared_between_pictures():
    magnitude = np.full((5, 7), 0.1)
    assert np.allclose(sound.levels(magnitude, loudest=1.0), -20)
    assert np.allclose(sound.levels(magnitude), 0)
    assert np.all(sound.levels(np.zeros((5, 7))) <= -79.99) and np.all(np.isfinite(sound.levels(np.zeros((5, 7)))))


@given(rows=st.integers(1, 40), columns=st.integers(1, 60))
def test_a_picture_is_made_smaller_by_means(rows, columns):
    values = np.arange(rows * columns, dtype=float).reshape(rows, columns)
    small = sound.shrink(values, (8, 20))
    assert small.shape == (min(rows, 8), min(columns, 20))
    assert values.min() <= small.min() and small.max() <= values.max()
    if rows % 8 == 0 and columns % 20 == 0:
        assert small.mean() == pytest.approx(values.mean())


def test_the_highest_frequency_can_be_chosen():
    image = plots.spectrogram(sine(500), RATE, top=1000).images[0]
    assert image.get_extent()[3] == 1000
    row = int(image.get_array()[:, 10].argmax())
    assert (row + 0.5) / image.get_array().shape[0] * 1000 == pytest.approx(500, abs=40)


@pytest.mark.parametrize("shape", [(2, 1, 129, 50), ()])
def test_a_batch_is_refused_with_a_way_out(shape):
    with pytest.raises(ValueError, match="x\\[0\\]"):
        plots.spectrogram(np.zeros(shape), RATE)


@pytest.mark.parametrize(("n", "rate"), [(1, 8000), (100, 100), (192_000, 192_000)])
def test_short_slow_and_fast_sounds_have_a_picture(n, rate):
    image = plots.spectrogram(np.ones(n), rate).images[0]
    assert np.isfinite(image.get_array()).all() and image.get_extent()[3] == rate / 2


@pytest.mark.parametrize("n", [1, 3, 1500, 40_000])
def test_a_waveform_keeps_its_extremes(n):
    samples = np.random.default_rng(0).uniform(-0.5, 0.5, n)
    samples[n // 2] = -0.9
    ax = plots.waveform(torch.tensor(samples), RATE, name="bass")
    artist = ax.collections[0].get_paths()[0].vertices if ax.collections else ax.lines[0].get_xydata()
    assert artist[:, 1].min() == pytest.approx(-0.9) and ax.get_ylim()[0] < -0.9
    assert artist[:, 1].max() == pytest.approx(max(samples.max(), -0.9))
    assert ax.get_xlim()[1] == pytest.approx(max(n - 1, 1) / RATE)


def test_a_waveform_needs_samples():
    for empty in (np.zeros((1, 0)), np.zeros((2, 3, 4))):
        with pytest.raises(ValueError, match="A waveform needs samples"):
            plots.waveform(empty, RATE)
    assert plots.waveform(np.zeros(5), RATE).get_ylim() == (-1, 1)


def test_stems_share_time_and_scale():
    sounds = {"vocals": 0.5 * sine(400), "drums": 0.1 * sine(900)[None]}
    figure = plots.stems(sounds, RATE)
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["vocals", "drums"]
    assert len({ax.get_ylim() for ax in figure.axes}) == 1 and figure.axes[0].get_ylim()[1] == pytest.approx(0.54)
    figure = plots.stems(sounds, RATE, kind="spectrogram", top=2000)
    loud, quiet = (ax.images[0].get_array().max() for ax in figure.axes[:2])
    assert loud == pytest.approx(0, abs=1) and quiet == pytest.approx(20 * np.log10(0.2), abs=1)
    with pytest.raises(ValueError, match="not 'pie'"):
        plots.stems(sounds, RATE, kind="pie")


def test_masks_are_drawn_from_0_to_1():
    shares = torch.rand(4, 1, 65, 30)
    figure = plots.masks(shares, RATE, 64, names=("vocals", "drums", "bass", "other"))
    assert [ax.get_title(loc="left") for ax in figure.axes[:4]] == ["vocals", "drums", "bass", "other"]
    assert np.allclose(figure.axes[2].images[0].get_array(), shares[2, 0])
    assert figure.axes[0].images[0].get_clim() == (0, 1)
    assert figure.axes[0].images[0].get_extent() == [0, 29 * 64 / RATE, 0, RATE / 2]
    figure = plots.masks({"a": shares[0, 0], "b": shares[1, 0], "c": shares[2, 0]})
    assert figure.axes[0].images[0].get_extent() == [0, 30, 0, 65] and not figure.axes[3].axison
    with pytest.raises(ValueError, match="m\\[0\\]"):
        plots.masks({"a": shares})


# numbers -------------------------------------------------------------------------------------------------------


def test_curves_are_told_apart_by_dashes_too():
    x = torch.linspace(0, 1, 9)
    ax = plots.curves(x, {f"line {i}": x**i for i in range(5)}, xlabel="x", ylabel="y")
    assert len({line.get_color() for line in ax.lines}) == len({str(line._dash_pattern) for line in ax.lines}) == 5
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [f"line {i}" for i in range(5)]
    assert np.allclose(ax.lines[2].get_ydata(), x**2)
    banded = plots.curves(x, {"mean": (x, x - 1, x + 1)})
    assert banded.collections[0].get_paths()[0].vertices[:, 1].max() == pytest.approx(2)
    with pytest.raises(ValueError, match=r"'short' has \(3,\) values, but x has \(9,\)"):
        plots.curves(x, {"short": x[:3]})


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=30), st.integers(1, 9))
def test_a_running_mean_is_the_mean_around_each_place(values, width):
    expected = [
        np.mean(values[max(0, i - (width - 1) // 2) : min(len(values), i + width // 2 + 1)]) for i in range(len(values))
    ]
    assert np.allclose(charts.running_mean(values, width), expected, atol=1e-9)


def test_a_history_is_drawn_with_its_validation():
    rows = [{"step": 10 * i, "loss": 1 / i, "valid_si_sdr_improvement": float(i)} for i in range(1, 6)]

    class History:
        losses = [1 / i for i in range(1, 51)]

    History.rows = rows
    top, bottom = plots.loss_curve(History).axes
    assert np.allclose(top.lines[0].get_ydata(), History.losses) and top.lines[0].get_xdata()[-1] == 50
    assert list(bottom.lines[0].get_xdata()) == [10, 20, 30, 40, 50] and list(bottom.lines[0].get_ydata()) == [
        1,
        2,
        3,
        4,
        5,
    ]
    (only,) = plots.loss_curve(rows, keys=()).axes
    assert list(only.lines[0].get_ydata()) == [row["loss"] for row in rows]
    with pytest.raises(ValueError, match="history is empty"):
        plots.loss_curve([])
