"""TasNet: counts and shapes of the paper, an independent computation, loudness, causality, silence."""

import pytest
import torch

from sepbook import shapes
from sepbook.architectures import create

SMALL = {"size": 6, "filters": 7, "units": 5, "layers": 2}


def parameters(module):
    return sum(p.numel() for p in module.parameters())


def test_paper_counts_and_shapes():
    system = create("tasnet", "paper")
    assert parameters(system) == 23_094_000
    ledger = shapes.trace(system.network, torch.zeros(1, 800, 500))
    assert [row.output for row in ledger.rows if row.kind == "RecurrentStack"] == [(1, 800, 1000)]
    assert system.network(torch.zeros(1, 3, 500)).shape == (1, 2, 3, 500)
    assert 3e7 < parameters(create("tasnet", "causal")) < 3.5e7


def lstm(x, weights, layer, back):
    """One direction of one layer, gate by gate, in float64."""
    end = f"l{layer}" + ("_reverse" if back else "")
    w, u, b, c = (
        weights[f"network.recurrent.layers.{k}_{end}"] for k in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    )
    h = cell = x.new_zeros(len(x), u.shape[1])
    out = [None] * x.shape[1]
    for t in range(x.shape[1])[:: -1 if back else 1]:
        i, f, g, o = (x[:, t] @ w.T + b + h @ u.T + c).chunk(4, -1)
        cell = f.sigmoid() * cell + i.sigmoid() * g.tanh()
        h = out[t] = o.sigmoid() * cell.tanh()
    return torch.stack(out, 1)


def reference(system, mixture):
    """The whole system once more, segment by segment, from the paper's equations 1 to 7."""
    weights, config, N = system.state_dict(), system.config, mixture.shape[-1]
    padded = torch.cat([mixture[:, 0], mixture.new_zeros(len(mixture), -N % config.size)], 1)
    segments = torch.stack(padded.split(config.size, 1), 1)  # (B, T, size)
    length = segments.square().sum(-1, keepdim=True).sqrt()
    x = segments / (length + 1e-8)
    code = (x @ weights["encoder.code.weight"].T).clamp_min(0) * torch.sigmoid(x @ weights["encoder.gate.weight"].T)
    mean, variance = code.mean(-1, keepdim=True), code.var(-1, correction=0, keepdim=True)
    h = (code - mean) / (variance + 1e-5).sqrt() * weights["network.norm.weight"] + weights["network.norm.bias"]
    for layer in range(config.layers):
        ways = (False, True) if config.bidirectional else (False,)
        h = torch.cat([lstm(h, weights, layer, back) for back in ways], -1)
    scores = h @ weights["network.masks.weight"].T + weights["network.masks.bias"]
    scores = scores.view(*scores.shape[:2], 2, config.filters)  # (B, T, S, K)
    masks = scores.softmax(2) if config.masks == "softmax" else scores.sigmoid()
    out = (masks * code[:, :, None]) @ weights["decoder.weight"].T * length[:, :, None]
    return out.permute(0, 2, 1, 3).flatten(2)[:, :, None, :N]


@pytest.mark.parametrize("samples", [1, 6, 30, 31, 35])
@pytest.mark.parametrize("changes", [{}, {"bidirectional": False}, {"masks": "sigmoid"}])
def test_equals_an_independent_computation(changes, samples):
    torch.manual_seed(0)
    system = create("tasnet", "paper", **SMALL, **changes).double().eval()
    with torch.no_grad():
        for weight in system.network.norm.parameters():
            weight.add_(0.3 * torch.randn_like(weight))
        mixture = torch.randn(2, 1, samples, dtype=torch.float64)
        torch.testing.assert_close(system(mixture), reference(system, mixture), atol=1e-10, rtol=1e-10)


@pytest.mark.parametrize("gain", [1e-3, 0.5, 30.0])
def test_twice_as_loud_is_separated_alike(gain):
    torch.manual_seed(0)
    system, mixture = create("tasnet", "tiny").double().eval(), torch.randn(1, 1, 500, dtype=torch.float64)
    with torch.no_grad():
        torch.testing.assert_close(system(gain * mixture), gain * system(mixture), atol=1e-6 * gain, rtol=1e-5)


def test_softmax_masks_add_up_to_the_code_of_the_mixture():
    torch.manual_seed(0)
    system, code = create("tasnet", "tiny").eval(), torch.rand(1, 5, 24)
    with torch.no_grad():
        torch.testing.assert_close(system.network(code).sum(1), torch.ones(1, 5, 24))


def test_the_causal_form_does_not_look_ahead():
    torch.manual_seed(0)
    system = create("tasnet", "causal", **SMALL).eval()
    mixture = torch.randn(1, 1, 120)
    changed = mixture.clone()
    changed[..., 60:] += 1
    with torch.no_grad():
        difference = (system(mixture) - system(changed)).abs()[0].amax((0, 1))
    assert not difference[:60].any() and difference[60:].any() and not system.whole
    assert create("tasnet", "tiny").whole


@pytest.mark.parametrize("C", [1, 2])
@pytest.mark.parametrize("samples", [1, 31, 32, 33, 500])
def test_silence_and_short_clips(C, samples):
    system = create("tasnet", "tiny", channels=C)
    sounds = torch.stack([torch.zeros(C, samples), torch.randn(C, samples)])
    sounds[1, :, : samples // 2] = 0  # a silent start: segments of length 0
    estimates = system(sounds)
    assert estimates.shape == (2, 2, C, samples) and not estimates[0].any() and torch.isfinite(estimates).all()
    system.loss(sounds, torch.stack([sounds, 0 * sounds], 1))["loss"].backward()
    assert all(torch.isfinite(p.grad).all() for p in system.parameters())


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="masks is 'relu'"):
        create("tasnet", "tiny", masks="relu")
