"""How good is a separation? SI-SDR in decibels, and how much of it the system gained.

SI-SDR (scale-invariant signal-to-distortion ratio) asks how much of an estimate is the source, at whatever
volume, and how much is anything else::

    estimate = scale * source + rest          SI-SDR = 10 log10(|scale * source|² / |rest|²)

All channels and the whole song count as one long vector. Three inner products hold all that is needed, so
nothing as long as the song is ever made::

    |scale * source|² = <e, s>² / <s, s>      |rest|² = <e, e> - <e, s>² / <s, s>

Where the limits sit. Sums are float64. No epsilon is added anywhere: the finished ratio is held within ±100
dB instead. So a perfect estimate scores 100 dB, and silence in place of a sounding source -100 dB. A source
below -90 dB (mean square; full scale is 0 dB) counts as silent. No ratio describes it: its score is NaN, and
`Scores` leaves it out of every mean and counts it.

Source: Le Roux et al. 2019, "SDR - half-baked or well done?". Taught on: book/evaluation/metrics
"""

from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Tensor
from torch.linalg import vecdot

from sepbook import audio
from sepbook._bars import progress_bar
from sepbook._given import as_samples, check_channels, check_together
from sepbook.evaluation.scores import Scores, TrackScores
from sepbook.evaluation.separation import separate
from sepbook.losses.permutation import best_permutation
from sepbook.losses.silence import SILENCE

__all__ = ["Scores", "at_rate", "evaluate", "match", "pairwise_si_sdr", "score", "sdr", "si_sdr", "si_sdr_improvement"]

LIMIT_DB = 100.0  # no score is above this or below minus this
BLOCK = 1 << 15  # samples turned into float64 at a time: few enough for the processor's cache


def si_sdr(estimates: Tensor, sources: Tensor) -> Tensor:
    """Score estimates against their sources: `(S, C, N), (S, C, N) -> (S,)` in dB, float64.

    More axes in front of C are welcome. NaN where the source is silent. Raises ValueError when the shapes
    differ or a value is NaN or infinite. Taught on: book/evaluation/metrics
    """
    estimates, sources = _check(estimates, sources)
    es = ee = ss = 0.0
    for e, s in _blocks(estimates, sources):  # (S, n)
        es, ee, ss = es + vecdot(e, s), ee + vecdot(e, e), ss + vecdot(s, s)
    return _decibels(es, ee, ss, sources.shape[-2:].numel())


def sdr(estimates: Tensor, sources: Tensor) -> Tensor:
    """Score estimates as they are, with no factor forgiven: `(S, C, N), (S, C, N) -> (S,)` in dB, float64.

    |source|² / |estimate - source|² over the whole song. BSS Eval takes the same in frames
    (`sepbook.evaluation.bss_eval`). NaN where the source is silent. Raises ValueError like `si_sdr`.
    Taught on: book/evaluation/metrics
    """
    estimates, sources = _check(estimates, sources)
    rest = ee = ss = 0.0
    for e, s in _blocks(estimates, sources):  # (S, n)
        rest, ee, ss = rest + vecdot(e - s, e - s), ee + vecdot(e, e), ss + vecdot(s, s)
    _check_finite(ee, ss)
    return _ratio(ss, rest, ss, sources.shape[-2:].numel())


def si_sdr_improvement(estimates: Tensor, sources: Tensor, mixture: Tensor) -> Tensor:
    """Say how much better the estimates are than the untouched mixture `(C, N)` in place of every source.

    `(S, C, N), (S, C, N), (C, N) -> (S,)` in dB, float64. NaN where the source is silent, and where the
    mixture already is the source, so that nothing could be gained. Raises ValueError when the shapes do not
    belong together or a value is NaN or infinite. Taught on: book/evaluation/metrics
    """
    sources, mixture = as_samples(sources, "sources"), as_samples(mixture, "mixture")
    if mixture.shape != sources.shape[1:]:
        raise ValueError(
            f"the mixture has shape {_sizes(mixture)}, the sources {_sizes(sources)}: "
            "give the mixture as (C, N), with the C and N of the sources"
        )
    before = si_sdr(mixture.expand_as(sources), sources)
    before = torch.where(before < LIMIT_DB, before, torch.nan)
    return si_sdr(estimates, sources) - before


