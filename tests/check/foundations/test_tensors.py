"""The ten puzzles on tensors: each usual mistake is recognised, each right answer passes, however written."""

import numpy as np
import torch
from einops import einsum, rearrange

from sepbook.check.foundations import tensors as check
from tests.check.tables import *  # noqa: F403


def to_full_scale(x, dims=(2, 3), size=torch.abs):
    return x / size(x).amax(dim=dims, keepdim=True)


def gained_by_loops(x, gain):
    y = np.empty(x.shape, np.float32)
    for b, s in np.ndindex(*gain.shape):
        y[b, s] = x[b, s].numpy() * gain[b, s].item()
    return y


def rows_by_loops(x):
    return torch.stack([torch.stack([x[b, :, :, t].flatten() for t in range(x.shape[3])]) for b in range(len(x))])


def split_by_slices(y, S):
    F = y.shape[-1] // S
    return torch.stack([y[..., s * F : (s + 1) * F].transpose(1, 2) for s in range(S)], dim=1)


def split_unless_square(y, S):
    masks = split_by_slices(y, S)
    return masks.mT if masks.shape[2] == masks.shape[3] else masks


def masked_by_loops(bins, masks):
    return torch.stack([torch.stack([bins[b] * mask for mask in masks[b]]) for b in range(len(bins))])


def muted(sources):
    band = sources
    band[0] = 0
    return band.sum(dim=0)


