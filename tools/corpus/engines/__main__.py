"""Says everything that songs and talkers will need into the cache: ``python -m tools.corpus.engines``.

``python -m tools.corpus`` does the same before it renders. Run it beforehand where the machine is busy.
"""

import argparse

from tools.corpus.engines import fill_cache
from tools.corpus.speech import said, sung


def main():
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.corpus.engines", description=__doc__)
    parser.add_argument("--only", choices=("songs", "talkers"), help="one part of the corpus")
    parser.add_argument("--jobs", type=int, default=1, help="processes (default 1)")
    arguments = parser.parse_args()
    parts = {"songs": sung, "talkers": said}
    wanted = [row for name in parts if arguments.only in (None, name) for row in parts[name]()]
    fill_cache(wanted, arguments.jobs, report=lambda line: print(line, flush=True))


if __name__ == "__main__":
    main()
