"""How good is a separation? SI-SDR in decibels, its improvement, and fair means of both.

SI-SDR (scale-invariant signal-to-distortion ratio, Le Roux et al. 2019, "SDR - half-baked or well done?") asks how
much of an estimate is the source, at whatever volume, and how much is anything else:

    estimate = scale * source + rest          SI-SDR = 10 log10(|scale * source|² / |rest|²)

All channels and the whole song count as one long vector. Three inner products hold everything that is needed, so
nothing as long as the song is ever stored: with <s,s>, <e,s> and <e,e>,

    |scale * source|² = <e,s>² / <s,s>        |rest|² = <e,e> - <e,s>² / <s,s>

Where the limits sit. Sums are float64. No epsilon is added anywhere; the finished ratio is limited to +-100 dB
instead. So a perfect estimate scores +100 dB, and a silent estimate of a sounding source -100 dB. A source below
-90 dB full scale (root mean square) counts as silent: no ratio describes it, so its score is NaN, and `Scores`
leaves it out of every mean and counts it.

Taught on: book/evaluation/metrics
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.linalg import vecdot

LIMIT_DB = 100.0  # no score is larger than this or smaller than minus this
SILENCE_DB = -90.0  # a reference below this level (mean square, full scale = 0 dB) counts as silent
BLOCK = 1 << 15  # samples turned into float64 at a time: few enough to stay in the processor's cache


def si_sdr(estimates: Tensor, sources: Tensor) -> Tensor:
    """Score estimates against their sources: one SI-SDR in dB for each source.

    Args:
        estimates: `(S, C, N)`; more axes in front are fine.
        sources: the true sources, the same shape.

    Returns:
        `(S,)` in dB, float64, within +-100 dB. NaN where the source is silent and no score exists.

    Raises:
        ValueError: the shapes differ, or a value is NaN or infinite.

    Taught on: book/evaluation/metrics
    """
    _check(estimates, sources)
    es = ee = ss = 0.0
    for e, s in _blocks(estimates, sources):  # (S, n)
        es, ee, ss = es + vecdot(e, s), ee + vecdot(e, e), ss + vecdot(s, s)
    return _ratio(es, ee, ss, sources.shape[-2:].numel())


def si_sdr_improvement(estimates: Tensor, sources: Tensor, mixture: Tensor) -> Tensor:
    """Say how many dB the estimates gain over handing out the untouched mixture for every source.

    Args:
        estimates: `(S, C, N)`.
        sources: `(S, C, N)`.
        mixture: `(C, N)`, what the system heard.

    Returns:
        `(S,)` in dB, float64; NaN where the source is silent.

    Raises:
        ValueError: the shapes do not belong together, or a value is NaN or infinite.

    Taught on: book/evaluation/metrics
    """
    if mixture.shape != sources.shape[1:]:
        raise ValueError(
            f"the mixture has shape {_axes(mixture)}, the sources {_axes(sources)}. "
            "Give the mixture as (C, N) with the C and N of the sources."
        )
    return si_sdr(estimates, sources) - si_sdr(mixture.expand_as(sources), sources)


def pairwise_si_sdr(estimates: Tensor, sources: Tensor) -> Tensor:
    """Score every estimate against every source: row i, column j is estimate i as source j.

    Args:
        estimates: `(S, C, N)`.
        sources: `(S, C, N)`.

    Returns:
        `(S, S)` in dB, float64; a column of NaN where the source is silent.

    Raises:
        ValueError: the shapes differ, or a value is NaN or infinite.

    Taught on: book/evaluation/metrics
    """
    _check(estimates, sources)
    es = ee = ss = 0.0
    for e, s in _blocks(estimates, sources):  # (S, n)
        es, ee, ss = es + e @ s.mT, ee + vecdot(e, e), ss + vecdot(s, s)
    return _ratio(es, ee[:, None], ss[None, :], sources.shape[-2:].numel())


def match(estimates: Tensor, sources: Tensor) -> Tensor:
    """Find which estimate belongs to which source, for systems that answer in any order.

    Of all orders it takes the one with the largest sum of SI-SDR (the Hungarian algorithm finds it without trying
    them all). A silent source takes whichever estimate is left.

    Args:
        estimates: `(S, C, N)`.
        sources: `(S, C, N)`.

    Returns:
        `(S,)` whole numbers: `estimates[match(estimates, sources)]` is in the order of the sources.

    Raises:
        ValueError: the shapes differ, or a value is NaN or infinite.

    Taught on: book/evaluation/metrics
    """
    from scipy.optimize import linear_sum_assignment

    scores = pairwise_si_sdr(estimates, sources).nan_to_num(0.0)  # silent sources: all choices are equal
    source, estimate = linear_sum_assignment(scores.mT.cpu().numpy(), maximize=True)
    return torch.as_tensor(estimate, device=estimates.device)


def _blocks(estimates: Tensor, sources: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Walk through both as `(S, n)` pieces in float64."""
    e, s = estimates.detach().flatten(-2), sources.detach().flatten(-2)  # (S, C * N)
    for a, b in zip(e.split(BLOCK, dim=-1), s.split(BLOCK, dim=-1), strict=True):
        yield a.double(), b.double()


def _ratio(es: Tensor, ee: Tensor, ss: Tensor, n: int) -> Tensor:
    """Turn the three inner products of vectors of n values into dB."""
    for name, energy in (("estimates", ee), ("sources", ss)):
        if not energy.isfinite().all():
            raise ValueError(f"the {name} hold values that are NaN or infinite: check what made them.")
    target = es.square() / ss.clamp(min=torch.finfo(ss.dtype).tiny)
    rest = (ee - target).clamp(min=0.0)
    tenth = LIMIT_DB / 10
    ratio = (target / rest).clamp(10**-tenth, 10**tenth)  # x / 0 is infinite and is limited like any other
    db = torch.where(target > 0, 10 * ratio.log10(), -LIMIT_DB)
    return torch.where(ss > n * 10 ** (SILENCE_DB / 10), db, torch.nan)


def _check(estimates: Tensor, sources: Tensor) -> None:
    """Refuse shapes that do not belong together."""
    if estimates.ndim < 2 or estimates.shape != sources.shape:
        raise ValueError(
            f"the estimates have shape {_axes(estimates)}, the sources {_axes(sources)}. "
            "Both must be (S, C, N), with equal sizes on every axis."
        )
    if sources.shape[-1] == 0:
        raise ValueError("the sources have no samples (N = 0): there is nothing to score.")


def _axes(x: Tensor) -> str:
    """Name the sizes of a tensor for an error message."""
    names = ("B", "S", "C", "N")[-x.ndim :] if x.ndim in (1, 2, 3, 4) else ()
    sizes = ", ".join(f"{a}={n}" for a, n in zip(names, x.shape, strict=True)) if names else str(tuple(x.shape))
    return f"({sizes})" if names else sizes
