"""The exercises of mask inference's lab: each usual mistake is recognised, each right answer passes."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from tests.check.tables import *  # noqa: F403


def levels_in_numpy(magnitude, floor):
    return 20 * np.log10(np.maximum(magnitude.numpy(), floor))


def levels_of_powers(magnitude, floor):
    return 10 * torch.where(magnitude > floor, magnitude.double().square(), floor**2).log10()


def by_batch_norm(x, epsilon):
    return nn.BatchNorm1d(1, eps=epsilon)(x.flatten(1)[:, None]).view_as(x)


def by_layer_norm(x, epsilon):
    return functional.layer_norm(x, x.shape, eps=epsilon)


def in_numpy(x, epsilon):
    x = x.numpy()
    return (x - x.mean()) / np.sqrt(x.var() + epsilon)


def over(*axes, **options):
    """Return an answer to exercise 2 that normalises over these axes."""

    def normalise(x, epsilon):
        options.setdefault("unbiased", False)
        return (x - x.mean(axes, keepdim=True)) / (x.var(axes, keepdim=True, **options) + epsilon).sqrt()

    return normalise


def masks_by(finish=torch.sigmoid, arrange=lambda y, S: y.unflatten(-1, (-1, S)).permute(0, 3, 2, 1), bias=True):
    """Return an answer to exercise 3."""

    def masks_of(features, weight, own, S):
        return arrange(finish(functional.linear(features, weight, own if bias else None)), S)

    return masks_of


def masks_by_einsum(features, weight, bias, S):
    y = torch.einsum("bth,fsh->bsft", features, weight.view(-1, S, features.shape[-1]))
    return 1 / (1 + (-y - bias.view(-1, S).T[None, :, :, None]).exp())


def masks_by_loop(features, weight, bias, S):
    each = [(features @ weight[s::S].T + bias[s::S]).sigmoid().mT for s in range(S)]
    return torch.stack(each, 1)


def softmax_over_sources(features, weight, bias, S):
    y = functional.linear(features, weight, bias)
    return y.unflatten(-1, (-1, S)).softmax(-1).permute(0, 3, 2, 1)


def errors_of(masks, mixture, targets):
    estimates = masks * mixture.unsqueeze(1)
    return torch.stack([(estimates - order).square() for order in (targets, targets.flip(1))])


def loss_by(choose):
    """Return an answer to exercise 4, which chooses among the errors `(2, B, S, F, T)`."""
    return lambda masks, mixture, targets: choose(errors_of(masks, mixture, targets))


def loss_by_loop(masks, mixture, targets):
    found = []
    for mask, mix, target in zip(masks, mixture, targets, strict=True):
        costs = [functional.mse_loss(mask * mix, target[list(order)]) for order in ((0, 1), (1, 0))]
        found.append(min(costs))
    return sum(found) / len(found)


def loss_by_table(masks, mixture, targets):
    estimates = (masks * mixture.unsqueeze(1)).double()
    costs = (estimates.unsqueeze(2) - targets.unsqueeze(1)).square().mean((-2, -1))  # (B, S, S)
    straight, crossed = costs[:, 0, 0] + costs[:, 1, 1], costs[:, 0, 1] + costs[:, 1, 0]
    return torch.where(straight < crossed, straight, crossed).mean() / 2


def absolute(masks, mixture, targets):
    estimates = masks * mixture.unsqueeze(1)
    both = [(estimates - order).abs().mean((1, 2, 3)) for order in (targets, targets.flip(1))]
    return torch.minimum(*both).mean()


def without_the_mixture(masks, mixture, targets):
    both = [(masks - order).square().mean((1, 2, 3)) for order in (targets, targets.flip(1))]
    return torch.minimum(*both).mean()


RIGHT = [
    (1, lambda x, floor: 20 * x.clamp_min(floor).log10()),
    (1, levels_in_numpy),
    (1, levels_of_powers),
    (1, lambda x, floor: 20 * torch.maximum(x, torch.full_like(x, floor)).log() / np.log(10)),
    (2, by_batch_norm),
    (2, by_layer_norm),
    (2, in_numpy),
    (2, over(0, 1, 2)),
    (3, masks_by()),
    (3, masks_by_einsum),
    (3, masks_by_loop),
    (3, masks_by(finish=lambda y: 1 - torch.sigmoid(-y))),
    (4, loss_by(lambda e: e.mean((2, 3, 4)).min(0).values.mean())),
    (4, loss_by_loop),
    (4, loss_by_table),
    (4, loss_by(lambda e: torch.minimum(*e.flatten(2).mean(2)).mean())),
]
WRONG = [
    (1, lambda x, floor: 10 * x.clamp_min(floor).log10(), "10 times the logarithm"),
    (1, lambda x, floor: 20 * x.clamp_min(floor).log(), "natural logarithm"),
    (1, lambda x, floor: x.clamp_min(floor).log10(), "the factor 20 is missing"),
    (1, lambda x, floor: 20 * (x + floor).log10(), "the floor is added"),
    (1, lambda x, floor: 20 * x.log10(), "NaN or infinity"),
    (1, lambda x, floor: (20 * x.log10()).clamp_min(floor), "taken as decibels"),
    (1, lambda x, floor: 10 * x.square().clamp_min(floor).log10(), "Compare the magnitude"),
    (1, lambda x, floor: -20 * x.clamp_min(floor).log10(), "the sign is wrong"),
    (1, lambda x, floor: 20 * x.clamp_min(1e-2).log10(), "The shape is right"),
    (1, lambda x, floor: 20 * x.mT.clamp_min(floor).log10(), "has shape"),
    (2, over(0, 2), "each bin has a mean"),
    (2, over(1, 2), "each item has a mean"),
    (2, over(1), "each frame of each item"),
    (2, over(2), "each bin of each item"),
    (2, over(0, 1, 2, unbiased=True), "one less than the count"),
    (2, lambda x, epsilon: (x - x.mean()) / (x.var(unbiased=False) + epsilon), "The root of it"),
    (2, lambda x, epsilon: x / (x.var(unbiased=False) + epsilon).sqrt(), "the mean is still there"),
    (2, lambda x, epsilon: x - x.mean(), "only the mean"),
    (2, lambda x, epsilon: (x - x.mean()) / x.var(unbiased=False).sqrt(), "the variance was left as it is"),
    (2, lambda x, epsilon: by_batch_norm(x, epsilon).flatten(1), "2 axes"),
    (3, masks_by(arrange=lambda y, S: y.unflatten(-1, (S, -1)).permute(0, 2, 3, 1)), "the F values of a source"),
    (3, masks_by(finish=lambda y: y), "the sigmoid is missing"),
    (3, softmax_over_sources, "a softmax links the masks"),
    (3, masks_by(finish=torch.tanh), "a tanh may be negative"),
    (3, masks_by(finish=torch.relu), "more than 1"),
    (3, masks_by(bias=False), "the bias is missing"),
    (3, masks_by(arrange=lambda y, S: y.reshape(len(y), S, -1, y.shape[1])), "does not exchange axes"),
    (3, masks_by(arrange=lambda y, S: y.unflatten(-1, (-1, S)).permute(0, 3, 1, 2)), "has shape"),
    (3, lambda features, *rest: masks_by()(features.detach(), *rest), "the gradient is cut off"),
    (4, loss_by(lambda e: e[0].mean()), "the order was not searched"),
    (4, loss_by(lambda e: e.mean((1, 2, 3, 4)).min()), "for the whole batch"),
    (4, loss_by(lambda e: e.mean(2).min(0).values.mean()), "anew in every bin"),
    (4, loss_by(lambda e: e.mean((2, 3)).min(0).values.mean()), "anew in every frame"),
    (4, loss_by(lambda e: e.mean((3, 4)).min(0).values.mean()), "both may take the same"),
    (4, loss_by(lambda e: e.mean()), "that is the coin"),
    (4, loss_by(lambda e: e.mean((2, 3, 4)).max(0).values.mean()), "the worse order"),
    (4, loss_by(lambda e: e.mean((2, 3, 4)).min(0).values.sum()), "Take their mean"),
    (4, loss_by(lambda e: e.mean((2, 3, 4)).min(0).values), "should have 0"),
    (4, absolute, "the absolute error"),
    (4, without_the_mixture, "Multiply them with the mixture"),
]
