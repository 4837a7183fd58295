"""The exercises of the lab on Demucs: each usual mistake is recognised, each right answer passes, however written."""

import math

import numpy as np
import torch
from torch.nn import functional

from sepbook.building_blocks.convolution import middle
from tests.check.tables import *  # noqa: F403


def halves(gate=torch.sigmoid, signal=lambda a: a):
    """Return an answer to exercise 2 with its own gate."""

    def glu(x):
        a, b = x.chunk(2, dim=1)
        return signal(a) * gate(b)

    return glu


def glu_by_index(x):
    H = x.shape[1] // 2
    return x[:, :H] / (1 + torch.exp(-x[:, H:]))


def glu_by_view(x):
    both = x.double().unflatten(1, (2, -1))
    return both[:, 0] * both[:, 1].sigmoid()


def lengths(down=lambda n, k, s: max(math.ceil((n - k) / s) + 1, 1), up=lambda n, k, s: (n - 1) * s + k, more=1):
    """Return an answer to exercise 3 with its own steps."""

    def length_for(N, depth, kernel, stride, context):
        for _ in range(depth):
            N = down(N, kernel, stride) + more * (context - 1)
        for _ in range(depth):
            N = up(N, kernel, stride)
        return N

    return length_for


def length_by_trying(N, depth, kernel, stride, context):
    """Go upward from the innermost block until there is enough."""

    def ends(frames):
        """What comes out of so many innermost frames, and what must go in for them."""
        out = inside = frames
        for _ in range(depth):
            out = (out - context) * stride + kernel
            inside = (inside - 1) * stride + kernel
        return out, inside

    frames = context
    while ends(frames)[0] < N or min_frames(frames, depth, kernel, stride, context) < 1:
        frames += 1
    return ends(frames)[1]


def min_frames(frames, depth, kernel, stride, context):
    for _ in range(depth):
        frames = frames - context + 1
        if frames < 1:
            return 0
        frames = (frames - 1) * stride + kernel
    return frames


def way(join=torch.add, cut=middle, inside=True, end=lambda x: x, order=-1):
    """Return an answer to exercise 4 that joins in its own way."""

    def demucs(encoder, between, decoder, mixture):
        x, maps = mixture, []
        for block in encoder:
            x = block(x)
            maps.append(x)
        x = between(x) if inside else x
        for block in decoder:
            skip = maps.pop(order)
            x = block(join(x, cut(skip, x.shape[-1])))
        return end(x)

    return demucs


def by_recursion(encoder, between, decoder, mixture):
    def through(level, x):
        h = encoder[level](x)
        below = between(h) if level == len(encoder) - 1 else through(level + 1, h)
        first = (h.shape[-1] - below.shape[-1]) // 2
        return decoder[-1 - level](below + h[..., first : first + below.shape[-1]])

    return through(0, mixture)


def shifted(together=lambda x: x.mean(0), back=True):
    """Return an answer to exercise 5 that puts the shifts together in its own way."""

    def averaged(separate, mixture, shifts):
        N = mixture.shape[-1]
        made = [separate(functional.pad(mixture, (s, 0)))[..., s if back else 0 :][..., :N] for s in shifts]
        return together(torch.stack(made))

    return averaged


def in_numpy(separate, mixture, shifts):
    total = 0
    for s in shifts:
        late = np.pad(mixture.numpy(), ((0, 0), (s, 0)))
        total = total + separate(torch.from_numpy(late)).numpy()[:, :, s:]
    return total / len(shifts)


def rolled(separate, mixture, shifts):
    return torch.stack([separate(mixture.roll(s, -1)).roll(-s, -1) for s in shifts]).mean(0)


