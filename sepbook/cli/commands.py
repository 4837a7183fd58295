"""The commands. Each reads like the page that it belongs to; torch loads only when a command runs.

Taught on: book/first_separation
"""

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from sepbook import __version__, architectures
from sepbook.cli._words import escaped

app = typer.Typer(
    invoke_without_command=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)

SYSTEMS = ", ".join(architectures.names())


class Format(StrEnum):
    """File formats for stems. Taught on: book/first_separation."""

    wav, flac, ogg, mp3 = "wav", "flac", "ogg", "mp3"


class At(StrEnum):
    """Rates to score at. Taught on: book/evaluation/metrics."""

    track, system = "track", "system"


MINE = "Or a file of your own: my_system.py."
SystemName = Annotated[str, Argument(metavar="SYSTEM", help=f"One of: {SYSTEMS}. {MINE}")]
Chosen = Annotated[
    str | None, Option("--system", help=f"One of: {SYSTEMS}. {MINE} [default: unet, or what the weights are for]")
]
Preset = Annotated[str, Option(help="Its configuration: small (trains on a laptop) or paper (as published).")]
PresetOf = Annotated[
    str | None, Option("--preset", help="Its configuration, as for shapes. [default: small, or that of the weights]")
]
Weights = Annotated[Path | None, Option(help="Weights of your own (.safetensors). [default: those of the book]")]
Where = Annotated[str, Option("--device", help="auto, cpu, cuda or mps.")]
Data = Annotated[str, Option(help="corpus (the built-in sounds) or a FOLDER/split/song/stem.wav of your own.")]
TaskName = Annotated[
    str | None,
    Option("--task", help="songs, vocals, talkers, speech_noise or folder. [default: what the system is for]"),
]
Fields = Annotated[
    list[str] | None,
    Option("--set", metavar="FIELD=VALUE", help="Change one field of the configuration; may be repeated."),
]
AsJson = Annotated[bool, Option("--json", help="Print JSON for other programs instead of a table.")]
Quiet = Annotated[bool, Option("--quiet", "-q", help="No progress bar.")]
AllowMissing = Annotated[
    bool, Option("--allow-missing", help="A stem that a song lacks counts as silence, not as an error.")
]


def _version(asked: bool) -> None:
    if asked:
        print(f"sepbook {__version__}")
        raise typer.Exit()


