"""The checks on filter banks: right answers pass however written, usual mistakes get their own hint."""

import math

import numpy as np
import torch
from torch.nn.functional import conv1d, conv_transpose1d, pad

from sepbook.building_blocks import filterbank as fb
from tests.check.tables import *  # noqa: F403


def frames(size, hop, N):
    return (N - 1 + size - hop) // hop + 1


def unfolded(x, w, hop, before=None, flip=False, length=lambda frames: 1, more=0):
    size = w.shape[-1]
    before = size - hop if before is None else before
    T = frames(size, hop, x.shape[-1]) + more
    cut = pad(x, (before, 3 * size)).unfold(-1, size, hop)[..., :T, :]
    return ((cut / length(cut)) @ (w.flip(-1) if flip else w).T).transpose(-1, -2)


def convolved(x, w, hop):
    B, C, N = x.shape
    T = frames(w.shape[-1], hop, N)
    padded = pad(x.reshape(B * C, 1, N), (w.shape[-1] - hop, 2 * w.shape[-1]))
    return conv1d(padded, w[:, None], stride=hop)[..., :T].view(B, C, len(w), T)


def package(x, w, hop):
    return fb.Encoder(fb.Fixed(w), hop)(x)


def frame_by_frame(x, w, hop):
    size, N = w.shape[-1], x.shape[-1]
    wide = pad(x, (size - hop, size))
    starts = range(0, frames(size, hop, N) * hop, hop)
    return torch.stack([torch.einsum("bcn,kn->bck", wide[..., n : n + size], w) for n in starts], dim=-1)


def left_only(x, w, hop):
    return unfolded(x[:, :1], w, hop).expand(-1, x.shape[1], -1, -1)


def test_the_shape_is_that_of_the_encoder():
    with torch.no_grad():
        assert fb.Encoder(fb.Free(500, 40), 20)(torch.zeros(3, 1, 16000)).shape == (3, 1, 500, 801)


def decoded(code, w, hop, length, start=None, mixed=False):
    B, C, K, T = code.shape
    flat = code.reshape(B * C, T, K).transpose(1, 2) if mixed else code.reshape(B * C, K, T)
    start = w.shape[-1] - hop if start is None else start
    return conv_transpose1d(flat, w[:, None], stride=hop)[:, 0, start : start + length].view(B, C, length)


def painted(code, w, hop, length):
    size, T = w.shape[-1], code.shape[-1]
    pieces = torch.einsum("bckt,kn->bctn", code, w)
    shifted = [pad(pieces[:, :, t], (t * hop, (T - 1 - t) * hop)) for t in range(T)]
    return torch.stack(shifted).sum(0)[..., size - hop : size - hop + length]


def averaged(code, w, hop, length):
    ones = torch.ones(1, 1, 1, code.shape[-1], dtype=code.dtype)
    return decoded(code, w, hop, length) / decoded(ones, torch.ones_like(w[:1]), hop, length)


def from_the_end(code, w, hop, length):
    return decoded(code, w, hop, length, (code.shape[-1] - 1) * hop + w.shape[-1] - length)


def first_channel(code, w, hop, length):
    return decoded(code[:, :1], w, hop, length).expand(-1, code.shape[1], -1)


def centres(K, rate, points=2, keep=slice(1, -1), top=0.5, back=lambda mel: 700 * (10 ** (mel / 2595) - 1)):
    high = 2595 * torch.log10(torch.tensor(1 + top * rate / 700))
    return back(torch.linspace(0, high, K + points)[keep])


def by_numpy(K, rate):
    mel = np.linspace(0, 1127 * np.log1p(rate / 1400), K + 2)[1:-1]
    return 700 * np.expm1(mel / 1127)


def one_by_one(K, rate):
    step = math.log1p(rate / 2 / 700) / (K + 1)
    return torch.tensor([700 * math.expm1(step * k) for k in range(1, K + 1)])


