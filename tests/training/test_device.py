"""Where to compute and how: cards of several kinds, all of them pretended, since the tests must run without one."""

import re

import pytest
import torch

from sepbook.architectures import create
from sepbook.training import checkpoint, loop
from sepbook.training import device as where
from sepbook.training.loop import TrainConfig, TrainingError, train
from tests.systems import Synthetic


@pytest.fixture
def card(monkeypatch):
    """Pretend to have a card: its name, whether bfloat16 is native, its compute capability."""

    def fake(name, bf16, capability, count=2):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda index=0: name)
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda index=0: capability)
        native = lambda including_emulation=True: bf16 or including_emulation  # noqa: E731
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", native)

    return fake


@pytest.mark.parametrize(
    ("name", "bf16", "capability", "compiled", "dtype", "tf32", "words"),
    [
        ("NVIDIA H100", True, (9, 0), False, "float32", True, "TF32.*without compile, bfloat16 was measured"),
        ("NVIDIA H100", True, (9, 0), True, "bfloat16", True, "faster.*compiled"),
        ("NVIDIA A100", True, (8, 0), False, "float32", True, "TF32"),
        ("Tesla T4", False, (7, 5), False, "float16", False, "loss scaling; it has no native bfloat16"),
        ("Tesla T4", False, (7, 5), True, "float16", False, "loss scaling"),
        ("Tesla V100", False, (7, 0), False, "float16", False, "loss scaling"),
        ("Quadro GV", False, (6, 9), False, "float32", False, "no fast shorter"),
        ("Tesla P100", False, (6, 0), False, "float32", False, "no fast shorter"),
        ("Tesla K80", False, (3, 7), True, "float32", False, "no fast shorter"),
    ],
)
def test_the_format_follows_the_card(card, name, bf16, capability, compiled, dtype, tf32, words):
    card(name, bf16, capability)
    found = where.choose(compiled=compiled)
    assert (found.device.type, found.dtype, found.tf32) == ("cuda", where.FORMATS[dtype], tf32)
    assert found.scaler == (dtype == "float16") and found.mixed == (dtype != "float32")
    assert re.search(f"{name}: {dtype}.*{words}", found.reason), found.reason


@pytest.mark.parametrize("precision", where.FORMATS)
def test_a_format_that_is_asked_for_is_taken(card, precision):
    card("NVIDIA H100", True, (9, 0))
    for name in ("cuda", "cpu"):
        found = where.choose(name, precision=precision)
        assert found.dtype == where.FORMATS[precision] and found.scaler == (precision == "float16")
        assert f"{precision}, as asked for" in found.reason


def test_order_of_choice(monkeypatch, card):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert where.choose().device.type == "mps" and where.choose().reason == "Apple GPU: float32"
    assert where.choose("cpu").device.type == "cpu"
    card("Tesla T4", False, (7, 5))
    assert where.choose().device.type == "cuda"
    assert where.choose("cuda", index=1).device.index == 1


def test_what_is_not_there_is_refused(monkeypatch, card):
    with pytest.raises(ValueError, match="'gpu' is unknown.*cuda"):
        where.choose("gpu")
    with pytest.raises(ValueError, match="precision 'half' is unknown.*float16"):
        where.choose("cpu", precision="half")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="not available.*cpu"):
        where.choose("cuda")
    card("Tesla T4", False, (7, 5), count=1)
    with pytest.raises(ValueError, match="no card number 1: this machine has 1; start as many processes as cards"):
        where.choose("cuda", index=1)


def test_move_and_memory():
    moved = where.choose("cpu").move({"mixture": torch.ones(1), "track": ["a"]})
    assert moved["track"] == ["a"] and moved["mixture"].device.type == "cpu"
    assert where.peak_memory(torch.device("cpu")) >= 0


def test_exactness_of_products_is_set_back_even_after_an_error():
    before = torch.get_float32_matmul_precision()
    with pytest.raises(KeyError), where.Device(torch.device("cpu"), torch.float32, False, "", tf32=True).ready():
        assert torch.get_float32_matmul_precision() == "high"
        raise KeyError
    with where.choose("cpu").ready():
        assert torch.get_float32_matmul_precision() == before
    assert torch.get_float32_matmul_precision() == before


def tiny(**fields):
    torch.manual_seed(0)
    return create("unet", widths=(4, 8), **fields)


def run(system=None, data=None, valid=None, **fields):
    system = system or tiny()
    fields = {"steps": 6, "batch_size": 2, "device": "cpu", **fields}
    data = data or Synthetic(system, items=4, samples=4000)
    return system, train(system, data, valid, TrainConfig(**fields), progress=False)


