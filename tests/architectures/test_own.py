"""A file of one's own becomes a system; one that cannot is told why, and by which line."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from sepbook import architectures
from sepbook.architectures import ContractError, UnknownError
from sepbook.architectures._own import OwnError
from tests.systems import one_voice

TEXT = Path(one_voice.__file__).read_text(encoding="utf-8")


@pytest.fixture
def write(tmp_path, monkeypatch):
    """A function that writes my_system.py, with parts of it replaced; nothing stays known after the test."""
    monkeypatch.setattr(architectures, "OWN", {})

    def write(*changes, name="my_system.py", text=TEXT):
        for before, after in changes:
            assert before in text
            text = text.replace(before, after)
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path / name

    return write


def test_a_file_becomes_a_system(write):
    name = architectures.adopt(write())
    assert name == "my_system" and architectures.presets(name) == ("small", "tiny")
    torch.manual_seed(0)
    system = architectures.create(name, "tiny", width=8)
    assert (system.name, system.preset, system.task, system.config.width) == (name, "tiny", "vocals", 8)
    assert system(torch.randn(1, 1, 1001)).shape == (1, 1, 1, 1001)
    assert architectures.plan(name, "tiny", {"width": 8}).config == system.config
    with pytest.raises(architectures.FieldError, match="width is 'wide', but must be a whole number"):
        architectures.create(name, width="wide")
    assert name not in architectures.names(), "the book's own are listed there"
    with pytest.raises(UnknownError, match="did you mean 'my_system'"):
        architectures.create("my_sistem")


def test_what_was_edited_counts_and_what_broke_leaves_the_last_one(write):
    architectures.adopt(write())
    assert architectures.adopt(str(write(("width: int = 128", "width: int = 99")))) == "my_system"
    assert architectures.create("my_system").config.width == 99
    with pytest.raises(OwnError):
        architectures.adopt(write(("import torch\n", "import torch (\n")))
    assert architectures.create("my_system").config.width == 99


def test_types_in_quotation_marks_are_understood(write):
    architectures.adopt(write(("from dataclasses", "from __future__ import annotations\n\nfrom dataclasses")))
    with pytest.raises(architectures.FieldError, match="whole number"):
        architectures.create("my_system", width=1.5)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ([("import torch\n", "import toorch\n")], "line 11: ModuleNotFoundError: No module named 'toorch'. Mend that"),
        ([("class OneVoice(System):", "class OneVoice(System)")], "SyntaxError: expected ':'. Mend that first"),
        ([("PRESETS = {", "WIDE = 1 / 0\nPRESETS = {")], "line 32: ZeroDivisionError: division by zero"),
        ([("\nSYSTEM =", "\nraise SystemExit(3)\nSYSTEM =")], "SystemExit: 3"),
        ([("\nSYSTEM =", "\nopen('/nowhere/at/all')\nSYSTEM =")], "FileNotFoundError: "),
        ([("\nSYSTEM =", "\nSYSTEMS =")], "has no SYSTEM: write SYSTEM = MySystem"),
        ([("RECIPES =", "RECIPE =")], 'has no RECIPES: write RECIPES = {"small": Recipe(task="songs")}'),
        ([("PRESETS =", "CONFIGS =")], 'has no PRESETS: write PRESETS = {"small": Config()}'),
        ([("class Config:", "class Configuration:")], "NameError: name 'Config' is not defined"),
        ([('{"small": Recipe(', '{"tiny": Recipe(')], "RECIPES has no 'small', only tiny"),
        ([('RECIPES = {"small": ', "RECIPES = ("), ("3e-3)}", "3e-3))")], "RECIPES has no 'small', only nothing"),
        ([('Recipe(task="vocals", learning_rate=3e-3)', "3")], 'RECIPES must be a dict with a row "small"'),
        ([('"tiny": Config(width=16)', '"tiny": Config')], "the preset 'tiny' must be a configuration, Config()"),
        ([('"small": Config(), ', "")], 'PRESETS must be a dict with a row "small": PRESETS = {"small": Config()}'),
        ([("RECIPES = {", 'RECIPES = {"big": Recipe("songs"), ')], "RECIPES has 'big', which is no preset; there are"),
        ([("@dataclass(frozen=True)", "@dataclass")], "write @dataclass(frozen=True) above its class"),
        ([("    channels: int = 1  # C\n", "")], "has no field channels: write channels: int = 1"),
        ([("source_names: tuple", "sources: tuple")], "has no field source_names: write source_names: tuple"),
        ([("SYSTEM = OneVoice", "SYSTEM = OneVoice(Config())")], "SYSTEM = MySystem, without brackets"),
        ([("(System):", "(nn.Module):")], "SYSTEM must be the class itself, and that a System"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_cannot_become_a_system_says_what_to_write(write, changes, words):
    path = write(*changes)
    with pytest.raises((OwnError, ContractError)) as error:
        architectures.adopt(path)
    assert str(path) in str(error.value) and words in str(error.value)
    assert not architectures.OWN, "nothing is known that cannot be built"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("unet.py", "the book has a system 'unet' already. Call your file otherwise, my_unet.py"),
        ("base.py", "already"),
        ("my system.py", "cannot be the name of a system"),
        ("2nd.py", "beginning with a letter"),
        ("_mine.py", "beginning with a letter"),
        ("stimme_ä.py", "letters, digits and _"),
        ("my_system.txt", "its name ends in .py"),
    ],
)
def test_a_name_that_cannot_be_one_is_refused_before_the_file_is_run(write, name, words):
    with pytest.raises(OwnError) as error:
        architectures.adopt(write(name=name, text="raise SystemExit"))
    assert words in str(error.value)


def test_files_that_cannot_be_read(write, tmp_path):
    with pytest.raises(FileNotFoundError):
        architectures.adopt(tmp_path / "missing.py")
    (tmp_path / "folder.py").mkdir()
    with pytest.raises(OSError):
        architectures.adopt(tmp_path / "folder.py")
    path = tmp_path / "not_text.py"
    path.write_bytes(b"\x00\xff\xfe")
    with pytest.raises(OwnError):
        architectures.adopt(path)


def test_a_stride_is_asked_for_in_the_own_file(write):
    path = write(("        self.stride = config.hop", "        # self.stride = config.hop"))
    architectures.adopt(path)
    with pytest.raises(ContractError, match=f"{path.name}: OneVoice says no stride"):
        architectures.create("my_system")


def test_a_path_in_place_of_a_name_is_told_what_to_do(write):
    with pytest.raises(UnknownError, match="my_system.py is a file: adopt it first"):
        architectures.create(str(write()))


def test_nothing_is_loaded_for_it_before_it_is_asked_for():
    code = "import sys, sepbook.architectures as a; a.names(); assert 'torch' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
