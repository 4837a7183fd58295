"""The exercises on learning: each usual mistake is recognised, each right answer passes, however written."""

import numpy as np
import torch

from tests.check.tables import *  # noqa: F403


def by_bands(x, bands):
    return torch.stack([x[bands == b].sum() for b in range(int(bands.max()) + 1)])


def gradient(scale=lambda Y, bands: 2 / Y.numel(), inner=lambda Y: Y):
    """Return an answer to exercise 1, with its factor and its inner derivative."""
    return lambda m, Y, X, bands: by_bands((m[bands][:, None] * Y - X) * inner(Y), bands) * scale(Y, bands)


def by_autograd(m, Y, X, bands):
    m = m.detach().clone().requires_grad_()
    ((m[bands][:, None] * Y - X) ** 2).mean().backward()
    return m.grad


def best(upper, lower):
    return lambda Y, X, bands: by_bands(upper(Y, X), bands) / by_bands(lower(Y, X), bands)


def by_least_squares(Y, X, bands):
    pairs = [(Y[bands == b].flatten(), X[bands == b].flatten()) for b in range(int(bands.max()) + 1)]
    return torch.stack([torch.linalg.lstsq(y[:, None], x[:, None]).solution[0, 0] for y, x in pairs])


def by_hessian(Y, bands):
    def loss(m):
        return ((m[bands][:, None] * Y) ** 2).mean()

    hessian = torch.autograd.functional.hessian(loss, torch.zeros(int(bands.max()) + 1))
    return 2 / torch.linalg.eigvalsh(hessian)[-1]


def loop(zero=True, paired=True, masked=True, give=lambda losses: losses, of=torch.mean):
    """Return an answer to exercise 4, with some of its bugs."""

    def train(network, optimiser, mixtures, targets, batches):
        losses = []
        for pick in batches:
            if zero:
                optimiser.zero_grad()
            masks = network(mixtures[pick])
            wanted = targets[pick] if paired else targets[: len(pick)]
            loss = ((masks * mixtures[pick] if masked else masks) - wanted).pow(2)
            loss = of(loss)
            loss.backward()
            optimiser.step()
            losses.append(loss.item())
        return give(losses)

    return train


def by_module(network, optimiser, mixtures, targets, batches):
    def one(pick):
        loss = torch.nn.functional.mse_loss(network(mixtures[pick]) * mixtures[pick], targets[pick])
        loss.backward()
        optimiser.step()
        network.zero_grad()
        return loss.detach()

    return [one(pick) for pick in batches]


def by_hand(network, optimiser, mixtures, targets, batches):
    """Ignores the optimiser, and makes a plain step of the same length."""
    losses = []
    for pick in batches:
        loss = ((network(mixtures[pick]) * mixtures[pick] - targets[pick]) ** 2).mean()
        slopes = torch.autograd.grad(loss, list(network.parameters()))
        with torch.no_grad():
            for parameter, slope in zip(network.parameters(), slopes, strict=True):
                parameter -= optimiser.param_groups[0]["lr"] * slope
        losses.append(loss.item())
    return losses


def steps_first(network, optimiser, mixtures, targets, batches):
    loss = ((network(mixtures) * mixtures - targets) ** 2).mean()
    optimiser.step()
    loss.backward()
    return [loss.item()]


def half(network, optimiser, mixtures, targets, batches):
    return loop()(network, optimiser, mixtures, targets, batches[:2])


def gradient_by_numpy(m, Y, X, bands):
    m, Y, X, bands = (x.numpy() for x in (m, Y, X, bands))
    each = (2 * (m[bands][:, None] * Y - X) * Y / Y.size).sum(1)
    return np.bincount(bands, each, minlength=len(m))


def by_matrix(m, Y, X, bands):
    """The sums as a product with a table of which bin is in which band."""
    member = torch.nn.functional.one_hot(bands, len(m)).double().T
    return member @ (2 * (m[bands][:, None] * Y - X) * Y).double().mean(1) / len(Y)


def best_by_numpy(Y, X, bands):
    Y, X, bands = Y.numpy(), X.numpy(), bands.numpy()
    return np.bincount(bands, (Y * X).sum(1)) / np.bincount(bands, (Y * Y).sum(1))


def best_by_loop(Y, X, bands):
    found = []
    for b in bands.unique():
        y, x = Y[bands == b].double().flatten(), X[bands == b].double().flatten()
        found.append(y @ x / (y @ y))
    return torch.stack(found)


def limit(*, factor=1.0, of=torch.max, mean=torch.numel):
    """Return an answer to exercise 3, with some of its usual mistakes."""
    return lambda Y, bands: factor * 2 / of(2 * by_bands(Y * Y, bands) / mean(Y))


def limit_by_loop(Y, bands):
    steepest = 0
    for b in range(int(bands.max()) + 1):
        steepest = max(steepest, float((Y[bands == b] ** 2).sum()))
    return Y.numel() / steepest


def by_torch_grad(network, optimiser, mixtures, targets, batches):
    losses = []
    for pick in batches:
        loss = ((network(mixtures[pick]) * mixtures[pick] - targets[pick]) ** 2).mean()
        grads = torch.autograd.grad(loss, list(network.parameters()))
        for parameter, grad in zip(network.parameters(), grads, strict=True):
            parameter.grad = grad
        optimiser.step()
        losses.append(loss.detach())
    return torch.stack(losses)


