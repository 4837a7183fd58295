"""Fixed mixtures of speech to validate on and to test with: one list for each split, which never changes.

Two voices meet in a scene of talkers wherever a split has two.

Taught on: book/data/corpus
"""

from collections import Counter
from itertools import combinations

import numpy as np
import torch
from torch.utils.data import Dataset

from sepbook.data import corpus
from sepbook.data._noise import Noises
from sepbook.data._speech import NoisyItems, TalkerItems, in_noise, scaled

FIXED = 0x7E57  # seeds of the fixed scenes begin with it, and have four numbers; those of training items have two
MOST = 32  # fixed scenes of a split, at most


class Scene:
    """A fixed mixture, with what is asked of a track.

    `identities` says who talks, by source; `voices` whose base voices these are, for statistics over speakers;
    `details` what else is known: of a noisy scene the kind of "noise", its "recording" (None where it comes from a
    seed), the "room" (seconds), and "snr_db".
    """

    score = None

    def __init__(self, name, stems, sample_rate, identities, voices=(), details=None):
        self.name, self.stem_names, self.sample_rate, self.identities = name, tuple(stems), sample_rate, identities
        self.voices, self.details = tuple(voices), details or {}
        self._data = torch.stack(list(stems.values()))  # (S, C, N)
        self.channels, self.length = self._data.shape[1:]

    @property
    def seconds(self):
        """Duration in seconds."""
        return self.length / self.sample_rate

    def sources(self, names=None, start=0, length=None):
        """The sources (S, C, N) in the order of `names`; zeros follow where an excerpt reaches beyond the end."""
        names = self.stem_names if names is None else tuple(names)
        if unknown := [name for name in names if name not in self.stem_names]:
            raise ValueError(f"{self.name!r} has no source {unknown[0]!r}; it has {', '.join(self.stem_names)}.")
        end = self.length if length is None else start + length
        found = self._data[[self.stem_names.index(name) for name in names], :, start:end]
        return torch.nn.functional.pad(found, (0, end - start - found.shape[-1]))

    def mixture(self):
        """The sum of the sources (C, N)."""
        return self._data.sum(dim=0)


class Excerpts(Dataset):
    """The first `seconds` of each scene, with zeros after the end: items of one length, to validate on."""

    def __init__(self, scenes, seconds):
        self.scenes, self.source_names = scenes, scenes[0].stem_names
        self.sample_rate, self.channels = scenes[0].sample_rate, scenes[0].channels
        self.samples = round(seconds * self.sample_rate)

    def __len__(self):
        return len(self.scenes)

    def __getitem__(self, index):
        sources = self.scenes[index].sources(length=self.samples)
        return {"mixture": sources.sum(dim=0), "sources": sources}


def talker_scenes(voices):
    """The fixed list of a split: pairs of different talkers, as long as the shorter of both utterances."""
    scenes = []
    for number, pair in enumerate(talker_pairs(voices)):
        said = [voices.samples(name, number + place) for place, name in enumerate(pair)]
        length = min(samples.shape[-1] for samples in said)
        gains = fixed_random(voices.split, number).uniform(-2.5, 2.5, size=2)
        sources = scaled([samples[:, :length] for samples in said], gains)
        stems = dict(zip(TalkerItems.source_names, sources, strict=True))
        who = dict(zip(stems, pair, strict=True))
        speakers = [voices.speaker[name] for name in pair]
        scenes.append(Scene(" and ".join(pair), stems, voices.sample_rate, who, speakers))
    return scenes


def talker_pairs(voices):
    """At most MOST pairs of talkers: each pair of different voices once, then again; one voice with itself at last."""
    pairs = list(combinations(voices.names, 2))
    if len(pairs) <= MOST:
        return pairs
    met, turns = Counter(), {}
    for pair in pairs:
        speakers = tuple(sorted(voices.speaker[name] for name in pair))
        turns[pair] = (speakers[0] == speakers[1], met[speakers])
        met[speakers] += 1
    return sorted(pairs, key=turns.get)[:MOST]  # sorting keeps the order of equals


def noisy_scenes(voices):
    """The fixed list of a split: every talker in turn, in noise of each kind in turn, 0 to 10 dB below the speech."""
    noises = Noises(voices.split, voices.sample_rate)
    said = [(name, take) for name in voices.names for take in range(len(voices.said[name]))]
    scenes = []
    for number, (name, take) in enumerate(said[:: -(-len(said) // MOST)]):
        random, kind = fixed_random(voices.split, number), noises.kinds[number % len(noises.kinds)]
        sources, details = in_noise(random, voices.samples(name, take), noises, (0.0, 10.0), kind)
        stems = dict(zip(NoisyItems.source_names, sources, strict=True))
        speakers = [voices.speaker[name]]
        scenes.append(Scene(f"{name} {take}", stems, voices.sample_rate, {"speech": name}, speakers, details))
    return scenes


def fixed_random(split, number):
    """The random numbers of one fixed scene: those of no other scene, split or training item."""
    return np.random.default_rng(np.random.SeedSequence([FIXED, 1 + corpus.SPLITS.index(split), number, 1]))