SHAPE = (3, 1, 500, 801)
RIGHT = [
    (1, unfolded),
    (1, convolved),
    (1, package),
    (1, frame_by_frame),
    (1, lambda x, w, hop: convolved(x.float(), w.float(), hop)),
    (2, SHAPE),
    (2, list(SHAPE)),
    (2, torch.Size(SHAPE)),
    (2, np.array(SHAPE)),
    (2, (3.0, 1, np.int64(500), 801.0)),
    (3, decoded),
    (3, painted),
    (3, lambda c, w, hop, length: fb.Decoder(fb.Fixed(w), hop)(c, length)),
    (3, lambda c, w, hop, length: decoded(c.float(), w.float(), hop, length)),
    (4, centres),
    (4, by_numpy),
    (4, one_by_one),
    (4, lambda K, rate: fb.spaced(K + 2, 0, rate / 2, "mel")[1:-1]),
]
WRONG = [
    (1, lambda x, w, hop: unfolded(x, w, hop, flip=True), "reversed in time"),
    (1, lambda x, w, hop: unfolded(x, w, hop, before=0), "zeros in front are missing"),
    (1, lambda x, w, hop: unfolded(x, w, hop, before=w.shape[-1]), "size - hop are enough"),
    (1, lambda x, w, hop: unfolded(x, w, hop, before=w.shape[-1] // 2), "half a filter of zeros"),
    (1, lambda x, w, hop: unfolded(x, w, hop, before=hop), "hop zeros stand in front"),
    (1, lambda x, w, hop: unfolded(x, w, hop) / w.shape[-1], "averaged over a frame"),
    (1, lambda x, w, hop: unfolded(x, w / w.norm(dim=-1, keepdim=True), hop), "the waveforms were brought to length"),
    (1, lambda x, w, hop: unfolded(x, w, hop, length=lambda cut: cut.norm(dim=-1, keepdim=True)), "a quiet code"),
    (1, lambda x, w, hop: unfolded(x, w, hop).relu(), "a ReLU cuts the code"),
    (1, left_only, "the first audio channel is used for all"),
    (1, lambda x, w, hop: unfolded(x, w, hop, more=1), "T (frame) is 28 instead of 27"),
    (1, lambda x, w, hop: unfolded(x, w, hop).transpose(-1, -2), "K (filter) is 27 instead of 5"),
    (1, lambda x, w, hop: unfolded(x, w, hop).detach(), "the gradient is cut off"),
    (1, lambda x, w: x, "cannot be called with 3 arguments"),
    (2, (3, 1, 500, 800), "longer than the sound"),
    (2, (3, 1, 500, 799), "The encoder pads"),
    (2, (3, 1, 500, 401), "the hop is not the size"),
    (2, (3, 1, 500, 1601), "16,000 samples"),
    (2, (3, 1, 40, 801), "K is the number of filters"),
    (2, (3, 1, 21, 801), "TasNet has more filters"),
    (2, (1, 3, 500, 801), "B comes before C"),
    (2, (3, 1, 801, 500), "K before T"),
    (2, (3, 500, 801), "3 sizes, but 4 axes"),
    (2, "abc", "whole numbers"),
    (3, lambda *a: decoded(*a, start=0, mixed=True), "both bugs"),
    (3, lambda *a: decoded(*a, start=0), "the end is missing"),
    (3, lambda *a: decoded(*a, mixed=True), "mixed up by reshape"),
    (3, lambda code, w, hop, length: decoded(code, w.flip(-1), hop, length), "reversed in time"),
    (3, lambda c, w, hop, N: decoded(pad(c, (0, 9)), w, hop, N, start=w.shape[-1]), "size zeros are cut off in front"),
    (3, lambda code, w, hop, length: decoded(code, w, hop, length, start=hop), "hop zeros are cut off in front"),
    (3, from_the_end, "the last samples of the padded sound"),
    (3, averaged, "their mean is taken"),
    (3, first_channel, "only the first audio channel"),
    (3, lambda *a: decoded(*a).detach(), "cut off"),
    (4, lambda K, rate: centres(K, rate, points=0, keep=slice(None)), "corners, not centres"),
    (4, lambda K, rate: centres(K, rate, points=1, keep=slice(1, None)), "half the sample rate: a corner"),
    (4, lambda K, rate: centres(K, rate, points=1, keep=slice(None, -1)), "0 Hz: a corner"),
    (4, lambda K, rate: torch.linspace(0, rate / 2, K + 2)[1:-1], "evenly spaced in Hz"),
    (4, lambda K, rate: centres(K, rate, back=lambda mel: mel), "these are mel"),
    (4, lambda K, rate: centres(K, rate, back=lambda mel: 700 * torch.expm1(mel / 2595)), "back from mel with e"),
    (4, lambda K, rate: centres(K, rate, back=lambda mel: 700 * 10 ** (mel / 2595)), "the 1 is not taken off"),
    (4, lambda K, rate: centres(K, rate, top=1), "ends at half"),
    (4, lambda K, rate: torch.logspace(0, math.log10(rate / 2), K + 2)[1:-1], "evenly spaced in log f"),
    (4, lambda K, rate: centres(K, rate).flip(0), "is reversed"),
    (4, lambda K, rate: centres(K, rate).tolist(), "type list"),
]
