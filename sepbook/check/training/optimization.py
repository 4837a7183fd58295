"""Checks for the lab on optimisation: a step of Adam, clipping, a range test, an average, a loop with bugs.

Taught on: book/training/optimization
"""

import torch
from torch import Tensor, nn

from sepbook.check import CheckFailure, call, exercise, expect_parts, expect_tensor, expect_values
from sepbook.check._inputs import dice
from sepbook.check.training._fine_tuning import exercise_5

__all__ = ["exercise_1", "exercise_2", "exercise_3", "exercise_4", "exercise_5"]

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


def _adam(w, slope, m, s, k, rate, beta1=BETA1, beta2=BETA2, eps=EPSILON, how="") -> tuple[Tensor, Tensor, Tensor]:
    """One step of Adam, and with other words for `how` the usual ways to get it wrong."""
    if how == "fixed":
        beta1, beta2, eps = BETA1, BETA2, EPSILON
    if how == "swapped":
        beta1, beta2 = beta2, beta1
    old = m
    m = beta1 * m + (1 if how == "sum" else 1 - beta1) * slope
    s = beta2 * s + (1 - beta2) * ({"no square": slope.abs(), "of m": m**2}.get(how, slope**2))
    if how == "shares":
        m, s = (1 - beta1) * old + beta1 * slope, s
    k = k - 1 if how == "k - 1" and k > 1 else k
    straight = how == "no correction"
    mean, size = (m, s) if straight else (m / (1 - beta1**k), s / (1 - beta2**k))
    mean = slope if how == "slope" else mean
    rate = 0.1 if how == "0.1" else rate
    if how == "kept":
        m, s = mean, size
    if how == "no root":
        step = mean / (size + eps)
    elif how == "inside":
        step = mean / (size + eps).sqrt()
    else:
        step = mean / (size.sqrt() + eps)
    return (w + rate * step if how == "up" else w - rate * step), m, s


ADAM_MISTAKES = {
    "0.1 stands in the last line. Use the name rate": "0.1",
    "m and s are returned with their corrections. The next step would correct them again": "kept",
    "the means are not divided by 1 - beta1**k and 1 - beta2**k. They begin at zero and are too small": "no correction",
    "the step goes up the slope instead of down": "up",
    "the root is missing: the step is divided by the mean square": "no root",
    "s averages the size of the slope, not its square": "no square",
    "m adds the slope whole. A mean takes (1 - beta1) of it": "sum",
    "the correction uses k - 1. The first step has k = 1": "k - 1",
    "the step follows the slope of this batch. It should follow the corrected mean m": "slope",
    "s averages the square of m. It is about the slope itself": "of m",
    "the two shares of m are swapped: most of it is kept, and a little of the slope is added": "shares",
    "eps stands inside the root. It belongs outside, after the root is taken": "inside",
    "the two betas are swapped. beta1 belongs to m, and beta2 to s": "swapped",
    "0.9, 0.999 or 1e-8 stand in the lines. Use the names beta1, beta2 and eps, which may be given": "fixed",
}


@exercise(
    "Exercise 1: a step of Adam",
    hints=(
        "Four lines: a running mean m of the slope, a running mean s of its square, both corrected for their start "
        "at zero, and the step.",
        "Write m and s first: each keeps beta of itself and takes 1 - beta of what is new. Return these two "
        "as they are.",
        "m = beta1 * m + (1 - beta1) * slope; s = beta2 * s + (1 - beta2) * slope**2; then "
        "w - rate * (m / (1 - beta1**k)) / ((s / (1 - beta2**k)).sqrt() + eps). Return w, m, s: m and s without the "
        "corrections.",
    ),
)
def exercise_1(adam_step):
    """Check a function (w, slope, m, s, k from 1, rate, beta1, beta2, eps) -> (w, m, s) after one step of Adam."""
    random = dice(0)
    scale = torch.tensor([1.0, 1e-3, 30.0, 1e-7])  # the last one shows where eps stands
    w = torch.rand(4, generator=random)
    state = (w, torch.zeros(4), torch.zeros(4))
    for k in (1, 2, 3, 4):
        other = (0.8, 0.95, 1e-6) if k == 4 else ()  # betas and eps that are not the usual ones
        rate = 0.03 if k == 3 else 0.1
        slope = torch.randn(4, generator=random) * scale
        what = "The function should return three tensors: w, m and s after the step."
        given = call(adam_step, state[0], slope, state[1], state[2], k, rate, *other)
        given = expect_parts(given, 3, what, "Look at the return.", "return w, m, s")
        right = _adam(state[0], slope, *state[1:], k, rate, *other)
        wrong = {
            words: _adam(state[0], slope, *state[1:], k, rate, *other, how=how) for words, how in ADAM_MISTAKES.items()
        }
        where = f"It is about step {k}{' with other betas and eps' if other else ''}. The value that differs is"
        for i, name in ((0, "w"), (1, "m"), (2, "s")):
            known = {words: found[i] for words, found in wrong.items() if not torch.allclose(found[i], right[i])}
            expect_values(given[i], right[i], "weight", known, f"{where} {name}.", tolerance=1e-4)
        state = right
    return "torch.optim.Adam does the same, number for number."


