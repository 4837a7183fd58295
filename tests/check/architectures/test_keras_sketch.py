"""The exercises of the sketch's lab: each usual mistake is recognised, each right answer passes, however written."""

import ast
import inspect
import re

import numpy as np
import torch
from torch.nn import functional

from tests.check.tables import *  # noqa: F403
from tests.labs.reading import ROOT, read


def block():
    return torch.nn.Sequential(torch.nn.Conv2d(1, 16, 5, stride=2), torch.nn.MaxPool2d(5, stride=2))


def join(up, below, skip, axis=1):
    x = up(below)[:, :, : skip.shape[2], : skip.shape[3]]
    return torch.cat((x, skip), axis)


def join_by_narrow(up, below, skip):
    x = up(below).narrow(2, 0, skip.shape[2]).narrow(3, 0, skip.shape[3])
    return torch.concatenate([x, skip], dim=-3)


def join_in_double_precision(up, below, skip):
    x = up(below.double())
    return torch.hstack([x[..., : skip.shape[2], : skip.shape[3]], skip.double()])


def by_repeating(up, below, skip):
    """The nearest neighbour by hand, whatever `up` does."""
    return join(lambda x: x.repeat_interleave(2, 2).repeat_interleave(2, 3), below, skip)


def join_by_loop(up, below, skip):
    x = up(below)
    rows = [torch.cat([x[b, :, : skip.shape[2], : skip.shape[3]], skip[b]]) for b in range(len(skip))]
    return torch.stack(rows)


def at_the_end(up, below, skip):
    F, T = skip.shape[-2:]
    return torch.cat([up(below)[..., -F:, -T:], skip], dim=1)


def filled_up(up, below, skip):
    x = up(below)
    more = [x.shape[axis] - skip.shape[axis] for axis in (3, 2)]
    return torch.cat([x, functional.pad(skip, (0, more[0], 0, more[1]))], 1)


def smooth(up, below, skip):
    return join(lambda x: functional.interpolate(x, scale_factor=2, mode="bilinear"), below, skip)


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


def by_module(up, norm, below, skip, training):
    return torch.nn.Sequential(up, norm, torch.nn.ReLU(), torch.nn.Dropout(0.5).train(training))(below)


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
        p.requires_grad = name.startswith(f"network.decoder.{len(system.network.decoder) - 1}.")
    for module in system.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.eval()
    return (p for p in system.parameters() if p.requires_grad)


def one_by_one(system):
    chosen = tuple(system.network.decoder[-1].parameters())
    for p in system.parameters():
        p.requires_grad = any(p is q for q in chosen)
    system.train(False)
    return chosen


def by_layers(system):
    *others, last = [*system.network.encoder, *system.network.decoder]
    for layer in others:
        for p in layer.parameters():
            p.requires_grad_(False)
    system.network.eval()
    return [p for _, p in last.named_parameters()]


def started_again(system):
    kernel = system.network.decoder[-1].parameters().__next__()
    torch.nn.init.ones_(kernel.data)
    return freeze()(system)


def kernel_only(system):
    freeze()(system)
    kernel, bias = system.network.decoder[-1].parameters()
    bias.requires_grad_(False)
    return [kernel]


