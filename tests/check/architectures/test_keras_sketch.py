"""The exercises of the sketch's lab: each usual mistake is recognised, each right answer passes, however written."""

import inspect
import re

import numpy as np
import pytest
import torch
from torch.nn import functional

from sepbook.check.architectures import keras_sketch as check
from tests.check.tables import test_nonsense_never_raises, test_stubs_stay_red  # noqa: F401
from tests.labs.reading import ROOT, read


def test_halved_twice(hear):
    block = torch.nn.Sequential(torch.nn.Conv2d(1, 16, 5, stride=2), torch.nn.MaxPool2d(5, stride=2))
    assert "✔" in hear(check.exercise_1, block(torch.zeros(1, 1, 256, 64)).shape[1:])
    assert "The pool comes after it" in hear(check.exercise_1, (16, 126, 30), times=2)
    assert "There are none" in hear(check.exercise_1, (16, 64, 16), times=2)
    assert "not yet" in hear(check.exercise_1, (..., ..., ...))


def join(up, below, skip):
    x = up(below)[:, :, : skip.shape[2], : skip.shape[3]]
    return torch.cat((x, skip), 1)


def join_by_narrow(up, below, skip):
    x = up(below).narrow(2, 0, skip.shape[2]).narrow(3, 0, skip.shape[3])
    return torch.concatenate([x, skip], dim=-3)


@pytest.mark.parametrize("answer", [join, join_by_narrow])
def test_joined_right_in_two_ways(hear, answer):
    assert "✔ Exercise 2" in hear(check.exercise_2, answer)


def at_the_end(up, below, skip):
    F, T = skip.shape[-2:]
    return torch.cat([up(below)[..., -F:, -T:], skip], dim=1)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda up, below, skip: up(torch.cat([below, skip], dim=-1)), "stops in line"),
        (lambda up, below, skip: torch.cat([up(below), skip], dim=1), "stops in line"),
        (lambda up, below, skip: torch.cat([up(below), skip], dim=-1), "frame) is 12 instead of 6"),
        (lambda up, below, skip: up(below)[..., : skip.shape[2], : skip.shape[3]] + skip, "H=4"),
        (lambda up, below, skip: torch.cat([skip, join(up, below, skip)[:, :4]], 1), "the skip stands before"),
        (at_the_end, "takes from the beginning"),
        (lambda up, below, skip: join(up, below, skip.detach()), "No gradient arrives at input number 2"),
    ],
)
def test_joined_wrong(hear, answer, words):
    first, second = hear(check.exercise_2, answer), hear(check.exercise_2, answer)
    assert "✘" in first and "✘" in second and words in first + second


@pytest.mark.parametrize("answer", [lambda f, x: torch.sigmoid(f(x)) * x, lambda f, x: x / (1 + torch.exp(-f(x)))])
def test_estimate_right_in_two_ways(hear, answer):
    assert "✔ Exercise 3" in hear(check.exercise_3, answer)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda f, x: torch.relu(f(x)), "the sketch as it was"),
        (lambda f, x: torch.sigmoid(f(x)), "never multiplied with the mixture"),
        (lambda f, x: torch.relu(f(x)) * x, "not a share"),
        (lambda f, x: f(x) * x, "nothing keeps the mask"),
        (lambda f, x: x - torch.sigmoid(f(x)) * x, "what the mask takes away"),
        (lambda f, x: torch.softmax(f(x), 1) * x, "a softmax over one source"),
        (lambda f, x: torch.sigmoid(f(x) * x), "comes after the multiplication"),
        (lambda f, x: torch.sigmoid(f(x).detach()) * x.detach(), "the gradient is cut off"),
        (lambda f, x: x.mul_(torch.sigmoid(f(x))), "changed its input number 2"),
    ],
)
def test_estimate_wrong(hear, answer, words):
    first, second = hear(check.exercise_3, answer), hear(check.exercise_3, answer)
    assert "✘" in first and "✘" in second and words in first + second


