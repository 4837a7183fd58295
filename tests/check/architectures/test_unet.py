"""The exercises of the U-Net's lab: each usual mistake is recognised, each right answer passes, however written."""

import numpy as np
import torch
from torch.nn import functional

from sepbook.building_blocks.convolution import same_padding
from tests.check.tables import *  # noqa: F403


def pairs(x, kernel):
    return [same_padding(size, kernel, 2) for size in x.shape[-2:]]


def pad_by_arithmetic(x, kernel):
    total = [max((-(-size // 2) - 1) * 2 + kernel - size, 0) for size in x.shape[-2:]]
    pairs = [(t // 2, t - t // 2) for t in total]
    return functional.pad(x, pairs[1] + pairs[0])


def pad_by_blocks(x, kernel):
    B, H, F, T = x.shape
    (top, bottom), (left, right) = pairs(x, kernel)
    wide = torch.zeros(B, H, top + F + bottom, left + T + right)
    wide[:, :, top : top + F, left : left + T] = x
    return wide


def pad_by_joining(x, kernel):
    for axis, pair in zip((2, 3), pairs(x, kernel), strict=True):
        before, after = (x.new_zeros([n if i == axis else size for i, size in enumerate(x.shape)]) for n in pair)
        x = torch.cat([before, x, after], axis)
    return x


def pad_in_numpy(x, kernel):
    return np.pad(x.numpy(), ((0, 0), (0, 0), *pairs(x, kernel)))


def padded(change, **more):
    """Return an answer to exercise 2 that changes the pairs of zeros around F and T."""
    return lambda x, kernel: functional.pad(x, [n for pair in reversed(change(pairs(x, kernel))) for n in pair], **more)


def swaps_axes(x, kernel):
    F, T = x.shape[-2:]
    return functional.pad(x, (*same_padding(F, kernel, 2), *same_padding(T, kernel, 2)))


def stack(x, skip):
    return torch.cat([x, skip], dim=1)


def joined(join=stack, end=torch.sigmoid):
    """Return an answer to exercise 3 that joins two maps in its own way."""

    def unet_masks(encoder, decoder, magnitude):
        x, maps = magnitude, []
        for block in encoder:
            x = block(x)
            maps.append(x)
        x = decoder[0](maps.pop())
        for block in decoder[1:]:
            x = block(join(x, maps.pop()))
        return end(x)

    return unet_masks


def three_levels(encoder, decoder, magnitude):
    """Right for as many levels as the picture has, and for no other number."""
    one = encoder[0](magnitude)
    two = encoder[1](one)
    if len(encoder) == 2:
        return torch.sigmoid(decoder[1](stack(one, one)))
    x = stack(decoder[0](encoder[2](two)), two)
    return torch.sigmoid(decoder[2](stack(decoder[1](x), one)))


def skips_by_index(encoder, decoder, magnitude):
    maps = [magnitude]
    for block in encoder:
        maps.append(block(maps[-1]))
    x = decoder[0](maps[-1])
    for i in range(1, len(decoder)):
        x = decoder[i](torch.cat((x, maps[-1 - i]), 1))
    return 1 / (1 + torch.exp(-x))


def skips_by_recursion(encoder, decoder, magnitude):
    """Each level hands its map to the one below, and what comes back is as large as its input."""

    def through(level, x):
        below = encoder[level](x)
        if level < len(encoder) - 1:
            below = torch.cat([through(level + 1, below), below], 1)
        return decoder[-1 - level](below)

    return through(0, magnitude).double().sigmoid()


def skips_in_place(encoder, decoder, magnitude):
    """Both maps are written into one large tensor."""
    return joined(lambda x, skip: torch.stack([*x.unbind(1), *skip.unbind(1)], 1))(encoder, decoder, magnitude)


def any_size(f="-F % m", t="-T % m", end=torch.sigmoid, crop="[..., :F, :T]", before=False, **mode):
    """Return an answer to exercise 4, with some of its bugs."""

    def masks_for_any_size(logits, magnitude, multiple):
        F, T = magnitude.shape[-2:]
        sizes = {"F": F, "T": T, "m": multiple}
        f_more, t_more = eval(f, sizes), eval(t, sizes)
        x = functional.pad(magnitude, (t_more, 0, f_more, 0) if before else (0, t_more, 0, f_more), **mode)
        return eval(f"y{crop}", {"y": end(logits(x)), **sizes})

    return masks_for_any_size


def on_a_canvas(logits, magnitude, multiple):
    B, C, F, T = magnitude.shape
    canvas = torch.zeros(B, C, *(multiple * -(-size // multiple) for size in (F, T)))
    canvas[:, :, :F, :T] = magnitude
    return torch.sigmoid(logits(canvas)).narrow(2, 0, F).narrow(3, 0, T)


def in_numpy(logits, magnitude, multiple):
    F, T = magnitude.shape[-2:]
    x = np.pad(magnitude.numpy(), ((0, 0), (0, 0), (0, -F % multiple), (0, -T % multiple)))
    return 1 / (1 + np.exp(-logits(torch.from_numpy(x)).detach().numpy()[:, :, :F, :T]))


def axis_by_axis(logits, magnitude, multiple):
    F, T = magnitude.shape[-2:]
    while magnitude.shape[-1] % multiple:
        magnitude = functional.pad(magnitude, (0, 1))
    while magnitude.shape[-2] % multiple:
        magnitude = functional.pad(magnitude, (0, 0, 0, 1))
    return logits(magnitude).double().sigmoid()[:, :, :F, :T]


def around(logits, magnitude, multiple):
    """Half of the zeros before, and a crop as if all stood after."""
    F, T = magnitude.shape[-2:]
    f, t = -F % multiple, -T % multiple
    x = functional.pad(magnitude, (t // 2, t - t // 2, f // 2, f - f // 2))
    return logits(x).sigmoid()[..., :F, :T]


RIGHT = [
    (1, (16, 30, 14)),
    (1, [16.0, 30.0, 14.0]),
    (1, torch.nn.Conv2d(1, 16, 5, stride=2)(torch.zeros(1, 1, 64, 32)).shape[1:]),
    (1, np.array([16, 30, 14])),
    (2, pad_by_arithmetic),
    (2, pad_by_blocks),
    (2, pad_by_joining),
    (2, pad_in_numpy),
    (3, joined()),
    (3, skips_by_index),
    (3, skips_by_recursion),
    (3, skips_in_place),
    (4, any_size()),
    (4, on_a_canvas),
    (4, in_numpy),
    (4, axis_by_axis),
]
WRONG = [
    (1, (16, 32, 16), "nothing was padded"),
    (1, (16, 29, 13), "add one"),
    (1, (16, 60, 28), "a stride of 1"),
    (1, (16, 31, 15), "what is left over at the end is not used"),
    (1, (16, 14, 30), "F and T are swapped"),
    (1, (1, 30, 14), "the number of maps that go in"),
    (1, (5, 30, 14), "the size of a kernel"),
    (1, (16, 33, 17), "Zeros of a whole kernel"),
    (1, (1, 16, 30, 14), "4 sizes, but 3 axes"),
    (2, padded(lambda both: [pair[::-1] for pair in both]), "the odd zero stands before the values"),
    (2, padded(lambda both: [(0, sum(pair)) for pair in both]), "all zeros stand after the values"),
    (2, padded(lambda both: [(sum(pair), 0) for pair in both]), "all zeros stand before the values"),
    (2, padded(lambda both: both, mode="reflect"), "the map itself is repeated beyond its edge"),
    (2, padded(lambda both: both, mode="replicate"), "the last value is repeated"),
    (2, padded(lambda both: [both[0], (0, 0)]), "only F has zeros"),
    (2, padded(lambda both: [(0, 0), both[1]]), "only T has zeros"),
    (2, lambda x, kernel: functional.pad(x, (kernel // 2,) * 4), "the same number on each side"),
    (2, lambda x, kernel: functional.pad(x, (kernel - 1,) * 4), "It is the total that counts"),
    (2, lambda x, kernel: x, "nothing was padded"),
    (2, lambda x, kernel: functional.pad(x, (1, 2, 1, 2)), "an input of 7 bins and 8 frames"),
    (2, swaps_axes, "the axes are swapped"),
    (3, three_levels, "It is about a network of 2 levels"),
    (3, joined(lambda x, skip: stack(skip, x)), "torch.cat puts the skip before"),
    (3, joined(end=torch.relu), "a ReLU instead of a sigmoid"),
    (3, joined(end=lambda y: y), "the sigmoid at the end is missing"),
    (3, joined(end=lambda y: y.softmax(1)), "the last step is a softmax"),
    (3, joined(end=torch.tanh), "a share is never negative"),
    (3, joined(end=lambda y: y.sigmoid().sigmoid()), "the sigmoid is there twice"),
    (3, joined(lambda x, skip: stack(x, 0 * skip)), "zeros come in the place of the skips"),
    (3, lambda down, up, x: joined()(down, up, x) * x, "Asked for are the masks"),
    (3, joined(lambda x, skip: x + skip), "built for 16 features"),
    (3, joined(end=lambda y: y.sigmoid().squeeze()), "has 3 axes"),
    (3, joined(lambda x, skip: stack(x, skip.detach()).detach()), "No gradient arrives at input number 1"),
    (3, lambda encoder, decoder, x: joined()([encoder.pop(0), *encoder], decoder, x), "changed its input number 1"),
    (4, any_size("F % m", "T % m", torch.relu, ""), "ReLU gives 0 and more"),
    (4, lambda logits, x, m: any_size()(logits, x, 8), "a multiple of 4"),
    (4, any_size("F % m", "T % m", crop=""), "magnitude (1, 1, 45, 37), x (1, 1, 50, 42)"),
    (4, any_size(crop=""), "the crop is missing"),
    (4, any_size(end=lambda y: y), "nothing that keeps the masks between 0 and 1"),
    (4, any_size(end=lambda y: y.softmax(1)), "a softmax links the masks"),
    (4, any_size(crop="[..., -F:, -T:]"), "takes from the beginning what was padded at the end"),
    (4, any_size(before=True), "the zeros are put before the spectrogram"),
    (4, any_size("m - F % m", "m - T % m"), "a whole multiple of zeros"),
    (4, any_size(mode="replicate"), "the edge is repeated"),
    (4, around, "half and half"),
    (4, lambda logits, x, m: any_size()(logits, x, m) * x, "Asked for are the masks"),
]
