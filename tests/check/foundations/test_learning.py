"""The exercises on learning: each usual mistake is recognised, each right answer passes, however written."""

import pytest
import torch

from sepbook.check.foundations import learning as check
from tests.check.tables import test_nonsense_never_raises, test_stubs_stay_red  # noqa: F401


def by_bands(x, bands):
    return torch.stack([x[bands == b].sum() for b in range(int(bands.max()) + 1)])


def gradient(scale=lambda Y, bands: 2 / Y.numel(), inner=lambda Y: Y):
    """Return an answer to exercise 1, with its factor and its inner derivative."""
    return lambda m, Y, X, bands: by_bands((m[bands][:, None] * Y - X) * inner(Y), bands) * scale(Y, bands)


def by_autograd(m, Y, X, bands):
    m = m.detach().clone().requires_grad_()
    ((m[bands][:, None] * Y - X) ** 2).mean().backward()
    return m.grad


@pytest.mark.parametrize("answer", [gradient(), by_autograd])
def test_gradient_right_in_two_ways(hear, answer):
    assert "✔ Exercise 1" in hear(check.exercise_1, answer)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (gradient(lambda Y, bands: 1 / Y.numel()), "the 2 is missing"),
        (gradient(lambda Y, bands: 2), "the slope of the sum"),
        (gradient(lambda Y, bands: 2 / (bands.bincount() * Y.shape[1])), "its own number of points"),
        (gradient(inner=torch.ones_like), "the inner derivative is missing"),
        (gradient(lambda Y, bands: -2 / Y.numel()), "The sign is the other way round"),
        (lambda m, Y, X, bands: 2 * (m[bands][:, None] * Y - X) * Y / Y.numel(), "has 2 axes"),
        (lambda m, Y, X, bands: m * Y - X, "stops in"),
    ],
)
def test_gradient_wrong(hear, answer, words):
    said = hear(check.exercise_1, answer, times=4)
    assert "✔" not in said and "What:" in said and words in said


def best(upper, lower):
    return lambda Y, X, bands: by_bands(upper(Y, X), bands) / by_bands(lower(Y, X), bands)


def by_least_squares(Y, X, bands):
    pairs = [(Y[bands == b].flatten(), X[bands == b].flatten()) for b in range(int(bands.max()) + 1)]
    return torch.stack([torch.linalg.lstsq(y[:, None], x[:, None]).solution[0, 0] for y, x in pairs])


@pytest.mark.parametrize("answer", [best(lambda Y, X: Y * X, lambda Y, X: Y * Y), by_least_squares])
def test_best_mask_right_in_two_ways(hear, answer):
    assert "✔ Exercise 2" in hear(check.exercise_2, answer)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (best(lambda Y, X: X / Y, lambda Y, X: torch.ones_like(Y)), "the mean of the ratios"),
        (best(lambda Y, X: X, lambda Y, X: Y), "the ratio of the sums"),
        (best(lambda Y, X: X * X, lambda Y, X: Y * Y), "the ratio of the energies"),
        (best(lambda Y, X: Y * Y, lambda Y, X: Y * X), "swapped"),
        (lambda Y, X, bands: X / Y, "has 2 axes"),
    ],
)
def test_best_mask_wrong(hear, answer, words):
    said = hear(check.exercise_2, answer, times=4)
    assert "✔" not in said and "What:" in said and words in said


def curvatures(Y, bands):
    return 2 * by_bands(Y * Y, bands) / Y.numel()


def by_hessian(Y, bands):
    def loss(m):
        return ((m[bands][:, None] * Y) ** 2).mean()

    hessian = torch.autograd.functional.hessian(loss, torch.zeros(int(bands.max()) + 1))
    return 2 / torch.linalg.eigvalsh(hessian)[-1]


@pytest.mark.parametrize("answer", [lambda Y, bands: 2 / curvatures(Y, bands).max().item(), by_hessian])
def test_longest_step_right_in_two_ways(hear, answer):
    assert "✔ Exercise 3" in hear(check.exercise_3, answer)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda Y, bands: 1 / curvatures(Y, bands).max(), "arrives in one step"),
        (lambda Y, bands: 2 / curvatures(Y, bands).min(), "the flattest band"),
        (lambda Y, bands: 2 / curvatures(Y, bands).mean(), "one band that diverges is enough"),
        (lambda Y, bands: 4 / curvatures(Y, bands).max(), "the 2 of the square belongs to it"),
        (lambda Y, bands: 2 / curvatures(Y, bands).max() / Y.numel(), "The loss is a mean"),
        (lambda Y, bands: 2 / curvatures(Y, bands), "It returns 4 numbers"),
        (lambda Y, bands: "0.5 or so", "should be one number"),
    ],
)
def test_longest_step_wrong(hear, answer, words):
    said = hear(check.exercise_3, answer, times=4)
    assert "✔" not in said and "What:" in said and words in said


def loop(zero=True, paired=True, masked=True, give=lambda losses: losses):
    """Return an answer to exercise 4, with some of its bugs."""

    def train(network, optimiser, mixtures, targets, batches):
        losses = []
        for pick in batches:
            if zero:
                optimiser.zero_grad()
            masks = network(mixtures[pick])
            wanted = targets[pick] if paired else targets[: len(pick)]
            loss = ((masks * mixtures[pick] if masked else masks) - wanted).pow(2).mean()
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


@pytest.mark.parametrize("answer", [loop(), by_module])
def test_loop_right_in_two_ways(hear, answer):
    assert "✔ Exercise 4" in hear(check.exercise_4, answer)


def steps_first(network, optimiser, mixtures, targets, batches):
    loss = ((network(mixtures) * mixtures - targets) ** 2).mean()
    optimiser.step()
    loss.backward()
    return [loss.item()]


def half(network, optimiser, mixtures, targets, batches):
    return loop()(network, optimiser, mixtures, targets, batches[:2])


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (loop(False, False, False), "3 of the three bugs are left"),
        (loop(zero=False, paired=False), "2 of the three bugs are left"),
        (loop(zero=False), "the slopes of earlier steps"),
        (loop(masked=False), "has to be multiplied with the mixture"),
        (loop(paired=False), "those of other frames"),
        (steps_first, "nothing was learned"),
        (half, "arrives at other weights than the loop of the page"),
        (loop(give=lambda losses: losses[-1]), "should be a list of numbers"),
        (loop(give=lambda losses: [0.0] * 4), "the losses are not"),
        (loop(give=lambda losses: losses[1:] + losses[:1]), "measured before the step"),
        (loop(give=lambda losses: losses[-1:]), "1 losses came back for 4 steps"),
        (loop(give=lambda losses: None), "returned nothing"),
    ],
)
def test_loop_wrong(hear, answer, words):
    said = hear(check.exercise_4, answer, times=4)
    assert "✔" not in said and "What:" in said and words in said