RIGHT = [
    (1, (16, 61, 13)),
    (1, [16.0, 61, 13]),
    (1, block()(torch.zeros(1, 1, 256, 64)).shape[1:]),
    (1, np.array([16, 61, 13])),
    (2, join),
    (2, join_by_narrow),
    (2, join_in_double_precision),
    (2, join_by_loop),
    (3, lambda f, x: torch.sigmoid(f(x)) * x),
    (3, lambda f, x: x / (1 + torch.exp(-f(x)))),
    (3, lambda f, x: x * (1 + torch.tanh(f(x) / 2)) / 2),
    (3, lambda f, x: torch.stack([f(x), torch.zeros_like(x)]).double().softmax(0)[0] * x),
    (4, step()),
    (4, by_hand),
    (4, by_numpy),
    (4, by_module),
    (5, freeze()),
    (5, by_name),
    (5, one_by_one),
    (5, by_layers),
]
WRONG = [
    (1, (16, 126, 30), "The pool comes after it"),
    (1, (16, 64, 16), "There are none"),
    (1, (16, 128, 32), "one halving"),
    (1, (16, 61, 14), "rounds down before you add one"),
    (1, (16, 13, 61), "F and T are swapped"),
    (1, (1, 61, 13), "the number of maps that go in"),
    (1, (16, 63, 15), "That is a pool of 2"),
    (1, (16, 122, 26), "this is a stride of 1"),
    (1, (1, 16, 61, 13), "4 sizes, but 3 axes"),
    (2, lambda up, below, skip: up(torch.cat([below, skip], dim=-1)), "stops in line"),
    (2, lambda up, below, skip: torch.cat([up(below), skip], dim=1), "stops in line"),
    (2, lambda up, below, skip: join(up, below, skip, 2), "stacked along F"),
    (2, lambda up, below, skip: join(up, below, skip, 3), "stacked along T"),
    (2, lambda up, below, skip: up(below)[..., : skip.shape[2], : skip.shape[3]] + skip, "the two maps are added"),
    (2, lambda up, below, skip: join(up, below, 0 * skip), "zeros come in the place of the skip"),
    (2, lambda up, below, skip: torch.cat([skip, join(up, below, skip)[:, :4]], 1), "the skip stands before"),
    (2, at_the_end, "takes from the beginning"),
    (2, filled_up, "filled up with zeros"),
    (2, by_repeating, "in another way than by `up`"),
    (2, smooth, "in another way than by `up`"),
    (2, lambda up, below, skip: join(up, below, skip.detach()), "No gradient arrives at input number 2"),
    (3, lambda f, x: torch.relu(f(x)), "the sketch as it was"),
    (3, lambda f, x: torch.sigmoid(f(x)), "never multiplied with the mixture"),
    (3, lambda f, x: torch.relu(f(x)) * x, "not a share"),
    (3, lambda f, x: f(x) * x, "nothing keeps the mask"),
    (3, lambda f, x: x - torch.sigmoid(f(x)) * x, "what the mask takes away"),
    (3, lambda f, x: torch.softmax(f(x), 1) * x, "a softmax over one source"),
    (3, lambda f, x: torch.sigmoid(f(x) * x), "comes after the multiplication"),
    (3, lambda f, x: torch.tanh(f(x)) * x, "a share is never negative"),
    (3, lambda f, x: torch.sigmoid(f(x)) + x, "added to the mixture"),
    (3, lambda f, x: x / torch.sigmoid(f(x)), "divided by the mask"),
    (3, lambda f, x: torch.sigmoid(f(x)) ** 2 * x, "the mask is squared"),
    (3, lambda f, x: (torch.sigmoid(f(x)) * x)[:, :1], "C (audio channel) is 1 instead of 2"),
    (3, lambda f, x: torch.sigmoid(f(x).detach()) * x.detach(), "the gradient is cut off"),
    (3, lambda f, x: x.mul_(torch.sigmoid(f(x))), "changed its input number 2"),
    (4, step("r", what="skip"), "the layer made is thrown away"),
    (4, step("r"), "the normalisation is missing"),
    (4, step("rn"), "the normalisation comes after the ReLU"),
    (4, step("n"), "the ReLU is missing"),
    (4, step(train=True), "With training=False values are dropped all the same"),
    (4, step(train=False), "With training=True nothing is dropped"),
    (4, step(rate=0.1), "either 0 or twice"),
    (4, whole_maps, "whole maps are dropped"),
    (4, lambda up, norm, below, skip, training: torch.cat([below, skip], 1), "stops in line"),
    (5, freeze(off=False), "can still learn"),
    (5, freeze(block=1), "can still learn"),
    (5, started_again, "should stay"),
    (5, freeze(on=False), "The last block cannot learn: "),
    (5, kernel_only, "The last block cannot learn whole"),
    (5, freeze(still=False), "still in training mode"),
    (5, freeze(give="all"), "nothing else"),
    (5, freeze(give="named"), "names, perhaps"),
    (5, lambda system: freeze()(system)[:1], "The list holds 1 weights"),
    (5, lambda system: system.requires_grad_(False) and None, "returned nothing"),
]


def test_page_lab_and_measurement_use_the_same_recording():
    from tools.results import keras_sketch

    code = inspect.getsource(keras_sketch.rerecord).strip()
    page = (ROOT / "book" / "architectures" / "keras_sketch.md").read_text(encoding="utf-8")
    lab = "\n".join(cell.source for cell in read("architectures/keras_sketch.ipynb").cells)
    [own] = re.findall(r"^def rerecord.*?(?=^\S|\Z)", lab, re.M | re.S)
    assert code in page and ast.dump(ast.parse(own)) == ast.dump(ast.parse(code))  # however lines are broken
    assert len(re.findall(r"def rerecord", page)) == 1
