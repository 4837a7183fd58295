"""Masks made from the answer: how well could any mask do, and how well does no separation do?

A mask system splits each bin of the mixture's spectrogram among the sources and keeps the mixture's phase.
When the true sources are known, the best split can be written down. Its score is a ceiling to measure real
systems by; the mixture shared out in equal parts is the floor.

Source: Wang 2005 (ideal binary mask), Liutkus and Badeau 2015 (powers of ratio masks).
Taught on: book/evaluation/oracles
"""

from collections.abc import Iterable

import torch
from torch import Tensor

from sepbook.building_blocks.stft import ISTFT, STFT
from sepbook.evaluation.metrics import Scores, score

KINDS = ("ratio", "binary")


def ideal_masks(sources: Tensor, kind: str = "ratio", p: float = 1.0, n_fft: int = 1024, hop: int = 256) -> Tensor:
    """Make the ideal masks of sources `(S, C, N) -> (S, C, F, T)`; in every bin they sum to one over S.

    "ratio": source s gets |s|^p of the sum over all sources: p = 1 shares magnitudes, p = 2 powers. "binary":
    the loudest source of the bin gets all of it, the first one of equals. In a silent bin the ratio mask
    gives equal shares. `n_fft` and `hop` are in samples.

    Raises ValueError for an unknown kind, p of 0 or less, or sources that are not `(S, C, N)`.
    Taught on: book/evaluation/oracles
    """
    if kind not in KINDS:
        raise ValueError(f"kind is {kind!r}; choose one of: {', '.join(KINDS)}")
    if not p > 0:
        raise ValueError(f"p is {p}; the power must be above 0: 1 for magnitudes, 2 for powers")
    _check_sources(sources)
    magnitude = STFT(n_fft, hop)(sources).abs()  # (S, C, F, T)
    if kind == "binary":
        return torch.zeros_like(magnitude).scatter_(0, magnitude.argmax(0, keepdim=True), 1.0)
    loudest = magnitude.amax(0, keepdim=True)  # (1, C, F, T)
    share = (magnitude / loudest.clamp(min=torch.finfo(loudest.dtype).tiny)).pow(p)  # at most 1: no overflow
    share = torch.where(loudest > 0, share, 1.0)
    return share / share.sum(0, keepdim=True)


def separate_ideal(
    sources: Tensor,
    kind: str = "ratio",
    p: float = 1.0,
    n_fft: int = 1024,
    hop: int = 256,
    mixture: Tensor | None = None,
) -> Tensor:
    """Separate the mixture of the sources with their own ideal masks: `(S, C, N) -> (S, C, N)`.

    The estimates have the mixture's phase. Without `mixture (C, N)` it is the sum of the sources; with it,
    what the sources leave of it counts as one more source, which is not returned. Raises ValueError as
    `ideal_masks` does. Taught on: book/evaluation/oracles
    """
    _check_sources(sources)
    S, N = len(sources), sources.shape[-1]
    if mixture is None:
        mixture = sources.sum(0)
    else:
        sources = torch.cat([sources, (mixture - sources.sum(0))[None]])
    masks = ideal_masks(sources, kind, p, n_fft, hop)[:S]  # (S, C, F, T)
    bins = STFT(n_fft, hop)(mixture[None])  # (1, C, F, T)
    return ISTFT(n_fft, hop)(masks * bins, N)


def equal_shares(mixture: Tensor, count: int) -> Tensor:
    """Share the mixture out in equal parts, the floor of all separation: `(C, N) -> (S, C, N)` with S = count.

    Taught on: book/evaluation/oracles
    """
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

    title = "ideal binary mask" if kind == "binary" else f"ideal ratio mask, p = {p:g}"
    return score(estimate, tracks, names, title=title, progress=progress)


def _check_sources(sources: Tensor) -> None:
    if sources.dim() != 3 or sources.numel() == 0:
        raise ValueError(f"sources must be (S, C, N): source, audio channel, sample; given was {tuple(sources.shape)}")
