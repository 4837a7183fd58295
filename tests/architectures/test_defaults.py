"""What a system, a recipe and the U-Net are where nothing is said, and where the numbers that can be given end."""

import dataclasses
from types import SimpleNamespace

import pytest
from torch import nn

from sepbook.architectures._names import check_format, check_source_names
from sepbook.architectures.base import System
from sepbook.architectures.recipe import Recipe
from sepbook.architectures.unet import Config, EncoderBlock


def test_a_system_that_says_no_more_gives_its_sources_in_order_and_needs_no_whole_signal():
    config = SimpleNamespace(source_names=["a", "b"], sample_rate=8000, channels=2)
    system = System(config)
    assert (system.source_names, system.sample_rate, system.channels) == (("a", "b"), 8000, 2)
    assert (system.ordered, system.whole, system.task, system.name, system.preset) == (True, False, "", "", "")
    assert system.config is config


def test_a_recipe_that_says_only_its_task():
    assert dataclasses.asdict(Recipe("songs")) == {
        "task": "songs", "seconds": 3.0, "batch_size": 8, "mixing": {}, "augment": (),
        "optimizer": "adam", "optimizer_options": {}, "learning_rate": 1e-3,
        "schedule": "cosine", "schedule_options": {}, "weight_decay": 0.0, "clip_norm": 5.0, "average": 0.0,
        "steps": {"lab": 60, "first": 350, "shipped": 3000, "full": 30_000}, "short": {},
    }  # fmt: skip


def test_a_u_net_that_says_nothing_is_the_papers():
    """Jansson et al. 2017, section 3: 8192 Hz, windows of 1024 with a hop of 768, kernels of 5, 16 to 512 features."""
    assert dataclasses.asdict(Config()) == {
        "source_names": ("vocals",), "sample_rate": 8192, "channels": 1, "n_fft": 1024, "hop": 768,
        "widths": (16, 32, 64, 128, 256, 512), "kernel": 5, "convolutions": 1, "leak": 0.2, "dropout": 0.5,
        "norm_epsilon": 1e-3, "init_std": 0.02, "masks": "sigmoid", "scale": "peak", "loss": "l1",
    }  # fmt: skip


@pytest.mark.parametrize("count", [1, 2, 3])
def test_every_further_convolution_has_its_norm_and_its_activation(count):
    block = EncoderBlock(2, 3, Config(convolutions=count, leak=0.3, norm_epsilon=0.01, kernel=3))
    layers = [block.conv, block.norm, block.activation, *block.more]
    assert len(layers) == 3 * count
    for conv, norm, activation in zip(layers[::3], layers[1::3], layers[2::3], strict=True):
        assert isinstance(conv, nn.Conv2d) and conv.kernel_size == (3, 3)
        assert isinstance(norm, nn.BatchNorm2d) and norm.eps == 0.01
        assert isinstance(activation, nn.LeakyReLU) and activation.negative_slope == 0.3


@pytest.mark.parametrize(("rate", "channels"), [(100, 1), (768_000, 1), (16_000, 64)])
def test_the_last_formats_that_a_sound_can_have(rate, channels):
    check_format(rate, channels)


@pytest.mark.parametrize(
    ("rate", "channels", "words"),
    [
        (99, 1, "sample_rate is 99; expected 100 to 768000 Hz"),
        (768_001, 1, "sample_rate is 768001"),
        (float("nan"), 1, "sample_rate is nan"),
        (16_000, 0, "channels is 0; expected 1 to 64"),
        (16_000, 65, "channels is 65"),
    ],
)
def test_the_first_formats_that_it_cannot_have(rate, channels, words):
    with pytest.raises(ValueError, match=words):
        check_format(rate, channels)


DEVICES = ["con", "prn", "aux", "nul", "conin$", "conout$"]
DEVICES += [f"{port}{number}" for port in ("com", "lpt") for number in range(10)]


@pytest.mark.parametrize("name", DEVICES)
def test_every_device_of_windows_is_kept(name):
    for form in (name, name.upper(), f"{name}.x", f"{name} .x"):
        with pytest.raises(ValueError, match="is kept for a device by Windows"):
            check_source_names(["vocals", form])


def test_what_only_begins_like_a_device_is_free():
    names = ("com", "lpt", "com10", "lpt10", "con1", "console", "x.con", "null")
    assert check_source_names(names) == names
