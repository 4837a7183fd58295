"""Separation without learning, by nussl: the floors that a trained network has to stand on top of.

==========  ========  ==================================================================
method      target    what it takes for granted
==========  ========  ==================================================================
hpss        drums     tones are long and thin, strokes are short and broad
repet       vocals    the band repeats after one period, the voice does not
repet_sim   vocals    the band repeats, at any time
ft2d        vocals    what repeats makes peaks in the Fourier transform of the spectrogram
rpca        vocals    the band is a matrix of low rank, the voice is sparse
nmf         vocals    few fixed spectra make each source; those of like timbre belong together
melody      vocals    the voice is the loudest melody (needs the Vamp plug-in Melodia)
==========  ========  ==================================================================

Each gives two estimates, its target and all the rest, which add up to the mixture. They are written by others, and
needed by nothing else in this book: `sepbook[nussl]` brings them.

Source: Manilow, Seetharaman and Pardo 2018. Taught on: book/foundations/classical
"""

from collections.abc import Iterable

import torch
from torch import Tensor

from sepbook import compat
from sepbook._given import as_samples, check_finite
from sepbook.evaluation.metrics import Scores, score

TARGETS = {"hpss": "drums"} | dict.fromkeys(("repet", "repet_sim", "ft2d", "rpca", "nmf", "melody"), "vocals")
REST = "rest"
# Where nussl has each method, which of its two estimates is the target, and what it must be told.
FOUND = {
    "hpss": ("primitive.HPSS", 1, {}),
    "repet": ("primitive.Repet", 1, {}),
    "repet_sim": ("primitive.RepetSim", 1, {}),
    "ft2d": ("primitive.FT2D", 1, {}),
    "rpca": ("factorization.RPCA", 1, {}),
    "nmf": ("primitive.TimbreClustering", 0, {"num_sources": 2, "n_components": 50}),
    "melody": ("primitive.Melodia", 1, {}),
}
UNORDERED = ("nmf",)  # which of its two estimates is which, it cannot tell
SHORTEST = 3.0  # seconds: in less, nothing can be found to repeat


class FloorError(ValueError):
    """A method that does not exist, or that cannot be used here. Taught on: book/foundations/classical."""


def separate(mixture: Tensor, rate: int, method: str, **options) -> Tensor:
    """Separate a mixture `(C, N)` into the target of a method and all the rest: `(S=2, C, N)`, which add up to it.

    `options` go to nussl, such as `kernel_size=17` for "hpss" or `num_iterations=20` for "rpca". What "nmf" returns
    comes in any order. Raises FloorError for an unknown method, one that needs what is not installed, or a mixture
    of less than three seconds; CompatError without nussl. Taught on: book/foundations/classical
    """
    if method not in FOUND:
        raise FloorError(f"method is {method!r}; choose one of: {', '.join(FOUND)}")
    mixture = check_finite(as_samples(mixture, "mixture", "(C, N)"), "mixture")
    if mixture.dim() != 2:
        raise FloorError(f"the mixture must be (C, N): audio channel, sample; given was {tuple(mixture.shape)}")
    if mixture.shape[-1] < SHORTEST * rate:
        given = mixture.shape[-1] / rate
        raise FloorError(f"the mixture lasts {given:.2f} s; these methods need {SHORTEST:.0f} s or more.")
    if not mixture.any():
        return torch.zeros(2, *mixture.shape)
    place, target, known = FOUND[method]
    found = _run(place, mixture, rate, method, known | options)[target]
    return torch.stack([found, mixture - found])


def _run(place: str, mixture: Tensor, rate: int, method: str, options: dict) -> list[Tensor]:
    """The two estimates (C, N) of one of nussl's methods."""
    nussl = compat.nussl()
    signal = nussl.AudioSignal(audio_data_array=mixture.double().numpy(), sample_rate=rate)
    module, name = place.split(".")
    try:
        separator = getattr(getattr(nussl.separation, module), name)(signal, **options)
        estimates = separator()
    except nussl.separation.SeparationException as error:
        if method == "melody" and not nussl.vamp_imported:
            raise FloorError(
                "method 'melody' needs the Python package vamp and the plug-in Melodia, which is no package: see "
                "https://www.upf.edu/web/mtg/melodia. Or choose another method."
            ) from None
        raise FloorError(f"nussl's {name} cannot separate this: {' '.join(str(error).split())}") from None
    return [torch.from_numpy(found.audio_data[:, : mixture.shape[-1]]).float() for found in estimates]


def evaluate(tracks: Iterable, method: str, progress: bool = True, **options) -> Scores:
    """Score a method on tracks, as `metrics.evaluate` scores a system: its target, and the rest of each track.

    The estimates of "nmf" are matched to the sources first, as those of an unordered system are. A track without the
    target has no score for it. Raises as `separate` does. Taught on: book/foundations/classical
    """
    if method not in FOUND:
        raise FloorError(f"method is {method!r}; choose one of: {', '.join(FOUND)}")

    def estimate(track) -> Tensor:
        return separate(track.mixture(), track.sample_rate, method, **options)

    pairs, names = [Pair(track, TARGETS[method]) for track in tracks], (TARGETS[method], REST)
    return score(estimate, pairs, names, method not in UNORDERED, f"{method}, without learning", progress)


class Pair:
    """A track seen as two sources: one stem, and the sum of all others. Taught on: book/foundations/classical."""

    def __init__(self, track, target: str):
        if target not in track.stem_names:
            raise FloorError(f"track {track.name!r} has no stem {target!r}; it has {', '.join(track.stem_names)}")
        self.track, self.target, self.name = track, target, track.name
        self.seconds, self.sample_rate = track.seconds, track.sample_rate

    def sources(self, names=None) -> Tensor:
        """The target and the rest (S=2, C, N)."""
        target = self.track.sources([self.target])[0]
        return torch.stack([target, self.mixture() - target])

    def mixture(self) -> Tensor:
        """The sum of both (C, N)."""
        return self.track.mixture()
