"""The list of the book's weights: what is shipped is on it, byte for byte, and nothing else is offered."""

import hashlib
import json

import pytest

from sepbook.architectures import create, recipe_of
from sepbook.training import _manifest, checkpoint
from sepbook.training.checkpoint import CheckpointError, save_weights

BUDGET = {"demucs": 8.5}  # MB of a file, by system …
EACH, ALL = 3.3, 60.0  # … of any other, and of all together
FILE = "unet_tiny.safetensors"


def write(folder, *rows):
    (folder / "manifest.json").write_text(json.dumps({"format": 1, "weights": rows}))


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """A folder of weights with one system on its list; a function that writes the list again, with changes."""
    monkeypatch.setattr(checkpoint, "WEIGHTS", tmp_path)
    save_weights(tmp_path / FILE, create("unet", "tiny"))
    data = (tmp_path / FILE).read_bytes()
    row = {"file": FILE, "kind": "system", "system": "unet", "preset": "tiny", "task": "songs", "steps": 1, "seed": 0}
    row |= {"result": {}, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(), "edition": {}}

    def listed(**changes):
        write(tmp_path, {key: value for key, value in (row | changes).items() if value is not None})
        return tmp_path

    return listed


def test_what_is_listed_is_shipped(shelf):
    shelf()
    assert checkpoint.shipped("unet", "tiny").preset == "tiny"
    assert checkpoint.shipped("unet", "tiny", task="songs").task == "songs"


def test_weights_for_two_tasks_have_rows_of_their_own(shelf):
    folder = shelf(task="vocals")
    with pytest.raises(CheckpointError, match=r"'unet', preset 'tiny', task 'songs'; there are: unet tiny \(vocals\)"):
        checkpoint.shipped("unet", "tiny")
    assert checkpoint.shipped("unet", "tiny", task="vocals").name == "unet"
    assert _manifest.rows(folder)[0]["task"] == "vocals"


REFUSED = {
    "missing file": (lambda f: (f / FILE).unlink(), {}, "unet_tiny.*lists these weights, but the file is not there"),
    "altered file": (lambda f: save_weights(f / FILE, create("unet", "tiny")), {}, "unet_tiny.*another checksum"),
    "one byte": (lambda f: (f / FILE).write_bytes((f / FILE).read_bytes() + b" "), {}, "unet_tiny.*another checksum"),
    "not listed": (
        lambda f: write(f),
        {},
        "unet_tiny.safetensors is there, but manifest.json does not list",
    ),
    "of a page": (lambda f: None, {"kind": "page"}, "no trained weights are shipped for 'unet'.*there are: none yet"),
    "no manifest": (lambda f: (f / "manifest.json").unlink(), {}, "manifest.json: the list .* is not there. Install"),
    "no JSON": (lambda f: (f / "manifest.json").write_text("{"), {}, "manifest.json: the list .* is damaged"),
    "no UTF-8": (lambda f: (f / "manifest.json").write_bytes(b"\xff"), {}, "manifest.json: the list .* is damaged"),
    "no rows": (lambda f: (f / "manifest.json").write_text("{}"), {}, "manifest.json: the list .* is damaged"),
    "a list": (lambda f: (f / "manifest.json").write_text("[]"), {}, "manifest.json: the list .* is damaged"),
    "rows of text": (lambda f: write(f, "unet"), {}, "manifest.json: the list .* is damaged"),
    "without hash": (lambda f: None, {"sha256": None}, "the row of unet_tiny.safetensors says no 'sha256'"),
    "without task": (lambda f: None, {"task": None}, "the row of unet_tiny.safetensors says no 'task'"),
    "without file": (lambda f: None, {"file": None}, "the row of a file without name says no 'file'"),
    "outside": (lambda f: None, {"file": "../unet_tiny.safetensors"}, "is no name of a file in this folder"),
    "another system": (lambda f: None, {"system": "demucs"}, r"there are: demucs tiny \(songs\)"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_not_as_listed_is_refused_in_words(shelf, kind):
    change, fields, words = REFUSED[kind]
    change(shelf(**fields))
    with pytest.raises(CheckpointError, match=words):
        checkpoint.shipped("unet", "tiny")


def test_every_file_of_weights_is_listed_as_it_is():
    listed = {row["file"]: row for row in _manifest.rows(checkpoint.WEIGHTS)}
    assert set(listed) == {path.name for path in checkpoint.WEIGHTS.glob("*.safetensors")}
    for row in listed.values():
        _manifest.verify(checkpoint.WEIGHTS, row)
        assert (checkpoint.WEIGHTS / row["file"]).stat().st_size == row["bytes"]


def test_weights_keep_to_their_budget():
    rows = _manifest.rows(checkpoint.WEIGHTS)
    heavy = [row["file"] for row in rows if row["bytes"] > 1e6 * BUDGET.get(row.get("system"), EACH)]
    assert not heavy, f"more than {EACH} MB"
    assert sum(row["bytes"] for row in rows) <= 1e6 * ALL


def test_shipped_systems_are_those_that_their_rows_say():
    systems = [row for row in _manifest.rows(checkpoint.WEIGHTS) if row["kind"] == "system"]
    assert ("unet", "small") in {(row["system"], row["preset"]) for row in systems}
    for row in systems:
        system = checkpoint.shipped(row["system"], row["preset"], row["task"])
        assert (system.name, system.preset, system.task) == (row["system"], row["preset"], row["task"])
        notes = checkpoint.read(checkpoint.WEIGHTS / row["file"])[1]["notes"]
        assert (notes["steps"], notes["seed"]) == (row["steps"], row["seed"])
        assert row["steps"] == recipe_of(row["system"], row["preset"]).steps["shipped"]