def pairwise_si_sdr(estimates: Tensor, sources: Tensor) -> Tensor:
    """Score every estimate against every source: `(S, C, N), (S, C, N) -> (S, S)` in dB, float64.

    Row i, column j is estimate i taken for source j; a column of NaN where the source is silent. Raises
    ValueError like `si_sdr`. Taught on: book/evaluation/metrics
    """
    estimates, sources = _check(estimates, sources)
    if sources.ndim < 3:
        raise ValueError(f"the sources have shape {_sizes(sources)}, but must be (S, C, N); add S with sources[None]")
    es = ee = ss = 0.0
    for e, s in _blocks(estimates, sources):  # (S, n)
        es, ee, ss = es + e @ s.mT, ee + vecdot(e, e), ss + vecdot(s, s)
    return _decibels(es, ee[:, None], ss[None, :], sources.shape[-2:].numel())


def match(estimates: Tensor, sources: Tensor) -> Tensor:
    """Find the estimate that belongs to each source: `estimates[match(estimates, sources)]` is in their order.

    `(S, C, N), (S, C, N) -> (S,)` int64. Of all orders it is the one with the largest sum of SI-SDR; a silent
    source takes what is left over. Raises ValueError like `si_sdr`. Taught on: book/evaluation/metrics
    """
    scores = pairwise_si_sdr(estimates, sources)  # (S, S)
    return best_permutation(-scores.nan_to_num()[None], silent=scores.isnan().any(0)[None])[0]


def evaluate(system, tracks: Iterable, progress: bool = True, at: str = "track") -> Scores:
    """Separate every track with a system and score the estimates.

    A track has `name`, `seconds`, `sample_rate`, `mixture() -> (C, N)` and `sources(names) -> (S, C, N)`.
    Scores are taken at the track's own rate and channels, as a listener hears it, whatever the system works
    at. A system of a lower rate can return nothing above half of it: `at="system"` scores it at its own rate,
    against sources that end there too. When the system is not `ordered`, each track is scored in its best order.
    `progress` shows a bar after two seconds. Raises ValueError for another `at`. Taught on: book/evaluation/metrics
    """
    if at not in ("track", "system"):
        raise ValueError(f"at is {at!r}; choose 'track' (at each track's own rate) or 'system' (at the system's)")

    def estimate(track) -> Tensor:
        return separate(system, track.mixture(), track.sample_rate)

    title = " ".join(word for word in (system.name, system.preset) if word)
    tracks = at_rate(tracks, system.sample_rate) if at == "system" else tracks
    return score(estimate, tracks, system.source_names, system.ordered, title, progress)


def at_rate(tracks: Iterable, rate: int) -> list:
    """See tracks at another sample rate in Hz: what lies above half of it is gone from mixture and sources.

    For scores at a system's own rate, and for those of ideal masks beside them. Taught on: book/evaluation/metrics
    """
    return [track if track.sample_rate == rate else _AtRate(track, rate) for track in tracks]


class _AtRate:
    """A track at another rate."""

    def __init__(self, track, rate: int):
        self.track, self.name, self.seconds, self.sample_rate = track, track.name, track.seconds, rate

    def sources(self, names) -> Tensor:
        """The sources `(S, C, N)`."""
        return audio.resample(self.track.sources(names), self.track.sample_rate, self.sample_rate)

    def mixture(self) -> Tensor:
        """The mixture `(C, N)`."""
        return audio.resample(self.track.mixture(), self.track.sample_rate, self.sample_rate)


