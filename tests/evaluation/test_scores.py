"""Means that silence cannot spoil, intervals, tables and JSON; and `evaluate` with small systems."""

import json
import math
import re
from dataclasses import dataclass

import pytest
import torch
from torch import nn

from sepbook.evaluation import oracles
from sepbook.evaluation.metrics import at_rate, evaluate, score, si_sdr
from sepbook.evaluation.scores import Scores, TrackScores

NAN = float("nan")


def two_songs():
    scores = Scores(("vocals", "drums"), title="a system")
    scores.tracks.append(TrackScores("one", 20.0, {"vocals": 8.0, "drums": 4.0}, {"vocals": 10.0, "drums": 6.0}))
    scores.tracks.append(TrackScores("two", 20.0, {"vocals": NAN, "drums": 2.0}, {"vocals": NAN, "drums": 5.0}))
    return scores


def test_means_ignore_and_count_silence():
    scores = two_songs()
    assert scores.per_source() == {"vocals": 10.0, "drums": 5.5}
    assert scores.mean() == pytest.approx((8.0 + 5.0) / 2), "the mean of song means"
    assert scores.mean("si_sdr") == pytest.approx((6.0 + 2.0) / 2)
    assert scores.silent == 1


def test_interval_is_students_t():
    scores = two_songs()
    low, high = scores.interval("improvement", "drums")
    half = 12.7062047 * math.sqrt(0.5) / math.sqrt(2)  # t of 97.5 % with one degree of freedom; deviation of 6 and 5
    assert (low, high) == pytest.approx((5.5 - half, 5.5 + half))
    narrow = scores.interval("improvement", "drums", level=0.5)
    assert low < narrow[0] < 5.5 < narrow[1] < high
    assert all(map(math.isnan, scores.interval("improvement", "vocals"))), "one value tells no spread"


def test_interval_covers_the_truth_as_often_as_it_says():
    generator = torch.Generator().manual_seed(0)
    hits = 0
    for _ in range(400):
        scores = Scores(("x",))
        for value in torch.randn(6, generator=generator).tolist():
            scores.tracks.append(TrackScores("t", 1.0, {"x": value}, {"x": value}))
        low, high = scores.interval()
        hits += low < 0 < high
    assert 0.92 <= hits / 400 <= 0.98


def test_nothing_scored_is_nan_inside_and_null_outside():
    scores = Scores(("x",), [TrackScores("quiet", 1.0, {"x": NAN}, {"x": NAN})])
    assert math.isnan(scores.mean())
    found = json.loads(json.dumps(scores.as_dict(), allow_nan=False))
    assert found["improvement"]["mean"] is None
    assert found["per_track"][0]["si_sdr"] == {"x": None}
    assert "-" in str(scores)
    assert Scores(("x",)).as_dict()["tracks"] == 0


def test_dict_holds_every_number():
    found = json.loads(json.dumps(two_songs().as_dict(), allow_nan=False))
    assert found["improvement"]["sources"]["drums"]["mean"] == 5.5
    assert found["improvement"]["sources"]["vocals"] == {"mean": 10.0, "interval": [None, None], "silent": 1}
    assert found["silent"] == 1 and found["tracks"] == 2 and found["unit"] == "dB"
    assert [track["name"] for track in found["per_track"]] == ["one", "two"]


TABLE = [
    ["source", "SI-SDR dB", "improvement dB", "95 % interval", "songs"],
    ["vocals", "8.00", "10.00", "-", "1 of 2"],
    ["drums", "3.00", "5.50", "-0.85 to 11.85", "2 of 2"],
    ["mean", "4.00", "6.50", "-12.56 to 25.56", "2 of 2"],
]


def test_table_as_text_and_html():
    text = str(two_songs())
    assert "vocals" in text and "10.00" in text and "1 of 2" in text and "1 silent" in text
    lines = text.splitlines()[1:-1]
    assert len({len(line) for line in lines}) == 1, "the columns line up"
    assert lines[1] == "-" * len(lines[0]) and text.startswith("a system\n")
    cells = [re.split(" {2,}", line.strip()) for line in (lines[0], *lines[2:])]
    assert cells == TABLE
    page = two_songs()._repr_html_()
    assert page.count("<tr>") == page.count("</tr>") == 4 and 'scope="row">vocals<' in page
    assert re.findall("<t[hd][^>]*>([^<]*)</t[hd]>", page) == [cell for row in TABLE for cell in row]
    assert two_songs()._note() in text and f"<caption>a system. {two_songs()._note()}</caption>" in page
    assert "&lt;b&gt;" in Scores(("<b>",))._repr_html_()


@pytest.mark.parametrize("ask", [{"measure": "sdr"}, {"source": "voice"}])
def test_unknown_names_are_refused(ask):
    with pytest.raises(ValueError, match="Choose one of"):
        two_songs().mean(**ask)


@dataclass
class Song:
    name: str
    stems: dict
    sample_rate: int = 8000

    @property
    def seconds(self):
        return self.mixture().shape[-1] / self.sample_rate

    def sources(self, names):
        return torch.stack([self.stems[name] for name in names])

    def mixture(self):
        return sum(self.stems.values())


class Fixed(nn.Module):
    """Answers with mixture times a number for each source."""

    name, preset, sample_rate, channels, ordered = "fixed", "small", 8000, 1, True
    source_names, stride = ("a", "b"), 1

    def forward(self, mixture):
        return torch.stack([mixture, 0.5 * mixture], dim=1)


def song(seed=0, channels=1, rate=8000):
    generator = torch.Generator().manual_seed(seed)
    return Song(f"song {seed}", {n: torch.randn(channels, 4000, generator=generator) for n in "abc"}, rate)


