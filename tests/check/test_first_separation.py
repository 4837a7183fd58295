"""The exercises of the first lab: each usual mistake is recognised, each right answer passes, however written."""

import math

import numpy as np
import torch

from sepbook.building_blocks.stft import STFT
from sepbook.evaluation.metrics import si_sdr
from tests.check.tables import *  # noqa: F403


def mix(vocals, rest, gain_db):
    return rest + 10 ** (gain_db / 20) * vocals


def improvement(estimates, sources, mixture):
    return si_sdr(estimates, sources) - si_sdr(mixture.expand_as(sources), sources)


def one_by_one(estimates, sources, mixture):
    pairs = zip(estimates, sources, strict=True)
    return torch.stack([si_sdr(e[None], x[None])[0] - si_sdr(mixture[None], x[None])[0] for e, x in pairs])


def by_angles(estimates, sources, mixture):
    def score(e, x):
        cosine = torch.cosine_similarity(e.flatten(1).double(), x.flatten(1).double())
        return 10 * torch.log10(cosine**2 / (1 - cosine**2))

    return score(estimates, sources) - score(mixture.expand_as(sources), sources)


def by_sources(bins, masks, istft, length):
    return torch.stack([istft(bins * masks[:, s], length) for s in range(masks.shape[1])], dim=1)


RIGHT = [
    (1, mix),
    (1, lambda v, r, g: r + v * math.exp(g * math.log(10) / 20)),
    (1, lambda v, r, g: r.numpy() + np.power(10, g / 20) * v.numpy()),
    (1, lambda v, r, g: torch.stack([r, v * torch.tensor(10.0, dtype=torch.float64) ** (g / 20)]).sum(0)),
    (2, (8, 4, 1, 513, 189)),
    (2, [8, 4, 1, 513.0, 189]),
    (2, np.array([8, 4, 1, 513, 189])),
    (2, torch.Size([8, 4, *STFT(1024, 256)(torch.zeros(1, 1, 48000)).shape[1:]])),
    (3, lambda b, m, istft, n: istft(b[:, None] * m, n)),
    (3, lambda b, m, istft, n: istft(b.unsqueeze(1) * m, n).double()),
    (3, by_sources),
    (3, lambda b, m, istft, n: istft(torch.einsum("bcft,bscft->bscft", b, m + 0j), n)),
    (3, lambda b, m, istft, n: istft(torch.polar(b.abs()[:, None] * m, b.angle()[:, None].expand_as(m)), n)),
    (4, improvement),
    (4, one_by_one),
    (4, by_angles),
    (4, lambda e, s, m: improvement(e.double(), s.double(), m.double()).numpy()),
]
WRONG = [
    (1, lambda v, r, g: r + g * v, "the decibels themselves"),
    (1, lambda v, r, g: mix(v, r, 2 * g), "for energies"),
    (1, lambda v, r, g: mix(r, v, g), "applied to the rest"),
    (1, lambda v, r, g: r, "the vocals are missing"),
    (1, lambda v, r, g: 10 ** (g / 20) * (v + r), "both were made louder"),
    (1, lambda v, r, g: 10 ** (g / 20) * v, "the rest is missing"),
    (1, lambda v, r, g: mix(v, r, -g), "the sign of the gain"),
    (1, lambda v, r, g: r + math.exp(g / 20) * v, "decibels are powers of ten"),
    (1, lambda v, r, g: r + v, "the gain is not used"),
    (1, lambda v, r, g: r + 2 * v, "twice as loud, whatever"),
    (2, (8, 4, 1, 512, 189), "the highest one gets a mask"),
    (2, (8, 4, 1, 189, 513), "Frequency comes before time"),
    (2, (8, 4, 1, 513, 188), "a frame at the very first sample"),
    (2, (8, 4, 1, 1024, 189), "the others mirror them"),
    (2, (8, 1, 4, 513, 189), "Source comes before audio channel"),
    (2, (8, 4, 1, 513, 48), "windows overlap"),
    (2, (8, 4, 2, 513, 189), "Mono is one channel"),
    (2, (4, 8, 1, 513, 189), "The batch comes first"),
    (2, (8, 4, 513, 189), "There are 4 sizes, but 5 axes"),
    (3, lambda b, m, istft, n: istft(b[:, None] * (1 - m), n), "inverse mask"),
    (3, lambda b, m, istft, n: istft((b.abs()[:, None] * m) + 0j, n), "phase is lost"),
    (3, lambda b, m, istft, n: istft(b[:, None] * m**2, n), "masks were squared"),
    (3, lambda b, m, istft, n: istft(b[:, None] + m, n), "added instead of multiplied"),
    (3, lambda b, m, istft, n: istft(b[:, None] * m.mean(2, keepdim=True), n), "each channel has a mask of its own"),
    (3, lambda b, m, istft, n: istft(b[:, None] * m[:, :, :1], n), "mask of the first channel"),
    (3, lambda b, m, istft, n: istft(b[:, None].expand_as(m), n), "no mask was used"),
    (
        3,
        lambda b, m, istft, n: istft(b[:, None] * (m == m.amax(1, keepdim=True)), n),
        "given whole to the largest mask",
    ),
    (3, lambda b, m, istft, n: istft(b * m, n), "stops in"),
    (3, lambda b, m, istft, n: istft(b[:, None] * m, n - 1), "N (sample) is 249 instead of 250"),
    (4, lambda e, s, m: -improvement(e, s, m), "the sign is wrong"),
    (4, lambda e, s, m: si_sdr(e, s), "without the comparison"),
    (4, lambda e, s, m: improvement(e, s, m).abs(), "it may be negative"),
    (4, lambda e, s, m: improvement(e, s, m).clamp(min=0), "cut at 0 dB"),
    (4, lambda e, s, m: improvement(e, s, s.sum(0)), "the mixture that is handed in was not used"),
    (4, lambda e, s, m: si_sdr(m.expand_as(s), s), "the mixture's own score"),
    (4, lambda e, s, m: improvement(e, s, m).mean().expand(3), "mean over the sources"),
    (4, lambda e, s, m: si_sdr(e, s) - si_sdr(e, m.expand_as(s)), "compared with the mixture as if it were the source"),
    (4, lambda e, s, m: si_sdr(e, s) / si_sdr(m.expand_as(s), s), "Decibels are subtracted, not divided"),
    (4, lambda e, s, m: improvement(e, s, m).mean(), "0 axes"),
]
