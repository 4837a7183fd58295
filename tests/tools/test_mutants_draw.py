"""Drawing faults, where the environment of `python -m tools.mutants` has been made: it alone has cosmic-ray."""

import json
import subprocess

import pytest

from tools.mutants import __main__ as mutants

PYTHON = mutants.WORK / "env" / "bin" / "python"
pytestmark = pytest.mark.skipif(not PYTHON.exists(), reason="python -m tools.mutants makes the environment for it")
CODE = '''"""A text with 3 numbers."""

LIMIT: int | None = 4


def f(x: float, items: list[int] | None = None) -> int | None:
    """Say what it does 2 times."""
    if x > LIMIT:
        raise ValueError("too large")
    f.last = x
    f.total += x
    print(x)
    found = [x, 2 * x]
    return found
'''


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "sepbook" / "data").mkdir(parents=True)
    (tmp_path / "sepbook" / "data" / "a.py").write_text(CODE)
    return tmp_path


def draw(tree, seed=1, each=200):
    script = mutants.Path(mutants.__file__).with_name("draw.py")
    done = subprocess.run(
        [PYTHON, script, tree, str(seed), str(each), "data"], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def changes(faults):
    return {tuple(line for line in fault["diff"] if line[0] in "+-") for fault in faults}


def test_faults_are_of_all_kinds_and_never_in_types_or_texts(tree):
    found = set()
    for seed in range(6):  # of each place, one fault
        found |= changes(draw(tree, seed))
    for statement in ('        raise ValueError("too large")', "    f.last = x", "    f.total += x", "    print(x)"):
        indent = statement[: len(statement) - len(statement.lstrip())]
        assert (f"-{statement}", f"+{indent}pass") in found
    removed = {change[0] for change in found}
    assert any("x > LIMIT" in line for line in removed) and any("2 * x" in line for line in removed)
    assert not [line for line in removed if '"""' in line or "def f" in line and "None = " not in line]
    assert not [change for change in found if "int | None" in change[0] and "int | None" not in change[1]]
    assert ("-    found = [x, 2 * x]", "+    pass") not in found


def test_a_seed_draws_the_same_faults_and_a_fault_is_known_by_its_change(tree):
    first = draw(tree, 1, 4)
    assert [fault["key"] for fault in draw(tree, 1, 4)] == [fault["key"] for fault in first] and len(first) == 4
    assert {fault["key"] for fault in draw(tree, 2, 4)} != {fault["key"] for fault in first}
    everything = {fault["key"] for fault in draw(tree)}
    (tree / "sepbook" / "data" / "a.py").write_text("# A line above.\n\n" + CODE)
    assert {fault["key"] for fault in draw(tree)} & everything == everything
    for fault in first:
        compile(fault["source"], fault["file"], "exec")
        assert fault["source"] != CODE and fault["chapter"] == "data"


def test_a_change_in_one_place_leaves_the_other_faults_drawn(tree):
    """Tests that were written for some faults are tried on the same ones, though the code was mended meanwhile."""
    kept = {fault["key"] for fault in draw(tree, 1) if "f.total" not in "".join(fault["diff"][1:])}
    path = tree / "sepbook" / "data" / "a.py"
    path.write_text(CODE.replace("    f.total += x\n", "    f.sum = max(2, x)\n"))
    (tree / "sepbook" / "data" / "b.py").write_text("LIMIT = 5\n")
    assert len(kept) > 3 and kept & {fault["key"] for fault in draw(tree, 1)} == kept
