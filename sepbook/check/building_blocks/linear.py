"""Checks for the lab on fully connected layers: slopes, heads, a bug. Taught on: book/building_blocks/linear."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from sepbook.building_blocks.linear import linear_backward, split_sources
from sepbook.check import (
    CheckFailure,
    call,
    exercise,
    expect_gradient,
    expect_parts,
    expect_sizes,
    expect_values,
    is_close,
)
from sepbook.check._inputs import about, noise, seeded


@exercise(
    "Exercise 1: the shape of the masks",
    hints=(
        "The layer changes the last axis only. Then its row is cut into S times F, and the axes take the book's order.",
        "A row of the layer's output has 1026 numbers: two sources with 513 bins each. Then write the axes in"
        " the order B S C F T.",
        "513 bins for each of two sources, in each of 400 frames: (B, S, C, F, T), with one audio channel.",
    ),
)
def exercise_1(prediction):
    """Check the predicted (B, S, C, F, T) of a mask head for two sources and 513 bins on features (16, 400, 600)."""
    known = {
        (16, 2, 1, 400, 513): "The order in this book is F before T: bins, then frames.",
        (16, 2, 1, 1026, 400): "1026 is the row of both masks. Each mask has half of it.",
        (16, 2, 1, 600, 400): "600 is H, what goes in. The masks have as many bins as the spectrogram.",
        (16, 2, 1, 257, 400): "Each mask has all 513 bins; it is the row that is twice as long.",
        (16, 1, 2, 513, 400): "Two sources, one audio channel: S comes before C.",
    }
    expect_sizes(prediction, (16, 2, 1, 513, 400), "B S C F T", known)
    return "H is gone: the layer has used it up. T and B went through untouched."


@exercise(
    "Exercise 2: the backward pass of a layer",
    hints=(
        "Three shapes must come out: that of x, that of weight, that of bias. Which products have them?",
        "slope is (B, H'), x is (B, H), weight is (H', H). Which product of slope and weight is as large as x?",
        "return slope @ weight, slope.T @ x, slope.sum(0)",
    ),
)
def exercise_2(backward):
    """Check a function slope (B, H'), x (B, H), weight (H', H) -> the slopes of x, of the weight and of the bias."""
    for B, H, K in ((5, 4, 3), (1, 2, 6), (4, 4, 4)):
        slope, x, weight = noise(B, K), noise(B, H, seed=1), noise(K, H, seed=2)
        result = call(backward, slope, x, weight)
        what = "The function should return three slopes: of x, of the weight, of the bias."
        expect_parts(result, 3, what, "Look at the last line.", "End with return x_slope, weight_slope, bias_slope.")
        right = linear_backward(slope, x, weight)
        where = about(slope=("B H'", slope.shape), x=("B H", x.shape))
        if all(map(is_close, result, (right[1], right[0], right[2]))):
            what = "The three slopes are right, but in another order: that of x comes first, then weight, then bias."
            raise CheckFailure(what, how="return x_slope, weight_slope, bias_slope", kind="order")
        known = {
            "the slope of x is divided by the number of items; each item keeps its own": right[0] / B,
            "this is slope @ weight.T; going back, the weight is not transposed": slope @ weight.T if H == K else x,
        }
        expect_values(result[0], right[0], "B H", known, f"The slope of x is wrong. {where}")
        known = {
            "the slope of the weight is transposed: this is x.T @ slope": x.T @ slope,
            "the slope of the weight is the mean over the items; those of all items are added": right[1] / B,
            "only the first item counts for the weight; the slopes of all items are added": slope[:1].T @ x[:1],
        }
        expect_values(result[1], right[1], "H' H", known, f"The slope of the weight is wrong. {where}")
        known = {
            "the slope of the bias is the mean over the items; the slopes of all items are added": right[2] / B,
            "only the first item counts for the bias; the slopes of all items are added": slope[0],
            "a bias does not see x: its slope is a sum of slopes alone": (slope * x.sum(1, keepdim=True)).sum(0),
        }
        expect_values(result[2], right[2], "H'", known, f"The slope of the bias is wrong. {where}")
    return "Three lines, and all fully connected layers of the world are trained with them."


def _masks(features, weight, bias, S, layout="interleaved", finish=torch.sigmoid) -> Tensor:
    row = functional.linear(features, weight, bias)
    return finish(split_sources(row, S, layout=layout)[:, :, 0])


@exercise(
    "Exercise 3: a mask head",
    hints=(
        "In an interleaved row the sources of bin 0 come first: cut the last axis into (F, S), then move the axes.",
        "features @ weight.T + bias is (B, T, F·S), with S changing fastest. Name the axes in einops: 'b t (f s)'.",
        'rearrange(features @ weight.T + bias, "b t (f s) -> b s f t", s=S).sigmoid()',
    ),
)
def exercise_3(mask_head):
    """Check a function features (B, T, H), weight (F S, H), bias (F S), S -> interleaved masks (B, S, F, T) in 0…1."""
    for B, T, H, S, F in ((2, 5, 4, 2, 3), (1, 1, 6, 3, 4), (3, 4, 4, 2, 4)):
        x = noise(B, T, H).requires_grad_()
        weight, bias = noise(S * F, H, seed=1), noise(S * F, seed=2)
        right, row = _masks(x, weight, bias, S), functional.linear(x, weight, bias)
        known = {
            "the row was read as blocks, (S, F) instead of (F, S)": _masks(x, weight, bias, S, "blocked"),
            "nothing brings the values between 0 and 1": _masks(x, weight, bias, S, finish=lambda y: y),
            "the bias is missing": _masks(x, weight, 0 * bias, S),
            "the sources share each point (softmax), where each mask should decide for itself": _masks(
                x, weight, bias, S, finish=lambda y: y.softmax(1)
            ),
            "reshape moved nothing: the frames are spread over sources and bins": row.reshape(B, S, F, T).sigmoid(),
        }
        if F == T:
            known["F and T are swapped; here both have the same size"] = right.mT
        where = about(features=("B T H", x.shape)).rstrip(".") + f" with S={S} and F={F}."
        masks = call(mask_head, x, weight, bias, S)
        expect_values(masks, right, "B S F T", known, where)
        expect_gradient(masks, x)
    return "MaskHead is the same, with weights of its own and a choice of layout and activation."


@exercise(
    "Exercise 4: from one layout to the other",
    hints=(
        "Row (s, f) of the blocked weight stands at place f * S + s of the interleaved one. Only rows move.",
        "Try it with F = 3, S = 2: the blocked rows are s0f0 s0f1 s0f2 s1f0 …; write the interleaved order below it.",
        'rearrange(weight, "(f s) h -> (s f) h", s=S)',
    ),
)
def exercise_4(to_blocked):
    """Check a function weight (F S, H), interleaved, and S -> the same weight (S F, H) for a blocked row."""
    for S, F, H in ((2, 5, 3), (3, 4, 6), (4, 4, 4)):
        weight = noise(S * F, H)
        right = weight.view(F, S, H).transpose(0, 1).reshape(S * F, H)
        back = weight.view(S, F, H).transpose(0, 1).reshape(S * F, H)
        known = {
            "the rows have not moved": weight,
            "the rows stand by sources, but the last source comes first": (
                weight.view(F, S, H).flip(1).transpose(0, 1).reshape(S * F, H)
            ),
        }
        if S != F:
            known["this is the way back: it takes a blocked weight and interleaves it"] = back
        where = f"It is about S={S}, F={F} and H={H}."
        expect_values(call(to_blocked, weight, S), right, "(S F) H", known, where)
    return "A change of layout is an order of rows. No number changes."


def _embed(row: Tensor, D: int, axis: int = -1, cut: str = "f d") -> Tensor:
    B, T, width = row.shape
    x = row.view(B, T, width // D, D) if cut == "f d" else row.view(B, T, D, width // D).mT  # (B, T, F, D)
    x = x.transpose(1, 2)
    return functional.normalize(x, dim=axis) if axis else x


@exercise(
    "Exercise 5: find the bugs",
    hints=(
        "Give frame 0 a row of ones and the others zeros: where do the ones come out? Then measure lengths along D.",
        "Cut the last axis before any other axis moves. Then print the length of an embedding along each axis.",
        "There are two: cut the last axis first, row.reshape(B, T, -1, D).transpose(1, 2), and normalise along dim=-1.",
    ),
)
def exercise_5(embeddings):
    """Check a function row (B, T, F D) and D -> embeddings (B, F, T, D) of length one."""
    for B, T, F, D in ((2, 5, 3, 4), (1, 3, 6, 2), (2, 4, 4, 5)):
        row = noise(B, T, F * D)
        torn = row.reshape(B, F, T, D)
        known = {
            "the cut is right, but the length is measured along F (bins)": _embed(row, D, 1),
            "the cut is right, but the length is measured along T (frames)": _embed(row, D, 2),
            "the cut is right, but nothing is brought to length one": _embed(row, D, 0),
            "the cut is right, but the sizes of D numbers are added; a length is the root of the sum of squares": (
                functional.normalize(_embed(row, D, 0), p=1, dim=-1)
            ),
            "the cut is right, but it is divided by the square of the length": (
                _embed(row, D) / _embed(row, D, 0).norm(dim=-1, keepdim=True)
            ),
            "the lengths are right, but reshape moved nothing: frames and bins are mixed": functional.normalize(
                torn, dim=-1
            ),
            "reshape moved nothing, so frames and bins are mixed; and the length is measured along F": (
                functional.normalize(torn, dim=1)
            ),
            "the row was cut into (D, F): the numbers of one embedding lie side by side, (F, D)": _embed(
                row, D, -1, "d f"
            ),
        }
        where = about(row=("B T (F D)", row.shape)).rstrip(".") + f" with D={D}."
        expect_values(call(embeddings, row, D), _embed(row, D), "B F T D", known, where)
    return "Shapes and finite numbers were right all along. Only the lengths and one frame at a time could tell."


def _pieces(layer: nn.Linear, x: Tensor, target: Tensor, sizes, shares) -> Tensor:
    """The slope of the weight: that of each piece's mean, times the piece's share."""
    total = torch.zeros_like(layer.weight)
    for a, b, share in zip(x.split(sizes), target.split(sizes), shares, strict=True):
        loss = functional.mse_loss(functional.linear(a, layer.weight, layer.bias), b)
        total = total + share * torch.autograd.grad(loss, layer.weight)[0]
    return total


@exercise(
    "Exercise 6: a large batch in small pieces",
    hints=(
        "The mean over all items is not the mean of the means when the pieces differ in size: weight each by its size.",
        "Two pieces of 3 and 1 items: which part of the whole mean does the first one contribute?",
        "For each piece: (its mean loss * len(piece) / len(x)).backward(). Slopes add up by themselves.",
    ),
)
def exercise_6(slope_in_pieces):
    """Check a function layer, x (B, H), target (B, H'), sizes -> slope of the weight for the mean over all items."""
    for H, K, sizes in ((4, 3, [5, 5, 2]), (3, 3, [1, 6]), (2, 5, [4])):
        B, count = sum(sizes), len(sizes)
        x, target = noise(B, H), noise(B, K, seed=1)
        with seeded(H):
            layer = nn.Linear(H, K)
        shares = {
            "": [size / B for size in sizes],
            "the slopes of the pieces were added as they are: divide by the number of items": [1] * count,
            "each piece counts the same, whatever its size: small pieces count too much": [1 / count] * count,
            "only the last piece is left: the slopes were cleared in between": [0] * (count - 1) + [1],
            "only the last piece is left, with its share": [0] * (count - 1) + [sizes[-1] / B],
            "only the first piece is there": [1] + [0] * (count - 1),
            "each slope was multiplied by the size of its piece; it is not divided by the number of items": sizes,
        }
        known = {name: _pieces(layer, x, target, sizes, share) for name, share in shares.items()}
        right = known.pop("")
        known = (known if count > 1 else {}) | {
            "the squares are added over H'; the mean is taken over them too": K * right,
            "begin with layer.zero_grad(): an earlier slope was still there": right + 1,
        }
        layer.weight.grad = torch.ones_like(layer.weight)  # what an earlier step has left behind
        where = f"It is about {B} items in pieces of {', '.join(map(str, sizes))}."
        expect_values(call(slope_in_pieces, layer, x, target, sizes), right, "H' H", known, where)
    return "This is gradient accumulation: a batch that does not fit into memory, in pieces that do."
