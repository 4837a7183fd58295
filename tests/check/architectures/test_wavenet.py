"""The exercises of the lab on WaveNet: usual mistakes are recognised, right answers pass, however written."""

import math

import numpy as np
import torch
from torch.nn import functional

from tests.check.tables import *  # noqa: F403


def gated(wave=torch.tanh, gate=torch.sigmoid, join=torch.mul, turn=False):
    """Return an answer to exercise 2 with its own wave and gate."""

    def answer(x):
        a, b = x.chunk(2, dim=1)[:: -1 if turn else 1]
        return join(wave(a), gate(b))

    return answer


def gated_by_index(x):
    H = x.shape[1] // 2
    return (1 - 2 / (torch.exp(2 * x[:, :H]) + 1)) / (1 + torch.exp(-x[:, H:]))


def taps(places=(0, 1, 2), step=1, around=1):
    """Return an answer to exercise 3 whose tap k looks at `places[k]` times d in the padded input."""

    def answer(x, weight, d):
        T = x.shape[-1]
        d = d * step
        padded = functional.pad(x, (2 * around * d, 2 * around * d))
        return sum(weight[:, :, k] @ padded[..., (p + 1) * d : (p + 1) * d + T] for k, p in enumerate(places))

    return answer


def taps_by_loop(x, weight, d):
    B, H, T = x.shape
    y = torch.zeros(B, len(weight), T)
    for k in range(3):
        for t in range(T):
            s = t + (k - 1) * d
            if 0 <= s < T:
                y[:, :, t] = y[:, :, t] + x[:, :, s] @ weight[:, :, k].T
    return y


def rolled(x, weight, d):
    return sum(weight[:, :, k] @ x.roll((1 - k) * d, -1) for k in range(3))


def taps_by_unfold(x, weight, d):
    both = functional.unfold(x[:, :, None], (1, 3), dilation=d, padding=(0, d))  # (B, 3H, T)
    return weight.flatten(1) @ both


def law(mu=255, base=256.0, sign=True):
    """Return an answer to exercise 4 with its own constants."""
    return lambda x: (x.sign() if sign else 1) * torch.log1p(mu * x.abs()) / math.log(base)


def invented(choose=lambda c: c.argmax(-1), grow=True, cut=True):
    """Return an answer to exercise 5 with its own way to choose and to remember."""

    def answer(chances, past, count):
        codes = past
        for _ in range(count):
            new = choose(chances(codes if grow else past))
            codes = torch.cat([codes, new[:, None]], 1)
        return codes[:, -count:] if cut else codes

    return answer


def by_recursion(chances, past, count):
    if count == 0:
        return past[:, :0]
    new = chances(past).max(-1).indices[:, None]
    return torch.cat([new, by_recursion(chances, torch.cat([past, new], 1), count - 1)], 1)


def by_list(chances, past, count):
    new = []
    for _ in range(count):
        new.append(chances(torch.cat([past, *new], 1)).numpy().argmax(-1)[:, None])
        new[-1] = torch.from_numpy(new[-1])
    return torch.cat(new, 1).double()


def by_growing(chances, past, count):
    n = past.shape[1]
    codes = functional.pad(past, (0, count))
    for t in range(n, n + count):
        codes[:, t] = chances(codes[:, :t]).sort(-1).indices[:, -1]
    return codes[:, n:]


RIGHT = [
    (1, 1023),
    (1, 1023.0),
    (1, np.int64(1023)),
    (1, torch.tensor(1023)),
    (2, gated()),
    (2, gated_by_index),
    (2, lambda x: gated()(x.double())),
    (2, lambda x: functional.glu(torch.cat([x[:, : x.shape[1] // 2].tanh(), x[:, x.shape[1] // 2 :]], 1), 1)),
    (3, lambda x, w, d: functional.conv1d(x, w, padding=d, dilation=d)),
    (3, taps()),
    (3, taps_by_loop),
    (3, taps_by_unfold),
    (4, law()),
    (4, lambda x: np.sign(x.numpy()) * np.log(1 + 255 * np.abs(x.numpy())) / np.log(256)),
    (4, lambda x: torch.copysign(torch.log1p(x.abs().mul(255)) / torch.tensor(256.0).log(), x)),
    (4, lambda x: torch.where(x < 0, -1.0, 1.0) * (1 + 255 * x.double().abs()).log2() / 8),
    (5, invented()),
    (5, by_recursion),
    (5, by_list),
    (5, by_growing),
]
WRONG = [
    (1, 19, "without dilation"),
    (1, 513, "the last block alone"),
    (1, 512, "they look both ways"),
    (1, 511, "to one side"),
    (1, 1022, "so add one"),
    (1, 1024, "counted once"),
    (1, 27, "they overlap"),
    (1, 2047, "ten blocks"),
    (2, gated(turn=True), "the halves are exchanged"),
    (2, lambda x: x[:, ::2].tanh() * x[:, 1::2].sigmoid(), "every second feature"),
    (2, gated(wave=lambda a: a), "the wave has no tanh"),
    (2, gated(gate=lambda b: b), "the gate has no sigmoid"),
    (2, gated(gate=torch.tanh), "both halves went through tanh"),
    (2, gated(wave=torch.sigmoid), "both halves went through the sigmoid"),
    (2, gated(join=torch.add), "the halves are added"),
    (2, gated(gate=lambda b: 1 - b.sigmoid()), "the gate is closed"),
    (2, lambda x: gated()(x).detach(), "the gradient is cut off"),
    (2, lambda x: x, "has shape"),
    (3, lambda x, w, d: functional.conv1d(x, w, padding=1), "one apart"),
    (3, taps((2, 1, 0)), "turned round"),
    (3, taps((-1, 0, 1)), "all taps look back"),
    (3, taps((1, 2, 3)), "all taps look ahead"),
    (3, rolled, "rolled to the beginning"),
    (3, lambda x, w, d: functional.conv1d(x, w, padding=2 * d, dilation=2 * d), "2d apart"),
    (3, lambda x, w, d: functional.conv1d(x, w, dilation=d), "the ends are missing"),
    (3, lambda x, w, d: taps()(x, w.detach(), d), "gradient"),
    (4, law(sign=False), "the sign is lost"),
    (4, law(base=math.e), "1 has to stay 1"),
    (4, law(base=255), "divided by ln 255"),
    (4, law(256, 257), "where 255 belongs"),
    (4, lambda x: x.sign() * torch.expm1(x.abs() * math.log(256)) / 255, "the way back"),
    (4, lambda x: x, "nothing was bent"),
    (4, lambda x: x.sign() * torch.log10(1 + 255 * x.abs()) / math.log(256), "base 10"),
    (4, lambda x: x.log() / math.log(256), "NaN or infinity"),
    (5, invented(grow=False), "not put behind the past"),
    (5, invented(lambda c: c.argmin(-1)), "the least likely"),
    (5, invented(cut=False), "the past is returned too"),
    (5, lambda *given: invented()(*given).flip(-1), "in the wrong order"),
    (5, lambda chances, past, count: invented()(chances, past, count)[:, :-1], "the last one"),
    (5, lambda chances, past, count: past.new_zeros(len(past), count), "It is about 3 levels"),
]
