"""Checks for the lab on data: a shape, stems of different songs, a leak, a folder. Taught on: book/data/corpus."""

import numpy as np
import torch
from torch import Tensor

from sepbook.check import CheckFailure, call, exercise, expect_shape, expect_sizes, expect_tensor
from sepbook.check._inputs import case_seed, dice
from sepbook.check.data._layout import exercise_4

__all__ = ["exercise_1", "exercise_2", "exercise_3", "exercise_4"]

STEMS = ("vocals", "drums", "bass", "other")


@exercise(
    "Exercise 1: the shape of a batch",
    hints=(
        "Each item has one waveform for every stem, whether or not the stem sounds. The batch comes first.",
        "One item first: four stems, one channel, 3 s. Then eight of them.",
        "Eight items, four stems, one audio channel, and 3 * 16000 samples.",
    ),
)
def exercise_1(prediction):
    """Check the predicted (B, S, C, N) of the sources of 8 mono items of three seconds at 16 kHz."""
    known = {
        (8, 4, 1, 3): "N counts samples, not seconds.",
        (8, 1, 4, 48000): "Source comes before audio channel: B S C N.",
        (8, 4, 1, 320000): "That is a whole song. An item is an excerpt of three seconds.",
        (8, 5, 1, 48000): "The mixture is no source: it has an entry of its own, `mixture`.",
        (8, 4, 2, 48000): "Mono is one channel.",
        (4, 8, 1, 48000): "The batch comes first: B S C N.",
        (8, 4, 1, 132300): "That is for 44 100 samples per second. There are 16 000 samples per second here.",
        (8, 4, 1, 16000): "That is one second. An item lasts three.",
        (8, 4, 1, 188): "The data set gives samples. Frames come later, when a system takes a Fourier transform.",
    }
    expect_sizes(prediction, (8, 4, 1, 48000), "B S C N", known)
    return "Without S, the same numbers are the shape of the mixtures: (B, C, N)."


class _Numbered:
    """A track whose samples say where they come from: 10000 * (4 * track + stem) + place, plus 5000 on channel 1."""

    sample_rate, channels, stem_names = 16000, 2, STEMS

    def __init__(self, number: int, length: int):
        self.name, self.number, self.length = f"song {number}", number, length
        self.seconds, self.split, self.score = length / self.sample_rate, "train", None

    def sources(self, names=None, start: int = 0, length: int | None = None) -> Tensor:
        names = STEMS if names is None else [names] if isinstance(names, str) else names
        rows = torch.tensor([10000.0 * (4 * self.number + STEMS.index(name)) for name in names])
        shift = torch.tensor([0.0, 5000.0])
        whole = rows[:, None, None] + shift[:, None] + torch.arange(1.0, self.length + 1)
        length = max(0, self.length - start) if length is None else length
        part = whole[..., start : start + length]
        return torch.nn.functional.pad(part, (0, length - part.shape[-1]))

    def mixture(self) -> Tensor:
        return self.sources().sum(0)


@exercise(
    "Exercise 2: stems of different songs",
    hints=(
        "Inside a loop over the stems, draw a track with random.integers(len(tracks)), then a start that leaves room "
        "for the excerpt.",
        "For one stem: a track from random.integers, a start from random.integers, then track.sources([name],"
        " start, samples).",
        "start = int(random.integers(track.length - samples + 1)); track.sources([name], start, samples) has the shape "
        "(1, C, N); join the four with torch.cat.",
    ),
)
def exercise_2(incoherent):
    """Check a function (tracks, random, samples) -> sources (S, C, N), each stem from a track and place of its own."""
    more = torch.randperm(9, generator=dice())[:3]  # the shortest track is as long as the excerpt
    tracks = [_Numbered(number, 32 + extra) for number, extra in enumerate((more - more.min()).tolist())]
    draws = []
    for seed in range(80):
        sources = call(incoherent, tracks, np.random.default_rng(case_seed(seed)), 32)
        sources = expect_shape(sources, (4, 2, 32), "S C N").double()
        draws.append([_origin(row, stem, tracks) for stem, row in enumerate(sources)])
    _check_variety(draws, tracks, 32)
    short = call(incoherent, tracks, np.random.default_rng(case_seed()), 20)
    short = expect_shape(short, (4, 2, 20), "S C N", "It is about an excerpt of 20 samples.")
    for stem, row in enumerate(short.double()):
        _origin(row, stem, tracks)
    again = [expect_tensor(call(incoherent, tracks, np.random.default_rng(seed), 32)) for seed in (5, 5)]
    if not torch.equal(*again):
        raise CheckFailure(
            "The same seed gives different excerpts.",
            "Look for random numbers that do not come from `random`: torch.randint, np.random, the module random.",
            "Take every number from the generator that is handed in: random.integers(…).",
            kind="unseeded",
        )
    return "No band plays this, but every stem is true, and so is the sum. Mixtures(incoherent=1) does the same."


