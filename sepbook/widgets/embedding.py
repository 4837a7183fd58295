"""The embedding explorer: points in space, the bins that they belong to, and what one bin thinks of all others.

Like the stem player it is one page module, ``embedding.js``, with two hosts: a page of the book and a notebook. Each
bin of a spectrogram is a point. Choose a bin and see its point, or choose a point and see its bin; the picture turns,
and the colours show the true source, the cluster that k-means found, or the affinity with the chosen bin.

The browser gets the few strongest directions of each embedding, which keep nearly all of every inner product. With the
sound of the mixture it plays the bins that are like the chosen one: those of its source, of its cluster, or each as
loud as its affinity.

Taught on: book/losses/clustering
"""

import base64
import html
import warnings
from functools import cached_property

import numpy as np

from ._content import keep
from ._hosts import Hosted
from .mask_painter import wav

__all__ = ["Embedding", "embedding"]

MOST = 2400  # points that are drawn; of more, some are chosen at random
DIRECTIONS = 6  # of the embedding that travel: three are drawn, all count in affinities
RANGE = 60  # dB of the spectrogram


def embedding(embeddings, membership, magnitude, rate, hop, title="", names=(), below=40.0, sound=None):
    """Return an explorer of embeddings of one mixture.

    - ``embeddings``: name -> `(F, T, D)`, for example of a network before and after training; "ideal" is added
    - ``membership``: one-hot `(S, F, T)`
    - ``magnitude``: of the mixture `(F, T)`; only bins at most ``below`` dB softer than the loudest become points
    - ``rate``, ``hop``: samples per second, samples from frame to frame
    - ``names``: of the S sources
    - ``sound``: mono samples `(1, N)` or `(N,)` of the mixture, whose STFT has that magnitude, to be heard

    Raises ValueError when the shapes do not belong together, a number is NaN, or nothing is audible.
    Taught on: book/losses/clustering
    """
    return Embedding(embeddings, membership, magnitude, rate, hop, title, names, below, sound)


class Embedding(Hosted):
    """What `embedding` returns: a page element in the book, a widget in a notebook."""

    module, element, prefix = "embedding", "embedding", "ex"
    sheets = ("explorer", "embedding")

    def __init__(self, embeddings, membership, magnitude, rate, hop, title="", names=(), below=40.0, sound=None):
        self.magnitude, self.membership = _numbers(magnitude), _numbers(membership)
        S, F, T = _check(embeddings, self.membership, self.magnitude, names)
        self.names = tuple(names) or tuple(f"source {s + 1}" for s in range(S))
        self.rate, self.hop, self.title = round(rate), round(hop), str(title)
        self.sound = None if sound is None else _sound(sound, self.magnitude.shape, self.hop)
        self.bins = _choose(self.magnitude, below)  # (n,) numbers f * T + t
        self.source = self.membership.reshape(S, F * T)[:, self.bins].argmax(0)  # (n,)
        one_hot = np.moveaxis(self.membership, 0, -1)
        self.vectors = {
            name: shortened(_numbers(v).reshape(F * T, -1)[self.bins])
            for name, v in {**embeddings, "ideal": one_hot}.items()
        }

    def __repr__(self):
        return f"<Embedding '{self.title}': {len(self.bins)} bins, {', '.join(self.vectors)}>"

    @cached_property
    def content(self):
        """``(spec, files)``: what is seen travels as JSON data, what is heard is a file. Made once."""
        from sepbook.plots import colour

        F, T = self.magnitude.shape
        level = 20 * np.log10(np.maximum(self.magnitude / self.magnitude.max(), 10 ** (-RANGE / 20)))
        versions = {name: (points, self.clusters(points)) for name, points in self.vectors.items()}
        spec = {
            "title": self.title,
            "rate": self.rate,
            "hop": self.hop,
            "size": [F, T],
            "range": RANGE,
            "directions": DIRECTIONS,
            "names": list(self.names),
            "colours": [colour(name, s + 1) for s, name in enumerate(self.names)],  # as in the player
            "levels": packed((255 * (1 + level / RANGE)).round().astype(np.uint8)),
            "bins": packed(self.bins.astype("<u4")),
            "source": packed(self.source.astype(np.uint8)),
            "versions": [
                {"name": name, "points": packed(points), "cluster": packed(cluster)}
                for name, (points, cluster) in versions.items()
            ],
            "start": self.start(next(iter(versions.values()))[1]),
        }
        files = {}
        if self.sound is not None:
            spec["sound"] = keep(files, wav(self.sound, self.rate), "wav")
        return spec, files

    def clusters(self, points):
        """Return for each point the number of its cluster, in the order that fits the sources best."""
        from scipy.cluster.vq import kmeans2
        from scipy.optimize import linear_sum_assignment

        S, points = len(self.names), points / 127
        if len(np.unique(points, axis=0)) < S:  # all alike: nothing to tell apart
            return np.zeros(len(points), np.uint8)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an empty cluster in one of the tries
            tries = [kmeans2(points, S, minit="++", seed=seed) for seed in range(4)]
        centres, labels = min(tries, key=lambda found: np.square(points - found[0][found[1]]).sum())
        agree = np.zeros((S, S))
        np.add.at(agree, (labels, self.source), 1)  # [cluster, source]
        return linear_sum_assignment(-agree)[1][labels].astype(np.uint8)

    def start(self, cluster):
        """Return the number of the loudest point that k-means gives to the right source: the first one chosen."""
        loudness = self.magnitude.ravel()[self.bins]
        return int((loudness * (1e-6 + (cluster == self.source))).argmax())

    def affinities(self, name):
        """Return the mean affinity of the bins of each source with those of each source: `(S, S)`."""
        points = self.vectors[name].astype(np.float64) / 127
        one_hot = np.eye(len(self.names))[self.source]  # (n, S)
        means = one_hot.T @ points / np.maximum(one_hot.sum(0), 1)[:, None]
        return means @ means.T

    def fallback(self, spec, where):
        """Return a table: how alike the bins of one source are, and those of different ones; and the mixture."""
        rows = []
        for name in self.vectors:
            table, S = self.affinities(name), len(self.names)
            apart = (table.sum() - table.trace()) / max(S * (S - 1), 1)
            cells = "".join(f"<td>{value:.2f}</td>" for value in (table.trace() / S, apart))
            rows.append(f'<tr><th scope="row">{html.escape(name)}</th>{cells}</tr>')
        head = '<th scope="col">embedding</th><th scope="col">same source</th><th scope="col">different sources</th>'
        caption = "<caption>Mean affinity of two bins</caption>"
        heard = self.native([("mixture", where[spec["sound"]])]) if "sound" in spec else ""
        return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>{heard}"


