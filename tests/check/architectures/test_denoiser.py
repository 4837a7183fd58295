"""The exercises of the lab on the denoiser: each usual mistake is recognised, each right answer passes."""

import numpy as np
import torch
from torch.nn import functional

from tests.check.tables import *  # noqa: F403


def down(keep=lambda T, n, K, stride: T * stride):
    """Return an answer to exercise 2 that keeps what it wants."""

    def feed_down(held, chunk, weight, stride):
        x, K = torch.cat([held, chunk], dim=-1), weight.shape[-1]
        T = max((x.shape[-1] - K) // stride + 1, 0)
        y = functional.conv1d(x, weight, stride=stride) if T else x.new_zeros(len(x), len(weight), 0)
        return x[..., keep(T, x.shape[-1], K, stride) :], y

    return feed_down


def down_by_frames(held, chunk, weight, stride):
    x, frames = torch.cat([held, chunk], dim=-1), []
    while x.shape[-1] >= weight.shape[-1]:
        frames.append(torch.einsum("bck,hck->bh", x[..., : weight.shape[-1]], weight))
        x = x[..., stride:]
    return x, torch.stack(frames, -1) if frames else x.new_zeros(len(x), len(weight), 0)


def down_in_one_go(held, chunk, weight, stride):
    x = torch.cat([held, chunk], dim=-1).double()
    T = max(-(-(x.shape[-1] - weight.shape[-1] + 1) // stride), 0)
    if T == 0:
        return x, x.new_zeros(x.shape[0], weight.shape[0], 0)
    y = x.unfold(-1, weight.shape[-1], stride)  # (B, C, T, K)
    return x[..., T * stride :], torch.einsum("bctk,hck->bht", y, weight.double())


def down_by_channels(held, chunk, weight, stride):
    x, K = torch.cat([held, chunk], dim=-1), weight.shape[-1]
    if x.shape[-1] < K:
        return x, torch.empty(len(x), len(weight), 0)
    one = (functional.conv1d(x[:, [c]], weight[:, [c]], stride=stride) for c in range(x.shape[1]))
    y = sum(one)
    return x[..., y.shape[-1] * stride :].clone(), y


def up(add=1, final=lambda T, n, stride: T * stride):
    """Return an answer to exercise 3 that adds the tail so many times, with its own idea of what is final."""

    def feed_up(tail, frames, weight, stride):
        y = functional.conv_transpose1d(frames, weight, stride=stride)
        y = y + add * functional.pad(tail, (0, y.shape[-1] - tail.shape[-1]))
        n = final(frames.shape[-1], y.shape[-1], stride)
        return y[..., n:], y[..., :n]

    return feed_up


def up_by_frames(tail, frames, weight, stride):
    out = []
    for frame in frames.unbind(-1):
        painted = torch.einsum("bh,hck->bck", frame, weight)
        painted[..., : tail.shape[-1]] += tail
        out.append(painted[..., :stride])
        tail = painted[..., stride:]
    return tail, torch.cat(out, -1)


def up_by_fold(tail, frames, weight, stride):
    K, T = weight.shape[-1], frames.shape[-1]
    n = (T - 1) * stride + K
    columns = torch.einsum("bht,hck->bckt", frames, weight).flatten(1, 2)
    y = functional.fold(columns, (1, n), (1, K), stride=(1, stride))[:, :, 0]
    y[..., : tail.shape[-1]] += tail
    return y[..., T * stride :], y[..., : T * stride]


def up_in_float64(tail, frames, weight, stride):
    y = functional.conv_transpose1d(frames.double(), weight.double(), stride=stride)
    y = torch.cat([y[..., : tail.shape[-1]] + tail, y[..., tail.shape[-1] :]], -1)
    return tuple(reversed(y.tensor_split([frames.shape[-1] * stride], -1)))


def swapped(tail, frames, weight, stride):
    y = functional.conv_transpose1d(frames, weight, stride=stride)
    return y[..., : frames.shape[-1] * stride], y[..., frames.shape[-1] * stride :]


def run(flush=True, fresh=False, keep=True, batch=0, whole=True):
    """Return an answer to exercise 4, with some of its bugs."""

    def stream(system, mixture, size):
        state, made = system.start(), []
        for start in range(0, mixture.shape[-1], size):
            chunk = mixture[:, start : start + size]
            if chunk.shape[-1] < size and start and not whole:
                break
            new, y = system.feed(system.start() if fresh else state, chunk[None])
            state = new if keep else state
            made.append(y)
        made = [*made, system.flush(state)] if flush else made
        joined = torch.cat(made, dim=-1)
        return joined if batch is None else joined[batch]

    return stream


def by_split(system, mixture, size):
    state, made = system.start(batch=1), []
    for chunk in mixture[None].split(size, -1):
        state, y = system.feed(state, chunk)
        made += [y]
    return torch.cat([*made, system.flush(state)], -1).mean(0)


def into_a_buffer(system, mixture, size):
    state, out, n = system.start(), torch.zeros(1, 2, 1, mixture.shape[-1]), 0
    for chunk in torch.split(mixture, size, dim=1):
        state, y = system.feed(state, chunk.unsqueeze(0))
        out[..., n : n + y.shape[-1]] = y
        n += y.shape[-1]
    out[..., n:] = system.flush(state)
    return out[0]


def at_once(system, mixture, size):
    return run()(system, mixture, mixture.shape[-1])


def by_another(system, mixture, size):
    return run()(type(system)(), mixture, size)


def by_recursion(system, mixture, size):
    def after(state, rest):
        if not rest.shape[-1]:
            return [system.flush(state)]
        state, y = system.feed(state, rest[None, :, :size])
        return [y, *after(state, rest[:, size:])]

    return torch.cat(after(system.start(1), mixture), -1).squeeze(0).double()


RIGHT = [
    (1, 147),
    (1, 147.0),
    (1, torch.tensor(147)),
    (1, np.float64(((8 - 1) * 4 + 8 - 1) * 4 + 8 - 1)),
    (2, down()),
    (2, down_by_frames),
    (2, down_in_one_go),
    (2, down_by_channels),
    (3, up()),
    (3, up_by_frames),
    (3, up_by_fold),
    (3, up_in_float64),
    (4, run()),
    (4, by_split),
    (4, into_a_buffer),
    (4, by_recursion),
]
WRONG = [
    (1, 148, "one sample before"),
    (1, 64, "That is the hop"),
    (1, 63, "covers more than its hop"),
    (1, 24, "counted in frames"),
    (1, 36, "what two blocks cover"),
    (1, 35, "the latency of two blocks"),
    (1, 512, "Kernels overlap"),
    (1, 595, "the latency of four blocks"),
    (1, 211, "is final at once"),
    (1, "147", "quotation marks"),
    (2, down(lambda T, n, K, stride: n), "nothing is kept"),
    (2, down(lambda T, n, K, stride: max(T - 1, 0) * stride), "too much is kept"),
    (2, down(lambda T, n, K, stride: max(n - K + 1, 0)), "right for a stride of 1"),
    (2, down(lambda T, n, K, stride: min((T - 1) * stride + K, n) if T else 0), "is thrown away"),
    (2, lambda held, chunk, weight, stride: functional.conv1d(chunk, weight, stride=stride), "two things"),
    (2, lambda held, chunk, weight, stride: (held, chunk), "It is about a kernel of 8"),
    (2, lambda held, chunk, weight, stride: (0, down()(held, chunk, weight, stride)[1]), "what is kept has to be"),
    (2, lambda held, chunk, weight, stride: (held, chunk[:, :, : len(weight)].mT[:, : chunk.shape[-1] % 3 + 1]),
     "does not fit together"),
    (3, up(add=0), "nothing is added from before"),
    (3, up(add=0, final=lambda T, n, stride: n), "given out at once"),
    (3, up(add=0, final=lambda T, n, stride: max(T - 1, 0) * stride), "too little is final"),
    (3, up(add=-1), "is taken away"),
    (3, up(final=lambda T, n, stride: n - stride), "as the stride has"),
    (3, swapped, "the first are final"),
    (3, lambda tail, frames, weight, stride: up()(tail, frames, weight, stride)[1], "two things"),
    (3, lambda tail, frames, weight, stride: up()(tail, -frames, weight, stride), "It is about a kernel of 8"),
    (4, run(flush=False), "flush is missing"),
    (4, run(fresh=True), "begins with a new state"),
    (4, run(keep=False), "always the first one"),
    (4, run(whole=False), "the last chunk, which is shorter"),
    (4, run(batch=None), "the only item of the batch"),
    (4, at_once, "the chunks had other sizes"),
    (4, by_another, "has not heard a chunk"),
    (4, lambda system, mixture, size: run()(system, -mixture, size), "40 samples in chunks of 7"),
]  # fmt: skip
