"""Classical methods separate what they are made for, add up, and say what they need."""

import pytest
import torch

from sepbook.evaluation import floors
from sepbook.evaluation.floors import FloorError
from sepbook.evaluation.metrics import si_sdr

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # nussl takes seconds to import; warnings: theirs
RATE, SECONDS = 8000, 6


class Song:
    """Chords that repeat every second, clicks, and a voice that glides and never does the same twice."""

    name, sample_rate, stem_names, seconds = "song", RATE, ("vocals", "drums", "other"), float(SECONDS)

    def __init__(self, channels=1):
        t = torch.arange(SECONDS * RATE) / RATE
        generator = torch.Generator().manual_seed(0)
        pitch = 2 * torch.pi * torch.cumsum(500 + 250 * torch.sin(1.7 * t) + 60 * torch.sin(31 * t), 0) / RATE
        voice = 0.2 * torch.sin(pitch) * (torch.sin(2.9 * t) > -0.3)
        beat = (t % 0.5) < 0.03
        drums = 0.5 * torch.randn(len(t), generator=generator) * beat
        chords = torch.where(t % 1 < 0.5, 220.0, 330.0)
        other = 0.15 * torch.sin(2 * torch.pi * torch.cumsum(chords, 0) / RATE)
        self.stems = dict(zip(self.stem_names, torch.stack([voice, drums, other])[:, None], strict=True))
        self.channels = channels

    def sources(self, names=None):
        return torch.stack([self.stems[name].repeat(self.channels, 1) for name in names or self.stem_names])

    def mixture(self):
        return self.sources().sum(0)


METHODS = [method for method in floors.TARGETS if method != "melody"]
FEW = {"rpca": {"num_iterations": 10}, "nmf": {"n_components": 8}}


@pytest.mark.parametrize("method", METHODS)
def test_target_and_rest_add_up_to_the_mixture(method):
    mixture = Song(2).mixture()
    found = floors.separate(mixture, RATE, method, **FEW.get(method, {}))
    assert found.shape == (2, 2, SECONDS * RATE) and found.dtype == torch.float32
    torch.testing.assert_close(found.sum(0), mixture, atol=1e-5, rtol=0)
    assert found.isfinite().all() and all(estimate.any() for estimate in found)


@pytest.mark.parametrize("method", ["hpss", "repet", "repet_sim"])
def test_a_method_gains_on_what_it_is_made_for(method):
    song = Song()
    scores = floors.evaluate([song], method, progress=False)
    assert scores.source_names == (floors.TARGETS[method], "rest") and method in scores.title
    assert scores.values(source=floors.TARGETS[method])[0] > 1


def test_a_method_is_scored_against_its_target_and_all_else():
    pair = floors.Pair(Song(), "drums")
    drums, rest = pair.sources()
    assert torch.equal(drums, Song().stems["drums"])
    torch.testing.assert_close(rest, Song().sources(["vocals", "other"]).sum(0), atol=1e-6, rtol=0)
    assert torch.equal(pair.mixture(), Song().mixture())
    with pytest.raises(FloorError, match="has no stem 'bass'; it has vocals, drums, other"):
        floors.Pair(Song(), "bass")


def test_what_cannot_tell_its_estimates_apart_is_matched(monkeypatch):
    song = Song()
    pair = floors.Pair(song, "vocals").sources()
    monkeypatch.setattr(floors, "separate", lambda *mixture, **options: pair.flip(0))
    assert min(floors.evaluate([song], "nmf", progress=False).values()) > 50
    assert max(floors.evaluate([song], "repet", progress=False).values()) < 5


def test_options_reach_the_method():
    mixture = Song().mixture()
    long, short = (floors.separate(mixture, RATE, "hpss", kernel_size=size) for size in (31, 9))
    assert si_sdr(long, short).max() < 40


def test_silence_stays_silent():
    assert not floors.separate(torch.zeros(1, 4 * RATE), RATE, "repet").any()


def test_what_cannot_be_separated_is_explained():
    with pytest.raises(FloorError, match="'repe'; choose one of: hpss, repet"):
        floors.separate(Song().mixture(), RATE, "repe")
    with pytest.raises(FloorError, match="'repe'; choose one of"):
        floors.evaluate([Song()], "repe")
    with pytest.raises(FloorError, match="lasts 1.00 s; these methods need 3 s"):
        floors.separate(Song().mixture()[:, :RATE], RATE, "hpss")
    with pytest.raises(FloorError, match=r"must be \(C, N\)"):
        floors.separate(Song().sources(), RATE, "hpss")
    with pytest.raises(ValueError, match="NaN"):
        floors.separate(torch.full((1, 4 * RATE), torch.nan), RATE, "hpss")


def test_melody_works_or_says_what_it_needs():
    from sepbook import compat

    if compat.nussl().vamp_imported:
        assert floors.separate(Song().mixture(), RATE, "melody").shape == (2, 1, SECONDS * RATE)
        return
    with pytest.raises(FloorError, match="needs the Python package vamp and the plug-in Melodia"):
        floors.separate(Song().mixture(), RATE, "melody")
