"""The checks on fully connected layers: right answers pass however written, usual mistakes get their own hint."""

import numpy as np
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


def backward(x_part=lambda s, x, w: s @ w, weight_part=lambda s, x, w: s.T @ x, bias_part=lambda s, x, w: s.sum(0)):
    return lambda *given: (x_part(*given), weight_part(*given), bias_part(*given))


def by_numpy(slope, x, weight):
    slope, x, weight = slope.numpy(), x.numpy(), weight.numpy()
    return np.matmul(slope, weight), np.einsum("bk,bh->kh", slope, x), slope.sum(axis=0)


def item_by_item(slope, x, weight):
    pairs = list(zip(slope, x, strict=True))
    return torch.stack([s @ weight for s in slope]), sum(torch.outer(s, one) for s, one in pairs), sum(slope)


def embed_by_numpy(row, D):
    x = row.numpy().reshape(*row.shape[:2], -1, D).transpose(0, 2, 1, 3)
    return x / np.sqrt((x**2).sum(axis=-1, keepdims=True))


def length(size):
    """Return an answer to exercise 5 that divides by another size of the numbers of D."""

    def embeddings(row, D):
        x = rearrange(row, "b t (f d) -> b f t d", d=D)
        return x / size(x)

    return embeddings


def by_mean_of_all(layer, x, target, sizes):
    return torch.autograd.grad((layer(x) - target).square().mean(), layer.weight)[0]


def by_hand(layer, x, target, sizes):
    slope = 0
    for a, b in zip(x.detach().split(sizes), target.split(sizes), strict=True):
        slope = slope + 2 * (layer(a) - b).detach().T @ a / target.numel()
    return slope


def squares_added(layer, x, target, sizes):
    parts = zip(x.split(sizes), target.split(sizes), strict=True)
    loss = sum((layer(a) - b).square().sum() for a, b in parts) / len(x)
    return torch.autograd.grad(loss, layer.weight)[0]


def first_piece(layer, x, target, sizes):
    return by_mean_of_all(layer, x[: sizes[0]], target[: sizes[0]], sizes)


SHAPE = (16, 2, 1, 513, 400)
RIGHT = [
    (1, SHAPE),
    (1, list(SHAPE)),
    (1, torch.Size(SHAPE)),
    (1, np.array(SHAPE)),
    (1, tuple(map(float, SHAPE))),
    (2, backward()),
    (2, by_autograd),
    (2, by_numpy),
    (2, item_by_item),
    (2, lambda slope, x, weight: [part.double() for part in backward()(slope, x, weight)]),
    (3, head()),
    (3, by_chunks),
    (3, lambda features, weight, bias, S: 1 / (1 + (-head(finish=lambda y: y)(features, weight, bias, S)).exp())),
    (3, lambda features, weight, bias, S: head()(features.double(), weight.double(), bias.double(), S)),
    (
        3,
        lambda features, weight, bias, S: (
            nn.functional.linear(features, weight, bias).unflatten(-1, (-1, S)).permute(0, 3, 2, 1).sigmoid()
        ),
    ),
    (4, lambda weight, S: rearrange(weight, "(f s) h -> (s f) h", s=S)),
    (4, lambda weight, S: torch.cat([weight[s::S] for s in range(S)])),
    (4, lambda weight, S: np.concatenate([weight.numpy()[s::S] for s in range(S)])),
    (4, lambda weight, S: weight[torch.arange(len(weight)).view(-1, S).T.flatten()].double()),
    (5, embed()),
    (5, lambda row, D: nn.functional.normalize(row.unflatten(-1, (-1, D)).transpose(1, 2), dim=-1)),
    (5, embed_by_numpy),
    (5, lambda row, D: nn.functional.normalize(torch.stack(row.double().split(D, -1), dim=1), dim=-1)),
    (6, pieces(fair)),
    (6, by_mean_of_all),
    (6, by_hand),
    (6, lambda *given: by_hand(*given).numpy()),
]


