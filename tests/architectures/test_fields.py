"""Configurations of the wrong kind are refused in words, at once and without memory."""

import dataclasses
import typing

import numpy as np
import pytest
import torch

from sepbook import architectures
from sepbook.architectures._fields import FieldError, bounded, check_fields, fits
from sepbook.architectures.base import System


@pytest.mark.parametrize(
    ("value", "kind", "answer"),
    [
        (3, int, True), (True, int, False), (3.0, int, False), ("3", int, False), (None, int, False),
        (3, float, True), (0.5, float, True), (True, float, False), (float("nan"), float, False),
        (float("inf"), float, False), (10**400, float, True), ("a", str, True), (1, str, False),
        (True, bool, True), (1, bool, False), ((1, 2), tuple[int, ...], True), ((), tuple[int, ...], True),
        ((1, 2.0), tuple[int, ...], False), (((1,),), tuple[int, ...], False), ("ab", tuple[str, ...], False),
        ((1, "a"), tuple[int, str], True), ((1,), tuple[int, str], False), (None, int | None, True),
        ("x", int | None, False), (None, typing.Optional[str], True), ("a", typing.Literal["a", "b"], True),  # noqa: UP045
        ("c", typing.Literal["a", "b"], False), ({"a": 1}, dict, True), ({"a": 1}, tuple[int, ...], False),
    ],
)  # fmt: skip
def test_a_value_has_a_type_or_has_it_not(value, kind, answer):
    assert fits(value, kind) is answer


