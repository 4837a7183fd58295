"""Checks for the lab on joint networks: a head, its loss, what its weight does, a gate.

Taught on: book/architectures/unet_joint
"""

import torch
from torch import Tensor
from torch.nn import functional

from sepbook.check import call, exercise, expect_gradient, expect_number, expect_values
from sepbook.check._inputs import dice, noise

HEAD = {"H": 32, "features": 4, "F": 256}  # what the small network's heads read


@exercise(
    "Exercise 1: count a head",
    hints=(
        "Two layers: a convolution of one point, 32 features to 4, and a sum over 4 features of 256 bins.",
        "Each output of a layer has a weight for each input, and a bias.",
        "(32 * 4 + 4) + (4 * 256 + 1): weights and biases of both layers.",
    ),
)
def exercise_1(weights):
    """Check the predicted number of weights of a head for yes or no: 32 features, 4 kept, 256 bins."""
    H, K, F = HEAD.values()
    known = {
        H * K + K * F: "Each output has a bias too.",
        H * F + 1: "That is without the first layer, which keeps 4 of 32 features.",
        K * F + 1: "That is the second layer alone.",
        H * K + K: "That is the first layer alone.",
        H * K * F + K + K * F + 1: "The first layer has one set of weights for all bins: it is a convolution.",
        25 * H * K + K + K * F + 1: "The kernel of the first layer is one point, and not 5 by 5.",
        H * K + K + K * F * 128 + 1: "All frames share the weights of the second layer.",
        H * K + K + K * F + F: "The second layer gives one number for a frame, so it has one bias.",
    }
    expect_number(weights, H * K + K + K * F + 1, known)
    return "Next to nothing: the shared maps have done the work."


def _head(x: Tensor, A: Tensor, c: Tensor, w: Tensor, b: Tensor, bend=torch.relu, twice=True) -> Tensor:
    a = bend(torch.einsum("kh,bhft->bkft", A, x) + c[:, None, None]).flatten(1, 2)  # (B, K·F, T/2)
    y = torch.einsum("on,bnt->bot", w, a) + b[:, None]
    return y.repeat_interleave(2, dim=-1) if twice else y


@exercise(
    "Exercise 2: a head",
    hints=(
        "Three steps: features of each point by A, a ReLU, then all features and bins of a frame in one sum.",
        "torch.einsum('kh,bhft->bkft', A, x) does the first. .flatten(1, 2) puts features and bins into one axis.",
        "a = (torch.einsum('kh,bhft->bkft', A, x) + c[:, None, None]).relu().flatten(1, 2); "
        "y = w @ a + b[:, None]; return y.repeat_interleave(2, dim=-1)",
    ),
)
def exercise_2(head):
    """Check a function x (B, H, F, T/2), A (K, H), c (K), w (O, K·F), b (O) -> (B, O, T), each answer twice."""
    for seed, (B, H, K, F, T, out) in enumerate(((2, 3, 2, 4, 3, 1), (1, 4, 3, 2, 5, 6), (3, 2, 2, 3, 2, 2))):
        x = noise(B, H, F, T, seed=seed).requires_grad_()
        A, w = noise(K, H, seed=seed + 10).requires_grad_(), noise(out, K * F, seed=seed + 20).requires_grad_()
        b, c = noise(out, seed=seed + 30), noise(K, seed=seed + 40)
        right = _head(x, A, c, w, b)
        bins_first = (torch.einsum("kh,bhft->bfkt", A, x) + c[:, None]).relu().flatten(1, 2)
        known = {
            "the ReLU is missing: then both layers are one": _head(x, A, c, w, b, lambda y: y),
            "a sigmoid stands in the place of the ReLU": _head(x, A, c, w, b, torch.sigmoid),
            "the last bias is missing": _head(x, A, c, w, 0 * b),
            "the bias of the first layer is missing": _head(x, A, 0 * c, w, b),
            "each answer is given once. Two frames share one": _head(x, A, c, w, b, twice=False),
            "the row of answers is put behind itself. Each answer has to be followed by its double": (
                _head(x, A, c, w, b, twice=False).repeat(1, 1, 2)
            ),
            "bins come before features in the row. w expects all bins of the first feature first": (
                torch.einsum("on,bnt->bot", w, bins_first) + b[:, None]
            ).repeat_interleave(2, dim=-1),
            "a sigmoid stands at the end. The loss does that": right.sigmoid(),
        }
        result = call(head, x, A, c, w, b)
        known = {name: y.detach() for name, y in known.items()}
        expect_values(result, right.detach(), "B H T", known, f"It is about B={B}, H={H}, K={K}, F={F}, T={2 * T}.")
        expect_gradient(result, x, A, w)
    return "The gradient of x is how a head teaches the maps that it reads."


