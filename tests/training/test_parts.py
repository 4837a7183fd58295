"""The parts of a system are compiled for the training step alone; validation and separation take them as they are."""

import pytest
import torch

from sepbook.architectures import create
from sepbook.evaluation.separation import separate
from sepbook.training import parts as ways
from sepbook.training.device import choose
from sepbook.training.loop import TrainConfig, TrainingError, train
from sepbook.training.parts import Parts
from tests.systems import Synthetic
from tests.systems.one_voice import Config as OneVoiceConfig
from tests.systems.one_voice import OneVoice
from tests.systems.targets import Config as TargetsConfig
from tests.systems.targets import Targets

CPU = choose("cpu")


def unet():
    torch.manual_seed(0)
    return create("unet", widths=(4, 8))


def targets():
    torch.manual_seed(0)
    return Targets(TargetsConfig())


def run(system, **fields):
    config = TrainConfig(**{"steps": 4, "batch_size": 2, "device": "cpu", **fields})
    data, valid = (Synthetic(system, items=n, samples=k, seed=n) for n, k in ((4, 4000), (3, 2500)))
    return train(system, data, valid, config, progress=False)


@pytest.fixture
def graphs(monkeypatch):
    """Count what is compiled, and with which sizes, instead of compiling: a backend that runs the graph as it is."""
    torch._dynamo.reset()
    found, found_runs = [], []

    def backend(graph, inputs):
        sizes = [tuple(x.shape) for x in inputs if torch.is_tensor(x) and not isinstance(x, torch.nn.Parameter)]
        found.append([s for s in sizes if len(s) > 1])
        assert all(isinstance(n, int) for size in sizes for n in size), "a size has become a symbol"
        return lambda *inputs: (found_runs.append(1), graph.forward(*inputs))[1]

    monkeypatch.setattr(ways, "BACKEND", backend)
    yield found, found_runs
    torch._dynamo.reset()


@pytest.mark.parametrize("make", [unet, targets])
def test_all_parts_are_compiled_once_and_validation_is_not(graphs, make):
    """Validation items of another length never reach a compiled part: that is what once took for ever."""
    (sizes_of, runs), plain, compiled = graphs, make(), make()
    run(plain)
    history, parts = run(compiled, compile=True), len(compiled.parts())
    assert len(history.rows) == 2 and len(runs) == 4 * parts, "each part in each of the four steps"
    assert len(sizes_of) == 1, "equal parts share what is compiled, and validation's length adds nothing"
    assert sizes_of[0][0][0] == 2, "B of the training"
    for value, other in zip(plain.state_dict().values(), compiled.state_dict().values(), strict=True):
        torch.testing.assert_close(value, other)
    assert not any("forward" in vars(part) for part in compiled.parts().values()), "it is as it was"
    separate(compiled, torch.randn(compiled.channels, 7001), compiled.sample_rate)
    assert len(runs) == 4 * parts


def test_in_the_step_the_fast_way_and_nowhere_else():
    system = unet()
    parts = Parts(system, choose("cpu", precision="bfloat16"))
    x = torch.rand(1, 1, 32, 16)
    exact, called = system.network(x), []
    parts.fast = [lambda *inputs, own=own: (called.append(1), own(*inputs))[1] for own in parts.fast]
    with parts.in_use():
        short = system.network(x)
    assert called == [1] and not torch.equal(short, exact) and short.dtype == torch.float32
    torch.testing.assert_close(short, exact, atol=0.05, rtol=0.05)
    with pytest.raises(KeyError), parts.in_use():
        raise KeyError
    assert torch.equal(system.network(x), exact) and called == [1]


def test_a_part_that_has_two_names_is_one():
    class Twice(type(unet())):
        def parts(self):
            return {"network": self.network, "again": self.network, "stft": self.stft}

    system = Twice(unet().config)
    parts = Parts(system, CPU, compile=True)
    assert parts.own == [system.network, system.stft]
    with parts.in_use():
        pass


def test_outputs_of_any_form_come_back_in_float32():
    class Pairs(torch.nn.Module):
        def forward(self, x):
            y = x @ x
            return {"a": (y, [y.long(), None, "word"])}

    class Holder(OneVoice):
        def parts(self):
            return {"pairs": self.pairs}

    system = Holder(OneVoiceConfig())
    system.pairs = Pairs()
    with Parts(system, choose("cpu", precision="bfloat16")).in_use():
        first, (whole, nothing, word) = system.pairs(torch.ones(2, 2))["a"]
    assert first.dtype == torch.float32 and whole.dtype == torch.int64 and nothing is None and word == "word"


def test_a_system_without_parts_is_told_only_where_they_matter():
    class Bare(OneVoice):
        def parts(self):
            raise AttributeError("Bare has neither `network` nor `networks`")

    assert run(Bare(OneVoiceConfig())).steps == 4
    for fields in ({"compile": True}, {"compile": "graphs"}, {"precision": "bfloat16"}):
        with pytest.raises(TrainingError, match="compiled or computed in a short format.*neither `network`"):
            run(Bare(OneVoiceConfig()), **fields)
