"""Numbers and weights are of today's edition; what counts as a change of code, and what does not."""

import dataclasses
import json
import re

import pytest

from sepbook import architectures
from tools.results import _edition, _stamp

ROOT = _edition.ROOT
CODE = '''"""A module."""

import math

RATE = 3e-3


def area(radius):
    """Return an area."""
    return math.pi * radius**2  # of a circle
'''


def code_of(text):
    return _edition.of_code(["tools.one"], {"tools/one.py": text}.get)


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ('"""A module."""\n\n', "", True),
        ('    """Return an area."""\n', '    """Return the area of a circle."""\n', True),
        ('    """Return an area."""\n', "", True),
        ("  # of a circle", "", True),
        ("math.pi * radius**2", "(math.pi  *  (radius ** 2))", True),
        ("import math\n", "import math\nimport json\n", True),
        ("3e-3", "0.003", True),
        ("3e-3", "2e-3", False),
        ("radius**2", "radius**3", False),
        ("math.pi * radius", "radius * math.pi", False),
        ("def area(radius):", "def area(radius=1):", False),
        ("RATE = 3e-3\n", "", False),
    ],
)
def test_code_counts_as_what_it_does(before, after, same):
    assert before in CODE
    assert (code_of(CODE) == code_of(CODE.replace(before, after))) is same


def system_with(before, after):
    """Read the repository with another text in the U-Net's file."""

    def read(path):
        text = _edition.read_file(path)
        if path == "sepbook/architectures/unet.py":
            assert before in text
            return text.replace(before, after)
        return text

    return _edition.of_system("unet", "small", 350, read)


def test_a_system_is_its_file_its_configuration_and_its_recipe(monkeypatch):
    now = _edition.of_system("unet", "small", 350)
    assert system_with('    "paper": Config(),\n', '    "paper": Config(), "more": Config(),\n') == now, (
        "another preset"
    )
    assert system_with("below = 2 * outputs", "below = outputs")["code"] != now["code"]
    recipes = architectures.module("unet").RECIPES
    monkeypatch.setitem(recipes, "small", dataclasses.replace(recipes["small"], steps={"first": 350, "shipped": 1}))
    assert _edition.of_system("unet", "small", 350) == now, "how many steps others take"
    monkeypatch.setitem(recipes, "small", dataclasses.replace(recipes["small"], learning_rate=2e-3))
    changed = _edition.of_system("unet", "small", 350)
    assert changed["recipe"] != now["recipe"] and changed["code"] == now["code"]
    assert _edition.of_system("unet", "small", 351) != changed
    assert _edition.of_system("unet", "tiny", 350)["recipe"] != _edition.of_system("unet", "small", 350)["recipe"]


def test_a_system_is_also_the_parts_that_it_borrows():
    def read(path):
        text = _edition.read_file(path)
        return text.replace("AUDIBLE = 1e-4", "AUDIBLE = 1e-3") if path.endswith("/mask_inference.py") else text

    for name, changes in {"chimera": True, "mask_inference": True, "conv_tasnet": False}.items():
        before, after = (_edition.of_system(name, "small", 350, reader) for reader in (_edition.read_file, read))
        assert (before["code"] != after["code"]) is changes, name


def test_an_experiment_is_what_it_imports_and_the_systems_it_makes():
    found = _edition.own_modules("tools.results.optimization")
    assert {"tools.results.optimization", "tools.results._small_runs", "sepbook.architectures.unet"} <= set(found)
    assert not set(found) & set(_edition.SHARED)
    assert "sepbook.check.training.sick" in _edition.own_modules("tools.results.bug_clinic")
    assert "sepbook.architectures.unet" in _edition.own_modules("tools.results.keras_sketch"), "by create('unet')"


def test_the_corpus_is_what_is_heard_in_it():
    listed = json.loads((_edition.corpus.ROOT / "checksums.json").read_text())

    def read_with(entry):
        return lambda path: json.dumps({**listed, **entry})

    first = next(iter(listed))
    same = _edition.of_corpus(read_with({first: {**listed[first], "bytes_sha256": "written again"}}))
    other = _edition.of_corpus(read_with({first: {**listed[first], "sha256": "other"}}))
    assert same == _edition.of_corpus() != other


def test_further_talkers_count_for_those_who_ask_for_them(monkeypatch):
    listed = json.loads((_edition.corpus.ROOT / "checksums.json").read_text())
    name = next(path for path in listed if path.startswith(_edition.MORE_TALKERS))
    changed = json.dumps({**listed, name: {**listed[name], "sha256": "other"}})

    def read(path):
        return changed if path.endswith("checksums.json") else _edition.read_file(path)

    assert _edition.of_corpus(read) == _edition.of_corpus()
    assert _edition.of_corpus(read, more=True) != _edition.of_corpus(more=True) != _edition.of_corpus()
    recipes = architectures.module("danet").RECIPES
    for mixing, changes in (({}, False), ({"more_talkers": False}, False), ({"more_talkers": True}, True)):
        monkeypatch.setitem(recipes, "small", dataclasses.replace(recipes["small"], mixing=mixing))
        before, after = (_edition.of_system("danet", "small", 350, reader) for reader in (_edition.read_file, read))
        assert (before != after) is changes, mixing


def test_every_number_and_all_weights_are_of_todays_edition():
    wrong = _stamp.stale()
    quoted = {name: [] for name in re.findall(r"results/([\w/]+\.json)", "\n".join(wrong))}
    for page in sorted((ROOT / "book").rglob("*.md")):
        text = page.read_text(encoding="utf-8")
        for name in quoted:
            if f"{name}:" in text or f"results/{name}" in text:
                quoted[name].append(page.relative_to(ROOT).as_posix())
    assert not wrong, "\n".join([*wrong, "quoted on:", *(f"  {name}: {', '.join(p)}" for name, p in quoted.items())])


def test_a_file_of_another_edition_is_complained_about(monkeypatch, tmp_path):
    assert _stamp.complain("a.json", {"code": "1"}, {"code": "1", "stamp": "why"}, "--stamp a") == []
    (line,) = _stamp.complain("a.json", {"code": "1", "corpus": "c"}, {"code": "2", "corpus": "c"}, "--stamp a")
    assert line.startswith("a.json is of another edition (code): run") and "--stamp a --because" in line
    assert "carries no edition" in _stamp.complain("a.json", {"code": "1"}, None, "--stamp a")[0]
    for module in (_stamp, __import__("tools.results._common", fromlist=["RESULTS"])):
        monkeypatch.setattr(module, "RESULTS", tmp_path)
    (tmp_path / "stray.json").write_text("{}")
    assert any("stray.json: no experiment of tools/results writes it" in line for line in _stamp.stale())


def test_a_stamp_without_a_reason_is_refused():
    with pytest.raises(SystemExit, match="say how you know"):
        _stamp.stamp(["architectures/unet"], None)
    with pytest.raises(SystemExit, match="say how you know"):
        _stamp.stamp(["embedding_talkers.safetensors"], "")


def test_every_results_file_belongs_to_an_experiment():
    known = _stamp.files()
    there = set(_stamp.written())
    systems = {f"architectures/{name}" for name in architectures.names()}
    assert there - set(known) <= systems
    assert set(known) <= there, "an experiment whose file is missing"
