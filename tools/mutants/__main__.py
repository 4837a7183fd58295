"""Plant faults one at a time, and see whether a test notices.

    python -m tools.mutants                       15 faults in each chapter, by a seed that is printed
    python -m tools.mutants --seed 7 --each 3     three in each, the same ones each time
    python -m tools.mutants --again               the survivors once more, after tests were added
    python -m tools.mutants data cli              two chapters; another process may take the others meanwhile

Faults are drawn by cosmic-ray in an environment of its own (made on the first run, in _build/mutants). Each is planted
in a copy of the tree in a temporary folder, and the tests that can see it run there until one fails. What is done is
kept in _build/mutants, so a run that was stopped goes on. The end of it is results/mutants.json: the survivors, one by
one, with a `reason` that a person fills in; one that begins with "equivalent" says that no test could tell, and the
fault is not counted. Reasons stay from run to run, since a fault is known by its change and not by its line.

Time: a fault that is noticed takes some seconds, one that survives takes all the tests of its chapter (half a minute to
four minutes on an idle core). No fault takes longer than three times what the sound code takes, and two minutes.
"""

import argparse
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from tools.mutants.suites import CHAPTERS, files_for

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / "_build" / "mutants"
RESULTS = ROOT / "results" / "mutants.json"
NEEDS = "cosmic-ray==8.7.0"
STAGES = ("not slow and not network", "slow and not network")  # most faults are noticed by the quick tests
EQUIVALENT = "equivalent"
MEMORY = 16 << 30  # bytes of address space: a fault may ask for all there is


