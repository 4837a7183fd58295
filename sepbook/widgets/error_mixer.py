"""The error mixer: leak, distort, filter or shift an estimate, watch six figures of it, and hear it.

Like the stem player it is one page module, ``error_mixer.js``, with two hosts: a page of the book, where the two sounds
are files, and a notebook, where anywidget hands them over.

The figures are exact, and cost the browser nothing. The estimate is a sum of four parts with weights: the source, what
the low-pass changes in it, what the clipping changes in it, and the other sound. Projections are linear, so those of
the estimate are the same sums of the parts' projections. All energies follow from inner products, which are made here
once for each shift. The sounds travel as 16-bit WAV, and the products are those of the rounded samples.

Taught on: book/evaluation/metrics
"""

import io
from functools import cached_property

import numpy as np
import soundfile

from ._content import keep
from ._hosts import Hosted
from .mask_painter import wav
from .waveform_loss import read_pair

__all__ = ["ErrorMixer", "error_mixer"]

SHIFTS = (0, 1, 2, 3, 4, 6, 8, 12, 16, 32, 64, 128, 256, 448, 512, 600, 800)  # samples
POLE = 0.9  # of the low-pass, which is applied twice: error_mixer_measures.js has the same
CLIP = 0.15  # of the peak: what is louder is cut off
FADE = 400  # samples at both ends, so that nothing begins or ends with a click
DIGITS = 13  # of a product: more than a figure of 100 dB can tell


def error_mixer(source, other, rate, project, title=""):
    """Return an explorer of the errors of an estimate of one source beside another sound.

    - ``source``: the true sound, mono samples `(1, N)` or `(N,)`, five seconds at most
    - ``other``: all the rest of the mixture, of the same length. It is made as loud as the source
    - ``rate``: samples per second
    - ``project``: what projects estimates `(M, 1, N)` onto sources `(S, 1, N)`, `sepbook.evaluation.bss_eval.project`
    - ``title``: shown above it

    Raises PlayerError that says what is wrong with the sounds. Taught on: book/evaluation/metrics
    """
    return ErrorMixer(source, other, rate, project, title)


class ErrorMixer(Hosted):
    """What `error_mixer` returns: a page element in the book, a widget in a notebook."""

    module, element, prefix = "error_mixer", "errors", "ex"
    sheets = ("explorer", "error_mixer")

    def __init__(self, source, other, rate, project, title=""):
        self.source, self.other = (_faded(x) for x in read_pair(source, other, rate))
        self.rate, self.title, self.project = round(rate), str(title), project

    def __repr__(self):
        return f"<ErrorMixer '{self.title}': {len(self.source) / self.rate:.1f} s at {self.rate} Hz>"

    @cached_property
    def content(self):
        """``(spec, files)``: what there is as JSON data, and the bytes of each file by name. Made once."""
        files, sent = {}, {"source": wav(self.source, self.rate), "other": wav(self.other, self.rate)}
        rounded = (soundfile.read(io.BytesIO(sound), dtype="float64")[0] for sound in sent.values())
        spec = {
            "title": self.title,
            "rate": self.rate,
            "length": len(self.source),
            "shifts": list(SHIFTS),
            "products": products(*rounded, self.project),
            **{name: keep(files, sound, "wav") for name, sound in sent.items()},
        }
        return spec, files

    def fallback(self, spec, where):
        """Return the browser's own players."""
        return self.native([("true source", where[spec["source"]]), ("other sound", where[spec["other"]])])


def products(source, other, project):
    """Return for each shift the inner products from which all six figures of any estimate follow.

    They are upper triangles, row by row, over the four parts; in ``whole`` and ``own`` the source itself is a fifth.
    Taught on: book/evaluation/metrics
    """
    import torch

    sounds = torch.tensor(np.stack([source, other]))[:, None]  # (S, 1, N)
    kinds = (source, dulled(source) - source, clipped(source) - source)
    shifted = [np.pad(x, (shift, 0))[: len(x)] for shift in SHIFTS for x in kinds]
    given = torch.tensor(np.stack([*shifted, other]))[:, None]  # (M, 1, N)
    own, every = (project(given, x)[:, 0].numpy() for x in (sounds[:1], sounds))  # (M, N + taps - 1)
    more = ((0, 0), (0, own.shape[1] - len(source)))  # a filter rings on after the last sample
    parts, true = (np.pad(x, more) for x in (given[:, 0].numpy(), source[None]))
    vectors = {"rest": parts - own, "interference": every - own, "all": every, "artefacts": parts - every}
    found = []
    for at in range(len(SHIFTS)):
        rows = [3 * at, 3 * at + 1, 3 * at + 2, -1]
        one = {name: x[rows] for name, x in vectors.items()}
        one |= {"whole": np.concatenate([parts[rows], true]), "own": np.concatenate([own[rows], true])}
        found.append({name: _triangle(x) for name, x in one.items()})
    return found


def dulled(sound):
    """Return a sound `(N,)` through a low-pass: each value moves a tenth of the way to the next, twice.

    Taught on: book/evaluation/metrics
    """
    from scipy.signal import lfilter

    for _ in range(2):
        sound = lfilter([1 - POLE], [1, -POLE], sound)
    return sound


def clipped(sound):
    """Return a sound `(N,)` with its peaks cut off, as loud as before. Taught on: book/evaluation/metrics."""
    cut = np.clip(sound, -CLIP * np.abs(sound).max(), CLIP * np.abs(sound).max())
    return cut * np.sqrt(np.square(sound).sum() / np.square(cut).sum())


def _faded(sound):
    """Return a sound with soft ends, and silence after it, so that a shift cuts nothing off."""
    ramp = np.minimum(1, np.arange(1, len(sound) + 1) / FADE)
    return np.pad(sound * ramp * ramp[::-1], (0, max(SHIFTS))).astype(np.float32)


def _triangle(vectors):
    """Return the inner products of some vectors (rows), each pair once."""
    grams = vectors @ vectors.T
    return [float(f"{grams[i, j]:.{DIGITS}g}") for i in range(len(grams)) for j in range(i, len(grams))]