RIGHT = [
    (1, gradient()),
    (1, by_autograd),
    (1, gradient_by_numpy),
    (1, by_matrix),
    (2, best(lambda Y, X: Y * X, lambda Y, X: Y * Y)),
    (2, by_least_squares),
    (2, best_by_numpy),
    (2, best_by_loop),
    (3, lambda Y, bands: limit()(Y, bands).item()),
    (3, by_hessian),
    (3, limit_by_loop),
    (3, lambda Y, bands: np.float64(Y.shape[0] * Y.shape[1] / by_bands(Y * Y, bands).numpy().max())),
    (4, loop()),
    (4, by_module),
    (4, by_torch_grad),
    (4, loop(give=lambda losses: np.array(losses))),
]
WRONG = [
    (1, gradient(lambda Y, bands: 1 / Y.numel()), "the 2 is missing"),
    (1, gradient(lambda Y, bands: 2), "the slope of the sum"),
    (1, gradient(lambda Y, bands: 2 / (bands.bincount() * Y.shape[1])), "its own number of points"),
    (1, gradient(inner=torch.ones_like), "the inner derivative is missing"),
    (1, gradient(lambda Y, bands: -2 / Y.numel()), "The sign is the other way round"),
    (1, lambda m, Y, X, bands: gradient()(m, X, Y, bands), "source and mixture are swapped"),
    (1, gradient(lambda Y, bands: 2 / Y.shape[1]), "divided by the frames alone"),
    (1, lambda m, Y, X, bands: by_bands((m[bands][:, None] * Y - X) ** 2, bands) / Y.numel(), "the loss itself"),
    (1, lambda m, Y, X, bands: gradient()(0 * m, Y, X, bands), "at a mask of zero"),
    (1, gradient(inner=lambda Y: Y * Y), "Y stands in it once too often"),
    (1, lambda m, Y, X, bands: 2 * (m[bands][:, None] * Y - X) * Y / Y.numel(), "has 2 axes"),
    (1, lambda m, Y, X, bands: torch.cat([gradient()(m, Y, X, bands), m[:0]]).resize_(4), "is 4 instead of 3"),
    (1, lambda m, Y, X, bands: m * Y - X, "stops in"),
    (2, best(lambda Y, X: X / Y, lambda Y, X: torch.ones_like(Y)), "the mean of the ratios"),
    (2, best(lambda Y, X: X, lambda Y, X: Y), "the ratio of the sums"),
    (2, best(lambda Y, X: X * X, lambda Y, X: Y * Y), "the ratio of the energies"),
    (2, best(lambda Y, X: Y * Y, lambda Y, X: Y * X), "swapped"),
    (2, lambda Y, X, bands: best(lambda Y, X: X * X, lambda Y, X: Y * Y)(Y, X, bands).sqrt(), "the square root"),
    (2, best(lambda Y, X: Y * X, lambda Y, X: X * X), "the energy of the source"),
    (2, lambda Y, X, bands: ((Y * X).sum() / (Y * Y).sum()).expand(int(bands.max()) + 1), "one number for all bands"),
    (2, best(lambda Y, X: Y * X, lambda Y, X: torch.ones_like(Y)), "a mean of products"),
    (2, lambda Y, X, bands: by_bands(Y * X, bands), "The division is missing"),
    (2, lambda Y, X, bands: X / Y, "has 2 axes"),
    (3, limit(factor=0.5), "arrives in one step"),
    (3, limit(of=torch.min), "the flattest band"),
    (3, limit(of=torch.mean), "one band that diverges is enough"),
    (3, limit(factor=2), "the 2 of the square belongs to it"),
    (3, limit(mean=lambda Y: 1), "The loss is a mean"),
    (3, lambda Y, bands: limit()(Y, bands).reciprocal(), "one divided by it"),
    (3, limit(of=torch.sum), "The curvatures were added"),
    (3, limit(mean=lambda Y: Y.shape[1]), "F times T of them"),
    (3, lambda Y, bands: 2 * limit()(Y, bands).reciprocal(), "the curvature itself"),
    (3, lambda Y, bands: 2 / (2 * by_bands(Y, bands) / Y.numel()).max(), "Y is squared"),
    (3, lambda Y, bands: 2 / (2 * by_bands(Y * Y, bands) / Y.numel()), "It returns 4 numbers"),
    (3, lambda Y, bands: "0.5 or so", "should be one number"),
    (4, loop(False, False, False), "3 of the three bugs are left"),
    (4, loop(zero=False, paired=False), "2 of the three bugs are left"),
    (4, loop(zero=False), "the slopes of earlier steps"),
    (4, loop(masked=False), "has to be multiplied with the mixture"),
    (4, loop(paired=False), "those of other frames"),
    (4, by_hand, "Leave them to the optimiser"),
    (4, steps_first, "nothing was learned"),
    (4, half, "arrives at other weights than the loop of the page"),
    (4, loop(give=lambda losses: losses[-1]), "should be a list of numbers"),
    (4, loop(give=lambda losses: [0.0] * 4), "the losses are not"),
    (4, loop(give=lambda losses: losses[1:] + losses[:1]), "measured before the step"),
    (4, loop(give=lambda losses: losses[-1:]), "1 losses came back for 4 steps"),
    (4, loop(give=lambda losses: None), "returned nothing"),
    (4, loop(of=torch.sum), "sum of the squared errors"),
    (4, loop(of=lambda x: x.sqrt().mean()), "mean of the sizes"),
]
