"""Patients 5, 6 and 10, from a network to sound: each cure is green, half a cure gets its hint."""

import numpy as np
import pytest
import torch

from sepbook.check.training import mended, sick
from tests.check.tables import (  # noqa: F401
    test_right_answers_are_right_for_other_cases_too,
    test_right_answers_turn_green,
    test_wrong_answers_get_their_own_hint,
)

pytestmark = pytest.mark.filterwarnings("ignore:To copy construct", "ignore:The length of signal", "ignore:A window")


def sigmoids(network, magnitude):
    shares = network(magnitude).sigmoid()
    return shares / shares.sum(1, keepdim=True)


def softmax_by_loop(network, magnitude):
    return torch.stack([torch.stack([torch.softmax(c, 0) for c in item.unbind(1)], 1) for item in network(magnitude)])


def again(back="hop", window=True, length=True, mask=lambda m: m, forth=True, phase=True):
    """Return an answer to exercise 6: the hop of the inverse, and what else it is told."""

    def answer(mixture, m, n_fft, hop):
        w = torch.hann_window(n_fft)
        bins = torch.stft(mixture, n_fft, hop, window=w if forth else torch.ones(n_fft), return_complex=True)
        bins = bins * mask(m) if phase else (bins * mask(m)).abs() + 0j
        hops = {"hop": hop, "half": n_fft // 2, "none": None}
        more = {"window": w} if window else {}
        return torch.istft(bins, n_fft, hops[back], length=mixture.shape[-1] if length else None, **more)

    return answer


def by_channels(mixture, mask, n_fft, hop):
    return torch.stack([again()(x, m, n_fft, hop) for x, m in zip(mixture.double(), mask.double(), strict=True)])


def in_two_halves(mixture, mask, n_fft, hop):
    """What is back from the real parts, and from the imaginary ones, added up: the inverse is linear."""
    w = torch.hann_window(n_fft).double()
    bins = mask * torch.stft(mixture.double(), n_fft, hop, window=w, return_complex=True)
    halves = [torch.istft(x, n_fft, hop, window=w, length=mixture.shape[-1]) for x in (bins.real + 0j, 1j * bins.imag)]
    return halves[0] + halves[1]


def frame_by_frame(mixture, mask, n_fft, hop):
    """Overlap and add by hand, in NumPy."""
    w = np.hanning(n_fft + 1)[:-1]
    x = np.pad(mixture.numpy(), ((0, 0), (n_fft // 2, n_fft // 2)), mode="reflect")
    total, weight = np.zeros(x.shape), np.zeros(x.shape[-1])
    for t in range(mask.shape[-1]):
        place = slice(t * hop, t * hop + n_fft)
        total[:, place] += w * np.fft.irfft(mask[..., t].numpy() * np.fft.rfft(w * x[:, place]), n_fft)
        weight[place] += w**2
    inside = slice(n_fft // 2, n_fft // 2 + mixture.shape[-1])
    weight = weight[inside]
    return np.where(weight > 1e-11, total[:, inside] / np.maximum(weight, 1e-11), 0)


def path(cut=lambda x: x, statistics=lambda x: x, normal=True, mask=False):
    """Return an answer to exercise 10: what is done to the features, and to their mean and spread."""

    def answer(encoder, decoder, magnitude):
        hidden = encoder(magnitude)
        x = (hidden - statistics(hidden.mean())) / (statistics(hidden.std()) + 1e-5) if normal else hidden
        m = decoder(cut(x)).sigmoid()
        return m if mask else m * magnitude.unsqueeze(1)

    return answer


def normalised(function):
    """Return an answer to exercise 10 with another way to normalise."""
    return lambda encoder, decoder, x: decoder(function(encoder(x))).sigmoid() * x.unsqueeze(1)


RIGHT = [
    (5, mended.make_masks),
    (5, sigmoids),
    (5, lambda f, x: f(x).exp() / f(x).exp().sum(1, keepdim=True)),
    (5, lambda f, x: torch.log_softmax(f(x).double(), 1).exp()),
    (5, softmax_by_loop),
    (6, mended.resynthesise),
    (6, by_channels),
    (6, in_two_halves),
    (6, frame_by_frame),
    (10, mended.estimate),
    (10, path(lambda x: torch.stack(list(x)))),
    (10, path(lambda x: x.clone())),
    (10, normalised(lambda h: (h - h.sum() / h.numel()) / ((h - h.mean()).square().sum() / (h.numel() - 1)).sqrt())),
]
WRONG = [
    (5, sick.make_masks, "Along T (frame) they add up to 1"),
    (5, lambda f, x: f(x).softmax(-2), "Along F (frequency bin) they add up to 1"),
    (5, lambda f, x: f(x).softmax(2), "Along C (audio channel) they add up to 1"),
    (5, lambda f, x: f(x).softmax(0), "Along B (batch) they add up to 1"),
    (5, lambda f, x: f(x).sigmoid(), "nothing links them"),
    (5, lambda f, x: f(x), "A share cannot be negative"),
    (5, lambda f, x: f(x).softmax(1).detach(), "the gradient is cut off"),
    (5, lambda f, x: (-f(x)).softmax(1), "the largest logit does not get"),
    (5, lambda f, x: torch.full_like(f(x), 1 / 3), "the same share everywhere"),
    (5, lambda f, x: f(x).softmax(1).sum(2), "4 axes"),
    (6, sick.resynthesise, "when it is not told the hop"),
    (6, again("half"), "whatever the hop"),
    (6, again(window=False), "is not given the window"),
    (6, again(forth=False), "in one of both directions"),
    (6, again(mask=torch.ones_like), "the mask is left out"),
    (6, again(mask=torch.square), "multiplied on twice"),
    (6, again(mask=lambda m: m[:1]), "the first channel's mask"),
    (6, again(mask=lambda m: 1 - m), "what the mask takes away"),
    (6, again(phase=False), "the phase is lost"),
    (6, again(length=False), "but should have (C=2, N=700)"),
    (10, sick.estimate, "encoder.layer.weight, encoder.layer.bias. Where"),
    (10, path(lambda x: x.detach().clone().requires_grad_(True)), "requires_grad begins a new path"),
    (10, path(lambda x: x.data), "but no gradient reaches encoder.layer"),
    (10, path(statistics=lambda x: x.item()), "not the gradient of this function"),
    (10, path(normal=False), "not normalised any more"),
    (10, normalised(lambda h: h - h.mean()), "nothing is divided by the spread"),
    (10, normalised(lambda h: (h - h.mean()) / h.var()), "The spread is its root"),
    (10, normalised(lambda h: h / h.std()), "no mean is taken away"),
    (
        10,
        normalised(lambda h: (h - h.mean(-1, True)) / h.std(-1, keepdim=True)),
        "each feature is normalised by itself",
    ),
    (10, path(mask=True), "this is the mask"),
    (10, lambda *a: path()(*a).detach(), "neither half can learn"),
]