def _surprise(p: Tensor, v: Tensor) -> Tensor:
    return -(v * p.log() + (1 - v) * (1 - p).log()).mean()


@exercise(
    "Exercise 3: the loss of yes and no",
    hints=(
        "Where v is 1, the probability of the right answer is p. Where v is 0, it is 1 - p.",
        "Take the logarithm of the probability of the right answer, the mean over all, and a minus sign.",
        "return -(v * p.log() + (1 - v) * (1 - p).log()).mean()",
    ),
)
def exercise_3(surprise):
    """Check a function p (B, T) of probabilities, v (B, T) of 0 and 1 -> the cross-entropy, one number."""
    for seed, (B, T) in enumerate(((2, 8), (3, 5), (1, 12))):
        p = (0.05 + 0.9 * torch.rand(B, T, generator=dice(seed))).requires_grad_()
        v = (torch.rand(B, T, generator=dice(seed + 5)) < 0.6).float()
        v[0, :2] = torch.tensor([0.0, 1.0])  # both are there
        known = {
            "the minus sign is missing": -_surprise(p, v),
            "only the frames with a voice count": -(v * p.log()).mean(),
            "only the frames without a voice count": -((1 - v) * (1 - p).log()).mean(),
            "0 and 1 are swapped": _surprise(p, 1 - v),
            "a sum instead of a mean": _surprise(p, v) * p.numel(),
            "the logarithm has the base 2": _surprise(p, v) / torch.tensor(2.0).log(),
            "the logarithm has the base 10": _surprise(p, v) / torch.tensor(10.0).log(),
            "that is the squared error": (p - v).square().mean(),
            "that is the absolute error": (p - v).abs().mean(),
            "p goes through a sigmoid once more. It is a probability already": (
                functional.binary_cross_entropy_with_logits(p, v)
            ),
        }
        result = call(surprise, p, v)
        known = {name: y.detach().reshape(1) for name, y in known.items()}
        flat = result.reshape(1) if isinstance(result, Tensor) and result.numel() == 1 else result
        expect_values(flat, _surprise(p, v).detach().reshape(1), "B", known, f"It is about p (B={B}, T={T}).")
        expect_gradient(flat, p)
    return "Sure and wrong costs most: at p near 0 the logarithm has no end."


def _majority(yes: Tensor, width: int, mode: str = "replicate") -> Tensor:
    around = functional.pad(yes[:, None], (width // 2, width // 2), mode=mode)[:, 0].unfold(-1, width, 1)
    return around.median(-1).values


def _one_sided(yes: Tensor, width: int, before: bool) -> Tensor:
    pad = (width - 1, 0) if before else (0, width - 1)
    return functional.pad(yes[:, None], pad, mode="replicate")[:, 0].unfold(-1, width, 1).median(-1).values


@exercise(
    "Exercise 4: the majority opens the gate",
    hints=(
        "For each frame, look at the frames around it, as many before as after. More ones than zeros: 1.",
        "Pad with half the width on both sides, repeating the edge. Then unfold gives a row of frames for each place.",
        "h = width // 2; x = functional.pad(yes[:, None], (h, h), mode='replicate')[:, 0]; "
        "return (x.unfold(-1, width, 1).mean(-1) > 0.5).float()",
    ),
)
def exercise_4(majority):
    """Check a function yes (B, T) of 0 and 1, odd width -> (B, T) of 0 and 1: what most frames around say."""
    for seed, (B, T, width) in enumerate(((2, 24, 5), (1, 30, 7), (3, 16, 3))):
        yes = (torch.rand(B, T, generator=dice(seed)) < 0.5).float()
        yes[:, : width // 2] = 1.0  # what lies beyond the edge decides there
        yes[:, width // 2 : width] = 0.0
        around = functional.pad(yes[:, None], (width // 2, width // 2), mode="replicate")[:, 0].unfold(-1, width, 1)
        known = {
            "one yes is enough: that is the maximum": around.amax(-1),
            "all have to say yes: that is the minimum": around.amin(-1),
            "the mean is returned. Say 0 or 1": around.mean(-1),
            "zeros stand beyond the edge. Repeat the first and the last frame": _majority(yes, width, "constant"),
            "only frames before the place count": _one_sided(yes, width, True),
            "only frames after the place count": _one_sided(yes, width, False),
            "the window has another width: twice as wide, and one": _majority(yes, 2 * width + 1),
            "nothing is smoothed": yes,
            "yes and no are swapped": 1 - _majority(yes, width),
            "there are fewer frames than before: the edges are missing": yes.unfold(-1, width, 1).median(-1).values,
        }
        result = call(majority, yes, width)
        result = result.float() if isinstance(result, Tensor) and result.dtype == torch.bool else result
        expect_values(result, _majority(yes, width), "B T", known, f"It is about T={T} frames and a width of {width}.")
    return "A single wrong frame no longer cuts a hole into a note."
