"""Resting, solo, clipped and leaking stems, each made on purpose and found."""

import math

import pytest
import torch
from torch.nn.functional import pad

from sepbook.data import corpus, survey
from sepbook.data.folder import StemFolder
from tests.data.stem_files import write_folder


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_rest_and_solo_by_piece():
    sources = noise(2, 2, 1050)
    sources[0, :, 100:300] = 0
    sources[1, :, 500:600] *= 1e-4
    sounds = survey.sounding(sources, 100)
    assert sounds.shape == (2, 11)
    assert (~sounds[0]).nonzero().flatten().tolist() == [1, 2] and (~sounds[1]).nonzero().flatten().tolist() == [5]
    assert survey.solos(sounds).tolist() == [1, 2]
    assert survey.sounding(sources, 100, floor=-100).sum() == 20


def test_silence_everywhere_sounds_nowhere():
    assert not survey.sounding(torch.zeros(3, 1, 50), 10).any()
    with pytest.raises(ValueError, match="pieces of 0"):
        survey.sounding(torch.zeros(3, 1, 50), 0)


@pytest.mark.parametrize("level", [1.0, 0.3])
def test_flat_tops_are_counted_at_any_level(level):
    tone = torch.sin(torch.arange(400) * 2 * torch.pi / 100)[None]
    assert survey.clipped(tone) == 0
    cut = level * tone.clamp(-0.8, 0.8)
    assert survey.clipped(cut) == int((tone.abs() >= 0.8).sum())
    assert survey.clipped(torch.cat([cut, level * tone])) == survey.clipped(cut)


@pytest.mark.parametrize("sound", [torch.zeros(2, 9), torch.ones(1, 2), torch.zeros(1, 0).expand(1, 0)[:, :0]])
def test_silence_and_very_short_sounds_are_not_clipped(sound):
    assert sound.shape[-1] == 0 or survey.clipped(sound) == 0


@pytest.mark.parametrize("gain", [0.5, 0.01])
def test_a_late_leak_is_measured(gain):
    other = noise(2, 8000, seed=1)
    stem = gain * pad(other, (9, 0))[:, :8000]
    assert survey.bleed(stem, other) == pytest.approx(20 * math.log10(gain), abs=0.1)


def test_no_leak_no_number():
    silent = torch.zeros(1, 500)
    assert survey.bleed(silent, noise(1, 500)) == survey.bleed(noise(1, 500), silent) == -math.inf
    assert survey.bleed(noise(1, 9000), noise(1, 9000, seed=5)) < -20  # chance likeness
    with pytest.raises(ValueError, match="the same"):
        survey.bleed(silent, silent[:, 1:])


def test_a_whole_track_in_one_table(tmp_path):
    sounds = {name: 0.1 * noise(1, 8000, seed=k) for k, name in enumerate(corpus.SOURCES)}
    sounds["vocals"][:, :4000] = 0
    sounds["mixture"] = sum(sounds.values()) / 2
    write_folder(tmp_path / "test" / "a", sounds, rate=1000)
    track = StemFolder(tmp_path, "test")[0]
    found = survey.survey(track)
    assert found.resting == {"vocals": 0.5, "drums": 0, "bass": 0, "other": 0} and not any(found.alone.values())
    assert found.deviation == track.deviation()
    assert "vocals         50%" in str(found) and "minus sum of stems" in str(found)
    assert survey.survey(corpus.songs("test")[0]).deviation is None
