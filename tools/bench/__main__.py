"""`python -m tools.bench [NAME …]`: run every benchmark of this folder, or those that are named.

Each module with a function `run() -> dict` is one benchmark; its numbers go to results/bench/NAME.json.
"""

import importlib
import os
import sys
from pathlib import Path

from tools.results import write


def benchmarks() -> list[str]:
    return sorted(f.stem for f in Path(__file__).parent.glob("*.py") if not f.stem.startswith("_"))


def main() -> None:
    os.environ.setdefault("GOMP_SPINCOUNT", "0")
    chosen = sys.argv[1:] or benchmarks()
    unknown = [name for name in chosen if name not in benchmarks()]
    if unknown:
        sys.exit(f"no benchmark {', '.join(unknown)}; there are: {', '.join(benchmarks())}")
    if (load := os.getloadavg()[0]) > 1:
        print(f"The machine is busy (load {load:.1f}): ratios still mean something, times do not.")
    for name in chosen:
        print(f"== {name}", flush=True)
        numbers = importlib.import_module(f"tools.bench.{name}").run()
        for key, value in numbers.items():
            print(f"   {key}: {value}")
        if "skipped" not in numbers:
            write(f"bench/{name}", {**numbers, "load": load}, made_by=f"tools.bench.{name}")


if __name__ == "__main__":
    main()
