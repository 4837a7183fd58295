"""What the choices around the transform are worth. Writes results/building_blocks/stft.json.

*Disk*: the corpus as it is shipped, as samples, and as spectrograms. *Windows*: the ideal ratio mask over window, hop
and shape. *Mel*: the ideal ratio mask in few bands, mel and evenly spaced, and magnitudes found again from them.
*Phase*: magnitudes of the mixture, of a network and of the source, each with the mixture's phase, that phase repaired
by Griffin-Lim, one made up by it, and the source's. *Loss* and *input*: one small network trained on magnitudes and on
waveforms through the inverse transform, and on plain and compressed magnitudes; 5 seeds. All on unseen songs.
"""

import statistics
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

import sepbook.assets
from sepbook import compat
from sepbook.building_blocks.filterbank import mel_matrix
from sepbook.building_blocks.stft import ISTFT, STFT
from sepbook.data.corpus import SOURCES, songs
from sepbook.evaluation.metrics import si_sdr, si_sdr_improvement
from sepbook.evaluation.oracles import ratio_mask
from sepbook.training import checkpoint
from tools.results import _stft_training as small
from tools.results._common import clocks, write

N_FFT, HOP, RATE = 1024, 256, 16000


def excerpt(track, seconds: int = 20) -> Tensor:
    """Return the sources `(S, C, N)` of a song."""
    return track.sources(SOURCES, length=seconds * RATE)


def gain(masks: Tensor, bins: Tensor, sources: Tensor, istft) -> Tensor:
    """Return the SI-SDR improvement of masks `(S, C, F, T)` on the mixture's bins `(C, F, T)`, for each source."""
    return si_sdr_improvement(istft(masks * bins, sources.shape[-1]), sources, sources.sum(0))


def songwise(measure, tracks) -> list[float]:
    """Average `measure(sources) -> (S,)` over songs, source by source."""
    return torch.stack([measure(excerpt(track)) for track in tracks]).nanmean(0).tolist()


