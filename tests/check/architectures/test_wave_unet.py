"""The exercises of the lab on Wave-U-Net: usual mistakes are recognised, right answers pass, however written."""

import numpy as np
import torch
from torch.nn import functional

from sepbook.architectures import create
from sepbook.check.architectures.wave_unet import _sizes
from tests.check.tables import *  # noqa: F403


def between(value):
    """Return an answer to exercise 2 with its own value in the gaps."""

    def lines(x):
        y = x.new_zeros(*x.shape[:2], 2 * x.shape[-1] - 1)
        y[..., ::2] = x
        y[..., 1::2] = value(x[..., :-1], x[..., 1:])
        return y

    return lines


def by_interpolate(x):
    return functional.interpolate(x, 2 * x.shape[-1] - 1, mode="linear", align_corners=True)


def by_kernel(x):
    paint = torch.tensor([0.5, 1.0, 0.5]).expand(x.shape[1], 1, 3)
    return functional.conv_transpose1d(x, paint, stride=2, padding=1, groups=x.shape[1])


def by_stack(x):
    x = x.double()
    pairs = torch.stack([x[..., :-1], (x[..., 1:] + x[..., :-1]) * 0.5], -1).flatten(-2)
    return torch.cat([pairs, x[..., -1:]], -1)


def level(cut=None, order=(0, 1), lines=True, keep=lambda k: k, end=lambda y: y):
    """Return an answer to exercise 3 with its own way to crop and stack."""
    cut = cut or (lambda k, n: k[..., (k.shape[-1] - n) // 2 :][..., :n])

    def level_up(x, kept, enlarge, convolve):
        x = enlarge(x) if lines else x
        both = [keep(cut(kept, x.shape[-1])), x]
        return end(convolve(torch.cat([both[i] for i in order], 1)))

    return level_up


def by_narrow(x, kept, enlarge, convolve):
    x = enlarge(x)
    longer = kept.shape[-1] - x.shape[-1]
    return convolve(torch.hstack([kept.narrow(-1, longer // 2, x.shape[-1]), x]))


def by_pad(x, kept, enlarge, convolve):
    """Crop with a negative padding."""
    x = enlarge(x)
    first, last = ((kept.shape[-1] - x.shape[-1] + i) // 2 for i in (0, 1))
    return convolve(torch.cat((functional.pad(kept, (-first, -last)), x), -2))


def by_empty(x, kept, enlarge, convolve):
    """Fill a map that is there."""
    x = enlarge(x)
    first = kept[0, 0].numel() - x[0, 0].numel() >> 1
    both = x.new_empty(len(x), kept.shape[1] + x.shape[1], x.shape[2])
    both[:, : kept.shape[1]] = kept[:, :, first : first + x.shape[2]]
    both[:, kept.shape[1] :] = x
    return convolve(both)


def with_own_lines(x, kept, enlarge, convolve):
    return level()(x, kept, between(lambda a, b: (a + b) / 2), convolve)


def walked(take=1, double=1, bottom_too=True, up_too=True):
    """Return an answer to exercise 4 with its own steps."""

    def sizes(bottom, levels, kernel, kernel_up):
        given, out = bottom + (kernel - take if bottom_too else 0), bottom
        for _ in range(levels):
            given = 2 * given - double + kernel - take
            out = 2 * out - double - (kernel_up - take if up_too else 0)
        return given, out

    return sizes


def in_closed_form(bottom, levels, kernel, kernel_up):
    """Each step is n -> 2n + c, so n becomes 2^levels (n + c) - c."""
    power = 2**levels
    return power * (bottom + 2 * kernel - 3) - (kernel - 2), power * (bottom - kernel_up) + kernel_up


def rest(take=lambda m, e: m[:, None] - e.sum(1, keepdim=True), first=False):
    """Return an answer to exercise 5 with its own rest."""

    def complete(mixture, estimates):
        both = [estimates, take(mixture, estimates)]
        return torch.cat(both[::-1] if first else both, 1)

    return complete


def by_loop(mixture, estimates):
    left = mixture.double()
    for s in range(estimates.shape[1]):
        left = left - estimates[:, s]
    return torch.stack([*estimates.unbind(1), left], 1)


def by_einsum(mixture, estimates):
    total = torch.einsum("bscn->bcn", estimates)
    return torch.cat([estimates, torch.sub(mixture, total).reshape(len(mixture), 1, *mixture.shape[1:])], dim=-3)


def test_sizes_are_those_of_the_network():
    network = create("wave_unet", "tiny").network
    for N in (1, 100, 3001):
        given, out = network.sizes(N)
        bottom = next(b for b in range(1, out + 1) if _sizes(b, 3, 15, 5)[1] == out)
        assert _sizes(bottom, 3, 15, 5) == (given, out)
    assert _sizes(9, 12, 15, 5) == (147_443, 16_389)


RIGHT = [
    (1, 3000),
    (1, 3e3),
    (1, np.float32(3000)),
    (1, torch.tensor(3000)),
    (2, between(lambda a, b: (a + b) / 2)),
    (2, by_interpolate),
    (2, by_kernel),
    (2, by_stack),
    (3, level()),
    (3, by_narrow),
    (3, by_pad),
    (3, by_empty),
    (4, walked()),
    (4, in_closed_form),
    (4, lambda *case: np.array(walked()(*case))),
    (4, lambda *case: [float(n) for n in walked()(*case)]),
    (5, rest()),
    (5, by_loop),
    (5, by_einsum),
    (5, rest(lambda m, e: (m - e.sum(1)).unsqueeze(1))),
]
WRONG = [
    (1, 5000, "tones up to 4000"),
    (1, 2500, "no octave lower"),
    (1, 10000, "at half the rate"),
    (1, 1000, "as far below it"),
    (1, 4000, "folded, not stopped"),
    (1, 11000, "16 000 less the tone"),
    (1, 0, "if a filter had come first"),
    (1, "3 kHz", "one number"),
    (2, between(lambda a, b: a), "each value is repeated"),
    (2, between(lambda a, b: b), "the value after the gap"),
    (2, between(lambda a, b: 0 * a), "zeros in the gaps"),
    (2, between(lambda a, b: a + b), "the sum of both neighbours"),
    (2, between(lambda a, b: (b - a) / 2), "half the difference"),
    (2, lambda x: torch.cat([by_interpolate(x), x[..., -1:]], -1), "after the last value"),
    (2, lambda x: functional.interpolate(x, 2 * x.shape[-1] - 1, mode="linear"), "align_corners"),
    (2, lambda x: by_interpolate(x).detach(), "the gradient is cut off"),
    (2, lambda x: x, "has shape"),
    (3, level(cut=lambda k, n: k[..., :n]), "the first values of the kept map"),
    (3, level(cut=lambda k, n: k[..., k.shape[-1] - n :]), "the last values of the kept map"),
    (3, level(order=(1, 0)), "It comes first"),
    (3, level(keep=lambda k: 0 * k), "the kept map is empty"),
    (3, level(lines=False), "half of the values are missing"),
    (3, lambda x, kept, enlarge, convolve: level()(0 * x, kept, enlarge, convolve), "from below is missing"),
    (3, with_own_lines, "whatever enlarge does"),
    (3, level(end=torch.relu), "It is about"),
    (3, lambda *given: level()(*given).detach(), "the gradient is cut off"),
    (4, walked(take=0), "k - 1 values away, not k"),
    (4, walked(double=0), "n - 1 gaps"),
    (4, walked(bottom_too=False), "at the bottom"),
    (4, walked(up_too=False), "on the way up take"),
    (4, lambda *case: walked()(*case)[::-1], "The two are swapped"),
    (4, lambda *case: (147_443, 16_389), "a bottom of 8"),
    (4, lambda *case: 147_443, "a row of whole numbers"),
    (5, rest(first=True), "The rest stands first".lower()),
    (5, rest(lambda m, e: e.sum(1, keepdim=True) - m[:, None]), "the sign of the rest"),
    (5, rest(lambda m, e: m[:, None]), "nothing was taken away"),
    (5, rest(lambda m, e: m[:, None] - e.mean(1, keepdim=True)), "the mean of the estimates"),
    (5, rest(lambda m, e: m[:, None] - e[:, -1:]), "only the last estimate"),
    (5, rest(lambda m, e: m[:, None] + e.sum(1, keepdim=True)), "were added to the mixture"),
    (5, lambda m, e: m[:, None] - e.sum(1, keepdim=True), "only the rest is returned"),
    (5, lambda m, e: rest()(m, e).detach(), "the gradient is cut off"),
    (5, rest(lambda m, e: m[:, None, :1] - e.sum(1, keepdim=True)), "It is about"),
]
