"""One examination for each patient of the bug clinic: what it does to a real, if small, separation.

Each takes one function of `sick` or `mended`, or yours, and a seed. It returns a dict: `score` in dB of SI-SDR
improvement, and whatever else shows the symptom: curves, numbers, sounds.

Taught on: book/training/bug_clinic
"""

import copy
from functools import cache

import torch
from torch import nn

from sepbook.check.training import mended, ward
from sepbook.check.training.ward import Magnitudes, Sounds, Tiny, gain, hear
from sepbook.data import corpus
from sepbook.evaluation.metrics import match, si_sdr, si_sdr_improvement
from sepbook.evaluation.oracles import ratio_mask
from sepbook.training import checkpoint

STEPS, LEARNING_RATE = 60, 2e-3


def si_snr_loss(loss, seed: int = 0) -> dict:
    """Train one mask for the voice of four seconds with a loss on waveforms. Taught on: book/training/bug_clinic."""
    torch.manual_seed(seed)
    sources = ward.excerpt(5 + seed)
    bins = ward.stft(sources.sum(0)[None])  # (B, C, F, T)
    network = Tiny(S=1)
    optimiser = torch.optim.Adam(network.parameters(), LEARNING_RATE)
    curve, quality = [], []
    for _ in range(40):
        voice = ward.istft(network(bins.abs()).sigmoid() * bins.unsqueeze(1), sources.shape[-1])  # (B, 1, C, N)
        value = loss(voice, sources[None, :1])
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        curve.append(value.item())
        quality.append(si_sdr_improvement(voice[0].detach(), sources[:1], sources.sum(0)).item())
    heard = voice[0].detach()
    band = si_sdr(heard, sources[1:]).item()
    return {"score": quality[-1], "curve": curve, "quality": quality, "band": band, "sounds": heard}


def pit_loss(loss, seed: int = 0) -> dict:
    """Train two masks on two talkers, and test them on a new sentence. Taught on: book/training/bug_clinic."""
    torch.manual_seed(seed)
    learned, new = ward.talk((0, 1)), ward.talk((2,))
    mixture, targets = ward.stft(learned.sum(0)[None]).abs(), ward.stft(learned).abs()[None]
    network = Magnitudes(Tiny(S=2, H=96))
    optimiser = torch.optim.Adam(network.parameters(), LEARNING_RATE)
    curve = []
    for _ in range(STEPS):
        value = loss(network(mixture), targets)
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        curve.append(value.item() / targets.square().mean().item())
    estimates = hear(Sounds(network), new)
    estimates = estimates[match(estimates, new)]
    return {"score": gain(estimates, new), "curve": curve, "sounds": estimates}


def train(loop, seed: int = 0) -> dict:
    """Train two masks, voice and band, on three songs with a training loop, and see where the weights go.

    Taught on: book/training/bug_clinic
    """
    system = Magnitudes(Tiny())
    result = _learn(loop, system, seed)
    mixture, _ = ward.lesson()
    with torch.no_grad():
        masks = system.masks(system.network, mixture)
    return {**result, "saturated": ((masks < 0.01) | (masks > 0.99)).float().mean().item()}


def make_masks(masks, seed: int = 0) -> dict:
    """Train with masks that are made in another way. Taught on: book/training/bug_clinic."""
    system = Magnitudes(Tiny(), masks)
    result = _learn(mended.train, system, seed)
    mixture, _ = ward.lesson()
    with torch.no_grad():
        made = system.masks(system.network, mixture[:1])[0]  # (S, C, F, T)
    return {**result, "masks": made, "sum": made.sum(0).mean().item()}


def estimate(function, seed: int = 0, H: int = 16) -> dict:
    """Train encoder and decoder, H features apart, through the function, and see which weights get a gradient.

    Taught on: book/training/bug_clinic
    """
    system = _Halves(function, H)
    result = _learn(mended.train, system, seed)
    without = [name for name, weight in system.named_parameters() if weight.grad is None]
    return {**result, "without": without}


class _Halves(nn.Module):
    def __init__(self, function, H):
        super().__init__()
        self.network, self.function = Tiny(H=H), function

    def forward(self, magnitude):
        return self.function(self.network.encode, self.network.decode, magnitude)


def _learn(loop, system: nn.Module, seed: int) -> dict:
    torch.manual_seed(seed)
    for module in system.modules():
        if hasattr(module, "reset_parameters"):
            module.reset_parameters()
    optimiser = torch.optim.Adam(system.parameters(), LEARNING_RATE)
    curve = loop(system, optimiser, ward.batches(STEPS, seed))
    every = [ward.excerpt(song, start, 2) for song in (5, 6, 7) for start in (2, 6, 10, 14)]
    learned = torch.cat(every, dim=-1)  # one long sound: a silent moment of the voice does no harm
    heard = hear(Sounds(system), learned)
    return {"score": gain(heard, learned), "curve": curve, "sounds": heard[..., : 4 * ward.RATE]}


