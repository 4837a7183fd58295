"""The exercises on optimisation: each usual mistake is recognised, each right answer passes, however written."""

import numpy as np
import torch
from torch import nn

from tests.check.tables import *  # noqa: F403


def adam_step(
    square=lambda s: s**2, correct=lambda beta, k: 1 - beta**k, sign=-1.0, share=None, give=lambda *x: x, root="plain"
):
    """Return an answer to exercise 1, with some of its usual mistakes."""

    def step(w, slope, m, v, k, rate, beta1=0.9, beta2=0.999, eps=1e-8):
        m = beta1 * m + (1 - beta1 if share is None else share) * slope
        v = beta2 * v + (1 - beta2) * (m**2 if square == "of m" else square(slope))
        mean, size = m / correct(beta1, k), v / correct(beta2, k)
        low = {"inside": (size + eps) ** 0.5, "none": size + eps}.get(root, size**0.5 + eps)
        change = (slope if root == "slope" else mean) / low
        return give(w + sign * rate * change, *((mean, size) if root == "kept" else (m, v)))

    return step


def adam_in_numpy(w, slope, m, v, k, rate, beta1=0.9, beta2=0.999, eps=1e-8):
    w, slope, m, v = (x.double().numpy() for x in (w, slope, m, v))
    return adam_step()(w, slope, m, v, k, rate, beta1, beta2, eps)


def adam_by_lerp(w, slope, m, v, k, rate, beta1=0.9, beta2=0.999, eps=1e-8):
    """Both corrections in one factor, and number after number."""
    m, v = torch.lerp(slope, m, beta1), torch.lerp(slope.square(), v, beta2)
    rows = []
    for place, mean, size in zip(w.tolist(), m.tolist(), v.tolist(), strict=True):
        root = (size / (1 - beta2**k)) ** 0.5
        rows.append(place - rate / (1 - beta1**k) * mean / (root + eps))
    return [torch.tensor(rows, dtype=torch.float64), m, v]


def by_torch(w, slope, m, v, k, rate, beta1=0.9, beta2=0.999, eps=1e-8):
    parameter = nn.Parameter(w.clone())
    optimizer = torch.optim.Adam([parameter], rate, (beta1, beta2), eps)
    optimizer.state[parameter] = {"step": torch.tensor(k - 1.0), "exp_avg": m.clone(), "exp_avg_sq": v.clone()}
    parameter.grad = slope.clone()
    optimizer.step()
    state = optimizer.state[parameter]
    return parameter.detach(), state["exp_avg"], state["exp_avg_sq"]


def clip_by_torch(slopes, longest):
    parameters = [nn.Parameter(torch.zeros_like(slope)) for slope in slopes]
    for parameter, slope in zip(parameters, slopes, strict=True):
        parameter.grad = slope.clone()
    nn.utils.clip_grad_norm_(parameters, longest)
    return [parameter.grad for parameter in parameters]


def clip_by_hand(slopes, longest):
    norm = sum((slope**2).sum() for slope in slopes) ** 0.5
    return [slope * longest / norm if norm > longest else slope for slope in slopes]


def clip_in_numpy(slopes, longest):
    rows = [slope.numpy() for slope in slopes]
    norm = np.sqrt(sum((row**2).sum() for row in rows))
    return [row / max(1.0, norm / longest) for row in rows]


def clip_number_by_number(slopes, longest):
    total = sum(x * x for slope in slopes for x in slope.flatten().tolist())
    return tuple(slope.double() * min(1.0, longest / total**0.5) for slope in slopes)


def clip(measure, short=True):
    """Return an answer to exercise 2 that measures the length in its own way."""
    return lambda slopes, longest: [
        s * (min(1.0, float(longest / measure(slopes))) if short else float(longest / measure(slopes))) for s in slopes
    ]


def length(slopes):
    return torch.cat([s.flatten() for s in slopes]).norm()


