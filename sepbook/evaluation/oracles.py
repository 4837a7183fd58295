"""Masks made from the answer: how well could any mask do, and how well does no separation do?

A mask system splits each bin of the mixture's spectrogram among the sources and keeps the mixture's phase.
When the true sources are known, good splits can be written down. Their scores are references to measure real
systems by, each for masks of its kind; the mixture shared out in equal parts is the floor.

Source: Wang 2005 (ideal binary mask), Liutkus and Badeau 2015 (powers of ratio masks), Erdogan et al. 2015
(phase-sensitive masks), Duchi et al. 2008 (nearest shares). Taught on: book/evaluation/oracles
"""

import math
from collections.abc import Iterable

import torch
from torch import Tensor

from sepbook._given import as_samples, as_tensor, check_bins, check_channels, check_finite
from sepbook.building_blocks.stft import ISTFT, STFT
from sepbook.evaluation.metrics import Scores, score

KINDS = ("ratio", "binary", "shares", "phase_sensitive", "truncated_phase_sensitive", "complex")
SILENT = 1e-30  # a mixture's bin below this magnitude is shared out evenly: nothing can be divided by it


def ideal_masks(sources: Tensor, kind: str = "ratio", p: float = 1.0, n_fft: int = 1024, hop: int = 256) -> Tensor:
    """Make the ideal masks of sources `(S, C, N) -> (S, C, F, T)` for their sum, the mixture.

    The kinds are "ratio" (with its power p), "binary", "shares", "phase_sensitive", "truncated_phase_sensitive" and
    "complex"; see `ratio_mask` and its neighbours. All but the truncated ones sum to one over S in every bin. The
    phase-sensitive ones are real and may be negative or above 1; the complex ones are complex. `n_fft` and `hop` are
    in samples.

    Raises ValueError for an unknown kind, p of 0 or less, or sources that are not `(S, C, N)`.
    Taught on: book/evaluation/oracles
    """
    if kind not in KINDS:
        raise ValueError(f"kind is {kind!r}; choose one of: {', '.join(KINDS)}")
    _check_power(p)
    sources = _check_sources(sources)
    bins = STFT(n_fft, hop)(sources.float())  # (S, C, F, T), complex
    if kind == "ratio":
        return ratio_mask(bins, p)
    make = {
        "binary": binary_mask,
        "shares": shares_mask,
        "phase_sensitive": phase_sensitive_mask,
        "truncated_phase_sensitive": truncated_phase_sensitive_mask,
        "complex": complex_mask,
    }
    return make[kind](bins)


def binary_mask(bins: Tensor) -> Tensor:
    """Give every bin to its loudest source: `(S, C, F, T)` complex to 0 or 1. Of equals the first one gets it.

    Source: Wang 2005. Taught on: book/foundations/masks
    """
    bins = _check_bins(bins)
    loudest = bins.abs().argmax(0, keepdim=True)  # (1, C, F, T)
    return torch.zeros(bins.shape, device=bins.device).scatter_(0, loudest, 1.0)


def ratio_mask(bins: Tensor, p: float = 1.0) -> Tensor:
    """Give source s its part |s|^p of the sum over all sources: `(S, C, F, T)` complex to shares from 0 to 1.

    p = 1 shares magnitudes, p = 2 powers. In a silent bin all get the same.
    Source: Liutkus and Badeau 2015. Taught on: book/foundations/masks
    """
    _check_power(p)
    magnitude = _check_bins(bins).abs()
    loudest = magnitude.amax(0, keepdim=True)  # (1, C, F, T)
    share = (magnitude / loudest.clamp(min=torch.finfo(loudest.dtype).tiny)).pow(p)  # at most 1: no overflow
    share = torch.where(loudest > 0, share, 1.0)
    return share / share.sum(0, keepdim=True)


def complex_mask(bins: Tensor) -> Tensor:
    """Divide each source by the mixture, the sum of all: `(S, C, F, T)` complex to complex masks.

    Source: Williamson, Wang and Wang 2016. Taught on: book/foundations/masks
    """
    bins = _check_bins(bins)
    mixture = bins.sum(0, keepdim=True)  # (1, C, F, T)
    silent = mixture.abs() < SILENT
    return torch.where(silent, 1 / len(bins), bins / torch.where(silent, 1.0, mixture))


def phase_sensitive_mask(bins: Tensor) -> Tensor:
    """Take the real part of the complex mask: of all real masks the nearest to the source, in each bin by itself.

    `(S, C, F, T)` complex to real, from below 0 to above 1. Source: Erdogan et al. 2015.
    Taught on: book/foundations/masks
    """
    return complex_mask(bins).real