def _flat(slopes) -> Tensor:
    """Return a list of tensors as one. Raises CheckFailure for anything else."""
    if isinstance(slopes, Tensor) or not isinstance(slopes, list | tuple) or not slopes:
        raise CheckFailure("The result should be a list of tensors, one for each that came in.", kind="list")
    return torch.cat([expect_tensor(slope).flatten() for slope in slopes])


def _shapes(tensors) -> str:
    return ", ".join(str(tuple(x.shape)) for x in tensors)


@exercise(
    "Exercise 2: clip the gradient",
    hints=(
        "All slopes together are one long arrow. Measure its length once, and shorten all of it by one factor.",
        "The length of all slopes together: torch.cat of the flattened tensors, then .norm().",
        "norm = torch.cat([s.flatten() for s in slopes]).norm(); factor = min(1.0, longest / norm); multiply every "
        "tensor by factor.",
    ),
)
def exercise_2(clip):
    """Check a function (list of slopes, longest) -> list of slopes whose common norm is at most `longest`."""
    random = dice(1)
    for size, longest in ((1.0, 0.5), (10.0, 2.0), (0.01, 0.5)):
        slopes = [size * torch.randn(shape, generator=random) for shape in ((3, 2), (4,), (1, 2, 2))]
        norm = _flat(slopes).norm()
        factor = min(1.0, float(longest / norm))
        known = {
            "each tensor is shortened by itself. That turns the arrow: use one factor for all": [
                s * min(1.0, float(longest / s.norm())) for s in slopes
            ],
            "each number is cut off by itself. That turns the arrow: use one factor for all": [
                s.clamp(-longest, longest) for s in slopes
            ],
            "short gradients are made longer. Only those that are too long change": [
                s * longest / norm for s in slopes
            ],
            "it is divided by the square of the length. Take the root": [
                s * min(1.0, float(longest / norm**2)) for s in slopes
            ],
            "the lengths of the tensors are added. Their squares are, and then the root is taken": [
                s * min(1.0, float(longest / sum(x.norm() for x in slopes))) for s in slopes
            ],
            "the sizes of the numbers are added. The length is the root of the sum of their squares": [
                s * min(1.0, float(longest / _flat(slopes).abs().sum())) for s in slopes
            ],
            "the largest number is measured, not the length of the whole arrow": [
                s * min(1.0, float(longest / _flat(slopes).abs().max())) for s in slopes
            ],
            "it is divided by the length, and always 1 long. Multiply by `longest`": [s / norm for s in slopes],
            "the gradient comes out as it went in": slopes,
        }
        where = f"It is about a gradient of length {norm:.3g}, and at most {longest} is allowed."
        known = {words: _flat(found) for words, found in known.items()}
        right = _flat(slopes) * factor
        known = {words: found for words, found in known.items() if not torch.allclose(found, right)}
        found = call(clip, slopes, longest)
        given = _flat(found)
        if [s.shape for s in found] != [s.shape for s in slopes]:
            what = f"The shapes are {_shapes(found)}, but should be those that came in: {_shapes(slopes)}."
            raise CheckFailure(what, "Is the gradient still one long row?", "[s * factor for s in slopes]", "shapes")
        expect_values(given, right, "weight", known, where)
    return "Its direction stays, and only its length is limited. A clamp on each number would turn it."


def _bowl() -> tuple[nn.Parameter, object]:
    """Return two weights and a function that measures how high they stand in a bowl."""
    weights = nn.Parameter(torch.tensor([1.0, -2.0], dtype=torch.float64))
    steep = torch.tensor([1.0, 4.0], dtype=torch.float64)
    return weights, lambda: (steep * weights**2).sum() / 2


def _range(low, high, steps, how="") -> tuple[Tensor, Tensor]:
    """Return rates and losses of a range test, and with other words for `how` those of the usual mistakes."""
    weights, loss = _bowl()
    optimizer = torch.optim.SGD([weights], lr=0.07)
    ratio = (high / low) ** (1 / (steps if how == "one short" else steps - 1))
    rates = [low + (high - low) * i / (steps - 1) if how == "linear" else low * ratio**i for i in range(steps)]
    losses = []
    for rate in rates:
        if how not in ("not set", "late"):
            optimizer.param_groups[0]["lr"] = rate
        value = loss()
        if how != "added":
            optimizer.zero_grad()
        value.backward()
        optimizer.step()
        if how == "late":
            optimizer.param_groups[0]["lr"] = rate
        if how == "back":  # the weights go back to where they began
            weights.data.copy_(_bowl()[0])
        losses.append((loss() if how == "after" else value).item())
    if how == "backwards":
        rates, losses = rates[::-1], losses[::-1]
    return torch.tensor(rates, dtype=torch.float64), torch.tensor(losses, dtype=torch.float64)


