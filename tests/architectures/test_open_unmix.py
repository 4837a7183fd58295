"""Open-Unmix: counts, an independent computation, the published package, statistics, and what is refused."""

import dataclasses
import importlib.util
import sys
import types

import pytest
import torch

from sepbook import shapes
from sepbook.architectures import create, recipe_of
from sepbook.architectures.open_unmix import PRESETS, Config, Target

LITTLE = {"n_fft": 64, "hop": 16, "sample_rate": 8000, "bandwidth": 3000, "hidden": 6, "layers": 2, "window": 7}


def parameters(module):
    return sum(p.numel() for p in module.parameters())


def test_paper_counts():
    with torch.device("meta"):
        network = Target(PRESETS["paper"])
    assert parameters(network) == 8_893_348 and network.crop == 1487
    with torch.device("meta"):
        one_way = create("open_unmix", "paper", source_names=("vocals",), bidirectional=False)
    assert parameters(one_way) == 10_466_212


def trained(preset="paper", **changes):
    """A system in eval mode whose statistics, scales and norms are not those of the start."""
    torch.manual_seed(2)
    system = create("open_unmix", preset, **changes).eval()
    for name, tensor in system.state_dict().items():
        if name.endswith("running_var"):
            tensor.copy_(torch.rand_like(tensor) + 0.5)
        elif tensor.is_floating_point() and ".lstm." not in name:
            tensor.add_(0.1 * torch.randn_like(tensor))
    return system


def recurrent(weights, x, layers, hidden):
    """The LSTM once more, gate by gate: `(T, B, H)`, both directions."""
    for layer in range(layers):
        ways = []
        for way, frames in (("", range(len(x))), ("_reverse", range(len(x) - 1, -1, -1))):
            w_x, w_h, b_x, b_h = (
                weights[f"lstm.{k}_l{layer}{way}"] for k in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            )
            h = c = x.new_zeros(x.shape[1], hidden)
            out = [None] * len(x)
            for t in frames:
                i, f, g, o = (x[t] @ w_x.T + b_x + h @ w_h.T + b_h).chunk(4, 1)
                c = f.sigmoid() * c + i.sigmoid() * g.tanh()
                h = out[t] = o.sigmoid() * c.tanh()
            ways.append(torch.stack(out))
        x = torch.cat(ways, 2)
    return x


def magnitude_of(weights, magnitude, layers, hidden):
    """One target's magnitudes, in float64, from the paper's figure: `(B, C, F, T)` to the same."""
    B, C, F, T = magnitude.shape

    def norm(x, name):
        mean, variance, scale, shift = (
            weights[f"{name}.{k}"] for k in ("running_mean", "running_var", "weight", "bias")
        )
        return (x - mean) / (variance + 1e-5).sqrt() * scale + shift

    crop = len(weights["input_mean"])
    x = magnitude[:, :, :crop].permute(3, 0, 1, 2)  # (T, B, C, F)
    x = ((x + weights["input_mean"]) * weights["input_scale"]).reshape(T, B, C * crop)
    x = norm(x @ weights["fc1.weight"].T, "bn1").tanh()
    x = torch.cat([x, recurrent(weights, x, layers, hidden)], 2)
    x = norm(x @ weights["fc2.weight"].T, "bn2").clamp_min(0)
    x = norm(x @ weights["fc3.weight"].T, "bn3").reshape(T, B, C, F)
    return (x * weights["output_scale"] + weights["output_mean"]).clamp_min(0).permute(1, 2, 3, 0) * magnitude


def refined(x, y):
    """One round of expectation and maximisation, with explicit inverses: x `(B, C, F, T)`, y `(B, S, C, F, T)`."""
    scale = (x.abs().amax((1, 2, 3)) / 10).clamp_min(1)
    x, y = x / scale.view(-1, 1, 1, 1), y / scale.view(-1, 1, 1, 1, 1)
    power = y.abs().square().mean(2)  # (B, S, F, T)
    outer = y.permute(0, 1, 3, 4, 2)[..., None] * y.permute(0, 1, 3, 4, 2)[..., None, :].conj()  # (B, S, F, T, C, C)
    R = outer.sum(3) / (1e-10 + power.sum(3))[..., None, None]  # (B, S, F, C, C)
    model = power[..., None, None] * R[:, :, :, None]  # (B, S, F, T, C, C)
    total = model.sum(1) + 1e-5 * torch.eye(x.shape[1])
    gain = model @ torch.linalg.inv(total)[:, None]
    found = gain @ x.permute(0, 2, 3, 1)[:, None, ..., None]  # (B, S, F, T, C, 1)
    return found[..., 0].permute(0, 1, 4, 2, 3) * scale.view(-1, 1, 1, 1, 1)