RIGHT = [
    (1, torch.Size([3, 1, 32000])),
    (1, [3, 1, 32000.0]),
    (1, np.array([3, 1, 32000])),
    (1, tuple(torch.zeros(3, 4, 1, 32000).sum(dim=1).shape)),
    (2, to_full_scale),
    (2, lambda x: x / x.flatten(2).abs().max(dim=-1).values[..., None, None]),
    (2, lambda x: x.numpy() / np.abs(x.numpy()).max(axis=(2, 3), keepdims=True)),
    (2, lambda x: torch.stack([torch.stack([s / s.abs().max() for s in item]) for item in x])),
    (3, lambda x, gain: x * gain[..., None, None]),
    (3, lambda x, gain: einsum(x, gain, "b s c n, b s -> b s c n")),
    (3, lambda x, gain: (x.permute(2, 3, 0, 1).double() * gain).permute(2, 3, 0, 1)),
    (3, gained_by_loops),
    (4, (6, 6)),
    (4, [6, 6]),
    (4, (torch.zeros(6, 1) - torch.zeros(6)).shape),
    (4, np.broadcast_shapes((6, 1), (6,))),
    (4, np.array([6.0, 6.0])),
    (5, lambda x: x.squeeze(2)),
    (5, lambda x: rearrange(x, "b s 1 n -> b s n")),
    (5, lambda x: x.sum(dim=2)),
    (5, lambda x: x.numpy()[:, :, 0]),
    (5, lambda x: x.reshape(x.shape[0], x.shape[1], -1)),
    (6, lambda logits: logits.softmax(dim=1)),
    (6, lambda logits: logits.exp() / logits.exp().sum(1, keepdim=True)),
    (6, lambda logits: (logits - logits.logsumexp(1, keepdim=True)).exp()),
    (6, lambda logits: np.exp(logits.numpy()) / np.exp(logits.numpy()).sum(1, keepdims=True)),
    (6, lambda logits: logits.double().movedim(1, -1).softmax(-1).movedim(-1, 1)),
    (7, lambda x: rearrange(x, "b c f t -> b t (c f)")),
    (7, lambda x: torch.cat(list(x.unbind(1)), dim=1).mT),
    (7, lambda x: x.numpy().transpose(0, 3, 1, 2).reshape(x.shape[0], x.shape[3], -1)),
    (7, rows_by_loops),
    (8, lambda y, S: rearrange(y, "b t (s f) -> b s f t", s=S)),
    (8, lambda y, S: torch.stack([part.mT for part in y.chunk(S, dim=-1)], dim=1)),
    (8, lambda y, S: y.numpy().reshape(*y.shape[:2], S, -1).transpose(0, 2, 3, 1)),
    (8, split_by_slices),
    (9, lambda bins, masks: bins[:, None] * masks),
    (9, lambda bins, masks: einsum(bins, masks.to(bins.dtype), "b c f t, b s c f t -> b s c f t")),
    (9, lambda bins, masks: bins.numpy()[:, None] * masks.numpy()),
    (9, masked_by_loops),
    (10, lambda sources: sources.sum(dim=0) - sources[0]),
    (10, lambda sources: sources[1:].sum(dim=0)),
    (10, lambda sources: sum(sources[1:])),
    (10, lambda sources: sources.numpy()[1:].sum(axis=0)),
    (10, lambda sources: muted(sources.clone())),
]
WRONG = [
    (1, (3, 4, 32000), "not C: axes are counted from 0"),
    (1, (4, 1, 32000), "would add the three songs up"),
    (1, (3, 1, 2), "16000 of them in each second"),
    (1, (1, 1, 32000), "B stays"),
    (1, (3, 4, 1), "the sum ran over N"),
    (1, (3, 2, 32000), "C is still the channels"),
    (1, (3, 1, 16000), "two seconds"),
    (1, (3, 4, 1, 32000), "There are 4 sizes, but 3 axes"),
    (2, lambda x: x / x.abs().amax(dim=-1), "must match the size"),
    (2, lambda x: x / x.abs().max(), "divided by one peak"),
    (2, lambda x: to_full_scale(x, size=lambda x: x), "looks at positive samples only"),
    (2, lambda x: to_full_scale(x, dims=3), "each channel was divided"),
    (2, lambda x: to_full_scale(x, dims=(1, 2, 3)), "the sources keep their balance"),
    (2, lambda x: to_full_scale(x, dims=(0, 2, 3)), "the items keep their balance"),
    (2, lambda x: to_full_scale(x, dims=1), "at each sample"),
    (2, lambda x: x / x.square().mean((2, 3), keepdim=True).sqrt(), "that is the RMS"),
    (2, lambda x: x * x.abs().amax((2, 3), keepdim=True), "multiplied by the peak"),
    (2, lambda x: x.abs() / x.abs().amax((2, 3), keepdim=True), "the samples have lost their sign"),
    (3, lambda x, gain: x * gain, "stops in"),
    (3, lambda x, gain: x * gain[:, :1, None, None], "gain of source 0"),
    (3, lambda x, gain: x * gain[:1, :, None, None], "gains of song 0"),
    (3, lambda x, gain: x / gain[:, :, None, None], "divided by the gain"),
    (3, lambda x, gain: x + gain[:, :, None, None], "the gain was added"),
    (3, lambda x, gain: x * 10 ** (gain[:, :, None, None] / 20), "as if it were in decibels"),
    (3, lambda x, gain: (x * gain[:, :, None, None]).sum(1), "3 axes"),
    (3, lambda x, gain: x * gain[:, :, None, None].square(), "the gain was applied twice"),
    (4, (6, 1), "if the second tensor stood under B"),
    (4, (1, 6), "no rule makes them fewer"),
    (4, (36, 1), "two axes of six"),
    (4, (1, 1), "only axes of size 1 are stretched"),
    (4, (6, 7), "are not added"),
    (4, (12, 1), "are not joined"),
    (4, (6,), "There are 1 sizes, but 2 axes"),
    (5, lambda x: x.squeeze(), "(B=1, S=3, C=1, N=40)"),
    (5, lambda x: x, "has 4 axes"),
    (5, lambda x: x.squeeze(0), "(B=2, S=3, C=1, N=40)"),
    (5, lambda x: x.squeeze(1).squeeze(1) if x.shape[1] == 1 else x.squeeze(2), "(B=2, S=1, C=1, N=40)"),
    (5, lambda x: x[:, :, 0, :].flip(-1), "The order along N (sample) is reversed"),
    (5, lambda x: x.squeeze(2).mean(1, keepdim=True).expand(-1, x.shape[1], -1), "the sources were mixed"),
    (5, lambda x: x[:, :1, 0].expand(-1, x.shape[1], -1), "source 0 stands in every place"),
    (5, lambda x: x[:1, :, 0].expand(len(x), -1, -1), "song 0 stands in every place"),
    (5, lambda x: x.squeeze(2).abs(), "without its sign"),
    (5, lambda x: x.permute(1, 0, 2, 3).reshape(x.shape[0], x.shape[1], -1), "B and S were exchanged on the way"),
    (6, lambda logits: logits.softmax(dim=-1), "runs over T"),
    (6, lambda logits: logits.softmax(dim=0), "runs over B"),
    (6, lambda logits: logits.softmax(dim=2), "runs over C"),
    (6, lambda logits: logits.softmax(dim=3), "runs over F"),
    (6, torch.sigmoid, "a sigmoid gives each source"),
    (6, lambda logits: logits.log_softmax(1), "these are the logarithms"),
    (6, lambda logits: logits / logits.sum(1, keepdim=True), "exp comes first"),
    (6, lambda logits: (logits == logits.amax(1, keepdim=True)).float(), "all of it"),
    (6, lambda logits: (-logits).softmax(1), "the smallest logit gets most"),
    (7, lambda x: x.reshape(x.shape[0], x.shape[3], -1), "moved none of them"),
    (7, lambda x: rearrange(x, "b c f t -> b t (f c)"), "(f c) instead of (c f)"),
    (7, lambda x: rearrange(x, "b c f t -> b (c f) t"), "T (frame) is 10 instead of 4"),
    (7, lambda x: rearrange(x, "b c f t -> b t (c f)").flip(1), "The order along T (frame) is reversed"),
    (7, lambda x: rearrange(x.flip(1), "b c f t -> b t (c f)"), "the last channel stands first"),
    (7, lambda x: rearrange(x.flip(2), "b c f t -> b t (c f)"), "the highest bin stands first"),
    (
        7,
        lambda x: rearrange(x.mean(1, keepdim=True).expand_as(x), "b c f t -> b t (c f)"),
        "the channels were averaged",
    ),
    (7, lambda x: rearrange(x[:, :1].expand_as(x), "b c f t -> b t (c f)"), "the first channel stands in every place"),
    (8, lambda y, S: y.unflatten(-1, (-1, S)).permute(0, 3, 2, 1), "every S-th number"),
    (8, lambda y, S: y.reshape(y.shape[0], S, -1, y.shape[1]), "the frames are spread"),
    (8, lambda y, S: y.unflatten(-1, (S, -1)).transpose(1, 2), "F (frequency bin) is 4 instead of 5"),
    (8, lambda y, S: split_by_slices(y, 3), "with S=2"),
    (8, lambda y, S: split_by_slices(y, S).flip(1), "the last source stands first"),
    (8, lambda y, S: split_by_slices(y, S).flip(2), "the highest bin stands first"),
    (8, lambda y, S: split_by_slices(y, S)[:, :1].expand(-1, S, -1, -1), "source 0 stands in every place"),
    (8, lambda y, S: split_by_slices(y, S).softmax(1), "no softmax is asked for"),
    (8, split_unless_square, "F and T are swapped"),
    (9, lambda bins, masks: bins * masks, "The size of tensor a"),
    (
        9,
        lambda bins, masks: bins * masks if len(bins) == 3 else bins[:, None] * masks,
        "source s was cut out",
    ),
    (9, lambda bins, masks: bins.abs()[:, None] * masks, "the phase is lost"),
    (9, lambda bins, masks: bins[:, None] * masks[:, :, :1], "mask of channel 0"),
    (9, lambda bins, masks: bins[:, None, :1] * masks, "channel 0 of the mixture"),
    (9, lambda bins, masks: bins[:1, None] * masks, "song 0"),
    (9, lambda bins, masks: bins[:, None] * (1 - masks), "what is removed"),
    (9, lambda bins, masks: bins[:, None] * masks**2, "masked twice"),
    (9, lambda bins, masks: bins[:, None] * masks / masks.sum(1, keepdim=True), "masks were changed first"),
    (10, muted, "changed its input"),
    (10, lambda sources: sources[1:].mean(dim=0), "mixing is adding"),
    (10, lambda sources: sources.sum(dim=0), "the vocals are still in it"),
    (10, lambda sources: sources[0], "these are the vocals alone"),
    (10, lambda sources: sources[:-1].sum(0), "the last source is missing"),
    (10, lambda sources: sources[0] - sources[1:].sum(0), "polarity"),
    (10, lambda sources: sources[1], "one of the others alone"),
    (10, lambda sources: sources[1] + sources[2], "There may be any number of sources"),
    (10, lambda sources: sources[2:].sum(0), "source 1 is missing as well"),
    (10, lambda sources: sources[1:].sum(0).mean(0, keepdim=True).expand(2, -1), "the channels were mixed"),
    (10, lambda sources: sources[1:].sum(1), "C (audio channel) is 3 instead of 2"),
]


def test_the_same_sizes_hide_the_mistake_and_the_check_finds_it(hear):
    def careless(x, gain):
        return x * gain if len(set(x.shape)) == 1 else x * gain[:, :, None, None]

    assert "it went to channels and samples" in hear(check.exercise_3, careless, times=4)
