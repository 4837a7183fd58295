"""A system that breaks the contract is found before it is trained, and its author told what to mend."""

import copy
import warnings
from pathlib import Path

import pytest
import torch

from sepbook import architectures
from sepbook.training.loop import TrainConfig, TrainingError, train
from sepbook.training.rehearsal import RehearsalError, rehearse
from tests.systems import OURS, Synthetic, one_voice, register

TEXT = Path(one_voice.__file__).read_text(encoding="utf-8")
MASKED = "estimates = self.masking(bins, self.masks(bins.abs()))"
RETURNED = "return self.istft(estimates, mixture.shape[-1])"
LOSS = 'return {"loss": l1(self.masking(magnitude, self.masks(magnitude)), target)}'


@pytest.fixture
def made(tmp_path, monkeypatch):
    """A function that makes the system of my_system.py, with parts of the file replaced."""
    monkeypatch.setattr(architectures, "OWN", {})

    def made(*changes):
        text = TEXT
        for before, after in changes:
            assert before in text
            text = text.replace(before, after)
        (tmp_path / "my_system.py").write_text(text, encoding="utf-8")
        return architectures.create(architectures.adopt(tmp_path / "my_system.py"), "tiny")

    return made


def tried(system):
    rehearse(system, Synthetic(system, items=4, samples=4000))


@pytest.mark.parametrize("name", OURS)
def test_systems_that_keep_the_contract_pass(name, monkeypatch):
    register(monkeypatch)
    with warnings.catch_warnings(action="error"):
        tried(architectures.create(name))


def test_it_leaves_no_trace(made):
    def trained(first):
        torch.manual_seed(0)
        system = made(("nn.ReLU()", "nn.BatchNorm1d(config.width), nn.ReLU(), nn.Dropout(0.5)"))
        first(system)
        data = Synthetic(system, items=4, samples=4000)
        train(system, data, config=TrainConfig(steps=2, batch_size=2, device="cpu"), progress=False)
        return system.state_dict(), torch.randn(3), system.training

    (weights, drawn, mode), (alone, usual, before) = trained(tried), trained(copy.copy)
    assert mode == before and torch.equal(drawn, usual)
    assert all(torch.equal(value, alone[key]) for key, value in weights.items())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ([('task="vocals"', 'task="vocal"')], "its recipe has the task 'vocal'; choose one of songs, vocals"),
        ([(RETURNED, "return estimates")], "forward returns (2, 1, 1, 257, 64) for a mixture (2, 1, 8001); expected"),
        ([(RETURNED, RETURNED + "[:, 0]")], "expected (B, S, C, N) = (2, 1, 1, 8001): an estimate for each of vocals"),
        ([(", mixture.shape[-1])  # (B, S", ", 8000)  # (B, S")], "as long as the mixture, however long that is"),
        ([(RETURNED, "self.istft(estimates, 8001)")], "forward returns NoneType; expected a tensor"),
        ([(MASKED, "estimates = bins")], "forward returns (2, 1, 8001)"),
        ([("torch.log1p(magnitude)", "(magnitude / magnitude.amax())")], "for silence; something is divided"),
        ([("torch.log1p(magnitude)", "(magnitude - 9).log()")], "NaN or infinity for noise; look for"),
        ([("x = self.network(x)", "x = self.network(x.mT)")], "broke: line 55: RuntimeError: Given groups=1"),
        ([("self.network = ", "self.layers = ")], "AttributeError: 'OneVoice' object has no attribute 'network'"),
        ([("self.network", "self.layers")], "OneVoice has neither `network` nor `networks`: call its network so"),
        ([(LOSS, LOSS.replace('{"loss": ', "").replace("}", ""))], "loss returns Tensor; expected a dict"),
        ([(LOSS, LOSS.replace("target)", 'target, reduction="none")'))], "loss returns a tensor (2,); expected a dict"),
        ([(LOSS, LOSS.replace('"loss"', '"l1"'))], 'return {"loss": value.mean()}'),
        ([(LOSS, LOSS.replace(")}", ").item()}"))], "expected a dict with one number"),
        ([(LOSS, LOSS.replace(")}", ").detach()}"))], "does not depend on the weights; look for .detach(), .item()"),
        ([(LOSS, LOSS.replace(")}", ").round()}"))], "the gradient of the loss is 0 for all weights"),
        ([(LOSS, LOSS.replace(")}", ") * float('inf')}"))], "the loss of fresh weights is inf"),
        ([("sources, **labels):", "sources):")], "unexpected keyword argument"),
        ([("width: int = 128", "width: int = 128\n    gains: list = (1.0, [2.0])")], "to be built again"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_what_breaks_the_contract_is_named(made, changes, words):
    with warnings.catch_warnings(action="ignore"), pytest.raises(RehearsalError) as error:
        tried(made(*changes))
    assert words in str(error.value) and "my_system.py: " in str(error.value)


def test_the_line_that_broke_is_told(made):
    with pytest.raises(
        RehearsalError, match=r"asked to separate noise, mixture \(2, 1, 8001\), it broke: line (\d+)"
    ) as e:
        tried(made(("x = self.network(x)", "x = self.network(x.mT)")))
    lines = TEXT.splitlines()
    number = int(str(e.value).split("line ")[1].split(":")[0])
    assert "self.network(x)" in lines[number - 1]


@pytest.mark.parametrize(
    ("changes", "warned"), [([], False), ([("self.stride = config.hop", "self.stride = 1")], True)]
)
def test_a_stride_that_seems_wrong_is_a_warning(made, changes, warned):
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        tried(made(*changes))
    assert bool(seen) is warned
    assert not warned or "a song that begins so many samples later gets another answer" in str(seen[0].message)


def test_what_needs_the_whole_signal_is_not_asked_about_its_stride(made):
    whole = ("(System):", "(System):\n    whole = True\n"), ("self.stride = config.hop", "self.stride = 1")
    with warnings.catch_warnings(action="error"):
        tried(made(*whole))


def test_without_data_the_loss_is_not_tried(made):
    rehearse(made((LOSS, "raise NotImplementedError")))


def test_data_of_other_sources_are_refused(made):
    system = made()
    data = Synthetic(system, items=4, samples=4000)
    data.source_names = ("drums",)
    with pytest.raises(TrainingError, match="missing: vocals"):
        rehearse(system, data)
