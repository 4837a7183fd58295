"""The scripts themselves: their pure parts, tested by Node where there is one (``unit``), their functions and names."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

import sepbook.widgets

WIDGETS = Path(sepbook.widgets.__file__).parent
UNIT = Path(__file__).parent / "unit"
OWN_SONG = Path(__file__).parents[2] / "book" / "_ext" / "own_song"
SCRIPTS = sorted([*WIDGETS.glob("*.js"), *OWN_SONG.glob("*.js")])


def test_the_pure_parts_in_node(tmp_path):
    if not (node := shutil.which("node")):
        pytest.skip("Node is for developers: without it the browser tests alone see these scripts")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "widgets").mkdir()
    for path in WIDGETS.glob("*.js"):
        shutil.copy(path, tmp_path / "widgets")
    names = [shutil.copy(path, tmp_path) for path in sorted(UNIT.glob("*.test.mjs"))]
    done = subprocess.run([node, "--test", *names], capture_output=True, text=True, timeout=600)
    assert names and done.returncode == 0, done.stdout[-4000:]


OPENING = re.compile(
    r"^( *)(?:export )?(?:default )?(?:static )?(?:async )?"
    r"(?:function\*? \w+\(.*|const \w+ = (?:async )?(?:\(.*\)|\w+) => \{"
    r"|(?!if|for|while|switch)(?:get |set |#)?\w+\(.*\) \{)$"
)
LONGEST = 60  # lines of a function, the first and the last included


def functions(text):
    """Yield the first line and the length of each function: its end is the brace below its beginning."""
    lines = text.splitlines()
    for first, line in enumerate(lines):
        if line.rstrip().endswith("{") and (found := OPENING.match(line)):
            end = next(i for i in range(first + 1, len(lines)) if lines[i].startswith(found[1] + "}"))
            yield line.strip(), end - first + 1


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_function_can_be_read_at_once(path):
    assert not [(line, length) for line, length in functions(path.read_text(encoding="utf-8")) if length > LONGEST]


def test_functions_are_found():
    text = "\n".join(
        ["export function a(b) {", *["  b();"] * 70, "}", "class C {", "  async d() {", "    e();", "  }", "}"]
    )
    assert list(functions(text)) == [("export function a(b) {", 72), ("async d() {", 3)]


def test_each_explorer_has_names_of_its_own():
    """Classes of one explorer mean nothing in another: each sheet has a prefix, and that of explorer.css is shared."""
    prefixes = {}
    for sheet in sorted(WIDGETS.glob("*.css")):
        for prefix in set(re.findall(r"\.([a-z]{2})-[a-z]", sheet.read_text(encoding="utf-8"))) - {"ex"}:
            prefixes.setdefault(prefix, []).append(sheet.name)
    assert len(prefixes) > 5 and not {prefix: names for prefix, names in prefixes.items() if len(names) > 1}
