"""Conv-TasNet: counts, shapes and reach of the paper, an independent computation, causality, and what is refused."""

import dataclasses

import pytest
import torch
from torch.nn import functional

from sepbook import shapes
from sepbook.architectures import create, recipe_of
from sepbook.architectures.conv_tasnet import PRESETS, Config

SMALL = {"filters": 12, "size": 6, "narrow": 5, "skip": 4, "width": 7, "blocks": 3, "stacks": 2}


def parameters(module):
    return sum(p.numel() for p in module.parameters())


def scrambled(seed, **changes):
    """A little system in float64 whose norms and slopes are not those of the start."""
    torch.manual_seed(seed)
    system = create("conv_tasnet", "paper", **{**SMALL, **changes}).double().eval()
    with torch.no_grad():
        for name, weight in system.named_parameters():
            if name.endswith(("bias", "slope")) or "norm" in name:
                weight.add_(0.3 * torch.randn_like(weight))
    return system


def normalised(x, kind, weight, bias):
    """The three norms, written down from their definitions."""
    if kind == "global":
        mean, variance = x.mean((1, 2), keepdim=True), x.var((1, 2), correction=0, keepdim=True)
    elif kind == "frame":
        mean, variance = x.mean(1, keepdim=True), x.var(1, correction=0, keepdim=True)
    else:
        parts = [x[..., : t + 1] for t in range(x.shape[-1])]
        mean = torch.stack([p.mean((1, 2)) for p in parts], -1)[:, None]
        variance = torch.stack([p.var((1, 2), correction=0) for p in parts], -1)[:, None]
    return (x - mean) / (variance + 1e-8).sqrt() * weight[:, None] + bias[:, None]


