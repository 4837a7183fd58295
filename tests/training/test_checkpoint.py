import json
import os
import pickle
import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from sepbook.architectures import create
from sepbook.training import checkpoint
from sepbook.training.checkpoint import CheckpointError, load_weights, read, save_weights, write
from tests.systems import register

TINY = {"widths": (4, 8)}


@pytest.fixture
def saved(tmp_path):
    system = create("unet", **TINY)
    path = tmp_path / "unet.safetensors"
    save_weights(path, system, steps=7)
    return system, path


def test_round_trip_and_header(saved):
    system, path = saved
    again = load_weights(path, expect="unet")
    assert not again.training
    assert all(torch.equal(v, again.state_dict()[k]) for k, v in system.state_dict().items())
    _, header = read(path)
    assert header["notes"] == {"steps": 7} and header["config"]["widths"] == [4, 8]


def test_half_precision_halves_the_file_and_hardly_changes_the_sound(saved, tmp_path):
    system, path = saved
    half = tmp_path / "half.safetensors"
    save_weights(half, system, half=True)
    assert half.stat().st_size < 0.7 * path.stat().st_size
    mixture = torch.randn(1, 1, 8000)
    again = load_weights(half)
    assert next(again.parameters()).dtype == torch.float32
    error = again(mixture) - system.eval()(mixture)
    assert error.square().mean() < 1e-5 * mixture.square().mean()


def test_a_pickle_is_refused_and_never_run(tmp_path):
    class Trap:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path}/ran",)

    for name, write_it in {
        "raw": lambda p: p.write_bytes(pickle.dumps(Trap())),
        "zip": lambda p: torch.save({"a": Trap()}, p),
    }.items():
        path = tmp_path / f"{name}.safetensors"
        write_it(path)
        with pytest.raises(CheckpointError, match="pickle"):
            load_weights(path)
    assert not (tmp_path / "ran").exists()


def damage(path, kind):
    data = path.read_bytes()
    if kind == "truncated":
        path.write_bytes(data[: len(data) // 2])
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "text":
        path.write_text("hello, I am not a checkpoint")
    elif kind == "missing":
        path.unlink()
    elif kind == "folder":
        path.unlink()
        path.mkdir()
    elif kind == "stranger":
        save_file({"weight": torch.zeros(3)}, path)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("truncated", "truncated or damaged"),
        ("empty", "truncated or damaged"),
        ("text", "truncated or damaged"),
        ("missing", "no such file"),
        ("folder", "no such file"),
        ("stranger", "not written by sepbook"),
    ],
)
def test_damaged_files_are_named(saved, kind, words):
    _, path = saved
    damage(path, kind)
    with pytest.raises(CheckpointError, match=words) as error:
        load_weights(path)
    assert path.name in str(error.value)


def change(path, **header_changes):
    tensors, header = read(path)
    write(path, tensors, {**header, **header_changes})


def test_another_system_or_config_is_refused(saved, monkeypatch):
    system, path = saved
    with pytest.raises(CheckpointError, match="'unet'.*'demucs'"):
        load_weights(path, expect="demucs")
    change(path, system="nosuch")
    with pytest.raises(CheckpointError, match="nosuch"):
        load_weights(path)
    change(path, system="unet", config={"colour": 3})
    with pytest.raises(CheckpointError, match="colour"):
        load_weights(path)
    change(path, config={"widths": [4, 16]})
    with pytest.raises(CheckpointError, match=r"decoder.0.*\(8, 4, 5, 5\).*\(16, 4, 5, 5\)"):
        load_weights(path)
    register(monkeypatch)
    change(path, system="talkers", config={})
    with pytest.raises(CheckpointError, match="missing|does not have"):
        load_weights(path)


def test_nan_weights_are_refused(saved):
    system, path = saved
    with torch.no_grad():
        system.network.encoder[0].conv.weight[0] = float("nan")
    save_weights(path, system)
    with pytest.raises(CheckpointError, match="encoder.0.conv.weight"):
        load_weights(path)


@settings(max_examples=40, deadline=None)
@given(position=st.integers(0, 10**6), value=st.integers(0, 255), cut=st.integers(0, 10**6))
def test_no_damage_escapes_as_another_error(position, value, cut):
    global FUZZ
    data = bytearray(FUZZ.read_bytes())
    data[position % len(data)] = value
    victim = FUZZ.with_name("victim.safetensors")
    victim.write_bytes(bytes(data[: cut % len(data)]) if cut % 3 == 0 else bytes(data))
    try:
        load_weights(victim)
    except CheckpointError as error:
        assert "victim" in str(error)


@pytest.fixture(autouse=True, scope="module")
def _fuzz_file(tmp_path_factory):
    global FUZZ
    FUZZ = tmp_path_factory.mktemp("fuzz") / "good.safetensors"
    torch.manual_seed(0)
    save_weights(FUZZ, create("unet", **TINY))


def test_an_unwritable_place_is_named(saved, tmp_path):
    system, path = saved
    with pytest.raises(CheckpointError, match="could not be written"):
        save_weights(path / "below" / "a.safetensors", system)


FULL = """
import resource, sys, torch
from sepbook.architectures import create
from sepbook.training.checkpoint import CheckpointError, save_weights
import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
path = sys.argv[1]
save_weights(path, create("unet", widths=(4, 8)))
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
try:
    save_weights(path, create("unet", widths=(4, 8)))
except CheckpointError as error:
    print("refused:", error)
"""


def test_a_full_disk_leaves_the_old_checkpoint(tmp_path):
    path = tmp_path / "a.safetensors"
    done = subprocess.run([sys.executable, "-c", FULL, str(path)], capture_output=True, text=True, check=True)
    assert "could not be written" in done.stdout
    assert load_weights(path).name == "unet"
    assert [p.name for p in tmp_path.iterdir()] == ["a.safetensors"]


def test_nothing_shipped_says_what_is(tmp_path, monkeypatch):
    with pytest.raises(
        CheckpointError, match=r"'unet', preset 'paper', task 'vocals'; there are: .*\bunet small \(songs\)"
    ):
        checkpoint.shipped("unet", "paper")
    with pytest.raises(ValueError, match="did you mean 'unet'"):
        checkpoint.shipped("unett")
    (tmp_path / "manifest.json").write_text('{"weights": []}')
    monkeypatch.setattr(checkpoint, "WEIGHTS", tmp_path)
    with pytest.raises(CheckpointError, match="none yet"):
        checkpoint.shipped("unet")


def test_optimizer_survives_json_and_tensors():
    layer = torch.nn.Linear(3, 2)
    optimizer = torch.optim.Adam(layer.parameters(), 0.1)
    for _ in range(3):
        layer(torch.randn(4, 3)).sum().backward()
        optimizer.step()
    tensors, rest = checkpoint.flatten_optimizer(optimizer)
    other = torch.optim.Adam(layer.parameters(), 0.5)
    checkpoint.unflatten_optimizer(other, tensors, json.loads(json.dumps(rest)))
    assert other.param_groups[0]["lr"] == 0.1
    for p in layer.parameters():
        for key, value in optimizer.state[p].items():
            assert torch.equal(torch.as_tensor(other.state[p][key]), torch.as_tensor(value))
