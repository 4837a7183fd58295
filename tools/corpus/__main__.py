"""Builds the corpus: ``python -m tools.corpus``. With ``--check``: renders one song and one talker and compares.

``python -m tools.corpus more --songs 200 --out FOLDER`` renders more songs for training: see ``tools.corpus.more``.
"""

import argparse
import sys
from pathlib import Path

from tools.corpus import more, noise
from tools.corpus.build import build, check
from tools.corpus.card import write_card
from tools.corpus.engines import fill_cache
from tools.corpus.speech import said, sung

ROOT = Path(__file__).parents[2] / "sepbook" / "assets" / "corpus"


def main():
    """Read the command line."""
    if sys.argv[1:2] == ["more"]:
        return render_more(sys.argv[2:])
    parser = argparse.ArgumentParser(prog="python -m tools.corpus", description=__doc__)
    parser.add_argument("--check", action="store_true", help="render one song and one talker and compare the samples")
    parser.add_argument("--card", action="store_true", help="measure the corpus that is there and write its card")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default 2)")
    parser.add_argument("--root", type=Path, default=ROOT, help="where the corpus is written")
    arguments = parser.parse_args()
    if arguments.check:
        sys.exit(0 if check(arguments.root) else 1)
    if not arguments.card:
        fill_cache([*sung(), *said(), *noise.wanted()], arguments.jobs)
        build(arguments.root, arguments.jobs)
    write_card(arguments.root)


def render_more(words):
    """Render songs beyond those that ship."""
    parser = argparse.ArgumentParser(prog="python -m tools.corpus more", description=more.__doc__)
    parser.add_argument("--songs", type=int, required=True, help="how many songs the folder is to have")
    parser.add_argument("--out", type=Path, required=True, help="the folder: songs go to FOLDER/SPLIT")
    parser.add_argument("--seed", type=int, help="songs of this seed instead of those that everybody can render")
    parser.add_argument("--split", choices=("train", "test"), default="train", help="whose instruments and singers")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default 2)")
    arguments = parser.parse_args(words)
    if arguments.songs < 1:
        parser.error(f"--songs is {arguments.songs}; it must be 1 or more")
    which = more.Which(arguments.seed, arguments.split)
    try:
        more.render(arguments.out, arguments.songs, arguments.jobs, which=which)
    except (RuntimeError, ValueError) as error:
        sys.exit(f"{parser.prog}: {error}")


if __name__ == "__main__":
    main()
