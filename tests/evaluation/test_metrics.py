"""SI-SDR: against a naive formula, at its limits, with silence, in any order, and fast enough."""

import math
import time

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sepbook.evaluation import metrics
from sepbook.evaluation.metrics import LIMIT_DB, match, pairwise_si_sdr, sdr, si_sdr, si_sdr_improvement
from sepbook.losses import waveform


def naive_si_sdr(estimate, source):
    """The definition, word for word, on one (C, N) pair: the best scale by least squares, then energies."""
    e, s = (np.asarray(x, dtype=np.float64).ravel() for x in (estimate, source))
    scale = np.linalg.lstsq(s[:, None], e, rcond=None)[0][0]
    target, rest = scale * s, e - scale * s
    return 10 * np.log10(np.sum(target**2) / np.sum(rest**2))


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 4), st.integers(1, 3), st.integers(4, 3000), st.integers(0, 99), st.floats(1e-4, 1e2))
def test_equals_the_naive_formula(S, C, N, seed, amount):
    sources = noise(S, C, N, seed=seed)
    estimates = sources + amount * noise(S, C, N, seed=seed + 100)
    expected = [naive_si_sdr(e, s) for e, s in zip(estimates, sources, strict=True)]
    expected = np.clip(expected, -LIMIT_DB, LIMIT_DB)
    np.testing.assert_allclose(si_sdr(estimates, sources).numpy(), expected, atol=1e-4)


def test_blocks_do_not_change_the_result(monkeypatch):
    sources = noise(2, 2, 5000)
    estimates = sources + 0.1 * noise(2, 2, 5000, seed=1)
    whole = si_sdr(estimates, sources), pairwise_si_sdr(estimates, sources)
    monkeypatch.setattr(metrics, "BLOCK", 777)
    torch.testing.assert_close(si_sdr(estimates, sources), whole[0], atol=1e-9, rtol=0)
    torch.testing.assert_close(pairwise_si_sdr(estimates, sources), whole[1], atol=1e-9, rtol=0)


def test_a_known_value():
    """Noise at a right angle to the source with a tenth of its energy: 10 dB by definition."""
    source = torch.tensor([[[1.0, 1.0, 1.0, 1.0]]])
    rest = torch.tensor([[[1.0, -1.0, 1.0, -1.0]]]) * math.sqrt(0.1)
    assert si_sdr(source + rest, source).item() == pytest.approx(10.0, abs=1e-5)


@settings(max_examples=20, deadline=None)
@given(st.floats(1e-3, 1e3), st.booleans())
def test_the_scale_of_the_estimate_does_not_matter(scale, flip):
    sources = noise(2, 1, 400)
    estimates = sources + 0.3 * noise(2, 1, 400, seed=1)
    scaled = (-scale if flip else scale) * estimates
    torch.testing.assert_close(si_sdr(scaled, sources), si_sdr(estimates, sources), atol=1e-4, rtol=0)


def test_sdr_forgives_no_factor_and_knows_the_same_limits_and_silence():
    sources = noise(3, 2, 5000)
    estimates = sources + 0.1 * noise(3, 2, 5000, seed=1)
    expected = waveform.sdr(estimates[None].double(), sources[None].double())[0]
    torch.testing.assert_close(sdr(estimates, sources), expected, atol=1e-4, rtol=0)
    assert sdr(estimates / 2, sources).tolist() == pytest.approx([6] * 3, abs=0.2)
    assert sdr(sources, sources).tolist() == [LIMIT_DB] * 3 and sdr(0 * sources, sources).tolist() == [0] * 3
    sources[1] = 0
    assert sdr(estimates, sources).isnan().tolist() == [False, True, False]


def test_channels_count_jointly():
    """One silent estimate channel costs energy; a mean of per-channel scores would be another number."""
    sources = noise(1, 2, 1000)
    estimates = sources + 0.1 * noise(1, 2, 1000, seed=1)
    estimates[:, 1] = 0
    joint = si_sdr(estimates, sources).item()
    assert joint == pytest.approx(naive_si_sdr(estimates[0], sources[0]), abs=1e-4)
    assert abs(joint) < 1, "about half of the energy of the source is missing"


def test_limits_are_finite():
    sources = noise(3, 1, 100)
    assert si_sdr(sources, sources).tolist() == [LIMIT_DB] * 3
    assert si_sdr(torch.zeros_like(sources), sources).tolist() == [-LIMIT_DB] * 3
    orthogonal = torch.tensor([[[1.0, -1.0]]]), torch.tensor([[[1.0, 1.0]]])
    assert si_sdr(*orthogonal).tolist() == [-LIMIT_DB]


def test_silent_sources_have_no_score():
    sources = noise(3, 1, 100)
    sources[1] = 0
    estimates = noise(3, 1, 100, seed=1)
    assert si_sdr(estimates, sources).isnan().tolist() == [False, True, False]
    assert si_sdr_improvement(estimates, sources, sources.sum(0)).isnan().tolist() == [False, True, False]
    assert si_sdr(torch.zeros_like(sources), sources).isnan().tolist() == [False, True, False]


