"""Checks for the lab on learning: a slope, its zero, the longest step, a training loop with bugs.

Taught on: book/foundations/learning
"""

import copy

import torch
from torch import Tensor, nn

from sepbook.check import CheckFailure, call, exercise, expect_number, expect_values
from sepbook.check._inputs import dice, seeded
from sepbook.check._loops import expect_bugs_gone, weights_of

BUGS = {
    "the mask itself is compared with the target. It has to be multiplied with the mixture first": "mask",
    "the slopes of earlier steps are still there when backward() adds the new ones": "add",
    "the targets are those of other frames than the mixtures": "pair",
}


def _case(seed: int, bins: int = 9, frames: int = 7) -> tuple[Tensor, Tensor, Tensor]:
    """Two magnitudes (F, T) and the band (F,) of each bin: bands of different widths, four of them for nine bins."""
    random = dice(seed)
    mixture = 3 * torch.rand(bins, frames, generator=random) + 0.1
    source = mixture * torch.rand(bins, frames, generator=random)
    return mixture, source, torch.tensor([0, 0, 1, 1, 1, 2, 3, 3, 3])[:bins]


def _sums(x: Tensor, bands: Tensor) -> Tensor:
    return torch.stack([x[bands == b].sum() for b in range(int(bands.max()) + 1)])


@exercise(
    "Exercise 1: the slope by hand",
    hints=(
        "Derive ((m Y - X)²) with respect to m, add up over the points of the band, and divide by the number of all "
        "points, F times T.",
        "Leave the bands aside: what is the slope of one point's (m Y - X)² with respect to its m?",
        "each = 2 * (m[bands][:, None] * Y - X) * Y / Y.numel(), and then for each band b: each[bands == b].sum().",
    ),
)
def exercise_1(gradient):
    """Check a function (m (F'), Y (F, T), X (F, T), bands (F)) -> the slope of the mean squared error, (F')."""
    for seed, (bins, frames) in enumerate(((9, 7), (6, 5))):
        Y, X, bands = _case(seed, bins, frames)
        m = torch.rand(int(bands.max()) + 1, generator=dice(seed + 5))
        error = m[bands][:, None] * Y - X
        total = _sums(2 * error * Y, bands)
        points = _sums(torch.ones_like(Y), bands)
        known = {
            "the 2 is missing, which comes from the square": total / 2 / Y.numel(),
            "it is the slope of the sum. The loss is a mean: divide by all points": total,
            "each band is divided by its own number of points. The loss divides by that of all": total / points,
            "the inner derivative is missing: m Y changes by Y when m changes by 1": _sums(2 * error, bands)
            / Y.numel(),
            "it is divided by the frames alone. The loss is a mean over bins and frames": total / frames,
            "it is the loss itself, for each band. Its slope is wanted": _sums(error.square(), bands) / Y.numel(),
            "it is the slope at a mask of zero: m stands in it as well": _sums(-2 * X * Y, bands) / Y.numel(),
            "the inner derivative Y stands in it once too often": _sums(2 * error * Y * Y, bands) / Y.numel(),
            "source and mixture are swapped": _sums(2 * (m[bands][:, None] * X - Y) * X, bands) / Y.numel(),
        }
        expect_values(call(gradient, m, Y, X, bands), total / Y.numel(), "F'", known)
    return "Ten slopes from one formula. Autograd will give the same ones."


@exercise(
    "Exercise 2: where all slopes are zero",
    hints=(
        "Set the sum of (m Y - X) Y over the band to zero. m does not depend on the bin: it comes out of the sum.",
        "The sum of (m Y - X) Y is m times one sum, minus another sum. Which two?",
        "For each band b: (Y * X)[bands == b].sum() / (Y * Y)[bands == b].sum().",
    ),
)
def exercise_2(best_mask):
    """Check a function (Y (F, T), X (F, T), bands (F)) -> the least-squares mask (F')."""
    for seed, (bins, frames) in enumerate(((9, 7), (6, 5)), 2):
        Y, X, bands = _case(seed, bins, frames)
        expected = _sums(Y * X, bands) / _sums(Y * Y, bands)
        points = _sums(torch.ones_like(Y), bands)
        known = {
            "it is the mean of the ratios X / Y. Quiet points count as much as loud ones there": _sums(X / Y, bands)
            / points,
            "it is the ratio of the sums. The slope has one more factor Y in each term": _sums(X, bands)
            / _sums(Y, bands),
            "it is the ratio of the energies": _sums(X * X, bands) / _sums(Y * Y, bands),
            "numerator and denominator are swapped": 1 / expected,
            "below the line stands the energy of the source, and not of the mixture": _sums(Y * X, bands)
            / _sums(X * X, bands),
            "it is one number for all bands. Each band has its own": ((Y * X).sum() / (Y * Y).sum()).expand(
                len(points)
            ),
            "it is a mean of products. Divide by the sum of Y * Y": _sums(Y * X, bands) / points,
            "it is only the sum of the products. The division is missing": _sums(Y * X, bands),
            "it is the square root of the ratio of the energies": (_sums(X * X, bands) / _sums(Y * Y, bands)).sqrt(),
        }
        expect_values(call(best_mask, Y, X, bands), expected, "F'", known)
    return "One line, no steps. For a network there is no such line, and so there are steps."


