"""The level of a song and a constant offset change nothing, and the levels of training are those measured."""

import math

import pytest
import torch

from sepbook import architectures, audio
from sepbook.data import corpus, tasks
from sepbook.evaluation import _level, metrics
from sepbook.evaluation.separation import missing_band, separate, separate_file
from sepbook.losses.permutation import permutation_invariant
from sepbook.losses.waveform import si_snr_loss
from sepbook.training import checkpoint


@pytest.fixture(scope="module")
def song():
    """The shipped system, four seconds of a song (S, C, N), and how well it is separated."""
    system, sources = checkpoint.shipped("unet"), corpus.songs("test")[0].sources()[..., 64_000:128_000]
    return system, sources, improvement(system, sources, 1.0, 0.0)


def improvement(system, sources, gain, offset):
    mixture = sources.sum(0)
    found = separate(system, gain * mixture + offset, 16_000) / gain
    return metrics.si_sdr_improvement(found, sources, mixture).nanmean().item()


@pytest.mark.parametrize("decibels", [-50, -40, -20, -6, 6, 20])
def test_the_level_of_a_song_changes_nothing(song, decibels):
    system, sources, expected = song
    assert improvement(system, sources, 10 ** (decibels / 20), 0.0) == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("offset", [0.05, -0.3, 1.0])
def test_a_constant_that_is_added_changes_nothing(song, offset):
    system, sources, expected = song
    assert improvement(system, sources, 1.0, offset) == pytest.approx(expected, abs=0.1)
    assert improvement(system, sources, 0.01, offset) == pytest.approx(expected, abs=0.1)


def test_a_file_is_brought_to_the_same_level_as_samples(song, tmp_path):
    system, sources, _ = song
    quiet = 0.02 * sources.sum(0) + 0.01
    path = audio.save(tmp_path / "quiet.wav", quiet, 16_000)
    stems = separate_file(system, path, tmp_path / "stems", progress=False)
    found = torch.stack([audio.load(stem)[0] for stem in stems.values()])
    torch.testing.assert_close(found, separate(system, quiet, 16_000), atol=1e-6, rtol=0)


class Named:
    task, name, sample_rate = "songs", "named", 16_000


ALTERNATING = torch.tensor([1.0, -1.0]).repeat(450)
KINDS = {
    "silence": (torch.zeros(2, 900), (0.0, 0.0), 1.0),
    "nearly silence": (1e-7 * ALTERNATING[None], (0.0,), 1.0),
    "one sample": (torch.ones(1, 1), (0.0,), 10 ** (-17 / 20)),
    "one channel with an offset": (torch.stack([torch.ones(900), ALTERNATING]), (1.0, 0.0), None),
    "nothing": (torch.zeros(1, 0), (0.0,), 1.0),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_levels_of_odd_sounds(kind):
    samples, offset, gain = KINDS[kind]
    level = _level.measure(Named(), [samples])
    assert level.offset.flatten().tolist() == list(offset)
    assert math.isfinite(level.gain) and (gain is None or level.gain == pytest.approx(gain))
    assert level.apply(samples).isfinite().all()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["songs", "talkers", "speech_noise"])
def test_the_levels_of_training_are_those_of_its_items(name):
    items = tasks.task(name).training(16_000, seconds=3.0)
    power = [items[k]["mixture"].square().mean().item() for k in range(60)]
    assert 10 * math.log10(sum(power) / 60) == pytest.approx(_level.LEVELS[name], abs=1.0)


def test_every_task_has_a_level():
    assert set(_level.LEVELS) == set(tasks.names())


def test_the_band_that_is_missing_is_said():
    assert missing_band(Named(), 16_000) is missing_band(Named(), 8_000) is None
    found = missing_band(Named(), 44_100)  # of any system: not all estimates add up
    assert found == "nothing above 8000 Hz is in the stems: named works at 16000 Hz, the song has 44100 Hz"


UNORDERED = [name for name, preset in checkpoint.shelf("talkers") if not architectures.create(name, preset).ordered]


def test_there_are_shipped_systems_without_an_order():
    assert {"tasnet", "conv_tasnet", "mask_inference", "chimera"} <= set(UNORDERED)


@pytest.mark.parametrize("name", UNORDERED)
def test_talkers_come_out_at_their_level_and_the_right_way_up(name):
    """Their losses ask for neither: TasNet's own sound is upside down, and 11 dB too loud."""
    system, pair = checkpoint.shipped(name), tasks.task("talkers").tracks("valid", 8000)[1]
    sources, mixture = pair.sources(), pair.mixture()  # two voices far apart
    found = separate(system, mixture, 8000, chunk_seconds=1.0)
    total = found.sum(0)
    assert (total * mixture).sum() / mixture.square().sum() == pytest.approx(1.0, abs=0.1)
    found = found[permutation_invariant(si_snr_loss, found[None], sources[None])[1][0]]
    share = (found * sources).flatten(1).sum(1) / sources.flatten(1).square().sum(1)
    assert ((share > 0.5) & (share < 1.2)).all(), share


def test_a_hum_of_the_system_in_a_pause_decides_nothing():
    class Humming(torch.nn.Module):
        source_names, sample_rate, channels, stride, ordered = ("a", "b"), 8000, 1, 1, False

        def forward(self, mixture):
            hum = 1e-3 * torch.sin(0.3 * torch.arange(mixture.shape[-1]))
            return -2 * torch.stack([0.3 * mixture + hum, 0.7 * mixture], dim=1)

    mixture = torch.randn(1, 30_000, generator=torch.Generator().manual_seed(0))
    mixture[:, :9000] *= 1e-5  # a recorded pause before anybody speaks
    found = separate(Humming(), mixture, 8000, chunk_seconds=1.0)
    after = slice(16_000, None)
    assert found.sum(0)[:, after].std().item() == pytest.approx(mixture[:, after].std().item(), rel=0.01)


@pytest.mark.parametrize("factor", [-4.0, 0.01, 3.0])
def test_one_factor_for_all_chunks_undoes_that_of_the_system(factor):
    class Scaled(torch.nn.Module):
        source_names, sample_rate, channels, stride, ordered = ("a", "b"), 8000, 1, 1, False

        def forward(self, mixture):
            return factor * torch.stack([0.3 * mixture, 0.7 * mixture], dim=1)

    mixture = torch.randn(2, 30_000, generator=torch.Generator().manual_seed(0))
    mixture[:, :9000] = 0  # nothing can be learned from a chunk of silence
    mixture[:, :20_000] *= 0.05
    found = separate(Scaled(), mixture, 8000, chunk_seconds=1.0)
    torch.testing.assert_close(found, torch.stack([0.3 * mixture, 0.7 * mixture]), atol=1e-5, rtol=0)


def test_systems_with_an_order_keep_their_level():
    class Half(torch.nn.Module):
        source_names, sample_rate, channels, stride, ordered = ("speech",), 8000, 1, 1, True

        def forward(self, mixture):
            return 0.5 * mixture[:, None]

    mixture = torch.randn(1, 8000, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(separate(Half(), mixture, 8000), 0.5 * mixture[None], atol=1e-6, rtol=0)
