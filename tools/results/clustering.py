"""Train a small embedding network on a low and a high voice with deep clustering; compare other weights and losses.

One run of many steps, seed 0, whose weights ship for the page and the lab; then short runs, five seeds each. Every
network is measured on the same mixtures of unseen talkers, two for each pair of a low and a high voice. Writes
results/losses/clustering.json and sepbook/assets/weights/embedding_talkers.safetensors.
"""

from itertools import product

import torch
from torch import Tensor, nn

from sepbook import audio
from sepbook.building_blocks.stft import ISTFT, STFT
from sepbook.data import corpus
from sepbook.evaluation.intervals import interval
from sepbook.evaluation.metrics import match, si_sdr_improvement
from sepbook.losses import clustering
from sepbook.training import checkpoint
from tools.results._common import clocks, mean_score, write

RATE, N_FFT, HOP, WINDOW = 8000, 256, 64, "sqrt_hann"  # Hz, samples
F, H, D = 129, 72, 20  # H for each direction
BATCH, SECONDS, LEARNING_RATE, LEVELS = 8, 0.8, 1e-2, 2.5  # LEVELS: talkers are up to so many dB softer or louder
LOW, HIGH = 140, 190  # Hz: a low voice is below the first, a high one above the second
LONG, SHORT, SEEDS = 800, 120, (0, 1, 2, 3, 4)
WEIGHTS = checkpoint.WEIGHTS / "embedding_talkers.safetensors"


