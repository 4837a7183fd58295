"""Train one small network with every pair of loss and target, and compare them, paired over songs.

A narrow U-Net makes four sigmoid masks. Network, first weights, mixtures and their order are the same for all pairs of
one seed; only what is minimised differs. Whole test songs are separated. Writes results/losses/spectrogram.json and,
for the book to play, the weights of a few pairs (seed 0) as sepbook/assets/weights/unet_LOSS_TARGET.safetensors.
"""

import statistics

import torch
from scipy.special import stdtrit

from sepbook.architectures import create
from sepbook.building_blocks.stft import STFT
from sepbook.data.corpus import SOURCES, songs
from sepbook.data.mixing import Mixtures
from sepbook.evaluation.metrics import si_sdr_improvement
from sepbook.losses import spectrogram
from sepbook.training import checkpoint
from tools.results._common import clocks, write

STEPS, BATCH, SECONDS, RATE = 240, 8, 2.0, 3e-3
SEEDS = (0, 1, 2)
NETWORK = {"widths": (10, 16, 24, 40, 56), "hop": 512, "masks": "sigmoid"}
LOSSES = {"l1": spectrogram.l1, "mse": spectrogram.mse, "log": spectrogram.log_magnitude}
PAIRS = [(loss, target) for target in spectrogram.TARGETS for loss in LOSSES if (loss, target) != ("log", "psa")]
SHIPPED = (("mse", "msa"), ("l1", "tpsa"), ("log", "msa"))
CLAIMED = "l1_tpsa"  # what is said to be the best
RATES = (1e-3, 3e-3, 6e-3)  # is the order one of learning rates? tried with seed 0 on the validation songs
TRIED = (("l1", "tpsa"), ("mse", "msa"), ("mse", "psa"))
PAUSE = 1e-3  # a frame in which a source has less than this part of its loudest frame's energy is a pause


def batches(seed: int):
    """Yield the same mixtures and sources for every pair: (B, C, N), (B, S, C, N)."""
    data = Mixtures(TRAINING, SECONDS, STEPS * BATCH, incoherent=0.5, gain_db=(-4.0, 2.0), seed=seed)
    for step in range(STEPS):
        items = [data[step * BATCH + i] for i in range(BATCH)]
        yield tuple(torch.stack([item[key] for item in items]) for key in ("mixture", "sources"))


