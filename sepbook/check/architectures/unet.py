"""Checks for the lab on the U-Net: a shape, the padding, the skips, and a bug. Taught on: book/architectures/unet."""

from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from sepbook.architectures.unet import Config, UNet
from sepbook.building_blocks.convolution import same_padding
from sepbook.check import call, exercise, expect_gradient, expect_sizes, expect_values
from sepbook.check._inputs import dice, seeded

TINY = Config(source_names=("voice", "band"), widths=(4, 8, 12), dropout=0.0, norm_epsilon=1e-5, init_std=0.0)


@exercise(
    "Exercise 1: the shape after one strided convolution",
    hints=(
        "H is the number of kernels. F and T follow from where a kernel of 5 fits when it moves in steps of 2.",
        "Do it for F alone: kernels at bins 0, 2, 4, …, the last one where all five taps still fit into 512 bins.",
        "Place the kernel at bin 0, 2, 4, … and count the places where all five taps lie inside: (size - 5) // 2 + 1.",
    ),
)
def exercise_1(prediction):
    """Check the predicted (H, F, T) of Conv2d(1, 16, 5, stride=2) on one channel of 64 bins and 32 frames."""
    known = {
        (16, 32, 16): "Half of each axis is what we want. But nothing was padded: the kernel must stay inside.",
        (16, 29, 13): "Nearly: the first place of the kernel counts too, so add one.",
        (16, 60, 28): "That is a stride of 1. With a stride of 2 every second place is left out.",
        (16, 14, 30): "F and T are swapped: F comes before T.",
        (1, 30, 14): "That is the number of maps that go in. Each of the 16 kernels makes a map.",
        (5, 30, 14): "5 is the size of a kernel. H counts the kernels.",
        (16, 33, 17): "Zeros of a whole kernel on each side? There are none at all here.",
        (16, 31, 15): "The kernel fits a whole number of times only: what is left over at the end is not used.",
    }
    expect_sizes(prediction, (16, 30, 14), "H F T", known)
    return "Two bins short of a half at each level: after six levels the way back up would not fit."


def _padded(x: Tensor, kernel: int, order=(0, 1), extra_after: bool = True) -> Tensor:
    pairs = [same_padding(size, kernel, 2) for size in x.shape[-2:]]
    pairs = [pair if extra_after else pair[::-1] for pair in pairs]
    return functional.pad(x, (*pairs[order[1]], *pairs[order[0]]))


def _all_on_one_side(x: Tensor, kernel: int, after: bool) -> Tensor:
    totals = [sum(same_padding(size, kernel, 2)) for size in x.shape[-2:]]
    return functional.pad(x, [n for total in reversed(totals) for n in ((0, total) if after else (total, 0))])


def _of_the_edge(x: Tensor, kernel: int, mode: str) -> Tensor:
    """Pad with other values than zeros, or return nothing comparable where a map is too small for that."""
    pairs = [same_padding(size, kernel, 2) for size in x.shape[-2:]]
    if mode == "reflect" and any(max(pair) >= size for pair, size in zip(pairs, x.shape[-2:], strict=True)):
        return torch.empty(0)
    return functional.pad(x, (*pairs[1], *pairs[0]), mode=mode)


