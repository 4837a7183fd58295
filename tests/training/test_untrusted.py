"""Weights from strangers: whatever the file says, a CheckpointError comes out, in words, and no memory is taken."""

import json
import struct
import subprocess
import sys

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sepbook.architectures import create
from sepbook.evaluation.separation import separate_file
from sepbook.training.checkpoint import CheckpointError, fill, load_weights, read, save_weights, write

TINY = {"widths": (4, 8)}
VAR = "network.encoder.0.norm.running_var"
BIAS = "network.encoder.0.conv.bias"
COUNT = "network.encoder.0.norm.num_batches_tracked"


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """The tensors and the header of a file that is as it should be."""
    path = tmp_path_factory.mktemp("good") / "good.safetensors"
    torch.manual_seed(0)
    save_weights(path, create("unet", **TINY))
    return read(path)


def refused(path, *words):
    with pytest.raises(CheckpointError) as error:
        load_weights(path)
    said = str(error.value)
    assert said.startswith(str(path)) and all(word in said for word in words), said
    assert len(said) < len(str(path)) + 600 and said.isprintable()
    return said


HEADERS = {
    "no system": ({"system": None}, "system=None"),
    "a number for a system": ({"system": 5}, "system=5"),
    "a list for a system": ({"system": ["unet"]}, "system=['unet']"),
    "a file for a system": ({"system": "../base"}, "'../base' is unknown"),
    "no system, but a module": ({"system": "base"}, "'base' is unknown"),
    "a private module": ({"system": "_fields"}, "'_fields' is unknown"),
    "a system of a megabyte": ({"system": "x" * 10**6}, "is unknown"),
    "a preset that is none": ({"preset": "ufo"}, "'ufo' is unknown"),
    "a number for a preset": ({"preset": 1}, "preset=1"),
    "a list for a preset": ({"preset": []}, "preset=[]"),
    "no configuration": ({"config": None}, "config=None"),
    "a list for a configuration": ({"config": [1]}, "config=[1]"),
    "a word for a configuration": ({"config": "x"}, "config='x'"),
    "another format": ({"format": 2}, "not written by sepbook"),
    "a word for the format": ({"format": "1"}, "not written by sepbook"),
}
CONFIGS = {
    "a way out": ({"source_names": ["../../../etc/x"]}, "no file name can hold"),
    "one network for two names": ({"source_names": ["vocals", "Vocals", "bass", "other"]}, "cannot be told"),
    "widths of a thousand million": ({"widths": [10**9]}, "more than 2,147,483,648 weights"),
    "ten million convolutions": ({"convolutions": 10**7}, "more than 3,000 parameters"),
    "a rate below zero": ({"sample_rate": -1}, "sample_rate is -1"),
    "a window without end": ({"n_fft": 10**9}, "n_fft is 1000000000"),
    "another network": ({"widths": [4, 16]}, "(8, 4, 5, 5)", "(16, 4, 5, 5)"),
    "a network of ten gigabytes": ({"widths": [4, 10**6]}, "but the system expects (1000000, 4, 5, 5)"),
    "more sources than weights": ({"source_names": ["a", "b", "c", "d", "e"]}, "decoder.1.conv"),
    "a field of all objects": ({"__class__": 1}, "'__class__' is unknown"),
    "a field of create": ({"preset": "small"}, "'preset' is unknown"),
    "infinity": ({"leak": float("inf")}, "leak is inf, but must be a number"),
    "nested a thousand deep": ({"widths": json.loads("[" * 900 + "]" * 900)}, "does not describe a system"),
}


@pytest.mark.parametrize("kind", HEADERS)
def test_a_header_that_describes_no_system(good, tmp_path, kind):
    tensors, header = good
    changes, *words = HEADERS[kind]
    write(tmp_path / "bad.safetensors", tensors, {**header, **changes})
    refused(tmp_path / "bad.safetensors", *words)


@pytest.mark.parametrize("kind", CONFIGS)
def test_a_configuration_that_cannot_be_built_or_does_not_fit(good, tmp_path, kind):
    tensors, header = good
    changes, *words = CONFIGS[kind]
    write(tmp_path / "bad.safetensors", tensors, {**header, "config": {**header["config"], **changes}})
    refused(tmp_path / "bad.safetensors", *words)


def variance(value):
    return {VAR: torch.tensor([1.0, value, 1.0, 1.0])}


