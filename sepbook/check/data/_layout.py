"""Exercise 4 of the lab on data: a folder that StemFolder can read. Taught on: book/data/corpus."""

import tempfile
from pathlib import Path

import torch

from sepbook import audio
from sepbook.check import CheckFailure, call, exercise, expect_values
from sepbook.check._inputs import dice
from sepbook.data.folder import FolderError, StemFolder


@exercise(
    "Exercise 4: a folder of your own",
    hints=(
        "StemFolder looks for root / split / track / stem.wav. `/` joins parts of a path.",
        "The folder is Path(root) / split / track. Make it with mkdir(parents=True), or let audio.save do so.",
        'for name, samples in stems.items(): audio.save(folder / f"{name}.wav", samples, rate), with folder = root / '
        "split / track.",
    ),
)
def exercise_4(lay_out):
    """Check a function (root, split, track, stems, rate) -> folder: it writes each stem (C, N) for StemFolder."""
    random = dice(4)
    stems = {name: 0.1 * torch.randn(2, 400, generator=random) for name in ("vocals", "piano", "drums")}
    rates = {"train": 22050, "test": 16000}
    wanted = {"train": ["first", "second"], "test": ["third"]}
    with tempfile.TemporaryDirectory() as folder:
        root, folders = Path(folder) / "songs", {}
        for split, names in wanted.items():
            for name in names:
                folders[root / split / name] = call(lay_out, root, split, name, stems, rates[split])
        for split, names in wanted.items():
            tracks = _load(root, split)
            if [track.name for track in tracks] != names:
                place = "Does the path depend on both the split and the name of the track?"
                here = ", ".join(track.name for track in tracks)
                raise CheckFailure(
                    f"In {split} should be {' and '.join(names)}, but there is {here}.", place, kind="tracks"
                )
            for track in tracks:
                _check_track(track, stems, rates[split])
        for wanted_folder, given in folders.items():
            if not isinstance(given, str | Path) or Path(given) != wanted_folder:
                here = str(given).replace(str(root.parent) + "/", "")
                what = f"The files are right, but what is returned is {here:.60}, and not the folder of the track."
                raise CheckFailure(what, "Look at the return.", "return root / split / track", kind="return")
    return "What reads the built-in corpus now reads your folder too: training, evaluation, the command line."


def _load(root: Path, split: str):
    try:
        return StemFolder(root, split)
    except (FolderError, audio.AudioError) as error:
        written = sorted(path.relative_to(root.parent).as_posix() for path in root.parent.rglob("*") if path.is_file())
        here = f"It wrote {', '.join(written[:3])}, …" if written else "It wrote no file."
        what = f"StemFolder says: {error}".replace(str(root.parent) + "/", "")
        raise CheckFailure(what, here, kind="layout") from None


def _check_track(track, stems: dict, rate: int) -> None:
    if sorted(track.stem_names) != sorted(stems):
        what = f"The stems are {', '.join(track.stem_names)} instead of {', '.join(stems)}."
        raise CheckFailure(what, "The name of a file is the name of its stem.", kind="names")
    if track.sample_rate != rate:
        what = f"The files have a sample rate of {track.sample_rate} Hz instead of {rate} Hz."
        raise CheckFailure(what, "Is the rate handed on to audio.save?", kind="rate")
    mixture = sum(stems.values())
    for name, samples in stems.items():
        known = {
            "the mixture was written in the place of the stem": mixture,
            "the channels are swapped": samples.flip(0),
            "the channels are the same": samples[:1].expand_as(samples),
            "each stem was scaled to its own peak, and the balance is lost": samples / samples.abs().max(),
        }
        try:
            found = track.sources([name])[0]
        except FolderError as error:
            what = f"StemFolder says: {error}".replace(str(track.paths[name].parents[3]) + "/", "")
            where = "Was the mixture written in the place of a stem, or one stem in the place of another?"
            raise CheckFailure(what, where, kind="mixture") from None
        expect_values(found, samples, "C N", known, f"It is about the stem {name}.", tolerance=1e-3)
