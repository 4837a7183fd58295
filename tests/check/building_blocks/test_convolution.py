"""The checks on convolution: right answers pass however written, usual mistakes get their own hint."""

import numpy as np
import torch
from torch.nn import functional

from tests.check.tables import *  # noqa: F403


def by_windows(x, weight, stride, dilation):
    covers = dilation * (weight.shape[-1] - 1) + 1
    windows = x.unfold(-1, covers, stride)[..., ::dilation]
    return torch.einsum("bhtm,ghm->bgt", windows, weight)


def by_loops(x, weight, stride, dilation, flip=False, places=1, late=0):
    M = weight.shape[-1]
    T = (x.shape[-1] - dilation * (M - 1) - 1) // stride + places
    x, values = functional.pad(x, (0, late)), []
    for t in range(T):
        taps = torch.stack([x[..., late + t * stride + m * dilation] for m in range(M)], dim=-1)  # (B, H, M)
        values.append(torch.einsum("bhm,ghm->bg", taps, weight.flip(-1) if flip else weight))
    return torch.stack(values, dim=-1)


def tap_by_tap(x, weight, stride, dilation):
    T = (x.shape[-1] - dilation * (weight.shape[-1] - 1) - 1) // stride + 1
    places = [slice(m * dilation, m * dilation + (T - 1) * stride + 1, stride) for m in range(weight.shape[-1])]
    return sum(weight[..., m] @ x[..., place] for m, place in enumerate(places))


def neighbours(x, weight, stride, dilation):
    windows = x.unfold(-1, dilation * (weight.shape[-1] - 1) + 1, stride)[..., : weight.shape[-1]]
    return torch.einsum("bhtm,ghm->bgt", windows, weight)


def test_the_shape_is_that_of_the_layers_of_the_lab():
    layers = torch.nn.Sequential(
        torch.nn.Conv1d(1, 32, 16, stride=8),
        torch.nn.Conv1d(32, 64, 3, dilation=4, padding=4),
        torch.nn.Conv1d(64, 64, 4, stride=2, padding=1),
    )
    assert layers(torch.zeros(1, 1, 16000)).shape[1:] == (64, 999)


def padded(before, after, crop=None, mode="constant", flip=False, spread=True):
    """Return an answer to exercise 3 from two functions of (M, dilation)."""

    def causal(x, weight, dilation):
        zeros = (before(weight.shape[-1], dilation), after(weight.shape[-1], dilation))
        kernel = weight.flip(-1) if flip else weight
        y = functional.conv1d(functional.pad(x, zeros, mode=mode), kernel, dilation=dilation if spread else 1)
        return y if crop is None else crop(y, x.shape[-1])

    return causal


def past(M, d):
    return d * (M - 1)


def none(M, d):
    return 0


def the_stub(x, weight, dilation):
    M = weight.shape[-1]
    y = functional.conv1d(functional.pad(x, (M - 1, M - 1)), weight, dilation=dilation)
    return y[..., -x.shape[-1] :]


def causal_by_numpy(x, weight, dilation):
    x, weight, T = x.numpy(), weight.numpy(), x.shape[-1]
    zeros = np.zeros((*x.shape[:2], dilation * (weight.shape[-1] - 1)))
    wide = np.concatenate([zeros, x], axis=-1)
    return sum(weight[..., m] @ wide[..., m * dilation : m * dilation + T] for m in range(weight.shape[-1]))


