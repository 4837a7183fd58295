"""The exercises of Spleeter's lab: each usual mistake is recognised, each right answer passes, however written."""

import numpy as np
import torch
from torch.nn import functional

from tests.check.tables import *  # noqa: F403


def way_down(convs, norms, activation, x):
    maps = []
    for i, conv in enumerate(convs):
        x = conv(x if i == 0 else activation(norms[i - 1](x)))
        maps.append(x)
    return maps


def way_down_by_pairs(convs, norms, activation, x):
    x = convs[0](x)
    maps = [x]
    for conv, norm in zip(convs[1:], norms, strict=True):
        maps.append(conv(activation(norm(maps[-1]))))
    return tuple(maps)


def way_down_backwards(convs, norms, activation, x):
    def upto(i):
        return convs[0](x) if i == 0 else convs[i](activation(norms[i - 1](upto(i - 1))))

    return [upto(i) for i in range(len(convs))]


def way_down_by_steps(convs, norms, activation, x):
    maps, between = [], [lambda x: x, *(lambda x, norm=norm: activation(norm(x)) for norm in norms)]
    for conv, first in zip(convs, between, strict=True):
        maps += [conv(first(maps[-1] if maps else x))]
    return maps


def carrying(what="bent", bend_first=False, between=True):
    """Return an answer to exercise 2 that carries something else, or bends first, or has nothing between."""

    def answer(convs, norms, activation, x):
        maps = []
        for i, conv in enumerate(convs):
            into = x
            x = raw = conv(x)
            normed = norms[i](raw) if i < len(norms) else 4.0 * (raw - 0.3)
            if i < len(norms) and between:
                x = norms[i](activation(raw)) if bend_first else activation(normed)
            maps.append({"bent": activation(normed), "normed": normed, "into": into, "raw": raw}[what])
        return maps

    return answer


def cut_off(convs, norms, activation, x):
    return way_down(convs, norms, activation, x.detach())


def one_short(convs, norms, activation, x):
    return way_down(convs[:-1], norms, activation, x)


def shares(magnitudes, power):
    v = magnitudes**power
    return (v + 1e-10 / len(v)) / (v.sum(0) + 1e-10)


def shares_in_double(magnitudes, power):
    v = magnitudes.double().pow(power)
    S = v.shape[0]
    return torch.stack([(one + 1e-10 / S) / (v.sum(0) + 1e-10) for one in v])


def shares_by_where(magnitudes, power):
    v = magnitudes**power
    total = v.sum(dim=0, keepdim=True)
    return torch.where(total > 0, v / torch.where(total > 0, total, 1.0), 1 / len(v))


def shares_of_the_rest(magnitudes, power):
    v = magnitudes**power
    first = (v[:-1] + 1e-10 / len(v)) / (v.sum(0) + 1e-10)
    return torch.cat([first, 1 - first.sum(0, keepdim=True)])


def shared(power=None, floor=1e-10, axis=0, finish=None):
    """Return an answer to exercise 3 with one thing done otherwise."""

    def answer(magnitudes, asked):
        v = magnitudes ** (power or asked)
        return finish(v) if finish else v / v.sum(axis, keepdim=True).clamp_min(floor)

    return answer


def with_equal_parts(power=None, axis=0):
    def answer(magnitudes, asked):
        v = magnitudes ** (power or asked)
        return (v + 1e-10 / len(v)) / (v.sum(axis, keepdim=True) + 1e-10)

    return answer


def epsilon_for_each(magnitudes, power):
    v = magnitudes**power
    return (v + 1e-10) / (v.sum(0) + 1e-10)


def power_of_the_sum(magnitudes, power):
    return magnitudes**power / (magnitudes.sum(0) ** power).clamp_min(1e-10)


def in_segments(network, magnitude, length):
    T = magnitude.shape[-1]
    x = functional.pad(magnitude, (0, -T % length))
    return torch.cat([network(part) for part in x.split(length, -1)], -1)[..., :T]


