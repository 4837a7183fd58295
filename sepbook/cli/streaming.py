"""The command for sound that is still coming in. Like the others it loads torch only when it runs.

Taught on: book/first_separation
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from sepbook.cli.commands import PresetOf, Weights, Where, app

CanStream = Annotated[
    str | None, Option("--system", help="A causal system. [default: the first there is, or what the weights are for]")
]


class Raw(StrEnum):
    """Numbers without a header, least significant byte first. Taught on: book/first_separation."""

    f32le, s16le = "f32le", "s16le"


@app.command()
def stream(
    source: Annotated[Path, Argument(help="An audio file, or - for what comes through a pipe (with --raw).")],
    out: Annotated[Path, Option("--out", "-o", help="Folder for the stems, or - for raw samples.")] = Path("stems"),
    system: CanStream = None,
    preset: PresetOf = None,
    weights: Weights = None,
    raw: Annotated[Raw | None, Option(help="The source has no header: 32-bit floats or 16-bit integers.")] = None,
    rate: Annotated[int | None, Option(help="Samples per second of a raw source.")] = None,
    channels: Annotated[
        int | None, Option(min=1, help="Of a raw source. [default: as many as the system hears]")
    ] = None,
    chunk: Annotated[
        str | None, Option(help="How much is fed at a time: samples, or 16ms. [default: about 32 ms]")
    ] = None,
    only: Annotated[
        str | None, Option(metavar="SOURCE", help="This source alone. [default: all; with -o - the first]")
    ] = None,
    overwrite: Annotated[bool, Option("--overwrite", help="Replace stems that are there already.")] = False,
    device: Where = "auto",
    quiet: Annotated[bool, Option("--quiet", "-q", help="No latency and speed at the end.")] = False,
):
    """Run a causal system while the sound comes in, and say how late and how fast it is.

    Only some systems can: those that never look at sound that is still to come. Memory does not grow with the
    sound. Ctrl-C counts as the end of it: the stems hold what was heard until then. How loud the sound is
    does not matter: the system hears it at a running level, which the estimates do not keep.

    \b
    Examples:
      sepbook stream noisy.wav -o stems
      sepbook stream noisy.wav --chunk 16ms --weights runs/mine/weights.safetensors
      sepbook stream - --raw s16le --rate 16000 -o - < noisy.raw > speech.raw
    """
    from sepbook.cli._stream import run_stream

    settings = {"raw": raw and raw.value, "rate": rate, "channels": channels, "chunk": chunk, "only": only}
    return run_stream(source, out, system, preset, weights, **settings, overwrite=overwrite, device=device, quiet=quiet)