REFUSED = {
    "a float for a whole number": ({"hop": 16.0}, "hop is 16.0, but must be a whole number"),
    "true for a whole number": ({"hop": True}, "hop is True, but must be a whole number"),
    "a word for a whole number": ({"hop": "16"}, "hop is '16', but must be a whole number"),
    "nothing": ({"hop": None}, "hop is None"),
    "no number": ({"leak": float("nan")}, "leak is nan, but must be a number"),
    "infinity": ({"dropout": float("inf")}, "dropout is inf"),
    "a negative size": ({"convolutions": -3}, "convolutions is -3, but must be 1 or more"),
    "no size": ({"convolutions": 0}, "convolutions is 0, but must be 1 or more"),
    "a negative rate": ({"sample_rate": -1}, "sample_rate is -1"),
    "a rate of no sound": ({"sample_rate": 900_000}, "expected 100 to 768000 Hz"),
    "many channels": ({"channels": 65}, "expected 1 to 64"),
    "a negative share": ({"dropout": -0.1}, "dropout is -0.1, but must be 0 or more"),
    "a share above one": ({"dropout": 7.0}, "7.0"),
    "an empty list": ({"widths": ()}, "a list with at least one entry"),
    "a number for a list": ({"widths": 16}, "a list, each entry a whole number"),
    "a nested list": ({"widths": [[4], [8]]}, "a list, each entry a whole number"),
    "a negative entry": ({"widths": [4, -8]}, "1 or more"),
    "a long list": ({"widths": [1] * 5000}, "no longer than 1000"),
    "a long word": ({"masks": "x" * 10**6}, "no longer than 1000"),
    "names as one word": ({"source_names": "vocals"}, "a list, each entry a word"),
    "names as numbers": ({"source_names": [1, 2]}, "a list, each entry a word"),
    "a number without end": ({"widths": [10**30]}, "no larger than 1,000,000,000"),
    "a network larger than memory": ({"widths": [10**9]}, "more than 2,147,483,648 weights"),
    "a kernel larger than memory": ({"kernel": 10**6}, "more than 2,147,483,648 weights"),
    "layers without end": ({"convolutions": 10**7}, "more than 3,000 parameters"),
    "a window without end": ({"n_fft": 10**9, "hop": 10**8}, "n_fft is 1000000000"),
    "frames without end": ({"n_fft": 1 << 17, "hop": 1}, "each sample would lie in 131072 frames"),
    "an attribute of all objects": ({"__class__": 1}, "field '__class__' is unknown"),
    "a method": ({"__init__": 1}, "field '__init__' is unknown"),
    "no name at all": ({"": 1}, "field '' is unknown"),
    "a name that create has": ({"name": "x"}, "field 'name' is unknown"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_field_that_cannot_be_is_refused_in_words(kind):
    fields, words = REFUSED[kind]
    with pytest.raises(ValueError) as error:
        architectures.plan("unet", "small", fields)
    assert words in str(error.value) and len(str(error.value)) < 400


def test_what_a_preset_holds_may_be_asked_for():
    @dataclasses.dataclass(frozen=True)
    class Config:
        floor: float = -80.0
        look_ahead: int = 0
        more: tuple[int, ...] = ()
        width: int = 4

    presets = {"small": Config()}
    check_fields(Config(), {"floor": -3, "look_ahead": 0, "more": ()}, presets)
    with pytest.raises(FieldError, match="width is 0"):
        check_fields(Config(), {"width": 0}, presets)


def test_numbers_of_numpy_and_lists_become_pythons():
    config = architectures.configure("unet", "small", {"hop": np.int64(16), "widths": [np.int32(4), torch.tensor(8)]})
    assert (config.hop, config.widths) == (16, (4, 8))
    assert type(config.hop) is int and all(type(width) is int for width in config.widths)


def test_a_plan_has_shapes_and_no_memory_and_draws_no_random_numbers():
    state = torch.get_rng_state()
    plan = architectures.plan("unet", "small", {"widths": (4096, 8192)})
    assert all(p.is_meta for p in plan.parameters())
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(0)
    first = architectures.create("unet", widths=(4, 8)).state_dict()
    torch.manual_seed(0)
    second = architectures.module("unet").SYSTEM(architectures.configure("unet", "small", {"widths": (4, 8)}))
    assert all(torch.equal(first[key], value) for key, value in second.state_dict().items())


def test_the_bound_ends_with_its_block():
    with pytest.raises(ValueError, match="3,000 layers"), bounded():
        torch.nn.Sequential(*[torch.nn.Identity() for _ in range(6000)])
    assert len(torch.nn.Sequential(*[torch.nn.Identity() for _ in range(6000)])) == 6000


def test_a_network_of_millions_of_layers_is_refused_without_building_them(monkeypatch):
    built = []
    real = torch.nn.Conv2d.__init__
    monkeypatch.setattr(torch.nn.Conv2d, "__init__", lambda self, *a, **k: (built.append(1), real(self, *a, **k))[1])
    with pytest.raises(ValueError, match="parameters"):
        architectures.plan("unet", "small", {"convolutions": 10**9})
    assert len(built) < 10_000


NAMES = {
    "a way up": ["../../x"], "from the root": ["/etc/x"], "a way down": ["a/b"], "a way of Windows": ["a\\b"],
    "a drive": ["C:x"], "hidden": [".x"], "this folder": ["."], "the folder above": [".."], "a dot at the end": ["x."],
    "a blank at the end": ["x "], "a blank in front": [" x"], "a line": ["a\nb"], "an escape": ["\x1b[2Jx"],
    "a null": ["a\0b"], "a bell": ["\a"], "written backwards": ["a\u202egpj.exe"], "no width": ["a\u200bb"],
    "half a character": ["\ud800"], "empty": [""], "a blank": [" "], "long": ["x" * 101], "long in bytes": ["歌" * 40],
    "a device": ["CON"], "a device with a suffix": ["nul.x"], "a port": ["com1"], "a port in small": ["COM¹"],
    "capitals": ["vocals", "Vocals"], "twice": ["vocals", "vocals"], "accents": ["caf\u00e9", "cafe\u0301"],
    "sharp s": ["stra\u00dfe", "STRASSE"], "a star": ["*"], "a question": ["who?"], "a pipe": ["a|b"], "none": [],
    "a word": "vocals", "numbers": [1, 2], "nothing": [None], "bytes": [b"vocals"],
}  # fmt: skip


@pytest.mark.parametrize("kind", NAMES)
def test_source_names_that_are_no_file_names(kind):
    @dataclasses.dataclass(frozen=True)
    class Config:
        source_names: tuple[str, ...]
        sample_rate: int = 8000
        channels: int = 1

    with pytest.raises(ValueError, match="source.name") as error:
        System(Config(NAMES[kind] if isinstance(NAMES[kind], str) else tuple(NAMES[kind])))
    assert str(error.value).isprintable()


def test_source_names_of_many_languages(tmp_path):
    names = ("vocals", "Schlagzeug (laut)", "voix d'été", "歌", "голос", "drums_2", "a.b", "x" * 100, "-x", "nulls")
    config = architectures.configure("unet", "small", {"source_names": names, "widths": (4,)})
    assert architectures.module("unet").SYSTEM(config).source_names == names
    for name in names:
        (tmp_path / f"{name}.wav").write_bytes(b"")
    assert len(list(tmp_path.iterdir())) == len(names)