def in_one_batch(network, magnitude, length):
    B, F, T = magnitude.shape
    count = -(-T // length)
    x = functional.pad(magnitude, (0, count * length - T)).unflatten(-1, (count, length))
    x = network(x.transpose(1, 2).flatten(0, 1)).unflatten(0, (B, count))
    return x.transpose(1, 2).flatten(2)[..., :T]


def in_a_loop(network, magnitude, length):
    T, found = magnitude.shape[-1], []
    for begin in range(0, T, length):
        part = magnitude[..., begin : begin + length]
        missing = length - part.shape[-1]
        zeros = part.new_zeros(*part.shape[:-1], missing)
        found.append(network(torch.cat([part, zeros], -1))[..., : length - missing])
    return torch.cat(found, -1)


def in_windows(network, magnitude, length):
    B, F, T = magnitude.shape
    x = torch.cat([magnitude, magnitude.new_zeros(B, F, -T % length)], 2)
    parts = x.unfold(2, length, length).unbind(2)
    return torch.stack([network(part) for part in parts], 2).reshape(B, F, -1).narrow(2, 0, T)


def segments(pad=lambda x, left: functional.pad(x, (0, left)), cut=lambda x, T: x[..., :T], end=lambda x: x):
    """Return an answer to exercise 4 that pads, cuts or ends in its own way."""

    def answer(network, magnitude, length):
        T = magnitude.shape[-1]
        x = pad(magnitude, -T % length)
        return end(cut(torch.cat([network(part) for part in x.split(length, -1)], -1), T))

    return answer


def dropped(network, magnitude, length):
    T = magnitude.shape[-1]
    parts = magnitude[..., : T - T % length].split(length, -1)
    return torch.cat([network(part) for part in parts], -1)


def in_one_go(network, magnitude, length):
    return network(magnitude)


RIGHT = [
    (1, (48, 16, 6)),
    (1, [48.0, 16, 6]),
    (1, np.array([48, 16, 6])),
    (1, torch.tensor([48, 16, 6])),
    (2, way_down),
    (2, way_down_by_pairs),
    (2, way_down_backwards),
    (2, way_down_by_steps),
    (3, shares),
    (3, shares_in_double),
    (3, shares_by_where),
    (3, shares_of_the_rest),
    (4, in_segments),
    (4, in_one_batch),
    (4, in_a_loop),
    (4, in_windows),
]
WRONG = [
    (1, (48, 32, 12), "after three blocks"),
    (1, (48, 8, 3), "after five blocks"),
    (1, (48, 64, 24), "not by 4"),
    (1, (48, 256, 6), "bins too"),
    (1, (48, 16, 96), "frames too"),
    (1, (96, 16, 6), "side by side"),
    (1, (32, 16, 6), "The last block has"),
    (1, (2, 16, 6), "only at the entrance"),
    (2, carrying("bent"), "what the activation gives"),
    (2, carrying("normed"), "what the norm gives"),
    (2, carrying("into"), "has shape"),
    (2, carrying("raw", bend_first=True), "the activation stands before the norm"),
    (2, carrying("raw", between=False), "norm and activation are missing"),
    (2, cut_off, "gradient"),
    (2, one_short, "a list of three maps"),
    (
        2,
        lambda convs, norms, activation, x: [
            torch.full_like(y, torch.nan) for y in way_down(convs, norms, activation, x)
        ],
        "holds NaN or infinity",
    ),
    (3, shared(), "in silence the masks are 0"),
    (3, epsilon_for_each, "in silence each stem gets all"),
    (3, lambda magnitudes, power: magnitudes.softmax(0), "a softmax"),
    (3, with_equal_parts(axis=1), "over bins instead of stems"),
    (3, with_equal_parts(axis=2), "over frames instead of stems"),
    (3, with_equal_parts(power=2.0), "the power is 2"),
    (3, with_equal_parts(power=1.0), "the power is 1"),
    (3, shared(finish=lambda v: v), "without the sum"),
    (3, shared(finish=lambda v: v / v.amax(0).clamp_min(1e-10)), "over the largest one"),
    (3, shared(finish=lambda v: 2 * v / v.sum(0).clamp_min(1e-10)), "add up to 2"),
    (3, power_of_the_sum, "of the sum, not of each stem"),
    (3, shared(finish=lambda v: v / v.sum(0)), "holds NaN or infinity"),
    (3, lambda magnitudes, power: shares(magnitudes, power).detach(), "gradient"),
    (3, lambda magnitudes, power: shares(magnitudes, power)[0], "has 2 axes"),
    (4, dropped, "were dropped"),
    (4, segments(cut=lambda x, T: x), "are still there"),
    (4, segments(pad=lambda x, left: functional.pad(x, (0, left), mode="replicate")), "Silence should follow"),
    (4, segments(pad=lambda x, left: functional.pad(x, (left, 0)), cut=lambda x, T: x[..., -T:]), "belong behind"),
    (4, segments(end=lambda x: x.detach()), "gradient"),
    (4, in_one_go, "segments of 4"),
    (4, lambda network, x, length: torch.full_like(x, torch.nan), "holds NaN or infinity"),
]
