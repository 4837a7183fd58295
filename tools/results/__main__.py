"""`python -m tools.results [NAME …]`: run every experiment of this folder, or those that are named.

Each module with a function `run() -> None` is one experiment; it writes its JSON files below results/ itself.
"""

import importlib
import os
import sys
from pathlib import Path


def experiments() -> list[str]:
    return sorted(f.stem for f in Path(__file__).parent.glob("*.py") if not f.stem.startswith("_"))


def main() -> None:
    os.environ.setdefault("GOMP_SPINCOUNT", "0")
    chosen = sys.argv[1:] or experiments()
    unknown = [name for name in chosen if name not in experiments()]
    if unknown:
        sys.exit(f"no experiment {', '.join(unknown)}; there are: {', '.join(experiments())}")
    for name in chosen:
        print(f"== {name}", flush=True)
        importlib.import_module(f"tools.results.{name}").run()


if __name__ == "__main__":
    main()