WRONG = [
    (1, (16, 2, 1, 400, 513), "F before T"),
    (1, (16, 2, 1, 1026, 400), "the row of both masks"),
    (1, (16, 2, 1, 600, 400), "600 is H, what goes in"),
    (1, (16, 2, 1, 257, 400), "Each mask has all 513 bins"),
    (1, (16, 1, 2, 513, 400), "S comes before C"),
    (1, (16, 400, 513, 2), "There are 4 sizes, but 5 axes"),
    (2, backward(x_part=lambda s, x, w: s @ w / len(s)), "the slope of x is divided by the number of items"),
    (2, backward(weight_part=lambda s, x, w: s.T @ x / len(x)), "the slope of the weight is the mean"),
    (2, backward(bias_part=lambda s, x, w: s.mean(0)), "the slope of the bias is the mean"),
    (2, backward(weight_part=lambda s, x, w: torch.outer(s[0], x[0])), "only the first item counts for the weight"),
    (2, backward(bias_part=lambda s, x, w: s[0]), "only the first item counts for the bias"),
    (2, backward(bias_part=lambda s, x, w: s.T @ x.sum(1)), "a bias does not see x"),
    (2, backward(x_part=lambda s, x, w: -s @ w), "The sign is the other way round"),
    (2, lambda *given: [backward()(*given)[i] for i in (1, 0, 2)], "right, but in another order"),
    (2, backward(weight_part=lambda s, x, w: x.T @ s), "The result has shape (H'=4, H=3)"),
    (2, backward(x_part=lambda s, x, w: s @ w.T), "cannot be multiplied"),
    (2, lambda slope, x, weight: slope @ weight, "should return three slopes"),
    (3, head("b t (s f) -> b s f t"), "read as blocks"),
    (3, head(finish=lambda y: y), "nothing brings the values"),
    (3, head(finish=lambda y: y.softmax(1)), "softmax"),
    (3, head(bias_too=False), "the bias is missing"),
    (3, torn_head, "reshape moved nothing"),
    (3, lambda features, weight, bias, S: head()(features, weight, bias, 2), "S (source) is 2 instead of 3"),
    (3, head("b t (f s) -> b s t f"), "F (frequency bin) is 5 instead of 3"),
    (3, lambda *given: head()(*given).detach(), "the gradient is cut off"),
    (4, lambda weight, S: weight, "the rows have not moved"),
    (4, lambda weight, S: rearrange(weight, "(s f) h -> (f s) h", s=S), "this is the way back"),
    (4, lambda weight, S: torch.cat([weight[s::S] for s in reversed(range(S))]), "the last source comes first"),
    (4, lambda weight, S: rearrange(weight, "(f s) h -> (s f) h", s=S).flip(0), "is reversed"),
    (4, lambda weight, S: rearrange(weight, "(f s) h -> (s f) h", s=2), "It is about S=3"),
    (4, lambda weight, S: rearrange(weight, "(f s) h -> s f h", s=S), "The result has 3 axes"),
    (5, as_in_the_lab, "frames and bins are mixed; and the length"),
    (5, embed(axis=1), "measured along F"),
    (5, embed(axis=2), "measured along T"),
    (5, embed(axis=None), "nothing is brought to length one"),
    (5, embed("b t (d f) -> b f t d"), "lie side by side"),
    (5, length(lambda x: x.abs().sum(-1, keepdim=True)), "the sizes of D numbers are added"),
    (5, length(lambda x: x.square().sum(-1, keepdim=True)), "the square of the length"),
    (5, lambda row, D: embed()(row, D).transpose(1, 2), "F (frequency bin) is 5 instead of 3"),
    (6, pieces(lambda size, B, count: 1), "were added as they are"),
    (6, pieces(lambda size, B, count: 1 / count), "each piece counts the same"),
    (6, pieces(lambda size, B, count: size), "it is not divided by the number of items"),
    (6, pieces(fair, "each"), "only the last piece is left"),
    (6, pieces(lambda size, B, count: 1, "each"), "the slopes were cleared"),
    (6, pieces(fair, "never"), "an earlier slope was still there"),
    (6, first_piece, "only the first piece is there"),
    (6, squares_added, "the squares are added over H'"),
]