def from_its_own_end(x, weight, dilation):
    before = past(weight.shape[-1], dilation)
    rolled = torch.cat([x] * (before // x.shape[-1] + 2), dim=-1)[..., -(before + x.shape[-1]) :]
    return functional.conv1d(rolled, weight, dilation=dilation)


def painter(flip=False, add=True, step=None, skip=0, share=lambda lies, maps: 1):
    """Return an answer to exercise 4, with some of its mistakes."""

    def paint(y, weight, stride):
        M, hop, T = weight.shape[-1], stride if step is None else step, y.shape[-1]
        out = [torch.zeros(len(y), weight.shape[1], dtype=y.dtype) for _ in range((T - 1) * stride + M)]
        lies = [0] * len(out)
        for t in range(T - skip):
            patch = torch.einsum("bh,hgm->bgm", y[..., t], weight.flip(-1) if flip else weight)
            for m in range(M):
                out[t * hop + m] = out[t * hop + m] + patch[..., m] if add else patch[..., m]
                lies[t * hop + m] += 1
        return torch.stack([place * share(n, y.shape[1]) for place, n in zip(out, lies, strict=True)], dim=-1)

    return paint


def by_stuffing(y, weight, stride):
    M = weight.shape[-1]
    wide = torch.zeros(*y.shape[:2], (y.shape[-1] - 1) * stride + 1, dtype=y.dtype).index_add(
        -1, torch.arange(0, y.shape[-1] * stride, stride), y
    )
    return functional.conv1d(functional.pad(wide, (M - 1, M - 1)), weight.transpose(0, 1).flip(-1))


def as_the_gradient(y, weight, stride):
    N = (y.shape[-1] - 1) * stride + weight.shape[-1]
    x = torch.zeros(len(y), weight.shape[1], N, dtype=y.dtype, requires_grad=True)
    return torch.autograd.grad((functional.conv1d(x, weight, stride=stride) * y).sum(), x, create_graph=True)[0]


def in_pieces(network, x, piece, edge, left=1, right=1, mode="constant"):
    left, right = edge * left, edge * right
    wide, N = functional.pad(x, (left, right), mode=mode), x.shape[-1]
    parts = [network(wide[:, n : n + left + piece + right]) for n in range(0, N, piece)]
    return torch.cat([part[:, left : part.shape[-1] - right] for part in parts], dim=-1)


def by_overlapping_windows(network, x, piece, edge):
    N = x.shape[-1]
    wide = functional.pad(x, (edge, edge + -N % piece))
    answers = [network(window)[:, edge : edge + piece] for window in wide.unfold(-1, piece + 2 * edge, piece).unbind(1)]
    return torch.hstack(answers)[:, :N]


def sample_by_sample(network, x, piece, edge):
    wide = functional.pad(x, (edge, edge))
    return torch.stack([network(wide[:, n : n + 2 * edge + 1])[:, edge] for n in range(x.shape[-1])], dim=-1)


def written_into(network, x, piece, edge):
    out, wide = torch.empty_like(x), functional.pad(x, (edge, edge))
    for n in range(0, x.shape[-1], piece):
        out[:, n : n + piece] = network(wide[:, n : n + piece + 2 * edge])[:, edge:-edge]
    return out.numpy()


RIGHT = [
    (1, by_windows),
    (1, by_loops),
    (1, tap_by_tap),
    (1, lambda x, w, s, d: functional.conv1d(x, w, None, s, 0, d)),
    (1, lambda x, w, s, d: functional.conv1d(x.float(), w.float(), None, s, 0, d)),
    (2, (64, 999)),
    (2, [64, 999.0]),
    (2, torch.tensor([64, 999])),
    (2, np.array([64, 999])),
    (2, torch.Size([64, 999])),
    (3, padded(past, none)),
    (3, padded(past, past, lambda y, T: y[..., :T])),
    (3, causal_by_numpy),
    (3, lambda x, w, d: tap_by_tap(functional.pad(x.float(), (past(w.shape[-1], d), 0)), w.float(), 1, d)),
    (4, painter()),
    (4, by_stuffing),
    (4, as_the_gradient),
    (4, lambda y, w, s: functional.conv_transpose1d(y, w, stride=s)),
    (4, lambda y, w, s: functional.conv_transpose1d(y.float(), w.float(), stride=s)),
    (5, in_pieces),
    (5, by_overlapping_windows),
    (5, sample_by_sample),
    (5, written_into),
]
WRONG = [
    (1, lambda x, w, s, d: by_loops(x, w, s, d, flip=True), "read backwards"),
    (1, lambda x, w, s, d: by_loops(x[:, :1], w[:, :1], s, d), "only one of the input maps"),
    (1, lambda x, w, s, d: by_loops(x, w, s, d) / 2, "averaged over the input maps"),
    (1, lambda x, w, s, d: by_loops(x, w, s, d) / w.shape[-1], "averaged over the taps"),
    (1, lambda x, w, s, d: by_loops(x, w, s, d, late=1), "each place begins one value too late"),
    (1, neighbours, "the taps are neighbours"),
    (1, lambda x, w, s, d: by_loops(x, w, 1, d), "forgets the stride"),
    (1, lambda x, w, s, d: by_loops(x, w, s, 1), "forgets the dilation"),
    (1, lambda x, w, s, d: by_loops(x, w, d, s), "takes the stride for the dilation"),
    (1, lambda x, w, s, d: by_loops(x, w, s, d, places=0), "the first place counts too"),
    (1, lambda x, w, s, d: by_windows(x, w, s, d).transpose(1, 2), "(B=2, H'=7, T'=3)"),
    (1, lambda x, w, s, d: by_windows(x, w, s, d).detach(), "gradient is cut off"),
    (1, lambda x, w, s, d: by_windows(x, w, s, d)[0], "has 2 axes"),
    (1, lambda x, w, s, d: w @ x, "stops in"),
    (2, (64, 1000), "16000 divided by 8 and by 2"),
    (2, (64, 998), "first place"),
    (2, (64, 995), "padded by 4"),
    (2, (64, 1999), "has a stride"),
    (2, (32, 999), "kernels of the last layer"),
    (2, (1, 999), "not the number of inputs of the first"),
    (2, (64, 1001), "halves an even length exactly"),
    (2, (999, 64), "not 64 but larger"),
    (2, (64,), "2 axes"),
    (2, "64", "whole numbers"),
    (2, (64, "T"), "whole numbers"),
    (3, the_stub, "the crop takes the wrong end"),
    (3, padded(none, past), "sees the future only"),
    (3, padded(lambda M, d: past(M, d) // 2, lambda M, d: past(M, d) - past(M, d) // 2), "each value sees the future"),
    (3, padded(lambda M, d: past(M, d) + 1, lambda M, d: -1), "does not see x at t"),
    (3, padded(past, none, flip=True), "the kernel is read backwards"),
    (3, padded(lambda M, d: M - 1, none, spread=False), "the dilation is not handed to the convolution"),
    (3, padded(past, none, mode="replicate"), "its first value is repeated"),
    (3, from_its_own_end, "before the sound stands its own end"),
    (3, padded(lambda M, d: M - 1, none), "Did the dilation count"),
    (3, padded(past, past), "T (frame) is"),
    (4, painter(add=False), "paints over the earlier one"),
    (4, painter(flip=True), "painted backwards"),
    (4, painter(step=1), "the stride is missing"),
    (4, painter(skip=1), "the last value of y paints nothing"),
    (4, painter(share=lambda lies, maps: 1 / maps), "the maps of y are averaged"),
    (4, painter(share=lambda lies, maps: 1 / max(lies, 1)), "their mean is taken"),
    (4, lambda y, w, s: painter()(y[:, :1], w[:1], s), "only one of the maps"),
    (4, lambda y, w, s: painter()(y, w, s)[..., :-1], "The result has shape"),
    (4, lambda y, w, s: painter()(y, w, s).detach(), "gradient is cut off"),
    (5, lambda f, x, p, e: torch.cat([f(part) for part in x.split(p, -1)], -1), "no neighbours"),
    (5, lambda f, x, p, e: torch.cat([f(part) for part in x.unfold(-1, p, p).unbind(1)], -1), "no neighbours"),
    (5, lambda f, x, p, e: f(x), "40 samples at once"),
    (5, lambda f, x, p, e: in_pieces(f, x, p, e - 1), "the edge is one sample short"),
    (5, lambda f, x, p, e: in_pieces(f, x, p, e, right=0), "only the edge before a piece"),
    (5, lambda f, x, p, e: in_pieces(f, x, p, e, left=0), "only the edge behind a piece"),
    (5, lambda f, x, p, e: in_pieces(f, x, p, e, mode="reflect"), "it was mirrored"),
    (5, lambda f, x, p, e: in_pieces(f, x, p, e, mode="replicate"), "its last value was repeated"),
    (5, lambda f, x, p, e: in_pieces(f, x[:1], p, e) if len(x) == 1 else f(x[:1]), "C (audio channel) is 1"),
    (5, lambda f, x, p, e: in_pieces(f, x, p, e)[:, :-1], "N (sample) is 39 instead of 40"),
]
