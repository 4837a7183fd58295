"""One small network, trained with a loss on magnitudes and on waveforms, and with plain and compressed input.

What a training step costs with each loss, and what the network gains after equally many steps; for `stft.py`.
"""

import statistics
import time

import torch

from sepbook.architectures import create
from sepbook.building_blocks.compression import Log, Power
from sepbook.data.corpus import SOURCES
from sepbook.data.mixing import Mixtures
from sepbook.evaluation.metrics import si_sdr_improvement
from sepbook.losses import spectrogram, waveform
from tools.results._common import mean_score, singers
from tools.results._small_runs import batch_of

RATE = 16000  # Hz

STEPS, BATCH, SECONDS, SEEDS, LEARNING_RATE = 140, 8, 2.0, (0, 1, 2, 3, 4), 3e-3
TRIED = (1.5e-3, 6e-3)  # is the difference one of learning rates? seed 0, validation songs
NETWORK = {"widths": (10, 16, 24, 40, 56), "hop": 512}
COMPRESSIONS = {"plain": lambda x: x, "power": Power(0.3), "log": Log()}


def waveform_step(system, mixture, sources, compress):
    """Return the loss of the estimated samples: masks, inverse transform, L1."""
    bins = system.stft(mixture)  # (B, C, F, T)
    estimates = system.istft(system.masking(bins, masks_of(system, bins.abs(), compress)), mixture.shape[-1])
    return waveform.l1(estimates, sources)


def magnitude_step(system, mixture, sources, compress):
    """Return the loss of the masked magnitudes: L1, with nothing to invert, but the sources to transform."""
    magnitude = system.stft(mixture).abs()
    target = system.stft(sources.flatten(1, 2)).abs().unflatten(1, sources.shape[1:3])  # (B, S, C, F, T)
    return spectrogram.l1(system.masking(magnitude, masks_of(system, magnitude, compress)), target)


def masks_of(system, magnitude, compress):
    """Return the masks `(B, S, C, F, T)` of magnitudes; the highest bin takes its neighbour's."""
    masks = system.network(compress(magnitude)[:, :, :-1])
    return torch.cat([masks, masks[..., -1:, :]], dim=-2)


LOSSES = {"magnitude": magnitude_step, "waveform": waveform_step}


def batches(tracks, seed: int):
    """Yield the same mixtures and sources for all networks of a seed."""
    data = Mixtures(tracks, SECONDS, STEPS * BATCH, incoherent=0.5, gain_db=(-4.0, 2.0), seed=seed)
    for step in range(STEPS):
        yield batch_of(data, step, BATCH)


