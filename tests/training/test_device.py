import pytest
import torch

from sepbook.architectures import create
from sepbook.training import checkpoint, loop
from sepbook.training import device as where
from tests.systems import Synthetic


@pytest.fixture
def card(monkeypatch):
    """Pretend to have a card: its name, whether bfloat16 is native, its compute capability."""

    def fake(name, bf16, capability):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda index=0: name)
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda index=0: capability)
        native = lambda including_emulation=True: bf16 or including_emulation  # noqa: E731
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", native)

    return fake


@pytest.mark.parametrize(
    ("name", "bf16", "capability", "dtype", "scaler"),
    [
        ("NVIDIA A100", True, (8, 0), torch.bfloat16, False),
        ("Tesla T4", False, (7, 5), torch.float16, True),
        ("Tesla K80", False, (3, 7), torch.float32, False),
    ],
)
def test_dtype_follows_the_card(card, name, bf16, capability, dtype, scaler):
    card(name, bf16, capability)
    found = where.choose()
    assert (found.device.type, found.dtype, found.scaler) == ("cuda", dtype, scaler)
    assert name in found.reason and str(dtype).removeprefix("torch.") in found.reason
    assert found.mixed == (dtype != torch.float32)


def test_order_of_choice(monkeypatch, card):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert where.choose().device.type == "mps"
    assert where.choose("cpu").device.type == "cpu"
    card("Tesla T4", False, (7, 5))
    assert where.choose().device.type == "cuda"
    assert where.choose("cuda", index=1).device.index == 1


def test_what_is_not_there_is_refused(monkeypatch):
    with pytest.raises(ValueError, match="'gpu' is unknown.*cuda"):
        where.choose("gpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="not available.*cpu"):
        where.choose("cuda")


def test_autocast_and_move():
    short = where.Device(torch.device("cpu"), torch.bfloat16, False, "a test")
    with short.autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.bfloat16
    with where.choose("cpu").autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32
    moved = where.choose("cpu").move({"mixture": torch.ones(1), "track": ["a"]})
    assert moved["track"] == ["a"] and moved["mixture"].device.type == "cpu"
    assert where.peak_memory(torch.device("cpu")) >= 0


class Breaks(Synthetic):
    def __getitem__(self, i):
        if i == 6:
            raise OSError("the cable is out")
        return super().__getitem__(i)


@pytest.mark.parametrize(("dtype", "scaler"), [(torch.bfloat16, False), (torch.float16, True)])
def test_the_loop_trains_in_the_chosen_format_and_goes_on_in_it(monkeypatch, tmp_path, dtype, scaler):
    """As on a card that has it: the network's products are short, weights and loss are not, the scaler is kept."""
    monkeypatch.setattr(loop, "choose", lambda *_: where.Device(torch.device("cpu"), dtype, scaler, "a test"))
    kinds = set()

    def run(kind, **fields):
        torch.manual_seed(0)
        system = create("unet", widths=(4, 8))
        system.network.encoder[0].conv.register_forward_hook(lambda module, inputs, output: kinds.add(output.dtype))
        config = loop.TrainConfig(steps=6, batch_size=2, save_every=1, **fields)
        loop.train(system, kind(system, items=4, samples=4000), config=config, progress=False)
        return system.state_dict()

    whole = run(Synthetic)
    assert kinds == {dtype}
    assert (
        all(v.isfinite().all() for v in whole.values()) and whole["network.encoder.0.conv.weight"].dtype.itemsize == 4
    )
    with pytest.raises(OSError, match="cable"):
        run(Breaks, folder=str(tmp_path))
    _, header = checkpoint.read(tmp_path / "last.safetensors")
    assert header["scaler"].get("_growth_tracker") == (3 if scaler else None)
    resumed = run(Synthetic, folder=str(tmp_path), resume=True)
    assert all(torch.equal(value, resumed[key]) for key, value in whole.items())
