"""Which results belong to which experiment, whether their edition is today's, and how they get one without a run.

A stamp is a statement: "today's code makes these numbers". It is given where git shows that the experiment's code and
the corpus are what they were when the file was written, or with words that say how it was found out.
"""

import ast
import subprocess
from pathlib import Path

from tools.results import _edition, _weights, systems
from tools.results._common import RESULTS, read, write_all
from tools.results._edition import ROOT

OLD = "unchanged since its run"
NO_NUMBERS = ("mutants",)  # faults planted in the code: their bench keeps an account of its own


def files() -> dict[str, str]:
    """Return the experiment's module of each results file, systems left out: {"losses/clustering": "tools.…"}."""
    found = {}
    for path in sorted((ROOT / "tools" / "results").glob("[!_]*.py")):
        module = f"tools.results.{path.stem}"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and ast.unparse(node.func) == "write"
                and isinstance(node.args[0], ast.Constant)
            ):
                found[node.args[0].value] = module
    bench = (p.stem for p in (ROOT / "tools" / "bench").glob("[!_]*.py"))
    return found | {
        f"bench/{name}": f"tools.bench.{name}" for name in bench if (RESULTS / f"bench/{name}.json").exists()
    }


def written() -> list[str]:
    """Return the names of all files of numbers."""
    names = sorted(p.relative_to(RESULTS).with_suffix("").as_posix() for p in RESULTS.rglob("*.json"))
    return [name for name in names if name not in NO_NUMBERS]


def stale() -> list[str]:
    """Return what is wrong with the editions of all results and weights, one line each."""
    known, wrong = files(), []
    for name in written():
        if name in known:
            now, was = _edition.of_module(known[name]), read(name).get("edition")
            wrong += complain(f"results/{name}.json", now, was, f"--stamp {name}")
        else:
            wrong += stale_system(name)
    for row in _weights.rows():
        now = edition_of_weights(row)
        wrong += complain(f"weights {row['file']}", now, row["edition"], f"--stamp {row['file']}")
    return wrong


def stale_system(name: str) -> list[str]:
    """Return what is wrong with a system's results."""
    system = Path(name).name
    if name != f"architectures/{system}" or system not in systems.names():
        return [f"results/{name}.json: no experiment of tools/results writes it"]
    wrong = []
    for preset, part in read(name).items():
        now, was = systems.edition_of(system, preset), part.get("edition")
        wrong += complain(f"results/{name}.json, {preset}", now, was, f"--stamp {name}")
    return wrong


def complain(what: str, now: dict, was: dict | None, mend: str) -> list[str]:
    """Return a line where two editions differ."""
    was = {key: value for key, value in (was or {}).items() if key != "stamp"}
    if was == now:
        return []
    if not was:
        differs = "carries no edition"
    else:
        parts = [key for key in now if was.get(key) != now[key]]
        differs = f"is of another edition ({', '.join(parts)})"
    return [f"{what} {differs}: run its experiment again, or, if you know it would be the same, "
            f"python -m tools.results --stamp {mend.split()[-1]} --because '…'"]  # fmt: skip


def edition_of_weights(row: dict) -> dict:
    """Return today's edition of a file of weights."""
    if row["kind"] == "system":
        return _edition.of_system(row["system"], row["preset"], row["steps"])
    return _edition.of_module(row["made_by"].removesuffix(".py").replace("/", "."))


def stamp(names: list[str], because: str | None) -> None:
    """Give files their edition of today; without a reason only where git shows that nothing has changed."""
    for name in names:
        if name.endswith(".safetensors"):
            stamp_weights(name, because)
        elif name in files():
            module, content = files()[name], read(name)
            reason = because or reason_from_git(name, module)
            write_all(name, {**content, "edition": {**_edition.of_module(module), "stamp": reason}})
        else:
            content, system = read(name), Path(name).name
            parts = {p: {**c, "edition": {**systems.edition_of(system, p), "stamp": needed(because, name)}}
                     for p, c in content.items()}  # fmt: skip
            write_all(name, parts)


def stamp_weights(file: str, because: str | None) -> None:
    """Give a row of the manifest its edition of today, and the file a row if it has none."""
    row = next((row for row in _weights.rows() if row["file"] == file), None)
    if row is None and file in _weights.OF_PAGES:
        row = {"kind": "page", "made_by": f"tools/results/{_weights.OF_PAGES[file]}.py"}
    if row is None:
        raise SystemExit(f"{file}: python -m tools.results.systems writes the rows of systems")
    edition = {**edition_of_weights(row), "stamp": needed(because, file)}
    about = {key: value for key, value in row.items() if key not in ("file", "bytes", "sha256", "edition")}
    _weights.record(file, edition, **about)


def needed(because: str | None, name: str) -> str:
    """Return the reason, which must be there."""
    if not because:
        raise SystemExit(f"{name}: say how you know that today's code makes it: --because '…'")
    return because


def reason_from_git(name: str, module: str) -> str:
    """Return that nothing has changed since the file was written, if git shows it; else give up."""
    run = git("log", "-1", "--format=%H", "--", f"results/{name}.json").strip()
    then = _edition.of_module(module, lambda path: git("show", f"{run}:{path}"))
    if then != _edition.of_module(module):
        raise SystemExit(f"{name}: its code or the corpus is not what it was at {run[:9]}; {needed(None, name)}")
    return f"{OLD} ({run[:9]})"


def git(*words: str) -> str | None:
    """Return what git says; None where it knows no such file."""
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True)
    return done.stdout if done.returncode == 0 else None


def seconds_of(content) -> float:
    """Return the processor time that a results file tells of: its own, or the sum of its parts'."""
    if isinstance(content, dict) and "cpu_seconds" in content:
        return float(content["cpu_seconds"])
    parts = content.values() if isinstance(content, dict) else content if isinstance(content, list) else ()
    return sum(seconds_of(part) for part in parts)
