"""Another pitch and another tempo, each by itself."""

import pytest
import torch

from sepbook.data._repitching import repitched, resampled, stretched

RATE = 8000


def tone(hertz, seconds=2.0):
    return torch.sin(2 * torch.pi * hertz * torch.arange(round(seconds * RATE), dtype=torch.float64) / RATE)


def middle(x):
    return x[len(x) // 4 : -len(x) // 4]


def share_of_tone(x, hertz):
    """The part of the energy that a sine of this frequency explains."""
    x = middle(x)
    time = torch.arange(len(x), dtype=torch.float64) / RATE
    basis = torch.stack([torch.sin(2 * torch.pi * hertz * time), torch.cos(2 * torch.pi * hertz * time)], 1)
    fit = basis @ torch.linalg.lstsq(basis, x[:, None]).solution
    return (fit.square().sum() / x.square().sum()).item()


@pytest.mark.parametrize("speed", [0.89, 1.0, 1.1, 1.12])
@pytest.mark.parametrize("hertz", [110, 1000, 2500])
def test_a_resampled_tone_is_a_tone(speed, hertz):
    x = tone(hertz)
    y = resampled(x, speed)
    assert len(y) == round(len(x) / speed)
    expected = torch.sin(2 * torch.pi * hertz * speed * torch.arange(len(y), dtype=torch.float64) / RATE)
    assert (middle(y) - middle(expected)).abs().max() < 2e-3


def test_what_would_fold_down_is_taken_away():
    assert middle(resampled(tone(3950), 1.12)).abs().max() < 0.01  # 4424 Hz do not exist at this rate


@pytest.mark.parametrize("factor", [0.8, 1.0, 1.3])
@pytest.mark.parametrize("hertz", [440, 1003.7])
def test_a_stretched_tone_keeps_its_pitch(factor, hertz):
    y = stretched(tone(hertz), factor, 512)
    assert len(y) == round(2 * RATE * factor)
    assert share_of_tone(y, hertz) > 0.99
    assert 0.8 < middle(y).abs().max() < 1.2


@pytest.mark.parametrize(("pitch", "tempo"), [(1.12, 1.0), (0.89, 1.0), (1.0, 1.12), (1.0, 0.88), (1.1, 0.9)])
def test_pitch_and_tempo_change_each_by_itself(pitch, tempo):
    y = repitched(tone(700), pitch, tempo, 512)
    assert abs(len(y) - 2 * RATE / tempo) <= 1
    assert share_of_tone(y, 700 * pitch) > 0.99
    click = torch.zeros(2 * RATE, dtype=torch.float64)
    click[RATE] = 1
    found = repitched(click, pitch, tempo, 512).abs().argmax().item()
    assert abs(found - RATE / tempo) < 256


def test_nothing_asked_for_nothing_changed():
    x = torch.randn(2, 3, 4000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    y = repitched(x, 1.0, 1.0, 512)
    assert y.shape == x.shape
    torch.testing.assert_close(y, x, atol=1e-9, rtol=0)
