"""Ideal masks: shares that sum to one, order among oracles, silence, and what bounds them."""

from types import SimpleNamespace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sepbook.building_blocks.stft import STFT
from sepbook.evaluation.metrics import si_sdr_improvement
from sepbook.evaluation.oracles import KINDS, equal_shares, evaluate, ideal_masks, separate_ideal

RATE = 8000


def tones(*frequencies, C=1, N=RATE):
    time = torch.arange(N) / RATE
    return torch.stack([torch.sin(2 * torch.pi * f * time).expand(C, N) for f in frequencies])  # (S, C, N)


def noise(S=3, C=2, N=3000, seed=0):
    return torch.randn(S, C, N, generator=torch.Generator().manual_seed(seed))


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(["ratio", "binary", "shares"]), st.floats(0.1, 8), st.integers(1, 2), st.integers(1, 2000))
def test_masks_share_every_bin(kind, p, C, N):
    masks = ideal_masks(noise(3, C, N), kind, p, n_fft=256, hop=64)
    assert masks.shape == (3, C, 129, 1 + -(-N // 64))
    assert masks.isfinite().all() and (masks >= 0).all()
    torch.testing.assert_close(masks.sum(0), torch.ones_like(masks[0]))
    if kind == "binary":
        assert set(masks.unique().tolist()) <= {0.0, 1.0}


def test_ratio_masks_by_hand():
    """Two sources that differ only in amplitude, 3 to 1: shares of 3/4, with powers 9/10."""
    one = noise(1)
    sources = torch.cat([3 * one, one])
    for p, share in [(1, 3 / 4), (2, 9 / 10)]:
        torch.testing.assert_close(ideal_masks(sources, p=p)[0], torch.full_like(ideal_masks(sources)[0], share))
    assert ideal_masks(sources, "binary")[0].min() == 1


def test_no_shares_are_nearer_to_the_sources():
    bins = STFT(64, 16)(noise(3, 1, 300))  # (S, C, F, T)
    mixture, best = bins.sum(0), ideal_masks(noise(3, 1, 300), "shares", n_fft=64, hop=16)
    least = (bins - best * mixture).abs().square().sum(0)
    dice = torch.Generator().manual_seed(1)
    for sharp in (1.0, 20.0):
        for _ in range(50):
            other = (sharp * torch.randn(bins.shape, generator=dice)).softmax(0)
            assert ((bins - other * mixture).abs().square().sum(0) >= least - 1e-5).all()
    for other in (ideal_masks(noise(3, 1, 300), "binary", n_fft=64, hop=16), best.roll(1, 0)):
        assert ((bins - other * mixture).abs().square().sum(0) >= least - 1e-5).all()


def test_a_high_power_is_nearly_binary():
    sources = noise()
    near = (ideal_masks(sources, p=300) - ideal_masks(sources, "binary")).abs().mean()
    assert near < 0.01


def test_complex_masks_return_the_sources():
    sources = noise()
    torch.testing.assert_close(separate_ideal(sources, "complex"), sources, atol=1e-4, rtol=0)
    masks = ideal_masks(sources, "complex")
    torch.testing.assert_close(masks.sum(0), torch.ones_like(masks[0]), atol=1e-3, rtol=0)


def test_phase_sensitive_masks_by_hand():
    """A source and its rest at a right angle, 3 to 4: the mask is 9/25. Against the mixture: below 0, and above 1."""
    n = torch.arange(8192)
    tone, turned = torch.cos(torch.pi * n / 8), torch.sin(torch.pi * n / 8)  # bin 64 of 1024
    for pair, share in [((3 * tone, 4 * turned), 9 / 25), ((-tone, 3 * tone), -1 / 2), ((3 * tone, -tone), 3 / 2)]:
        sources = torch.stack(pair)[:, None]
        for kind, expected in [("phase_sensitive", share), ("truncated_phase_sensitive", min(max(share, 0.0), 1.0))]:
            mask = ideal_masks(sources, kind)[0, 0, 64, 8:-8]
            torch.testing.assert_close(mask, torch.full_like(mask, expected), atol=1e-3, rtol=0)


def test_no_real_mask_is_nearer_to_the_source_in_any_bin():
    sources = noise(S=2, C=1)
    bins = STFT()(sources)
    mixture = bins.sum(0)

    def error(masks):
        return (masks * mixture - bins).abs()

    best, between = (
        error(ideal_masks(sources, "phase_sensitive")),
        error(ideal_masks(sources, "truncated_phase_sensitive")),
    )
    for masks in [ideal_masks(sources), ideal_masks(sources, p=2), ideal_masks(sources, "binary"), 0 * between, 0.5]:
        assert (between <= error(masks) + 1e-5).all()
    assert (best <= between + 1e-5).all()


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_finite_and_scored(kind):
    sources = torch.cat([noise(), torch.zeros(1, 2, 3000)])
    sources[:, :, 1000:2500] = 0
    sources[1] = -sources[0]  # they cancel
    masks = ideal_masks(sources, kind)
    assert masks.isfinite().all() and masks.is_complex() == (kind == "complex")
    track = SimpleNamespace(
        name="noise", seconds=1.0, mixture=lambda: sources.sum(0), sources=lambda names=None: sources
    )
    scores = evaluate([track], "abcd", kind, progress=False)
    assert kind.split("_")[-1] in scores.title


def test_silence_is_safe():
    sources = noise(2)
    sources[1] = 0
    torch.testing.assert_close(ideal_masks(sources)[0].min().item(), 1.0)
    assert (ideal_masks(torch.zeros(4, 1, 1000)) == 0.25).all()
    estimates = separate_ideal(torch.zeros(4, 1, 1000))
    assert (estimates == 0).all()
    tiny = 1e-30 * noise(2)
    assert ideal_masks(tiny, p=2).isfinite().all()


@pytest.mark.parametrize("kind", ["ratio", "binary"])
@pytest.mark.parametrize("N", [1, 255, 3000])
def test_estimates_add_up_to_the_mixture(kind, N):
    sources = noise(N=N)
    estimates = separate_ideal(sources, kind)
    assert estimates.shape == sources.shape
    torch.testing.assert_close(estimates.sum(0), sources.sum(0), atol=1e-4, rtol=0)


def test_tones_far_apart_are_separated_nearly_perfectly():
    sources = tones(500, 2500)
    gained = si_sdr_improvement(separate_ideal(sources), sources, sources.sum(0))
    assert (gained > 25).all()


def test_oracles_beat_no_separation():
    generator = torch.Generator().manual_seed(1)
    envelope = torch.rand(3, 1, 20, generator=generator).repeat_interleave(400, -1)
    sources = envelope**3 * noise(3, 1, 8000)
    mixture = sources.sum(0)
    for kind, p in [("ratio", 1), ("ratio", 2), ("binary", 1)]:
        assert (si_sdr_improvement(separate_ideal(sources, kind, p), sources, mixture) > 3).all()
    floor = si_sdr_improvement(equal_shares(mixture, 3), sources, mixture)
    torch.testing.assert_close(floor, torch.zeros(3, dtype=torch.float64), atol=1e-5, rtol=0)


def test_the_rest_of_a_mixture_counts_as_one_more_source():
    sources = tones(500, 1500, 2500)
    mixture = sources.sum(0)
    alone = separate_ideal(sources[:2], mixture=mixture)
    torch.testing.assert_close(alone, separate_ideal(sources)[:2], atol=1e-4, rtol=0)
    complete = separate_ideal(sources, mixture=mixture)
    torch.testing.assert_close(complete, separate_ideal(sources), atol=1e-3, rtol=0)


@pytest.mark.parametrize(
    "ask, message",
    [
        ({"kind": "soft"}, "'soft'; choose one of: ratio, binary"),
        ({"p": 0}, "power must be above 0"),
        ({"p": float("nan")}, "power must be above 0"),
        ({"sources": torch.ones(2, 5)}, r"must be \(S, C, N\)"),
        ({"sources": torch.ones(2, 1, 0)}, r"must be \(S, C, N\)"),
    ],
)
def test_what_makes_no_mask_is_refused(ask, message):
    with pytest.raises(ValueError, match=message):
        ideal_masks(**{"sources": noise(), **ask})