class Breaks(Synthetic):
    def __getitem__(self, i):
        if i == 6:
            raise OSError("the cable is out")
        return super().__getitem__(i)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_parts_are_short_and_the_rest_is_not(tmp_path, precision):
    """As on a card that has it: the network's products are short; spectrogram, loss, weights and validation are not."""
    seen = {"network": set(), "stft": set(), "loss": set(), "valid": set()}

    class Watched(type(tiny())):
        def loss(self, mixture, sources, **labels):
            found = super().loss(mixture, sources)
            seen["loss" if self.training else "valid"].add(found["loss"].dtype)
            seen["stft"].add((torch.randn(2, 2) @ torch.randn(2, 2)).dtype)  # an einsum beside the network
            return found

    def watched():
        torch.manual_seed(0)
        system = Watched(tiny().config)
        system.name, system.preset = "unet", "small"

        def note(module, inputs, output):
            seen["network" if module.training else "valid"].add(output.dtype)

        system.network.encoder[0].conv.register_forward_hook(note)
        return system

    whole, _ = run(watched(), valid=Synthetic(tiny(), items=2, samples=3000), precision=precision)
    assert seen == {
        "network": {where.FORMATS[precision]},
        "stft": {torch.float32},
        "loss": {torch.float32},
        "valid": {torch.float32},
    }
    assert all(v.isfinite().all() and v.dtype != where.FORMATS[precision] for v in whole.state_dict().values())
    place = {"folder": str(tmp_path), "save_every": 1, "precision": precision}
    with pytest.raises(OSError, match="cable"):
        run(data=Breaks(tiny(), items=4, samples=4000), **place)
    _, header = checkpoint.read(tmp_path / "last.safetensors")
    assert header["scaler"].get("_growth_tracker") == (3 if precision == "float16" else None)
    resumed, _ = run(**place, resume=True)
    plain, _ = run(precision=precision)
    assert all(torch.equal(value, resumed.state_dict()[key]) for key, value in plain.state_dict().items())


class Overflows(type(tiny())):
    """Its gradient overflows in the given steps, as float16's may."""

    at, calls = (), 0

    def loss(self, mixture, sources, **labels):
        value, self.calls = super().loss(mixture, sources)["loss"], self.calls + 1
        if self.training and self.calls - 1 in self.at:
            value = Blown.apply(value)
        return {"loss": value}


class Blown(torch.autograd.Function):
    """The identity, whose gradient is infinite."""

    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, gradient):
        return gradient * torch.inf


def test_float16_leaves_out_a_step_that_overflows_and_goes_on():
    torch.manual_seed(0)
    system, weights, scales = Overflows(tiny().config), [], []
    system.at = (7,)
    update = torch.amp.GradScaler.update

    class Noted(Synthetic):
        def __getitem__(self, i):
            if i % 2 == 0:
                weights.append(system.network.encoder[0].conv.weight.detach().clone())
            return super().__getitem__(i)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.amp.GradScaler, "update", lambda self: (update(self), scales.append(self.get_scale()))[0])
        _, history = run(system, Noted(system, items=40, samples=2000), steps=20, precision="float16")
    same = [torch.equal(a, b) for a, b in zip(weights, weights[1:], strict=False)]
    assert same == [step == 7 for step in range(19)], "the step that overflowed, and no other, is left out"
    assert scales[6] == 65536.0 and scales[7] == scales[-1] == 32768.0
    assert history.steps == 20 and all(v.isfinite().all() for v in system.state_dict().values())


def test_float16_that_overflows_for_ever_is_no_overflow():
    torch.manual_seed(0)
    system = Overflows(tiny().config)
    system.at = range(100)
    with pytest.raises(TrainingError, match="gradient is inf at step .*lower learning rate"):
        run(system, Synthetic(system, items=2, samples=2000), steps=40, precision="float16", device="cpu")


def test_without_float16_an_infinite_gradient_stops_at_once():
    torch.manual_seed(0)
    system = Overflows(tiny().config)
    system.at = (2,)
    with pytest.raises(TrainingError, match="the gradient is (inf|nan) at step 2"):
        run(system)


def test_products_are_short_in_parts_and_exact_in_the_loss(monkeypatch):
    """TF32 belongs to the network and to the way back, never to an einsum of a loss."""
    seen = {"network": set(), "loss": set(), "back": set(), "valid": set()}
    precision = torch.get_float32_matmul_precision

    class Watched(type(tiny())):
        def loss(self, mixture, sources, **labels):
            value = super().loss(mixture, sources)["loss"]
            seen["loss" if self.training else "valid"].add(precision())
            if value.requires_grad:
                value.register_hook(lambda gradient: seen["back"].add(precision()))
            return {"loss": value}

    torch.manual_seed(0)
    system = Watched(tiny().config)
    system.network.encoder[0].register_forward_hook(
        lambda module, *_: seen["network"].add(precision()) if module.training else None
    )
    card = where.Device(torch.device("cpu"), torch.float32, False, "a card with TF32", tf32=True)
    monkeypatch.setattr(loop, "choose", lambda *_: card)
    before = precision()
    run(system, steps=2)
    assert seen == {"network": {"high"}, "loss": {"highest"}, "back": {"high"}, "valid": set()}
    assert precision() == before and "forward" not in vars(system.network)
