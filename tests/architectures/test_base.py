import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch

from sepbook import architectures
from sepbook.architectures.base import System


def test_names_need_no_torch():
    code = "import sys, sepbook.architectures as a; assert 'unet' in a.names(); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("arguments", "fields", "words"),
    [
        (("unett",), {}, ["system 'unett' is unknown", "did you mean 'unet'?", "unet"]),
        (("unet", "papers"), {}, ["preset 'papers' is unknown to 'unet'", "'paper'", "small"]),
        (("unet",), {"width": 3}, ["field 'width' is unknown to 'unet'", "widths"]),
        (("unet",), {"scale": "cubic"}, ["cubic", "'peak' or 'log'"]),
        (("unet",), {"loss": "l3"}, ["l3", "'l1' or 'mse'"]),
        (("unet",), {"masks": "hard"}, ["hard", "'sigmoid' or 'softmax'"]),
    ],
)
def test_what_does_not_exist_is_refused_with_the_choices(arguments, fields, words):
    with pytest.raises(ValueError) as error:
        architectures.create(*arguments, **fields)
    assert all(word in str(error.value) for word in words), error.value


def test_overrides_replace_single_fields():
    system = architectures.create("unet", widths=[4, 8])
    assert system.config.widths == (4, 8)
    assert system.config.hop == architectures.module("unet").PRESETS["small"].hop


def test_hooks_of_the_base_do_nothing():
    system = architectures.create("unet", widths=(4, 8))
    before = {k: v.clone() for k, v in system.state_dict().items()}
    system.prepare([])
    system.epoch_end({"loss": 1.0})
    assert all(torch.equal(v, before[k]) for k, v in system.state_dict().items())


def test_a_system_must_say_how():
    bare = System(architectures.module("unet").PRESETS["small"])
    with pytest.raises(NotImplementedError):
        bare(torch.zeros(1, 1, 10))
    with pytest.raises(NotImplementedError):
        bare.loss(torch.zeros(1, 1, 10), torch.zeros(1, 4, 1, 10))


def test_a_system_that_says_no_more_gives_its_sources_in_order_and_needs_no_whole_signal():
    config = SimpleNamespace(source_names=["a", "b"], sample_rate=8000, channels=2)
    system = System(config)
    assert (system.source_names, system.sample_rate, system.channels) == (("a", "b"), 8000, 2)
    assert (system.ordered, system.whole, system.task, system.name, system.preset) == (True, False, "", "", "")
    assert system.config is config


def file_of_a_system(monkeypatch, **changes):
    """Let "mine" be a system whose file differs from the U-Net's: None takes a line out."""
    unet = architectures.module("unet")
    lines = {"PRESETS": unet.PRESETS, "RECIPES": unet.RECIPES, "SYSTEM": unet.UNetSystem} | changes
    mine = SimpleNamespace(**{name: value for name, value in lines.items() if value is not None})
    monkeypatch.setattr(architectures, "module", lambda name: mine)


class WithoutStride(System):
    pass


class WithStride(System):
    def __init__(self, config):
        super().__init__(config)
        self.stride = self.given


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"RECIPES": None}, r'mine.py has no RECIPES: write RECIPES = {"small": Recipe\(task="songs"\)}'),
        ({"RECIPES": {}}, r"mine.py: RECIPES has no 'small', only nothing: write RECIPES = "),
        ({"PRESETS": None}, r'mine.py has no PRESETS: write PRESETS = {"small": Config\(\)}'),
        ({"SYSTEM": None}, "mine.py has no SYSTEM: write SYSTEM = MySystem"),
        ({"SYSTEM": WithoutStride}, "mine.py: WithoutStride says no stride; write .* self.stride = config.hop"),
        ({"SYSTEM": type("Half", (WithStride,), {"given": 0.5})}, "mine.py: Half has the stride 0.5; write"),
        ({"SYSTEM": type("Zero", (WithStride,), {"given": 0})}, "mine.py: Zero has the stride 0; write"),
    ],
)
def test_a_file_that_lacks_a_line_is_told_which_one(monkeypatch, changes, line):
    file_of_a_system(monkeypatch, **changes)
    with pytest.raises(architectures.ContractError, match=line):
        architectures.create("mine")
