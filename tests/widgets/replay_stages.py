"""Stages of a run that was never trained: each source sounds at a pitch that says which stage it is of."""

from tests.widgets.conftest import RATE, tone

PITCHES = {"vocals": (300, 500, 700), "drums": (1100, 1300, 1700)}
LOSS = [1 / (1 + step / 20) for step in range(40)]


def stages():
    """Return three stages: at the start, after 20 steps, and weights of another run."""
    told = (("0 steps", 0), ("20 steps", 20), ("shipped", None))
    return [
        {
            "name": name,
            "steps": steps,
            "improvement": {"vocals": -1.0 + 4 * i, "drums": 2.0 + i},
            "sounds": {source: tone(pitches[i], seconds=1.5, rate=RATE) for source, pitches in PITCHES.items()},
        }
        for i, (name, steps) in enumerate(told)
    ]
