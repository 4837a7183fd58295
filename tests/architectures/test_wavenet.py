"""WaveNet: counts, costs and reach of the paper, an independent computation, longer targets, and bad input."""

import dataclasses

import pytest
import torch
from torch.nn import functional

from sepbook import shapes
from sepbook.architectures import create, presets, recipe_of
from sepbook.architectures.wavenet import PRESETS, Config

SMALL = {"stacks": 2, "blocks": 3, "width": 4, "skip": 5, "final": (7, 6)}


def parameters(module):
    return sum(p.numel() for p in module.parameters())


def little(seed=0, preset="paper", **changes):
    torch.manual_seed(seed)
    return create("wavenet", preset, **{**SMALL, **changes}).double().eval()


def same(x, weight, dilation=1):
    """A convolution (B, H, N) -> (B, H', N), tap by tap: shift, multiply, add. Zeros lie outside."""
    taps, y = weight.shape[-1], 0
    for tap in range(taps):
        shift = dilation * (tap - (taps - 1) // 2)
        moved = torch.zeros_like(x)
        N = x.shape[-1]
        if abs(shift) < N:
            moved[..., max(0, -shift) : N - max(0, shift)] = x[..., max(0, shift) : N - max(0, -shift)]
        y = y + torch.einsum("oh,bhn->bon", weight[..., tap], moved)
    return y


def reference(system, mixture, first=0, last=None):
    """The network once more, from sections 2 and 3 of the paper; skips are cut to first … last before the last layers.

    The last layers see zeros outside of that cut, as in the published code.
    """
    config, weights = system.config, system.state_dict()
    x, skips = same(mixture, weights["network.first.weight"]), 0
    for b in range(config.stacks * config.blocks):
        both = same(x, weights[f"network.blocks.{b}.conv.weight"], 2 ** (b % config.blocks))
        h = both[:, : config.width].tanh() / (1 + (-both[:, config.width :]).exp())
        out = same(h, weights[f"network.blocks.{b}.out.weight"])
        x, skips = x + out[:, : config.width], skips + out[:, config.width :][..., first:last]
    for layer in range(len(config.final)):
        skips = same(skips.clamp_min(0), weights[f"network.final.{2 * layer + 1}.weight"])
    found = same(skips, weights["network.out.weight"]) + weights["network.out.bias"][:, None]
    found = found.view(len(mixture), -1, config.channels, found.shape[-1])
    if config.output == "direct" or len(config.source_names) == 1:
        return found
    rest = mixture[..., first:last][:, None] - found.sum(1, keepdim=True)
    return torch.cat([found, rest], 1)


@pytest.mark.parametrize("samples", [1, 2, 7, 40, 41])
@pytest.mark.parametrize(
    "changes",
    [{}, {"preset": "voice"}, {"channels": 2, "kernel": 5, "final": (8,)}, {"output": "direct"},
     {"source_names": ("vocals",)}],
    ids=str,
)  # fmt: skip
def test_equals_an_independent_computation(changes, samples):
    system = little(3, **changes)
    mixture = torch.randn(2, system.channels, samples, dtype=torch.float64)
    with torch.no_grad():
        torch.testing.assert_close(system(mixture), reference(system, mixture), atol=1e-11, rtol=1e-11)


def test_paper_counts():
    with torch.device("meta"):
        system = create("wavenet", "paper")
        assert parameters(system) == 3_277_763
        assert parameters(create("wavenet", "voice")) == 3_277_249
        assert [block.conv.dilation[0] for block in system.network.blocks] == [2**i for i in range(10)] * 4
        biased = [name for name, _ in system.named_parameters() if name.endswith("bias")]
        assert biased == ["network.out.bias"]


def test_what_the_presets_are():
    assert presets("wavenet") == ("paper", "voice", "small", "tiny")
    assert dataclasses.asdict(PRESETS["paper"]) == dataclasses.asdict(Config()) == {
        "source_names": ("vocals", "drums", "bass", "other"), "sample_rate": 16000, "channels": 1, "stacks": 4,
        "blocks": 10, "width": 64, "skip": 64, "kernel": 3, "final": (2048, 256), "output": "difference",
        "loss": "l1", "apart": 0.0,
    }  # fmt: skip
    assert PRESETS["voice"] == Config(source_names=("vocals", "accompaniment"), apart=0.05)
    for preset, task in (("paper", "songs"), ("voice", "vocals")):
        recipe = recipe_of("wavenet", preset)
        assert (recipe.task, recipe.batch_size, recipe.learning_rate, recipe.schedule) == (task, 10, 1e-3, "constant")
        assert round(recipe.seconds * 16000) == 1601 + 2 * 4095


def test_the_paper_reaches_half_a_second():
    """Measured by sending one sample back. The dilated layers alone make 8185, as published; first and last add six."""
    torch.manual_seed(0)
    system = create("wavenet", "paper", width=2, skip=4, final=(8, 8)).double()  # the way from the ends is long
    mixture = torch.randn(1, 1, 9001, dtype=torch.float64, requires_grad=True)
    system.network(mixture)[0, 0, 0, 4500].backward()
    touched = mixture.grad[0, 0].nonzero()[:, 0]
    assert (touched[0].item(), touched[-1].item()) == (4500 - 4095, 4500 + 4095) and system.context == 4095
    dilated = [(3, 1, 2**i) for i in range(10)] * 4
    assert shapes.receptive_field(dilated, explain=False) == 8185 == 8191 - 2 * 3
    with torch.device("meta"):
        ledger = shapes.trace(create("wavenet", "paper"), torch.zeros(1, 1, 9000))
    assert ledger.calls[0].receptive_field == 8191


def costs(target):
    """Multiply-accumulates per second of target, in G, where an item is a target with its context."""
    with torch.device("meta"):
        network = create("wavenet", "paper").network
    ends = sum(parameters(layer) for layer in (network.final, network.out)) - 3
    blocks = sum(parameters(block) for block in network.blocks) + parameters(network.first)
    N, around = target + 2 * network.context, target + 2 * network.edge
    return (N * blocks + around * ends) / target * 16000 / 1e9


def test_paper_costs_and_what_longer_targets_save():
    """160 GMAC/s for the paper's targets of 1601 samples, 63 for a second."""
    assert [round(costs(target)) for target in (1601, 16_000)] == [160, 63]
    with torch.device("meta"):
        ledger = shapes.trace(create("wavenet", "paper"), torch.zeros(1, 1, 16_000))
    assert round(ledger.macs / 1e9, 1) == 52.4  # one pass over all: each sample goes through every layer once


@pytest.mark.parametrize("margin", [0, 1, 2, 3, 10])
def test_a_margin_changes_nothing_inside(margin):
    system, mixture = little(1), torch.randn(2, 1, 60, dtype=torch.float64)
    with torch.no_grad():
        whole = system.network(mixture)
        found = system.network(mixture, margin)
    assert found.shape[-1] == 60 - 2 * margin
    torch.testing.assert_close(found, whole[..., margin : 60 - margin], atol=1e-12, rtol=0)


def test_published_targets_agree_but_for_their_ends():
    """The published code cuts the skips to target and one sample around, so the last layers see zeros beyond."""
    system, context, target = little(2), 14, 21  # of the dilated layers: 2 · 2 · (1 + 2 + 4) / 2
    mixture = torch.randn(1, 1, target + 2 * context, dtype=torch.float64)
    with torch.no_grad():
        published = reference(system, mixture, context - 1, context + target + 1)[..., 1:-1]
        ours = system(mixture)[..., context:-context]
    torch.testing.assert_close(published[..., 1:-1], ours[..., 1:-1], atol=1e-12, rtol=0)
    assert (published - ours)[..., 0].abs().max() > 1e-6


def test_loss_compares_what_is_estimated():
    system, sources = little(), torch.randn(2, 4, 1, 90, dtype=torch.float64)
    mixture, edge = sources.sum(1), system.context
    with torch.no_grad():
        error = (system(mixture) - sources)[:, :3, ..., edge:-edge]  # "other" is not compared
        torch.testing.assert_close(system.loss(mixture, sources)["loss"], error.abs().mean())
        short = slice(0, 2 * edge)
        error = (system(mixture[..., short]) - sources[..., short])[:, :3]
        torch.testing.assert_close(system.loss(mixture[..., short], sources[..., short])["loss"], error.abs().mean())


def test_voices_are_kept_apart_from_what_accompanies_them():
    system, sources = little(preset="voice"), torch.randn(2, 2, 1, 90, dtype=torch.float64)
    mixture, inner = sources.sum(1), slice(system.context, -system.context)
    terms = system.loss(mixture, sources)
    voice = system(mixture)[:, 0, ..., inner]
    near, far = ((voice - sources[:, s, ..., inner]).abs().mean() for s in (0, 1))
    torch.testing.assert_close(terms["loss"], near - 0.05 * far)
    torch.testing.assert_close((terms["near"], terms["far"]), (near.detach(), far.detach()))


def test_estimates_add_up_to_the_mixture():
    system, mixture = little(channels=2), torch.randn(2, 2, 50, dtype=torch.float64)
    torch.testing.assert_close(system(mixture).sum(1), mixture)
    assert system.network.out.out_channels == 3 * 2


def test_it_looks_both_ways_as_far_as_it_says():
    system = little(5)
    mixture = torch.randn(1, 1, 100, dtype=torch.float64)
    changed = mixture.clone()
    changed[..., 50] += 1
    with torch.no_grad():
        moved = (system(mixture) - system(changed))[0, 0, 0].nonzero()[:, 0]
    assert (moved[0].item(), moved[-1].item()) == (50 - system.context, 50 + system.context)


@pytest.mark.parametrize("preset", ["paper", "voice"])
@pytest.mark.parametrize("samples", [1, 2, 3, 100])
def test_silence_and_short_clips(preset, samples):
    system = create("wavenet", preset, **SMALL).eval()
    with torch.no_grad():
        silent = system(torch.zeros(1, 1, samples))
        loud = system(torch.randn(1, 1, samples))
        louder = system(functional.pad(torch.full((1, 1, 1), 1e4), (0, samples - 1)))
    assert silent.shape == loud.shape == (1, len(system.source_names), 1, samples)
    torch.testing.assert_close(silent[:, :-1], system.network.out.bias.view(1, -1, 1, 1).expand(1, -1, 1, samples))
    assert torch.isfinite(loud).all() and torch.isfinite(louder).all()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"output": "mask"}, "output is 'mask'; choose 'difference' or 'direct'"),
        ({"loss": "sdr"}, "loss is 'sdr'"),
        ({"kernel": 2}, "kernel is 2; it must be odd"),
        ({"final": ()}, "final is"),
    ],
)
def test_what_makes_no_sense_is_refused(changes, says):
    with pytest.raises(ValueError, match=says):
        create("wavenet", "tiny", **changes)


def test_small_fits_the_shelf():
    with torch.device("meta"):
        assert 4 * parameters(create("wavenet", "small")) <= 3.3e6
