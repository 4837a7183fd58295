"""The network of the page *Your own song*: the ONNX file is the shipped network, and says of it what the page needs."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from sepbook.architectures import create
from sepbook.training import checkpoint
from tools.own_song import __main__ as tool
from tools.own_song import graph, protobuf
from tools.results import _weights

SERVED = 8e6  # bytes that a reader fetches: network, WebAssembly and modules


@pytest.fixture(scope="module")
def system():
    return checkpoint.shipped("unet").eval()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Give a folder with what the build of the book writes."""
    folder = tmp_path_factory.mktemp("networks")
    tool.write(folder)
    return folder


@pytest.fixture(scope="module")
def session(folder):
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: the ONNX file cannot be run")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    return runtime.InferenceSession(folder / "unet_small.onnx", options, providers=["CPUExecutionProvider"])


def masks(session, magnitude, multiple, **gates):
    """Run the file as the page does: T filled up to a multiple, gates open unless given."""
    T = magnitude.shape[-1]
    padded = torch.nn.functional.pad(magnitude, (0, -T % multiple)).numpy()
    feeds = {i.name: np.ones(i.shape, np.float32) for i in session.get_inputs() if i.name != "magnitude"}
    (found,) = session.run(["masks"], {**feeds, **gates, "magnitude": padded})
    return torch.from_numpy(found[..., :T])  # (B, S, F - 1, T)


@pytest.mark.parametrize("T", [96, 313])
def test_the_file_is_the_shipped_network(session, system, T):
    magnitude = torch.rand(1, 1, 513, T) * 20
    with torch.no_grad():
        expected = system.masks(magnitude)[:, :, 0]
    found = masks(session, magnitude, 32)
    assert (found - expected[:, :, :-1]).abs().max() < 1e-4 and torch.equal(expected[:, :, -1], expected[:, :, -2])


@pytest.mark.parametrize("skip", range(4))
def test_a_gate_shuts_a_skip_and_a_map(session, system, skip):
    magnitude, H = torch.rand(1, 1, 513, 64) * 20, system.config.widths[skip]

    def shut(block, inputs):
        x = inputs[0].clone()
        x[:, -H:] = 0
        return (x,)

    hook = system.network.decoder[len(system.network.encoder) - 1 - skip].register_forward_pre_hook(shut)
    with torch.no_grad():
        expected = system.masks(magnitude)[:, :, 0, :-1]
    hook.remove()
    found = masks(session, magnitude, 32, **{f"skip.{skip}": np.zeros((H, 1, 1), np.float32)})
    assert (found - expected).abs().max() < 1e-4
    assert (found - masks(session, magnitude, 32)).abs().max() > 1e-2


def test_the_weights_lose_nothing_in_half_precision(system):
    kernels = [m.weight for m in system.modules() if isinstance(m, torch.nn.Conv2d | torch.nn.ConvTranspose2d)]
    assert kernels and all(torch.equal(w, w.half().float()) for w in kernels)


def test_what_a_reader_fetches_is_small(folder):
    about = json.loads((folder / "networks.json").read_text())
    modules = sum(path.stat().st_size for path in tool.RUNTIME.parents[1].glob("**/*js"))
    for network in about["networks"]:
        assert (folder / network["file"]).stat().st_size == network["bytes"]
        assert network["bytes"] + about["runtime"]["bytes"] + modules <= SERVED


def test_the_page_is_told_what_the_ledger_says(folder, system):
    (network,) = json.loads((folder / "networks.json").read_text())["networks"]
    assert sum(layer["parameters"] for layer in network["layers"]) == sum(
        p.numel() for p in system.network.parameters()
    )
    assert [layer["name"] for layer in network["layers"]][:5] == [f"encoder.{level}" for level in range(5)]
    assert network["level_db"] == pytest.approx(-17, abs=0.01) and network["chunk"]["hop"] % system.stride == 0
    assert [source["name"] for source in network["sources"]] == list(system.source_names)


def test_training_anew_keeps_a_network_in_the_page(tmp_path):
    (tmp_path / "a.safetensors").write_bytes(b"new")
    rows = [{"file": "a.safetensors", "kind": "system", "in_page": True, "bytes": 1, "sha256": "", "edition": {}}]
    (tmp_path / "manifest.json").write_text(json.dumps({"weights": rows}))
    _weights.record("a.safetensors", {}, tmp_path, kind="system")
    (row,) = _weights.rows(tmp_path)
    assert row["in_page"] and row["bytes"] == 3


@pytest.mark.parametrize("change", [{"scale": "peak"}, {"convolutions": 2}, {"channels": 2}])
def test_what_the_page_cannot_run_is_refused(change):
    with pytest.raises(ValueError, match="runs in a page"):
        graph.build(create("unet", "tiny", **change))


@pytest.mark.parametrize(
    ("number", "written"), [(0, b"\0"), (127, b"\x7f"), (300, b"\xac\x02"), (-1, b"\xff" * 9 + b"\1")]
)
def test_numbers_are_written_as_protobuf_does(number, written):
    assert protobuf.varint(number) == written
    assert protobuf.field(2, "ab") == b"\x12\x02ab" and len(protobuf.field(2, 1.5)) == 5


def test_a_network_without_softmax_is_written_too():
    config = dataclasses.asdict(create("unet", "tiny").config)
    assert b"Sigmoid" in graph.build(create("unet", "tiny", masks="sigmoid")) and config["masks"] == "softmax"
