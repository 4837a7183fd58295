"""Demucs: counts and lengths of both versions, an independent computation, first weights, what is refused."""

import dataclasses
import itertools

import numpy as np
import pytest
import torch

from sepbook import shapes
from sepbook.architectures import create, recipe_of
from sepbook.architectures.demucs import PRESETS, Config, valid_length
from sepbook.training import checkpoint
from tests.architectures.by_hand import compare, convolved, enlarged, gated, lstm

SMALL = {"width": 3, "depth": 2, "kernel": 4, "stride": 2}


def parameters(module):
    return sum(p.numel() for p in module.parameters())


def bare(preset, **changes):
    """A system that has shapes and no memory."""
    with torch.device("meta"):
        return create("demucs", preset, **changes)


def scrambled(preset="paper", **changes):
    """A little system in float64 whose biases do something."""
    torch.manual_seed(3)
    system = create("demucs", preset, **{**SMALL, **changes}).double().eval()
    with torch.no_grad():
        for name, weight in system.named_parameters():
            if name.endswith("bias"):
                weight.add_(0.3 * torch.randn_like(weight))
    return system


def network(system, x):
    """Encoder, LSTMs and decoder once more, `(C, N) -> (S·C, N')`, in NumPy."""
    config, weights = system.config, {k.removeprefix("network."): v.numpy() for k, v in system.state_dict().items()}

    def gate(x, name):
        if not config.pointwise:
            return x
        w, b = weights[f"{name}.gate.0.weight"], weights[f"{name}.gate.0.bias"]
        return gated(x, w, b) if config.glu else np.maximum(convolved(x, w, b), 0)

    maps = []
    for i in range(config.depth):
        w, b = weights[f"encoder.{i}.conv.weight"], weights[f"encoder.{i}.conv.bias"]
        x = gate(np.maximum(convolved(x, w, b, config.stride), 0), f"encoder.{i}")
        maps.append(x)
    for layer in range(config.layers if config.recurrent else 0):
        both = [lstm(x, weights, f"middle.layers.layers.*_l{layer}{way}") for way in ("", "_reverse")]
        x = np.concatenate(both)
    if config.recurrent:
        x = weights["middle.linear.weight"] @ x + weights["middle.linear.bias"][:, None]
    for i in range(config.depth):
        skip = maps.pop()
        first = (skip.shape[1] - x.shape[1]) // 2
        skip = skip[:, first : first + x.shape[1]]
        x = {"add": x + skip, "concat": np.concatenate([x, skip]), "none": x}[config.skips]
        x = gate(x, f"decoder.{i}")
        x = enlarged(x, weights[f"decoder.{i}.conv.weight"], weights[f"decoder.{i}.conv.bias"], config.stride)
        x = x if i == config.depth - 1 else np.maximum(x, 0)
    return x


def resampled(x, times, step):
    """The filter of julius, output by output: a windowed sinc around `times`, in samples of x; ends repeated."""
    out = np.zeros((len(x), len(times)))
    for i, time in enumerate(times):
        near = np.arange(int(time) - 60, int(time) + 61)
        t = np.clip((near - time) / step * 0.945, -24, 24)
        kernel = np.sinc(t) * np.cos(np.pi * t / 48) ** 2
        out[:, i] = x[:, near.clip(0, x.shape[1] - 1)] @ (kernel / kernel.sum())
    return out


