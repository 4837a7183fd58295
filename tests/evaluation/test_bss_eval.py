"""BSS Eval: the same numbers as museval, each measure blind to what it should be blind to, and silence counted."""

import math

import numpy as np
import pytest
import torch
from torch.nn.functional import conv1d, pad

from sepbook import compat
from sepbook.evaluation import bss_eval as module
from sepbook.evaluation.bss_eval import BSSEval, bss_eval, filtered, filters

MEASURES = ("sdr", "isr", "sir", "sar", "filtered_sdr")


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def spoilt(S, C, N):
    """Sources, and estimates in which they are filtered, leak into each other, and hiss."""
    sources = noise(S, C, N)
    return sources + 0.3 * sources.roll(1, 0) + 0.2 * sources.roll(3, -1) + 0.2 * noise(S, C, N, seed=1), sources


def theirs(estimates, sources, window, taps):
    """museval's numbers, `(5, S, T)`: version 4, and the SDR that forgives a filter."""
    pair = [x.transpose(1, 2).numpy() for x in (sources, estimates)]
    common = {"window": window, "hop": window, "filters_len": taps, "framewise_filters": False}
    run = compat.museval().metrics.bss_eval
    sdr, isr, sir, sar, _ = run(*pair, bsseval_sources_version=False, **common)
    return np.stack([sdr, isr, sir, sar, run(*pair, bsseval_sources_version=True, **common)[0]])


def ours(found):
    return torch.stack([getattr(found, name) for name in MEASURES])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("S", "C", "N", "window", "taps"),
    [(3, 1, 4000, 1000, 64), (2, 2, 3000, 700, 32), (2, 1, 2500, math.inf, 512), (1, 1, 500, 500, 1)],
)
def test_equals_museval(S, C, N, window, taps):
    pytest.importorskip("museval")
    estimates, sources = spoilt(S, C, N)
    expected = theirs(estimates, sources, window, taps)
    np.testing.assert_allclose(ours(bss_eval(estimates, sources, 1, window, taps)), expected.clip(-100, 100), atol=1e-3)


@pytest.mark.filterwarnings("ignore")
def test_silent_frames_are_left_out_where_museval_leaves_them_out():
    pytest.importorskip("museval")
    estimates, sources = spoilt(2, 1, 5000)
    sources[0, :, 1000:2000] = 0
    estimates[1, :, 3000:4000] = 0
    found = bss_eval(estimates, sources, 1000, taps=32)
    np.testing.assert_allclose(ours(found), theirs(estimates, sources, 1000, 32), atol=1e-3)
    assert found.scored.tolist() == [3, 3]
    assert not found.medians()["sdr"].isnan().any()


def test_blocks_do_not_change_the_result(monkeypatch):
    estimates, sources = spoilt(2, 2, 5000)
    whole = filters(estimates, sources, 40)
    monkeypatch.setattr(module, "BLOCK", 1 << 10)
    torch.testing.assert_close(filters(estimates, sources, 40), whole, atol=1e-9, rtol=0)


def test_filters_are_found_again():
    sources = noise(2, 2, 4000).double()
    true = noise(2, 2, 2, 2, 16, seed=3).double()  # (M, C, S, C, K)
    made = filtered(pad(sources, (0, 15)), true)[..., :4015]
    torch.testing.assert_close(filters(made, pad(sources, (0, 15)), 16, ridge=0), true, atol=1e-8, rtol=0)


def tones(N=8000):
    """Two sources that have little in common, and are silent at their ends, so that a delay cuts nothing off."""
    sounds = torch.stack([noise(1, N), noise(1, N, seed=9).cumsum(-1) / 20])
    sounds[..., :100] = sounds[..., -100:] = 0
    return sounds


WORSE, SAME = -8.0, 0.5  # dB at least and at most, by which a measure falls


@pytest.mark.parametrize(
    ("change", "fall", "stay"),
    [
        (lambda s: pad(s, (5, 0))[..., :-5], ("sdr", "isr"), ("sir", "sar", "filtered_sdr")),
        (lambda s: 0.1 * s, ("sdr", "isr"), ("sir", "sar", "filtered_sdr")),
        (lambda s: s + 0.3 * s.flip(0) * s.norm() / s.flip(0).norm(), ("sdr", "sir", "filtered_sdr"), ("sar",)),
        (lambda s: s + 0.3 * noise(2, 1, 8000, seed=5) * s.std(), ("sdr", "sar", "filtered_sdr"), ()),
    ],
    ids=["late", "quiet", "leak", "hiss"],
)
def test_each_measure_falls_by_what_it_punishes_alone(change, fall, stay):
    """The first source: from a very good estimate to a spoilt one."""
    sources = tones()
    good = sources + 1e-2 * noise(2, 1, 8000, seed=6) + 1e-2 * sources.flip(0) + 1e-2 * sources.roll(1, -1)
    before, after = (bss_eval(x, sources, 1, math.inf, 64) for x in (good, change(good)))
    lost = {name: float(getattr(after, name)[0, 0] - getattr(before, name)[0, 0]) for name in MEASURES}
    assert all(lost[name] < WORSE for name in fall), lost
    assert all(lost[name] > -SAME for name in stay), lost


