import dataclasses

import pytest
import torch
from torch import nn
from torch.nn import functional

from sepbook import shapes
from sepbook.architectures import create
from sepbook.architectures.unet import PRESETS, Config, DecoderBlock, EncoderBlock, UNet
from sepbook.building_blocks.convolution import same_padding


def parameters(module):
    return sum(p.numel() for p in module.parameters())


def test_a_u_net_that_says_nothing_is_the_papers():
    """Jansson et al. 2017, section 3: 8192 Hz, windows of 1024 with a hop of 768, kernels of 5, 16 to 512 features."""
    assert dataclasses.asdict(Config()) == {
        "source_names": ("vocals",), "sample_rate": 8192, "channels": 1, "n_fft": 1024, "hop": 768,
        "widths": (16, 32, 64, 128, 256, 512), "kernel": 5, "convolutions": 1, "leak": 0.2, "dropout": 0.5,
        "norm_epsilon": 1e-3, "init_std": 0.02, "masks": "sigmoid", "scale": "peak", "loss": "l1",
    }  # fmt: skip


def test_paper_counts():
    assert parameters(create("unet", "paper")) == 9_823_313
    for S, count in ((2, 9_824_114), (4, 9_825_716)):
        names = tuple(f"source_{i}" for i in range(S))
        assert parameters(create("unet", "paper", source_names=names)) == count


def test_paper_shapes_are_those_of_the_figure():
    network = UNet(PRESETS["paper"]).eval()
    ledger = shapes.trace(network, torch.zeros(1, 1, 512, 128))
    sizes = [row.output[1:] for row in ledger.rows if row.kind in ("EncoderBlock", "DecoderBlock")]
    down = [(16, 256, 64), (32, 128, 32), (64, 64, 16), (128, 32, 8), (256, 16, 4), (512, 8, 2)]
    up = [(256, 16, 4), (128, 32, 8), (64, 64, 16), (32, 128, 32), (16, 256, 64), (1, 512, 128)]
    assert sizes == down + up


def test_paper_recipe():
    network = UNet(PRESETS["paper"])
    assert all(isinstance(b.activation, nn.LeakyReLU) and b.activation.negative_slope == 0.2 for b in network.encoder)
    dropouts = [b.finish[2].p for b in network.decoder[:-1]]
    assert dropouts == [0.5, 0.5, 0.5, 0.0, 0.0]
    assert not any(isinstance(m, nn.Dropout) for m in network.encoder.modules())
    assert isinstance(network.decoder[-1].finish, nn.Identity)
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    assert len(norms) == 11 and all(n.eps == 1e-3 and n.momentum == 0.1 for n in norms)
    assert abs(network.encoder[5].conv.weight.std().item() - 0.02) < 1e-3


@pytest.mark.parametrize("size", range(1, 40))
def test_same_padding_halves_rounding_up(size):
    before, after = same_padding(size, 5, 2)
    assert (size + before + after - 5) // 2 + 1 == -(-size // 2)
    assert after - before in (0, 1)


def reference(network, x):
    """The network once more, written down from the paper, layer by layer, in float64."""
    weights = {k: v.double() if v.is_floating_point() else v for k, v in network.state_dict().items()}

    def norm(x, name):
        mean, variance, scale, shift = (
            weights[f"{name}.{k}"].view(1, -1, 1, 1) for k in ("running_mean", "running_var", "weight", "bias")
        )
        return (x - mean) / (variance + 1e-3).sqrt() * scale + shift

    maps, L = [], len(network.encoder)
    for i in range(L):
        x = functional.pad(x, (1, 2, 1, 2))  # even sizes only: one zero before, two after
        x = functional.conv2d(x, weights[f"encoder.{i}.conv.weight"], weights[f"encoder.{i}.conv.bias"], stride=2)
        x = norm(x, f"encoder.{i}.norm")
        x = torch.where(x > 0, x, 0.2 * x)
        maps.append(x)
    for i in range(L):
        if i > 0:
            x = torch.cat([x, maps[L - 1 - i]], 1)
        kernel, bias = weights[f"decoder.{i}.conv.weight"], weights[f"decoder.{i}.conv.bias"]
        B, _, F, T = x.shape
        wide = torch.zeros(B, kernel.shape[1], 2 * F, 2 * T, dtype=torch.float64, requires_grad=True)
        down = functional.conv2d(functional.pad(wide, (1, 2, 1, 2)), kernel, stride=2)  # its adjoint goes up
        x = torch.autograd.grad(down, wide, x)[0] + bias.view(1, -1, 1, 1)
        if i < L - 1:
            x = norm(x, f"decoder.{i}.finish.0").clamp_min(0)
    return torch.sigmoid(x)


