"""Patients 3 and 4, training and measuring: each cure is green however it is written, half a cure gets its hint."""

import copy

import pytest
import torch
from torch import nn

from sepbook.check.training import bug_clinic as check
from sepbook.losses.spectrogram import mse
from sepbook.losses.waveform import si_sdr

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


@pytest.mark.parametrize("answer", [loop("zbs"), loop("nbs"), loop("bsz"), by_hand])
def test_training_right_in_four_ways(hear, answer):
    assert "✔ Patient 3" in hear(check.exercise_3, answer)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (loop("bzs"), "Cleared between the last two"),
        (loop("bs", per=0), "inside the loop"),
        (loop("zb"), "No weight has moved"),
        (loop("zbss"), "the weights end elsewhere"),
        (lambda *a: loop("zbs")(*a) and None, "returned nothing"),
        (lambda *a: loop("zbs")(*a)[:2], "the 2 losses are not those"),
        (lambda *a: loop("zbs")(*a)[0], "a list of numbers"),
    ],
)
def test_training_half_mended(hear, answer, words):
    assert words in hear(check.exercise_3, answer, times=4)


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


@pytest.mark.parametrize("answer", [measuring(), on_a_copy])
def test_measuring_right_in_two_ways(hear, answer):
    assert "✔ Patient 4" in hear(check.exercise_4, answer)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (measuring(nn.Dropout), "batch norm still uses the averages of this batch"),
        (measuring(nn.BatchNorm1d), "dropout still drops"),
        (measuring(after="nothing"), "comes back in evaluation mode"),
        (measuring(after="always"), "comes back in training mode"),
        (too_late, "has changed norm.running_mean"),
        (lambda *a: None, "not yet"),
        (lambda *a: measuring()(*a) + 1, "where evaluation mode gives"),
        (lambda *a: [measuring()(*a)], "should be one number"),
        (lambda *a: torch.tensor(measuring()(*a)), "The score is a tensor"),
    ],
)
def test_measuring_half_mended(hear, answer, words):
    assert words in hear(check.exercise_4, answer, times=2)