def score(
    estimate: Callable[..., Tensor],
    tracks: Iterable,
    source_names: Iterable[str],
    ordered: bool = True,
    title: str = "",
    progress: bool = True,
) -> Scores:
    """Score any function from a track to estimates `(S, C, N)`: a system, an oracle, a baseline.

    Raises ValueError that names the track when its estimates have a wrong shape or hold NaN.
    Taught on: book/evaluation/metrics
    """
    scores = Scores(tuple(source_names), title=title)
    for track in progress_bar(tracks, desc="Scoring", unit="song", progress=progress):
        try:
            scores.tracks.append(_score_track(estimate(track), track, scores.source_names, ordered))
        except ValueError as error:
            raise type(error)(f"track '{track.name}': {error}") from error
    return scores


def _score_track(estimates: Tensor, track, names: tuple[str, ...], ordered: bool) -> TrackScores:
    sources, mixture = track.sources(names), track.mixture()  # (S, C, N), (C, N)
    if not ordered:
        estimates = estimates[match(estimates, sources)]
    plain = si_sdr(estimates, sources).tolist()
    gained = si_sdr_improvement(estimates, sources, mixture).tolist()
    by_name = [dict(zip(names, values, strict=True)) for values in (plain, gained)]
    return TrackScores(track.name, float(track.seconds), *by_name, getattr(track, "sample_rate", None))


def _blocks(estimates: Tensor, sources: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Walk through both as `(S, n)` pieces in float64."""
    e, s = estimates.detach().flatten(-2), sources.detach().flatten(-2)  # (S, C * N)
    for a, b in zip(e.split(BLOCK, dim=-1), s.split(BLOCK, dim=-1), strict=True):
        yield a.double(), b.double()


def _decibels(es: Tensor, ee: Tensor, ss: Tensor, count: int) -> Tensor:
    """Turn the three inner products of vectors with `count` values into dB."""
    _check_finite(ee, ss)
    target = es.square() / ss.clamp(min=torch.finfo(ss.dtype).tiny)
    rest = (ee - target).clamp(min=0.0)  # rounding can leave it a hair below zero
    return _ratio(target, rest, ss, count)


def _ratio(target: Tensor, rest: Tensor, ss: Tensor, count: int) -> Tensor:
    """Energies of what is right and what is wrong, in dB; NaN where the source's energy `ss` is that of silence."""
    most = 10 ** (LIMIT_DB / 10)
    decibels = 10 * (target / rest).clamp(1 / most, most).log10()
    decibels = torch.where(target > 0, decibels, -LIMIT_DB)  # 0 / 0: the estimate is silent
    return torch.where(ss > count * SILENCE, decibels, torch.nan)


def _check_finite(ee: Tensor, ss: Tensor) -> None:
    for name, energy in (("estimates", ee), ("sources", ss)):
        if not energy.isfinite().all():
            raise ValueError(f"the {name} hold NaN or infinite samples; look at what made them")


def _check(estimates, sources) -> tuple[Tensor, Tensor]:
    estimates, sources = as_samples(estimates, "estimates"), as_samples(sources, "sources")
    check_together(estimates=estimates, sources=sources)
    if estimates.ndim < 2 or estimates.shape != sources.shape:
        raise ValueError(
            f"the estimates have shape {_sizes(estimates)}, the sources {_sizes(sources)}: "
            "both must be (S, C, N), with the same size on every axis"
        )
    if sources.numel() == 0:
        raise ValueError(f"the sources have shape {_sizes(sources)}: there is nothing to score")
    check_channels(sources, "sources", "(S, C, N)")
    return estimates, sources


def _sizes(x: Tensor) -> str:
    """Write a shape with its axes named, as in (S=4, C=1, N=16000)."""
    axes = "BSCN"[-x.ndim :] if 0 < x.ndim <= 4 else "?" * x.ndim
    return "(" + ", ".join(f"{a}={n}" for a, n in zip(axes, x.shape, strict=True)) + ")"
