"""Builds the corpus: ``python -m tools.corpus``. With ``--check``: renders one song and one talker and compares."""

import argparse
import sys
from pathlib import Path

from tools.corpus.build import build, check
from tools.corpus.card import write_card

ROOT = Path(__file__).parents[2] / "sepbook" / "assets" / "corpus"


def main():
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.corpus", description=__doc__)
    parser.add_argument("--check", action="store_true", help="render one song and one talker and compare the samples")
    parser.add_argument("--card", action="store_true", help="measure the corpus that is there and write its card")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default 2)")
    parser.add_argument("--root", type=Path, default=ROOT, help="where the corpus is written")
    arguments = parser.parse_args()
    if arguments.check:
        sys.exit(0 if check(arguments.root) else 1)
    if not arguments.card:
        build(arguments.root, arguments.jobs)
    write_card(arguments.root)


if __name__ == "__main__":
    main()
