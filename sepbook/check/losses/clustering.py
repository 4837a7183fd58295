"""Checks for the lab on clustering: shapes, the loss, a faulty target, masks. Taught on: book/losses/clustering."""

import functools

import torch
from torch import Tensor
from torch.nn.functional import one_hot
from torch.utils._python_dispatch import TorchDispatchMode

from sepbook.check import (
    CheckFailure,
    NotYet,
    call,
    exercise,
    expect_gradient,
    expect_parts,
    expect_shape,
    expect_sizes,
    expect_tensor,
    expect_values,
)
from sepbook.check._exercise import is_empty
from sepbook.check._inputs import dice
from sepbook.losses import clustering

SIZES = {"B": 8, "S": 3, "F": 129, "T": 100, "D": 20}


@exercise(
    "Exercise 1: three shapes",
    hints=(
        "V has one row for each bin of each frame, and D columns. Y has as many rows, and a column for each source.",
        "The layer makes D numbers for each of the F bins of one frame.",
        "A product has the rows of its first factor and the columns of its second: VᵀY is (D, F·T) times (F·T, S).",
    ),
)
def exercise_1(layer, gram, cross):
    """Check the predicted shapes of the last layer's output for one frame, of VᵀV and of VᵀY."""
    if any(is_empty(answer) for answer in (layer, gram, cross)):
        raise NotYet("Write your numbers in place of the dots.")
    B, S, F, T, D = SIZES.values()
    known = {
        (T * F * D,): "That would be all frames at once. A recurrent layer is used anew for each frame.",
        (D,): "That is the embedding of one bin. A frame has F of them.",
        (F,): "That would be one number for each bin, a mask. Here each bin gets D numbers.",
        (F * S,): "That would be a mask for each source. Here each bin gets D numbers, whatever the number of sources.",
        (T * D,): "That is one bin in all frames. The layer is asked about all bins of one frame.",
    }
    expect_sizes(layer, (F * D,), "(F D)", known, "Asked for: how many numbers the last layer makes for one frame.")
    table = "That is the table of all pairs of bins, VVᵀ. Asked for is VᵀV."
    alone = "That is one item. The batch stays: each item has its own table."
    known = {
        (B, F * T, F * T): table,
        (B, F * T, D): "That is V itself.",
        (B, D, F * T): "That is Vᵀ, before the product.",
        (1, D, D): alone,
        (B, S, S): "That is YᵀY. V has D columns.",
    }
    expect_sizes(gram, (B, D, D), "B D D'", known, "VᵀV: sums over all bins of products of two columns of V.")
    known = {
        (B, S, D): "That is YᵀV, the other way round.",
        (B, F * T, S): "That is Y itself.",
        (B, D, D): "That is VᵀV again. Y has a column for each source.",
        (B, S, S): "That is YᵀY.",
        (1, D, S): alone,
    }
    expect_sizes(cross, (B, D, S), "B D S", known, "VᵀY: one column of sums for each source.")
    return "Nothing of the size of all pairs is left."


def _scene(S: int, seed: int, B: int = 2, N: int = 40, D: int = 5) -> tuple[Tensor, Tensor, Tensor]:
    random = dice(seed)
    v = torch.nn.functional.normalize(torch.rand(B, N, D, generator=random), dim=-1)
    y = one_hot(torch.randint(0, S, (B, N), generator=random), S).float()
    w = torch.rand(B, N, generator=random)
    return v, y, w * (w > 0.2)


