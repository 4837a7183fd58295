"""Letters on PyTorch's own layers: from the modules around them, never from sizes, and never a wrong one."""

import pytest
import torch
from torch import nn

from sepbook import shapes
from tests.networks import NETWORKS, traced


class Around(nn.Module):
    """A module with dims around some layers."""

    def __init__(self, dims, function, **layers):
        super().__init__()
        self.dims, self.function = dims, function
        for name, layer in layers.items():
            self.add_module(name, layer)

    def forward(self, x):
        return self.function(self, x)


def letters(dims, shape, function, **layers):
    """Return what the ledger prints for the layers: 'input -> output' by name."""
    with torch.device("meta"):
        trace = shapes.trace(Around(dims, function, **layers).to("meta"), torch.zeros(shape))
    return {row.path: f"{row.inputs[0]} -> {row.outputs[0]}" for row in trace.unfolded().rows[1:]}


def in_turn(model, x):
    for layer in model.children():
        x = layer(x)
    return x


CHAINS = {
    "convolution on samples": (
        ("B C N -> B K T", (2, 1, 800), {"a": nn.Conv1d(1, 16, 20, 10, 5)}),
        {"a": "(B=2, C=1, N=800) -> (B=2, K=16, T=80)"},
    ),
    "the same, with a plain layer behind": (
        ("B C N -> B K T", (2, 1, 800), {"a": nn.Conv1d(1, 16, 20, 10, 5), "b": nn.Conv1d(16, 16, 3, padding=1)}),
        {"a": "(B=2, C=1, N=800) -> (B=2, H=16, T=80)", "b": "(B=2, H=16, T=80) -> (B=2, K=16, T=80)"},
    ),
    "convolution in the plane": (
        ("B C F T -> B H F' T'", (2, 1, 64, 40), {"a": nn.Conv2d(1, 8, 4, 2, 1), "b": nn.BatchNorm2d(8)}),
        {
            "a": "(B=2, C=1, F=64, T=40) -> (B=2, H=8, F'=32, T'=20)",
            "b": "(B=2, H=8, F'=32, T'=20) -> (B=2, H=8, F'=32, T'=20)",
        },
    ),
    "linear and recurrent": (
        (
            "B T F -> B T F",
            (2, 50, 65),
            {"a": nn.LayerNorm(65), "b": nn.Linear(65, 30), "c": nn.Linear(30, 30), "d": nn.Linear(30, 65)},
        ),
        {
            "a": "(B=2, T=50, F=65) -> (B=2, T=50, F=65)",
            "b": "(B=2, T=50, F=65) -> (B=2, T=50, H=30)",
            "c": "(B=2, T=50, H=30) -> (B=2, T=50, H=30)",
            "d": "(B=2, T=50, H=30) -> (B=2, T=50, F=65)",
        },
    ),
    "up again": (
        ("B H N -> B C N", (2, 4, 80), {"a": nn.Conv1d(4, 4, 4, 2, 1), "b": nn.ConvTranspose1d(4, 1, 4, 2, 1)}),
        {"a": "(B=2, H=4, N=80) -> (B=2, H=4, N'=40)", "b": "(B=2, H=4, N'=40) -> (B=2, C=1, N=80)"},
    ),
    "attention": (
        ("B T H -> B T H", (2, 9, 8), {"a": nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)}),
        {
            "a.self_attn": "(B=2, T=9, H=8) -> (B=2, T=9, H=8)",
            "a.linear1": "(B=2, T=9, H=8) -> (B=2, T=9, H'=16)",
            "a.linear2": "(B=2, T=9, H'=16) -> (B=2, T=9, H=8)",
            "a.norm1": "(B=2, T=9, H=8) -> (B=2, T=9, H=8)",
            "a.norm2": "(B=2, T=9, H=8) -> (B=2, T=9, H=8)",
        },
    ),
}


@pytest.mark.parametrize("chain", CHAINS)
def test_layers_take_their_letters_from_the_module_around_them(chain):
    (dims, shape, layers), expected = CHAINS[chain]
    assert letters(dims, shape, in_turn, **layers) == expected


def test_a_recurrent_layer_names_all_three_axes_on_every_device():
    for device in ("cpu", "meta"):
        model = Around("B F T -> B T H", lambda m, x: m.a(x.mT)[0], a=nn.LSTM(65, 20, batch_first=True)).to(device)
        row = shapes.trace(model, torch.zeros(2, 65, 50, device=device)).rows[1]
        assert f"{row.inputs[0]} -> {row.outputs[0]}" == "(B=2, T=50, F=65) -> (B=2, T=50, H=20)"


def test_tensors_side_by_side_grow_along_the_first_axis_where_none_is_named():
    def doubled(model, x):
        return model.b(torch.cat([model.a(x), x]))[:2]

    found = letters("B T F -> B T F", (2, 5, 4), doubled, a=nn.Linear(4, 4), b=nn.Linear(4, 4))
    assert found["b"] == "(B'=4, T=5, F=4) -> (B'=4, T=5, F=4)"