def train(tracks, loss: str, compress, seed: int, rate: float = LEARNING_RATE):
    torch.manual_seed(seed)
    system = create("unet", "small", **NETWORK).train()
    optimizer = torch.optim.Adam(system.parameters(), rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    for batch in batches(tracks, seed):
        value = LOSSES[loss](system, **batch, compress=compress)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        schedule.step()
    return system.eval()


@torch.no_grad()
def score(system, tracks, compress) -> list[float]:
    """Return the improvement of each song, the mean of its sources."""
    found = []
    for track in tracks:
        sources = track.sources(SOURCES)
        bins = system.stft(sources.sum(0)[None])
        estimates = system.istft(system.masking(bins, masks_of(system, bins.abs(), compress)), sources.shape[-1])[0]
        found.append(si_sdr_improvement(estimates, sources, sources.sum(0)).nanmean().item())
    return found


@torch.no_grad()
def by_source(system, tracks, compress) -> dict:
    """Return for each source its improvement and its level against the true one in dB, the mean over songs."""
    gains, levels = [], []
    for track in tracks:
        sources = track.sources(SOURCES)
        bins = system.stft(sources.sum(0)[None])
        estimates = system.istft(system.masking(bins, masks_of(system, bins.abs(), compress)), sources.shape[-1])[0]
        gains.append(si_sdr_improvement(estimates, sources, sources.sum(0)))
        ratio = estimates.square().mean((1, 2)) / sources.square().mean((1, 2))
        levels.append((10 * ratio.log10()).where(~gains[-1].isnan(), torch.nan))  # no level where the source is silent
    means = {"improvement": torch.stack(gains).nanmean(0).tolist(), "level": torch.stack(levels).nanmean(0).tolist()}
    return {key: dict(zip(SOURCES, values, strict=True)) for key, values in means.items()}


def training(tracks) -> dict:
    runs, rates, sources = {}, {loss: {} for loss in LOSSES}, {}
    networks = {
        "waveform_log": ("waveform", "log"),
        **{f"magnitude_{name}": ("magnitude", name) for name in COMPRESSIONS},
    }
    for seed in SEEDS:
        for name, (loss, kind) in networks.items():
            system = train(tracks["train"], loss, COMPRESSIONS[kind], seed)
            runs.setdefault(name, []).append(score(system, tracks["test"], COMPRESSIONS[kind]))
            print(seed, name, mean_score([runs[name][-1]]), flush=True)
            if seed == SEEDS[0]:
                sources[name] = by_source(system, tracks["test"], COMPRESSIONS[kind])
            if seed == SEEDS[0] and kind == "log":
                rates[loss][f"{LEARNING_RATE:g}"] = mean_score([score(system, tracks["valid"], COMPRESSIONS[kind])])
    for loss in LOSSES:
        for rate in TRIED:
            system = train(tracks["train"], loss, COMPRESSIONS["log"], SEEDS[0], rate)
            rates[loss][f"{rate:g}"] = mean_score([score(system, tracks["valid"], COMPRESSIONS["log"])])
            print("rate", loss, rate, rates[loss], flush=True)
    return {
        "improvement": {name: mean_score(found) for name, found in runs.items()},
        "scores": runs,  # (seed, song) each
        "voices": singers(),
        "rates": rates,
        "sources_of_seed_0": sources,
    }


# --- what a step costs ------------------------------------------------------------------------------------------
PAIRS_TIMED = 15
SIZES = {"narrow": NETWORK, "small": {}}


def step_times() -> dict:
    """Interleave one training step with three losses: precomputed magnitudes, magnitudes, waveform. One thread."""
    found = {}
    for size, fields in SIZES.items():
        torch.manual_seed(0)
        system = create("unet", "small", **fields).train()
        sources = 0.1 * torch.randn(4, 4, 1, round(SECONDS * RATE))
        mixture = sources.sum(1)
        with torch.no_grad():
            magnitude = system.stft(mixture).abs()
            target = system.stft(sources.flatten(1, 2)).abs().unflatten(1, sources.shape[1:3])

        def precomputed(system, mixture, sources, compress, magnitude=magnitude, target=target):
            return spectrogram.l1(system.masking(magnitude, masks_of(system, magnitude, compress)), target)

        def seconds(step, system=system, mixture=mixture, sources=sources):
            start = time.perf_counter()
            system.zero_grad()
            step(system, mixture, sources, COMPRESSIONS["log"]).backward()
            return time.perf_counter() - start

        steps = (precomputed, magnitude_step, waveform_step)
        for step in steps:
            seconds(step)
        rounds = [[seconds(step) for step in steps] for _ in range(PAIRS_TIMED)]
        found[size] = {
            "waveform_to_magnitude": spread([w / m for _, m, w in rounds]),
            "magnitude_to_precomputed": spread([m / p for p, m, _ in rounds]),
            "waveform_to_precomputed": spread([w / p for p, _, w in rounds]),
            "parameters": sum(p.numel() for p in system.parameters()),
        }
        print("step", size, found[size], flush=True)
    return found


def spread(values: list[float]) -> dict:
    """Return the median and the quartiles."""
    low, middle, high = statistics.quantiles(values, n=4)
    return {"median": middle, "low": low, "high": high, "pairs": len(values)}
