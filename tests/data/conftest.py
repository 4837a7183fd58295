"""A small folder of stems, made anew for each test that asks for it."""

import json

import pytest
import torch

from sepbook import audio

STEMS = ("vocals", "drums", "bass", "other")


@pytest.fixture
def make_track(tmp_path):
    """A function that writes one track and returns its folder; keyword arguments are stems (C, N) or None."""

    def make(name, split="train", rate=8000, suffix=".wav", score=None, **stems):
        folder = tmp_path / "root" / (split or "") / name
        folder.mkdir(parents=True, exist_ok=True)
        generator = torch.Generator().manual_seed(len(name) + sum(map(ord, name)))
        for stem in STEMS:
            stems.setdefault(stem, 0.1 * torch.randn(1, 2 * rate, generator=generator))
        for stem, samples in stems.items():
            if samples is not None:
                audio.save(folder / f"{stem}{suffix}", samples, rate)
        if score is not None:
            (folder / "score.json").write_text(json.dumps(score))
        return folder

    return make


@pytest.fixture
def root(tmp_path, make_track):
    """Three tracks for training and one for testing, with scores that number their frames."""
    for k, name in enumerate(("a", "b", "c")):
        score = {"vocal_activity": [k % 2] * 200, "f0": [1000 * k + frame for frame in range(200)]}
        make_track(name, score=score)
    make_track("d", "test")
    return tmp_path / "root"
