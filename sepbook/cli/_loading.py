"""From the words of the command line to systems and tracks."""

import json
import warnings
from pathlib import Path

import torch

from sepbook import architectures
from sepbook.data import corpus
from sepbook.data.folder import StemFolder
from sepbook.training import checkpoint
from sepbook.training.device import choose


def load_system(name: str | None, preset: str, weights: Path | None, device: str):
    """A trained system on its device: from a file of weights, or the one that comes with the book."""
    where = choose(device).device
    if weights is not None:
        return checkpoint.load_weights(weights, expect=name).to(where)
    return checkpoint.shipped(name or "unet", preset).to(where)


def create_system(name: str, preset: str, fields: list[str]):
    """A fresh system, with single fields of its configuration replaced."""
    overrides = dict(map(parse_field, fields))
    if fields:
        _try_fields(name, preset, fields, overrides)
    return architectures.create(name, preset, **overrides)


def _try_fields(name: str, preset: str, fields: list[str], overrides: dict) -> None:
    """Build the system without memory and send one second through it: whatever breaks, it is the given values."""
    try:
        system = architectures.plan(name, preset, overrides)
        with torch.device("meta"), warnings.catch_warnings(action="ignore"):
            system.eval()(torch.zeros(1, system.channels, system.sample_rate))
    except architectures.FieldError as error:
        example = json.dumps(error.example, separators=(",", ":"))
        given = [text for text in fields if text.partition("=")[0].strip() == error.field][-1]  # the last one counts
        wanted = f"expected {error.expected}, like {example}: --set '{error.field}={example}'"
        raise ValueError(f"--set {given}: {wanted}") from error
    except (architectures.UnknownError, NotImplementedError):  # the latter: a step that the meta device lacks
        architectures.configure(name, preset, overrides)
    except Exception as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"--set {' '.join(fields)}: {name} cannot be built like this ({reason})") from error


def parse_field(text: str) -> tuple[str, object]:
    """Split `hop=512` into a name and a value; a value that is not JSON is a word."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise ValueError(f"--set {text}: expected FIELD=VALUE, for example --set hop=512")
    try:
        return name.strip(), json.loads(value)
    except ValueError:
        return name.strip(), value


def load_tracks(data: str, split: str, sample_rate=None, channels=None, allow_missing=False) -> StemFolder:
    """The tracks of the built-in corpus ("corpus") or of a folder of stems."""
    if data != "corpus":
        return StemFolder(data, split, sample_rate, channels, allow_missing=allow_missing)
    songs = corpus.songs(split)
    if sample_rate in (None, corpus.SAMPLE_RATE) and channels in (None, 1):
        return songs
    return StemFolder(songs.root, split, sample_rate, channels, songs.source_names)