@exercise(
    "Exercise 2: the loss without the table of pairs",
    hints=(
        "There are three small tables: VᵀWV, VᵀWY and YᵀWY. Each is squared entry by entry and summed.",
        "Build vv alone: embedding.mT @ (weight.unsqueeze(-1) * embedding), shape (B, D, D). The other two "
        "look the same.",
        "weighted = weight.unsqueeze(-1); vv = embedding.mT @ (weighted * embedding), and vy and yy likewise; then "
        "(vv² - 2 vy² + yy²), each summed over its last two axes, divided by weight.sum(1) ** 2.",
    ),
)
def exercise_2(low_rank):
    """Check a function of embedding `(B, N, D)`, membership `(B, N, S)`, weight `(B, N)`: the loss `(B,)`."""
    for S in (2, 4):
        v, y, w = _scene(S, seed=S)
        u, total = w.unsqueeze(-1), w.sum(1) ** 2

        def squares(vv, vy, yy):
            return vv.square().sum((1, 2)) - 2 * vy.square().sum((1, 2)) + yy.square().sum((1, 2))

        expected = squares(v.mT @ (u * v), v.mT @ (u * y), y.mT @ (u * y)) / total
        plain = squares(v.mT @ v, v.mT @ y, y.mT @ y)
        twice = squares((u * v).mT @ (u * v), (u * v).mT @ (u * y), (u * y).mT @ (u * y))
        one = v.mT @ (u * v), v.mT @ (u * y), y.mT @ (u * y)
        known = {
            "the weight does not enter: silent bins count like all others": plain / v.shape[1] ** 2,
            "the weight enters, but only in what is divided by": plain / total,
            "each bin is weighed twice, in both factors of a product; it counts w, not w²": twice / total,
            "each bin is weighed twice, in both factors; it counts w, not w². Nor is the total w²": (
                twice / w.square().sum(1) ** 2
            ),
            "it is a sum over pairs: divide by the square of the sum of the weights": expected * total,
            "it is divided by the sum of the weights once; pairs have two": expected * total / w.sum(1),
            "the middle term is there once, and belongs there twice": (
                (one[0].square().sum((1, 2)) - one[1].square().sum((1, 2)) + one[2].square().sum((1, 2))) / total
            ),
            "the first two terms are there, and YᵀWY is missing": (
                (one[0].square().sum((1, 2)) - 2 * one[1].square().sum((1, 2))) / total
            ),
            "the tables are added up, not their squares": (
                (one[0].sum((1, 2)) - 2 * one[1].sum((1, 2)) + one[2].sum((1, 2))) / total
            ),
            "it is divided by the number of pairs, not by the square of the sum of the weights": (
                expected * total / v.shape[1] ** 2
            ),
            "the middle term has the wrong sign": (
                (one[0].square().sum((1, 2)) + 2 * one[1].square().sum((1, 2)) + one[2].square().sum((1, 2))) / total
            ),
        }
        v.requires_grad_()
        value = call(_without_pairs(low_rank, v.shape[1]), v, y, w)
        expect_values(value, expected, "B", known, f"It is about {S} sources.")
        expect_gradient(value, v)
    return "The same number as with all pairs, from tables that do not know how long the recording is."


class _NoPairs(TorchDispatchMode):
    """Refuses every tensor that has a place for each pair of N bins."""

    def __init__(self, N: int):
        super().__init__()
        self.N = N

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        """Do the operation, and look at what comes out."""
        result = operation(*args, **(kwargs or {}))
        if isinstance(result, Tensor) and list(result.shape).count(self.N) > 1:
            raise CheckFailure(
                f"There is a tensor {tuple(result.shape)} on the way: a number for each pair of the {self.N} bins.",
                "Three seconds of sound have 40 000 bins, and their pairs need 6 GB. Which products do without them?",
                "embedding.mT @ embedding is (B, D, D): the sum over bins is inside the product.",
                kind="pairs",
                known=True,
            )
        return result


def _without_pairs(function, N: int):
    """Return the answer, watched while it works."""
    if not callable(function):
        return function

    @functools.wraps(function)
    def watched(*inputs):
        with _NoPairs(N):
            return function(*inputs)

    return watched


def _magnitudes(seed: int, S: int = 3) -> Tensor:
    """Give magnitudes `(B, S, F, T)` with loud, soft and silent bins."""
    random = dice(seed)
    x = torch.rand(2, S, 9, 12, generator=random) ** 6
    x[:, :, :, 4:6] *= 1e-4  # a pause
    x[1, :, 7:] = 0
    return x


@exercise(
    "Exercise 3: find the two mistakes",
    hints=(
        "Print the shape of the membership. How alike should two bins be that both belong to source 1? And look at a "
        "bin of the pause: which weight does it get?",
        "argmax(1) says which source wins each bin. one_hot makes a column of each source out of that; on "
        "which axis does it stand?",
        "Membership: one_hot(magnitudes.argmax(1), S), with S moved to axis 1. Weight: 1 where the mixture is at least "
        "a hundredth (-40 dB) of its largest magnitude in this item, magnitude.amax((1, 2), keepdim=True), else 0.",
    ),
)
def exercise_3(targets):
    """Check a function of magnitudes `(B, S, F, T)`: membership `(B, S, F, T)` and weight `(B, F, T)`."""
    for S in (2, 3):
        x = _magnitudes(S, S)
        mixture = x.sum(1)
        result = call(targets, x)
        what = "The function should return two things, the membership and the weight."
        given, weight = expect_parts(result, 2, what)
        given = expect_tensor(given).float()
        expected, shares = clustering.membership(x.unsqueeze(2)), x / mixture.unsqueeze(1).clamp_min(1e-20)
        if given.dim() == 4 and given.shape[1] == 1 < S:
            raise CheckFailure(
                "The membership has one column: it says which bins belong to source 0, and nothing about the others.",
                "Take two bins of source 1. Both rows hold a 0, so their affinity would be 0: they are pushed apart.",
                f"Give each of the {S} sources a column: exactly one of them is 1 in each bin.",
                kind="one column",
            )
        known = {
            "a source owns a bin when it has more than half of it. Of three, the loudest may have less": (
                (shares > 0.5).float()
            ),
            "the softest source of each bin gets it": one_hot(x.argmin(1), S).movedim(-1, 1).float(),
            "each source is compared with its own loudest bin; asked is which source is loudest in this bin": (
                (x == x.amax((2, 3), keepdim=True)).float()
            ),
            "these are shares, not a decision: the largest becomes 1, the others 0": shares,
        }
        given = expect_shape(given, expected.shape, "B S F T", "It is about the membership.")
        sounding = mixture.unsqueeze(1) > 0  # of silence nobody is the loudest
        given = torch.where(sounding, given, expected)
        known = {words: torch.where(sounding, wrong, expected) for words, wrong in known.items()}
        expect_values(given, expected, "B S F T", known, "It is about the membership.")
        weight = expect_shape(weight, mixture.shape, "B F T", "It is about the weight.")
        loudest = mixture.amax((1, 2), keepdim=True)
        limit, every = 0.01 * loudest, torch.ones_like(mixture)
        known = {
            "every bin counts, also where nothing sounds: chance decides there whose they are": every,
            "the loudest bin of the whole batch is the measure; a soft recording would lose its bins": (
                (mixture >= 0.01 * mixture.max()).float()
            ),
            "each frame has a measure of its own, so that every pause has a loudest bin": (
                (mixture >= 0.01 * mixture.amax(1, keepdim=True)).float()
            ),
            "-40 dB of a magnitude is a factor of 0.01; 0.0001 belongs to powers": (mixture >= 0.01 * limit).float(),
            "-40 dB of a magnitude is a factor of 0.01; 0.1 are -20 dB": (mixture >= 10 * limit).float(),
            "the loudest source of a bin is compared, where their sum, the mixture, is asked for": (
                (x.amax(1) >= 0.01 * x.amax((1, 2, 3)).view(-1, 1, 1)).float()
            ),
            "silent bins count, and the others do not: the comparison is turned round": (mixture < limit).float(),
            "only the bins that are exactly zero are left out": (mixture > 0).float(),
        }
        expect_values(weight, (mixture >= limit).float(), "B F T", known, "It is about the weight.")
    return "A column for each source, and no vote for silence."


