"""Mixtures in other pitches and tempi: what is heard, what stays together, what is said of settings without sense."""

import json
import pickle

import pytest
import torch

from sepbook.data._stretching import JOINT, PIECE, changed, needed
from sepbook.data.mixing import Mixtures
from sepbook.data.varying import Varied

RATE = 8000
CHANGES = [(0.0, 1.0), (2.0, 1.0), (0.0, 1.1), (0.0, 0.8), (-3.0, 1.25), (4.0, 0.9)]


class Song:
    """A track in memory: a tone for each stem, and a click in each second of the first."""

    stem_names, sample_rate, channels, score = ("drums", "bass", "vocals"), RATE, 1, None

    def __init__(self, name, hertz, seconds=6):
        self.name, self.length = name, seconds * RATE
        time = torch.arange(self.length) / RATE
        self.sound = torch.stack([torch.sin(2 * torch.pi * hertz * k * time) for k in (1, 2, 3)])[:, None]
        self.sound[0] = 0
        self.sound[0, 0, ::RATE] = 1

    def sources(self, names=None, start=0, length=None):
        chosen = self.sound[[self.stem_names.index(name) for name in names or self.stem_names], :, start:][..., :length]
        return torch.nn.functional.pad(chosen, (0, length - chosen.shape[-1]))


SONGS = [Song("low", 200.0), Song("high", 330.0)]


def frequency(x):
    """The strongest frequency of a sound (N,), between two bins by the window's shape."""
    bins = torch.fft.rfft(x.double() * torch.hann_window(len(x), dtype=torch.float64)).abs()
    k = int(bins.argmax())
    a, b = (bins[k - 1], bins[k]) if bins[k - 1] > bins[k + 1] else (bins[k], bins[k + 1])
    return float((2 * b - a) / (a + b) + (k - 1 if bins[k - 1] > bins[k + 1] else k)) * RATE / len(x)


@pytest.mark.parametrize(("semitones", "stretch"), CHANGES)
@pytest.mark.parametrize("hertz", [110.0, 440.0, 1003.7])
def test_a_tone_is_as_high_as_asked_for_and_as_loud_as_before(semitones, stretch, hertz):
    x = torch.sin(2 * torch.pi * hertz * torch.arange(needed(3 * RATE, semitones, stretch, RATE)) / RATE)
    y = changed(x[None], semitones, stretch, RATE, 3 * RATE)[0]
    assert y.shape == (3 * RATE,) and y.dtype == torch.float32
    heard = 12 * torch.log2(torch.tensor(frequency(y) / hertz))
    assert abs(heard - semitones) < 0.02
    loud = y[: 2 * RATE].reshape(-1, 400).abs().amax(1)
    assert loud.min() > 0.85 and loud.max() < 1.1, "no joint breaks the tone"


@pytest.mark.parametrize("stretch", [0.8, 1.0, 1.25])
def test_what_comes_later_comes_as_much_later_as_asked_for(stretch):
    x = torch.zeros(1, needed(3 * RATE, 3.0, stretch, RATE))
    burst = torch.randn(400, generator=torch.Generator().manual_seed(0))
    for second in (0.5, 1.0, 1.5, 2.0):
        x[0, round(second * RATE) : round(second * RATE) + 400] = burst
    y = changed(x, 3.0, stretch, RATE, 3 * RATE)[0].square()
    for second in (0.5, 1.0, 1.5, 2.0):
        near = y[max(0, round((second * stretch - 0.15) * RATE)) : round((second * stretch + 0.25) * RATE)]
        centre = (near * torch.arange(len(near))).sum() / near.sum() / RATE - min(0.15, second * stretch)
        assert abs(centre - 0.025 * stretch) < PIECE


def test_nothing_asked_for_nothing_changed():
    x = torch.randn(2, 3, needed(9000, 0.0, 1.0, RATE), generator=torch.Generator().manual_seed(0))
    assert torch.equal(changed(x, 0.0, 1.0, RATE, 9000), x[..., :9000])
    items = Mixtures(SONGS, 1.0, seed=3)
    for i in range(6):
        same = Varied(items, (0, 0), (1, 1))[i]
        assert torch.equal(same["sources"], items[i]["sources"]) and torch.equal(same["mixture"], items[i]["mixture"])


def test_pieces_fit_where_noise_repeats_itself():
    period = torch.randn(round(0.01 * RATE), generator=torch.Generator().manual_seed(0))
    x = period.repeat(400)[None]
    y = changed(x, 0.0, 1.2, RATE, 2 * RATE)
    assert torch.allclose(y, x[:, : 2 * RATE], atol=1e-5), "each joint is a whole number of periods away"
    assert round(JOINT * RATE) > len(period)


