"""What recurrent layers can hold and what they are worth. Writes results/building_blocks/recurrent.json.

*Hold*: each sequence begins with one of eight symbols, and noise follows. At every frame the network is asked which
symbol it was. Plain RNN, LSTM, LSTM with open forget gates, GRU; 5 seeds.

*Worth*: the same small mask network with a two-way LSTM, a two-way GRU and a one-way LSTM, all with as many parameters
as fit into the same number, the same songs in the same order, the same steps; 5 seeds. The learning rate of each is
chosen on the validation songs (seed 0). The weights of two of them (seed 0) go to
sepbook/assets/weights/recurrent_masks.safetensors, for the page to play.
"""

import json

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from sepbook.architectures.base import System
from sepbook.architectures.unet import Config
from sepbook.building_blocks.recurrent import WEIGHTS, RecurrentMasks, RecurrentStack, gradient_by_lag, reach
from sepbook.building_blocks.stft import ISTFT, STFT, Masking
from sepbook.data.corpus import songs
from sepbook.data.mixing import Mixtures
from sepbook.evaluation.metrics import evaluate
from sepbook.losses import spectrogram
from sepbook.training.loop import TrainConfig, train
from tools.results._common import clocks, mean_of, mean_score, paired, singers, write

SEEDS = (0, 1, 2, 3, 4)

# --- hold ---------------------------------------------------------------------------------------------------------
SYMBOLS, NOISE, FRAMES, ASKED = 8, 0.5, 50, 400  # trained on 50 frames, asked for 400
CELLS = {
    "RNN": {"kind": "rnn"},
    "LSTM": {"kind": "lstm"},
    "LSTM, forget bias 2": {"kind": "lstm", "forget_bias": 2.0},
    "GRU": {"kind": "gru"},
}
RATES = (2e-3, 5e-3)  # of Adam: each cell is trained with both, so that none loses by the choice
UNITS, HOLD_STEPS, HOLD_BATCH, CLIP = 32, 300, 32, 1.0
LAGS = (0, 1, 2, 5, 10, 20, 49, 100, 200, 399)


