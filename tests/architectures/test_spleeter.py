"""Spleeter: counts and shapes as published, an independent computation, the Wiener option, and what is refused."""

import dataclasses
import importlib.util

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from sepbook import shapes
from sepbook.architectures import create, recipe_of
from sepbook.architectures.spleeter import PRESETS, Config, Stem
from tests.contracts import contract

LITTLE = {"n_fft": 64, "hop": 16, "sample_rate": 8000, "bins": 32, "segment": 16, "widths": (4, 6, 8)}


def parameters(module):
    return sum(p.numel() for p in module.parameters())


def trained(preset="paper", **changes):
    """A system in eval mode whose norms are not those of the start, and whose masks are not all one half."""
    torch.manual_seed(1)
    system = create("spleeter", preset, **changes).eval()
    for name, tensor in system.state_dict().items():
        if name.endswith("running_var"):
            tensor.copy_(torch.rand_like(tensor) + 0.5)
        elif tensor.is_floating_point():
            tensor.add_(0.1 * torch.randn_like(tensor))
    return system


def logits_of(weights, x, config):
    """One stem's U-Net in float64, written down from the published order of layers; sizes are multiples of 2^L."""

    def conv(x, name, pad, **options):
        x = functional.pad(x, (pad[0], pad[1], pad[0], pad[1]))
        return functional.conv2d(x, weights[f"{name}.weight"], weights[f"{name}.bias"], **options)

    def norm(x, name):
        mean, variance, scale, shift = (
            weights[f"{name}.{k}"].view(1, -1, 1, 1) for k in ("running_mean", "running_var", "weight", "bias")
        )
        return (x - mean) / (variance + 1e-3).sqrt() * scale + shift

    def bend(x, slope):
        return torch.where(x > 0, x, torch.expm1(x) if config.activation == "elu" else slope * x)

    def upward(x, name):
        wide = x.new_zeros(len(x), weights[f"{name}.weight"].shape[1], *(2 * size for size in x.shape[2:]))
        wide.requires_grad_()
        down = functional.conv2d(functional.pad(wide, (1, 2, 1, 2)), weights[f"{name}.weight"], stride=2)
        return torch.autograd.grad(down, wide, x)[0] + weights[f"{name}.bias"].view(1, -1, 1, 1)

    maps, L = [], len(config.widths)
    for i in range(L):
        x = conv(x if i == 0 else bend(norm(x, f"down.{i}.norm"), 0.2), f"down.{i}.conv", (1, 2), stride=2)
        maps.append(x)
    for i in range(L):
        x = x if i == 0 else torch.cat([maps[L - 1 - i], x], 1)
        x = norm(bend(upward(x, f"up.{i}.conv"), 0.0), f"up.{i}.norm")
    return conv(x, "last", (3, 3), dilation=2)