def shortened(vectors):
    """Return `(n, D)` vectors in their strongest directions, as int8 where 127 stands for 1: `(n, DIRECTIONS)`.

    The directions go through the origin, so that inner products stay as they are.
    """
    _, _, directions = np.linalg.svd(vectors, full_matrices=False)
    directions = directions[:DIRECTIONS]
    directions = directions * np.where(vectors.sum(0) @ directions.T < 0, -1, 1)[:, None]  # most points on one side
    points = np.zeros((len(vectors), DIRECTIONS))
    points[:, : len(directions)] = vectors @ directions.T
    return np.clip(np.rint(127 * points), -127, 127).astype(np.int8)


def packed(array):
    """Return the bytes of an array as text."""
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def _numbers(values):
    values = values.detach().cpu() if hasattr(values, "detach") else values
    return np.asarray(values, dtype=np.float64)


def _choose(magnitude, below):
    """Return the numbers of the audible bins, at most `MOST` of them, in order."""
    heard = np.flatnonzero(magnitude.ravel() >= magnitude.max() * 10 ** (-below / 20))
    if len(heard) > MOST:
        heard = np.sort(np.random.default_rng(0).choice(heard, MOST, replace=False))
    return heard


def _sound(sound, shape, hop):
    """Return the samples `(N,)` at a level that 16 bits hold. They must have the frames and the bins of `shape`."""
    samples, (F, T) = _numbers(sound), shape
    samples = samples[0] if samples.ndim == 2 and len(samples) == 1 else samples
    size = 2 * (F - 1)
    if hop > size // 2:
        raise ValueError(f"hop is {hop} and the window {size}: to be heard, bins need a hop of half a window or less")
    if samples.ndim != 1 or 1 + -(-len(samples) // hop) != T or size & (size - 1) or not np.isfinite(samples).all():
        raise ValueError(
            f"the sound must be mono samples whose STFT has {T} frames, from {(T - 2) * hop + 1} to {(T - 1) * hop} of "
            f"them, with a window of a power of 2, but was given {samples.shape} and a window of {size}"
        )
    return samples / max(1.0, np.abs(samples).max())


def _check(embeddings, membership, magnitude, names):
    if magnitude.ndim != 2 or membership.ndim != 3 or membership.shape[1:] != magnitude.shape:
        raise ValueError(
            f"magnitude must be (F, T) and membership (S, F, T), but were given {magnitude.shape} and "
            f"{membership.shape}. Take one item of a batch, and one audio channel: x[0]"
        )
    for name, v in {**embeddings, "magnitude": magnitude}.items():
        v = _numbers(v)
        if name != "magnitude" and (v.ndim != 3 or v.shape[:2] != magnitude.shape):
            raise ValueError(
                f"the embedding '{name}' must be (F, T, D) with {magnitude.shape}, but was given {v.shape}"
            )
        if not np.isfinite(v).all():
            raise ValueError(f"'{name}' holds NaN or infinity: look at what made it")
    if not magnitude.any():
        raise ValueError("the mixture is silent: choose an excerpt in which something sounds")
    if names and len(names) != len(membership):
        raise ValueError(f"there are {len(names)} names for {len(membership)} sources (S)")
    return membership.shape