@exercise(
    "Exercise 4: from embeddings to masks",
    hints=(
        "kmeans wants a table of points (F·T, D) and a weight (F·T,). The labels come back in the same order of bins.",
        "flatten(0, 1) makes the table of points; weight.flatten() has the same order. Then one_hot, one "
        "column per cluster.",
        "labels, _ = kmeans(embedding.flatten(0, 1), S, weight.flatten()); one_hot(labels, S) is (F·T, S): turn it "
        "with .T, then .view(S, F, T).",
    ),
)
def exercise_4(masks_of):
    """Check a function of embedding `(F, T, D)`, S and weight `(F, T)`: masks `(S, F, T)` of zeros and ones."""
    for S, F, T in ((2, 10, 14), (3, 9, 12)):
        random = dice(S)
        owner = torch.randint(0, S, (F, T), generator=random)
        owner[0, :S] = torch.arange(S)
        v = torch.nn.functional.pad(one_hot(owner, S).float(), (0, 6 - S)) + 0.02 * torch.rand(
            F, T, 6, generator=random
        )
        w = (torch.rand(F, T, generator=random) > 0.3).float()
        w[0, :S] = 1
        astray = torch.zeros(6)
        astray[5] = 3.0  # bins without weight lie far away: if they counted, they would get a centre of their own
        v = torch.where(w.unsqueeze(-1) > 0, v, v + astray)
        expected = clustering.kmeans_masks(v[None], S, w[None])[0, :, 0]  # (S, F, T)
        labels = expected.argmax(0)  # (F, T)
        spread, frames_first = (one_hot(x.flatten(), S).float() for x in (labels, labels.T))  # (F·T, S)
        known = {
            "the table (F·T, S) was reshaped, not turned: .view alone mixes bins with sources": spread.view(S, F, T),
            "the axes F and T were exchanged before the points were listed": frames_first.T.reshape(S, F, T),
            "bins without weight have no mask; they, too, get the label of the nearest centre": expected * w,
            "these are the labels, not masks: make a mask for each label": labels.expand(S, F, T).float(),
        }
        whole, _ = clustering.kmeans(v.flatten(0, 1) * w.reshape(-1, 1), S, w.flatten())
        known["the weights were multiplied onto the points. They belong to kmeans, which counts with them"] = (
            one_hot(whole, S).T.reshape(S, F, T).float()
        )
        for words, other in {"is ignored": torch.ones_like(w), "is turned, and may as well be ignored": w.T}.items():
            found, _ = clustering.kmeans(v.flatten(0, 1), S, other.reshape(-1))
            known[f"the weight {words}: silent bins move the centres"] = one_hot(found, S).T.reshape(S, F, T).float()
        masks = call(masks_of, v, S, w)
        given = expect_shape(
            expect_tensor(masks).float(), (S, F, T), "S F T", f"It is about {S} sources, {F} bins and {T} frames."
        )
        if {tuple(m.flatten().tolist()) for m in given} == {tuple(m.flatten().tolist()) for m in expected}:
            continue  # the same clusters, named otherwise
        expect_values(given, expected, "S F T", known, f"It is about {S} sources.")
    return "No order is asked for: which cluster is which talker, nobody knows."