@exercise(
    "Exercise 2: zeros so that a stride of 2 halves",
    hints=(
        "Take each axis by itself. The last kernel starts at (half - 1) * 2 and covers `kernel` values from there.",
        "For size 7 and kernel 5: half is 4, the last kernel starts at 6 and needs values up to 10. How many "
        "zeros is that?",
        "half = -(-size // 2); total = max((half - 1) * 2 + kernel - size, 0); put total // 2 zeros before and the "
        "rest after. functional.pad takes the last axis first: (before T, after T, before F, after F).",
    ),
)
def exercise_2(pad_to_halve):
    """Check a function of x `(B, H, F, T)` and a kernel size: zeros around F and T, the odd one after."""
    for size, kernel in (((64, 32), 5), ((7, 8), 5), ((9, 6), 3), ((10, 7), 4), ((1, 2), 5)):
        x = torch.rand(2, 3, *size, generator=dice(sum(size))) + 0.1
        known = {
            "the axes are swapped. functional.pad begins with the last axis, which is T": _padded(x, kernel, (1, 0)),
            "the odd zero stands before the values instead of after them": _padded(x, kernel, extra_after=False),
            "all zeros stand after the values. Half of them belong before": _all_on_one_side(x, kernel, True),
            "all zeros stand before the values. Half of them belong after": _all_on_one_side(x, kernel, False),
            "the same number on each side, kernel // 2. That is right for a stride of 1, and can be one too many": (
                functional.pad(x, (kernel // 2,) * 4)
            ),
            "a whole kernel, less one, on each side. It is the total that counts": functional.pad(x, (kernel - 1,) * 4),
            "only F has zeros. T is halved too": functional.pad(x, (0, 0, *same_padding(size[0], kernel, 2))),
            "only T has zeros. F is halved too": functional.pad(x, same_padding(size[1], kernel, 2)),
            "nothing was padded": x,
            "the map itself is repeated beyond its edge. Zeros are asked for": _of_the_edge(x, kernel, "reflect"),
            "the last value is repeated beyond the edge. Zeros are asked for": _of_the_edge(x, kernel, "replicate"),
        }
        where = "It is about an input of {} bins and {} frames, and a kernel of {}.".format(*size, kernel)
        expect_values(call(pad_to_halve, x, kernel), _padded(x, kernel), "B H F T", known, where)
    return "It is what TensorFlow calls 'same'. padding=2 gives these sizes as well, but every map sits one bin off."


def _forward(network: UNet, x: Tensor, skip_first: bool = False, finish=torch.sigmoid, keep=lambda x: x) -> Tensor:
    """The forward pass, and with other arguments the usual ways to get it wrong; `keep` is done to every skip."""
    maps = []
    for block in network.encoder:
        x = block(x)
        maps.append(x)
    x = network.decoder[0](maps.pop())
    for block in network.decoder[1:]:
        pair = [keep(maps.pop()), x] if skip_first else [x, keep(maps.pop())]
        x = block(torch.cat(pair, dim=1))
    return finish(x)


def _network(seed: int, widths: tuple[int, ...] = TINY.widths) -> UNet:
    """A small U-Net in eval mode whose random weights are large enough to tell mistakes apart."""
    with seeded(seed):
        network = UNet(replace(TINY, widths=widths))
        for layer in network.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.normal_(layer.weight, std=0.2)
    return network.eval()


@exercise(
    "Exercise 3: down, across and up",
    hints=(
        "Follow one map at a time through the picture: which decoder block has the size of which encoder block?",
        "Give every encoder output a place in a list. The first decoder block takes the last of them, alone.",
        "Keep every encoder output in a list. The last one starts the way up: x = decoder[0](maps.pop()). Then for "
        "each later block: x = block(torch.cat([x, maps.pop()], dim=1)). End with torch.sigmoid.",
    ),
)
def exercise_3(unet_masks):
    """Check a function of encoder, decoder and magnitude `(B, 1, F, T)`: masks `(B, S, F, T)`, with skips."""
    for seed, B, size, widths in ((0, 2, (16, 24), TINY.widths), (1, 1, (32, 8), (4, 6))):
        network = _network(seed, widths)
        x = torch.rand(B, 1, *size, generator=dice(seed), requires_grad=True)
        known = {
            "torch.cat puts the skip before what comes from below; it belongs behind": _forward(network, x, True),
            "the sigmoid at the end is missing": _forward(network, x, finish=lambda y: y),
            "the last step is a ReLU instead of a sigmoid": _forward(network, x, finish=torch.relu),
            "the last step is a softmax. Each of these masks is a share by itself, from a sigmoid": (
                _forward(network, x, finish=lambda y: y.softmax(1))
            ),
            "the last step is a tanh, and a share is never negative": _forward(network, x, finish=torch.tanh),
            "the sigmoid is there twice": _forward(network, x, finish=lambda y: y.sigmoid().sigmoid()),
            "zeros come in the place of the skips: nothing crosses": _forward(network, x, keep=torch.zeros_like),
            "the masks are multiplied with the mixture. Asked for are the masks": _forward(network, x) * x,
        }
        masks = call(unet_masks, list(network.encoder), list(network.decoder), x)
        expect_values(masks, _forward(network, x), "B S F T", known, f"It is about a network of {len(widths)} levels.")
        expect_gradient(masks, x)
    return "The skips carry the fine detail across; what comes from below says what it belongs to."


def _any_size(
    logits, x: Tensor, multiple: int, finish=torch.sigmoid, before=False, crop_end=True, whole=False, mode="constant"
) -> Tensor:
    F, T = x.shape[-2:]
    f, t = (multiple - size % multiple if whole else -size % multiple for size in (F, T))
    y = finish(logits(functional.pad(x, (t, 0, f, 0) if before else (0, t, 0, f), mode=mode)))
    return y[..., :F, :T] if crop_end else y[..., f:, t:]


@exercise(
    "Exercise 4: find the bugs",
    hints=(
        "Try it on 32 bins and 16 frames first, where no padding is needed, and look at the smallest and largest mask.",
        "Try 33 bins after that: how much does F % multiple add, and how much is missing up to the next multiple?",
        "There are three: -F % multiple instead of F % multiple (the same for T), a sigmoid instead of the ReLU, and a "
        "crop at the end: [..., :F, :T].",
    ),
)
def exercise_4(masks_for_any_size):
    """Check a function of logits, magnitude `(B, 1, F, T)`, multiple: masks `(B, S, F, T)` in 0…1 of any size."""
    for size, widths in (((32, 16), TINY.widths), ((45, 37), TINY.widths), ((8, 3), (4, 6))):
        network, multiple = _network(2, widths), 2 ** len(widths)

        def logits(x, network=network):
            return _forward(network, x, finish=lambda y: y)

        x = torch.rand(1, 1, *size, generator=dice(size[0]))
        F, T = (-n % multiple for n in size)
        padded, half = functional.pad(x, (0, T, 0, F)), (T // 2, T - T // 2, F // 2, F - F // 2)
        where = "It is about an input of {} bins and {} frames, and a multiple of {}.".format(*size, multiple)
        known = {
            "ReLU gives 0 and more. A share of the mixture lies between 0 and 1": _any_size(
                logits, x, multiple, torch.relu
            ),
            "there is nothing that keeps the masks between 0 and 1": _any_size(logits, x, multiple, lambda y: y),
            "a softmax links the masks. Each of them is a share by itself, from a sigmoid": (
                _any_size(logits, x, multiple, lambda y: y.softmax(1))
            ),
            "the edge is repeated instead of followed by zeros": _any_size(logits, x, multiple, mode="replicate"),
            "the masks are multiplied with the mixture. Asked for are the masks": _any_size(logits, x, multiple) * x,
            "the crop is missing: the masks are larger than the mixture": _any_size(logits, padded, multiple),
            "the zeros come before and after, half and half, and the crop takes from the beginning": (
                _any_size(logits, functional.pad(x, half), multiple)[..., : size[0], : size[1]]
            ),
            "a whole multiple of zeros is put where none is missing": _any_size(logits, x, multiple, whole=True),
            "the zeros are put before the spectrogram, so that it is cropped away": _any_size(
                logits, x, multiple, before=True, crop_end=True
            ),
            "the crop takes from the beginning what was padded at the end": _any_size(
                logits, x, multiple, crop_end=False
            ),
        }
        masks = call(masks_for_any_size, logits, x, multiple)
        expect_values(masks, _any_size(logits, x, multiple), "B S F T", known, where)
    return "So much for a fixed input size: pad to the next multiple, crop, and any length will do."
