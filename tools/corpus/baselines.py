"""How hard is the corpus? Three blind baselines that know only averages, and two ideal masks that know everything.

All use a short-time Fourier transform of 1024 samples, hop 256. SI-SDR: Le Roux et al., "SDR - half-baked or well
done?", ICASSP 2019.
"""

import librosa
import numpy as np

STEMS = ("vocals", "drums", "bass", "other")
SETTINGS = {"n_fft": 1024, "hop_length": 256}


def si_sdr(estimate, source):
    """Scale-invariant signal-to-distortion ratio in dB of (N,) signals."""
    target = (estimate @ source) / (source @ source) * source
    noise = estimate - target
    return 10 * np.log10((target @ target + 1e-12) / (noise @ noise + 1e-12))


def spectrogram(samples):
    """Complex spectrogram (F, T) of samples (N,)."""
    return librosa.stft(samples, **SETTINGS)


def improvements(masks, mixture, sources):
    """SI-SDR improvement in dB per stem, of masks {name: (F, T) or (F, 1)} on a mixture (N,), sources {name: (N,)}."""
    spectrum = spectrogram(mixture)
    gained = {}
    for name in STEMS:
        estimate = librosa.istft(spectrum * masks[name], hop_length=256, length=len(mixture))
        gained[name] = float(si_sdr(estimate, sources[name]) - si_sdr(mixture, sources[name]))
    return gained


def ideal_masks(sources, binary=False):
    """Ideal ratio masks (p = 1), or ideal binary masks, of a song."""
    magnitudes = np.stack([np.abs(spectrogram(sources[name])) for name in STEMS])
    if binary:
        masks = (magnitudes == magnitudes.max(axis=0)).astype(float)
    else:
        masks = magnitudes / (magnitudes.sum(axis=0) + 1e-10)
    return dict(zip(STEMS, masks, strict=True))


def halves(mixture):
    """Soft masks (2, F, T) of harmonic and percussive parts by median filters (Fitzgerald 2010; librosa)."""
    return np.stack(librosa.decompose.hpss(np.abs(spectrogram(mixture)), mask=True, power=2.0))


def fit(songs):
    """Mean power per stem and frequency over training songs: plain (S, F), and split in two by ``halves`` (S, 2, F)."""
    plain, split = 0.0, 0.0
    for sources in songs:
        parts = halves(sum(sources.values()))
        power = np.stack([np.abs(spectrogram(sources[name])) ** 2 for name in STEMS])
        plain = plain + power.mean(axis=-1)
        split = split + (power[:, None] * parts[None] ** 2).mean(axis=-1)
    return plain, split


def equaliser(plain):
    """One fixed gain per stem and frequency: the Wiener gain of the mean power."""
    gains = plain / plain.sum(axis=0)
    return {name: gains[s][:, None] for s, name in enumerate(STEMS)}


def split_then_equaliser(plain, mixture):
    """Drums get the percussive part; the others share the harmonic part by the equaliser: masks (F, T)."""
    harmonic, percussive = halves(mixture)
    gains = equaliser(plain)
    return {name: (percussive if name == "drums" else harmonic) * gains[name] for name in STEMS}


def two_equalisers(split, mixture):
    """The same with more knowledge: fitted gains for both parts of every stem, added up to masks (F, T)."""
    gains = split / split.sum(axis=0)
    parts = halves(mixture)
    return {name: (gains[s][:, :, None] * parts).sum(axis=0) for s, name in enumerate(STEMS)}
