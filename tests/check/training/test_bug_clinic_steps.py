"""Patients 3 and 4, training and measuring: each cure is green however it is written, half a cure gets its hint."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from sepbook.check.training import mended, sick
from sepbook.losses.spectrogram import mse
from sepbook.losses.waveform import si_sdr
from tests.check.tables import (  # noqa: F401
    test_right_answers_are_right_for_other_cases_too,
    test_right_answers_turn_green,
    test_wrong_answers_get_their_own_hint,
)

pytestmark = pytest.mark.filterwarnings("ignore:To copy construct", "ignore:The length of signal", "ignore:A window")


def loop(order, per=1):
    """Return an answer to exercise 3: z clears, b goes backward, s steps, in this order, inside or before the loop."""

    def answer(network, optimiser, batches):
        losses = []
        if per == 0:
            optimiser.zero_grad()
        for mixture, sources in batches:
            loss = (network(mixture) - sources).square().mean()
            for letter in order:
                {"z": optimiser.zero_grad, "b": loss.backward, "s": optimiser.step, "n": network.zero_grad}[letter]()
            losses.append(loss.item())
        return losses

    return answer


def by_hand(network, optimiser, batches):
    losses = []
    for mixture, sources in batches:
        for weight in network.parameters():
            weight.grad = None
        losses.append(mse(network(mixture), sources))
        losses[-1].backward()
        optimiser.step()
    return losses


def measuring(still=(nn.Module,), after="before"):
    """Return an answer to exercise 4: which kinds of layers go into evaluation mode, and what happens afterwards."""

    def answer(system, mixture, sources):
        before = system.training
        for module in system.modules():
            if isinstance(module, still):
                module.training = False
        with torch.no_grad():
            value = si_sdr(system(mixture), sources).mean().item()
        if after != "nothing":
            system.train(before if after == "before" else True)
        return value

    return answer


def on_a_copy(system, mixture, sources):
    return si_sdr(copy.deepcopy(system).eval()(mixture).detach(), sources).mean().item()


def too_late(system, mixture, sources):
    before, value = system.training, on_a_copy(system, mixture, sources)
    system.train()(mixture)  # one more look, in the wrong mode
    system.train(before)
    return value


def loop_over(change, error=torch.square):
    """Return an answer to exercise 3 that goes over other batches, or another error."""

    def answer(network, optimiser, batches):
        losses = []
        for mixture, sources in change(batches):
            loss = error(network(mixture) - sources).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses.append(loss.item())
        return losses

    return answer


def every_second(network, optimiser, batches):
    losses = []
    for step, pair in enumerate(batches):
        losses += loop("zbs" if step % 2 == 0 else "bs")(network, optimiser, [pair])
    return losses


def one_step_at_the_end(network, optimiser, batches):
    losses = loop("b")(network, optimiser, batches)
    optimiser.step()
    return losses


def measured_after(network, optimiser, batches):
    losses = []
    for mixture, sources in batches:
        loop("zbs")(network, optimiser, [(mixture, sources)])
        losses.append(mse(network(mixture), sources).item())
    return losses


def in_numpy(network, optimiser, batches):
    return np.array(loop("zbs")(network, optimiser, batches))


def by_autograd(network, optimiser, batches):
    """The gradient is asked for and written down, so that nothing has to be cleared."""
    losses = []
    for mixture, sources in batches:
        losses.append(mse(network(mixture), sources))
        for p, slope in zip(
            network.parameters(), torch.autograd.grad(losses[-1], list(network.parameters())), strict=True
        ):
            p.grad = slope
        optimiser.step()
    return torch.stack(losses)


def scored(change):
    """Return an answer to exercise 4 that changes the estimates and sources before it scores, or the scores."""

    def answer(system, mixture, sources):
        before = system.training
        with torch.inference_mode():
            estimates = system.eval()(mixture)
        system.train(before)
        return float(change(estimates, sources, mixture))

    return answer


def rounded(*given):
    return np.float64(mended.validate(*given))


RIGHT = [
    (3, mended.train),
    (3, loop("nbs")),
    (3, loop("bsz")),
    (3, by_hand),
    (3, in_numpy),
    (3, by_autograd),
    (4, mended.validate),
    (4, measuring()),
    (4, on_a_copy),
    (4, rounded),
    (4, scored(lambda e, s, x: sum(si_sdr(a, b).mean() for a, b in zip(e, s, strict=True)) / len(e))),
]
WRONG = [
    (3, sick.train, "the sum of all gradients so far"),
    (3, loop("bs", per=0), "inside the loop"),
    (3, loop("bzs"), "Cleared between the last two"),
    (3, loop("zb"), "No weight has moved"),
    (3, loop("zbss"), "each batch takes two steps"),
    (3, every_second, "in every second step only"),
    (3, one_step_at_the_end, "one step, after the last batch"),
    (3, loop_over(lambda batches: batches[:1]), "only the first batch is learned from"),
    (3, loop_over(lambda batches: batches[:-1]), "the last batch is left out"),
    (3, loop_over(lambda batches: batches[::-1]), "in the reverse order"),
    (3, loop_over(lambda batches: batches, torch.abs), "the size of the error, not its square"),
    (3, measured_after, "before anything changes it"),
    (3, lambda *a: loop("zbs")(*a) and None, "returned nothing"),
    (3, lambda *a: loop("zbs")(*a)[:2], "the 2 losses are not those"),
    (3, lambda *a: loop("zbs")(*a)[0], "a list of numbers"),
    (4, sick.validate, "The same system and the same song, three times"),
    (4, measuring(nn.Dropout), "batch norm still uses the averages of this batch"),
    (4, measuring(nn.BatchNorm1d), "dropout still drops"),
    (4, measuring(after="nothing"), "comes back in evaluation mode"),
    (4, measuring(after="always"), "comes back in training mode"),
    (4, too_late, "has changed norm.running_mean"),
    (4, scored(lambda e, s, x: -si_sdr(e, s).mean()), "the sign is that of a loss"),
    (4, scored(lambda e, s, x: si_sdr(e, s).sum()), "the scores are added up"),
    (4, scored(lambda e, s, x: (si_sdr(e, s) - si_sdr(x[:, None].expand_as(s), s)).mean()), "the improvement over"),
    (4, scored(lambda e, s, x: si_sdr(e[:1], s[:1]).mean()), "only the first item"),
    (4, scored(lambda e, s, x: si_sdr(e[:, :1], s[:, :1]).mean()), "only the first source"),
    (4, scored(lambda e, s, x: si_sdr(e, s).max()), "the score of the best item"),
    (4, lambda *a: measuring()(*a) + 1, "where evaluation mode gives"),
    (4, lambda *a: [measuring()(*a)], "should be one number"),
    (4, lambda *a: str(mended.validate(*a)), "is of type str"),
    (4, lambda *a: torch.tensor(measuring()(*a)), "The score is a tensor"),
]