def reference(system, mixture):
    """The whole system once more for a mixture `(C, N)`: `(S, C, N)`."""
    config, N = system.config, mixture.shape[1]
    zeros = system.valid_length(N) - N
    x = np.pad(mixture, ((0, 0), (zeros // 2, zeros - zeros // 2))) / (1 + config.shrink)
    x = resampled(x, np.arange(2 * x.shape[1]) / 2, 1) if config.resample == 2 else x
    x = network(system, x)
    x = resampled(x, np.arange(x.shape[1] // 2) * 2, 2) if config.resample == 2 else x
    first = (x.shape[1] - N) // 2
    return x[:, first : first + N].reshape(len(config.source_names), -1, N)


VARIANTS = {
    "version 1": {},
    "version 2": {"preset": "paper_v2"},
    "more blocks, another growth": {"depth": 3, "growth": 1.5, "kernel": 5, "channels": 1},
    "as published, but narrow": {"kernel": 8, "stride": 4, "source_names": ("a", "b")},
    "no gates, no LSTM": {"glu": False, "recurrent": False, "context": 1},
    "one convolution in a block": {"pointwise": False, "layers": 1},
    "skips joined": {"skips": "concat"},
    "no skips": {"skips": "none", "context": 5},
}


@pytest.mark.parametrize("samples", [1, 38, 45])
@pytest.mark.parametrize("variant", VARIANTS)
def test_equals_an_independent_computation(variant, samples):
    compare(scrambled(**VARIANTS[variant]), reference, samples)


def test_paper_counts():
    """Both versions; the first one also in the width that its code has unless told otherwise."""
    systems = [bare("paper"), bare("paper", width=64), bare("paper_v2")]
    assert [parameters(system) for system in systems] == [648_548_208, 265_679_496, 265_679_496]


LENGTHS = {  # input, what each block makes on the way down and up
    "paper": (451_924, [112_980, 28_244, 7060, 1764, 440, 109], [432, 1724, 6892, 27_564, 110_252, 441_004]),
    "paper_v2": (894_292, [223_572, 55_892, 13_972, 3492, 872, 217], [864, 3452, 13_804, 55_212, 220_844, 883_372]),
}


@pytest.mark.parametrize("preset", LENGTHS)
def test_paper_shapes_of_ten_seconds(preset):
    system, (given, down, up) = bare(preset, width=64), LENGTHS[preset]
    assert system.valid_length(441_000) * system.config.resample == given
    with torch.device("meta"):
        ledger = shapes.trace(system.network, torch.zeros(1, 2, given), unfold=True)
    for kind, lengths in (("EncoderBlock", down), ("DecoderBlock", up)):
        assert [row.output[-1] for row in ledger.calls if row.kind == kind] == lengths
    assert [row.output[1] for row in ledger.calls if row.kind == "EncoderBlock"] == [64 * 2**i for i in range(6)]
    assert ledger.calls[0].output == (1, 4, 2, up[-1])
    assert system.stride == 4096 // system.config.resample


@pytest.mark.parametrize(("kernel", "stride", "context"), [(8, 4, 3), (8, 4, 1), (5, 2, 3), (4, 4, 2), (7, 3, 5)])
def test_a_valid_length_leaves_nothing_over_and_is_the_smallest(kernel, stride, context):
    def up(length, depth):  # what comes out, or None where a kernel does not meet the end
        for _ in range(depth):
            if length < kernel or (length - kernel) % stride:
                return None
            length = shapes.conv_length(length, kernel, stride, explain=False)
        for _ in range(depth):
            if length < context:
                return None
            length = shapes.conv_length(length, context, explain=False)
            length = shapes.conv_length(length, kernel, stride, transposed=True, explain=False)
        return length

    for n, depth in itertools.product((1, 7, 60, 61, 62, 63, 64, 65), (1, 2, 3)):
        found = valid_length(n, depth, kernel, stride, context)
        assert up(found, depth) >= n and found >= n
        smaller = [length for length in range(n, found) if (up(length, depth) or 0) >= n]
        assert not smaller, f"{smaller} would do for {n}, {depth} blocks"


def test_first_weights_are_rescaled_half_way():
    plain, rescaled = (scrambled(rescale=deviation, width=24).network for deviation in (0.0, 0.1))
    deviations = []
    for a, b in zip(plain.modules(), rescaled.modules(), strict=True):
        if isinstance(a, torch.nn.Conv1d | torch.nn.ConvTranspose1d):
            torch.testing.assert_close(b.weight, a.weight / (a.weight.std() / 0.1) ** 0.5)
            torch.testing.assert_close(b.weight.std(), (0.1 * a.weight.std()) ** 0.5)
            deviations.append((a.weight.std().item(), b.weight.std().item()))
        elif isinstance(a, torch.nn.LSTM):
            assert torch.equal(a.weight_hh_l0, b.weight_hh_l0), "convolutions alone"
    far, near = (max(column) / min(column) for column in zip(*deviations, strict=True))
    assert len(deviations) == 8 and near == pytest.approx(far**0.5)
    layers = [create("demucs", "tiny", rescale=r).network.encoder[0].conv for r in (0.1, 0.2)]
    assert layers[1].bias.abs().max() > 0


def test_biases_are_rescaled_with_their_weights():
    torch.manual_seed(0)
    plain = create("demucs", "tiny", rescale=0.0).network.encoder[1].conv
    torch.manual_seed(0)
    rescaled = create("demucs", "tiny").network.encoder[1].conv
    torch.testing.assert_close(
        rescaled.bias / plain.bias, (rescaled.weight / plain.weight).flatten()[: len(plain.bias)]
    )


@pytest.mark.parametrize("preset", ["paper", "paper_v2"])
@pytest.mark.parametrize("samples", [1, 2, 7, 300])
def test_silence_and_short_clips(preset, samples):
    system = create("demucs", preset, width=8, depth=3).eval()
    with torch.no_grad():
        silent, loud = system(torch.zeros(1, 2, samples)), system(torch.randn(1, 2, samples))
    assert silent.shape == loud.shape == (1, 4, 2, samples)
    assert silent.isfinite().all() and loud.isfinite().all() and not torch.equal(silent, loud)


def test_each_part_can_be_taken_out():
    """Défossez et al. 2019 compare these; each has another number of parameters or another answer."""
    ablations = [{}, {"glu": False}, {"recurrent": False}, {"pointwise": False}, {"context": 1}, {"skips": "concat"}]
    counts = [parameters(bare("small", **changes)) for changes in ablations]
    assert len(set(counts)) == len(counts) and counts[-1] == max(counts)
    assert parameters(bare("small", skips="none")) == parameters(bare("small", rescale=0.0)) == counts[0]


def test_a_common_claim_the_skips_are_not_wave_u_nets():
    """They are added, so no block on the way up is wider for them; and a linear layer follows the LSTMs."""
    network, joined = bare("paper_v2").network, bare("paper_v2", skips="concat").network
    widths = [block.conv.out_channels for block in network.encoder[::-1]]
    assert widths == [2048, 1024, 512, 256, 128, 64]
    assert [block.gate[0].in_channels for block in network.decoder] == widths
    assert [block.gate[0].in_channels for block in joined.decoder] == [2 * H for H in widths]
    assert network.middle.linear.weight.shape == (2048, 4096)


@pytest.mark.parametrize("loss", ["l1", "mse"])
def test_the_loss_is_a_distance_of_waveforms(loss):
    system, sources = scrambled(loss=loss), torch.randn(2, 4, 2, 50, dtype=torch.float64)
    error = system(sources.sum(1)) - sources
    expected = error.abs().mean() if loss == "l1" else error.square().mean()
    torch.testing.assert_close(system.loss(sources.sum(1), sources)["loss"], expected)


def test_the_resampled_network_learns_through_both_filters():
    system = create("demucs", "paper_v2", width=2, depth=2)
    system(torch.randn(1, 2, 100)).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in system.network.encoder.parameters())
    assert not any("taps" in name for name in system.state_dict()), "the filters are not weights"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"skips": "multiply"}, "skips is 'multiply'"),
        ({"loss": "sdr"}, "loss is 'sdr'"),
        ({"resample": 3}, "resample is 3"),
        ({"kernel": 3}, "kernel is 3, stride 4"),
        ({"depth": 0}, "depth is 0"),
        ({"context": 0}, "context is 0"),
    ],
)
def test_what_makes_no_sense_is_refused(changes, says):
    with pytest.raises(ValueError, match=says):
        create("demucs", "tiny", **changes)


def test_small_fits_its_limit(tmp_path):
    path = tmp_path / "small.safetensors"
    checkpoint.save_weights(path, create("demucs", "small"), half=True)
    assert path.stat().st_size <= 8.5e6


def test_a_network_that_says_nothing_is_the_papers():
    assert dataclasses.asdict(PRESETS["paper"]) == dataclasses.asdict(Config())
    assert create("demucs", "tiny").whole
    for preset in ("paper", "paper_v2"):
        recipe = recipe_of("demucs", preset)
        assert (recipe.seconds, recipe.batch_size, recipe.learning_rate) == (10.0, 64, 3e-4)
