"""BSS Eval, version 4: split an estimate into what the sources explain and what nothing explains, and compare energies.

An estimate is projected twice, onto all that fixed filters of `taps` samples can make of its own source, and onto all
that they can make of all sources together::

    estimate = source + (own - source) + (all - own)  + (estimate - all)
                        spatial error    interference   artefacts

    SDR = |source|² / |estimate - source|²          no filter is forgiven
    ISR = |source|² / |own - source|²               how much was filtered, or moved between the channels
    SIR = |own|²    / |all - own|²                  how much of the others is heard
    SAR = |all|²    / |estimate - all|²             how much is neither
    filtered SDR = |own|² / |estimate - own|²       the older SDR: a filter of the source counts as the source

The filters are found once, on the whole signal; the energies are taken in frames of a second. A table shows the median
over frames, since a few frames in which a source hardly sounds would rule a mean.

Where it follows `museval`, and where not. A frame in which a source or an estimate is silent has no score, for any
source, as there. A source that is silent throughout is left out and counted; museval refuses it. Silence is below
-90 dB, as everywhere in this package; there it is zeros. Scores are held within ±100 dB. The diagonal of the
equations is raised by `ridge`, a part in 10^6. Without it the filters of a source that has nothing in some band may be
huge there. They cancel over the whole signal but not at the edges of a frame, and rule its ISR, SIR and SAR.

Source: Vincent et al. 2006; Stöter et al. 2018. Taught on: book/evaluation/metrics
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields

import torch
from torch import Tensor
from torch.fft import irfft, rfft

from sepbook._bars import progress_bar
from sepbook._given import as_samples, check_channels, check_together
from sepbook.losses.silence import SILENCE

__all__ = ["TAPS", "BSSEval", "bss_eval", "filtered", "filters", "project"]

TAPS = 512  # samples of a filter that is forgiven
LIMIT_DB = 100.0  # no score is above this or below minus this
BLOCK = 1 << 16  # samples transformed at a time
RIDGE = 1e-6  # of the mean diagonal: 60 dB below the sources
MOST_EQUATIONS = 8192  # half a gigabyte


@dataclass(frozen=True)
class BSSEval:
    """Scores `(S, T)` in dB, for each source and frame; NaN where there is none. Print it, or ask for `medians()`.

    Taught on: book/evaluation/metrics
    """

    sdr: Tensor
    isr: Tensor
    sir: Tensor
    sar: Tensor
    filtered_sdr: Tensor

    def medians(self) -> dict[str, Tensor]:
        """Give the median over the frames that have a score, `(S,)` for each measure; NaN where none has."""
        return {field.name: _median(getattr(self, field.name)) for field in fields(self)}

    @property
    def scored(self) -> Tensor:
        """Count the frames that have a score, `(S,)`."""
        return (~self.sdr.isnan()).sum(-1)

    def __str__(self) -> str:
        """Draw the medians as a table."""
        T = self.sdr.shape[-1]
        medians = self.medians()
        lines = ["source  " + "".join(f"{name.replace('_', ' ').upper():>13}" for name in medians) + "        frames"]
        for s, count in enumerate(self.scored.tolist()):
            cells = "".join(f"{'-' if x[s].isnan() else f'{x[s]:.2f}':>13}" for x in medians.values())
            lines.append(f"{s:<8}{cells}{f'{count} of {T}':>14}")
        return "\n".join([*lines, "dB, medians over the frames that have a score"])


@torch.no_grad()
def bss_eval(
    estimates, sources, rate: int, seconds: float = 1.0, taps: int = TAPS, ridge: float = RIDGE, progress: bool = True
) -> BSSEval:
    """Score estimates `(S, C, N)` against their sources `(S, C, N)` in frames of `seconds`, at `rate` Hz.

    `seconds=math.inf` makes the whole signal one frame. All sources of the mixture must be given, or what is left out
    counts as artefacts. With `ridge=0` the equations are those of museval. `progress` shows a bar after two seconds.
    Raises ValueError when shapes differ or a value is NaN or infinite. Taught on: book/evaluation/metrics
    """
    estimates, sources = _check(estimates, sources, taps)
    window = _window(rate, seconds, sources.shape[-1])
    S, sounds = len(sources), _energy(sources) > SILENCE * sources[0].numel()
    frames = list(range(0, sources.shape[-1] - window + 1, window))
    scores = torch.full((len(fields(BSSEval)), S, len(frames)), torch.nan, dtype=torch.float64)
    if sounds.any():
        e, s = estimates[sounds], sources[sounds]
        bar = progress_bar(total=len(s) + 1 + len(frames), desc="BSS Eval", progress=progress)
        with bar:
            joint, own = _all_filters(e, s, taps, ridge, bar)
            for t, start in enumerate(frames):
                part = slice(start, start + window)
                scores[:, sounds, t] = _frame(e[..., part], s[..., part], joint, own)
                bar.update()
    return BSSEval(*scores)


def filters(estimates, sources, taps: int = TAPS, ridge: float = RIDGE) -> Tensor:
    """Find the filters that bring the sources as near to each estimate as they can, by least squares.

    `(M, C, N), (S, C, N) -> (M, C, S, C, taps)`: for each estimate and channel, one filter for every source and
    channel, float64. Raises ValueError when there are too many to solve for. Taught on: book/evaluation/metrics
    """
    (M, C, _), S = estimates.shape, len(sources)
    if S * C * taps > MOST_EQUATIONS:
        raise ValueError(
            f"S={S} sources with C={C} channels and {taps} taps make {S * C * taps} equations, more than "
            f"{MOST_EQUATIONS}: choose fewer taps, or score the channels one by one"
        )
    x, e = sources.flatten(0, 1), estimates.flatten(0, 1)  # (S·C, N), (M·C, N)
    lags = _correlations(x, torch.cat([x, e]), taps)  # (S·C, S·C + M·C, 2·taps - 1)
    k = torch.arange(taps)
    gram = lags[:, : S * C, k[:, None] - k + taps - 1]  # (S·C, S·C, taps, taps): Toeplitz, since a filter is fixed
    gram = gram.transpose(1, 2).reshape(S * C * taps, S * C * taps)
    gram.diagonal().add_(ridge * gram.diagonal().mean())
    right = lags[:, S * C :, taps - 1 :].transpose(1, 2).reshape(S * C * taps, M * C)
    return torch.linalg.solve(gram, right).T.reshape(M, C, S, C, taps)


def filtered(sources, filters) -> Tensor:
    """Filter the sources and add them up: `(S, C, n), (M, C, S, C, taps) -> (M, C, n + taps - 1)`.

    Taught on: book/evaluation/metrics
    """
    length = sources.shape[-1] + filters.shape[-1] - 1
    size = 1 << (length - 1).bit_length()
    bins = (rfft(sources.double(), size) * rfft(filters, size)).sum((2, 3))  # (M, C, F)
    return irfft(bins, size)[..., :length]


@torch.no_grad()
def project(estimates, sources, taps: int = TAPS, ridge: float = RIDGE) -> Tensor:
    """Bring filtered sources as near to each estimate as they come: `(M, C, N), (S, C, N) -> (M, C, N + taps - 1)`.

    Float64. Raises ValueError like `filters`. Taught on: book/evaluation/metrics
    """
    return filtered(sources, filters(estimates, sources, taps, ridge))


def _all_filters(estimates: Tensor, sources: Tensor, taps: int, ridge: float, bar) -> tuple[Tensor, Tensor]:
    """Filters of all sources for each estimate, and those of its own source: `(S, C, S, C, K)`, `(S, C, 1, C, K)`."""
    joint = filters(estimates, sources, taps, ridge)
    bar.update()
    own = []
    for e, s in zip(estimates.split(1), sources.split(1), strict=True):
        own.append(filters(e, s, taps, ridge))
        bar.update()
    return joint, torch.cat(own)


def _frame(estimates: Tensor, sources: Tensor, joint: Tensor, own: Tensor) -> Tensor:
    """The five scores `(5, S)` of one frame `(S, C, n)`; NaN where an estimate or a source is silent."""
    least = min(_energy(estimates).min(), _energy(sources).min())
    if least <= SILENCE * sources[0].numel():
        return torch.full((len(fields(BSSEval)), len(sources)), torch.nan, dtype=torch.float64)
    every = filtered(sources, joint)  # (S, C, n + taps - 1)
    alone = torch.cat([filtered(s, f) for s, f in zip(sources.split(1), own.split(1), strict=True)])
    more = every.shape[-1] - sources.shape[-1]  # a filter rings on after the last sample
    e, s = (torch.nn.functional.pad(x.double(), (0, more)) for x in (estimates, sources))
    pairs = (s, e - s), (s, alone - s), (alone, every - alone), (every, e - every), (alone, e - alone)
    return torch.stack([_decibels(_energy(good), _energy(bad)) for good, bad in pairs])


def _correlations(x: Tensor, y: Tensor, taps: int) -> Tensor:
    """Inner products of `x (J, N)` with `y (M, N)` moved by -taps < lag < taps: `(J, M, 2·taps - 1)`, float64.

    Block by block, and only the lags that are wanted: the spectra of a long song would not fit into memory.
    """
    edge = taps - 1
    size = min(BLOCK, 1 << (x.shape[-1] + 2 * edge - 1).bit_length())
    total = 0
    for a, b in _blocks(x, torch.nn.functional.pad(y, (edge, edge)), size - 2 * edge, edge):
        total = total + rfft(a, size).conj()[:, None] * rfft(b, size)  # (J, M, F)
    return irfft(total, size)[..., : 2 * taps - 1]


def _blocks(x: Tensor, padded: Tensor, length: int, edge: int) -> Iterator[tuple[Tensor, Tensor]]:
    for start in range(0, x.shape[-1], length):
        yield x[:, start : start + length].double(), padded[:, start : start + length + 2 * edge].double()


def _energy(x: Tensor) -> Tensor:
    """Energies of `(S, C, n)`, `(S,)`, float64."""
    return x.double().square().sum((-2, -1))


def _decibels(good: Tensor, bad: Tensor) -> Tensor:
    most = 10 ** (LIMIT_DB / 10)
    return 10 * (good / bad).nan_to_num(0.0, posinf=most).clamp(1 / most, most).log10()


def _median(scores: Tensor) -> Tensor:
    """The middle of `(S, T)` over frames, of an even number the mean of both in the middle, NaN left out."""
    return scores.nanquantile(0.5, dim=-1) if scores.shape[-1] else scores.new_full(scores.shape[:1], torch.nan)


def _window(rate: int, seconds: float, N: int) -> int:
    """Samples of a frame: at most all there are."""
    if not rate > 0 or not seconds > 0:
        raise ValueError(f"rate is {rate} and seconds {seconds}: both must be above 0, for example 44100 and 1.0")
    return max(1, int(min(rate * seconds, N)))


def _check(estimates, sources, taps: int) -> tuple[Tensor, Tensor]:
    estimates, sources = as_samples(estimates, "estimates"), as_samples(sources, "sources")
    check_together(estimates=estimates, sources=sources)
    check_channels(sources, "sources", "(S, C, N)")
    if sources.ndim != 3 or estimates.ndim != 3:
        raise ValueError(
            f"estimates are {tuple(estimates.shape)} and sources {tuple(sources.shape)}, but both must be (S, C, N): "
            "source, audio channel, sample"
        )
    for axis, word in enumerate(("sources S", "audio channels C", "samples N")):
        if (given := estimates.shape[axis]) != (wanted := sources.shape[axis]):
            raise ValueError(f"the estimates have {given} {word}, the sources {wanted}: score like with like")
    if not 1 <= taps < BLOCK // 4:
        raise ValueError(f"taps is {taps}; choose 1 to {BLOCK // 4 - 1}, usually {TAPS}")
    if sources.numel() == 0:
        raise ValueError(f"the sources are {tuple(sources.shape)}: there is nothing to score")
    for name, x in (("estimates", estimates), ("sources", sources)):
        if not x.isfinite().all():
            raise ValueError(f"the {name} hold NaN or infinite samples; look at what made them")
    return estimates, sources