def step(order="nr", rate=0.5, train=None, what="below"):
    """Return an answer to exercise 4: n norm, r ReLU, in this order; `what` goes into the dropout."""

    def step_up(up, norm, below, skip, training):
        x = up(below)
        for letter in order:
            x = norm(x) if letter == "n" else torch.relu(x)
        return functional.dropout(x if what == "below" else skip, rate, training if train is None else train)

    return step_up


def by_hand(up, norm, below, skip, training):
    x = norm(up(below)).clamp(min=0)
    return x * (torch.rand_like(x) > 0.5) * 2 if training else x


def by_numpy(up, norm, below, skip, training):
    x = torch.relu(norm(up(below)))
    return x * torch.from_numpy(2.0 * np.random.default_rng().integers(2, size=x.shape)) if training else x


def whole_maps(up, norm, below, skip, training):
    return functional.dropout2d(torch.relu(norm(up(below))), 0.5, training)


@pytest.mark.parametrize("answer", [step(), by_hand, by_numpy])
def test_step_up_right_in_two_ways(hear, answer):
    assert "✔ Exercise 4" in hear(check.exercise_4, answer)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (step("r", what="skip"), "What the layer made is thrown away"),
        (step("r"), "the normalisation is missing"),
        (step("rn"), "the normalisation comes after the ReLU"),
        (step("n"), "the ReLU is missing"),
        (step(train=True), "With training=False values are dropped all the same"),
        (step("r", train=True, what="skip"), "With training=False values are dropped all the same"),
        (step(train=False), "With training=True nothing is dropped"),
        (step(rate=0.1), "either 0 or twice"),
        (whole_maps, "whole maps are dropped"),
        (lambda up, norm, below, skip, training: torch.cat([below, skip], 1), "stops in line"),
    ],
)
def test_step_up_wrong(hear, answer, words):
    first, second = hear(check.exercise_4, answer), hear(check.exercise_4, answer)
    assert "✘" in first and "✘" in second and words in first + second


def freeze(block=-1, off=True, on=True, still=True, give="last"):
    """Return an answer to exercise 5, with some of its steps left out."""

    def prepare(system):
        if off:
            system.requires_grad_(False)
        last = system.network.decoder[block]
        if on:
            last.requires_grad_(True)
        if still:
            system.eval()
        return {"last": list(last.parameters()), "all": list(system.parameters()), "named": list(last.state_dict())}[
            give
        ]

    return prepare


def by_name(system):
    for name, p in system.named_parameters():
        p.requires_grad = name.startswith("network.decoder.1.")  # the system of the check has two blocks
    for module in system.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.eval()
    return (p for p in system.parameters() if p.requires_grad)


@pytest.mark.parametrize("answer", [freeze(), by_name])
def test_frozen_right_in_two_ways(hear, answer):
    assert "✔ Exercise 5" in hear(check.exercise_5, answer)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (freeze(off=False), "can still learn"),
        (freeze(on=False), "The last block cannot learn"),
        (freeze(block=0), "can still learn"),
        (freeze(still=False), "still in training mode"),
        (freeze(give="all"), "nothing else"),
        (freeze(give="named"), "names, perhaps"),
        (lambda system: system.requires_grad_(False) and None, "returned nothing"),
    ],
)
def test_frozen_wrong(hear, answer, words):
    first, second = hear(check.exercise_5, answer), hear(check.exercise_5, answer)
    assert "✘" in first and "✘" in second and words in first + second


def test_page_lab_and_measurement_use_the_same_recording():
    from tools.results import keras_sketch

    code = inspect.getsource(keras_sketch.rerecord).strip()
    page = (ROOT / "book" / "architectures" / "keras_sketch.md").read_text(encoding="utf-8")
    lab = "\n".join(cell.source for cell in read("architectures/keras_sketch.ipynb").cells)
    assert code in page and code in lab
    assert len(re.findall(r"def rerecord", page)) == 1
