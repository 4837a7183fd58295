"""The list of the weights that come with the book: which file holds which system, and what its bytes must be."""

import hashlib
import json
from pathlib import Path

MANIFEST = "manifest.json"
NEEDED = ("file", "kind", "bytes", "sha256", "edition")  # of every row
OF_SYSTEMS = ("system", "preset", "task", "steps", "seed", "result")


def rows(folder: Path) -> list[dict]:
    """Return the rows of a folder's manifest. Raises ValueError that names what is wrong with it."""
    path = folder / MANIFEST
    try:
        listed = json.loads(path.read_text(encoding="utf-8"))["weights"]
        for row in listed:
            check_row(row, path)
        return listed
    except FileNotFoundError:
        raise ValueError(f"{path}: the list of the book's weights is not there. Install sepbook again") from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{path}: the list of the book's weights is damaged ({error}). Install sepbook again"
        ) from None


def check_row(row: dict, path: Path) -> None:
    """Raise ValueError for a row that lacks something, or whose file is not one of this folder."""
    needed = NEEDED + (OF_SYSTEMS if row.get("kind") == "system" else ())
    if missing := [name for name in needed if name not in row]:
        raise ValueError(f"{path}: the row of {row.get('file', 'a file without name')} says no {missing[0]!r}")
    if Path(row["file"]).name != row["file"] or "\\" in row["file"]:
        raise ValueError(f"{path}: {row['file']!r} is no name of a file in this folder")


def find(folder: Path, name: str, preset: str, task: str) -> Path:
    """Return the file of a system's weights, once its bytes are those of the list. Raises ValueError otherwise."""
    systems = [row for row in rows(folder) if row["kind"] == "system"]
    fitting = [row for row in systems if (row["system"], row["preset"], row["task"]) == (name, preset, task)]
    if not fitting:
        have = ", ".join(f"{row['system']} {row['preset']} ({row['task']})" for row in systems) or "none yet"
        about = f"no trained weights are shipped for {name!r}, preset {preset!r}, task {task!r}; there are: {have}"
        stray = folder / f"{name}_{preset}.safetensors"
        if stray.is_file() and stray.name not in {row["file"] for row in rows(folder)}:
            about += f". {stray} is there, but {MANIFEST} does not list it: give its path to load_weights (--weights)"
        raise ValueError(about)
    verify(folder, fitting[0])
    return folder / fitting[0]["file"]


def verify(folder: Path, row: dict) -> None:
    """Raise ValueError unless the file of a row is there with the bytes that the row says."""
    path = folder / row["file"]
    if not path.is_file():
        raise ValueError(f"{path}: {MANIFEST} lists these weights, but the file is not there. Install sepbook again")
    if hashlib.sha256(path.read_bytes()).hexdigest() != row["sha256"]:
        raise ValueError(
            f"{path}: not the weights that {MANIFEST} lists (another checksum): damaged, or trained anew. Install "
            "sepbook again, or give the path to load_weights (--weights)"
        )
