"""Wave-U-Net: counts and sizes of the paper, an independent computation, reach, context and padding, and bad input."""

import dataclasses

import numpy as np
import pytest
import torch

from sepbook import shapes
from sepbook.architectures import create, presets, recipe_of
from sepbook.architectures.wave_unet import PRESETS, Config, LearnedUpsample
from sepbook.building_blocks.convolution import middle

SMALL = {"levels": 3, "width": 3, "kernel": 5, "kernel_up": 3}


def parameters(module):
    return sum(p.numel() for p in module.parameters())


def scrambled(seed=0, preset="paper", **changes):
    """A little system in float64 whose biases and shares are not those of the start."""
    torch.manual_seed(seed)
    system = create("wave_unet", preset, **{**SMALL, **changes}).double().eval()
    with torch.no_grad():
        for weight in system.parameters():
            if weight.dim() == 1:
                weight.add_(0.3 * torch.randn_like(weight))
    return system


def convolved(x, weights, name, same):
    """A convolution (H, T) -> (H', T') from its definition; "same" puts zeros around, the odd one after."""
    w, b = weights[f"{name}.weight"], weights[f"{name}.bias"]
    if same:
        zeros = w.shape[-1] - 1
        x = np.pad(x, ((0, 0), (zeros // 2, zeros - zeros // 2)))
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[-1], axis=1)  # (H, T', taps)
    return np.einsum("htk,ohk->ot", windows, w) + b[:, None]


def enlarged(x, share, same):
    """Put a value between any two: `share` of the left one, the rest of the right one. Behind the last: see below."""
    after = np.concatenate([x[:, 1:], x[:, -1:] if share is None else 0 * x[:, -1:]], 1)  # legacy: the last is held
    share = np.full(len(x), 0.5) if share is None else 1 / (1 + np.exp(-share))
    y = np.empty((len(x), 2 * x.shape[1]))
    y[:, ::2], y[:, 1::2] = x, share[:, None] * x + (1 - share)[:, None] * after
    return y if same else y[:, :-1]


def cropped(x, length):
    start = (x.shape[1] - length) // 2
    return x[:, start : start + length]


def network_of(weights, config, x):
    """The network once more, one item (C, N), from the paper's algorithm and table 1."""

    def bend(h):
        return np.where(h > 0, h, config.leak * h)

    mixture, kept, same = x, [], not config.context
    for level in range(config.levels):
        x = bend(convolved(x, weights, f"network.down.{level}.conv", same))
        kept.append(x)
        x = x[:, ::2]
    x = bend(convolved(x, weights, "network.bottom", same))
    for level in range(config.levels):
        x = enlarged(x, weights.get(f"network.up.{level}.enlarge.weight"), same)
        x = np.concatenate([cropped(kept.pop(), x.shape[1]), x])
        x = bend(convolved(x, weights, f"network.up.{level}.conv", same))
    x = np.concatenate([cropped(mixture, x.shape[1]), x])
    last = {"tanh": np.tanh, "linear": lambda h: h, "leaky_relu": bend}[config.last]
    return last(convolved(x, weights, "network.out", same=False))


def reference(system, mixture):
    """The whole system once more: as many zeros as it takes are tried out, and the rest is a difference."""
    config, N = system.config, mixture.shape[-1]
    weights = {name: value.numpy() for name, value in system.state_dict().items()}
    items = []
    for item in mixture.numpy():  # (C, N)
        if config.context:
            before = system.context
            after = next(n for n in range(before, 10**5) if fits(config, before + N + n) >= N)
        else:
            before, after = 0, -N % 2**config.levels
        found = network_of(weights, config, np.pad(item, ((0, 0), (before, after))))[:, :N]
        found = found.reshape(-1, config.channels, N)
        if config.output == "difference" and len(config.source_names) > 1:
            found = np.concatenate([found, (item - found.sum(0)).clip(-1, 1)[None]])
        items.append(found)
    return torch.from_numpy(np.stack(items))


def fits(config, N):
    """How many samples come out of N, where all lengths are whole numbers; else 0."""
    for _ in range(config.levels):
        N = N - (config.kernel - 1)
        if N % 2 == 0:
            return 0
        N = (N + 1) // 2
    N = N - (config.kernel - 1)
    for _ in range(config.levels):
        N = 2 * N - 1 - (config.kernel_up - 1)
    return N


VARIANTS = {
    "m1": {"preset": "m1"},
    "m4": {"preset": "paper"},
    "m5": {"preset": "m5"},
    "m6": {"preset": "m6"},
    "learned, padded": {"preset": "m5", "context": False},
    "others": {"levels": 2, "kernel": 7, "kernel_up": 5, "last": "leaky_relu", "leak": 0.1},
    "even kernels": {"preset": "m1", "kernel": 4, "kernel_up": 2, "last": "linear", "output": "difference"},
    "one level": {"levels": 1, "last": "linear", "channels": 1},
}


@pytest.mark.parametrize("samples", [1, 2, 7, 8, 33, 40, 61])
@pytest.mark.parametrize("variant", VARIANTS)
def test_equals_an_independent_computation(variant, samples):
    system = scrambled(3, **VARIANTS[variant])
    mixture = torch.randn(2, system.channels, samples, dtype=torch.float64)
    with torch.no_grad():
        torch.testing.assert_close(system(mixture), reference(system, mixture), atol=1e-10, rtol=1e-10)


def test_paper_counts():
    """Stoller et al. 2018 has no counts; these are of the published code, variable by variable."""
    counts = {"m1": 10_263_028, "paper": 10_263_390, "m5": 10_265_550, "m6": 10_263_498}
    with torch.device("meta"):
        assert {preset: parameters(create("wave_unet", preset)) for preset in counts} == counts
        assert parameters(create("wave_unet", "m1", output="difference")) == 10_263_028 - 26  # one source less to make


def test_what_the_presets_are():
    """M4 has context, difference and stereo; M5 learns to interpolate, M6 knows four stems, M1 has none of these."""
    assert presets("wave_unet") == ("paper", "m1", "m5", "m6", "small", "tiny")
    assert dataclasses.asdict(PRESETS["paper"]) == dataclasses.asdict(Config()) == {
        "source_names": ("accompaniment", "vocals"), "sample_rate": 22050, "channels": 2, "levels": 12, "width": 24,
        "kernel": 15, "kernel_up": 5, "leak": 0.2, "context": True, "upsampling": "linear", "output": "difference",
        "last": "tanh", "loss": "mse",
    }  # fmt: skip
    differ = {
        preset: {field for field, value in dataclasses.asdict(PRESETS[preset]).items()
                 if value != getattr(Config(), field)}
        for preset in ("m1", "m5", "m6")
    }  # fmt: skip
    assert differ == {"m1": {"channels", "context", "output"}, "m5": {"upsampling"}, "m6": {"source_names"}}
    assert PRESETS["m6"].source_names[-1] == "vocals"  # the rest


def test_paper_sizes():
    """147,443 samples go in and 16,389 come out; all maps between as in the paper's table 1 with its kernels."""
    down = [147429, 73701, 36837, 18405, 9189, 4581, 2277, 1125, 549, 261, 117, 45]
    half = [73715, 36851, 18419, 9203, 4595, 2291, 1139, 563, 275, 131, 59, 23]
    up = [13, 21, 37, 69, 133, 261, 517, 1029, 2053, 4101, 8197, 16389]
    with torch.device("meta"):
        network = create("wave_unet", "paper").network
        assert network.sizes(16_384) == network.sizes(16_389) == (147_443, 16_389)
        assert network.sizes(1)[1] == 5 and network.sizes(16_390) == (147_443 + 4096, 16_389 + 4096)
        x, sizes = torch.zeros(1, 2, 147_443), []
        maps = []
        for block in network.down:
            keep, x = block(x)
            maps.append(keep)
            sizes.append((keep.shape[-1], x.shape[-1]))
        assert sizes == list(zip(down, half, strict=True))
        x = network.bottom(x)
        assert x.shape == (1, 312, 9)
        for block, size in zip(network.up, up, strict=True):
            x = block(x, maps.pop())
            assert x.shape[-1] == size
        assert network(torch.zeros(1, 2, 147_443)).shape == (1, 1, 2, 16_389)
        first = create("wave_unet", "m1").network
        assert first.sizes(16_384) == (16_384, 16_384) and first.sizes(16_385) == (20_480, 20_480)
        assert [block.conv.out_channels for block in first.down] == [24 * (level + 1) for level in range(12)]


def test_paper_costs():
    """Multiply-accumulates per second of what comes out: 15.3 G with context, 3.3 G without."""
    for preset, samples, costs in (("paper", 16_389, 15.3), ("m1", 16_384, 3.3)):
        with torch.device("meta"):
            system = create("wave_unet", preset)
            ledger = shapes.trace(system.network, torch.zeros(1, system.channels, system.network.sizes(samples)[0]))
        assert abs(ledger.macs * system.sample_rate / samples / 1e9 - costs) < 0.06


@pytest.mark.parametrize("context", [True, False])
def test_reach_is_what_one_sample_sees(context):
    """Send one output sample back, for each sample of a period: the widest is what the ledger says."""
    system = scrambled(1, context=context, channels=1)
    mixture = torch.randn(1, 1, 401, dtype=torch.float64, requires_grad=True)
    spans = []
    for place in range(200, 200 + system.stride):
        (found,) = torch.autograd.grad(system(mixture)[0, 0, 0, place], mixture)
        touched = found[0, 0].nonzero()[:, 0]
        spans.append((touched[-1] - touched[0] + 1).item())
    ledger = shapes.trace(system.float(), torch.zeros(1, 1, 400))
    assert max(spans) == ledger.calls[0].receptive_field


def test_the_paper_sees_six_seconds():
    """Measured on the paper's kernels and levels with fewer features: 65,527 samples on both sides, at least."""
    system = create("wave_unet", "paper", width=1, channels=1)
    assert system.context == (147_443 - 16_389) // 2 == 65_527
    mixture = torch.randn(1, 1, 2 * 65_527 + 4200, requires_grad=True)
    system.estimate(mixture, 65_527)[0, 0, 0, 2000].backward()
    touched = mixture.grad[0, 0].nonzero()[:, 0]
    assert 2 * 65_527 < touched[-1] - touched[0] + 1 <= 135_155


def test_context_cures_the_edges():
    """A clip from the middle of a long one gets the same answer if it has its context, and without it does not."""
    for context in (True, False):
        system = scrambled(2, context=context, channels=1)
        long = torch.randn(1, 1, 400, dtype=torch.float64)
        around, start = 48, 160
        with torch.no_grad():
            whole = system(long)[..., start : start + 80]
            bare = system(long[..., start : start + 80])
            wide = system(long[..., start - around : start + 80 + around])[..., around:-around]
        torch.testing.assert_close(wide, whole, atol=1e-12, rtol=0)
        error = (bare - whole).abs().amax((0, 1, 2))
        assert error[:4].max() > 1e-3 and error[-4:].max() > 1e-3 and error[38:42].max() < error.max() / 3


def test_decimation_folds_high_tones_down():
    """No filter stands before it: a tone above half the new rate comes out as a low one, as strong as before."""
    system = create("wave_unet", "m1", levels=1, width=1, kernel=1, kernel_up=1)
    with torch.no_grad():
        system.network.down[0].conv.weight.fill_(1.0)
        system.network.down[0].bend = torch.nn.Identity()
        time = torch.arange(400)
        _, half = system.network.down[0](torch.cos(2 * torch.pi * 0.45 * time)[None, None])
    torch.testing.assert_close(half[0, 0], torch.cos(2 * torch.pi * 0.05 * 2 * time[:200]), atol=1e-3, rtol=0)


def test_learned_interpolation_begins_with_lines_and_can_hold_either_neighbour():
    x = torch.tensor([[[1.0, 3, 0], [1, 3, 0]]])
    layer = LearnedUpsample(2)
    torch.testing.assert_close(layer(x)[0, 0], torch.tensor([1.0, 2, 3, 1.5, 0]))
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([40.0, -40.0]))
    torch.testing.assert_close(layer(x)[0], torch.tensor([[1.0, 1, 3, 3, 0], [1, 3, 3, 0, 0]]))
    assert LearnedUpsample(2, hold=True)(x)[0, 0].tolist() == [1, 2, 3, 1.5, 0, 0]
    assert middle(torch.arange(7), 3).tolist() == [2, 3, 4] and middle(torch.arange(7), 4).tolist() == [1, 2, 3, 4]


def test_estimates_add_up_to_the_mixture():
    system, mixture = scrambled(preset="m6"), 0.1 * torch.randn(2, 2, 90, dtype=torch.float64)
    assert system.network.out.out_channels == 3 * 2
    with torch.no_grad():
        torch.testing.assert_close(system.train()(mixture).sum(1), mixture)
        loud = system(20 * mixture)
        assert loud[:, -1].abs().max() > 1
        torch.testing.assert_close(system.eval()(20 * mixture)[:, -1], loud[:, -1].clamp(-1, 1))
    alone = scrambled(source_names=("vocals",))
    assert alone.network.out.out_channels == 2 and not torch.equal(alone(mixture)[:, 0], mixture)


def test_loss_compares_what_had_its_context():
    system, sources = scrambled(channels=1), torch.randn(2, 2, 1, 300, dtype=torch.float64)
    mixture, edge = sources.sum(1), system.context
    more = -edge % system.stride  # the bottom's values lie at multiples of the stride from the first that is compared
    estimates = system.train()(torch.nn.functional.pad(mixture, (more, 0)))[..., more:]
    inner = (estimates - sources)[..., edge:-edge]
    with torch.no_grad():
        torch.testing.assert_close(system.loss(mixture, sources)["loss"], inner.square().mean())
        system.config = dataclasses.replace(system.config, loss="l1")
        torch.testing.assert_close(system.loss(mixture, sources)["loss"], inner.abs().mean())
        short = slice(0, 2 * edge)  # nothing would be left: all of it is compared
        error = (system(mixture[..., short]) - sources[..., short]).abs().mean()
        torch.testing.assert_close(system.loss(mixture[..., short], sources[..., short])["loss"], error)
        padded = scrambled(preset="m1")
        error = (padded(mixture) - sources).square().mean()
        torch.testing.assert_close(padded.loss(mixture, sources)["loss"], error)


def test_recipes():
    """Adam, 1e-4, batches of 16; items as long as one pass of the network."""
    for preset, samples in (("paper", 147_443), ("m5", 147_443), ("m6", 147_443), ("m1", 16_384)):
        recipe = recipe_of("wave_unet", preset)
        assert round(recipe.seconds * 22050) == samples and (recipe.batch_size, recipe.learning_rate) == (16, 1e-4)
        assert recipe.task == ("songs" if preset == "m6" else "vocals")


@pytest.mark.parametrize("preset", ["paper", "m1", "m5", "m6"])
@pytest.mark.parametrize("samples", [1, 2, 15, 16, 17, 100])
def test_silence_and_short_clips(preset, samples):
    system = create("wave_unet", preset, **SMALL).eval()
    with torch.no_grad():
        silent = system(torch.zeros(1, system.channels, samples))
        loud = system(torch.randn(1, system.channels, samples))
    assert silent.shape == loud.shape == (1, len(system.source_names), system.channels, samples)
    assert not silent.any() and torch.isfinite(loud).all()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"upsampling": "cubic"}, "upsampling is 'cubic'; choose 'linear' or 'learned'"),
        ({"output": "mask"}, "output is 'mask'"),
        ({"last": "relu"}, "last is 'relu'"),
        ({"loss": "sdr"}, "loss is 'sdr'"),
        ({"kernel": 14}, "kernel is 14 and kernel_up 5; with context=True both must be odd"),
        ({"kernel_up": 4}, "kernel is 15 and kernel_up 4; with context=True both must be odd"),
    ],
)
def test_what_makes_no_sense_is_refused(changes, says):
    with pytest.raises(ValueError, match=says):
        create("wave_unet", "tiny", **changes)


def test_small_fits_the_shelf():
    with torch.device("meta"):
        assert 4 * parameters(create("wave_unet", "small")) <= 3.3e6