def symbols(count: int, length: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draw sequences `(B, T, H)` of noise whose first frame also holds a symbol, and the symbols `(B,)`."""
    symbol = torch.randint(SYMBOLS, (count,), generator=random)
    x = NOISE * torch.randn(count, length, SYMBOLS, generator=random)
    x[:, 0] += 3 * functional.one_hot(symbol, SYMBOLS)
    return x, symbol


def hold(fields: dict, rate: float, seed: int) -> dict:
    """Train one network to hold a symbol; return how often it is right at each lag, and its gradients."""
    torch.manual_seed(seed)
    random = torch.Generator().manual_seed(seed)
    stack, head = RecurrentStack(SYMBOLS, UNITS, **fields), nn.Linear(UNITS, SYMBOLS)
    weights = [*stack.parameters(), *head.parameters()]
    before = reach(gradient_by_lag(stack, symbols(64, 200, torch.Generator().manual_seed(9))[0]))
    optimizer, norms = torch.optim.Adam(weights, rate), []
    for _ in range(HOLD_STEPS):
        x, symbol = symbols(HOLD_BATCH, FRAMES, random)
        guesses = head(stack(x))  # (B, T, SYMBOLS)
        loss = functional.cross_entropy(guesses.mT, symbol[:, None].expand(-1, FRAMES))
        optimizer.zero_grad()
        loss.backward()
        norms.append(nn.utils.clip_grad_norm_(weights, CLIP).item())
        optimizer.step()
    right, watched = (asked(stack, head, torch.Generator().manual_seed(1000 * part + seed)) for part in (1, 2))
    after = reach(gradient_by_lag(stack, symbols(64, 200, torch.Generator().manual_seed(9))[0]))
    return {
        "right": [right[lag].item() for lag in LAGS],
        "valid": watched[49].item(),  # at the lag that training ends with; for the choice of the rate
        "reach_before": before,
        "reach_after": after,
        "largest_gradient": max(norms),
        "middle_gradient": sorted(norms)[len(norms) // 2],
    }


@torch.no_grad()
def asked(stack, head, random: torch.Generator) -> Tensor:
    """Return how often a network is right, frame by frame `(T,)`, in sequences that it has never seen."""
    x, symbol = symbols(1000, ASKED, random)
    return (head(stack(x)).argmax(-1) == symbol[:, None]).float().mean(0)


def hold_all() -> dict:
    found = {}
    for name, fields in CELLS.items():
        tries = {rate: [hold(fields, rate, seed) for seed in SEEDS] for rate in RATES}
        best = max(RATES, key=lambda rate: sum(run["valid"] for run in tries[rate]))
        columns = list(zip(*(run["right"] for run in tries[best]), strict=True))
        found[name] = {
            "rate": best,
            "mean": mean_of(run["right"] for run in tries[best]),
            "low": [min(column) for column in columns],
            "high": [max(column) for column in columns],
            "at_49": sum(columns[LAGS.index(49)]) / len(SEEDS),
            "at_399": sum(columns[LAGS.index(399)]) / len(SEEDS),
            "runs": {str(rate): runs for rate, runs in tries.items()},
        }
        print(name, best, [f"{share:.2f}" for share in found[name]["mean"]], flush=True)
    return found


# --- worth --------------------------------------------------------------------------------------------------------
N_FFT, HOP, H_LSTM, SECONDS, BATCH, STEPS = 512, 256, 64, 3.0, 8, 250
LEARNING_RATES = (3e-3, 1e-2)  # each network keeps the better one, by the validation songs
NETWORKS = {
    "BLSTM": {"kind": "lstm", "bidirectional": True},
    "BGRU": {"kind": "gru", "bidirectional": True},
    "causal LSTM": {"kind": "lstm", "bidirectional": False},
}
PAIRS = {"lstm_minus_gru": ("BLSTM", "BGRU"), "both_ways_minus_causal": ("BLSTM", "causal LSTM")}
SHIPPED = {"both ways": "BLSTM", "causal": "causal LSTM"}


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def width_of(fields: dict) -> int:
    """Find the number of units with which a network comes nearest to the parameters of the BLSTM."""
    with torch.device("meta"):
        target = count(RecurrentMasks(H=H_LSTM, **NETWORKS["BLSTM"]))
        return min(range(16, 257), key=lambda H: abs(count(RecurrentMasks(H=H, **fields)) - target))


class MaskSystem(System):
    """Waveforms in, waveforms out, with `RecurrentMasks` in between."""

    def __init__(self, source_names, **fields):
        super().__init__(Config(source_names=tuple(source_names), sample_rate=16000, n_fft=N_FFT, hop=HOP))
        self.stft, self.istft, self.masking = STFT(N_FFT, HOP), ISTFT(N_FFT, HOP), Masking()
        self.stride, self.whole = HOP, True  # a layer that reads backwards knows the end
        self.network = RecurrentMasks(N_FFT // 2 + 1, S=len(source_names), **fields)

    def forward(self, mixture: Tensor, **inputs: Tensor) -> Tensor:
        """Separate `(B, C, N) -> (B, S, C, N)`."""
        bins = self.stft(mixture)
        return self.istft(self.masking(bins, self.network(bins.abs())), mixture.shape[-1])

    def loss(self, mixture: Tensor, sources: Tensor, **labels: Tensor) -> dict[str, Tensor]:
        """Return the mean distance between masked and true magnitudes."""
        magnitude = self.stft(mixture).abs()
        target = self.stft(sources.flatten(1, 2)).abs().unflatten(1, sources.shape[1:3])
        return {"loss": spectrogram.l1(self.masking(magnitude, self.network(magnitude)), target)}


def separate(fields: dict, seed: int, rate: float, tracks):
    """Train one network, which takes so many seconds."""
    torch.manual_seed(seed)
    system = MaskSystem(tracks["train"][0].stem_names, **fields)
    data = Mixtures(tracks["train"], SECONDS, length=STEPS * BATCH, incoherent=0.0, gain_db=(0.0, 0.0), seed=seed)
    with clocks() as time:
        config = TrainConfig(steps=STEPS, batch_size=BATCH, seed=seed, learning_rate=rate)
        train(system, data, config=config, progress=False)
    return system, time["cpu_seconds"]


def seeds_of(fields: dict, tracks) -> tuple[float, dict, list, list]:
    """Choose the rate with seed 0, then train every seed: rate, validation of all rates, systems, seconds."""
    first = {rate: separate(fields, SEEDS[0], rate, tracks) for rate in LEARNING_RATES}
    watched = {rate: evaluate(run[0], tracks["valid"], progress=False).mean() for rate, run in first.items()}
    best = max(watched, key=watched.get)
    runs = [first[best], *(separate(fields, seed, best, tracks) for seed in SEEDS[1:])]
    return best, watched, [system for system, _ in runs], [seconds for _, seconds in runs]


def worth_all() -> dict:
    tracks = {split: songs(split) for split in ("train", "valid", "test")}
    found, kept, voices = {}, {}, singers()
    for name, directions in NETWORKS.items():
        fields = {**directions, "H": width_of(directions), "L": 2}
        rate, watched, systems, seconds = seeds_of(fields, tracks)
        kept[name] = (fields, systems[0].network)
        scores = [evaluate(system, tracks["test"], progress=False) for system in systems]
        table = [s.values() for s in scores]  # (seed, song)
        found[name] = {
            "fields": fields,
            "parameters": count(systems[0].network),
            "rate": rate,
            "valid": {f"{tried:g}": score for tried, score in watched.items()},
            "improvement": mean_score(table),
            "scores": table,
            "per_source": {n: sum(s.per_source()[n] for s in scores) / len(SEEDS) for n in scores[0].source_names},
            "train_seconds": sum(seconds) / len(SEEDS),
        }
        print(name, found[name], flush=True)
    found["pairs"] = {n: paired(found[a]["scores"], found[b]["scores"], voices) for n, (a, b) in PAIRS.items()}
    found["voices"] = voices
    print(found["pairs"], flush=True)
    ship(kept)
    return found


def ship(kept: dict) -> None:
    """Write the weights that the page plays, in half precision."""
    tensors, header = {}, {"licence": "MIT"}
    for name, network in SHIPPED.items():
        fields, module = kept[network]
        header[name] = json.dumps({**fields, "F": N_FFT // 2 + 1, "S": 4})
        tensors |= {
            f"{name}.{key}": weight.half() if weight.is_floating_point() else weight
            for key, weight in module.state_dict().items()
        }
    save_file(tensors, WEIGHTS, header)


def run() -> None:
    torch.set_num_threads(1)  # sums in one order: the same numbers on any number of cores
    with clocks() as hold_time:
        holding = hold_all()
    with clocks() as worth_time:
        networks = worth_all()
    recipe = {
        "steps": STEPS,
        "batch": BATCH,
        "seconds": SECONDS,
        "learning_rates": LEARNING_RATES,
        "seeds": SEEDS,
        "n_fft": N_FFT,
        "hop": HOP,
    }
    task = {"symbols": SYMBOLS, "noise": NOISE, "frames": FRAMES, "lags": LAGS, "units": UNITS, "steps": HOLD_STEPS}
    content = {"hold": {**task, "rates": RATES, "seeds": SEEDS, "cells": holding, **hold_time}}
    write("building_blocks/recurrent", {**content, "worth": {**recipe, "networks": networks, **worth_time}})