def range_test(rate_of=None, after=False, clear=True, assign="before", back=False, stay=False, give=lambda *x: x):
    """Return an answer to exercise 3, with some of its usual mistakes."""

    def run(optimizer, loss, low, high, steps):
        rates, losses = [], []
        start = [p.detach().clone() for p in optimizer.param_groups[0]["params"]]
        for i in range(steps):
            rate = (rate_of or (lambda i: low * (high / low) ** (i / (steps - 1))))(i)
            if assign == "before":
                optimizer.param_groups[0]["lr"] = rate
            value = loss()
            if clear:
                optimizer.zero_grad()
            value.backward()
            if not stay:
                optimizer.step()
            if assign == "after":
                optimizer.param_groups[0]["lr"] = rate
            if back:
                for p, old in zip(optimizer.param_groups[0]["params"], start, strict=True):
                    p.data.copy_(old)
            rates.append(rate)
            losses.append((loss() if after else value).detach())
        return give(rates, losses)

    return run


def asks_twice(optimizer, loss, low, high, steps):
    """Another batch is measured than the one that the slope is taken of."""
    return range_test(give=lambda r, x: (r, x))(optimizer, lambda: (loss(), loss())[1], low, high, steps)


def by_geomspace(optimizer, loss, low, high, steps):
    losses = np.zeros(steps)
    for i, optimizer.param_groups[0]["lr"] in enumerate(rates := np.geomspace(low, high, steps)):
        value = loss()
        losses[i] = value.item()
        optimizer.param_groups[0]["params"][0].grad = None
        value.backward()
        optimizer.step()
    return rates, losses


def by_factor(optimizer, loss, low, high, steps):
    """The weights are moved by hand: a step of SGD is no more than that."""
    (weights,) = optimizer.param_groups[0]["params"]
    rate, rows = low, []
    for _ in range(steps):
        value = loss()
        (slope,) = torch.autograd.grad(value, weights)
        weights.data -= rate * slope
        rows.append((rate, value.item()))
        rate *= (high / low) ** (1 / (steps - 1))
    return torch.tensor(rows, dtype=torch.float64).T


def by_logspace(optimizer, loss, low, high, steps):
    losses, rates = [], torch.logspace(torch.tensor(low).log10(), torch.tensor(high).log10(), steps).tolist()
    for rate in rates:
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad()
        value = loss()
        value.backward()
        optimizer.step()
        losses.append(value.item())
    return rates, losses


def move(average, weights, decay, k):
    return average.lerp(weights, 1 - min(decay, (k + 1) / (k + 10)))


def move_in_numpy(average, weights, decay, k):
    d = np.minimum(decay, (1 + k) / (10 + k))
    return np.average([average.double().numpy(), weights.double().numpy()], axis=0, weights=[d, 1 - d])


def move_by_loop(average, weights, decay, k):
    keep = decay if decay * (10 + k) < 1 + k else (1 + k) / (10 + k)
    return torch.tensor([keep * a + (1 - keep) * w for a, w in zip(average.tolist(), weights.tolist(), strict=True)])


