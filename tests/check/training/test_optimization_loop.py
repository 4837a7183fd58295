"""The exercise on a loop with three bugs: each one left is recognised, each new one too, each right loop passes."""

import numpy as np
import pytest
import torch
from torch import nn

from tests.check.tables import (  # noqa: F401
    test_right_answers_are_right_for_other_cases_too,
    test_right_answers_turn_green,
    test_wrong_answers_get_their_own_hint,
)

pytestmark = pytest.mark.filterwarnings("ignore:Detected call of `lr_scheduler.step")


def fine_tune(*bugs, give=lambda network: network):
    """Return an answer to exercise 5, with some of its bugs."""

    def run(network, last, epochs, rate, longest):
        if not {"late", "old last"} & {*bugs}:
            network[-1] = last
        optimizer = torch.optim.SGD((network[-1] if "last alone" in bugs else network).parameters(), rate)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, len(epochs))
        if "late" in bugs:
            network[-1] = last
        clip = nn.utils.clip_grad_value_ if "by value" in bugs else nn.utils.clip_grad_norm_
        for batches in epochs:
            if "early" in bugs:
                schedule.step()
            for inputs, targets in batches:
                loss = (network(inputs) - targets).square().mean()
                if "added" not in bugs:
                    optimizer.zero_grad()
                if "unclipped" in bugs:
                    clip(network.parameters(), longest)
                loss.backward()
                if "unclipped" not in bugs:
                    clip(network.parameters(), longest)
                optimizer.step()
                if "by batch" in bugs:
                    schedule.step()
            if not {"by batch", "constant", "early"} & {*bugs}:
                schedule.step()
        return give(network)

    return run


def another_network(network, last, epochs, rate, longest):
    """A network made anew around the same layers, with a schedule by a function."""
    network = nn.Sequential(*list(network)[:-1], last)
    optimizer = torch.optim.SGD([{"params": layer.parameters()} for layer in network], rate)
    cosine = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda i: (1 + np.cos(np.pi * i / len(epochs))) / 2)
    for batches in epochs:
        for inputs, targets in batches:
            optimizer.zero_grad(set_to_none=False)
            nn.MSELoss()(network(inputs), targets).backward()
            nn.utils.clip_grad_norm_(list(network.parameters()), longest)
            optimizer.step()
        cosine.step()
    return network


def by_copied_weights(network, last, epochs, rate, longest):
    """The numbers of the new layer are written into the old one, and the rate is set by hand."""
    network[-1].load_state_dict(last.state_dict())
    optimizer = torch.optim.SGD(network.parameters(), rate)
    for epoch, batches in enumerate(epochs):
        optimizer.param_groups[0]["lr"] = rate * np.cos(np.pi * epoch / len(epochs) / 2) ** 2
        for inputs, targets in batches:
            loss = sum((network(x) - y).square().mean() for x, y in zip(inputs, targets, strict=True)) / len(inputs)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), longest)
            optimizer.step()
    return network


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


RIGHT = [
    (5, fine_tune()),
    (5, by_formula),
    (5, another_network),
    (5, by_copied_weights),
]
WRONG = [
    (5, fine_tune("late", "by batch", "unclipped"), "3 of the three bugs are left"),
    (5, fine_tune("late", "unclipped"), "2 of the three bugs are left"),
    (5, fine_tune("late"), "made before the last layer"),
    (5, fine_tune("by batch"), "stepped after each batch"),
    (5, fine_tune("unclipped"), "before backward() has found it"),
    (5, fine_tune("added"), "no gradient is cleared any more"),
    (5, fine_tune("constant"), "schedule.step() is missing"),
    (5, fine_tune("early"), "its first step before the first epoch"),
    (5, fine_tune("old last"), "the last layer was never replaced"),
    (5, fine_tune("last alone"), "only the last layer learns"),
    (5, lambda network, last, epochs, *rest: fine_tune()(network, last, epochs, 0.5, rest[1]), "Use the name rate"),
    (5, lambda network, last, epochs, *rest: fine_tune()(network, last, epochs, rest[0], 0.2), "Use the name longest"),
    (5, fine_tune("by value"), "each number of the gradient is cut off"),
    (5, fine_tune(give=lambda network: None), "returned nothing"),
    (5, fine_tune(give=lambda network: network[-1]), "should return the network"),
    (5, lambda network, *rest: network, "nothing was learned"),
    (5, lambda network, *rest: fine_tune()(network, rest[0], rest[1][:1], *rest[2:]), "than this recipe"),
]