@exercise(
    "Exercise 3: the longest step",
    hints=(
        "A step multiplies the distance by 1 - eta * curvature. When is that between -1 and 1? And for all bands?",
        "Between -1 and 1 means eta * curvature below 2. Which curvature decides for all bands?",
        "curvatures = 2 * (the sum of Y² in each band) / Y.numel(); return 2 / curvatures.max().",
    ),
)
def exercise_3(limit):
    """Check a function (Y (F, T), bands (F)) -> the learning rate above which gradient descent diverges."""
    for seed, (bins, frames) in enumerate(((9, 7), (6, 5)), 4):
        Y, _, bands = _case(seed, bins, frames)
        curvatures = 2 * _sums(Y * Y, bands) / Y.numel()
        expected = float(2 / curvatures.max())
        known = {
            expected / 2: "With this rate the steepest band arrives in one step. It may still be twice as large.",
            float(2 / curvatures.min()): "That is the limit of the flattest band. The steepest one diverges there.",
            float(2 / curvatures.mean()): "The mean does not help: one band that diverges is enough.",
            expected * 2: "The curvature is the second derivative of the loss: the 2 of the square belongs to it.",
            1 / expected: "That is one divided by it: the steeper, the shorter must the step be.",
            2 / expected: "That is the curvature itself. How long may a step be there?",
            float(
                2 / curvatures.sum()
            ): "The curvatures were added. Each band goes down on its own: the steepest decides.",
            expected / bins: "The loss is a mean over all points, and there are F times T of them.",
            float(Y.numel() / _sums(Y, bands).max()): "Y is squared in the loss, and so it is in the curvature.",
            expected / Y.numel(): "The loss is a mean over all points, and so is the curvature: divide by Y.numel().",
        }
        given = call(limit, Y, bands)
        if isinstance(given, Tensor) and given.numel() > 1:
            what = f"It returns {given.numel()} numbers, but one rate is used for all bands."
            raise CheckFailure(what, "Which of them is safe for every band?", "Take the smallest.", kind="many")
        expect_number(given, expected, known, tolerance=1e-4)
    return "Loud songs have large curvatures. A rate that suits one song can be too large for a louder one."


def _network() -> nn.Module:
    with seeded(0):
        return nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 6), nn.Sigmoid())


def _trained(
    bugs: tuple[str, ...], data: tuple, loss_of=torch.mean, size=torch.square, momentum=0.5
) -> tuple[Tensor, list[float]]:
    """Return the weights after the loop, with some of the three bugs left in it, and the losses."""
    network, losses = _network(), []
    mixtures, targets, batches = data
    optimiser = torch.optim.SGD(network.parameters(), lr=0.2, momentum=momentum)
    for pick in batches:
        if "add" not in bugs:
            optimiser.zero_grad()
        masks = network(mixtures[pick])
        wanted = targets[: len(pick)] if "pair" in bugs else targets[pick]
        loss = loss_of(size((masks if "mask" in bugs else masks * mixtures[pick]) - wanted))
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return weights_of(network), losses


@exercise(
    "Exercise 4: find the bugs",
    hints=(
        "Compare it line by line with the loop of the page. What is compared with the target, which frames are these, "
        "and what stands in .grad before backward() adds to it?",
        "There are three places. Start with the loss: what is `masks`, and what is the target made of?",
        "masks = network(mixtures[pick]); loss = ((masks * mixtures[pick] - targets[pick]) ** 2).mean(); "
        "optimiser.zero_grad(); loss.backward(); optimiser.step().",
    ),
)
def exercise_4(train):
    """Check a function (network, optimiser, mixtures (B, F), targets (B, F), batches) that trains in place."""
    Y, X, _ = _case(6, bins=6, frames=8)
    random = dice(7)
    batches = [torch.randperm(8, generator=random)[:3] for _ in range(4)]
    data = (Y.T.contiguous(), X.T.contiguous(), batches)
    network = _network()
    before = copy.deepcopy(network)
    losses = call(train, network, torch.optim.SGD(network.parameters(), lr=0.2, momentum=0.5), *data)
    found = weights_of(network)
    if torch.equal(found, weights_of(before)):
        what = "The weights are the same before and after: nothing was learned."
        raise CheckFailure(what, "Is there an optimiser.step(), and does it come after backward()?", kind="nothing")
    known = {
        "the sum of the squared errors was used. The loss is a mean": {"loss_of": torch.sum},
        "the mean of the sizes was used. The loss takes the squares": {"size": torch.abs},
        "the steps are plain ones. Leave them to the optimiser that is handed in, which has a momentum": {
            "momentum": 0
        },
    }
    for mistake, options in known.items():
        if torch.allclose(found, _trained((), data, **options)[0], atol=1e-5):
            what = "It trains, but arrives at other weights than the loop of the page."
            raise CheckFailure(what, f"This comes out of a common mistake: {mistake}.", kind=mistake, known=True)
    other = "It trains, but arrives at other weights than the loop of the page."
    expect_bugs_gone(found, BUGS, lambda bugs: _trained(bugs, data)[0], other, 1e-5)
    return _check_losses(losses, _trained((), data)[1])


def _check_losses(losses, right: list[float]) -> str:
    try:
        values = [float(value) for value in losses]
    except (TypeError, ValueError):
        what = "The weights are right. What is returned should be a list of numbers, one loss per step."
        raise CheckFailure(what, "Look at the return.", "losses.append(loss.item())", kind="losses") from None
    if len(values) != len(right):
        what = f"The weights are right, but {len(values)} losses came back for {len(right)} steps."
        raise CheckFailure(what, kind="count")
    if not torch.allclose(torch.tensor(values), torch.tensor(right), atol=1e-5):
        what = f"The weights are right, but the losses are not: {values[0]:.4g} instead of {right[0]:.4g} at first."
        where = "The loss of a step is the one whose slope was taken: it is measured before the step."
        raise CheckFailure(what, where, "losses.append(loss.item())", kind="other losses")
    return "Three bugs, no error message, and a loss that may even fall. Watch the weights, and know the loop by heart."