class Embedder(nn.Module):
    """Levels of the mixture in, embeddings of length 1 out: magnitudes (B, C=1, F, T) -> (B, F, T, D)."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(F)
        self.lstm = nn.LSTM(F, H, batch_first=True, bidirectional=True)
        self.linear = nn.Linear(2 * H, F * D)
        nn.init.normal_(self.linear.weight, std=0.3)  # so that the vectors differ from the start

    def forward(self, magnitude: Tensor) -> Tensor:
        loudest = magnitude.amax((2, 3), keepdim=True).clamp(min=1e-9)
        level = (magnitude / loudest).clamp(min=1e-3).log10()  # -60 dB is -3
        x, _ = self.lstm(self.norm(level[:, 0]).mT)  # (B, T, 2 H)
        v = self.linear(x).sigmoid().unflatten(2, (F, D))  # (B, T, F, D)
        return nn.functional.normalize(v, dim=-1).transpose(1, 2)


class Talkers:
    """Utterances of a split at 8 kHz, all equally loud, and mixtures of a low and a high voice."""

    def __init__(self, split: str):
        self.said, self.low, self.high = {}, [], []
        for utterance in corpus.talkers(split):
            x = audio.resample(utterance.samples(), corpus.SAMPLE_RATE, RATE)[0]  # (N,)
            self.said.setdefault(utterance.identity, []).append(0.06 * x / x.square().mean().sqrt())
            group = self.low if utterance.details["pitch"] < LOW else self.high
            if utterance.identity not in group and not LOW <= utterance.details["pitch"] <= HIGH:
                group.append(utterance.identity)

    def pair(self, names, takes, length: int, generator: torch.Generator) -> Tensor:
        """Return excerpts of two talkers as sources (S, C, N), at levels drawn at random."""
        sources = []
        for name, take in zip(names, takes, strict=True):
            x = self.said[name][take % len(self.said[name])]
            start = int(torch.randint(max(1, len(x) - length + 1), (), generator=generator))
            x = x[start : start + length]
            level = LEVELS * (2 * torch.rand((), generator=generator) - 1)
            sources.append(nn.functional.pad(x, (0, length - len(x))) * 10 ** (level / 20))
        return torch.stack(sources).unsqueeze(1)

    def batch(self, generator: torch.Generator) -> Tensor:
        """Draw sources (B, S, C, N), the low voice as often first as second."""
        items = []
        for _ in range(BATCH):
            names = [group[int(torch.randint(len(group), (), generator=generator))] for group in (self.low, self.high)]
            order = int(torch.randint(2, (), generator=generator))
            takes = torch.randint(99, (2,), generator=generator).tolist()
            items.append(self.pair(names[:: 1 - 2 * order], takes, round(SECONDS * RATE), generator))
        return torch.stack(items)

    def every_pair(self) -> list[Tensor]:
        """Return two mixtures for each pair of a low and a high voice: sources (S, C, N) of two seconds and a half."""
        generator = torch.Generator().manual_seed(0)
        pairs = enumerate(2 * list(product(self.low, self.high)))
        return [self.pair(names, (i, i + 1), round(2.5 * RATE), generator) for i, names in pairs]


def steps_of(loss: str, weigh: str, steps: int, seed: int, talkers: Talkers) -> tuple[Embedder, list[float]]:
    """Train a network; `loss` and `weigh` are names of functions, of which "equal" is a weight of 1 for every bin."""
    torch.manual_seed(seed)
    network, stft = Embedder(), STFT(N_FFT, HOP, WINDOW)
    optimizer = torch.optim.Adam(network.parameters(), LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    generator, losses = torch.Generator().manual_seed(seed), []
    for _ in range(steps):
        sources = talkers.batch(generator)  # (B, S, C, N)
        magnitudes = stft(sources.flatten(1, 2)).abs().unflatten(1, (2, 1))  # (B, S, C, F, T)
        mixture = stft(sources.sum(1)).abs()  # (B, C, F, T)
        y = clustering.membership(magnitudes)
        w = torch.ones_like(mixture[:, 0]) if weigh == "equal" else getattr(clustering, weigh)(mixture)
        inputs = (network(mixture), y, w)
        extra = (10 * mixture, 10 * magnitudes) if loss == "deep_attractor" else ()
        value = getattr(clustering, loss)(*inputs, *extra)
        optimizer.zero_grad()
        value.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        losses.append(value.item())
    return network.eval(), losses


@torch.no_grad()
def improvements(masks_of, mixtures: list[Tensor]) -> list[float]:
    """Return the SI-SDR improvement in dB of each mixture, mean of both talkers, in the best order."""
    stft, istft, found = STFT(N_FFT, HOP, WINDOW), ISTFT(N_FFT, HOP, WINDOW), []
    for sources in mixtures:
        bins = stft(sources.sum(0)[None])  # (B, C, F, T)
        masks = masks_of(bins.abs(), stft(sources).abs()[None])  # (B, S, C, F, T)
        estimates = istft((masks * bins.unsqueeze(1))[0], sources.shape[-1])
        estimates = estimates[match(estimates, sources)]
        found.append(si_sdr_improvement(estimates, sources, sources.sum(0)).mean().item())
    return found


def clusters(network: nn.Module):
    """Return the function that separates with a network and k-means."""
    return lambda mixture, _: clustering.kmeans_masks(network(mixture), 2, clustering.audible(mixture))


def ideal(mixture: Tensor, magnitudes: Tensor) -> Tensor:
    return clustering.membership(magnitudes).unsqueeze(2)


def summary(values: list[float]) -> dict:
    """Return mean and 95 % interval over mixtures, for one network."""
    return interval([values], units="mixtures").as_dict() | {"mixtures": len(values)}


SHIPPED = "by_magnitude"
VARIANTS = {
    "by_magnitude": ("deep_clustering", "magnitude_weight"),
    "audible": ("deep_clustering", "audible"),
    "every_bin": ("deep_clustering", "equal"),
    "whitened_kmeans": ("whitened_kmeans", "magnitude_weight"),
}


def short_runs(name: str, talkers: Talkers, mixtures: list[Tensor]) -> dict:
    """Train a variant for a few steps from each seed; return the scores (seed, mixture)."""
    with clocks() as time:
        networks = [steps_of(*VARIANTS[name], SHORT, seed, talkers)[0] for seed in SEEDS]
    found = [improvements(clusters(network), mixtures) for network in networks]
    print(name, [sum(x) / len(x) for x in found], f"{time['cpu_seconds']:.0f} s", flush=True)
    return {"mean": mean_score(found), "scores": found, "cpu_seconds": time["cpu_seconds"]}


def long_run(talkers: Talkers, mixtures: list[Tensor]) -> dict:
    """Train the network that ships, and measure it as it ships: with weights of 16 bits."""
    with clocks() as time:
        network, losses = steps_of(*VARIANTS[SHIPPED], LONG, 0, talkers)
    half = {key: value.half() if value.is_floating_point() else value for key, value in network.state_dict().items()}
    notes = {"steps": LONG, "seed": 0, "corpus": "talkers/train", "licence": "MIT", "sample_rate": RATE}
    checkpoint.write(WEIGHTS, half, {"system": None, "notes": notes})
    network.load_state_dict({key: value.to(network.state_dict()[key]) for key, value in half.items()})
    gained = improvements(clusters(network), mixtures)
    seen = talkers.every_pair()[::9]
    found = {
        **summary(gained),
        "seen": summary(improvements(clusters(network), seen)),
        "per_mixture": gained,
        "parameters": sum(p.numel() for p in network.parameters()),
        "loss": [[step + 25, sum(losses[step : step + 25]) / 25] for step in range(0, LONG, 25)],
        **time,
    }
    print({key: found[key] for key in ("mean", "low", "high", "seen", "cpu_seconds")}, flush=True)
    return found


def references(mixtures: list[Tensor]) -> dict:
    """Measure the ideal binary mask and a network before training."""
    torch.manual_seed(0)
    network = Embedder().eval()
    return {
        "ideal": summary(improvements(ideal, mixtures)),
        "untrained": summary(improvements(clusters(network), mixtures)),
    }


def run() -> None:
    torch.set_num_threads(1)  # sums in one order: the same weights on any number of cores
    talkers, mixtures = Talkers("train"), Talkers("test").every_pair()
    recipe = {"batch": BATCH, "seconds": SECONDS, "learning_rate": LEARNING_RATE, "seed": 0, "steps": LONG}
    recipe |= {"loss": SHIPPED, "low": len(talkers.low), "high": len(talkers.high)}
    content = {"recipe": recipe, **references(mixtures), "trained": long_run(talkers, mixtures)}
    runs = {name: short_runs(name, talkers, mixtures) for name in VARIANTS}
    content["short"] = {"steps": SHORT, "seeds": list(SEEDS), "variants": runs}
    write("losses/clustering", content)
