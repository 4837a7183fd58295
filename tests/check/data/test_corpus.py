import numpy as np
import pytest
import soundfile
import torch

from sepbook import audio
from sepbook.check.data import corpus as check
from tests.check.tables import *  # noqa: F403


def incoherent(tracks, random, samples):
    parts = []
    for name in tracks[0].stem_names:
        track = tracks[random.integers(len(tracks))]
        start = int(random.integers(track.length - samples + 1))
        parts.append(track.sources([name], start, samples))
    return torch.cat(parts)


def drawn_whole(tracks, random, samples):
    """Another right answer: cuts whole tracks, and draws all tracks before all starts."""
    chosen = [tracks[k] for k in random.integers(len(tracks), size=4)]
    starts = [random.integers(track.length - samples, endpoint=True) for track in chosen]
    rows = [
        track.sources()[s, :, start : start + samples]
        for s, (track, start) in enumerate(zip(chosen, starts, strict=True))
    ]
    return torch.stack(rows)


def draw(tracks, random, samples, *, stems=None, song=None, start=None, slack=1, last=None):
    """Incoherent, with one thing done in another way."""
    parts = []
    for name in stems or tracks[0].stem_names:
        track = tracks[song(random) if song else random.integers(last or len(tracks))]
        begin = start(random, track) if start else random.integers(track.length - samples + slack)
        parts.append(track.sources([name], int(begin), samples))
    return torch.cat(parts)


def coherent(tracks, random, samples):
    track = tracks[random.integers(len(tracks))]
    return track.sources(None, int(random.integers(track.length - samples + 1)), samples)


def by_song(pieces, share, random):
    songs = random.permutation(sorted({song for song, _ in pieces}))
    held_out = set(songs[: round(share * len(songs))])
    return [p for p in pieces if p[0] not in held_out], [p for p in pieces if p[0] in held_out]


def by_piece(pieces, share, random):
    order = random.permutation(len(pieces))
    count = round(share * len(pieces))
    return [pieces[i] for i in order[count:]], [pieces[i] for i in order[:count]]


def in_order(pieces, share, random):
    songs = sorted({song for song, _ in pieces})
    held_out = set(songs[: round(share * len(songs))])
    return [p for p in pieces if p[0] not in held_out], [p for p in pieces if p[0] in held_out]


def half(pieces, share, random):
    return by_song(pieces, 0.5, random)


def dropped(pieces, share, random):
    train, test = by_song(pieces, share, random)
    return train[1:], test


def in_place(pieces, share, random):
    random.shuffle(pieces)
    return by_song(pieces, share, random)


def by_shuffle(pieces, share, random):
    """Another right answer: shuffles the songs in place, and walks through the pieces once."""
    songs, sides = sorted(dict(pieces)), ([], [])
    random.shuffle(songs)
    for song, start in pieces:
        sides[songs.index(song) < round(share * len(songs))].append((song, start))
    return list(sides)


def by_choice(pieces, share, random):
    names = np.unique([song for song, _ in pieces])
    held_out = random.choice(names, size=round(share * len(names)), replace=False)
    inside = np.isin([song for song, _ in pieces], held_out)
    return [p for p, i in zip(pieces, inside, strict=True) if not i], tuple(
        p for p, i in zip(pieces, inside, strict=True) if i
    )


def by_start(pieces, share, random):
    """Hold out the ends of all songs."""
    last = sorted({start for _, start in pieces})[-1]
    return [p for p in pieces if p[1] < last], [p for p in pieces if p[1] == last]


def by_songs_with_return(pieces, share, random):
    songs = sorted({song for song, _ in pieces})
    held_out = set(random.choice(songs, size=round(share * len(songs))))  # some may be drawn twice
    return [p for p in pieces if p[0] not in held_out], [p for p in pieces if p[0] in held_out]


def stacked(tracks, random, samples):
    """Another right answer, filled in row by row, in NumPy."""
    names = tracks[0].stem_names
    out = np.zeros((len(names), tracks[0].channels, samples))
    for s, name in enumerate(names):
        track = random.choice(tracks)
        start = random.integers(0, track.length - samples, endpoint=True)
        out[s] = track.sources(name).numpy()[0][:, start : start + samples]
    return out


def lay_out(root, split, track, stems, rate):
    folder = root / split / track
    for name, samples in stems.items():
        audio.save(folder / f"{name}.wav", samples, rate)
    return folder


def lay_out_by_soundfile(root, split, track, stems, rate):
    folder = root.joinpath(split, track)
    folder.mkdir(parents=True)
    for name in stems:
        soundfile.write(folder / (name + ".wav"), stems[name].numpy().T, rate, subtype="FLOAT")
    return folder


def laid(place=lambda root, split, track: root / split / track, name="{}.wav", change=lambda x, stems: x, rate=None):
    """A function like lay_out, with one thing done in another way."""

    def lay_out_otherwise(root, split, track, stems, given):
        for stem, samples in stems.items():
            audio.save(place(root, split, track) / name.format(stem), change(samples, stems), rate or given)
        return place(root, split, track)

    return lay_out_otherwise


