"""The exercises of the lab on joint networks: usual mistakes are recognised, right answers pass, however written."""

import numpy as np
import torch
from torch.nn import functional

from tests.check.tables import *  # noqa: F403


def head(x, A, c, w, b, bend=torch.relu):
    a = bend(torch.einsum("kh,bhft->bkft", A, x) + c[:, None, None]).flatten(1, 2)
    return (w @ a + b[:, None]).repeat_interleave(2, dim=-1)


def head_of_layers(x, A, c, w, b):
    a = functional.conv2d(x, A[:, :, None, None], c).relu().flatten(1, 2)
    y = functional.conv1d(a, w[:, :, None], b)
    return torch.stack([y, y], -1).flatten(-2)


def head_by_loop(x, A, c, w, b):
    frames = []
    for t in range(x.shape[-1]):
        a = (A @ x[..., t] + c[:, None]).clamp_min(0)  # (B, K, F)
        frames += 2 * [a.flatten(1) @ w.T + b]
    return torch.stack(frames, -1)


def head_in_linear(x, A, c, w, b):
    a = functional.linear(x.movedim(1, -1), A, c).relu()  # (B, F, T/2, K)
    y = functional.linear(a.permute(0, 2, 3, 1).flatten(2), w, b)  # (B, T/2, O)
    return y.mT[..., torch.arange(2 * x.shape[-1]) // 2]


def bins_first(x, A, c, w, b):
    a = (torch.einsum("kh,bhft->bfkt", A, x) + c[:, None]).relu().flatten(1, 2)
    return (w @ a + b[:, None]).repeat_interleave(2, dim=-1)


def surprise(p, v):
    return -(v * p.log() + (1 - v) * (1 - p).log()).mean()


def around(yes, width, mode="replicate", pad=None):
    pad = (width // 2, width // 2) if pad is None else pad
    return functional.pad(yes[:, None], pad, mode=mode)[:, 0].unfold(-1, width, 1)


def majority(yes, width, **more):
    return (around(yes, width, **more).mean(-1) > 0.5).float()


def majority_by_loop(yes, width):
    T, rows = yes.shape[-1], []
    for row in yes.tolist():
        sums = [sum(row[min(max(t + k, 0), T - 1)] for k in range(-(width // 2), width // 2 + 1)) for t in range(T)]
        rows.append([float(2 * s > width) for s in sums])
    return torch.tensor(rows)


def majority_in_numpy(yes, width):
    x = np.pad(yes.numpy(), ((0, 0), (width // 2, width // 2)), mode="edge")
    return np.median(np.lib.stride_tricks.sliding_window_view(x, width, axis=1), axis=-1)


RIGHT = [
    (1, 1157),
    (1, 1157.0),
    (1, np.int64(1157)),
    (1, sum(p.numel() for m in (torch.nn.Conv2d(32, 4, 1), torch.nn.Linear(1024, 1)) for p in m.parameters())),
    (2, head),
    (2, head_of_layers),
    (2, head_by_loop),
    (2, head_in_linear),
    (3, surprise),
    (3, functional.binary_cross_entropy),
    (3, lambda p, v: -torch.where(v > 0, p, 1 - p).log().mean()),
    (3, lambda p, v: -(torch.stack([1 - p, p], -1).double().gather(-1, v.long()[..., None])).log().sum() / v.numel()),
    (4, majority),
    (4, majority_by_loop),
    (4, majority_in_numpy),
    (4, lambda yes, width: around(yes, width).median(-1).values > 0.5),
]
WRONG = [
    (1, 32 * 4 + 4 * 256, "Each output has a bias too"),
    (1, 32 * 256 + 1, "without the first layer"),
    (1, 1025, "the second layer alone"),
    (1, 132, "the first layer alone"),
    (1, 32 * 4 * 256 + 4 + 1025, "one set of weights for all bins"),
    (1, 25 * 128 + 4 + 1025, "is one point, and not 5 by 5"),
    (1, 132 + 1024 * 128 + 1, "All frames share"),
    (1, 132 + 1024 + 256, "so it has one bias"),
    (2, lambda x, A, c, w, b: head(x, A, c, w, b, lambda y: y), "the ReLU is missing"),
    (2, lambda x, A, c, w, b: head(x, A, c, w, b, torch.sigmoid), "a sigmoid stands in the place"),
    (2, lambda x, A, c, w, b: head(x, A, c, w, 0 * b), "the last bias is missing"),
    (2, lambda x, A, c, w, b: head(x, A, 0 * c, w, b), "the bias of the first layer is missing"),
    (2, lambda x, A, c, w, b: head(x, A, c, w, b)[..., ::2], "each answer is given once"),
    (2, lambda x, A, c, w, b: head(x, A, c, w, b)[..., ::2].repeat(1, 1, 2), "put behind itself"),
    (2, bins_first, "bins come before features"),
    (2, lambda x, A, c, w, b: head(x, A, c, w, b).sigmoid(), "The loss does that"),
    (2, lambda x, A, c, w, b: head(x.detach(), A, c, w, b), "No gradient arrives at input number 1"),
    (2, lambda x, A, c, w, b: head(x, A.detach(), c, w, b), "No gradient arrives at input number 2"),
    (3, lambda p, v: -surprise(p, v), "the minus sign is missing"),
    (3, lambda p, v: -(v * p.log()).mean(), "only the frames with a voice"),
    (3, lambda p, v: -((1 - v) * (1 - p).log()).mean(), "only the frames without a voice"),
    (3, lambda p, v: surprise(p, 1 - v), "0 and 1 are swapped"),
    (3, lambda p, v: surprise(p, v) * v.numel(), "a sum instead of a mean"),
    (3, lambda p, v: -(v * p.log2() + (1 - v) * (1 - p).log2()).mean(), "the base 2"),
    (3, lambda p, v: -(v * p.log10() + (1 - v) * (1 - p).log10()).mean(), "the base 10"),
    (3, lambda p, v: (p - v).square().mean(), "the squared error"),
    (3, lambda p, v: (p - v).abs().mean(), "the absolute error"),
    (3, functional.binary_cross_entropy_with_logits, "It is a probability already"),
    (3, lambda p, v: surprise(p.detach(), v), "gradient is cut off"),
    (4, lambda yes, width: around(yes, width).amax(-1), "that is the maximum"),
    (4, lambda yes, width: around(yes, width).amin(-1), "that is the minimum"),
    (4, lambda yes, width: around(yes, width).mean(-1), "the mean is returned"),
    (4, lambda yes, width: majority(yes, width, mode="constant"), "zeros stand beyond the edge"),
    (4, lambda yes, width: majority(yes, width, pad=(width - 1, 0)), "only frames before"),
    (4, lambda yes, width: majority(yes, width, pad=(0, width - 1)), "only frames after"),
    (4, lambda yes, width: majority(yes, 2 * width + 1), "the window has another width"),
    (4, lambda yes, width: yes, "nothing is smoothed"),
    (4, lambda yes, width: 1 - majority(yes, width), "yes and no are swapped"),
    (4, lambda yes, width: majority(yes, width, pad=(0, 0)), "the edges are missing"),
]