RANGE_MISTAKES = {
    "the rates grow by a constant step. Let them grow by a constant factor: low * (high / low) ** (i / (steps - 1))": (
        "linear"
    ),
    "the last rate is not high: divide the exponent by steps - 1": "one short",
    "the loss is measured after the step. It is the loss that the slope was taken of": "after",
    "the slopes of earlier steps are still there when backward() adds the new ones": "added",
    "each rate is set after its step. Then the step uses the rate before": "late",
    "the weights stay, or go back after every step. A range test is one run, without going back": "back",
    "the largest rate comes first": "backwards",
    'the optimiser keeps its old rate. Set group["lr"] in each of optimizer.param_groups': "not set",
}


@exercise(
    "Exercise 3: a range test",
    hints=(
        "One step at each rate, without going back. Before the step: set the rate, measure the loss, clear, backward.",
        "Rates first: low * (high / low) ** (i / (steps - 1)) for i = 0 … steps - 1. Print them: do first and"
        " last fit?",
        "for i in range(steps): rate = low * (high / low) ** (i / (steps - 1)); for group in optimizer.param_groups: "
        'group["lr"] = rate; then loss(), zero_grad(), backward(), step(), and append rate and loss.item().',
    ),
)
def exercise_3(range_test):
    """Check a function (optimizer, loss, low, high, steps) -> (rates, losses), two lists of numbers."""
    for low, high, steps in ((1e-3, 0.3, 7), (0.01, 1.0, 5)):
        (weights, loss), asked = _bowl(), []
        optimizer = torch.optim.SGD([weights], lr=0.07)
        given = call(range_test, optimizer, lambda loss=loss, asked=asked: asked.append(1) or loss(), low, high, steps)
        rates, losses = _pair(given)
        right = _range(low, high, steps)
        wrong = {words: _range(low, high, steps, how) for words, how in RANGE_MISTAKES.items()}
        for found, i, name in ((rates, 0, "rates"), (losses, 1, "losses")):
            known = {words: pair[i] for words, pair in wrong.items() if not torch.allclose(pair[i], right[i])}
            expect_values(found, right[i], "step", known, f"It is about the {name}.")
        if len(asked) != steps:
            raise CheckFailure(
                f"The numbers are right here. But loss() was called {len(asked)} times for {steps} steps.",
                "Each call takes the next batch. The slope must be that of the loss which is noted down.",
                "Call it once in each step: value = loss(), and then value.backward().",
                kind="calls",
                known=True,
            )
    return "One short run, all rates. Take one well below the rate at which the loss is lowest."


def _pair(given) -> tuple[Tensor, Tensor]:
    try:
        rates, losses = given
        return tuple(torch.tensor([float(x) for x in part], dtype=torch.float64) for part in (rates, losses))
    except (TypeError, ValueError):
        what = "The function should return two lists of numbers: the rates, and the losses."
        raise CheckFailure(what, "Look at the return.", "return rates, losses", kind="pair") from None


@exercise(
    "Exercise 4: a moving average of weights",
    hints=(
        "Keep most of the average and add a little of the weights. At first keep less, so that the start is forgotten.",
        "Take k = 1 and decay = 0.999: (1 + 1) / (10 + 1) is smaller. Which of the two is used?",
        "d = min(decay, (1 + k) / (10 + k)); return d * average + (1 - d) * weights.",
    ),
)
def exercise_4(move):
    """Check a function (average, weights, decay, k from 1) -> the new average."""
    random = dice(2)
    for decay, k in ((0.9, 500), (0.9, 1), (0.99, 4000)):
        average, weights = torch.randn(2, 5, generator=random)
        d = min(decay, (1 + k) / (10 + k))
        known = {
            "decay is used from the first step on. Take the smaller one of decay and (1 + k) / (10 + k)": (
                decay * average + (1 - decay) * weights
            ),
            "it is k / (10 + k). Above the line stands 1 + k": torch.lerp(weights, average, min(decay, k / (10 + k))),
            "the two shares are swapped: most of the average stays": d * weights + (1 - d) * average,
            "it is the mean of both, half and half": (average + weights) / 2,
            "all weights count the same, as in a plain mean: 1 / (k + 1) of the newest": torch.lerp(
                average, weights, 1 / (k + 1)
            ),
            "it begins with k = 0 here: (2 + k) / (11 + k)": torch.lerp(
                weights, average, min(decay, (2 + k) / (11 + k))
            ),
            "the average stays as it is": average,
            "it takes the larger one of decay and (1 + k) / (10 + k)": torch.lerp(
                weights, average, max(decay, (1 + k) / (10 + k))
            ),
            "the shares do not add up to one: the weights need the factor 1 - d": d * average + weights,
        }
        right = d * average + (1 - d) * weights
        known = {words: found for words, found in known.items() if not torch.allclose(found, right)}
        expect_values(call(move, average, weights, decay, k), right, "weight", known, f"It is about step {k}.")
    return "A share of 1 - d per step: the average remembers about 1 / (1 - d) steps."