def _origin(row: Tensor, stem: int, tracks: list) -> tuple[int, int]:
    """The (track, start) of one row (C, N). Raises CheckFailure unless it is one excerpt of the right stem."""
    first, length = int(row[0, 0]), row.shape[-1]
    if (row[0] == 0).any() and (row[0] != 0).any():
        raise CheckFailure(
            f"The stem {STEMS[stem]} runs out before the excerpt is over: zeros follow.",
            "The tracks have different lengths. What is the last start at which the excerpt still fits?",
            "random.integers(track.length - samples + 1): with the length of the track that was drawn.",
            kind="past the end",
        )
    changed, how = f"The stem {STEMS[stem]} is changed: it is not an unbroken excerpt.", _change(row)
    if how:
        raise CheckFailure(changed, how, kind=how, known=True)
    number, place = divmod(first, 10000)
    track, found = divmod(number, len(STEMS))
    if not 0 <= track < len(tracks) or not 1 <= place <= tracks[track].length:
        raise CheckFailure(
            f"What stands in the place of the stem {STEMS[stem]} is no excerpt of any track.", kind="unknown"
        )
    if found != stem:
        raise CheckFailure(
            f"In the place of the stem {STEMS[stem]} stands {STEMS[found]}.",
            "Axis S has a fixed order, that of track.stem_names. Only the track and the place are random.",
            "for name in tracks[0].stem_names: … track.sources([name], start, samples)",
            kind="wrong stem",
        )
    if not torch.equal(row, tracks[track].sources([STEMS[stem]], place - 1, length)[0]):
        raise CheckFailure(changed, kind="changed")
    return track, place - 1


def _change(row: Tensor) -> str:
    """Say what was done to an excerpt (C, N), where it is one of the usual mistakes: sample by sample it grows by 1."""
    steps, apart = row.diff(dim=-1), row[1] - row[0]
    step = float(steps.mean())
    if abs(step) > 0.05 and abs(step - 1) > 0.05 and (steps - step).abs().max() < 0.05:
        return "It runs backwards." if abs(step + 1) < 0.05 else f"It has a gain of {step:.3g}."
    if row.any() and not apart.any():
        return "All its channels are the same."
    return "Its channels are swapped." if (apart == -5000).all() else ""


def _check_variety(draws: list, tracks: list, samples: int) -> None:
    """Raise CheckFailure unless tracks and starts are drawn for each stem, and all of them can be drawn."""
    songs, starts = ([{item[i] for item in draw} for draw in draws] for i in (0, 1))
    seen = set().union(*map(set, draws))
    unheard = sorted(set(range(len(tracks))) - {track for track, _ in seen})
    lasts = {(k, track.length - samples) for k, track in enumerate(tracks)}
    faults = {
        "Every seed gives the same excerpts.": len({tuple(draw) for draw in draws}) == 1,
        "All stems come from one song: this item is coherent.": all(len(each) == 1 for each in songs),
        "Every excerpt begins at sample 0.": set().union(*starts) == {0},
        "The songs differ, but all stems start at the same place.": all(len(each) == 1 for each in starts),
        f"Of tracks 0 to {len(tracks) - 1}, some are never drawn: {unheard}.": bool(unheard),
        "The end of a track is never heard: the last start that fits is missing.": not lasts <= seen,
    }
    for what, true in faults.items():
        if true:
            raise CheckFailure(what, kind=what)


