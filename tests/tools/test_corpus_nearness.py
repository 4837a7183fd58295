"""How near two voices are: `tools/corpus/nearness.py`, without an engine."""

import numpy as np
import pytest

from tools.corpus import engines, nearness

TIME = np.arange(16_000) / 16_000


def spoken(low, high):
    """Return a hum with two formants, one second of it, after half a second of silence."""
    hum = sum(np.sin(2 * np.pi * 120 * k * TIME) / (1 + abs(120 * k - low) * abs(120 * k - high)) for k in range(1, 60))
    return np.concatenate([np.zeros(8000), hum / np.abs(hum).max()])


VOICES = {"ann": spoken(500, 1500), "twin": spoken(505, 1520), "ben": spoken(900, 3000), "eve": spoken(300, 5000)}


def test_two_voices_that_are_alike_are_near_however_loud(monkeypatch):
    monkeypatch.setattr(nearness.engines, "fill_cache", lambda wanted, jobs: list(wanted))
    loud = {"ann": 1.0, "twin": 0.1, "ben": 1.0, "eve": 0.5}
    monkeypatch.setattr(engines, "speak", lambda name, text, pace: (loud[name] * VOICES[name], ()))
    table = nearness.measure(list(VOICES))
    assert min(table, key=table.get) == ("ann", "twin") and table["ann", "twin"] < 0.3
    assert sorted(table.values())[2] <= 1 <= sorted(table.values())[3], "in units of the median"


def test_silence_around_a_voice_does_not_count():
    alone, within = nearness.cepstrum(VOICES["ben"][8000:]), nearness.cepstrum(VOICES["ben"])
    assert alone == pytest.approx(within, abs=3)