def masks_of(weights, code, config):
    """The masks `(B, S, K, T)` of a code, from the paper's figure 1 (B and C), layer by layer."""

    def conv(x, name, **options):
        return functional.conv1d(x, weights[f"network.{name}.weight"], weights.get(f"network.{name}.bias"), **options)

    def norm(x, name, kind):
        return normalised(x, kind, weights[f"network.{name}.weight"], weights[f"network.{name}.bias"])

    def bend(x, name):
        return torch.where(x > 0, x, weights[f"network.{name}.slope"] * x)

    x, skips = conv(norm(code, "norm", config.first_norm or config.norm), "narrow"), 0
    for b in range(config.blocks * config.stacks):
        far, block = 2 ** (b % config.blocks), f"blocks.{b}"
        h = norm(bend(conv(x, f"{block}.widen.0"), f"{block}.widen.1"), f"{block}.widen.2", config.norm)
        reach = far * (config.kernel - 1)
        h = functional.pad(h, (reach, 0) if config.causal else (reach // 2, reach // 2))
        h = conv(h, f"{block}.along.0", dilation=far, groups=config.width)
        h = norm(bend(h, f"{block}.along.1"), f"{block}.along.2", config.norm)
        x = x + conv(h, f"{block}.out")
        skips = skips + conv(h, f"{block}.skip") if config.skip else skips
    x = conv(bend(skips, "bend"), "masks") if config.skip else conv(x, "masks")
    x = x.reshape(len(x), len(config.source_names), config.filters, -1)
    return {"sigmoid": torch.sigmoid, "relu": torch.relu, "softmax": lambda m: m.softmax(1)}[config.masks](x)


def reference(system, mixture):
    """The whole system once more: frames cut by hand, filters as a matrix, overlap and add in a loop."""
    config, weights = system.config, system.state_dict()
    size, hop, N = config.size, config.size // 2, mixture.shape[-1]
    if config.pad:
        rest = size - (hop + N % size) % size
        mixture = functional.pad(mixture, (hop, hop + rest))
    frames = mixture.unfold(-1, size, hop)  # (B, C, T, size)
    code = torch.einsum("bctn,kcn->bkt", frames, weights["encoder.weight"])
    code = code.clamp_min(0) if config.encoder == "relu" else code
    masked = masks_of(weights, code, config) * code[:, None]  # (B, S, K, T)
    out = mixture.new_zeros(*masked.shape[:2], config.channels, mixture.shape[-1])
    for t in range(masked.shape[-1]):
        out[..., t * hop : t * hop + size] += torch.einsum("bsk,kcn->bscn", masked[..., t], weights["decoder.weight"])
    return out[..., hop : hop + N] if config.pad else out


VARIANTS = {
    "paper": {},
    "causal": {"norm": "cumulative", "causal": True},
    "music": {
        "channels": 2, "source_names": tuple("abc"), "ordered": True, "skip": 0, "bias": False, "encoder": "relu",
        "masks": "relu", "first_norm": "frame", "pad": False, "loss": "l1",
    },
    "softmax": {"masks": "softmax", "encoder": "relu", "kernel": 5},
}  # fmt: skip


@pytest.mark.parametrize("samples", [1, 6, 40, 41, 45, 47])
@pytest.mark.parametrize("variant", VARIANTS)
def test_equals_an_independent_computation(variant, samples):
    system = scrambled(3, **VARIANTS[variant])
    samples = max(samples, 6) if not system.config.pad else samples
    mixture = torch.randn(2, system.channels, samples, dtype=torch.float64)
    with torch.no_grad():
        torch.testing.assert_close(system(mixture), reference(system, mixture), atol=1e-9, rtol=1e-9)


def test_paper_counts():
    """Luo and Mesgarani 2019, table II (5.1 M); the music version of Défossez et al. 2019."""
    assert [parameters(create("conv_tasnet", p)) for p in ("paper", "causal", "music")] == [5_050_545] * 2 + [
        10_977_872
    ]
    published = create("conv_tasnet", "music", channels=1, sample_rate=8000, blocks=8, source_names=("a", "b"))
    assert parameters(published) == 8_710_720  # of the first public code, with the music version's other sizes


def test_paper_shapes():
    system = create("conv_tasnet", "paper").eval()
    ledger = shapes.trace(system.network, torch.zeros(1, 512, 4001))
    blocks = [row for row in ledger.rows if row.kind == "Block"]
    assert sum(row.times for row in blocks) == 24
    assert {row.output for row in blocks} == {(1, 128, 4001)}
    assert system.network(torch.zeros(1, 512, 50)).shape == (1, 2, 512, 50)
    assert system.encode(torch.zeros(1, 1, 32_000)).shape == (1, 512, 4002)
    assert [b.along[0].dilation[0] for b in system.network.blocks] == [2**i for _ in range(3) for i in range(8)]


def test_the_paper_reaches_a_second_and_a_half():
    """Measured by sending one output sample back: 1.53 s at 8 kHz, as the paper says; norms are held still."""
    network = create("conv_tasnet", "paper", norm="frame", filters=8, narrow=4, skip=4, width=4)
    mixture = torch.randn(1, 1, 20_000, requires_grad=True)
    network(mixture)[0, 0, 0, 10_001].backward()
    touched = mixture.grad[0, 0].nonzero()[:, 0]
    reach = (touched[-1] - touched[0] + 1).item()
    assert abs(reach / 8000 - 1.53) < 0.01
    assert (
        abs(reach - (2 * 3 * 255 * 8 + 2 * 16)) <= 16
    )  # two taps, three stacks of 1 + 2 + … + 128 frames; two windows


@pytest.mark.parametrize("norm", ["cumulative", "frame"])
def test_the_causal_form_does_not_look_ahead(norm):
    system = scrambled(0, causal=True, norm=norm)
    mixture = torch.randn(1, 1, 200, dtype=torch.float64)
    changed = mixture.clone()
    changed[..., 120:] = 5.0
    with torch.no_grad():
        same = (
            system(mixture)[..., :115] - system(changed)[..., :115]
        )  # a frame of six samples looks at most five ahead
        after = system(mixture)[..., 120:] - system(changed)[..., 120:]
    assert same.abs().max() < 1e-12 < after.abs().max()


def test_the_global_form_does():
    system = scrambled(0)
    mixture = torch.randn(1, 1, 2000, dtype=torch.float64)
    changed = mixture.clone()
    changed[..., 1900:] = 5.0
    with torch.no_grad():
        assert (system(mixture) - system(changed))[..., :100].abs().max() > 1e-6


def test_any_order_of_talkers_costs_the_same():
    system, sources = scrambled(1), torch.randn(3, 2, 1, 90, dtype=torch.float64)
    mixture = sources.sum(1)
    cost = system.loss(mixture, sources)["loss"]
    torch.testing.assert_close(system.loss(mixture, sources.flip(1))["loss"], cost)
    ordered = scrambled(1, ordered=True)
    assert ordered.loss(mixture, sources)["loss"] >= cost
    assert ordered.loss(mixture, sources)["loss"] != ordered.loss(mixture, sources.flip(1))["loss"]


@pytest.mark.parametrize("preset", ["paper", "causal", "music"])
@pytest.mark.parametrize("samples", [1, 3, 15, 16, 17, 100])
def test_silence_and_short_clips(preset, samples):
    sizes = {k: v for k, v in SMALL.items() if k != "skip"}
    system = create("conv_tasnet", preset, **sizes).eval()
    with torch.no_grad():
        silent = system(torch.zeros(1, system.channels, samples))
        loud = system(torch.randn(1, system.channels, samples))
    assert silent.shape == loud.shape == (1, len(system.source_names), system.channels, samples)
    assert not silent.any() and torch.isfinite(loud).all()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"encoder": "prelu"}, "encoder is 'prelu'"),
        ({"masks": "tanh"}, "masks is 'tanh'"),
        ({"norm": "batch"}, "norm is 'batch'"),
        ({"first_norm": "none"}, "first_norm is 'none'"),
        ({"loss": "sdr"}, "loss is 'sdr'"),
        ({"size": 15}, "size is 15; it must be even"),
        ({"causal": True}, "causal=True needs norm='cumulative'"),
        ({"causal": True, "norm": "frame", "first_norm": "global"}, "causal=True needs"),
    ],
)
def test_what_makes_no_sense_is_refused(changes, says):
    with pytest.raises(ValueError, match=says):
        create("conv_tasnet", "tiny", **changes)


def test_a_network_that_says_nothing_is_the_papers():
    assert dataclasses.asdict(PRESETS["paper"]) == dataclasses.asdict(Config())
    assert recipe_of("conv_tasnet", "paper").seconds == 4.0
    assert recipe_of("conv_tasnet", "paper").schedule_options == {"patience": 3, "factor": 0.5}