@app.callback()
def sepbook(
    context: typer.Context,
    version: Annotated[bool, Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
):
    """Take music apart: separate songs, train systems, score them, and print their shapes.

    \b
    First steps:
      sepbook separate song.mp3            four files in the folder stems/
      sepbook shapes unet                  what goes in and out of every layer
      sepbook evaluate                     how good is it, on songs it never heard?
      sepbook train unet --steps 350       train your own, in a minute or two

    `sepbook COMMAND --help` explains a command and gives examples.
    """
    if context.invoked_subcommand is None:
        print(context.get_help())


@app.command()
def separate(
    song: Annotated[Path, Argument(help="An audio file: wav, flac, ogg, mp3; with ffmpeg also m4a, wma and video.")],
    out: Annotated[Path, Option("--out", "-o", help="Folder for the stems.")] = Path("stems"),
    system: Chosen = None,
    preset: PresetOf = None,
    weights: Weights = None,
    format: Annotated[Format, Option(help="Format of the stems; wav keeps every bit.")] = Format.wav,
    overwrite: Annotated[bool, Option("--overwrite", help="Replace stems that are there already.")] = False,
    chunk_seconds: Annotated[float, Option(help="Seconds of sound in memory at a time.")] = 30.0,
    overlap: Annotated[float, Option(help="Part of a chunk that the next one computes again, 0 to 0.5.")] = 0.25,
    device: Where = "auto",
    quiet: Quiet = False,
):
    """Separate a song into one file for each source.

    A song of any length will do: it is read, separated and written piece by piece. The stems have the song's
    sample rate, channels and length, and appear under their names when they are complete. Their sound ends at
    half the rate of the system (8 kHz for unet): what lies above is in no stem.

    \b
    Examples:
      sepbook separate song.mp3
      sepbook separate song.flac -o stems/song --format flac
      sepbook separate song.wav --weights runs/unet_small/weights.safetensors
    """
    from sepbook import audio
    from sepbook.cli._loading import load_system
    from sepbook.evaluation.separation import missing_band, separate_file

    about = audio.info(song)  # a file that cannot be read is told before anything is loaded
    found = load_system(system, preset, weights, device)
    if note := missing_band(found, about.sample_rate):
        print(f"sepbook: note: {note}", file=sys.stderr)
    stems = separate_file(found, song, out, f".{format.value}", chunk_seconds, overlap, overwrite, progress=not quiet)
    for path in stems.values():
        print(escaped(path) if sys.stdout.isatty() else path)


@app.command()
def train(
    system: SystemName,
    preset: PresetOf = None,
    task: TaskName = None,
    data: Data = "corpus",
    steps: Annotated[
        int | None, Option(min=1, help="Steps of gradient descent; they define the result. [default: the recipe's]")
    ] = None,
    batch_size: Annotated[int | None, Option(min=1, help="Mixtures in a step. [default: the recipe's]")] = None,
    seconds: Annotated[float | None, Option(help="Length of a mixture. [default: the recipe's]")] = None,
    learning_rate: Annotated[float | None, Option(help="At its highest. [default: the recipe's]")] = None,
    seed: Annotated[int, Option(min=0, help="The same seed and steps give the same weights.")] = 0,
    start: Annotated[
        Path | None, Option("--from", metavar="WEIGHTS", help="Go on from these weights instead of random ones.")
    ] = None,
    out: Annotated[Path | None, Option("--out", "-o", help="Folder for the run. [default: runs/SYSTEM_PRESET]")] = None,
    resume: Annotated[bool, Option("--resume", help="Go on where the run in that folder stopped.")] = False,
    workers: Annotated[int, Option(min=0, help="Processes that prepare batches.")] = 0,
    fields: Fields = None,
    allow_missing: AllowMissing = False,
    device: Where = "auto",
    quiet: Quiet = False,
):
    """Train a system by its recipe: on the built-in songs or talkers, or on a folder of your own stems.

    Without options this is the run behind the weights of the book. Each option replaces one line of the recipe.

    Ctrl-C stops after the step and loses nothing: --resume goes on from there. The folder gets
    weights.safetensors (what `separate` and `evaluate` take), best.safetensors, and last.safetensors (what
    --resume takes). --from begins a new run with weights that are there already, such as those of another run.

    A system of your own is one file: SYSTEM may be my_system.py. Name it for the other commands too, beside its
    weights, as --system my_system.py. The file is run, so read those of others first.

    \b
    A folder of your own has one folder for each song, with equal names for its stems:
      FOLDER/train/first song/vocals.wav  drums.wav  bass.wav  other.wav
      FOLDER/valid/another song/…         (if there is one, it chooses the best weights)

    \b
    Examples:
      sepbook train unet --steps 350
      sepbook train unet --data my_stems --steps 3000 --out runs/mine
      sepbook train unet --from runs/unet_small/weights.safetensors --data my_stems --steps 500 --out runs/tuned
      sepbook train unet --set hop=512 --set "widths=[16,32,64]"
      sepbook train unet --task talkers --set 'source_names=["talker_1","talker_2"]' --out runs/talk
      sepbook train my_system.py --steps 350
    """
    from sepbook.cli._training import run_training

    changes = {"batch_size": batch_size, "seconds": seconds, "learning_rate": learning_rate, "folder": out}
    changes |= {"resume": resume, "workers": workers, "device": device}
    about = (fields or [], start, task, data, allow_missing)
    return run_training(system, preset, *about, steps, seed, changes, not quiet)


@app.command()
def evaluate(
    system: Chosen = None,
    preset: PresetOf = None,
    weights: Weights = None,
    task: TaskName = None,
    data: Data = "corpus",
    split: Annotated[str, Option(help="Which songs: test, valid or train.")] = "test",
    oracle: Annotated[
        bool, Option("--oracle", help="Score the ideal ratio mask too: the ceiling of all masks.")
    ] = False,
    at: Annotated[
        At | None,
        Option(help="Score at the rate of the track or of the system. [default: track, and system where it is lower]"),
    ] = None,
    as_json: AsJson = False,
    allow_missing: AllowMissing = False,
    device: Where = "auto",
    quiet: Quiet = False,
):
    """Score a system: SI-SDR, and how much better that is than the untouched mixture, in dB.

    The interval says where the mean over more songs of this kind lies, with 95 % confidence. A source that is
    silent in a song has no score there and is left out. A system that works at a lower rate than the songs can
    return nothing above half of it; then there is a second table, at its own rate.

    \b
    Examples:
      sepbook evaluate
      sepbook evaluate --weights runs/unet_small/weights.safetensors --oracle
      sepbook evaluate --weights runs/talk/weights.safetensors --task talkers
      sepbook evaluate --data my_stems --split test --json > scores.json
    """
    from sepbook.cli._loading import find_task, load_system
    from sepbook.cli._scoring import score_all

    found = load_system(system, preset, weights, device)
    about = find_task(found, task, data, allow_missing)
    tables = score_all(found, about.tracks(split), at and at.value, oracle, not quiet)
    if as_json:
        what = {"system": found.name, "preset": found.preset, "task": about.name, "data": data, "split": split}
        print(json.dumps(what | {name: table.as_dict() for name, table in tables.items()}, indent=2))
    else:
        print(*tables.values(), sep="\n\n")


@app.command()
def shapes(
    system: SystemName,
    preset: Preset = "small",
    seconds: Annotated[float, Option(help="Length of the mixture.")] = 3.0,
    depth: Annotated[
        int | None, Option(min=0, help="How deep to look: 0 the system, 1 its parts. [default: all]")
    ] = None,
    time: Annotated[bool, Option("--time", help="Measure milliseconds too.")] = False,
    unfold: Annotated[bool, Option("--unfold", help="A row for each of several blocks that are alike.")] = False,
    fields: Fields = None,
    as_json: AsJson = False,
):
    """Print what goes in and out of every layer, with parameters and multiply-accumulates.

    \b
    Examples:
      sepbook shapes unet
      sepbook shapes unet --preset paper --seconds 12 --depth 2
      sepbook shapes unet --set n_fft=2048 --json
    """
    from sepbook.cli._shapes import trace_as_dict, trace_system

    found, trace = trace_system(system, preset, fields or [], seconds, depth, time, unfold)
    if as_json:
        print(json.dumps(trace_as_dict(found, trace), indent=2))
    else:
        print(trace)
