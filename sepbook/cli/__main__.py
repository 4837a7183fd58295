"""Lets `python -m sepbook.cli` do what `sepbook` does."""

import sys

from sepbook.cli import main

sys.exit(main())