def train(loss: str, target: str, seed: int, rate: float = RATE):
    """Return a network trained for STEPS steps."""
    torch.manual_seed(seed)
    system = create("unet", "small", **NETWORK).train()
    optimizer = torch.optim.Adam(system.parameters(), rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    for mixture, sources in batches(seed):
        Y = system.stft(mixture)  # (B, C, F, T)
        S = system.stft(sources.flatten(1, 2)).unflatten(1, sources.shape[1:3])  # (B, S, C, F, T)
        masks = system.masks(Y.abs())
        value = spectrogram.spectrum_approximation(masks, Y, S, target, LOSSES[loss])
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        schedule.step()
    return system.eval()


@torch.no_grad()
def measure(system, track) -> dict:
    """Return for one whole song, averaged over its sources: what the estimates are like."""
    sources, mixture = track.sources(SOURCES), track.mixture()
    estimates = system(mixture[None])[0]
    gained = si_sdr_improvement(estimates, sources, mixture)
    true, guessed = (STFT()(x).abs()[:, None] for x in (sources, estimates))  # (S, 1, C, F, T): each source an item
    return {
        "improvement": gained.nanmean().item(),
        "per_source": dict(zip(SOURCES, gained.tolist(), strict=True)),
        "convergence_db": (20 * spectrogram.spectral_convergence(guessed, true, "none").log10()).mean().item(),
        "log_db": spectrogram.log_magnitude(guessed, true).item(),
        "level_db": (20 * (guessed.flatten(1).norm(dim=1) / true.flatten(1).norm(dim=1)).log10()).mean().item(),
        "pauses_db": leak(guessed, true, STFT()(mixture[None]).abs()),
    }


def leak(guessed, true, mixture) -> float:
    """Return how loud the estimates are where their source pauses, in dB relative to the mixture there."""
    energies = [x.square().sum((1, 2, 3)) for x in (guessed, true, mixture[:, None])]  # (S, T), (S, T), (1, T)
    pause = energies[1] < PAUSE * energies[1].amax(1, keepdim=True)
    there = (energies[0] * pause).sum(1) / (energies[2] * pause).sum(1).clamp(min=1e-9)
    return (10 * there[pause.sum(1) > 20].log10()).mean().item()  # sources that pause for more than 20 frames


MEASURES = ("improvement", "convergence_db", "log_db", "level_db", "pauses_db")


def summary(runs: list[list[dict]]) -> dict:
    """Average [seed][song] measurements."""
    songwise = {m: [statistics.fmean(run[i][m] for run in runs) for i in range(len(runs[0]))] for m in MEASURES}
    sources = {s: statistics.fmean(song["per_source"][s] for run in runs for song in run) for s in SOURCES}
    seeds = [statistics.fmean(song["improvement"] for song in run) for run in runs]
    means = {m: statistics.fmean(values) for m, values in songwise.items()}
    return {**means, "per_source": sources, "per_seed": seeds, "per_song": songwise}


def paired(a: dict, b: dict, name: str = "improvement") -> dict:
    """Return how much a has more than b: mean over songs (each the mean of its seeds), 95 % interval by Student's t."""
    gaps = [x - y for x, y in zip(a["per_song"][name], b["per_song"][name], strict=True)]
    half = stdtrit(len(gaps) - 1, 0.975) * statistics.stdev(gaps) / len(gaps) ** 0.5
    mean = statistics.fmean(gaps)
    by_seed = [x - y for x, y in zip(a["per_seed"], b["per_seed"], strict=True)]
    return {"mean": mean, "low": float(mean - half), "high": float(mean + half), "per_seed": by_seed}


TRAINING = songs("train")


def run() -> None:
    torch.set_num_threads(1)  # sums in one order: the same weights on any number of cores
    test, valid, runs = songs("test"), songs("valid"), {}
    with clocks() as time:
        for seed in SEEDS:
            for loss, target in PAIRS:
                system = train(loss, target, seed)
                runs.setdefault(f"{loss}_{target}", []).append([measure(system, track) for track in test])
                print(seed, loss, target, summary(runs[f"{loss}_{target}"][-1:])["improvement"], flush=True)
                if seed == SEEDS[0] and (loss, target) in SHIPPED:
                    path = checkpoint.WEIGHTS / f"unet_{loss}_{target}.safetensors"
                    notes = {"steps": STEPS, "seed": seed, "corpus": "train", "licence": "MIT"}
                    checkpoint.save_weights(path, system, half=True, **notes)
        rates = {}
        for loss, target in TRIED:
            for rate in RATES:
                system = train(loss, target, SEEDS[0], rate)
                gained = statistics.fmean(measure(system, track)["improvement"] for track in valid)
                rates.setdefault(f"{loss}_{target}", {})[f"{rate:g}"] = gained
                print("rate", loss, target, rate, gained, flush=True)
    pairs = {name: summary(found) for name, found in runs.items()}
    claimed = pairs[CLAIMED]
    content = {
        "steps": STEPS,
        "batch": BATCH,
        "seconds": SECONDS,
        "rate": RATE,
        "seeds": list(SEEDS),
        "songs": len(test),
        "parameters": sum(p.numel() for p in system.parameters()),
        "pairs": pairs,
        "claimed_minus": {name: paired(claimed, other) for name, other in pairs.items() if name != CLAIMED},
        "best": max(pairs, key=lambda name: pairs[name]["improvement"]),
        "rates": rates,
    }
    content["best_minus"] = {
        name: paired(pairs[content["best"]], other) for name, other in pairs.items() if name != content["best"]
    }
    write("losses/spectrogram", {**content, **time})
