"""The autoregressive WaveNet: levels, chances that know the past alone, and samples drawn one at a time."""

import math

import numpy as np
import pytest
import torch

from sepbook.building_blocks.autoregression import LEVELS, AutoregressiveWaveNet, mu_law, mu_law_inverse
from sepbook.shapes.dims import ShapeError


def network(seed=0, **changes):
    torch.manual_seed(seed)
    return AutoregressiveWaveNet(**{"width": 6, "skip": 7, "blocks": 4, "levels": 16, **changes}).double()


def test_levels_are_those_of_telephony():
    samples = np.linspace(-1, 1, 1001)
    bent = np.sign(samples) * np.log(1 + 255 * abs(samples)) / math.log(256)
    expected = np.floor((bent + 1) / 2 * 255 + 0.5)
    assert mu_law(torch.from_numpy(samples)).tolist() == expected.tolist()
    assert mu_law(torch.tensor([-9.0, -1, 0, 1, 9])).tolist() == [0, 0, 128, 255, 255]


@pytest.mark.parametrize("levels", [2, 16, 256])
def test_every_level_comes_back(levels):
    codes = torch.arange(levels)
    samples = mu_law_inverse(codes, levels)
    assert torch.equal(mu_law(samples, levels), codes)
    assert samples[0] == -1 and samples[-1] == 1 and (samples.diff() > 0).all()
    torch.testing.assert_close(samples, -samples.flip(0))


def test_quiet_samples_keep_more():
    """The error grows with the sample, and is below 2.2 % of it, where it is not below -70 dB of full scale."""
    samples = torch.logspace(-4, 0, 2000, dtype=torch.float64)
    error = (mu_law_inverse(mu_law(samples)) - samples).abs()
    assert (error < 0.022 * samples + 1e-4).all()
    assert error[-500:].max() > 30 * error[:500].max()


def test_chances_know_the_past_alone():
    model, codes = network(), torch.randint(16, (2, 40))
    changed = codes.clone()
    changed[:, 20] = (codes[:, 20] + 1) % 16
    with torch.no_grad():
        moved = (model(codes) - model(changed)).abs().amax((0, 1)).nonzero()[:, 0]
    assert model.field == 2 + 1 + 2 + 4 + 8
    assert (moved[0].item(), moved[-1].item()) == (21, 20 + model.field)


def test_equals_an_independent_computation():
    """Sample by sample, from the paper's figure 4, in float64."""
    model, codes = network(2), torch.randint(16, (1, 25))
    weights = {name: value.numpy() for name, value in model.state_dict().items()}

    def taps(history, n, name, distance):
        w, b = weights[f"{name}.weight"], weights[f"{name}.bias"]
        before = history[n - distance] if n >= distance else np.zeros(w.shape[1])
        return w[..., 0] @ before + w[..., 1] @ history[n] + b

    past = [[] for _ in range(5)]  # what goes into each layer
    for n in range(25):
        past[0].append(np.eye(16)[8 if n == 0 else codes[0, n - 1]])
        x, total = taps(past[0], n, "first", 1), 0
        for i in range(4):
            past[i + 1].append(x)
            both = taps(past[i + 1], n, f"blocks.{i}.conv", 2**i)
            h = np.tanh(both[:6]) / (1 + np.exp(-both[6:]))
            out = weights[f"blocks.{i}.out.weight"][..., 0] @ h + weights[f"blocks.{i}.out.bias"]
            x, total = x + out[:6], total + out[6:]
        for layer in (1, 3):
            total = weights[f"final.{layer}.weight"][..., 0] @ np.maximum(total, 0) + weights[f"final.{layer}.bias"]
        torch.testing.assert_close(model(codes)[0, :, n].detach(), torch.from_numpy(total), atol=1e-12, rtol=1e-12)


def test_one_step_after_the_other_gives_the_chances_of_one_pass():
    model, codes = network(1, stacks=2), torch.randint(16, (3, 50))
    state, given = model.start(3), torch.cat([torch.full((3, 1), model.silence), codes[:, :-1]], 1)
    with torch.no_grad():
        expected = model(codes)
        for n in range(50):
            before = [queue.clone() for queue in state]
            after, logits = model.step(state, given[:, n])
            torch.testing.assert_close(logits, expected[..., n], atol=1e-12, rtol=1e-12)
            assert all(torch.equal(a, b) for a, b in zip(before, state, strict=True)), (
                "a state is never changed in place"
            )
            state = after


def test_sound_is_the_same_with_queues_and_without():
    model = network(3, levels=LEVELS).float()
    quick = model.generate(60, batch=2, seed=5)
    assert quick.shape == (2, 60) and quick.abs().max() <= 1
    assert torch.equal(quick, model.generate(60, batch=2, seed=5, queues=False))
    assert not torch.equal(quick, model.generate(60, batch=2, seed=6))
    assert not torch.equal(quick[0], quick[1])
    assert model.generate(0).shape == (1, 0)


def test_it_learns_what_follows_what():
    """A square wave is certain but for its first half-period: the surprise falls from 4 bits to almost none."""
    model, wave = network(0).float(), 0.8 * torch.tensor([1.0, 1, 1, -1, -1, -1]).repeat(2, 20)
    optimizer = torch.optim.Adam(model.parameters(), 0.02)
    first = model.loss(wave)
    assert abs(first.item() - 4) < 0.5
    for _ in range(60):
        optimizer.zero_grad()
        loss = model.loss(wave)
        loss.backward()
        optimizer.step()
    assert loss < 0.2
    drawn = model.generate(30, temperature=0.1)[0]
    levels = mu_law_inverse(mu_law(torch.tensor([-0.8, 0.8]), 16), 16)
    assert torch.isin(drawn, levels).all() and torch.equal(drawn[6:], drawn[:-6])


def test_cold_chances_are_the_likeliest():
    model = network(4).float()
    cold = model.generate(20, temperature=1e-4)
    with torch.no_grad():
        logits = model(mu_law(cold, 16))
    torch.testing.assert_close(mu_law_inverse(logits.argmax(1), 16), cold)


@pytest.mark.parametrize("temperature", [0, -1, float("nan")])
def test_no_temperature_is_refused(temperature):
    with pytest.raises(ValueError, match="temperature is .*; it must be above 0"):
        network().generate(1, temperature=temperature)


def test_wrong_input_is_refused_in_words():
    with pytest.raises(ShapeError, match=r"takes levels \(B, N\), whole numbers from mu_law"):
        network()(torch.zeros(2, 30))
    with pytest.raises(ShapeError, match=r"given \(30,\)"):
        network()(torch.zeros(30, dtype=torch.long))
    with pytest.raises(ValueError, match="mu_law expects samples"):
        mu_law(torch.arange(3))
