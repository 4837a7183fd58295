"""Train one small network with every pair of loss and target, and compare them, paired by seed and song.

A narrow U-Net makes four sigmoid masks. From scratch, L1 on tPSA first turns the weak sources off, and a short training
ends there; that is measured too. So for the comparison all networks of a seed share their first steps
(MSE on MSA, which finds all sources soon), and then go on with a pair each. Mixtures and their order are the same for
all pairs of a seed. Whole test songs are separated; which pair is the best, the validation songs say. Writes
results/losses/spectrogram.json and, for the book to play, the weights of a few pairs (seed 0) as
sepbook/assets/weights/unet_LOSS_TARGET.safetensors.
"""

import copy
import statistics

import torch

from sepbook.architectures import create
from sepbook.building_blocks.stft import STFT
from sepbook.data.corpus import SOURCES, songs
from sepbook.data.mixing import Mixtures
from sepbook.evaluation.metrics import si_sdr_improvement
from sepbook.losses import spectrogram
from sepbook.training import checkpoint
from tools.results._common import clocks, mean_score, paired, singers, write
from tools.results._small_runs import batch_of

FIRST, OWN = 240, 120  # steps that all share, steps with a pair of its own
BATCH, SECONDS = 4, 2.0
RATES = {"first": 3e-3, "own": 2e-3}  # Adam's, at its highest; a cosine takes it to zero
SEEDS = (0, 1, 2, 3, 4)
NETWORK = {"widths": (10, 16, 24, 40, 56), "hop": 512, "masks": "sigmoid"}
BIAS = -1.1  # of the last layer: all masks begin at a quarter
LOSSES = {"l1": spectrogram.l1, "mse": spectrogram.mse, "log": spectrogram.log_magnitude}
PAIRS = [(loss, target) for target in spectrogram.TARGETS for loss in LOSSES if (loss, target) != ("log", "psa")]
START, CLAIMED = ("mse", "msa"), ("l1", "tpsa")  # the pair of the first steps; the one that is said to be the best
SHIPPED = (("mse", "msa"), ("l1", "tpsa"), ("log", "msa"))
WEIGHTS = checkpoint.WEIGHTS
PAUSE = 1e-3  # a frame in which a source has less than this part of its loudest frame's energy is a pause


def fresh(seed: int):
    """Return a network with the first weights of a seed."""
    torch.manual_seed(seed)
    system = create("unet", "small", **NETWORK)
    torch.nn.init.constant_(system.network.decoder[-1].conv.bias, BIAS)
    return system


def train(system, pair: tuple[str, str], seed: int, steps: range, rate: float):
    """Train in place on the batches of these steps: the same ones for every pair."""
    loss, target = pair
    data = Mixtures(TRAINING, SECONDS, (FIRST + OWN) * BATCH, incoherent=0.0, gain_db=(0.0, 0.0), seed=seed)
    optimizer = torch.optim.Adam(system.train().parameters(), rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, len(steps))
    for step in steps:
        mixture, sources = batch_of(data, step, BATCH).values()
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
    """Return for one whole song, averaged over the sources that sound: what the estimates are like."""
    sources, mixture = track.sources(SOURCES), track.mixture()
    estimates = system(mixture[None])[0]
    gained = si_sdr_improvement(estimates, sources, mixture)
    sounding = ~gained.isnan()
    sources, estimates = sources[sounding], estimates[sounding]
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


@torch.no_grad()
def watch(system, tracks) -> float:
    """Return the mean improvement on songs, for a choice."""
    gains = [si_sdr_improvement(system(t.mixture()[None])[0], t.sources(SOURCES), t.mixture()) for t in tracks]
    return statistics.fmean(gain.nanmean().item() for gain in gains)


MEASURES = ("convergence_db", "log_db", "level_db", "pauses_db")


def summary(runs: list[list[dict]]) -> dict:
    """Average [seed][song] measurements; keep the table of improvements."""
    scores = [[song["improvement"] for song in run] for run in runs]  # (seed, song)
    sources = {s: mean_score([[song["per_source"][s] for song in run] for run in runs]) for s in SOURCES}
    means = {m: mean_score([[song[m] for song in run] for run in runs]) for m in MEASURES}
    return {"improvement": mean_score(scores), **means, "per_source": sources, "scores": scores}


TRAINING = songs("train")


def name(pair: tuple[str, str]) -> str:
    return "_".join(pair)


def one_seed(seed: int) -> dict:
    """Train every pair with one seed: {"pairs": {name: [one dict for each song]}, "scratch": …, "valid": …}."""
    test, valid = songs("test"), songs("valid")
    found = {"pairs": {}, "scratch": {}, "valid": {}}
    first = range(FIRST)
    begun = train(fresh(seed), START, seed, first, RATES["first"])
    other = train(fresh(seed), CLAIMED, seed, first, RATES["first"])
    for pair, system in ((START, begun), (CLAIMED, other)):
        found["scratch"][name(pair)] = [measure(system, track) for track in test]
        print(seed, "from scratch", name(pair), summary([found["scratch"][name(pair)]])["improvement"], flush=True)
    for pair in PAIRS:
        system = train(copy.deepcopy(begun), pair, seed, range(FIRST, FIRST + OWN), RATES["own"])
        found["pairs"][name(pair)] = [measure(system, track) for track in test]
        found["valid"][name(pair)] = watch(system, valid)
        print(seed, name(pair), summary([found["pairs"][name(pair)]])["improvement"], flush=True)
        if seed == SEEDS[0] and pair in SHIPPED:
            path = WEIGHTS / f"unet_{name(pair)}.safetensors"
            notes = {"steps": [FIRST, OWN], "seed": seed, "corpus": "train", "licence": "MIT"}
            checkpoint.save_weights(path, system, half=True, **notes)
    return found


def content(seeds: list[dict]) -> dict:
    """Gather what the page quotes."""
    pairs, scratch = (
        {key: summary([found[part][key] for found in seeds]) for key in seeds[0][part]} for part in ("pairs", "scratch")
    )
    for key, row in pairs.items():
        row["valid"] = statistics.fmean(found["valid"][key] for found in seeds)
    best, voices = max(pairs, key=lambda key: pairs[key]["valid"]), singers()

    def against(ours: str) -> dict:
        others = (key for key in pairs if key != ours)
        return {key: paired(pairs[ours]["scores"], pairs[key]["scores"], voices) for key in others}

    return {
        "recipe": {"first": FIRST, "own": OWN, "batch": BATCH, "seconds": SECONDS, "rates": RATES, "seeds": len(seeds)},
        "songs": len(voices),
        "voices": voices,
        "parameters": sum(p.numel() for p in fresh(0).parameters()),
        "pairs": pairs,
        "scratch": scratch,
        "best": best,
        "claimed_minus": against(name(CLAIMED)),
        "best_minus": against(best),
    }


def run() -> None:
    torch.set_num_threads(1)  # sums in one order: the same weights on any number of cores
    with clocks() as time:
        seeds = [one_seed(seed) for seed in SEEDS]
    write("losses/spectrogram", {**content(seeds), **time})
