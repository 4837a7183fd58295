"""The checks on fully connected layers: right answers pass however written, usual mistakes get their own hint."""

import torch
from einops import rearrange
from torch import nn

from tests.check.tables import *  # noqa: F403


def by_autograd(slope, x, weight):
    bias = torch.zeros(len(weight), requires_grad=True)
    x, weight = x.clone().requires_grad_(), weight.clone().requires_grad_()
    return torch.autograd.grad(nn.functional.linear(x, weight, bias), (x, weight, bias), slope)


def head(cut="b t (f s) -> b s f t", finish=torch.sigmoid, bias_too=True):
    def mask_head(features, weight, bias, S):
        return finish(rearrange(features @ weight.T + bias * bias_too, cut, s=S))

    return mask_head


def torn_head(features, weight, bias, S):
    row = features @ weight.T + bias
    return row.reshape(row.shape[0], S, -1, row.shape[1]).sigmoid()


def by_chunks(features, weight, bias, S):
    row = features @ weight.T + bias
    return torch.stack([row[..., s::S].mT for s in range(S)], dim=1).sigmoid()


def embed(cut="b t (f d) -> b f t d", axis=-1):
    def embeddings(row, D):
        x = rearrange(row, cut, d=D)
        return x / x.norm(dim=axis, keepdim=True) if axis else x

    return embeddings


def as_in_the_lab(row, D):
    B, T, _ = row.shape
    return nn.functional.normalize(row.reshape(B, -1, T, D), dim=1)


def pieces(share, clear="first"):
    def slope_in_pieces(layer, x, target, sizes):
        if clear == "first":
            layer.zero_grad()
        for a, b in zip(x.split(sizes), target.split(sizes), strict=True):
            if clear == "each":
                layer.zero_grad()
            (nn.functional.mse_loss(layer(a), b) * share(len(a), len(x), len(sizes))).backward()
        return layer.weight.grad

    return slope_in_pieces


def fair(size, B, count):
    return size / B


RIGHT = [
    (1, [16, 2, 1, 513, 400]),
    (1, torch.Size([16, 2, 1, 513, 400])),
    (2, lambda slope, x, weight: (slope @ weight, slope.T @ x, slope.sum(0))),
    (2, by_autograd),
    (3, head()),
    (3, by_chunks),
    (4, lambda weight, S: rearrange(weight, "(f s) h -> (s f) h", s=S)),
    (4, lambda weight, S: torch.cat([weight[s::S] for s in range(S)])),
    (5, embed()),
    (5, lambda row, D: nn.functional.normalize(row.unflatten(-1, (-1, D)).transpose(1, 2), dim=-1)),
    (6, pieces(fair)),
    (6, lambda layer, x, target, sizes: torch.autograd.grad(nn.functional.mse_loss(layer(x), target), layer.weight)[0]),
]


WRONG = [
    (1, (16, 2, 1, 400, 513), "F before T"),
    (1, (16, 2, 1, 1026, 400), "the row of both masks"),
    (1, (16, 400, 513, 2), "There are 4 sizes, but 5 axes"),
    (
        2,
        lambda slope, x, weight: (slope @ weight, (slope.T @ x) / len(x), slope.sum(0)),
        "the slope of the weight is the mean",
    ),
    (2, lambda slope, x, weight: (slope @ weight, slope.T @ x, slope.mean(0)), "the slope of the bias is the mean"),
    (2, lambda slope, x, weight: (slope @ weight, x.T @ slope, slope.sum(0)), "The result has shape (H'=4, H=3)"),
    (2, lambda slope, x, weight: (slope @ weight.T, slope.T @ x, slope.sum(0)), "cannot be multiplied"),
    (2, lambda slope, x, weight: slope @ weight, "should return three slopes"),
    (3, head("b t (s f) -> b s f t"), "read as blocks"),
    (3, head(finish=lambda y: y), "nothing brings the values"),
    (3, head(finish=lambda y: y.softmax(1)), "softmax"),
    (3, head(bias_too=False), "the bias is missing"),
    (3, head("b t (f s) -> b s t f"), "F (frequency bin) is 5 instead of 3"),
    (3, torn_head, "reshape moved nothing"),
    (3, lambda *given: head()(*given).detach(), "the gradient is cut off"),
    (4, lambda weight, S: weight, "the rows have not moved"),
    (4, lambda weight, S: rearrange(weight, "(s f) h -> (f s) h", s=S), "this is the way back"),
    (5, as_in_the_lab, "frames and bins are mixed; and the length"),
    (5, embed(axis=1), "measured along F"),
    (5, embed(axis=2), "measured along T"),
    (5, embed(axis=None), "nothing is brought to length one"),
    (5, embed("b t (d f) -> b f t d"), "lie side by side"),
    (5, lambda row, D: embed()(row, D).transpose(1, 2), "F (frequency bin) is 5 instead of 3"),
    (6, pieces(lambda size, B, count: 1), "were added as they are"),
    (6, pieces(lambda size, B, count: 1 / count), "each piece counts the same"),
    (6, pieces(fair, "each"), "only the last piece is left"),
    (6, pieces(lambda size, B, count: 1, "each"), "the slopes were cleared"),
    (6, pieces(fair, "never"), "an earlier slope was still there"),
]