@pytest.mark.parametrize("seed", [0, 1])
def test_equals_an_independent_computation(seed):
    torch.manual_seed(seed)
    network = UNet(Config(widths=(4, 6, 8, 10))).eval()
    for name, tensor in network.state_dict().items():  # running statistics as after training
        if name.endswith(("running_mean", "norm.bias", "norm.weight")):
            tensor.add_(torch.randn_like(tensor) * 0.3)
        if name.endswith("running_var"):
            tensor.mul_(torch.rand_like(tensor) + 0.2)
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, std=0.2)
    x = torch.rand(2, 1, 64, 32)
    expected = reference(network, x.double())
    torch.testing.assert_close(network(x)[:, 0].double(), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("size", [(512, 128), (512, 1), (37, 53), (1, 1), (513, 189)])
def test_any_size_comes_back(size):
    network = UNet(PRESETS["small"]).eval()
    with torch.no_grad():
        masks = network(torch.rand(1, 1, *size))
    assert masks.shape == (1, 4, 1, *size)
    assert masks.min() >= 0 and masks.max() <= 1


def test_blocks_halve_and_double():
    config = PRESETS["paper"]
    assert EncoderBlock(1, 3, config)(torch.rand(1, 1, 7, 8)).shape == (1, 3, 4, 4)
    assert DecoderBlock(3, 1, config)(torch.rand(1, 3, 4, 4)).shape == (1, 1, 8, 8)
    deeper = EncoderBlock(1, 3, Config(convolutions=3))
    assert deeper(torch.rand(2, 1, 8, 8)).shape == (2, 3, 4, 4)
    assert sum(isinstance(m, nn.Conv2d) for m in deeper.modules()) == 3


@pytest.mark.parametrize("count", [1, 2, 3])
def test_every_further_convolution_has_its_norm_and_its_activation(count):
    block = EncoderBlock(2, 3, Config(convolutions=count, leak=0.3, norm_epsilon=0.01, kernel=3))
    layers = [block.conv, block.norm, block.activation, *block.more]
    assert len(layers) == 3 * count
    for conv, norm, activation in zip(layers[::3], layers[1::3], layers[2::3], strict=True):
        assert isinstance(conv, nn.Conv2d) and conv.kernel_size == (3, 3)
        assert isinstance(norm, nn.BatchNorm2d) and norm.eps == 0.01
        assert isinstance(activation, nn.LeakyReLU) and activation.negative_slope == 0.3


def test_source_slots_are_blocks_of_channels():
    network = UNet(Config(source_names=("a", "b"), channels=2, widths=(4, 8))).eval()
    masks = network(torch.rand(1, 2, 16, 16))
    assert masks.shape == (1, 2, 2, 16, 16)
    with torch.no_grad():
        network.decoder[-1].conv.bias[2:] = -50.0  # channels 2 and 3 belong to source 1
    masks = network(torch.rand(1, 2, 16, 16))
    assert masks[:, 1].max() < 1e-6 < masks[:, 0].min()


def test_estimates_are_masked_mixtures():
    system = create("unet", widths=(4, 8), masks="sigmoid").eval()
    with torch.no_grad():
        system.network.decoder[-1].conv.weight.zero_()
        system.network.decoder[-1].conv.bias.fill_(50.0)  # every sigmoid is one
    mixture = torch.randn(1, 1, 5001)
    estimates = system(mixture)
    torch.testing.assert_close(estimates, mixture.unsqueeze(1).expand(1, 4, 1, 5001), atol=1e-5, rtol=0)


def test_the_highest_bin_takes_the_mask_of_the_bin_below_it():
    system = create("unet", widths=(4, 8)).eval()
    magnitude = torch.rand(2, 1, 513, 20) * torch.linspace(1, 5, 513)[:, None]  # (B, C, F, T), unlike at every bin
    with torch.no_grad():
        masks = system.masks(magnitude)  # (B, S, C, F, T)
        below = system.network(magnitude[:, :, :-1].log1p())
    assert torch.equal(masks[..., :-1, :], below)
    assert torch.equal(masks[..., -1, :], below[..., -1, :])
    assert not torch.allclose(masks[..., -1, :], below[..., 0, :], atol=1e-3)


def test_paper_input_is_scaled_to_its_peak():
    system = create("unet", "paper", widths=(4, 8)).eval()
    mixture = torch.randn(1, 1, 9000)
    torch.testing.assert_close(system(mixture * 8) / 8, system(mixture), atol=1e-5, rtol=1e-4)


def test_loss_is_the_distance_of_masked_magnitudes():
    system = create("unet", widths=(4, 8)).eval()
    sources = torch.randn(2, 4, 1, 4000)
    mixture = sources.sum(1)
    with torch.no_grad():
        magnitude = system.stft(mixture).abs()
        target = torch.stack([system.stft(sources[:, s]).abs() for s in range(4)], 1)
        error = system.masks(magnitude) * magnitude[:, None] - target
        squared = create("unet", widths=(4, 8), loss="mse").eval()
        squared.load_state_dict(system.state_dict())
        torch.testing.assert_close(system.loss(mixture, sources)["loss"], error.abs().mean())
        torch.testing.assert_close(squared.loss(mixture, sources)["loss"], error.square().mean())


def test_softmax_masks_share_every_point():
    system = create("unet", widths=(4, 8)).eval()
    assert system.config.masks == "softmax"
    mixture = torch.randn(2, 1, 5001)
    masks = system.masks(system.stft(mixture).abs())
    torch.testing.assert_close(masks.sum(1), torch.ones_like(masks[:, 0]))
    torch.testing.assert_close(system(mixture).sum(1), mixture, atol=1e-5, rtol=0)
