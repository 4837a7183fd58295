"""The filters that double and halve a rate inside a network: tones stay tones, pieces give what the whole gives."""

import numpy as np
import pytest
import torch

from sepbook.architectures._resampling import half_band, low_pass

FILTERS = {"half band": half_band, "low pass": low_pass}


def tone(N, period, dtype=torch.float64):
    return torch.cos(2 * torch.pi * torch.arange(N, dtype=dtype) / period)


@pytest.mark.parametrize("kind", FILTERS)
@pytest.mark.parametrize("period", [4.0, 7.3, 50.0])
def test_a_tone_is_doubled_and_halved(kind, period):
    up, down = (part.double() for part in FILTERS[kind]())
    x, twice = tone(600, period), tone(1200, 2 * period)
    torch.testing.assert_close(up(x)[200:-200], twice[200:-200], atol=2e-3, rtol=0)
    torch.testing.assert_close(down(twice)[100:-100], x[100:-100], atol=2e-3, rtol=0)


@pytest.mark.parametrize("kind", FILTERS)
def test_what_lies_above_half_the_lower_rate_is_gone(kind):
    _, down = FILTERS[kind]()
    too_high = tone(1200, 3.0, torch.float32)
    assert down(too_high)[100:-100].abs().max() < 2e-3 < too_high.abs().max()


def test_the_half_band_filter_leaves_every_other_sample_as_it_is():
    up, _ = half_band()
    x = torch.randn(2, 3, 70)
    assert torch.equal(up(x)[..., ::2], x)


@pytest.mark.parametrize("zeros", [4, 56])
def test_the_half_band_filter_is_a_windowed_sinc(zeros):
    up, down = (part.double() for part in half_band(zeros))
    x = np.random.default_rng(0).standard_normal(41)
    t = np.arange(81) / 2
    distance = t[:, None] - np.arange(41)  # (outputs, inputs)
    weights = np.sinc(distance) * np.where(abs(distance) < zeros, 0.5 + 0.5 * np.cos(np.pi * distance / zeros), 0)
    np.testing.assert_allclose(up(torch.from_numpy(x))[:81].numpy(), weights @ x, atol=1e-6)
    back = np.arange(41)[:, None] - t  # half as many, each twice as far
    weights = np.sinc(back) * np.where(abs(back) < zeros, 0.5 + 0.5 * np.cos(np.pi * back / zeros), 0) / 2
    y = np.random.default_rng(1).standard_normal(81)
    np.testing.assert_allclose(down(torch.from_numpy(y)).numpy(), weights @ y, atol=1e-6)


@pytest.mark.parametrize("N", [1, 2, 9, 10, 99])
def test_lengths(N):
    for kind, rounded in ((half_band, (N + 1) // 2), (low_pass, N // 2)):
        up, down = kind()
        assert up(torch.ones(2, N)).shape == (2, 2 * N)
        if rounded:
            assert down(torch.ones(1, 2, N)).shape == (1, 2, rounded)


def test_a_constant_stays_a_constant_up_to_its_ends():
    up, down = low_pass()
    torch.testing.assert_close(up(torch.full((1, 9), 0.7)), torch.full((1, 18), 0.7))
    torch.testing.assert_close(down(torch.full((1, 9), 0.7)), torch.full((1, 4), 0.7))


@pytest.mark.parametrize("part", [0, 1])
def test_pieces_give_what_the_whole_gives(part):
    resampler = half_band(8)[part].double()
    x = torch.randn(2, 3, 101, dtype=torch.float64)
    held, found = x.new_zeros(2, 3, resampler.before), []
    for piece in [*x.split(17, dim=-1), x.new_zeros(2, 3, resampler.after)]:
        held = torch.cat([held, piece], dim=-1)
        made = resampler.ready(held.shape[-1])
        if made:
            found.append(resampler.valid(held))
            held = held[..., made // len(resampler.taps) * resampler.step :]
            assert found[-1].shape[-1] == made
    torch.testing.assert_close(torch.cat(found, -1), resampler(x))
