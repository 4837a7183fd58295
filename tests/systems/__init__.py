"""Small systems of every kind, and data for any system: they prove that the contracts hold for more than the U-Net.

Each is one file, as in `sepbook/architectures`:

- `one_voice`: one source; the simplest
- `talkers`: waveforms, a hop of 10, estimates in any order
- `targets`: stereo at 44.1 kHz, one network per target, statistics, reads both ways
- `causal`: streams
- `conditioned`: takes labels, and weighs its sources anew

and `four_stems` of `sepbook.check.training`, which the page on putting it together shows, trains and plays.
"""

from sepbook import architectures
from sepbook.check.training import four_stems
from tests.systems import causal, conditioned, one_voice, talkers, targets
from tests.systems.items import Synthetic, batch
from tests.systems.talkers import Config as TalkersConfig
from tests.systems.talkers import Talkers

OURS = {m.__name__.split(".")[-1]: m for m in (causal, conditioned, four_stems, one_voice, talkers, targets)}
ALL = (*architectures.names(), *OURS)

__all__ = ["ALL", "OURS", "Synthetic", "Talkers", "TalkersConfig", "batch", "module", "register"]


def module(name):
    """The file of a system, of the package or of this folder."""
    return OURS[name] if name in OURS else architectures.module(name)


def register(monkeypatch, **more):
    """Make `create`, checkpoints and the command line know these systems, and `more`, for the length of a test."""
    ours, real, real_names = {**OURS, **more}, architectures.module, architectures.names
    monkeypatch.setattr(architectures, "names", lambda: (*real_names(), *ours))
    monkeypatch.setattr(architectures, "module", lambda name: ours[name] if name in ours else real(name))
