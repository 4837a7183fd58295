"""The exercises on optimisation: each usual mistake is recognised, each right answer passes, however written."""

import pytest
import torch
from torch import nn

from sepbook.check.training import optimization as check
from tests.check.tables import test_nonsense_never_raises, test_stubs_stay_red  # noqa: F401


def adam_step(square=lambda s: s**2, correct=lambda beta, k: 1 - beta**k, sign=-1.0, share=None, give=lambda *x: x):
    """Return an answer to exercise 1, with some of its usual mistakes."""

    def step(w, slope, m, v, k, rate, beta1=0.9, beta2=0.999, eps=1e-8):
        m = beta1 * m + (1 - beta1 if share is None else share) * slope
        v = beta2 * v + (1 - beta2) * square(slope)
        change = (m / correct(beta1, k)) / ((v / correct(beta2, k)) ** 0.5 + eps)
        return give(w + sign * rate * change, m, v)

    return step


def by_torch(w, slope, m, v, k, rate, beta1=0.9, beta2=0.999, eps=1e-8):
    parameter = nn.Parameter(w.clone())
    optimizer = torch.optim.Adam([parameter], rate, (beta1, beta2), eps)
    optimizer.state[parameter] = {"step": torch.tensor(k - 1.0), "exp_avg": m.clone(), "exp_avg_sq": v.clone()}
    parameter.grad = slope.clone()
    optimizer.step()
    state = optimizer.state[parameter]
    return parameter.detach(), state["exp_avg"], state["exp_avg_sq"]


@pytest.mark.parametrize("answer", [adam_step(), by_torch])
def test_adam_right_in_two_ways(hear, answer):
    assert "✔ Exercise 1" in hear(check.exercise_1, answer)


def inside_the_root(w, slope, m, v, k, rate):
    m, v = 0.9 * m + 0.1 * slope, 0.999 * v + 0.001 * slope**2
    return w - rate * (m / (1 - 0.9**k)) / (v / (1 - 0.999**k) + 1e-8).sqrt(), m, v


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (adam_step(correct=lambda beta, k: 1.0), "They begin at zero"),
        (adam_step(sign=1.0), "up the slope"),
        (adam_step(square=torch.abs), "not its square"),
        (adam_step(share=1.0), "A mean takes"),
        (lambda w, g, m, s, k, rate, *more: adam_step()(w, g, m, s, k, rate), "Use the names beta1, beta2 and eps"),
        (
            lambda w, g, m, s, k, rate, b1=0.9, b2=0.999, eps=1e-8: adam_step()(w, g, m, s, k, rate, b2, b1, eps),
            "the two betas are swapped",
        ),
        (adam_step(correct=lambda beta, k: 1 - beta ** max(k - 1, 1)), "The first step has k = 1"),
        (inside_the_root, "eps stands inside the root"),
        (adam_step(give=lambda w, m, v: w), "should return three tensors"),
        (adam_step(give=lambda w, m, s: (w, s, m)), "The value that differs is m"),
        (adam_step(give=lambda w, m, s: (w, m, m)), "The value that differs is s"),
        (adam_step(give=lambda w, m, v: w.mul_(2)), "three"),
    ],
)
def test_adam_wrong(hear, answer, words):
    said = " ".join(hear(check.exercise_1, answer) for _ in range(2))
    assert "✔" not in said and words in said


def clip_by_torch(slopes, longest):
    parameters = [nn.Parameter(torch.zeros_like(slope)) for slope in slopes]
    for parameter, slope in zip(parameters, slopes, strict=True):
        parameter.grad = slope.clone()
    nn.utils.clip_grad_norm_(parameters, longest)
    return [parameter.grad for parameter in parameters]


def clip_by_hand(slopes, longest):
    norm = sum((slope**2).sum() for slope in slopes) ** 0.5
    return [slope * longest / norm if norm > longest else slope for slope in slopes]


@pytest.mark.parametrize("answer", [clip_by_torch, clip_by_hand])
def test_clipping_right_in_two_ways(hear, answer):
    assert "✔ Exercise 2" in hear(check.exercise_2, answer)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda slopes, longest: [s * min(1.0, float(longest / s.norm())) for s in slopes], "each tensor is shortened"),
        (lambda slopes, longest: [s.clamp(-longest, longest) for s in slopes], "each number is cut off"),
        (
            lambda slopes, longest: [s * longest / torch.cat([x.flatten() for x in slopes]).norm() for s in slopes],
            "are made longer",
        ),
        (lambda slopes, longest: slopes, "as it went in"),
        (lambda slopes, longest: slopes[0], "should be a list of tensors"),
        (
            lambda slopes, longest: [s.flatten() for s in clip_by_hand(slopes, longest)],
            "The shapes are (6,), (4,), (4,)",
        ),
    ],
)
def test_clipping_wrong(hear, answer, words):
    said = " ".join(hear(check.exercise_2, answer) for _ in range(2))
    assert "✔" not in said and words in said


