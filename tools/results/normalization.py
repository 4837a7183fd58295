"""Two claims about normalisation, tested on one small network. Writes results/building_blocks/normalization.json.

*Inside*: `SmallSystem` with no normalisation, with batch norm before or after the activation, and with global,
cumulative and frame layer norm in the same place. *At the input*: the logarithms of the magnitudes as they are,
standardised, or whitened (ZCA, with two floors), by the statistics of the training songs; no normalisation inside.

Each way is trained with two learning rates, five seeds each, equal steps on the same excerpts; the better rate on the
validation songs counts. Differences are paired by seed and test song.
"""

from functools import partial

import torch
from torch import Tensor, nn

from sepbook.building_blocks.normalization import (
    BatchNorm,
    CumulativeLayerNorm,
    FrameLayerNorm,
    GlobalLayerNorm,
    standardise,
    whiten,
)
from sepbook.evaluation.metrics import evaluate
from sepbook.losses import spectrogram
from tools.results._common import clocks, mean_score, paired, singers, write
from tools.results._small_runs import FrameMasks, SmallSystem, cosine, held, length

STEPS, BATCH, FRAMES, SEEDS, RATES = 300, 8, 62, (0, 1, 2, 3, 4), (2e-3, 6e-3)
BINS = 257
INSIDE = {
    "none": (None, "before"),
    "batch, before": (BatchNorm, "before"),
    "batch, after": (BatchNorm, "after"),
    "global layer": (GlobalLayerNorm, "before"),
    "cumulative layer": (CumulativeLayerNorm, "before"),
    "frame layer": (FrameLayerNorm, "before"),
}
INPUTS = {
    "standardised": standardise,
    "whitened": whiten,
    "whitened gently": partial(whiten, floor=1e-2),  # directions of little variance are not blown up as much
}
PAIRS = {
    "after_minus_before": ("batch, after", "batch, before"),
    "batch_minus_none": ("batch, before", "none"),
    "cumulative_minus_global": ("cumulative layer", "global layer"),
    "frame_minus_global": ("frame layer", "global layer"),
    "standardised_minus_none": ("standardised", "none"),
    "whitened_minus_none": ("whitened", "none"),
    "whitened_minus_standardised": ("whitened", "standardised"),
    "gently_minus_standardised": ("whitened gently", "standardised"),
    "gently_minus_whitened": ("whitened gently", "whitened"),
}


class NormedMasks(FrameMasks):
    """`FrameMasks` with a fixed map of the input, and with a normalisation beside each activation."""

    def __init__(self, sources: int, norm=None, place: str = "before", inputs: tuple[Tensor, Tensor] | None = None):
        super().__init__(BINS, sources)
        width = self.look.out_channels
        self.norms = nn.ModuleList(norm(width) if norm else nn.Identity() for _ in range(2))
        self.place = place
        mean, matrix = inputs or (torch.zeros(BINS), torch.eye(BINS))
        self.register_buffer("mean", mean[:, None])
        self.register_buffer("matrix", matrix)

    def forward(self, magnitude: Tensor) -> Tensor:
        """Return masks that add up to one: `(B, 1, F, T) -> (B, S, 1, F, T)`."""
        x = self.matrix @ (magnitude[:, 0].log1p() - self.mean)  # the unit matrix where the input is left as it is
        for layer, norm in zip((self.look, self.think), self.norms, strict=True):
            x = norm(layer(x)).relu() if self.place == "before" else norm(layer(x).relu())
        return self.tell(x).unflatten(1, (self.sources, 1, -1)).softmax(dim=1)


def magnitudes(tracks) -> list[tuple[Tensor, Tensor]]:
    """Return for each song the magnitudes of the mixture `(C, F, T)` and of its sources `(S, C, F, T)`."""
    stft = SmallSystem().stft
    return [(length(stft(t.mixture()[None]))[0], length(stft(t.sources()))) for t in tracks]


def input_maps(songs) -> dict:
    """Measure the training songs; return for each way the mean `(F,)` and the matrix `(F, F)` of its map."""
    rows = torch.cat([mixture[0].log1p().T for mixture, _ in songs])  # (songs · T, F)
    mean = rows.mean(0)
    return {name: (mean, way(mean + torch.eye(BINS), rows).mT) for name, way in INPUTS.items()}


def excerpts(songs, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draw a batch of excerpts: mixtures `(B, C, F, T)` and sources `(B, S, C, F, T)`."""
    pieces = []
    for _ in range(BATCH):
        mixture, sources = songs[int(torch.randint(len(songs), (), generator=random))]
        start = int(torch.randint(mixture.shape[-1] - FRAMES, (), generator=random))
        pieces.append([x[..., start : start + FRAMES] for x in (mixture, sources)])
    mixtures, sources = zip(*pieces, strict=True)
    return torch.stack(mixtures), torch.stack(sources)


def distance(network: nn.Module, mixture: Tensor, sources: Tensor) -> Tensor:
    return spectrogram.l1(network(mixture) * mixture[:, None], sources)


def run_one(fields: dict, seed: int, rate: float, songs, valid) -> tuple[SmallSystem, float]:
    """Train one network; return it and its loss on excerpts of the validation songs."""
    system = SmallSystem()
    torch.manual_seed(seed)  # the same convolutions at the start in every way
    network = system.network = NormedMasks(len(system.source_names), **fields)
    random = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(network.parameters(), rate)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, cosine(STEPS))
    for _ in range(STEPS):
        loss = distance(network, *excerpts(songs, random))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        schedule.step()
    system.eval()
    with torch.no_grad():
        return system, sum(distance(network, *batch).item() for batch in valid) / len(valid)


def run() -> None:
    torch.set_num_threads(1)  # sums in one order: the same numbers on any number of cores
    songs, unseen, test = magnitudes(held("train")), magnitudes(held("valid")), held("test")
    random = torch.Generator().manual_seed(1)
    valid = [excerpts(unseen, random) for _ in range(6)]
    ways = {name: {"norm": norm, "place": place} for name, (norm, place) in INSIDE.items()}
    ways |= {name: {"inputs": inputs} for name, inputs in input_maps(songs).items()}
    found, scores, voices = {}, {}, singers()
    with clocks() as spent:
        for name, fields in ways.items():
            tries = {rate: [run_one(fields, seed, rate, songs, valid) for seed in SEEDS] for rate in RATES}
            best = min(RATES, key=lambda rate: sum(loss for _, loss in tries[rate]))
            runs = [evaluate(system, test, progress=False).values() for system, _ in tries[best]]
            scores[name] = runs  # (seed, song)
            found[name] = {
                "improvement_db": mean_score(runs),
                "scores": runs,
                "rate": best,
                "valid_loss": {str(rate): [loss for _, loss in runs] for rate, runs in tries.items()},
            }
            print(name, found[name], flush=True)
    pairs = {name: paired(scores[a], scores[b], voices) for name, (a, b) in PAIRS.items()}
    for name, pair in pairs.items():
        print(name, pair, flush=True)
    recipe = {
        "voices": voices,
        "pairs_of": PAIRS,
        "steps": STEPS,
        "batch": BATCH,
        "frames": FRAMES,
        "seeds": list(SEEDS),
        "rates": list(RATES),
    }
    write("building_blocks/normalization", {**recipe, "songs": len(test), "ways": found, "pairs": pairs, **spent})


if __name__ == "__main__":
    run()