def reference(system, mixture):
    """The whole system once more, in float64: its transforms are PyTorch's, centred and mirrored."""
    config, (B, C, N) = system.config, mixture.shape
    n_fft, hop, window = config.n_fft, config.hop, torch.hann_window(config.n_fft, dtype=torch.float64)
    x = torch.stft(mixture.double().flatten(0, 1), n_fft, hop, window=window, pad_mode="reflect", return_complex=True)
    x = x.unflatten(0, (B, C))
    found = []
    for network in system.networks.values():
        weights = {k: v.double() for k, v in network.state_dict().items()}
        found.append(magnitude_of(weights, x.abs(), config.layers, config.hidden // 2))
    y = torch.stack(found, 1) * torch.exp(1j * x.angle())[:, None]
    parts = zip(x.split(config.window, 3), y.split(config.window, 4), strict=True)
    y = torch.cat([refined(*part) for part in parts], 4)
    return torch.istft(y.flatten(0, 2), n_fft, hop, window=window, length=N).view(B, -1, C, N)


@pytest.mark.parametrize("N", [400, 401, 415, 416])
@pytest.mark.parametrize("C", [1, 2])
def test_equals_an_independent_computation(C, N):
    system = trained(channels=C, **LITTLE)
    mixture = torch.randn(2, C, N, generator=torch.Generator().manual_seed(N))
    with torch.no_grad():
        torch.testing.assert_close(system(mixture).double(), reference(system, mixture), atol=1e-5, rtol=0)


@pytest.mark.skipif(importlib.util.find_spec("openunmix") is None, reason="needs: pip install --no-deps openunmix")
@pytest.mark.parametrize("N", [24_000, 24_001])
def test_equals_the_published_package(monkeypatch, N):
    """The same random weights and statistics in both, the paper's sizes, all four targets and the Wiener filter."""
    if importlib.util.find_spec("torchaudio") is None:  # imported by the package, not used for this
        monkeypatch.setitem(sys.modules, "torchaudio", types.ModuleType("torchaudio"))
    from openunmix.model import OpenUnmix, Separator

    system, theirs = trained(), {}
    for name, network in system.networks.items():
        theirs[name] = OpenUnmix(nb_bins=2049, nb_channels=2, hidden_size=512, max_bin=network.crop)
        theirs[name].load_state_dict(network.state_dict())
    published = Separator(theirs, niter=1).eval()
    mixture = 0.3 * torch.randn(1, 2, N, generator=torch.Generator().manual_seed(N))
    with torch.no_grad():
        torch.testing.assert_close(system(mixture), published(mixture), atol=1e-5, rtol=0)


def test_a_network_that_says_nothing_is_the_papers():
    assert dataclasses.asdict(PRESETS["paper"]) == dataclasses.asdict(Config())
    recipe = recipe_of("open_unmix", "paper")
    assert (recipe.seconds, recipe.batch_size, recipe.weight_decay, recipe.learning_rate) == (6.0, 16, 1e-5, 1e-3)


def test_paper_shapes():
    with torch.device("meta"):
        ledger = shapes.trace(Target(PRESETS["paper"]), torch.zeros(1, 2, 2049, 255))
    outputs = [row.output for row in ledger.calls]
    assert outputs[0] == (1, 2, 2049, 255)
    assert ledger.macs_per_second(44100, hop=1024) == pytest.approx(0.38e9, rel=0.01)  # of one target
    assert {(255, 512), (255, 1, 512), (255, 4098)} <= set(outputs)


def test_small_is_small():
    with torch.device("meta"):
        assert 2 * parameters(create("open_unmix", "small")) < 3.3e6  # bytes of 16-bit weights


def test_one_source_alone_is_not_handed_the_mixture():
    system, x = create("open_unmix", "tiny", source_names=("vocals",)).eval(), torch.randn(1, 1, 4000)
    with torch.no_grad():
        system.networks["vocals"].output_scale.zero_()
        system.networks["vocals"].output_mean.fill_(0.25)  # every mask is a quarter
        torch.testing.assert_close(system(x)[:, 0], x / 4, atol=1e-5, rtol=0)


@pytest.mark.parametrize("N", [1, 100, 128, 129, 4000, 4001])
def test_any_length_comes_back(N):
    system = create("open_unmix", "tiny", channels=2).eval()
    with torch.no_grad():
        assert system(torch.randn(2, 2, N)).shape == (2, 4, 2, N)
        assert system(torch.zeros(1, 2, N)).abs().max() == 0


@pytest.mark.parametrize("N", [4000, 4001, 4031])
def test_frames_are_those_of_a_mirrored_signal(N):
    system, x = create("open_unmix", "tiny"), torch.randn(1, 1, N)
    window = torch.hann_window(256)
    expected = torch.stft(x[0], 256, 64, window=window, center=True, pad_mode="reflect", return_complex=True)
    torch.testing.assert_close(system.bins(x)[0], expected, atol=1e-5, rtol=0)


def test_statistics_shift_and_scale_the_input():
    system, x = create("open_unmix", "tiny"), torch.randn(4, 1, 4000)
    system.prepare([{"mixture": x[:2]}, {"mixture": x[2:]}])
    network = system.networks["bass"]
    y = (system.bins(x).abs()[:, 0].mT + network.input_mean) * network.input_scale  # (B, T, F)
    torch.testing.assert_close(y.mean((0, 1)), torch.zeros(129), atol=1e-4, rtol=0)
    torch.testing.assert_close(y.std((0, 1), correction=0), torch.ones(129), atol=1e-3, rtol=0)


def test_mono_and_stereo_are_refused_by_each_other():
    for given, made in ((1, 2), (2, 1)):
        with pytest.raises(ValueError, match=f"C={given} audio channels"):
            create("open_unmix", "tiny", channels=made)(torch.randn(1, given, 4000))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"hidden": 7}, "hidden is 7; it must be even"),
        ({"n_fft": 192}, "n_fft is 192; it must be a multiple of twice the hop, 128"),
    ],
)
def test_what_makes_no_sense_is_refused(changes, says):
    with pytest.raises(ValueError, match=says):
        create("open_unmix", "tiny", **changes)