def validate(function, seed: int = 0) -> dict:
    """Measure one half-trained network six times on one song it does not know. Taught on: book/training/bug_clinic."""
    torch.manual_seed(seed)
    system = Sounds(Magnitudes(Tiny(H=32, norm=True, dropout=0.5)))
    optimiser = torch.optim.Adam(system.parameters(), LEARNING_RATE)
    mended.train(system.magnitudes.train(), optimiser, ward.batches(STEPS, seed))
    again, song = divmod(seed, len(corpus.songs("valid")))  # a second time round, another place of the song
    new = ward.excerpt(song, 5 + 5 * again, 4, "valid")
    untouched = copy.deepcopy(system).eval()
    values = [function(system, new.sum(0)[None], new[None]) for _ in range(6)]
    first = {name: x.clone() for name, x in untouched.named_buffers()}
    drift = max(float((x - first[name]).abs().max()) for name, x in system.named_buffers() if "mean" in name)
    true = mended.validate(untouched, new.sum(0)[None], new[None])
    return {"score": sum(values) / len(values), "values": values, "true": true, "drift": drift}


def resynthesise(function, seed: int = 0) -> dict:
    """Apply ideal masks, with a hop of half a window, and a mask of ones. Taught on: book/training/bug_clinic."""
    sources = ward.excerpt(5 + seed)
    mixture, n_fft, hop = sources.sum(0), 1024, 512
    window = torch.hann_window(n_fft)
    bins = torch.stft(sources[:, 0], n_fft, hop, window=window, return_complex=True)[:, None]  # (S, C, F, T)
    masks = ratio_mask(bins)
    heard = torch.stack([function(mixture, mask, n_fft, hop) for mask in masks])
    whole = function(mixture, torch.ones_like(masks[0]), n_fft, hop)
    late = heard[..., heard.shape[-1] * 5 // 8 :]
    return {
        "score": gain(heard, sources),
        "whole": si_sdr(whole[None], mixture[None]).item(),
        "late": late.square().mean().sqrt().item(),
        "passed": whole,
        "sounds": heard,
    }


def split(function, seed: int = 0) -> dict:
    """Let a separator that knows its training excerpts by heart meet its test, and songs that are really new.

    The training is a memory: the masks of all training frames. A new frame gets the mask of the most similar one.
    Taught on: book/training/bug_clinic
    """
    excerpts = [(f"song {number}", start) for number in range(10) for start in range(1, 18)]  # 2 s, one every second
    train, test = function(list(excerpts), seed)

    memory = [_frames(int(song.split()[1]), start) for song, start in train]
    keys, masks = torch.cat([key for *_, key, _ in memory]), torch.cat([mask for *_, mask in memory], dim=-1)
    unseen = [(number, start, "test") for number in range(6) for start in (3, 6, 9, 12)]
    met = {"reported": [(int(song.split()[1]), start) for song, start in test], "score": unseen}
    return {name: _remember(keys, masks, places) for name, places in met.items()} | {
        "shared": len({song for song, _ in train} & {song for song, _ in test}),
        "counts": (len(train), len(test)),
    }


@cache
def _frames(number: int, start: int, part: str = "train"):
    """Two seconds of a song: sources (S, C, N), bins (C, F, T), what is compared (T, F), ideal masks (S, C, F, T)."""
    sources = ward.excerpt(number, 0, 20, part)[..., start * ward.RATE : (start + 2) * ward.RATE]
    bins = ward.stft(sources.sum(0)[None])[0]
    key = nn.functional.normalize(bins[0].abs().log1p(), dim=0).T
    return sources, bins, key, ratio_mask(ward.stft(sources))


def _remember(keys, masks, places) -> float:
    """Give each frame the mask of the most similar known one, and score all places as one long sound."""
    estimates, truth = [], []
    for place in places:
        sources, bins, key, _ = _frames(*place)
        nearest = (key @ keys.T).argmax(1)  # (T,)
        estimates.append(ward.istft(masks[..., nearest] * bins, sources.shape[-1]))
        truth.append(sources)
    return gain(torch.cat(estimates, -1), torch.cat(truth, -1))


def mix(function, seed: int = 0) -> dict:
    """Mix voice and band louder than a file can hold, and ask how far ideal masks get then.

    Taught on: book/training/bug_clinic
    """
    mixture, sources = function(ward.excerpt(5 + seed), torch.tensor([3.0, 12.0]))
    masks = ratio_mask(ward.stft(sources))
    heard = ward.istft(masks * ward.stft(mixture[None]), mixture.shape[-1])
    return {
        "score": si_sdr_improvement(heard, sources, mixture).mean().item(),
        "clipped": (mixture.abs() > 0.9999).float().mean().item(),
        "missing": (mixture - sources.sum(0)).square().mean().item() / sources.sum(0).square().mean().item(),
        "mixture": mixture,
        "sounds": heard,
    }


def set_level(function, seed: int = 0) -> dict:
    """Bring a recording with an offset to the level of the others, and give it to the shipped U-Net.

    Taught on: book/training/bug_clinic
    """
    sources = corpus.songs("test")[seed].sources(start=5 * ward.RATE, length=4 * ward.RATE)
    recording = sources.sum(0) + 0.2  # (C, N)
    levelled = function(recording, 0.1)
    heard = hear(checkpoint.shipped("unet"), levelled[None])
    swing = (levelled - levelled.mean()).square().mean().sqrt()
    each = si_sdr_improvement(heard, sources, sources.sum(0))
    return {
        "score": each.nanmean().item(),  # over the sources that sound
        "each": each.tolist(),
        "level": 20 * torch.log10(swing / 0.1).item(),
        "offset": levelled.mean().item(),
        "offsets": heard.mean((-2, -1)).tolist(),
        "levelled": levelled,
        "sounds": heard,
    }