SONGS = tuple(f"{word} {noun}" for word in ("old", "red", "far", "new", "last") for noun in ("road", "moon", "hat"))
COUNT = 12  # songs of a case


@exercise(
    "Exercise 3: find the leak",
    hints=(
        "What is shuffled here: pieces or songs? Two pieces of one song have the same singer, band and tune.",
        "Make the set of songs first. What is shuffled and cut then?",
        "Shuffle sorted({song for song, _ in pieces}), take the first songs for the test, and then sort the pieces by "
        "whether their song is among them.",
    ),
)
def exercise_3(split_pieces):
    """Check a function (pieces, share, random) -> (train, test): lists of (song, start) that share no song."""
    chosen = torch.randperm(len(SONGS), generator=dice(1))[:COUNT].tolist()
    pieces = [(SONGS[k], start) for k in chosen for start in range(0, 20, 4)]
    for share in (0.25, 1 / 3):
        halves = [_test_songs(split_pieces, pieces, share, case_seed(seed)) for seed in range(4)]
        if len(set(halves)) == 1:
            what = f"Every seed gives the same test songs: {', '.join(sorted(halves[0]))}."
            where = "Does it shuffle the songs?"
            raise CheckFailure(what, where, "random.permutation(songs) shuffles.", kind="constant")
    return "No song is on both sides. Ask next what else the sides share: singers, instruments, studios, a producer."


def _test_songs(split_pieces, pieces: list, share: float, seed: int) -> frozenset:
    """Split once and once more with the same seed, and return the songs of the test."""
    given, again = (call(split_pieces, list(pieces), share, np.random.default_rng(seed)) for _ in range(2))
    train, test = _two_lists(given)
    _check_all_there(train, test, pieces)
    both = sorted({song for song, _ in train} & {song for song, _ in test})
    if both:
        raise CheckFailure(
            f"{len(both)} of {COUNT} songs are in both lists, for example {both[0]!r}: "
            f"{sum(song == both[0] for song, _ in train)} pieces of it in train, "
            f"{sum(song == both[0] for song, _ in test)} in test.",
            kind="leak",
        )
    _check_share(train, test, share)
    songs = frozenset(song for song, _ in test)
    if songs != {song for song, _ in _two_lists(again)[1]}:
        raise CheckFailure(
            "The same seed gives another split.",
            "Look for random numbers that do not come from `random`, and for the order of a set, which is chance.",
            "songs = sorted({song for song, _ in pieces}); random.permutation(songs).",
            kind="unseeded",
        )
    return songs


def _two_lists(given) -> tuple[list, list]:
    try:
        train, test = given
        return [(song, start) for song, start in train], [(song, start) for song, start in test]
    except (TypeError, ValueError):
        what = f"Two lists of (song, start) should come back, but it is {given!r:.60}."
        raise CheckFailure(what, "Look at the return.", "return train, test", kind="type") from None


def _check_all_there(train: list, test: list, pieces: list) -> None:
    found = [(str(song), start) for song, start in train + test]
    lost, twice = set(pieces) - set(found), len(found) - len(set(found))
    if lost or twice or set(found) - set(pieces):
        what = f"Of {len(pieces)} pieces {len(lost)} are lost and {twice} are there twice."
        raise CheckFailure(what, "Every piece belongs to exactly one of the lists.", kind="pieces")


def _check_share(train: list, test: list, share: float) -> None:
    expected = round(share * COUNT)
    count = len({song for song, _ in test})
    if len({song for song, _ in train}) == expected != count:
        raise CheckFailure("The two lists are swapped.", "The test is the smaller one.", "return train, test", "order")
    if count != expected:
        what = f"With a share of {share:.3g}, {count} of {COUNT} songs are in the test, but should be {expected}."
        few = "Is the share used, and is no song drawn twice? random.choice draws without return by replace=False."
        raise CheckFailure(what, few if count < expected else "", "count = round(share * len(songs))", kind="share")