RIGHT = [
    (1, adam_step()),
    (1, by_torch),
    (1, adam_in_numpy),
    (1, adam_by_lerp),
    (2, clip_by_torch),
    (2, clip_by_hand),
    (2, clip_in_numpy),
    (2, clip_number_by_number),
    (3, range_test()),
    (3, by_logspace),
    (3, by_geomspace),
    (3, by_factor),
    (4, move),
    (4, lambda a, w, decay, k: a + max(1 - decay, 9 / (10 + k)) * (w - a)),
    (4, move_in_numpy),
    (4, move_by_loop),
]
WRONG = [
    (1, adam_step(correct=lambda beta, k: 1.0), "They begin at zero"),
    (1, adam_step(sign=1.0), "up the slope"),
    (1, adam_step(square=torch.abs), "not its square"),
    (1, adam_step(square="of m"), "s averages the square of m"),
    (1, adam_step(share=1.0), "A mean takes"),
    (1, adam_step(root="none"), "the root is missing"),
    (1, adam_step(root="inside"), "eps stands inside the root"),
    (1, adam_step(root="slope"), "the step follows the slope of this batch"),
    (1, adam_step(root="kept"), "returned with their corrections"),
    (1, adam_step(correct=lambda beta, k: 1 - beta ** max(k - 1, 1)), "The first step has k = 1"),
    (1, lambda w, g, m, s, k, rate, *more: adam_step()(w, g, m, s, k, rate), "Use the names beta1, beta2 and eps"),
    (1, lambda w, g, m, s, k, r, a=0.9, b=0.999, e=1e-8: adam_step()(w, g, m, s, k, r, b, a, e), "betas are swapped"),
    (1, lambda w, g, m, s, k, rate, *more: adam_step()(w, g, m, s, k, 0.1, *more), "Use the name rate"),
    (1, adam_step(give=lambda w, m, v: w), "should return three tensors"),
    (1, adam_step(give=lambda w, m, s: (w, s, m)), "The value that differs is m"),
    (1, adam_step(give=lambda w, m, s: (w, m, m)), "The value that differs is s"),
    (2, lambda slopes, longest: [s * min(1.0, float(longest / s.norm())) for s in slopes], "each tensor is shortened"),
    (2, lambda slopes, longest: [s.clamp(-longest, longest) for s in slopes], "each number is cut off"),
    (2, clip(length, short=False), "are made longer"),
    (2, clip(lambda slopes: length(slopes) ** 2), "the square of the length"),
    (2, clip(lambda slopes: sum(s.norm() for s in slopes)), "the lengths of the tensors are added"),
    (2, clip(lambda slopes: sum(s.abs().sum() for s in slopes)), "the sizes of the numbers are added"),
    (2, clip(lambda slopes: max(s.abs().max() for s in slopes)), "the largest number is measured"),
    (2, lambda slopes, longest: [s / length(slopes) for s in slopes], "always 1 long"),
    (2, lambda slopes, longest: slopes, "as it went in"),
    (2, lambda slopes, longest: slopes[0], "should be a list of tensors"),
    (
        2,
        lambda slopes, longest: [s.flatten() for s in clip_by_hand(slopes, longest)],
        "The shapes are (6,), (4,), (4,)",
    ),
    (3, range_test(after=True), "measured after the step"),
    (3, range_test(clear=False), "the slopes of earlier steps"),
    (3, asks_twice, "Each call takes the next batch"),
    (3, range_test(assign=""), "keeps its old rate"),
    (3, range_test(assign="after"), "set after its step"),
    (3, range_test(back=True), "or go back after every step"),
    (3, range_test(stay=True), "the weights stay"),
    (3, range_test(rate_of=lambda i: 1e-3 + (0.3 - 1e-3) * i / 6), "constant factor"),
    (3, range_test(rate_of=lambda i: 1e-3 * 300 ** (i / 7)), "the last rate is not high"),
    (3, range_test(give=lambda r, x: (r[::-1], x[::-1])), "the largest rate comes first"),
    (3, range_test(give=lambda r, x: (r[:-1], x[:-1])), "should have (step=7)"),
    (3, lambda optimizer, loss, low, high, steps: [low, high], "two lists of numbers"),
    (4, lambda a, w, decay, k: decay * a + (1 - decay) * w, "from the first step on"),
    (4, lambda a, w, decay, k: move(w, a, decay, k), "the two shares are swapped"),
    (4, lambda a, w, decay, k: w.lerp(a, min(decay, k / (10 + k))), "Above the line stands 1 + k"),
    (4, lambda a, w, decay, k: move(a, w, decay, k + 1), "it begins with k = 0 here"),
    (4, lambda a, w, decay, k: w.lerp(a, max(decay, (1 + k) / (10 + k))), "it takes the larger one"),
    (4, lambda a, w, decay, k: min(decay, (1 + k) / (10 + k)) * a + w, "do not add up to one"),
    (4, lambda a, w, decay, k: a.clone(), "the average stays as it is"),
    (4, lambda a, w, decay, k: a.lerp(w, 1 / (k + 1)), "as in a plain mean"),
    (4, lambda a, w, decay, k: (a + w) / 2, "half and half"),
    (4, lambda a, w, decay, k: a.lerp_(w, 0.1), "changed its input number 1"),
]