def frames_of(mixture, config):
    """Frames `(B, C, T, n_fft)`: a window of zeros in front, zeros at the end until each frame begins inside."""
    n_fft, hop = config.n_fft, config.hop
    x = functional.pad(mixture.double(), (n_fft, n_fft))
    T = -(-(mixture.shape[-1] + n_fft) // hop)
    return torch.stack([x[..., t * hop : t * hop + n_fft] for t in range(T)], 2)


def filtered(x, v, epsilon):
    """Shares, then one round of expectation and maximisation: x `(B, C, F, T)`, v `(B, S, C, F, T)`."""
    x, y = x.clone(), v / (epsilon + v.sum(1, keepdim=True)) * x[:, None]
    scale = (x.abs().amax((1, 2, 3)) / 10).clamp_min(1)
    x, y = x / scale.view(-1, 1, 1, 1), y / scale.view(-1, 1, 1, 1, 1)
    y = y.permute(0, 1, 3, 4, 2)  # (B, S, F, T, C)
    power = y.abs().square().mean(4)
    R = (y[..., None] * y[..., None, :].conj()).sum(3) / (epsilon + power.sum(3))[..., None, None]
    model = power[..., None, None] * R[:, :, :, None]  # (B, S, F, T, C, C)
    gain = model @ torch.linalg.inv(model.sum(1) + epsilon**0.5 * torch.eye(x.shape[1]))[:, None]
    found = (gain @ x.permute(0, 2, 3, 1)[:, None, ..., None])[..., 0]  # (B, S, F, T, C)
    return found.permute(0, 1, 4, 2, 3) * scale.view(-1, 1, 1, 1, 1)


def reference(system, mixture):
    """The whole system in float64: frames cut by hand, segments in a loop, overlap and add."""
    config, (B, C, N) = system.config, mixture.shape
    n_fft, hop, window = config.n_fft, config.hop, torch.hann_window(config.n_fft, dtype=torch.float64)
    bins = torch.fft.rfft(frames_of(mixture, config) * window).mT  # (B, C, F, T)
    T, F, S = bins.shape[-1], config.bins, len(config.source_names)
    estimates = torch.zeros(B, S, C, n_fft // 2 + 1, T, dtype=torch.float64)
    for begin in range(0, T, config.segment):
        x = bins[:, :, :F, begin : begin + config.segment].abs()
        x = functional.pad(x, (0, config.segment - x.shape[-1]))
        nets = ({k: v.double() for k, v in net.state_dict().items()} for net in system.networks.values())
        logits = torch.stack([logits_of(weights, x, config) for weights in nets], 1)
        masks = logits.sigmoid() if config.outputs == "sigmoid" else logits.exp() / logits.exp().sum(1, keepdim=True)
        estimates[:, :, :, :F, begin : begin + config.segment] = (masks * x[:, None])[..., : T - begin]
    if config.iterations:
        found = filtered(bins, estimates, 2**-23)
    else:
        shares = (estimates**2 + 1e-10 / S) / ((estimates**2).sum(1, keepdim=True) + 1e-10)
        shares[:, :, :, F:] = 0
        found = shares * bins[:, None]
    sound = torch.zeros(B, S, C, (T - 1) * hop + n_fft, dtype=torch.float64)
    for t in range(T):
        sound[..., t * hop : t * hop + n_fft] += torch.fft.irfft(found[..., t], n_fft) * window
    return sound[..., n_fft : n_fft + N] * 2 / 3  # the squared window, at a hop of a quarter, adds up to 3/2


VARIANTS = {
    "2stems": {"preset": "2stems"},
    "4stems": {"preset": "4stems"},
    "5stems": {"preset": "5stems"},
    "mono": {"preset": "4stems", "channels": 1},
    "wiener": {"preset": "4stems", "iterations": 1},
}


@pytest.mark.parametrize("N", [1, 200, 400, 401, 447])
@pytest.mark.parametrize("variant", VARIANTS)
def test_equals_an_independent_computation(variant, N):
    system = trained(**VARIANTS[variant], **LITTLE)
    mixture = 0.3 * torch.randn(2, system.channels, N, generator=torch.Generator().manual_seed(N))
    with torch.no_grad():
        found = system(mixture)
    torch.testing.assert_close(found.double(), reference(system, mixture).detach(), atol=1e-5, rtol=0)


@pytest.mark.skipif(importlib.util.find_spec("norbert") is None, reason="needs: pip install --no-deps norbert")
@pytest.mark.parametrize("level", [0.3, 30.0])
def test_the_wiener_option_equals_the_published_filter(level):
    import norbert

    system = trained(iterations=1, **LITTLE)
    bins = system.bins(level * torch.randn(1, 2, 500))
    with torch.no_grad():
        estimates = system.magnitudes(bins.abs())
        found = system.filtered(bins, estimates)[0].permute(3, 2, 1, 0).numpy()  # (T, F, C, S)
    v = functional.pad(estimates, (0, 0, 0, 1))[0].permute(3, 2, 1, 0).numpy()
    expected = norbert.wiener(v.copy(), bins[0].permute(2, 1, 0).numpy().copy())
    assert np.abs(found - expected).max() < 1e-5 * max(1.0, np.abs(expected).max())


def test_paper_counts():
    """Hennequin et al. 2020: a U-Net for each stem; the norm below the bottom is never used, so it is not built."""
    with torch.device("meta"):
        for preset, S in (("2stems", 2), ("4stems", 4), ("5stems", 5), ("paper", 4)):
            system = create("spleeter", preset)
            assert [parameters(network) for network in system.networks.values()] == [9_822_725] * S
        assert parameters(system) == 4 * 9_822_725


def test_paper_shapes():
    with torch.device("meta"):
        ledger = shapes.trace(Stem(PRESETS["paper"]), torch.zeros(1, 2, 1024, 512))
    sizes = [row.output[1:] for row in ledger.calls if row.kind in ("Down", "Up")]
    down = [(16, 512, 256), (32, 256, 128), (64, 128, 64), (128, 64, 32), (256, 32, 16), (512, 16, 8)]
    up = [(256, 32, 16), (128, 64, 32), (64, 128, 64), (32, 256, 128), (16, 512, 256), (1, 1024, 512)]
    assert sizes == down + up
    assert ledger.calls[0].output == (1, 2, 1024, 512)
    assert ledger.macs_per_second(44100, hop=1024) == pytest.approx(0.51e9, rel=0.01)  # of one stem


def test_presets_are_those_of_the_published_configurations():
    assert dataclasses.asdict(PRESETS["paper"]) == dataclasses.asdict(Config())
    assert PRESETS["2stems"] == Config(source_names=("vocals", "accompaniment"), activation="relu")
    five = ("vocals", "piano", "drums", "bass", "other")
    assert PRESETS["5stems"] == Config(source_names=five, outputs="softmax")
    steps = {name: recipe_of("spleeter", name).steps["full"] for name in ("2stems", "4stems", "5stems", "paper")}
    assert steps == {"2stems": 1_000_000, "4stems": 1_500_000, "5stems": 2_500_000, "paper": 1_500_000}
    recipe = recipe_of("spleeter", "paper")
    assert (recipe.optimizer, recipe.learning_rate, recipe.batch_size, recipe.schedule) == ("adam", 1e-4, 4, "constant")
    samples = round(recipe.seconds * 44100)
    assert -(-(samples + 4096) // 1024) == 512  # one segment


def test_layers_are_those_of_the_published_network():
    network = Stem(Config(widths=(4, 6, 8, 10, 12, 14), activation="relu"))
    assert isinstance(network.down[0].norm, nn.Identity) and isinstance(network.down[0].activation, nn.Identity)
    assert all(block.activation.negative_slope == 0.2 for block in network.down[1:])
    assert all(isinstance(block.activation, nn.ReLU) for block in network.up)
    assert [block.dropout.p for block in network.up] == [0.5] * 3 + [0.0] * 3
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    assert len(norms) == 11 and all(norm.eps == 1e-3 for norm in norms)
    weight = network.down[5].conv.weight
    bound = (6 / (12 * 25)) ** 0.5  # He, uniform: the root of 6 over the inputs of a number
    assert 0.95 * bound < weight.abs().max() <= bound
    assert not any(layer.bias.any() for layer in network.modules() if isinstance(layer, nn.Conv2d))


def test_small_is_small():
    with torch.device("meta"):
        assert 2 * parameters(create("spleeter", "small")) < 3.3e6  # bytes of 16-bit weights


def test_masks_share_the_mixture():
    system = trained("small", widths=(4, 6))
    mixture = torch.randn(2, 1, 5001)
    with torch.no_grad():
        magnitude = system.bins(mixture).abs()
        masks = system.shares(magnitude, system.magnitudes(magnitude))
    torch.testing.assert_close(masks[..., :512, :].sum(1), torch.ones_like(masks[:, 0, :, :512]))
    assert not masks[..., 512:, :].any()
    assert masks.max() > 0.3  # unlike each other


def test_one_stem_alone_is_not_handed_the_mixture():
    system, x = create("spleeter", "tiny", source_names=("vocals",), bins=129).eval(), torch.randn(1, 1, 4001)
    with torch.no_grad():
        system.networks["vocals"].last.weight.zero_()
        system.networks["vocals"].last.bias.fill_(torch.tensor(0.25).logit())  # every mask is a quarter
        for iterations in (0, 1):
            other = create("spleeter", "tiny", source_names=("vocals",), bins=129, iterations=iterations).eval()
            other.load_state_dict(system.state_dict())
            torch.testing.assert_close(other(x)[:, 0], x / 4, atol=1e-5, rtol=0)


def test_loss_is_the_distance_of_each_stems_magnitudes_added_up():
    system, sources = trained("tiny"), torch.randn(2, 4, 1, 4000)
    mixture = sources.sum(1)
    with torch.no_grad():
        found = system.magnitudes(system.bins(mixture).abs())
        costs = [(found[:, s] - system.bins(sources[:, s]).abs()[:, :, :128]).abs().mean() for s in range(4)]
        torch.testing.assert_close(system.loss(mixture, sources)["loss"], sum(costs))


def test_segments_do_not_hear_each_other():
    system = trained(**LITTLE)
    magnitude = torch.rand(1, 2, 33, 40)
    changed = magnitude.clone()
    changed[..., 20] = 3.0
    with torch.no_grad():
        moved = (system.magnitudes(magnitude) - system.magnitudes(changed)).abs().amax((0, 1, 2, 3))
    assert not moved[:16].any() and not moved[32:].any() and (moved[16:32] > 0).all()


def test_chunks_of_a_system_with_segments_equal_one_pass():
    system = trained("tiny", segment=16)
    contract.means_its_stride(system)
    contract.equals_its_chunks(system)
    assert create("spleeter", "tiny", iterations=1).whole and not system.whole


@pytest.mark.parametrize("preset", ["2stems", "4stems", "5stems"])
@pytest.mark.parametrize("N", [1, 15, 64, 300])
def test_silence_and_short_clips(preset, N):
    for iterations in (0, 1):
        system = create("spleeter", preset, iterations=iterations, **LITTLE).eval()
        with torch.no_grad():
            silent, loud = system(torch.zeros(1, 2, N)), system(torch.randn(1, 2, N))
        assert silent.shape == loud.shape == (1, len(system.source_names), 2, N)
        assert not silent.any() and torch.isfinite(loud).all()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"activation": "gelu"}, "activation is 'gelu'"),
        ({"outputs": "tanh"}, "outputs is 'tanh'"),
        ({"outputs": "softmax", "source_names": ("vocals",)}, "shares among stems, but there is one"),
        ({"segment": 12}, "segment is 12; it must be a multiple of 8"),
        ({"bins": 200}, "bins is 200, but n_fft=256 gives no more than 129"),
        ({"hop": 200}, "hop is 200; it must be no more than half of n_fft, 128"),
    ],
)
def test_what_makes_no_sense_is_refused(changes, says):
    with pytest.raises(ValueError, match=says):
        create("spleeter", "tiny", **changes)


def test_mono_and_stereo_are_refused_by_each_other():
    for given, made in ((1, 2), (2, 1)):
        with pytest.raises(ValueError, match=f"C={given} audio channels"):
            create("spleeter", "tiny", channels=made)(torch.randn(1, given, 4000))
