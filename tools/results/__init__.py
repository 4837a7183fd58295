"""Numbers that the pages quote: trained and measured by `make results`, never typed. Benches write theirs alike."""

from tools.results._common import ROOT, write

__all__ = ["ROOT", "write"]
