"""`python -m tools.results [NAME …]`: run every experiment of this folder, or those that are named.

Each module with a function `run() -> None` is one experiment; it writes its JSON files below results/ itself. What is
done is not done again until its code or the corpus changes (see `_queue.py`); `--again` does it all the same.
`--plan` prints what would be done and how long it takes; `--try FOLDER` runs a few steps and writes there (see
`_trial.py`); `--stamp NAME … --because WORDS` says that files are still what today's code makes (see `_stamp.py`).
"""

import argparse
import importlib
import os
from pathlib import Path

from tools.results import _edition, _plan, _queue, _stamp, _trial, _weights


def experiments() -> list[str]:
    return sorted(f.stem for f in Path(__file__).parent.glob("*.py") if not f.stem.startswith("_"))


def do(name: str, again: bool) -> None:
    """Run an experiment, unless it is done; that of the systems has a job for every run of its own."""
    module = importlib.import_module(f"tools.results.{name}")
    if name == "systems":
        return module.run()
    edition = _edition.of_module(module.__name__)

    def work(folder: Path) -> None:
        module.run()
        _weights.record_pages(name, edition)

    job = _queue.Job(name, edition)
    return work(job.folder) if again else _queue.do(job, work)


def main() -> None:
    os.environ.setdefault("GOMP_SPINCOUNT", "0")
    parser = argparse.ArgumentParser(prog="python -m tools.results", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(experiments())}")
    parser.add_argument("--plan", action="store_true", help="print the core-hours first, and do nothing")
    parser.add_argument("--again", action="store_true", help="do also what is done (systems: `make clean` first)")
    parser.add_argument("--try", dest="trial", type=Path, metavar="FOLDER", help="few steps, to see that it runs")
    parser.add_argument("--stamp", action="store_true", help="say that the files are still what today's code makes")
    parser.add_argument("--because", help="how you know, where the code is not what it was")
    given = parser.parse_args()
    chosen = given.names or experiments()
    if given.stamp:
        return _stamp.stamp(given.names, given.because)
    if unknown := [name for name in chosen if name not in experiments()]:
        parser.error(f"no experiment {', '.join(unknown)}; there are: {', '.join(experiments())}")
    if given.plan:
        return print(_plan.table(chosen))
    for name in chosen:
        print(f"== {name}", flush=True)
        _trial.run(name, given.trial) if given.trial else do(name, given.again)


if __name__ == "__main__":
    main()
