"""The ten functions of `sick`, healthy. The solutions of the lab hold exactly this code.

Taught on: book/training/bug_clinic
"""

import random

import torch

from sepbook.losses.waveform import si_sdr


def si_snr_loss(estimates, sources):
    """Loss of estimates and sources (B, S, C, N): the SI-SNR in dB, ready to be minimised. Returns one number."""
    estimates = estimates - estimates.mean(-1, keepdim=True)
    sources = sources - sources.mean(-1, keepdim=True)
    scale = (estimates * sources).sum(-1, keepdim=True) / sources.square().sum(-1, keepdim=True)
    target = scale * sources
    rest = estimates - target
    return -10 * torch.log10(target.square().sum(-1) / rest.square().sum(-1)).mean()


def pit_loss(estimates, sources):
    """Squared error of two magnitudes (B, S=2, C, F, T) against two sources, in the better order. One number."""
    straight = (estimates - sources).square().flatten(1).mean(1)  # (B,)
    crossed = (estimates.flip(1) - sources).square().flatten(1).mean(1)  # (B,)
    return torch.minimum(straight, crossed).mean()


def train(network, optimiser, batches):
    """One step for each pair of mixture (B, C, F, T) and sources (B, S, C, F, T). Returns the list of losses."""
    losses = []
    for mixture, sources in batches:
        loss = (network(mixture) - sources).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return losses


def validate(system, mixture, sources):
    """Score a system in the middle of its training, and leave it as it was: mean SI-SDR in dB, as a number.

    The system turns mixture (B, C, N) into estimates (B, S, C, N).
    """
    before = system.training
    system.eval()
    with torch.no_grad():
        estimates = system(mixture)
    system.train(before)
    return si_sdr(estimates, sources).mean().item()


def make_masks(network, magnitude):
    """Turn the network's output into masks (B, S, C, F, T): shares of the sources that add up to 1."""
    logits = network(magnitude)  # (B, S, C, F, T)
    return torch.softmax(logits, dim=1)


def resynthesise(mixture, mask, n_fft, hop):
    """Apply a mask (C, F, T), with frames `hop` samples apart, to a mixture (C, N). Returns samples (C, N)."""
    window = torch.hann_window(n_fft)
    bins = torch.stft(mixture, n_fft, hop, window=window, return_complex=True)  # (C, F, T)
    return torch.istft(mask * bins, n_fft, hop, window=window, length=mixture.shape[-1])


def split(excerpts, seed):
    """Share out excerpts (song, start): about four fifths to train on, the rest for a test on new songs."""
    songs = sorted({song for song, start in excerpts})
    kept = set(random.Random(seed).sample(songs, 4 * len(songs) // 5))
    return [e for e in excerpts if e[0] in kept], [e for e in excerpts if e[0] not in kept]


def mix(stems, gains):
    """Mix stems (S, C, N) at gains (S,) in dB: a mixture (C, N) and its sources (S, C, N), none beyond -1 to 1.

    A mix that fits is left as it is.
    """
    sources = stems * 10 ** (gains / 20).view(-1, 1, 1)
    peak = max(sources.abs().max(), sources.sum(0).abs().max())
    if peak > 1:
        sources = sources / peak
    return sources.sum(0), sources


def set_level(samples, rms):
    """Bring a recording (C, N) to an RMS that all recordings of the data set share. Returns samples (C, N)."""
    centred = samples - samples.mean(-1, keepdim=True)
    return centred * rms / centred.square().mean().sqrt()


def estimate(encoder, decoder, magnitude):
    """Magnitude (B, C, F, T) -> estimates (B, S, C, F, T), with normalised features in the middle."""
    hidden = encoder(magnitude)  # (B, H, T)
    mean, spread = hidden.mean(), hidden.std()
    normal = (hidden - mean) / (spread + 1e-5)
    return decoder(normal).sigmoid() * magnitude.unsqueeze(1)