WEIGHTS = {
    "NaN": ({BIAS: torch.full((4,), torch.nan)}, BIAS, "NaN or infinity"),
    "infinity": ({BIAS: torch.full((4,), torch.inf)}, BIAS, "NaN or infinity"),
    "finite before the cast, infinite after": (
        {BIAS: torch.full((4,), 1e300, dtype=torch.float64)}, BIAS, "too large for float32", "1e+300",
    ),
    "a negative variance": (variance(-0.1), VAR, "a variance below 0"),
    "complex": ({BIAS: torch.ones(4, dtype=torch.complex64)}, BIAS, "complex64 numbers", "expects float32"),
    "whole numbers": ({BIAS: torch.ones(4, dtype=torch.int64)}, BIAS, "int64 numbers", "expects float32"),
    "truth values": ({BIAS: torch.ones(4, dtype=torch.bool)}, BIAS, "bool numbers"),
    "eight bits": ({BIAS: torch.ones(4).to(torch.float8_e4m3fn)}, BIAS, "F8_E4M3 numbers"),
    "a count that is no whole number": ({COUNT: torch.tensor(1.0)}, COUNT, "float32 numbers", "expects int64"),
    "no size": ({BIAS: torch.ones(0)}, BIAS, "(0,)", "(4,)"),
    "more axes": ({BIAS: torch.ones(4, 1)}, BIAS, "(4, 1)"),
    "two hundred axes": ({BIAS: torch.ones([1] * 60)}, BIAS, "..."),
    "one missing": ({BIAS: None}, BIAS, "missing"),
    "one too much": ({"extra": torch.ones(1)}, "'extra'", "does not have"),
    "a name of escapes": ({"\x1b[2J\n": torch.ones(1)}, "\\x1b[2J\\n", "does not have"),
    "a long name": ({"x" * 5000: torch.ones(1)}, "xxxxx", "does not have"),
}  # fmt: skip


@pytest.mark.parametrize("kind", WEIGHTS)
def test_weights_that_do_not_fit(good, tmp_path, kind):
    tensors, header = good
    changes, *words = WEIGHTS[kind]
    bad = {key: value for key, value in {**tensors, **changes}.items() if value is not None}
    write(tmp_path / "bad.safetensors", bad, header)
    said = refused(tmp_path / "bad.safetensors", *words)
    system = create("unet", **TINY)
    before = {key: value.clone() for key, value in system.state_dict().items()}
    if "F8" not in said:  # which has no name of ours once it is in memory
        with pytest.raises(CheckpointError, match=r"a\.safetensors: "):
            fill(system, bad, "a.safetensors")
        assert all(torch.equal(before[key], value) for key, value in system.state_dict().items())


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_other_numbers_of_the_same_kind_are_taken(good, tmp_path, kind):
    tensors, header = good
    path = tmp_path / "a.safetensors"
    write(path, {k: v.to(kind) if v.is_floating_point() else v for k, v in tensors.items()}, header)
    found = load_weights(path).state_dict()
    assert all(value.dtype == tensors[key].dtype for key, value in found.items())


def test_what_overflows_in_half_precision_is_not_saved(tmp_path):
    system = create("unet", **TINY)
    with torch.no_grad():
        system.network.encoder[0].conv.bias[1] = 1e5
    with pytest.raises(CheckpointError, match=r"a\.safetensors: .*too large for float16"):
        save_weights(tmp_path / "a.safetensors", system, half=True)
    assert list(tmp_path.iterdir()) == []


def raw(header, body=b""):
    header = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(header)) + header + body


def tensor(first, last, shape=(1,), kind="F32"):
    return {"dtype": kind, "shape": list(shape), "data_offsets": [first, last]}


