"""Mixtures whose sources are higher or lower, slower or faster than they were recorded, each time anew.

::

    items = Varied(Mixtures(corpus.songs("train")), pitch_shift=(-2, 2), time_stretch=(0.9, 1.1))
    items[0]                                             # mixture (C, N), sources (S, C, N)

`sepbook.data.scaper` does this with Scaper, which takes many times as long. Its words mean here what they mean there:
semitones, and the factor by which a sound lasts longer.

Taught on: book/data/scaper
"""

import math

import numpy as np
import torch
from torch.utils.data import Dataset

from sepbook.data._stretching import changed, needed

__all__ = ["Varied", "changed"]

LIMITS = {"pitch_shift": (-12.0, 12.0), "time_stretch": (0.5, 2.0)}


class Varied(Dataset):
    """The items of a data set of mixtures in other pitches and tempi: item i is a function of (seed, i).

    mixtures: a `sepbook.data.mixing.Mixtures`; it draws songs, places and gains.
    pitch_shift: semitones, between these two. time_stretch: factors of duration, between these two; 2 is half as fast.

    The stems of one song get one pitch and one tempo, so that they stay together; in an incoherent item each stem has
    its own. An item is a dict: mixture (C, N), which is `sources.sum(0)`, and sources (S, C, N), as long as before: a
    source that is made slower is a shorter piece of its song.

    Raises ValueError for limits that make no sense, and for mixtures with labels, which would no longer fit.
    Source: Verhelst and Roelands 1993 (WSOLA). Taught on: book/data/scaper
    """

    endless = True

    def __init__(self, mixtures, pitch_shift=(-2.0, 2.0), time_stretch=(0.9, 1.1)):
        self.mixtures, self.pitch_shift, self.time_stretch = mixtures, tuple(pitch_shift), tuple(time_stretch)
        for name, (least, most) in LIMITS.items():
            given = getattr(self, name)
            if not (len(given) == 2 and least <= given[0] <= given[1] <= most):
                raise ValueError(
                    f"{name}={given}: expected two numbers from {least:g} to {most:g}, the lower one first."
                )
        if mixtures.labels:
            raise ValueError(
                f"labels ({', '.join(mixtures.labels)}) would not fit sources in another pitch and tempo: ask for none."
            )
        self.source_names, self.sample_rate, self.channels = (
            mixtures.source_names,
            mixtures.sample_rate,
            mixtures.channels,
        )

    def __len__(self):
        return len(self.mixtures)

    def __iter__(self):
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index):
        places, gains = self.mixtures.draw(index)
        random = np.random.default_rng(np.random.SeedSequence([self.mixtures.seed, index, 1]))
        names, gains = self.source_names, torch.from_numpy(gains)[:, None, None]  # (S, 1, 1)
        if len(set(places)) == 1:
            sources = self._piece(names, places[0], random) * gains
        else:
            pieces = [self._piece([name], place, random) for name, place in zip(names, places, strict=True)]
            sources = torch.cat(pieces).mul_(gains)  # (S, C, N)
        return {"mixture": sources.sum(dim=0), "sources": sources}

    def settings(self):
        """What decides which items come out, ready for JSON: a training run must go on with the same."""
        own = {"pitch_shift": list(self.pitch_shift), "time_stretch": list(self.time_stretch)}
        return {**self.mixtures.settings(), **own}

    def _piece(self, names, place, random):
        """Sources (S, C, N) of one track from one place on, changed by one draw."""
        semitones, stretch = (float(random.uniform(*limits)) for limits in (self.pitch_shift, self.time_stretch))
        (number, start), N = place, self.mixtures.samples
        track = self.mixtures.tracks[number]
        start = min(start, max(0, track.length - math.ceil(N / stretch)))
        samples = track.sources(names, start, needed(N, semitones, stretch, self.sample_rate))
        return changed(samples, semitones, stretch, self.sample_rate, N)
