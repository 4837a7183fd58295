"""The exercises of TasNet's lab: each usual mistake is recognised, each right answer passes, however written."""

import numpy as np
import torch
from torch.nn import functional

from tests.check.tables import *  # noqa: F403


def cut_as_on_the_page(x, size):
    segments = functional.pad(x, (0, -x.shape[-1] % size)).unflatten(-1, (-1, size))
    length = segments.norm(dim=-1, keepdim=True)
    return segments / (length + 1e-8), length


def cut_in_a_loop(x, size):
    B, N = x.shape
    filled = torch.cat([x, x.new_zeros(B, -N % size)], dim=1)
    segments = torch.stack(filled.split(size, dim=1), dim=1)
    return [functional.normalize(segments, dim=-1), torch.linalg.vector_norm(segments, dim=-1, keepdim=True)]


def cut_with_care(x, size):
    """A root by hand, whose slope at 0 is kept away."""
    count = -(-x.shape[1] // size)
    segments = functional.pad(x, (0, count * size - x.shape[1])).reshape(len(x), count, size)
    energy = segments.square().sum(-1, keepdim=True)
    loud = energy > 0
    length = torch.where(loud, torch.where(loud, energy, torch.ones_like(energy)).sqrt(), torch.zeros_like(energy))
    return segments / length.clamp_min(1e-8), length


def cut_by_unfolding(x, size):
    segments = functional.pad(x, (0, -x.shape[-1] % size)).unfold(1, size, size)
    length = segments.norm(p=2, dim=2, keepdim=True)
    return segments / torch.where(length > 0, length, torch.ones_like(length)), length


def cut(divide=None, length=None, fill=None, join=None):
    """Return an answer to exercise 2 with another division, another length, other zeros, or another cut."""

    def answer(x, size):
        filled = fill(x, size) if fill else functional.pad(x, (0, -x.shape[-1] % size))
        segments = join(filled, size) if join else filled.unflatten(-1, (-1, size))
        true = segments.norm(dim=-1, keepdim=True)
        unit = divide(segments, true) if divide else segments / (true + 1e-8)
        return unit, length(segments, true, unit) if length else true

    return answer


def dropped(x, size):
    return x[:, : x.shape[-1] // size * size]


def in_front(x, size):
    return functional.pad(x, (-x.shape[-1] % size, 0))


def over_all(segments, length):
    return segments / segments.flatten(1).norm(dim=-1)[:, None, None]


def without_mean(segments, length):
    return functional.normalize(segments - segments.mean(-1, keepdim=True), dim=-1)


def root_by_hand(x, size):
    segments = functional.pad(x, (0, -x.shape[-1] % size)).unflatten(-1, (-1, size))
    length = segments.square().sum(-1, keepdim=True).sqrt()
    return segments / (length + 1e-8), length


def quotient_without_epsilon(x, size):
    segments = functional.pad(x, (0, -x.shape[-1] % size)).unflatten(-1, (-1, size))
    length = segments.norm(dim=-1, keepdim=True)
    return segments / length, length


def cut_off_from_x(x, size):
    return cut_as_on_the_page(x.detach(), size)


def code_as_linear(segments, U, V):
    return functional.linear(segments, V).sigmoid() * functional.relu(functional.linear(segments, U))


def code_bent_last(segments, U, V):
    return ((segments @ U.T) * torch.sigmoid(segments @ V.T)).clamp(min=0)


def code_by_einsum(segments, U, V):
    amount, gate = (torch.einsum("btn,kn->btk", segments, w) for w in (U, V))
    return torch.where(amount > 0, amount, torch.zeros_like(amount)) / (1 + (-gate).exp())


def code_in_one(segments, U, V):
    """Both at once, cut by the gated linear unit."""
    both = segments @ torch.cat([U, V]).T
    return functional.glu(both, dim=-1).relu()


def sounds_as_on_the_page(code, scores, D, length):
    return ((scores.softmax(1) * code[:, None]) @ D.T * length[:, None]).flatten(2)


def sounds_talker_by_talker(code, scores, D, length):
    masks = functional.softmax(scores, dim=1).unbind(1)
    each = [functional.linear(mask * code, D) * length for mask in masks]
    return torch.stack([one.reshape(len(code), -1) for one in each], dim=1)


def sounds_by_einsum(code, scores, D, length):
    masks = scores.exp() / scores.exp().sum(1, keepdim=True)
    made = torch.einsum("bstk,btk,nk,btl->bstn", masks, code, D, length)
    return made.reshape(*made.shape[:2], -1)


def sounds_louder_first(code, scores, D, length):
    loud = (code * length).unsqueeze(1)
    made = (loud * torch.softmax(scores, 1)) @ D.mT
    return torch.cat(made.unbind(2), dim=-1)


def sounds(masks=None, code=None, length=None, join=None):
    """Return an answer to exercise 4 with other masks, another code, other lengths, or joined in another way."""

    def answer(w, scores, D, lengths):
        shares = masks(scores) if masks else scores.softmax(1)
        amount = code(w) if code else w
        loud = length(lengths) if length else lengths
        made = (shares * amount[:, None]) @ D.T * loud[:, None]
        return join(made) if join else made.flatten(2)

    return answer


RIGHT = [
    (1, (201, 500)),
    (1, [201.0, 500.0]),
    (1, np.array([201, 500])),
    (1, torch.zeros(500, 8010 // 40 + 1).T.shape),
    (2, cut_as_on_the_page),
    (2, cut_in_a_loop),
    (2, cut_with_care),
    (2, cut_by_unfolding),
    (3, lambda segments, U, V: (segments @ U.T).relu() * (segments @ V.T).sigmoid()),
    (3, code_as_linear),
    (3, code_bent_last),
    (3, code_by_einsum),
    (3, code_in_one),
    (4, sounds_as_on_the_page),
    (4, sounds_talker_by_talker),
    (4, sounds_by_einsum),
    (4, sounds_louder_first),
]
WRONG = [
    (1, (200, 500), "Ten samples are left. The last"),
    (1, (500, 201), "T and K are swapped"),
    (1, (401, 500), "an overlap by half"),
    (1, (8010, 500), "a segment at every sample"),
    (1, (7971, 500), "a stride of 1"),
    (1, (201, 40), "how many samples go in"),
    (1, (201, 1000), "multiplied with the code"),
    (1, (40, 500), "40 is the size of a segment"),
    (1, (202, 500), "One too many"),
    (1, (1, 201, 500), "3 sizes, but 2 axes"),
    (2, cut(divide=lambda s, n: s), "they are not divided by their length"),
    (2, cut(divide=lambda s, n: s / (n.square() + 1e-12)), "the square of the length"),
    (2, cut(divide=lambda s, n: s / (s.abs().sum(-1, keepdim=True) + 1e-8)), "the sum of absolute values"),
    (2, cut(divide=lambda s, n: s / (s.abs().amax(-1, keepdim=True) + 1e-8)), "their largest value"),
    (2, cut(divide=lambda s, n: s / (s.square().mean(-1, keepdim=True).sqrt() + 1e-8)), "the mean of the squares"),
    (2, cut(divide=over_all), "one length was taken for the whole sound"),
    (2, cut(divide=without_mean), "the mean of each segment was taken away"),
    (2, cut(join=lambda x, size: x.unflatten(-1, (size, -1)).mT), "samples that lie far apart came together"),
    (2, cut(fill=dropped), "what is left at the end was dropped"),
    (2, cut(fill=in_front), "the zeros stand in front"),
    (2, cut(length=lambda s, n, unit: n[..., 0]), "keepdim=True keeps it"),
    (2, cut(length=lambda s, n, unit: n.square()), "the root is missing"),
    (2, cut(length=lambda s, n, unit: unit.norm(dim=-1, keepdim=True)), "of what was divided already"),
    (2, quotient_without_epsilon, "holds NaN or infinity"),
    (2, root_by_hand, "is NaN where all is silent"),
    (2, cut_off_from_x, "the gradient is cut off"),
    (2, lambda x, size: [part.numpy() for part in cut_off_from_x(x, size)], "the gradient is cut off"),
    (2, lambda x, size: cut_as_on_the_page(x, size)[0], "should return two things"),
    (3, lambda segments, U, V: (segments @ U.T).relu(), "the gate is missing"),
    (3, lambda segments, U, V: (segments @ U.T) * (segments @ V.T).sigmoid(), "the ReLU is missing"),
    (3, lambda segments, U, V: (segments @ U.T).relu() * (segments @ V.T).relu(), "the gate is a ReLU too"),
    (3, lambda segments, U, V: (segments @ U.T).relu() * (segments @ V.T), "not brought between 0 and 1"),
    (3, lambda segments, U, V: (segments @ V.T).relu() * (segments @ U.T).sigmoid(), "U and V are exchanged"),
    (3, lambda segments, U, V: (segments @ U.T).relu() + (segments @ V.T).sigmoid(), "A gate multiplies"),
    (3, lambda segments, U, V: (segments @ U.T).relu() * (segments @ V.T).tanh(), "the gate is a tanh"),
    (3, lambda segments, U, V: (segments @ U.T).relu() * (segments @ U.T).sigmoid(), "gated by itself"),
    (3, lambda segments, U, V: (segments @ U.T).sigmoid() * (segments @ V.T).sigmoid(), "there are two sigmoids"),
    (3, lambda segments, U, V: (segments @ U.T).relu() * (segments @ V.T).softmax(-1), "a softmax over all waveforms"),
    (3, lambda segments, U, V: code_as_linear(segments.detach(), U, V), "the gradient is cut off"),
    (4, sounds(masks=lambda scores: scores.softmax(-1)), "the softmax was taken over the waveforms"),
    (4, sounds(masks=lambda scores: scores.softmax(2)), "the softmax was taken over time"),
    (4, sounds(masks=torch.sigmoid), "a sigmoid lets each mask stand by itself"),
    (4, sounds(masks=lambda scores: scores), "the scores are used as masks"),
    (4, sounds(masks=lambda scores: scores * 0 + 1), "the masks are missing"),
    (4, sounds(code=torch.ones_like), "the masks are decoded by themselves"),
    (4, sounds(length=torch.ones_like), "the lengths did not come back"),
    (4, sounds(length=lambda length: 1 / length), "it is divided by the lengths"),
    (4, sounds(length=torch.square), "the lengths came back twice"),
    (4, sounds(join=lambda made: made.mT.flatten(2)), "samples of different segments are mixed"),
    (4, sounds(join=lambda made: made), "segments are not joined yet"),
    (4, lambda *inputs: sounds_as_on_the_page(*inputs).detach(), "the gradient is cut off"),
]