def bounded() -> None:
    """Keep a test run from taking the machine's memory (called in its process, where the system can)."""
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def drawing_python() -> Path:
    """Return the Python that has cosmic-ray; make its environment on the first run."""
    python = WORK / "env" / "bin" / "python"
    if not python.exists():
        print(f"Making an environment with {NEEDS} in {WORK / 'env'} (once).", flush=True)
        subprocess.run([sys.executable, "-m", "venv", WORK / "env"], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", NEEDS], check=True)
    return python


def draw(root: Path, seed: int, each: int, chapters: list[str]) -> list[dict]:
    script = Path(__file__).with_name("draw.py")
    command = [drawing_python(), script, root, str(seed), str(each), *chapters]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return json.loads(done.stdout)


def copy_tree(folder: Path) -> Path:
    """Copy what git knows of, and what it does not yet ignore, into a folder."""
    names = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split("\0")
    for name in filter(None, names):
        source, target = ROOT / name, folder / name
        if source.is_file() and not name.startswith(".venv"):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
    return folder


def run_tests(root: Path, files: list[str], stage: str, limit: float) -> str:
    """Run tests until one fails: "survived", "killed", or "killed by the clock" when they take too long."""
    environment = os.environ | {"PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-m", stage]
    command += ["--basetemp", str(root / "tmp"), *files]
    job = subprocess.Popen(
        command, cwd=root, env=environment, start_new_session=True, preexec_fn=bounded,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        status = job.wait(timeout=limit)
    except subprocess.TimeoutExpired:
        return "killed by the clock"
    finally:  # a fault may leave processes behind that wait for ever
        try:
            os.killpg(job.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        job.wait()
    return "survived" if status in (0, 5) else "killed"  # 5: this stage has no tests


class Bench:
    """A copy of the tree in which one fault at a time is planted."""

    def __init__(self, root: Path):
        self.root = root
        self.limits: dict[tuple, float] = {}

    def limit(self, files: list[str], stage: str) -> float:
        """Return the seconds that a fault may take; the sound code runs first, and must pass."""
        key = (stage, *sorted(files))
        if key not in self.limits:
            start = time.monotonic()
            if run_tests(self.root, files, stage, 3600) != "survived":
                sys.exit(f"Without any fault, these tests fail ({stage}): {' '.join(files)}. Mend them first.")
            self.limits[key] = 3 * (time.monotonic() - start) + 120
        return self.limits[key]

    @contextmanager
    def planted(self, fault: dict):
        """Have one fault in the tree for the length of a `with` block."""
        path = self.root / fault["file"]
        sound = path.read_text(encoding="utf-8")
        try:
            path.write_text(fault["source"], encoding="utf-8")
            yield
        finally:
            path.write_text(sound, encoding="utf-8")

    def judge(self, fault: dict) -> str:
        """Run the tests of a fault with it, the quick ones first; the slow ones only where no quick one notices it."""
        files = files_for(self.root, fault["file"])
        for stage in STAGES:
            limit = self.limit(files, stage)
            with self.planted(fault):
                outcome = run_tests(self.root, files, stage, limit)
            if outcome != "survived":
                return outcome
        return "survived"


def report(faults: list[dict], done: dict, seed: int, reasons: dict) -> dict:
    """Return what goes into results/mutants.json."""
    survivors = [
        {**{k: fault[k] for k in ("key", "chapter", "file", "line", "operator", "diff")}}
        | {"reason": reasons.get(fault["key"], "")}
        for fault in faults
        if done.get(fault["key"]) == "survived"
    ]
    chapters = {}
    for chapter in dict.fromkeys(fault["chapter"] for fault in faults):
        outcomes = [done[f["key"]] for f in faults if f["chapter"] == chapter and f["key"] in done]
        alike = sum(s["reason"].startswith(EQUIVALENT) for s in survivors if s["chapter"] == chapter)
        killed = sum(outcome != "survived" for outcome in outcomes)
        chapters[chapter] = {
            "planted": len(outcomes),
            "killed": killed,
            "by_the_clock": sum(outcome == "killed by the clock" for outcome in outcomes),
            "equivalent": alike,
            "share": round(killed / max(1, len(outcomes) - alike), 3),
        }
    planted, killed, alike = (sum(c[k] for c in chapters.values()) for k in ("planted", "killed", "equivalent"))
    total = {
        "planted": planted,
        "killed": killed,
        "equivalent": alike,
        "share": round(killed / max(1, planted - alike), 3),
    }
    return {"seed": seed, "tool": NEEDS, "total": total, "chapters": chapters, "survivors": survivors}


def reasons_so_far() -> dict:
    """Return {key: reason} of the file that is there."""
    before = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {"survivors": []}
    return {survivor["key"]: survivor["reason"] for survivor in before["survivors"]}


def save(path: Path, value) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(path.name + ".part")
    half.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(half, path)


def main(arguments=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("chapters", nargs="*", default=CHAPTERS, help=f"of {', '.join(CHAPTERS)}")
    parser.add_argument("--seed", type=int, help="which faults; without it the last run's, or a new one")
    parser.add_argument("--each", type=int, default=15, help="faults in each chapter")
    parser.add_argument("--again", action="store_true", help="try the survivors again")
    parser.add_argument("--list", action="store_true", help="print the faults and end")
    options = parser.parse_args(arguments)
    if unknown := set(options.chapters) - set(CHAPTERS):
        parser.error(f"no chapter {', '.join(sorted(unknown))}; there are: {', '.join(CHAPTERS)}")
    for number in (signal.SIGINT, signal.SIGTERM):  # stopped in any way, it takes its copy and its tests along
        signal.signal(number, signal.default_int_handler)
    last = WORK / "seed.json"
    seed = options.seed if options.seed is not None else json.loads(last.read_text()) if last.is_file() else None
    seed = random.SystemRandom().randrange(10**6) if seed is None else seed
    save(last, seed)
    print(f"seed {seed}", flush=True)

    with tempfile.TemporaryDirectory(prefix="sepbook-mutants-") as folder:
        bench = Bench(copy_tree(Path(folder)))
        for chapter in options.chapters:
            faults = draw(bench.root, seed, options.each, [chapter])
            if options.list:
                print("\n".join(map(in_words, faults)))
            else:
                try_all(bench, faults, WORK / str(seed) / f"{chapter}.json", options.again)
                write_report(seed)
    if not options.list:
        found = write_report(seed)
        print(json.dumps(found["total"] | {name: c["share"] for name, c in found["chapters"].items()}))
        print(f"Survivors are in {RESULTS.relative_to(ROOT)}: give each a reason, or a test.")
    return 0


def in_words(fault: dict) -> str:
    change = " ".join(line.strip() for line in fault["diff"] if line[0] in "+-")
    return f"{fault['file']}:{fault['line']}  {change}"


def try_all(bench: Bench, faults: list[dict], kept: Path, again: bool) -> None:
    """Try the faults of a chapter that were not tried yet; what became of each is kept after each."""
    done = json.loads(kept.read_text(encoding="utf-8"))["done"] if kept.is_file() else {}
    done = {key: outcome for key, outcome in done.items() if not (again and outcome == "survived")}
    shown = [{key: value for key, value in fault.items() if key != "source"} for fault in faults]
    for number, fault in enumerate(faults, 1):
        print(f"{number}/{len(faults)} {in_words(fault)}", flush=True)
        if fault["key"] not in done:
            start = time.monotonic()
            done[fault["key"]] = bench.judge(fault)
            print(f"    {done[fault['key']]} ({time.monotonic() - start:.0f} s)", flush=True)
        save(kept, {"faults": shown, "done": done})


def write_report(seed: int) -> dict:
    """Put what is known of all chapters, from this run and others, into results/mutants.json."""
    states = [json.loads(path.read_text(encoding="utf-8")) for path in sorted((WORK / str(seed)).glob("*.json"))]
    faults = [fault for state in states for fault in state["faults"]]
    done = {key: outcome for state in states for key, outcome in state["done"].items()}
    found = report(faults, done, seed, reasons_so_far())
    save(RESULTS, found)
    return found


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("Stopped. `python -m tools.mutants` goes on from here.")