def range_test(rate_of=None, after=False, clear=True, assign=True):
    """Return an answer to exercise 3, with some of its usual mistakes."""

    def run(optimizer, loss, low, high, steps):
        rates, losses = [], []
        for i in range(steps):
            rate = (rate_of or (lambda i: low * (high / low) ** (i / (steps - 1))))(i)
            if assign:
                optimizer.param_groups[0]["lr"] = rate
            value = loss()
            if clear:
                optimizer.zero_grad()
            value.backward()
            optimizer.step()
            rates.append(rate)
            losses.append((loss() if after else value).detach())
        return rates, losses

    return run


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


@pytest.mark.parametrize("answer", [range_test(), by_logspace])
def test_range_test_right_in_two_ways(hear, answer):
    assert "✔ Exercise 3" in hear(check.exercise_3, answer)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (range_test(after=True), "measured after the step"),
        (range_test(clear=False), "the slopes of earlier steps"),
        (range_test(assign=False), "keeps its old rate"),
        (range_test(rate_of=lambda i: 1e-3 + (0.3 - 1e-3) * i / 6), "constant factor"),
        (range_test(rate_of=lambda i: 1e-3 * 300 ** (i / 7)), "steps - 1"),
        (lambda optimizer, loss, low, high, steps: [low, high], "two lists of numbers"),
    ],
)
def test_range_test_wrong(hear, answer, words):
    said = " ".join(hear(check.exercise_3, answer) for _ in range(2))
    assert "✔" not in said and words in said


def move(average, weights, decay, k):
    return average.lerp(weights, 1 - min(decay, (k + 1) / (k + 10)))


@pytest.mark.parametrize(
    "answer",
    [move, lambda a, w, decay, k: a + max(1 - decay, 9 / (10 + k)) * (w - a)],
)
def test_average_right_in_two_ways(hear, answer):
    assert "✔ Exercise 4" in hear(check.exercise_4, answer)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda a, w, decay, k: decay * a + (1 - decay) * w, "from the first step on"),
        (lambda a, w, decay, k: move(w, a, decay, k), "the two shares are swapped"),
        (lambda a, w, decay, k: w.lerp(a, min(decay, k / (10 + k))), "Above the line stands 1 + k"),
        (lambda a, w, decay, k: move(a, w, 1.0, k) if decay < (1 + k) / (10 + k) else move(a, w, decay, k), "not"),
        (lambda a, w, decay, k: min(decay, (1 + k) / (10 + k)) * a + w, "do not add up to one"),
        (lambda a, w, decay, k: a.lerp_(w, 0.1), "changed its input number 1"),
    ],
)
def test_average_wrong(hear, answer, words):
    said = " ".join(hear(check.exercise_4, answer) for _ in range(2))
    assert "✔" not in said and words in said


def fine_tune(late=False, by_batch=False, unclipped=False, give=lambda network: network):
    """Return an answer to exercise 5, with some of its bugs."""

    def run(network, last, epochs, rate, longest):
        if not late:
            network[-1] = last
        optimizer = torch.optim.SGD(network.parameters(), rate)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, len(epochs))
        if late:
            network[-1] = last
        for batches in epochs:
            for inputs, targets in batches:
                loss = (network(inputs) - targets).square().mean()
                optimizer.zero_grad()
                if unclipped:
                    nn.utils.clip_grad_norm_(network.parameters(), longest)
                loss.backward()
                if not unclipped:
                    nn.utils.clip_grad_norm_(network.parameters(), longest)
                optimizer.step()
                if by_batch:
                    schedule.step()
            if not by_batch:
                schedule.step()
        return give(network)

    return run


def by_formula(network, last, epochs, rate, longest):
    network[-1] = last
    for epoch, batches in enumerate(epochs):
        now = rate * 0.5 * (1 + torch.cos(torch.tensor(torch.pi * epoch / len(epochs))).item())
        for inputs, targets in batches:
            network.zero_grad()
            nn.functional.mse_loss(network(inputs), targets).backward()
            norm = torch.cat([p.grad.flatten() for p in network.parameters()]).norm()
            with torch.no_grad():
                for p in network.parameters():
                    p -= now * p.grad * min(1.0, (longest / norm).item())
    return network


@pytest.mark.parametrize("answer", [fine_tune(), by_formula])
def test_loop_right_in_two_ways(hear, answer):
    assert "✔ Exercise 5" in hear(check.exercise_5, answer)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (fine_tune(True, True, True), "3 of the three bugs are left"),
        (fine_tune(late=True, by_batch=True), "2 of the three bugs are left"),
        (fine_tune(late=True, unclipped=True), "2 of the three bugs are left"),
        (fine_tune(late=True), "made before the last layer"),
        (fine_tune(by_batch=True), "stepped after each batch"),
        (fine_tune(unclipped=True), "before backward() has found it"),
        (fine_tune(give=lambda network: None), "returned nothing"),
        (fine_tune(give=lambda network: 0.5), "should return the network"),
        (fine_tune(give=lambda network: network[-1]), "should return the network"),
        (lambda network, last, epochs, rate, longest: network, "nothing was learned"),
        (lambda network, *rest: fine_tune()(network, rest[0], rest[1][:1], *rest[2:]), "than this recipe"),
    ],
)
def test_loop_wrong(hear, answer, words):
    said = " ".join(hear(check.exercise_5, answer) for _ in range(2))
    assert "✔" not in said and words in said