RIGHT = [
    (1, (8, 4, 1, 48000)),
    (1, [8, 4, 1, 3 * 16000]),
    (1, torch.Size([8, 4, 1, 48000])),
    (1, np.array([8.0, 4, 1, 48000])),
    (2, incoherent),
    (2, drawn_whole),
    (2, stacked),
    (2, lambda t, r, n: incoherent(t, r, n).double()),
    (3, by_song),
    (3, in_place),
    (3, by_shuffle),
    (3, by_choice),
    (4, lay_out),
    (4, laid(name="{}.flac")),
    (4, lambda *given: str(lay_out(*given))),
    (4, laid(change=lambda x, stems: x.double())),
    (4, lay_out_by_soundfile),
]
WRONG = [
    (1, (8, 4, 48000), "3 sizes, but 4 axes"),
    (1, (8, 1, 4, 48000), "Source comes before audio channel"),
    (1, (8, 4, 1, 3), "not seconds"),
    (1, (8, 4, 1, 320000), "a whole song"),
    (1, (8, 5, 1, 48000), "no source"),
    (1, (8, 4, 2, 48000), "Mono is one channel"),
    (1, (4, 8, 1, 48000), "The batch comes first: B S C N"),
    (1, (8, 4, 1, 132300), "16 000 samples per second here"),
    (1, (8, 4, 1, 16000), "That is one second"),
    (2, coherent, "All stems come from one song"),
    (2, lambda t, r, n: incoherent(t, r, n).sum(0), "has 2 axes"),
    (2, lambda t, r, n: draw(t, r, n, start=lambda r, t: 0), "begins at sample 0"),
    (2, lambda t, r, n: draw(t, r, n, slack=8), "runs out before the excerpt is over"),
    (2, lambda t, r, n: draw(t, r, n, last=2), "some are never drawn: [2]"),
    (2, lambda t, r, n: draw(t, r, n, start=lambda r, t: r.integers(max(1, t.length - n))), "never heard"),
    (2, lambda t, r, n: draw(t, r, n, slack=0), "stops in"),
    (2, lambda t, r, n: incoherent(t, np.random.default_rng(), n), "same seed gives different"),
    (2, lambda t, r, n: incoherent(t, np.random.default_rng(0), n), "Every seed gives the same"),
    (2, lambda t, r, n: draw(t, r, n, stems=["drums", "vocals", "bass", "other"]), "stands drums"),
    (2, lambda t, r, n: 0 * incoherent(t, r, n), "no excerpt of any track"),
    (2, lambda t, r, n: incoherent(t, r, n).flip(-1), "It runs backwards"),
    (2, lambda t, r, n: incoherent(t, r, n)[:, :1].expand(-1, 2, -1), "All its channels are the same"),
    (2, lambda t, r, n: incoherent(t, r, n).flip(1), "Its channels are swapped"),
    (2, lambda t, r, n: incoherent(t, r, n) / 4, "a gain of 0.25"),
    (2, lambda t, r, n: draw(t, r, n, song=lambda r: 0), "All stems come from one song"),
    (3, by_piece, "songs are in both lists"),
    (3, lambda p, s, r: by_song(p, s, r)[::-1], "swapped"),
    (3, half, "6 of 12 songs are in the test, but should be 3"),
    (3, in_order, "Every seed gives the same test songs"),
    (3, dropped, "1 are lost"),
    (3, lambda p, s, r: by_song(p, s, r)[0], "Two lists"),
    (3, by_start, "songs are in both lists"),
    (3, lambda p, s, r: by_song(p, 0.25, r), "With a share of 0.333, 3 of 12 songs"),
    (3, lambda p, s, r: by_song(p, s - 0.05, r), "2 of 12 songs are in the test, but should be 3"),
    (3, by_songs_with_return, "no song drawn twice"),
    (3, lambda p, s, r: [x + x for x in by_song(p, s, r)], "60 are there twice"),
    (3, lambda p, s, r: (p, by_song(p, s, r)[1]), "15 are there twice"),
    (4, laid(lambda root, split, track: root / track / split), "has no folder for the split"),
    (4, laid(lambda root, split, track: root / track), "has no folder for the split"),
    (4, laid(lambda root, split, track: root / split), "no track with stems"),
    (4, laid(name="stem_{}.wav"), "The name of a file is the name of its stem"),
    (4, laid(rate=16000), "16000 Hz instead of 22050 Hz"),
    (4, laid(change=lambda x, stems: sum(stems.values())), "Was the mixture written"),
    (4, laid(change=lambda x, stems: x / x.abs().max()), "scaled to its own peak"),
    (4, laid(change=lambda x, stems: x[:1]), "C (audio channel) is 1 instead of 2"),
    (4, laid(change=lambda x, stems: x.flip(0)), "the channels are swapped"),
    (4, laid(change=lambda x, stems: x[:, 1:]), "N (sample) is 399 instead of 400"),
    (4, laid(change=lambda x, stems: 0.5 * x), "0.5 times what it should be"),
    (4, laid(lambda root, split, track: root / "train" / track), "first, second, third"),
    (4, laid(name="{}.txt"), "stops in"),
    (4, lambda root, split, track, stems, rate: root, "It wrote no file"),
    (3, lambda p, s, r: by_song(p, s, np.random.default_rng()), "The same seed gives another split"),
    (3, lambda p, s, r: (["a"], ["b"]), "Two lists of (song, start)"),
    (4, lambda *given: lay_out(*given).parent, "not the folder of the track"),
    (4, lambda *given: bool(lay_out(*given)), "not the folder of the track"),
]


def test_one_start_for_all_stems_gets_its_own_hint():
    tracks = [check._Numbered(number, 36) for number in range(3)]
    draws = [[(k, start) for k in (0, 1, 2, start % 3)] for start in range(5)]
    with pytest.raises(check.CheckFailure, match="start at the same place"):
        check._check_variety(draws, tracks, 32)


def test_four_steps_are_told_one_after_the_other(hear):
    texts = [hear(check.exercise_3, by_piece) for _ in range(4)]
    steps = ("What:", "Where:", "Step:", "How:")
    assert [[text.count(word) for word in steps] for text in texts] == [
        [1, 0, 0, 0],
        [1, 1, 0, 0],
        [1, 1, 1, 0],
        [1, 1, 1, 1],
    ]
