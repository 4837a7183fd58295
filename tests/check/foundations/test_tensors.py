"""The ten puzzles on tensors: each usual mistake is recognised, each right answer passes, however written."""

import torch
from einops import einsum, rearrange

from sepbook.check.foundations import tensors as check
from tests.check.tables import *  # noqa: F403

RIGHT = [
    (1, torch.Size([3, 1, 32000])),
    (2, lambda x: x / x.abs().amax(dim=(2, 3), keepdim=True)),
    (2, lambda x: x / x.flatten(2).abs().max(dim=-1).values[..., None, None]),
    (3, lambda x, gain: x * gain[..., None, None]),
    (3, lambda x, gain: einsum(x, gain, "b s c n, b s -> b s c n")),
    (4, (6, 6)),
    (5, lambda x: x.squeeze(2)),
    (5, lambda x: rearrange(x, "b s 1 n -> b s n")),
    (6, lambda logits: logits.softmax(dim=1)),
    (6, lambda logits: logits.exp() / logits.exp().sum(1, keepdim=True)),
    (7, lambda x: rearrange(x, "b c f t -> b t (c f)")),
    (7, lambda x: torch.cat(list(x.unbind(1)), dim=1).mT),
    (8, lambda y, S: rearrange(y, "b t (s f) -> b s f t", s=S)),
    (8, lambda y, S: torch.stack([part.mT for part in y.chunk(S, dim=-1)], dim=1)),
    (9, lambda bins, masks: bins[:, None] * masks),
    (9, lambda bins, masks: einsum(bins, masks.to(bins.dtype), "b c f t, b s c f t -> b s c f t")),
    (10, lambda sources: sources.sum(dim=0) - sources[0]),
    (10, lambda sources: sources[1:].sum(dim=0)),
]


def muted(sources):
    band = sources
    band[0] = 0
    return band.sum(dim=0)


WRONG = [
    (1, (3, 4, 32000), "not C: axes are counted from 0"),
    (1, (4, 1, 32000), "would add the three songs up"),
    (1, (3, 1, 2), "16000 of them in each second"),
    (1, (3, 4, 1, 32000), "There are 4 sizes, but 3 axes"),
    (2, lambda x: x / x.abs().amax(dim=-1), "must match the size"),
    (2, lambda x: x / x.abs().max(), "divided by one peak"),
    (2, lambda x: x / x.amax(dim=(2, 3), keepdim=True), "looks at positive samples only"),
    (2, lambda x: x / x.abs().amax(dim=3, keepdim=True), "each channel was divided"),
    (3, lambda x, gain: x * gain, "stops in"),
    (3, lambda x, gain: x * gain[:, None, :, None] if x.shape[1] != 3 else x * gain[0, 0], "the values are not"),
    (4, (6, 1), "aligned at the right"),
    (4, (6,), "There are 1 sizes, but 2 axes"),
    (5, lambda x: x.squeeze(), "(B=1, S=3, C=1, N=40)"),
    (5, lambda x: x, "has 4 axes"),
    (6, lambda logits: logits.softmax(dim=-1), "runs over T"),
    (6, lambda logits: logits.softmax(dim=0), "runs over B"),
    (6, torch.sigmoid, "a sigmoid gives each source"),
    (7, lambda x: x.reshape(x.shape[0], x.shape[3], -1), "moved none of them"),
    (7, lambda x: rearrange(x, "b c f t -> b t (f c)"), "(f c) instead of (c f)"),
    (8, lambda y, S: y.unflatten(-1, (-1, S)).permute(0, 3, 2, 1), "every S-th number"),
    (8, lambda y, S: y.reshape(y.shape[0], S, -1, y.shape[1]), "the frames are spread"),
    (8, lambda y, S: y.unflatten(-1, (S, -1)).transpose(1, 2), "F (frequency bin) is 4 instead of 5"),
    (9, lambda bins, masks: bins * masks, "The size of tensor a"),
    (
        9,
        lambda bins, masks: bins * masks if len(bins) == 3 else bins[:, None] * masks,
        "source s was cut out",
    ),
    (9, lambda bins, masks: bins.abs()[:, None] * masks, "the phase is lost"),
    (10, muted, "changed its input"),
    (10, lambda sources: sources[1:].mean(dim=0), "mixing is adding"),
    (10, lambda sources: sources.sum(dim=0), "the vocals are still in it"),
]


def test_the_same_sizes_hide_the_mistake_and_the_check_finds_it(hear):
    def careless(x, gain):
        return x * gain if len(set(x.shape)) == 1 else x * gain[:, :, None, None]

    assert "it went to channels and samples" in hear(check.exercise_3, careless, times=4)