RIGHT = [
    (1, (16, 249)),
    (1, [16.0, 249.0]),
    (1, np.array([16, 249])),
    (1, torch.tensor([16, 249])),
    (2, lambda x: functional.glu(x, 1)),
    (2, halves()),
    (2, glu_by_index),
    (2, glu_by_view),
    (3, lengths()),
    (3, length_by_trying),
    (3, lengths(down=lambda n, k, s: max(-((k - n) // s) + 1, 1))),
    (3, lengths(up=lambda n, k, s: float(n * s + k - s))),
    (4, way()),
    (4, by_recursion),
    (4, way(cut=lambda skip, T: skip[..., (skip.shape[-1] - T) // 2 :][..., :T])),
    (4, way(join=lambda x, skip: torch.stack([x, skip]).sum(0))),
    (5, shifted()),
    (5, in_numpy),
    (5, shifted(lambda y: torch.einsum("kscn->scn", y) / len(y))),
    (5, lambda separate, x, shifts: shifted(lambda y: y.double().sum(0) / len(y))(separate, x, shifts)),
]
WRONG = [
    (1, (16, 250), "nothing was padded"),
    (1, (32, 249), "uses one half of them up"),
    (1, (32, 250), "and the last kernel must stay inside"),
    (1, (8, 249), "that is 32"),
    (1, (16, 248), "add one"),
    (1, (16, 993), "a stride of 1"),
    (1, (249, 16), "H and T are swapped"),
    (1, (1, 249), "the number of audio channels"),
    (2, lambda x: halves()(x.roll(x.shape[1] // 2, 1)), "the halves are exchanged"),
    (2, lambda x: x[:, ::2] * x[:, 1::2].sigmoid(), "every second feature is taken"),
    (2, halves(torch.tanh), "the gate is a tanh"),
    (2, halves(torch.relu), "the gate is a ReLU"),
    (2, halves(lambda b: b), "the gate has no sigmoid"),
    (2, halves(signal=torch.sigmoid), "both halves went through the sigmoid"),
    (2, lambda x: x.chunk(2, 1)[0] + x.chunk(2, 1)[1].sigmoid(), "the halves are added"),
    (2, halves(lambda b: b.softmax(1)), "the gate is a softmax"),
    (2, halves(lambda b: 1 - b.sigmoid()), "the gate is closed"),
    (2, halves(signal=torch.tanh), "the signal went through a tanh"),
    (2, lambda x: halves()(x).detach(), "the gradient is cut off"),
    (2, lambda x: functional.glu(x.mT, 1).mT if x.shape[-1] % 2 == 0 else x, "has shape"),
    (3, lengths(down=lambda n, k, s: max((n - k) // s + 1, 1)), "rounded down"),
    (3, lengths(more=0), "takes context - 1 frames away"),
    (3, lengths(down=lambda n, k, s: max(math.ceil((n - k) / s), 1)), "add one on the way down"),
    (3, lengths(up=lambda n, k, s: n * s), "not `stride`"),
    (3, lambda N, depth, kernel, stride, context: N, "It is about 1000 samples, depth 2"),
    (3, lambda N, depth, kernel, stride, context: "N", "one number"),
    (4, way(cut=lambda skip, T: skip[..., :T]), "the first values of each skip"),
    (4, way(cut=lambda skip, T: skip[..., skip.shape[-1] - T :]), "the last values of each skip"),
    (4, way(join=lambda x, skip: x), "nothing comes across"),
    (4, way(join=lambda x, skip: skip), "is thrown away"),
    (4, way(join=torch.sub), "taken away instead of added"),
    (4, way(join=torch.mul), "multiplied instead of added"),
    (4, way(join=lambda x, y: (x + y) / 2), "the mean of both"),
    (4, way(inside=False), "the LSTM in the middle is missing"),
    (4, way(join=lambda x, skip: torch.cat([x, skip], 1)), "demucs"),
    (4, way(end=torch.relu), "there is a ReLU at the end"),
    (4, way(end=torch.tanh), "a network of 3 blocks"),
    (4, lambda encoder, between, decoder, x: way()(encoder, between, decoder, x).detach(), "the gradient is cut off"),
    (4, lambda encoder, between, decoder, x: way()([encoder.pop(0), *encoder], between, decoder, x), "changed its"),
    (5, shifted(back=False), "not moved back"),
    (5, shifted(lambda y: y.sum(0)), "they are added"),
    (5, shifted(lambda y: y[-1]), "only the last shift"),
    (5, shifted(lambda y: y[0]), "only the first shift"),
    (5, shifted(lambda y: y.median(0).values), "the median is taken"),
    (5, rolled, "rolled to its beginning"),
    (5, lambda separate, x, shifts: separate(x), "the mixture itself was separated"),
    (5, lambda separate, x, shifts: shifted()(separate, x[:1], shifts), "has shape"),
]