@pytest.mark.parametrize("level, silent", [(-95, True), (-85, False)])
def test_silence_is_a_level(level, silent):
    source = torch.full((1, 1, 1000), 10 ** (level / 20))
    assert si_sdr(source + 1e-3, source).isnan().item() is silent


def test_improvement_is_over_the_untouched_mixture():
    sources = noise(2, 2, 2000)
    mixture = sources.sum(0)
    assert si_sdr_improvement(mixture.expand_as(sources), sources, mixture).tolist() == [0.0, 0.0]
    half = sources + 0.5 * (mixture - sources)  # the other source at half the amplitude
    gained = si_sdr_improvement(half, sources, mixture)
    expected = [naive_si_sdr(h, s) - naive_si_sdr(mixture, s) for h, s in zip(half, sources, strict=True)]
    np.testing.assert_allclose(gained.numpy(), expected, atol=1e-4)
    assert (gained > 5).all() and (gained < 7).all()


def test_nothing_can_be_gained_on_a_mixture_of_one_source():
    sources = noise(2, 1, 100)
    sources[1] = 0
    gained = si_sdr_improvement(sources, sources, sources.sum(0))
    assert gained.isnan().all(), "the mixture is the first source, the second is silent"


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(5)))
def test_match_finds_the_order(order):
    sources = noise(5, 1, 300)
    estimates = (sources + 0.2 * noise(5, 1, 300, seed=1))[list(order)]
    found = match(estimates, sources)
    assert [order[i] for i in found] == [0, 1, 2, 3, 4]


def test_match_leaves_silence_the_rest():
    sources = noise(3, 1, 300)
    estimates = sources[[1, 2, 0]]
    sources = sources.clone()
    sources[0] = 0
    assert match(estimates, sources).tolist() == [2, 0, 1]


def test_pairwise_diagonal_is_si_sdr():
    sources, estimates = noise(3, 2, 500), noise(3, 2, 500, seed=1)
    pairs = pairwise_si_sdr(estimates, sources)
    torch.testing.assert_close(pairs.diagonal(), si_sdr(estimates, sources), atol=1e-9, rtol=0)
    assert pairs[0, 1].item() == pytest.approx(naive_si_sdr(estimates[0], sources[1]), abs=1e-4)


def test_float64_is_exact_where_float32_is_not():
    """A nearly perfect estimate of a long song: the rest is what cancellation would eat in float32."""
    sources = noise(1, 1, 1_000_000)
    estimates = sources + 1e-4 * noise(1, 1, 1_000_000, seed=1)
    assert si_sdr(estimates, sources).item() == pytest.approx(naive_si_sdr(estimates[0], sources[0]), abs=1e-4)


@pytest.mark.parametrize(
    "estimates, sources, message",
    [
        (torch.zeros(2, 1, 9), torch.zeros(3, 1, 9), r"S=2, C=1, N=9.*S=3"),
        (torch.zeros(9), torch.zeros(9), r"must be \(S, C, N\)"),
        (torch.zeros(2, 1, 0), torch.zeros(2, 1, 0), "nothing to score"),
        (torch.full((1, 1, 3), torch.nan), torch.ones(1, 1, 3), "estimates hold NaN"),
        (torch.ones(1, 1, 3), torch.full((1, 1, 3), torch.inf), "sources hold NaN or infinite"),
    ],
)
def test_what_cannot_be_scored_is_refused(estimates, sources, message):
    with pytest.raises(ValueError, match=message):
        si_sdr(estimates, sources)


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ((), "()"),
        ((9,), "(N=9)"),
        ((2, 9), "(C=2, N=9)"),
        ((3, 2, 9), "(S=3, C=2, N=9)"),
        ((4, 3, 2, 9), "(B=4, S=3, C=2, N=9)"),
        ((5, 4, 3, 2, 9), "(?=5, ?=4, ?=3, ?=2, ?=9)"),
    ],
)
def test_axes_are_named_as_long_as_their_names_are_sure(shape, said):
    with pytest.raises(ValueError) as refused:
        si_sdr(torch.ones(shape), torch.ones(7))
    assert f"the estimates have shape {said}, the sources (N=7)" in str(refused.value)


def test_a_mixture_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"C=1, N=8.*give the mixture as \(C, N\)"):
        si_sdr_improvement(torch.ones(2, 1, 9), torch.ones(2, 1, 9), torch.ones(1, 8))


@pytest.mark.slow
def test_a_song_takes_a_moment():
    """Three minutes of four stems: far below this bound of processor time, which only catches a slow formula."""
    sources = torch.randn(4, 1, 180 * 16000)
    estimates = sources + torch.randn_like(sources)
    best = min(_seconds(lambda: si_sdr(estimates, sources)) for _ in range(3))
    assert best < 0.5


def _seconds(action):
    started = time.process_time()  # what else runs on the machine does not count
    action()
    return time.process_time() - started