# --- disk ---------------------------------------------------------------------------------------------------------
def disk(tracks) -> dict:
    """Return megabytes of all stems and their mixture, in several forms, and numbers per second of one sound."""
    root = Path(sepbook.assets.__path__[0]) / "corpus" / "songs" / "train"
    shipped = sum(file.stat().st_size for file in root.rglob("*") if file.suffix in (".mp3", ".ogg", ".opus", ".flac"))
    samples = sum(track.length for track in tracks) * (len(SOURCES) + 1)
    frames = sum(1 + -(-track.length // HOP) for track in tracks) * (len(SOURCES) + 1)
    bins = frames * (N_FFT // 2 + 1)
    sizes = {
        "compressed": shipped,
        "samples_16_bit": 2 * samples,
        "mel_64_float16": 2 * 64 * frames,
        "magnitude_float16": 2 * bins,
        "magnitude_float32": 4 * bins,
        "complex_float32": 8 * bins,
    }
    return {
        "megabytes": {name: size / 1e6 for name, size in sizes.items()},
        "times_samples": {name: size / sizes["samples_16_bit"] for name, size in sizes.items()},
        "minutes": sum(track.length for track in tracks) / RATE / 60,
        "sounds": len(SOURCES) + 1,
    }


# --- windows ------------------------------------------------------------------------------------------------------
WINDOWS = (128, 256, 512, 1024, 2048, 4096, 8192)
OVERLAPS = (0.125, 0.25, 0.5, 0.75)  # hop as a share of the window
SHAPES = ("hann", "hamming", "sqrt_hann", "rectangular")


def windows(tracks) -> dict:
    def measure(n_fft, hop, shape="hann"):
        stft, istft = STFT(n_fft, hop, shape), ISTFT(n_fft, hop, shape)

        def one(sources):
            bins = stft(sources)
            return gain(ratio_mask(bins, 2), bins.sum(0), sources, istft)

        return dict(zip(SOURCES, songwise(one, tracks), strict=True))

    return {
        "length": {str(n): measure(n, n // 4) for n in WINDOWS},
        "hop": {str(share): measure(N_FFT, int(share * N_FFT)) for share in OVERLAPS},
        "shape": {name: measure(N_FFT, N_FFT // 4, name) for name in SHAPES},
    }


# --- mel ----------------------------------------------------------------------------------------------------------
BANDS = (8, 16, 32, 64, 96)


def linear_matrix(K: int) -> Tensor:
    """Return K groups of neighbouring bins, as evenly as they go: `(K, F)`. The control for mel."""
    group = torch.arange(N_FFT // 2 + 1) * K // (N_FFT // 2 + 1)
    return functional.one_hot(group, K).T.float()


def mel(tracks) -> dict:
    """Masks in K bands, spread over the bins; and magnitudes found again from bands, with the mixture's phase."""
    stft, istft = STFT(N_FFT, HOP), ISTFT(N_FFT, HOP)

    def masked(matrix):
        spread = matrix / matrix.sum(0).clamp(min=1e-9)  # (K, F): how much of a bin's mask each band decides

        def one(sources):
            bins = stft(sources)  # (S, C, F, T)
            bands = matrix @ bins.abs().square()  # (S, C, K, T)
            masks = spread.T @ (bands / bands.sum(0).clamp(min=1e-9))
            return gain(masks, bins.sum(0), sources, istft)

        return one

    def again(matrix):
        back = torch.linalg.pinv(matrix)

        def one(sources):
            bins = stft(sources)
            found = (back @ (matrix @ bins.abs())).clamp(min=0)
            estimates = istft(found * bins.sum(0).sgn(), sources.shape[-1])
            return si_sdr_improvement(estimates, sources, sources.sum(0))

        return one

    def mean(measure):
        return statistics.fmean(songwise(measure, tracks))

    found = {}
    for K in BANDS:
        banks = {"mel": mel_matrix(K, N_FFT, RATE), "linear": linear_matrix(K)}
        found[str(K)] = {name: {"mask": mean(masked(m)), "magnitude": mean(again(m))} for name, m in banks.items()}
        print("bands", K, found[str(K)], flush=True)
    every = torch.eye(N_FFT // 2 + 1)
    found["all"] = {"mask": mean(masked(every)), "magnitude": mean(again(every))}
    return found


# --- phase --------------------------------------------------------------------------------------------------------
ROUNDS = 32


def repaired(magnitude: Tensor, phase: Tensor, stft, istft, N: int) -> Tensor:
    """Griffin-Lim that starts with a phase, as unit bins `(…, F, T)`, instead of anywhere; samples `(…, N)`."""
    sound = istft(magnitude * phase, N)
    for _ in range(ROUNDS):
        sound = istft(magnitude * stft(sound).sgn(), N)
    return sound


def griffin_lim(magnitude: Tensor, N: int) -> Tensor:
    """Return samples `(…, N)` whose magnitudes come near the wanted ones, from a random start, by librosa."""
    options = {"n_iter": ROUNDS, "hop_length": HOP, "n_fft": N_FFT, "length": N, "pad_mode": "constant"}
    sound = compat.griffin_lim(magnitude.numpy(), **options)
    return torch.from_numpy(sound).float()


@torch.no_grad()
def phase(tracks, seconds: int = 10) -> dict:
    """Score every pair of magnitudes and phases: SI-SDR, and by how much the sound's magnitudes miss the wanted."""
    stft, istft, unet = STFT(N_FFT, HOP), ISTFT(N_FFT, HOP), checkpoint.shipped("unet")
    scores, misses = {}, {}
    for track in tracks:
        sources = excerpt(track, seconds)
        N, mixture = sources.shape[-1], sources.sum(0)
        X, Y = stft(sources), stft(mixture[None])  # (S, C, F, T), (1, C, F, T)
        magnitudes = {
            "mixture": Y.abs().expand_as(X),
            "network": unet.masks(Y.abs())[0] * Y.abs(),
            "source": X.abs(),
        }
        for name, magnitude in magnitudes.items():
            heard = {
                "mixture": istft(magnitude * Y.sgn(), N),
                "repaired": repaired(magnitude, Y.sgn(), stft, istft, N),
                "griffin_lim": griffin_lim(magnitude, N),
                "source": istft(magnitude * X.sgn(), N),
            }
            for kind, sound in heard.items():
                error = (stft(sound).abs() - magnitude).flatten(1).norm(dim=1) / magnitude.flatten(1).norm(dim=1)
                true = (stft(sound).abs() - X.abs()).flatten(1).norm(dim=1) / X.abs().flatten(1).norm(dim=1)
                scores.setdefault(name, {}).setdefault(kind, []).append(si_sdr(sound, sources))
                misses.setdefault(name, {}).setdefault(kind, []).append(torch.stack([error, true]))
        print("phase", track.name, flush=True)

    def mean(lists):
        return {a: {b: torch.stack(x).nanmean().item() for b, x in row.items()} for a, row in lists.items()}

    def of(part):
        return {a: {b: [x[part] for x in xs] for b, xs in row.items()} for a, row in misses.items()}

    return {"si_sdr": mean(scores), "missed_wanted": mean(of(0)), "missed_true": mean(of(1)), "rounds": ROUNDS}


def run() -> None:
    torch.set_num_threads(1)  # sums in one order: the same weights on any number of cores
    tracks = {split: songs(split) for split in ("train", "valid", "test")}
    with clocks() as seconds:
        content = {
            "disk": disk(tracks["train"]),
            "windows": windows(tracks["test"]),
            "mel": mel(tracks["test"]),
            "phase": phase(tracks["test"]),
            "step": small.step_times(),
            "training": small.training(tracks),
        }
    recipe = {"steps": small.STEPS, "batch": small.BATCH, "seconds": small.SECONDS, "seeds": list(small.SEEDS)}
    recipe["rate"] = small.LEARNING_RATE
    write("building_blocks/stft", {"n_fft": N_FFT, "hop": HOP, "recipe": recipe, **content, **seconds})
