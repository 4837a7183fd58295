"""What commands say of their own accord, and whose mistake an error is: what is right is said, and nothing else."""

import importlib
import io
import pkgutil
import sys
import warnings

import click
import pytest
import torch
from typer.main import get_command

import sepbook
from sepbook import architectures, audio, cli
from sepbook.cli._stream import report
from sepbook.cli.commands import app
from sepbook.evaluation.streaming import Timing
from sepbook.training import checkpoint
from tests.systems import register

COMMANDS = get_command(app).commands
OPTIONS = [(name, option) for name, command in COMMANDS.items() for option in command.params]


@pytest.mark.parametrize(("name", "option"), OPTIONS, ids=lambda value: str(getattr(value, "name", value)))
def test_a_switch_is_off_and_what_is_not_asked_for_is_empty_or_in_the_help(name, option):
    if getattr(option, "is_flag", False):
        assert option.default is False
    elif not option.required and option.default is not None:
        lines = click.Context(COMMANDS[name]).command.get_help(click.Context(COMMANDS[name]))
        shown = option.default.value if hasattr(option.default, "value") else option.default
        assert option.show_default and f"{shown}" in lines


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    """Run `sepbook stream` on noisy.wav and others with the weights of a small causal system: (code, stderr)."""
    monkeypatch.chdir(tmp_path)
    register(monkeypatch)
    torch.manual_seed(0)
    for C in (1, 2):
        checkpoint.save_weights(f"{C}.safetensors", architectures.create("causal", "tiny", channels=C))
        audio.save(f"noise{C}.wav", 0.1 * torch.randn(C, 1001), 16_000)

    def run(source, C, *words, given=b""):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
        words = ["stream", source, "--weights", f"{C}.safetensors", *words]
        return cli.main([*map(str, words)]), capsys.readouterr().err

    return run


@pytest.mark.parametrize(
    ("words", "size", "lasts"),
    [
        ((), 512, "32.0"),
        (("--chunk", "1"), 1, "0.1"),
        (("--chunk", "333"), 333, "20.8"),
        (("--chunk", "10ms"), 160, "10.0"),
        (("--chunk", " 2.5 ms "), 40, "2.5"),
        (("--chunk", "60000ms"), 1001, "62.6"),  # as much as there is
    ],
)
def test_a_stream_is_cut_as_it_was_asked_for(call, words, size, lasts):
    given = audio.load("noise1.wav")[0].numpy().T.astype("<f4").tobytes()
    for source, more in (("noise1.wav", ()), ("-", ("--raw", "f32le", "--rate", 16_000))):
        code, err = call(source, 1, *words, *more, "--overwrite", given=given)
        assert code == 0 and f"chunk {size} samples ({lasts} ms)" in err


def test_as_many_channels_as_there_are(call):
    one = "noise1.wav: 16000 Hz and 1 channel become 16000 Hz and 2, as causal hears"
    assert one in call("noise1.wav", 2, "-o", "a")[1]
    assert "16000 Hz and 2 channels become 16000 Hz and 1" in call("noise2.wav", 1, "-o", "b")[1]
    assert "become" not in call("noise2.wav", 2, "-o", "c")[1]
    for C, words in ((1, "f32le with 1 channel?"), (2, "f32le with 2 channels?")):
        code, err = call("-", C, "--raw", "f32le", "--rate", 16_000, "-o", f"raw{C}", given=b"\0" * (800 * C + 3))
        assert code == 0 and f"3 of {4 * C} bytes were left out" in err and words in err


@pytest.mark.parametrize(("seconds", "slow"), [(0.009, False), (0.011, True)])
def test_too_slow_is_said_of_chunks_that_take_longer_than_they_last(seconds, slow, capsys):
    timing, system = Timing(16_000, 0), architectures.create("unet", "tiny")
    for _ in range(9):
        timing.add(160, seconds)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        report(system, timing)
    assert ["took longer than they last" in str(one.message) for one in said] == [True] * slow
    assert capsys.readouterr().err.count(f"sepbook: {system.name}: ") == 3


def errors():
    """Return every kind of error that the package defines."""
    for module in pkgutil.walk_packages(sepbook.__path__, "sepbook."):
        if "__main__" not in module.name:
            for value in vars(importlib.import_module(module.name)).values():
                if isinstance(value, type) and issubclass(value, Exception) and value.__module__ == module.name:
                    yield value


def raised(error):
    try:
        raise error
    except Exception as caught:
        return caught


def test_the_packages_own_errors_are_about_what_was_given_wherever_they_are_raised():
    found = list(errors())
    assert len(found) > 10
    for kind in found:
        assert cli.meant_for_the_user(raised(kind.__new__(kind))), kind
    for error in (ValueError("x"), TypeError("x"), RuntimeError("x"), KeyError("x")):
        assert not cli.meant_for_the_user(raised(error)) and not cli.meant_for_the_user(error)
    assert cli.meant_for_the_user(OSError("full"))