BYTES = {
    "offsets beyond the file": raw({"a": tensor(0, 400, (100,))}, bytes(4)),
    "two in one place": raw({"a": tensor(0, 4), "b": tensor(0, 4)}, bytes(4)),
    "overlapping": raw({"a": tensor(0, 8, (2,)), "b": tensor(4, 12, (2,))}, bytes(12)),
    "a hole": raw({"a": tensor(4, 8)}, bytes(8)),
    "backwards": raw({"a": tensor(8, 4)}, bytes(8)),
    "another size than its shape": raw({"a": tensor(0, 4, (3,))}, bytes(4)),
    "a shape that overflows": raw({"a": tensor(0, 4, (2**62, 2**62))}, bytes(4)),
    "a negative shape": raw({"a": tensor(0, 4, (-1,))}, bytes(4)),
    "an unknown type": raw({"a": tensor(0, 4, kind="F33")}, bytes(4)),
    "one name twice": raw(
        b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}',
        bytes(8),
    ),
    "nested without end": raw(b'{"a":' + b"[" * 10**5 + b"]" * 10**5 + b"}"),
    "our header nested without end": raw({"__metadata__": {"sepbook": "[" * 10**5 + "]" * 10**5}}),
    "our header is no JSON": raw({"__metadata__": {"sepbook": "{"}}),
    "our header is a list": raw({"__metadata__": {"sepbook": "[1]"}}),
    "our header is a long number": raw({"__metadata__": {"sepbook": "1" * 10**5}}),
    "our header is no text": raw({"__metadata__": {"sepbook": 1}}),
    "a header of a gigabyte": struct.pack("<Q", 1 << 30) + b"{}",
    "a header longer than the file": struct.pack("<Q", 1 << 20) + b"{}",
    "a header of all sizes": b"\xff" * 16,
    "seven bytes": b"\0" * 7,
    "nothing but a size": struct.pack("<Q", 0),
    "half a character": raw(b'{"__metadata__":{"sepbook":"\\ud800"}}'),
}


@pytest.mark.parametrize("kind", BYTES)
def test_bytes_that_are_no_checkpoint(tmp_path, kind):
    (tmp_path / "bad.safetensors").write_bytes(BYTES[kind])
    refused(tmp_path / "bad.safetensors")
    with pytest.raises(CheckpointError):
        read(tmp_path / "bad.safetensors")


BOUNDED = """
import resource, sys
import torch
from sepbook.architectures import create
from sepbook.training import checkpoint
create("unet", widths=(4, 8))
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (200 << 20),) * 2)
for path in sys.argv[1:]:
    try:
        checkpoint.load_weights(path)
        print("loaded")
    except checkpoint.CheckpointError:
        print("refused")
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is bounded by Linux")
def test_a_hostile_header_takes_no_memory(good, tmp_path):
    """A process with 200 MB to spare reads what asks for gigabytes."""
    tensors, header = good
    kinds = ("widths of a thousand million", "a network of ten gigabytes", "a window without end", "a way out")
    for i, kind in enumerate(kinds):
        changed = {**header, "config": {**header["config"], **CONFIGS[kind][0]}}
        write(tmp_path / f"{i}.safetensors", tensors, changed)
    write(tmp_path / "9.safetensors", tensors, header)
    paths = sorted(map(str, tmp_path.glob("*.safetensors")))
    done = subprocess.run([sys.executable, "-c", BOUNDED, *paths], capture_output=True, text=True)
    assert done.stdout.split() == ["refused"] * 4 + ["loaded"], done.stderr


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.sampled_from([0, 1, 2, 16, -1, 2**31, 10**9])
    | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8)
    | st.sampled_from(["vocals", "l1", "softmax", "../x", "CON", "a/b", "\0", "unet", "small"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
FIELDS = list(create("unet", **TINY).config.__dict__)
CHANGES = st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=6), VALUES, max_size=3)
TOP = st.dictionaries(st.sampled_from(["system", "preset", "config", "format", "notes"]), VALUES, max_size=2)


@settings(max_examples=120, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(changes=CHANGES, top=TOP)
def test_no_header_escapes_as_another_error(good, tmp_path_factory, changes, top):
    tensors, header = good
    path = tmp_path_factory.getbasetemp() / "fuzz.safetensors"
    write(path, tensors, {**header, "config": {**header["config"], **changes}, **top})
    try:
        system = load_weights(path)
    except CheckpointError as error:
        assert str(error).startswith(str(path)) and str(error).isprintable()
        return
    assert all(name.isprintable() and "/" not in name for name in system.source_names)
    assert sum(p.numel() for p in system.parameters()) == sum(p.numel() for p in create("unet", **TINY).parameters())


def test_a_name_that_was_changed_afterwards_still_becomes_no_path(good, tmp_path):
    system = create("unet", sample_rate=8000, **TINY)
    system.source_names = ("../out", "b", "c", "d")
    from sepbook import audio

    audio.save(tmp_path / "in" / "song.wav", torch.zeros(1, 800), 8000)
    with pytest.raises(ValueError, match="no file name can hold"):
        separate_file(system, tmp_path / "in" / "song.wav", tmp_path / "in" / "stems", progress=False)
    assert [p.name for p in tmp_path.iterdir()] == ["in"]