def test_merged_axes_print_as_products_and_come_apart_again():
    def heads(model, x):  # (B, C, F, T) -> (B, S, F, T)
        y = model.a(x.permute(0, 3, 1, 2).flatten(2))
        return model.b(y).unflatten(-1, (2, 65)).permute(0, 2, 3, 1)

    found = letters("B C F T -> B S F T", (3, 2, 65, 50), heads, a=nn.Linear(130, 16), b=nn.Linear(16, 130))
    assert found == {
        "a": "(B=3, T=50, (C F)=130) -> (B=3, T=50, H=16)",
        "b": "(B=3, T=50, H=16) -> (B=3, T=50, (S F)=130)",
    }
    folded = letters(
        "B S H T -> B S H T",
        (3, 2, 8, 50),
        lambda m, x: m.a(x.flatten(0, 1)).unflatten(0, (3, 2)),
        a=nn.Conv1d(8, 8, 3, padding=1),
    )
    assert folded == {"a": "((B S)=6, H=8, T=50) -> ((B S)=6, H=8, T=50)"}


E = 24  # one size for everything: whoever guesses by size is wrong
COUNTER = {
    "bins and frames of one size, turned": (
        ("B F T -> B F T", (2, E, E), lambda m, x: m.a(x.mT).mT, {"a": nn.Linear(E, E)}),
        "(B=2, T=24, F=24) -> (B=2, T=24, F=24)",
    ),
    "convolved over bins": (
        ("B F T -> B T F", (E, E, E), lambda m, x: m.a(x.mT), {"a": nn.Conv1d(E, E, 3, padding=1)}),
        "(B=24, T=24, F=24) -> (B=24, T=24, F=24)",
    ),
    "a picture and its mirror image added: neither F nor T": (
        ("B F T -> B N", (2, E, E), lambda m, x: m.a(x + x.mT)[..., 0], {"a": nn.Linear(E, E)}),
        "(B=2, N=24, 24) -> (B=2, N=24, H=24)",
    ),
    "a view that tears axes apart": (
        ("B F T -> B N", (2, E, E), lambda m, x: m.a(x.reshape(2, 18, 32))[..., 0], {"a": nn.Linear(32, 5)}),
        "(B=2, N=18, 32) -> (B=2, N=18, H=5)",
    ),
    "sorted along an axis": (
        ("B F T -> B F T", (2, E, E), lambda m, x: m.a(x.sort(1)[0]), {"a": nn.Identity()}),
        None,
    ),
    "frames that a matrix has mixed": (
        ("B F T -> B F H", (2, E, E), lambda m, x: m.a(x @ torch.ones(E, E)), {"a": nn.PReLU()}),
        "(B=2, F=24, H=24) -> (B=2, F=24, H=24)",
    ),
    "attention weights, T by T": (
        ("B T H -> B T H", (2, E, E), lambda m, x: m.a(x @ x.mT) @ x, {"a": nn.PReLU()}),
        "(B=2, T=24, T=24) -> (B=2, T=24, T=24)",
    ),
    "a module that calls one axis by two letters": (
        ("B F T -> B T F", (2, E, E), in_turn, {"a": nn.PReLU()}),
        "(B=2, 24, 24) -> (B=2, 24, 24)",
    ),
    "no module around declares anything": (
        (None, (2, E, E), in_turn, {"a": nn.Linear(E, E)}),
        "(2, 24, 24) -> (2, 24, 24)",
    ),
}


@pytest.mark.parametrize("case", COUNTER)
def test_no_letter_is_ever_guessed_from_a_size(case):
    (dims, shape, function, layers), expected = COUNTER[case]
    assert letters(dims, shape, function, **layers).get("a") == expected


def test_modules_that_use_other_letters_for_one_axis_each_see_their_own():
    inner = Around("B H T -> B H T", in_turn, conv=nn.Conv1d(3, 3, 3, padding=1))
    found = letters("B C T -> B C T", (2, 3, 9), in_turn, before=nn.PReLU(), inner=inner, after=nn.PReLU())
    assert found["before"] == "(B=2, C=3, T=9) -> (B=2, C=3, T=9)"
    assert found["inner.conv"] == "(B=2, H=3, T=9) -> (B=2, H=3, T=9)"
    assert found["after"] == "(B=2, C=3, T=9) -> (B=2, C=3, T=9)"


@pytest.mark.parametrize("name", ["unet", "conv_tasnet", "chimera", "per_target", "demucs", "residual"])
def sizes_of(*rows):
    """Return the size of each letter in some rows; each must have one size."""
    sizes = {}
    for row in rows:
        for shape in (*row.inputs, *row.outputs):
            for axis, size in shape.item.split(shape.sizes)[1] if shape.item else ():
                if axis.plain:
                    assert sizes.setdefault(axis.text, size) == size, (row.path, str(shape))
    return sizes


@pytest.mark.parametrize("name", NETWORKS)
def test_one_letter_has_one_size_in_a_row_and_in_the_module_that_declares_it(name):
    calls = traced(name).calls
    for row in calls:
        above = row
        while above.parent is not None and (above is row or above.kind in vars(nn) or above.inputs[0].item is None):
            above = calls[above.parent]
        assert sizes_of(row, above) if row.kind in vars(nn) else sizes_of(row) is not None
