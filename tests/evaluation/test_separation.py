"""Any rate, any number of channels, any length: what goes in comes out, and chunks leave no trace."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from sepbook import architectures, audio
from sepbook.evaluation import separation
from sepbook.evaluation._level import measure
from sepbook.evaluation.separation import chunk_sizes, separate


class Halves(nn.Module):
    """A system without weights: the signal smoothed over `reach` samples on both sides, and the rest."""

    source_names, ordered = ("smooth", "rest"), True

    def __init__(self, rate=8000, channels=1, reach=0, stride=1):
        super().__init__()
        self.sample_rate, self.channels, self.reach, self.stride = rate, channels, reach, stride
        self.seen = []  # shapes of what it was given
        self.dropout = nn.Dropout(0.5)

    def forward(self, mixture):
        self.seen.append(tuple(mixture.shape))
        size = 2 * self.reach + 1
        smooth = nn.functional.avg_pool1d(mixture, size, stride=1, padding=self.reach)
        smooth = self.dropout(smooth)
        return torch.stack([smooth, mixture - smooth], dim=1)


class Shuffled(Halves):
    """The same, but its two estimates change places with every call and with every item of a batch."""

    ordered = False

    def forward(self, mixture):
        found = super().forward(mixture)
        turn = [(len(self.seen) + item) % 2 for item in range(len(found))]
        return torch.stack([f.flip(0) if t else f for f, t in zip(found, turn, strict=True)])


def sound(C=1, N=16000, seed=0):
    return torch.rand(C, N, generator=torch.Generator().manual_seed(seed)) - 0.5


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 5000), st.integers(1, 4), st.integers(1, 3), st.floats(0.001, 1), st.floats(0, 0.5))
def test_chunks_of_a_system_without_context_change_nothing(N, C, channels, seconds, overlap):
    system, samples = Halves(channels=channels), sound(C, N)
    found = separate(system, samples, 8000, seconds, overlap)
    assert found.shape == (2, C, N)
    torch.testing.assert_close(found[0], samples, atol=1e-6, rtol=0)
    assert (found[1].abs() < 1e-6).all()


def test_context_hides_the_edges_of_chunks():
    system, samples = Halves(reach=100), sound()
    whole = separate(system, samples, 8000, 10.0)
    assert len(system.seen) == 1
    found = separate(system, samples, 8000, 0.2, 0.25)  # 400 samples of overlap: 160 of context on each side
    assert len(system.seen) > 10
    torch.testing.assert_close(found, whole, atol=1e-6, rtol=0)
    bare = separate(system, samples, 8000, 0.2, 0.0)
    assert (bare - whole).abs().max() > 1e-2, "without overlap the edges show"


def test_memory_is_bounded_by_the_chunk():
    system = Halves()
    separate(system, sound(N=80_000), 8000, 1.0, 0.25)
    assert max(shape[-1] for shape in system.seen) == 8000
    assert len(system.seen) == 13


@settings(max_examples=50, deadline=None)
@given(st.floats(0.01, 100), st.floats(0, 0.5), st.sampled_from([1, 7, 256, 49152]), st.sampled_from([8000, 44100]))
def test_chunks_meet_the_grid(seconds, overlap, stride, rate):
    length, hop = chunk_sizes(Halves(rate, stride=stride), seconds, overlap)
    assert hop % stride == 0
    assert 0 <= length - hop <= hop, "no sample is in three chunks"
    assert abs(hop - seconds * rate * (1 - overlap)) <= stride


def test_fades_sum_to_one():
    for overlap in (0, 1, 2, 3, 10, 999):
        ramp = separation._ramp(overlap)
        assert len(ramp) == overlap
        torch.testing.assert_close(ramp + ramp.flip(0), torch.ones(overlap))
        assert (ramp.diff() >= 0).all()


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 44100, 192_000])
@pytest.mark.parametrize("N", [1, 2, 999, 20_000])
def test_any_rate_and_length(rate, N):
    found = separate(Halves(), sound(2, N), rate)
    assert found.shape == (2, 2, N)
    assert found.isfinite().all()


def test_resampling_there_and_back_keeps_the_time():
    time = torch.arange(44100) / 44100
    tone = torch.sin(2 * torch.pi * 440 * time)[None]
    found = separate(Halves(), tone, 44100, 0.3)[0]
    inside = slice(2000, -2000)
    torch.testing.assert_close(found[:, inside], tone[:, inside], atol=1e-3, rtol=0)


def test_a_mono_system_keeps_the_stereo_image():
    samples = torch.stack([sound()[0], torch.zeros(16000)])
    system = Halves(reach=3)
    found = separate(system, samples, 8000)
    assert system.seen == [(2, 1, 16000)], "the channels are items of a batch"
    assert (found[:, 1] == 0).all() and found[:, 0].abs().max() > 0.1


@pytest.mark.parametrize("C, batch", [(1, 1), (2, 1), (3, 2), (8, 4)])
def test_a_stereo_system_takes_any_number_of_channels(C, batch):
    system, samples = Halves(channels=2), sound(C)
    found = separate(system, samples, 8000)
    assert system.seen == [(batch, 2, 16000)]
    torch.testing.assert_close(found[0], samples, atol=1e-6, rtol=0)


def test_mono_through_a_stereo_system_is_the_mean_of_both_answers():
    class Uneven(Halves):
        def forward(self, mixture):
            return super().forward(mixture) * torch.tensor([1.0, 3.0])[:, None]

    samples = sound()
    torch.testing.assert_close(separate(Uneven(channels=2), samples, 8000)[0], 2 * samples)


@pytest.mark.parametrize("channels", [1, 2])
def test_unordered_estimates_keep_their_places(channels):
    left, other = sound(N=40_000)[0], sound(N=40_000, seed=1)[0]
    samples = torch.stack([left, 0.7 * left + 0.3 * other, other - 0.8 * left])
    expected = separate(Halves(channels=channels, reach=20), samples, 8000, 100.0)
    found = separate(Shuffled(channels=channels, reach=20), samples, 8000, 0.5)
    if (found[0] - expected[0]).abs().max() > 0.1:
        found = found.flip(0)  # which one comes first is free, but it must stay so
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)


def test_channels_that_have_nothing_in_common_keep_their_own_order():
    samples = sound(2, 40_000)
    expected = separate(Halves(reach=20), samples, 8000, 100.0)
    found = separate(Shuffled(reach=20), samples, 8000, 0.5)
    for c in range(2):
        either = [(found[:, c] - e).abs().max() < 1e-6 for e in (expected[:, c], expected[:, c].flip(0))]
        assert any(either)


def test_modes_come_back():
    system = Halves()
    system.train()
    system.dropout.eval()
    separate(system, sound(), 8000)
    assert system.training and not system.dropout.training
    system.dropout.train()
    first, second = (separate(system, sound(), 8000) for _ in range(2))
    assert torch.equal(first, second), "dropout is off while separating"
    system.forward = None
    with pytest.raises(TypeError):
        separate(system, sound(), 8000)
    assert system.training and system.dropout.training


@pytest.mark.parametrize("said", [0.5, 1.0, 1.3])
def test_the_bar_ends_full_whatever_was_said_of_the_length(said):
    """Headers round the length of a song, and a stream of an mp3 says one that is too long."""
    bar = SimpleNamespace(total=said, n=0.0)
    bar.update = lambda seconds: setattr(bar, "n", bar.n + seconds)
    ends = [(part.shape[-1], bar.n) for part in separation._counted(sound(N=8000).split(3000, -1), bar, 8000)]
    assert [size for size, _ in ends] == [3000, 3000, 2000] and ends[0][1] == min(0.375, said)
    assert bar.n == pytest.approx(bar.total)


def test_estimates_are_ordinary_tensors():
    found = separate(Halves(), torch.nn.Parameter(sound()), 8000)
    assert not found.requires_grad
    (found.sum() * torch.ones(1, requires_grad=True)).backward()


def test_numpy_is_welcome_and_integers_are_explained():
    samples = np.tile([1.0, -1.0], (1, 50))
    found = separate(Halves(), samples, 8000)
    assert found.dtype == torch.float32 and np.allclose(found[0].numpy(), samples)
    with pytest.raises(ValueError, match="int16.*divide 16-bit samples by 32768"):
        separate(Halves(), np.ones((1, 100), dtype=np.int16), 8000)


@pytest.mark.parametrize(
    "samples, message",
    [
        (torch.ones(100), r"must be \(C, N\).*given was \(100,\)"),
        (torch.ones(1, 1, 100), r"must be \(C, N\)"),
        (torch.ones(1, 0), "nothing to separate"),
        (torch.ones(0, 5), "nothing to separate"),
        (torch.tensor([[0, 0, 0], [0, torch.nan, 0]]), "channel 1 at sample 1"),
        (torch.tensor([[0, 0, torch.inf]]), "channel 0 at sample 2"),
    ],
)
def test_samples_that_cannot_be_separated(samples, message):
    with pytest.raises(ValueError, match=message):
        separate(Halves(), samples, 8000)


@pytest.mark.parametrize(
    "ask, message",
    [
        ({"overlap": 0.6}, "choose 0 to 0.5"),
        ({"overlap": -0.1}, "choose 0 to 0.5"),
        ({"chunk_seconds": 0}, "chunk_seconds is 0"),
        ({"chunk_seconds": float("inf")}, "chunk_seconds is inf"),
        ({"chunk_seconds": float("nan")}, "chunk_seconds is nan"),
        ({"rate": 0}, "rate is 0"),
    ],
)
def test_settings_that_make_no_sense(ask, message):
    with pytest.raises(ValueError, match=message):
        separate(Halves(), sound(), **{"rate": 8000, **ask})


@pytest.fixture(scope="module")
def unet():
    """The small U-Net with random weights and running statistics that are not those of the first day."""
    torch.manual_seed(0)
    system = architectures.create("unet")
    for module in system.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    return system.eval()


def in_one_pass(system, samples):
    """The estimates at the level that `separate` gives to the song."""
    level = measure(system, [samples])
    with torch.no_grad():
        return level.undo(system(level.apply(samples)[None])[0])


def test_the_unet_does_not_notice_chunks(unet):
    """Chunks that start on its grid of frames give what one pass gives; others would not."""
    samples = 0.2 * sound(N=16000 * 24)
    whole = in_one_pass(unet, samples)
    found = separate(unet, samples, 16000, 10.0)
    torch.testing.assert_close(found, whole, atol=1e-5, rtol=0)


def test_a_grid_that_is_missed_shows(unet, monkeypatch):
    samples = 0.2 * sound(N=16000 * 12)
    whole = in_one_pass(unet, samples)
    fits = separate(unet, samples, 16000, 6.0)
    monkeypatch.setattr(unet, "stride", 100)
    found = separate(unet, samples, 16000, 6.0)
    assert (found - whole).abs().max() > max(1e-3, 2 * (fits - whole).abs().max())


def test_chunks_longer_than_any_song_take_no_more_memory_than_the_song():
    samples = sound(N=800)
    assert torch.equal(separate(Halves(), samples, 8000, chunk_seconds=1e9), separate(Halves(), samples, 8000))


def test_a_system_that_says_no_stride_is_told_so():
    system = Halves()
    del system.stride
    with pytest.raises(ValueError, match="Halves says no stride: set system.stride"):
        separate(system, sound(N=100), 8000)


def test_the_rate_of_a_file_does_not_move_the_result(unet):
    """The same music at 16 kHz and at 48 kHz: the estimates agree below the edge of the resampling filter."""
    samples = audio.resample(0.2 * sound(N=8000 * 4), 8000, 16000)
    direct = separate(unet, samples, 16000)
    around = separate(unet, audio.resample(samples, 16000, 48000), 48000)
    back = audio.resample(around, 48000, 16000)[..., : samples.shape[-1]]
    error = (back - direct).square().mean() / direct.square().mean()
    assert 10 * error.log10() < -35
