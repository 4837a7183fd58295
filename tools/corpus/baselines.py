"""How hard is the corpus? Three blind baselines that know only averages, and three ideals that know the answer.

A source that is silent throughout has no SI-SDR: it is left out, and the mean of a stem goes over the songs that have
it. All use a short-time Fourier transform of 1024 samples, hop 256. SI-SDR: Le Roux et al., "SDR - half-baked or well
done?", ICASSP 2019.
"""

import librosa
import numpy as np

STEMS = ("vocals", "drums", "bass", "other")
SETTINGS = {"n_fft": 1024, "hop_length": 256}
PARTS = ("test", "train")
SILENCE = 1e-9  # mean square, as in sepbook.losses.silence


def si_sdr(estimate, source):
    """Scale-invariant signal-to-distortion ratio in dB of (N,) signals."""
    target = (estimate @ source) / (source @ source) * source
    noise = estimate - target
    return 10 * np.log10((target @ target + 1e-12) / (noise @ noise + 1e-12))


def sounds(samples):
    """Whether samples (N,) are more than silence."""
    return float((samples**2).mean()) > SILENCE


def spectrogram(samples):
    """Complex spectrogram (F, T) of samples (N,)."""
    return librosa.stft(samples, **SETTINGS)


def improvements(masks, mixture, sources):
    """SI-SDR improvement in dB per stem that sounds, of masks {name: (F, T) or (F, 1)} on a mixture (N,)."""
    spectrum = spectrogram(mixture)
    gained = {}
    for name in filter(lambda name: sounds(sources[name]), STEMS):
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
    gains = plain / (plain.sum(axis=0) + 1e-12)
    return {name: gains[s][:, None] for s, name in enumerate(STEMS)}


def own_equaliser(sources):
    """One fixed gain per stem and frequency from the song's own stems: it knows the song, and nothing of its times."""
    return equaliser(np.stack([(np.abs(spectrogram(sources[name])) ** 2).mean(axis=-1) for name in STEMS]))


def split_then_equaliser(plain, mixture):
    """Drums get the percussive part; the others share the harmonic part by the equaliser: masks (F, T)."""
    harmonic, percussive = halves(mixture)
    gains = equaliser(plain)
    return {name: (percussive if name == "drums" else harmonic) * gains[name] for name in STEMS}


def two_equalisers(split, mixture):
    """The same with more knowledge: fitted gains for both parts of every stem, added up to masks (F, T)."""
    gains = split / (split.sum(axis=0) + 1e-12)
    parts = halves(mixture)
    return {name: (gains[s][:, :, None] * parts).sum(axis=0) for s, name in enumerate(STEMS)}


def measure(songs):
    """Mean SI-SDR improvement in dB of each method, per stem and in the mean, on test and on training songs.

    songs: {"train": {name: {stem: (N,)}}, "test": ...}. The mean of a method is that of its songs; that of a song
    goes over the stems that it has, as in `sepbook.evaluation.scores.Scores`.
    """
    plain, split = fit(songs["train"].values())
    methods = {
        "static_equaliser": lambda sources, mixture: equaliser(plain),
        "harmonic_percussive_and_equaliser": lambda sources, mixture: split_then_equaliser(plain, mixture),
        "harmonic_percussive_two_equalisers": lambda sources, mixture: two_equalisers(split, mixture),
        "own_equaliser": lambda sources, mixture: own_equaliser(sources),
        "ideal_ratio_mask": lambda sources, mixture: ideal_masks(sources),
        "ideal_binary_mask": lambda sources, mixture: ideal_masks(sources, binary=True),
    }
    return {f"{name}_{part}": gains(songs[part].values(), masks) for name, masks in methods.items() for part in PARTS}


def gains(songs, masks):
    """Mean improvement in dB of a method: per stem over the songs that have it, and over songs of each song's mean."""
    rows = []
    for sources in songs:
        mixture = sum(sources.values())
        rows.append(improvements(masks(sources, mixture), mixture, sources))
    columns = {stem: [row[stem] for row in rows if stem in row] for stem in STEMS}
    means = {stem: round(float(np.mean(column)), 2) for stem, column in columns.items() if column}
    return means | {"mean": round(float(np.mean([np.mean(list(row.values())) for row in rows])), 2)}


def gaps(table):
    """How much more each method gains on training songs than on test songs, in dB: what is seen against unseen."""
    methods = [name.removesuffix("_test") for name in table if name.endswith("_test")]
    return {name: round(table[f"{name}_train"]["mean"] - table[f"{name}_test"]["mean"], 2) for name in methods}
