"""The exercises of Conv-TasNet's lab: each usual mistake is recognised, each right answer passes, however written."""

import numpy as np
import torch

from tests.check.tables import *  # noqa: F403


def in_a_loop(kernel, blocks, stacks):
    frames = 1
    for _ in range(stacks):
        for block in range(blocks):
            frames += (kernel - 1) * 2**block
    return frames


def from_the_end(kernel, blocks, stacks):
    """Walk back from one frame, layer by layer."""
    first = last = 0
    for dilation in [2**b for b in range(blocks)] * stacks:
        first, last = first - (kernel - 1) * dilation, last
    return last - first + 1


def plain(x, widen, along, out, skip):
    h = along(widen(x))
    return x + out(h), skip(h)


def as_a_list(x, widen, along, out, skip):
    h = along(widen(x))
    return [out(h).add(x), skip(h)]


def aside_first(x, widen, along, out, skip):
    wide = widen(x)
    aside = skip(along(wide))
    return torch.stack([x, out(along(wide))]).sum(0), aside


def item_by_item(x, widen, along, out, skip):
    both = [plain(one[None], widen, along, out, skip) for one in x]
    return torch.cat([on for on, _ in both]), torch.cat([aside for _, aside in both])


def block(on=lambda x, h, out, skip: x + out(h), aside=lambda x, h, out, skip: skip(h), h=None):
    """Return an answer to exercise 3 with another way on, another skip, or another h."""

    def answer(x, widen, along, out, skip):
        found = h(x, widen, along) if h else along(widen(x))
        return on(x, found, out, skip), aside(x, found, out, skip)

    return answer


def in_place(x, widen, along, out, skip):
    h = along(widen(x))
    with torch.no_grad():
        x += out(h)
    return x, skip(h)


RIGHT = [
    (1, (128, 499)),
    (1, [128.0, 499.0]),
    (1, torch.nn.Conv1d(1, 128, 32, stride=16)(torch.zeros(1, 1, 8000)).shape[1:]),
    (1, np.array([128, 499])),
    (2, lambda kernel, blocks, stacks: 1 + stacks * (kernel - 1) * (2**blocks - 1)),
    (2, in_a_loop),
    (2, from_the_end),
    (2, lambda kernel, blocks, stacks: 1.0 + stacks * sum((kernel - 1) * 2.0**b for b in range(blocks))),
    (3, plain),
    (3, as_a_list),
    (3, aside_first),
    (3, item_by_item),
]
WRONG = [
    (1, (128, 500), "needs 16 samples that are not there"),
    (1, (128, 498), "the filter at sample 0 counts too"),
    (1, (128, 250), "filters side by side"),
    (1, (128, 501), "zeros around the sound"),
    (1, (128, 7969), "a filter at every sample"),
    (1, (499, 128), "K and T are swapped"),
    (1, (1, 499), "the number of channels that go in"),
    (1, (32, 499), "how long a filter is"),
    (1, (16, 499), "how far apart filters lie"),
    (1, (1, 128, 499), "3 sizes, but 2 axes"),
    (2, lambda kernel, blocks, stacks: stacks * (kernel - 1) * (2**blocks - 1), "The frame itself is missing"),
    (2, lambda kernel, blocks, stacks: 1 + (kernel - 1) * (2**blocks - 1), "That is one stack"),
    (2, lambda kernel, blocks, stacks: 1 + stacks * kernel * (2**blocks - 1), "one tap fewer distances"),
    (2, lambda kernel, blocks, stacks: 1 + stacks * (kernel - 1) * 2**blocks, "one below the next power of two"),
    (2, lambda kernel, blocks, stacks: 1 + stacks * (kernel - 1) * sum(range(blocks + 1)), "does not grow by one"),
    (2, lambda kernel, blocks, stacks: 1 + stacks * (kernel - 1) * blocks, "Without dilation"),
    (2, lambda kernel, blocks, stacks: 1 + (kernel - 1) * (2 ** (blocks * stacks) - 1), "begins with 1 again"),
    (2, lambda kernel, blocks, stacks: 1 + stacks * (2**blocks - 1), "One side only"),
    (2, lambda kernel, blocks, stacks: 1 + stacks * (kernel - 1) * 2 ** (blocks - 1), "the last block of each stack"),
    (2, lambda kernel, blocks, stacks: 1531, "a kernel of 3, 1 blocks"),
    (3, block(on=lambda x, h, out, skip: out(h)), "x is missing"),
    (3, block(lambda x, h, out, skip: skip(h), lambda x, h, out, skip: x + out(h)), "the two ways out are exchanged"),
    (3, block(on=lambda x, h, out, skip: x - out(h)), "taken away from x"),
    (3, block(on=lambda x, h, out, skip: x), "nothing of what was found"),
    (3, block(on=lambda x, h, out, skip: x * out(h)), "multiplied with x"),
    (3, block(on=lambda x, h, out, skip: 2 * x + out(h)), "x is added twice"),
    (3, block(h=lambda x, widen, along: widen(x)), "the look along time is missing"),
    (3, lambda x, widen, along, out, skip: (plain(x, widen, along, out, skip)[0], skip(widen(x))), "skip reads what"),
    (3, block(aside=lambda x, h, out, skip: x + out(h)), "the skip is what goes on"),
    (3, block(aside=lambda x, h, out, skip: skip(h) + x), "The sum is for what goes on"),
    (3, block(aside=lambda x, h, out, skip: out(h)), "out is used for both ways"),
    (3, lambda x, widen, along, out, skip: x + out(along(widen(x))), "should return two things"),
    (3, block(on=lambda x, h, out, skip: (x + out(h)).detach()), "the gradient is cut off"),
    (3, in_place, "changed its input number 1"),
]