def test_evaluate_scores_a_system():
    tracks = [song(0), song(1)]
    scores = evaluate(Fixed(), tracks, progress=False)
    assert scores.title == "fixed small"
    assert scores.mean() == pytest.approx(0.0, abs=1e-6), "the mixture gains nothing over itself"
    mixture, a = tracks[0].mixture(), tracks[0].stems["a"]
    assert scores.tracks[0].si_sdr["a"] == pytest.approx(si_sdr(mixture, a).item(), abs=1e-6)
    assert scores.tracks[0].seconds == 0.5


def test_evaluate_takes_other_rates_and_channels():
    scores = evaluate(Fixed(), [song(0, channels=2, rate=16000)], progress=False)
    assert scores.mean("si_sdr") < 0, "half of the band is lost on the way through 8 kHz"
    assert scores.mean("improvement") < -1


def test_unordered_estimates_are_matched():
    track = song(2)

    def swapped(track):
        return track.sources("ba") + 0.1

    assert score(swapped, [track], "ab", ordered=True).mean() < 0
    assert score(swapped, [track], "ab", ordered=False).mean() > 15


def test_errors_name_the_track():
    with pytest.raises(ValueError, match="track 'song 3'.*NaN"):
        score(lambda t: t.sources("ab") * NAN, [song(3)], "ab")


def band(low, high, rate=16_000, seed=0):
    """Noise between two frequencies: (C=1, N)."""
    bins = torch.fft.rfft(torch.randn(1, rate, generator=torch.Generator().manual_seed(seed)))
    frequency = torch.fft.rfftfreq(rate, 1 / rate)
    return torch.fft.irfft(bins * ((frequency >= low) & (frequency < high)), rate)


class Knows(Fixed):
    """Answers with the true sources, as far as 8 kHz can hold them."""

    def forward(self, mixture):
        split = torch.fft.rfft(mixture)
        low = torch.fft.rfftfreq(mixture.shape[-1], 1 / 8000) < 1000
        a = torch.fft.irfft(split * low, mixture.shape[-1])
        return torch.stack([a, mixture - a], dim=1)


def high_song(name="high"):
    return Song(name, {"a": band(100, 900), "b": band(1200, 3500, seed=1) + 0.7 * band(4500, 7500, seed=2)}, 16_000)


def test_a_system_of_a_lower_rate_is_scored_at_its_own_rate_too():
    tracks = [high_song()]
    heard, own = (evaluate(Knows(), tracks, progress=False, at=at) for at in ("track", "system"))
    source = tracks[0].stems["b"]
    bound = 10 * math.log10(1 / (1 - band_share(source, 4000)) - 1)  # what no system of 8 kHz gets past
    assert heard.tracks[0].si_sdr["b"] == pytest.approx(bound, abs=0.1)
    assert own.tracks[0].si_sdr["b"] > 25
    assert own.tracks[0].si_sdr["a"] > 25 and heard.tracks[0].si_sdr["a"] > 25, "nothing of it is above 4 kHz"
    assert (heard.sample_rates, own.sample_rates) == ([16_000], [8_000])


def band_share(x, below, rate=16_000):
    power = torch.fft.rfft(x).abs().square()[0]
    return float(power[torch.fft.rfftfreq(rate, 1 / rate) < below].sum() / power.sum())


def test_the_improvement_is_over_the_mixture_at_the_same_rate():
    track = high_song()
    own = evaluate(Knows(), [track], progress=False, at="system").tracks[0]
    (seen,) = at_rate([track], 8000)
    before = si_sdr(seen.mixture().expand(2, 1, -1), seen.sources("ab"))
    assert own.improvement["b"] == pytest.approx(own.si_sdr["b"] - before[1].item(), abs=1e-6)
    assert seen.mixture().shape == (1, 8000) and (seen.name, seen.seconds) == ("high", 1.0)
    assert at_rate([track], 16_000) == [track], "nothing to do"


def test_the_rate_stands_in_title_and_json():
    own = evaluate(Fixed(), [high_song(), song(1)], progress=False, at="system")
    both = evaluate(Fixed(), [high_song(), song(1)], progress=False)
    assert (
        str(own).splitlines()[0] == "fixed small, at 8000 Hz" and "fixed small, at 8000 Hz. Impr" in own._repr_html_()
    )
    assert str(both).splitlines()[0] == "fixed small, at 8000 Hz and 16000 Hz"
    assert own.as_dict()["sample_rates"] == [8000] and both.as_dict()["sample_rates"] == [8000, 16_000]
    assert two_songs().as_dict()["sample_rates"] == [] and str(two_songs()).splitlines()[0] == "a system"
    with pytest.raises(ValueError, match="at is 'mine'; choose 'track'"):
        evaluate(Fixed(), [song(1)], at="mine")


def test_the_ideal_mask_is_scored_at_the_same_rate():
    track = high_song()
    scores = oracles.evaluate(at_rate([track], 8000), "ab", progress=False)
    assert scores.sample_rates == [8000] and scores.tracks[0].si_sdr["b"] > 15
    assert str(scores).splitlines()[0] == "ideal ratio mask, p = 1, at 8000 Hz"


def test_scores_come_back_from_json_silent_sources_included():
    first = TrackScores("a", 5.0, {"x": 1.0, "y": math.nan}, {"x": 4.0, "y": math.nan})
    second = TrackScores("b", 5.0, {"x": 2.0, "y": 3.0}, {"x": 5.0, "y": 7.0})
    scores = Scores(("x", "y"), [first, second])
    rows = json.loads(json.dumps(scores.as_dict()))["per_track"]
    back = Scores(("x", "y"), [TrackScores(**row) for row in rows])
    assert back.values() == scores.values() == [4.0, 6.0]
    assert back.silent == scores.silent and back.mean(source="y") == 7.0
    assert str(back) == str(scores)