def test_channels_are_cut_at_the_same_places():
    x = torch.randn(1, needed(9000, 2.0, 1.1, RATE), generator=torch.Generator().manual_seed(0))
    y = changed(torch.stack([x, 0.5 * x, -0.25 * x], 1)[0], 2.0, 1.1, RATE, 9000)
    torch.testing.assert_close(y[1], 0.5 * y[0], atol=1e-6, rtol=0)
    torch.testing.assert_close(y[2], -0.25 * y[0], atol=1e-6, rtol=0)


@pytest.mark.parametrize("value", [0.0, 1e-3, 1e6])
def test_rests_and_loud_sounds_stay_what_they_are(value):
    x = torch.full((1, needed(RATE, 1.0, 1.1, RATE)), value)
    y = changed(x, 1.0, 1.1, RATE, RATE)
    assert y.isfinite().all() and (y[:, 2000:6000] - value).abs().max() <= 0.01 * value


def test_an_item_is_the_sum_of_its_sources_and_follows_from_seed_and_number():
    items = Varied(Mixtures(SONGS, 1.0, seed=5), (-2, 2), (0.9, 1.1))
    item = items[7]
    assert item["sources"].shape == (3, 1, RATE) and torch.equal(item["mixture"], item["sources"].sum(0))
    assert torch.equal(pickle.loads(pickle.dumps(items))[7]["sources"], item["sources"])
    assert not torch.equal(items[8]["sources"], item["sources"])
    other = Varied(Mixtures(SONGS, 1.0, seed=6), (-2, 2), (0.9, 1.1))
    assert not torch.equal(other[7]["sources"], item["sources"])
    assert len(items) == 1000 and items[5000]["mixture"].shape == (1, RATE)


def test_places_and_gains_are_those_of_the_mixtures():
    mixtures = Mixtures(SONGS, 1.0, seed=5)
    for i in range(4):
        plain, varied = mixtures[i]["sources"], Varied(mixtures, (0, 0), (1.1, 1.1))[i]["sources"]
        levels = varied[1:].square().mean(-1) / plain[1:].square().mean(-1)
        assert (10 * levels.log10()).abs().max() < 0.5


def semitones_of(item, song):
    hertz = [200.0, 330.0][song]
    return [12 * torch.log2(torch.tensor(frequency(item[s, 0]) / (hertz * (s + 1)))).item() for s in (1, 2)]


def test_stems_of_one_song_share_pitch_and_others_do_not():
    together = Varied(Mixtures(SONGS, 3.0, incoherent=0.0, seed=1), (-2, 2), (0.9, 1.1))
    found = []
    for i in range(5):
        song = together.mixtures.draw(i)[0][0][0]
        bass, vocals = semitones_of(together[i]["sources"], song)
        assert abs(bass - vocals) < 0.05 and abs(bass) < 2.05
        found.append(bass)
    assert max(found) - min(found) > 0.5
    apart = Varied(Mixtures(SONGS[:1], 3.0, incoherent=1.0, seed=1), (-2, 2), (0.9, 1.1))
    differences = [abs(bass - vocals) for bass, vocals in (semitones_of(apart[i]["sources"], 0) for i in range(5))]
    assert max(differences) > 0.3


def test_a_piece_at_the_end_of_a_song_is_full():
    items = Varied(Mixtures(SONGS, 5.0, seed=2), (0, 0), (0.9, 0.9))  # 5.6 s of 6
    for i in range(6):
        assert items[i]["sources"][1, 0, -RATE // 4 :].abs().max() > 0.3


def test_settings_are_ready_for_json_and_name_the_changes():
    mixtures = Mixtures(SONGS, 1.0)
    settings = json.loads(json.dumps(Varied(mixtures, (-1, 1)).settings()))
    assert settings["pitch_shift"] == [-1, 1] and settings["time_stretch"] == [0.9, 1.1]
    assert settings.items() >= mixtures.settings().items()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"pitch_shift": (2, -2)}, r"pitch_shift=\(2, -2\): expected two numbers from -12 to 12, the lower one first"),
        ({"pitch_shift": (0, 13)}, "from -12 to 12"),
        ({"pitch_shift": (float("nan"), 1)}, "from -12 to 12"),
        ({"time_stretch": (0, 1)}, r"time_stretch=\(0, 1\): expected two numbers from 0.5 to 2"),
        ({"time_stretch": (1, 1, 1)}, "expected two numbers"),
    ],
)
def test_settings_without_sense_are_refused(given, said):
    with pytest.raises(ValueError, match=said):
        Varied(Mixtures(SONGS, 1.0), **given)


def test_labels_are_refused():
    class Sung(Song):
        score = {"f0": [0.0] * 600}

    with pytest.raises(ValueError, match=r"labels \(f0\) would not fit"):
        Varied(Mixtures([Sung("a", 200.0)], 1.0, labels=("f0",)))
