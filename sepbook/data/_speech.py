"""Mixtures of speech: two talkers at once, or one in noise, made from the utterances of the built-in corpus.

A talker is an *identity*: the two of a mixture always differ. Several talkers may be made from one base *voice*, which
is a speaker. Training draws pairs and levels anew for every item. What validation and test hear: see `_scenes`.

Taught on: book/data/corpus
"""

from itertools import permutations

import numpy as np
import torch
from torch.utils.data import Dataset

from sepbook import audio
from sepbook.data import corpus
from sepbook.data._noise import Noises

LEVEL = 0.06  # root mean square of every utterance before gains
TICKS = 50  # a change of speed is a ratio of two small whole numbers, so that it is quickly made


class Voices:
    """The utterances of a split at one rate and number of channels, decoded when first needed, all equally loud."""

    def __init__(self, split, sample_rate, channels, more=False):
        self.split, self.sample_rate, self.channels = split, sample_rate, channels
        self.said = {}  # identity: its utterances
        for utterance in corpus.talkers(split, more):
            self.said.setdefault(utterance.identity, []).append(utterance)
        self.names, self._kept = list(self.said), {}
        self.speaker = {name: said[0].voice for name, said in self.said.items()}  # the base voice of each talker
        self.pitch = {name: said[0].details.get("pitch", np.nan) for name, said in self.said.items()}  # Hz, at rest

    def and_more(self):
        """These voices and those that the corpus has for training alone."""
        return Voices(self.split, self.sample_rate, self.channels, more=True)

    def samples(self, identity, take):
        """One utterance (C, N); numbers beyond the last begin again."""
        take %= len(self.said[identity])
        if (identity, take) not in self._kept:
            samples = audio.load(self.said[identity][take].path, self.sample_rate, self.channels)[0]
            self._kept[identity, take] = samples * (LEVEL / root_mean_square(samples))
        return self._kept[identity, take]

    def excerpt(self, random, identity, length, speed=0.0):
        """A random piece of a random utterance (C, N=length), with zeros around it where it is shorter.

        It is played up to `speed` (0.2: 20 %) faster or slower, and so higher or lower.
        """
        samples = self.samples(identity, int(random.integers(len(self.said[identity]))))
        if speed:
            ticks = round(TICKS / (1 + speed) ** random.uniform(-1, 1))  # what TICKS samples become
            read = min(samples.shape[-1], length * TICKS // ticks + 1)
            start = int(random.integers(samples.shape[-1] - read + 1))
            samples = audio.resample(samples[:, start : start + read], TICKS, ticks)
        room = samples.shape[-1] - length
        start = int(random.integers(abs(room) + 1))
        if room >= 0:
            return samples[:, start : start + length]
        return torch.nn.functional.pad(samples, (start, -room - start))

    def __getstate__(self):
        return {**self.__dict__, "_kept": {}}  # a new process decodes for itself


class Items(Dataset):
    """Endless mixtures of speech: item i is a function of (seed, i). A kind says what is in one by `draw`.

    An item is a dict: mixture (C, N) = sources.sum(0), sources (S=2, C, N). With a `speed` of 0.2 each talker is played
    up to 20 % faster or slower, and so higher or lower, formants too: as if others talked. Source: Ko et al. 2015.
    With `more_talkers` those of the corpus talk, too, that are for training alone.
    """

    endless = True

    def __init__(self, voices, seconds, length, seed, levels, speed, more_talkers):
        low, high = levels
        voices = voices.and_more() if more_talkers else voices
        if not 0 <= speed <= 1:
            raise ValueError(f"speed={speed}: expected a share of 0 to 1, such as 0.2 for up to 20 % faster or slower")
        if not (0 < seconds < float("inf") and length >= 1 and seed >= 0 and low <= high):
            raise ValueError(
                f"seconds={seconds}, length={length}, seed={seed}, levels={levels}: expected a positive number of "
                "seconds, at least one item, a seed of 0 or more, and two decibels (low, high) with low <= high"
            )
        self.voices, self.length, self.seed, self.levels, self.speed = voices, length, seed, (low, high), speed
        self.sample_rate, self.channels = voices.sample_rate, voices.channels
        self.samples = max(1, round(seconds * voices.sample_rate))  # N

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        if index < 0:
            raise IndexError(f"item {index}: items count from 0")
        random = np.random.default_rng(np.random.SeedSequence([self.seed, index]))
        sources = self.draw(random, index)  # (S, C, N)
        return {"mixture": sources.sum(dim=0), "sources": sources}

    def settings(self):
        """What decides which items come out, ready for JSON: a training run must go on with the same."""
        return {
            "kind": type(self).__name__,
            "seconds": self.samples / self.sample_rate,
            "sample_rate": self.sample_rate,
            "channels": self.channels,
            "talkers": self.voices.names,
            "levels": list(self.levels),
            "data_seed": self.seed,
            **({"speed": self.speed} if self.speed else {}),
        }


class TalkerItems(Items):
    """Two different talkers at once, each louder or softer by `gain_db`.

    The first `far_first` items are of voices that are an octave apart at least, where there are such: easy ones to
    begin with.
    """

    source_names = ("talker_1", "talker_2")

    def __init__(
        self, voices, seconds=3.0, length=1000, seed=0, gain_db=(-2.5, 2.5), far_first=0, speed=0.0, more_talkers=False
    ):
        super().__init__(voices, seconds, length, seed, gain_db, speed, more_talkers)
        voices = self.voices
        if far_first < 0:
            raise ValueError(f"far_first={far_first}: expected a number of items, 0 or more")
        pitch = voices.pitch
        self.far = [pair for pair in permutations(voices.names, 2) if pitch[pair[0]] >= 2 * pitch[pair[1]]]
        self.far_first = far_first if self.far else 0
        self.far += [(low, high) for high, low in self.far]

    def settings(self):
        """What decides which items come out: how many are of far voices, too, where some are."""
        return {**super().settings(), **({"far_first": self.far_first} if self.far_first else {})}

    def draw(self, random, index):
        """Sources (S=2, C, N) of one item."""
        if index < self.far_first:
            pair = self.far[int(random.integers(len(self.far)))]
        else:
            pair = [self.voices.names[who] for who in random.choice(len(self.voices.names), 2, replace=False)]
        sources = [self.voices.excerpt(random, name, self.samples, self.speed) for name in pair]
        return scaled(sources, random.uniform(*self.levels, size=2))


class NoisyItems(Items):
    """One talker in noise of any kind that the split has, `snr_db` above it."""

    source_names = ("speech", "noise")

    def __init__(self, voices, seconds=3.0, length=1000, seed=0, snr_db=(0.0, 10.0), speed=0.0, more_talkers=False):
        super().__init__(voices, seconds, length, seed, snr_db, speed, more_talkers)
        self.noises = Noises(voices.split, voices.sample_rate)

    def settings(self):
        """What decides which items come out: the kinds of noise too."""
        return {**super().settings(), "noise": self.noises.settings()}

    def draw(self, random, index):
        """Sources (S=2, C, N) of one item."""
        who = self.voices.names[int(random.integers(len(self.voices.names)))]
        speech = self.voices.excerpt(random, who, self.samples, self.speed)
        return in_noise(random, speech, self.noises, self.levels)[0]


def in_noise(random, speech, noises, snr_db, kind=None):
    """Speech (C, N), in its room, and noise below it, as sources (S=2, C, N); and what the noise is."""
    noise, details = noises.draw(random, speech.shape[-1], kind)
    speech, room = noises.room(random, speech)
    decibels = random.uniform(*snr_db)
    level = root_mean_square(speech) / 10 ** (decibels / 20)
    details |= {"room": room, "snr_db": round(float(decibels), 2)}
    return torch.stack([speech, noise.expand_as(speech) * level]), details


def scaled(sources, decibels):
    """Stack sources S x (C, N), each made louder by its decibels: (S, C, N)."""
    gains = torch.tensor(10 ** (np.asarray(decibels) / 20), dtype=torch.float32)
    return torch.stack(list(sources)) * gains[:, None, None]


def root_mean_square(samples):
    """The level of samples as a number, never quite 0, so that one can divide by it."""
    return max(float(samples.square().mean().sqrt()), 1e-12)
