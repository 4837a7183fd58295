"""Checks for the lab on Conv-TasNet: a shape, how far it sees, a block. Taught on: book/architectures/conv_tasnet."""

import torch
from torch import nn

from sepbook.architectures.conv_tasnet import Block, Config
from sepbook.check import call, exercise, expect_gradient, expect_number, expect_parts, expect_sizes, expect_values
from sepbook.check._inputs import dice, seeded


@exercise(
    "Exercise 1: the shape of a code",
    hints=(
        "K is the number of filters. T follows from where a filter of 32 samples fits when it moves in steps of 16.",
        "Do it for 64 samples first: filters at 0, 16 and 32 fit, one at 48 does not.",
        "Count the places 0, 16, 32, … at which all 32 samples lie inside: (samples - 32) // 16 + 1.",
    ),
)
def exercise_1(prediction):
    """Check the predicted (K, T) of Conv1d(1, 128, 32, stride=16) on one second at 8 kHz."""
    known = {
        (128, 500): "500 filters would begin inside the sound. The last of them needs 16 samples that are not there.",
        (128, 498): "Nearly: the filter at sample 0 counts too.",
        (128, 250): "That is for filters side by side. These overlap by half.",
        (128, 501): "That is with zeros around the sound. Here there are none.",
        (128, 7969): "That is a stride of 1: a filter at every sample.",
        (499, 128): "K and T are swapped: K comes first.",
        (1, 499): "1 is the number of channels that go in. Each of the filters makes a row of the code.",
        (32, 499): "32 is how long a filter is. K counts the filters.",
        (16, 499): "16 is how far apart filters lie. K counts the filters.",
    }
    expect_sizes(prediction, (128, 499), "K T", known)
    return "Half a thousand frames in each second: a spectrogram with a hop of 16 ms has 62."


@exercise(
    "Exercise 2: how many frames it sees",
    hints=(
        "Begin with one block: the frame itself, and kernel - 1 more, as far apart as the dilation says.",
        "With a kernel of 3, blocks of dilation 1, 2 and 4 add 2, 4 and 8 frames. A second stack adds the same again.",
        "1 + stacks * (kernel - 1) * (2**blocks - 1), because 1 + 2 + 4 + … has this sum.",
    ),
)
def exercise_2(frames_seen):
    """Check a function of kernel, blocks and stacks: the number of frames that one frame of the masks depends on."""
    drawn = [int(number) for number in torch.randint(3, 8, (3,), generator=dice(2))]
    for kernel, blocks, stacks in ((3, 8, 3), (3, 1, 1), (5, 4, 2), (2, 6, 4), (3, 6, 2), drawn):
        taps, doubled = kernel - 1, 2**blocks - 1
        known = {
            stacks * taps * doubled: "The frame itself is missing. One frame without any block sees one frame.",
            1 + taps * doubled: "That is one stack. Each further stack adds as much again.",
            1 + stacks * kernel * doubled: "A kernel has one tap fewer distances than taps.",
            1 + stacks * taps * 2**blocks: "1 + 2 + 4 + … ends one below the next power of two.",
            1 + stacks * taps * blocks * (blocks + 1) // 2: "The dilation does not grow by one from block to block.",
            1 + stacks * taps * blocks: "Without dilation, that would be right.",
            1 + taps * (2 ** (blocks * stacks) - 1): "In a new stack the dilation begins with 1 again.",
            1 + stacks * doubled: "One side only. A kernel of 3 reaches to both.",
            1 + stacks * taps * 2 ** (blocks - 1): "That is the last block of each stack alone. The others see too.",
        }
        right = 1 + stacks * taps * doubled
        known = {wrong: said for wrong, said in known.items() if wrong != right}
        where = f"It is about a kernel of {kernel}, {blocks} blocks in a stack, and {stacks} stacks."
        expect_number(call(frames_seen, kernel, blocks, stacks), right, known, where)
    return "Eight blocks more than double what seven see. Eight convolutions without dilation see 17 frames."


def _block(seed: int, narrow: int, skip: int) -> Block:
    """A small block whose norms and slopes are not those of the start."""
    with seeded(seed):
        block = Block(Config(narrow=narrow, skip=skip, width=5, norm="frame"), dilation=2)
        for weight in block.parameters():
            nn.init.normal_(weight, std=0.5)
    return block


@exercise(
    "Exercise 3: one block",
    hints=(
        "Go through the picture of the block: what does each of the four layers read, and what leaves the block?",
        "Two layers in turn make h. Both ways out begin at h, and only one of them meets x again.",
        "h = along(widen(x)), and then return x + out(h), skip(h).",
    ),
)
def exercise_3(block):
    """Check a function of x `(B, H, T)` and four layers: what goes on to the next block, and the skip."""
    for seed, B, narrow, skip_features in ((0, 2, 3, 3), (1, 1, 4, 2)):
        layers = _block(seed, narrow, skip_features)
        widen, along, out, skip = layers.widen, layers.along, layers.out, layers.skip
        x = torch.randn(B, narrow, 9, generator=dice(seed), requires_grad=True)
        h, where = along(widen(x)), f"It is about a skip of {skip_features} features."
        on, aside = x + out(h), skip(h)
        what = "The function should return two things, what goes on and the skip."
        given = call(block, x, widen, along, out, skip)
        given = expect_parts(given, 2, what, "Look at the last line.", "End with return x + out(h), skip(h).")
        known = {
            "x is missing: what goes on is x and what was found, added": out(h),
            "the two ways out are exchanged. First what goes on, then the skip": aside,
            "what was found is taken away from x instead of added": x - out(h),
            "x itself goes on, and nothing of what was found": x,
            "the look along time is missing: out reads what widen has made": x + out(widen(x)),
            "what was found is multiplied with x instead of added": x * out(h),
            "x is added twice": 2 * x + out(h),
        }
        expect_values(given[0], on, "B H T", known, f"It is about what goes on. {where}")
        known = {
            "skip reads what widen has made. It belongs behind the look along time": skip(widen(x)),
            "the skip is what goes on. It has a layer of its own": on,
            "x is added to the skip. The sum is for what goes on": aside + x if narrow == skip_features else x,
            "out is used for both ways": out(h),
        }
        expect_values(given[1], aside, "B H T", known, f"It is about the skip. {where}")
        expect_gradient(given[0], x)
    return "With out at zero a block hands on x unchanged, so a deep chain can be trained from the first step."