def truncated_phase_sensitive_mask(bins: Tensor) -> Tensor:
    """Cut the phase-sensitive mask to the range from 0 to 1, bin by bin still the best there: `(S, C, F, T)`.

    Source: Erdogan et al. 2015. Taught on: book/foundations/masks
    """
    return phase_sensitive_mask(bins).clamp(0.0, 1.0)


def shares_mask(bins: Tensor) -> Tensor:
    """Give each bin the best shares: of all masks of at least 0 and of sum 1, the nearest to the sources, bin by bin.

    `(S, C, F, T)` complex to real. It is what a softmax over sources could reach at best: the phase-sensitive mask,
    brought onto the shares by one number that is taken off all S. What would fall below 0 becomes 0.
    Source: Duchi et al. 2008. Taught on: book/evaluation/oracles
    """
    mask = phase_sensitive_mask(bins)
    sizes = mask.sort(0, descending=True).values
    counts = torch.arange(1, len(mask) + 1, device=mask.device).view(-1, *[1] * (mask.dim() - 1))
    excess = (sizes.cumsum(0) - 1) / counts  # what to take off, if so many sources keep a share
    keep = (sizes > excess).sum(0, keepdim=True)
    return (mask - excess.gather(0, keep - 1)).clamp_min(0)


def separate_ideal(
    sources: Tensor,
    kind: str = "ratio",
    p: float = 1.0,
    n_fft: int = 1024,
    hop: int = 256,
    mixture: Tensor | None = None,
) -> Tensor:
    """Separate the mixture of the sources with their own ideal masks: `(S, C, N) -> (S, C, N)`.

    Unless the masks are complex, the estimates have the mixture's phase, or its opposite. Without `mixture (C, N)` it
    is the sum of the sources; with it, what the sources leave of it counts as one more source, which is not returned.
    Raises ValueError as `ideal_masks` does. Taught on: book/evaluation/oracles
    """
    sources = _check_sources(sources)
    S, N = len(sources), sources.shape[-1]
    if mixture is None:
        mixture = sources.sum(0)
    else:
        mixture = check_finite(as_samples(mixture, "mixture"), "mixture")
        if mixture.shape != sources.shape[1:]:
            raise ValueError(
                f"the mixture is {tuple(mixture.shape)} and the sources are {tuple(sources.shape)}: give the mixture "
                "as (C, N), with the C and N of the sources"
            )
        sources = torch.cat([sources, (mixture - sources.sum(0))[None]])
    masks = ideal_masks(sources, kind, p, n_fft, hop)[:S]  # (S, C, F, T)
    bins = STFT(n_fft, hop)(mixture[None])  # (1, C, F, T)
    return ISTFT(n_fft, hop)(masks * bins, N)


def equal_shares(mixture: Tensor, count: int) -> Tensor:
    """Share the mixture out in equal parts, the floor of all separation: `(C, N) -> (S, C, N)` with S = count.

    Taught on: book/evaluation/oracles
    """
    mixture = as_samples(mixture, "mixture", "(C, N)")
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise ValueError(f"count is {count!r}; expected a whole number of sources, at least 1")
    return (mixture / count).expand(count, *mixture.shape).clone()


def evaluate(
    tracks: Iterable,
    source_names: Iterable[str],
    kind: str = "ratio",
    p: float = 1.0,
    n_fft: int = 1024,
    hop: int = 256,
    progress: bool = True,
) -> Scores:
    """Score the ideal masks on tracks, as `metrics.evaluate` scores a system.

    What a track holds beyond `source_names` counts as one more source. Raises ValueError as `ideal_masks` does.
    Taught on: book/evaluation/oracles
    """
    names = tuple(source_names)

    def estimate(track) -> Tensor:
        return separate_ideal(track.sources(names), kind, p, n_fft, hop, track.mixture())

    title = f"ideal ratio mask, p = {p:g}" if kind == "ratio" else f"ideal {kind.replace('_', '-')} mask"
    return score(estimate, tracks, names, title=title, progress=progress)


def _check_power(p: float) -> None:
    if not 0 < p < math.inf:
        raise ValueError(f"p is {p}; the power must be above 0: 1 for magnitudes, 2 for powers")


def _check_sources(sources) -> Tensor:
    sources = as_samples(sources, "sources")
    if sources.dim() != 3 or sources.numel() == 0:
        raise ValueError(f"sources must be (S, C, N): source, audio channel, sample; given was {tuple(sources.shape)}")
    return check_finite(check_channels(sources, "sources", "(S, C, N)"), "sources")


def _check_bins(bins) -> Tensor:
    bins = check_bins(as_tensor(bins, "bins"), "bins")
    if bins.dim() < 3 or bins.numel() == 0:
        raise ValueError(f"bins must be (S, C, F, T): source, audio channel, bin, frame; given was {tuple(bins.shape)}")
    return check_finite(bins, "bins")
