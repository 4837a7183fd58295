"""The linter of JavaScript: what a machine without Node gets, and that the lock lists what is asked for."""

import json
import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "tools" / "javascript"


def test_without_node_it_says_so_and_lets_the_rest_go_on(tmp_path):
    for name in ("bash", "dirname"):
        os.symlink(shutil.which(name), tmp_path / name)
    command = [tmp_path / "bash", FOLDER / "lint.sh"]
    done = subprocess.run(command, env={"PATH": str(tmp_path)}, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0 and "JavaScript is not linted: there is no Node here" in done.stderr


def test_the_lock_is_of_what_is_asked_for():
    asked, lock = (json.loads((FOLDER / f"package{end}.json").read_text()) for end in ("", "-lock"))
    assert lock["packages"][""]["devDependencies"] == asked["devDependencies"]
    assert all(entry["integrity"] for path, entry in lock["packages"].items() if path)


def test_make_lint_runs_it_and_making_the_book_does_not():
    rules = dict(part.split(":", 1) for part in (ROOT / "Makefile").read_text().split("\n\n") if ":" in part)
    assert "tools/javascript/lint.sh" in rules["lint"]
    assert not any(word in rules["book"] for word in ("npm", "node", "javascript"))