def test_a_source_that_is_silent_throughout_is_left_out_and_costs_nothing():
    estimates, sources = spoilt(3, 1, 3000)
    sources[1] = 0
    found = bss_eval(estimates, sources, 1000, taps=32)
    without = bss_eval(estimates[[0, 2]], sources[[0, 2]], 1000, taps=32)
    torch.testing.assert_close(ours(found)[:, [0, 2]], ours(without))
    assert found.sdr[1].isnan().all() and found.scored.tolist() == [3, 0, 3]
    assert found.medians()["sdr"].isnan().tolist() == [False, True, False]
    assert str(found).splitlines()[2].split() == ["1", *"-----", "0", "of", "3"]


def without_treble(N):
    """Noise through a smooth low-pass: far below the rest in the upper half of its band."""
    bell = torch.exp(-(torch.arange(-50, 51).double() ** 2) / 32)
    return conv1d(noise(1, 1, N - 100, seed=7).double(), bell[None, None], padding=100)


def test_a_source_without_treble_does_not_rule_its_frames():
    """The filters of museval are huge where the source has nothing, and do not cancel at the edges of frames."""
    sources = torch.cat([without_treble(16000), noise(1, 1, 16000, seed=2).double()])
    estimates = sources + 0.3 * sources.flip(0) + 0.1 * noise(2, 1, 16000, seed=4) * sources.std(-1, keepdim=True)
    whole = bss_eval(estimates, sources, 16000, math.inf, 128).sar
    framed, exploded = (bss_eval(estimates, sources, 1600, 1, 128, r).medians()["sar"] for r in (module.RIDGE, 0))
    assert ((framed - whole[:, 0]).abs() < 3).all() and (exploded < 3).all(), (whole, framed, exploded)


def test_all_silent_gives_no_score_at_all():
    assert ours(bss_eval(noise(2, 1, 100), torch.zeros(2, 1, 100), 50, taps=4)).isnan().all()


def test_channels_that_are_alike_score_like_one():
    estimates, sources = spoilt(2, 1, 4000)
    one = bss_eval(estimates, sources, 1000, taps=32)
    both = bss_eval(estimates.expand(2, 2, -1), sources.expand(2, 2, -1), 1000, taps=32)
    torch.testing.assert_close(ours(both), ours(one), atol=1e-3, rtol=0)


def test_the_median_leaves_out_what_has_no_score():
    x = torch.tensor([[1.0, 9.0, torch.nan, 2.0], [1.0, 2.0, torch.nan, torch.nan]])
    assert BSSEval(x, x, x, x, x).medians()["sar"].tolist() == [2.0, 1.5]


@pytest.mark.parametrize(
    ("estimates", "sources", "options", "message"),
    [
        (noise(3, 1, 90), noise(2, 1, 90), {}, "the estimates have 3 sources S, the sources 2"),
        (noise(2, 1, 80), noise(2, 1, 90), {}, "have 80 samples N, the sources 90"),
        (noise(2, 2, 90), noise(2, 1, 90), {}, "have 2 audio channels C, the sources 1"),
        (noise(2, 90), noise(2, 90), {}, r"both must be \(S, C, N\)"),
        (noise(2, 1, 90) / 0, noise(2, 1, 90), {}, "the estimates hold NaN or infinite"),
        (noise(2, 1, 0), noise(2, 1, 0), {}, "nothing to score"),
        (noise(2, 90, 1), noise(2, 90, 1), {}, "are C and N swapped"),
        (noise(2, 1, 90), noise(2, 1, 90), {"taps": 0}, "taps is 0"),
        (noise(2, 1, 90), noise(2, 1, 90), {"seconds": 0}, "seconds 0"),
        (noise(9, 2, 90), noise(9, 2, 90), {}, "choose fewer taps"),
    ],
)
def test_what_cannot_be_scored_is_refused(estimates, sources, options, message):
    with pytest.raises(ValueError, match=message):
        bss_eval(estimates, sources, **{"rate": 30, **options})


def test_progress_shows_only_where_it_is_wanted(capfd, monkeypatch):
    made = []
    real = module.progress_bar
    monkeypatch.setattr(module, "progress_bar", lambda *a, **k: made.append(k) or real(*a, **k))
    estimates, sources = spoilt(2, 1, 400)
    for progress in (True, False):
        bss_eval(estimates, sources, 100, taps=4, progress=progress)
    assert [(k["progress"], k["total"]) for k in made] == [(True, 7), (False, 7)]
