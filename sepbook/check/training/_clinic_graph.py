"""Patient 10: a path that the gradient has to walk back to the end. Taught on: book/training/bug_clinic."""

import warnings

import torch
from torch import Tensor, nn

from sepbook.check import CheckFailure, call, exercise, expect_values
from sepbook.check._inputs import dice
from sepbook.check.training._clinic_steps import made


class _Encoder(nn.Module):
    def __init__(self, C: int = 1):
        super().__init__()
        self.layer = nn.Conv1d(5 * C, 4, 3, padding=1)

    def forward(self, x):
        return self.layer(x.flatten(1, 2)).tanh()  # (B, H, T)


class _Decoder(nn.Module):
    def __init__(self, C: int = 1):
        super().__init__()
        self.layer, self.C = nn.Conv1d(4, 10 * C, 1), C

    def forward(self, x):
        return self.layer(x).unflatten(1, (2, self.C, 5))  # (B, S, C, F, T)


def _estimate(encoder, decoder, magnitude, statistics=lambda x: x, epsilon: float = 1e-5):
    hidden = encoder(magnitude)
    mean, spread = statistics(hidden.mean()), statistics(hidden.std())
    return decoder((hidden - mean) / (spread + epsilon)).sigmoid() * magnitude.unsqueeze(1)


def _gradients(result: Tensor, weights: list) -> list:
    return torch.autograd.grad(result.square().sum(), weights, retain_graph=True, allow_unused=True)


@exercise(
    "Patient 10: half of it never learns",
    hints=(
        "Run backward() once and ask every weight for its .grad. Where on the way back does it end?",
        "Print .requires_grad and .grad_fn of every tensor from `hidden` to the result: where does grad_fn vanish?",
        "normal = (hidden - mean) / (spread + 1e-5). It is a tensor already; torch.tensor(...) makes a copy without a "
        "history.",
    ),
)
def exercise_10(estimate):
    """Check a function (encoder, decoder, magnitude `(B, C, F, T)`) -> estimates, with gradients for both halves."""
    for C in (1, 2):
        _check_estimate(estimate, C)
    return "The gradient reaches all weights of both halves."


def _check_estimate(estimate, C: int) -> None:
    encoder, decoder = made(lambda: _Encoder(C), 7), made(lambda: _Decoder(C), 8)
    x = torch.rand(2, C, 5, 6, generator=dice(9))
    expected = _estimate(encoder, decoder, x)
    with warnings.catch_warnings():  # torch has said it once, above the curve of the lab
        warnings.simplefilter("ignore")
        result = call(estimate, encoder, decoder, x)
    raw = decoder(encoder(x)).sigmoid() * x.unsqueeze(1)
    hidden = encoder(x)
    centred, own = hidden - hidden.mean(), hidden - hidden.mean(-1, keepdim=True)

    def decoded(normal: Tensor) -> Tensor:
        return decoder(normal).sigmoid() * x.unsqueeze(1)

    known = {
        "the features are not normalised any more": raw,
        "the mean is taken away, and nothing is divided by the spread": decoded(centred),
        "it is divided by the variance. The spread is its root": decoded(centred / (hidden.var() + 1e-5)),
        "it is divided by the spread, and no mean is taken away": decoded(hidden / (hidden.std() + 1e-5)),
        "each feature is normalised by itself. The mean and the spread are those of all": decoded(
            own / (hidden.std(-1, keepdim=True) + 1e-5)
        ),
        "this is the mask: it is not multiplied with the mixture": expected / x.unsqueeze(1),
    }
    where = f"It is about a magnitude with C={C}."
    expect_values(result, expected, "B S C F T", known, where, tolerance=1e-3)
    weights = [*encoder.parameters(), *decoder.parameters()]
    if not result.requires_grad:
        raise CheckFailure(
            "The values are right, but no gradient reaches any weight: neither half can learn.", kind="all"
        )
    slopes = _gradients(result, weights)
    names = [f"encoder.{name}" for name, _ in encoder.named_parameters()]
    names += [f"decoder.{name}" for name, _ in decoder.named_parameters()]
    without = [name for name, slope in zip(names, slopes, strict=True) if slope is None or not slope.any()]
    if without:
        _explain(result, weights, without)
    for name, slope, right in zip(names, slopes, _gradients(expected, weights), strict=True):
        if (slope - right).abs().max() > 1e-3 * right.abs().max():
            raise CheckFailure(
                f"Every weight gets a gradient, but that of {name} is not the gradient of this function.",
                "Mean and spread depend on the weights too. Is their part of the path cut?",
                "Use hidden.mean() and hidden.std() as they are: no .detach(), no .item().",
                kind="statistics",
            )


def _explain(result: Tensor, weights: list, without: list[str]) -> None:
    """Raise CheckFailure: which weights get nothing, and whether a new leaf stands in the way."""
    what = f"The values are right, but no gradient reaches {', '.join(without)}."
    if any(all(leaf is not weight for weight in weights) for leaf in _leaves(result)):
        raise CheckFailure(
            what,
            "There is a new tensor on the way that asks for a gradient of its own. The gradient ends there: "
            "requires_grad begins a new path, it does not join the old one.",
            "Do without the copy: no torch.tensor(...), no detach().",
            kind="leaf",
        )
    where = "Look for torch.tensor(...) around a tensor, .detach(), .data, .numpy(), .item() and torch.no_grad()."
    raise CheckFailure(what, where, kind="cut")


def _leaves(result: Tensor) -> list[Tensor]:
    """Return the tensors at which the way back ends."""
    found, waiting, seen = [], [result.grad_fn], set()
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if hasattr(node, "variable"):
            found.append(node.variable)
        waiting += [following for following, _ in node.next_functions]
    return found
