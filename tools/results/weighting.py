"""Does it matter how sources are weighted? Does a second head help the first?

Sources: `SmallSystem`, four stems, trained with unit, energy-based and dynamic weights. Tasks: a small Chimera, two
talkers, one trunk with a mask head and an embedding head, trained with and without the clustering loss. Five seeds
each, equal steps, paired by seed and song or mixture. Writes results/losses/weighting.json.
"""

import torch
from torch import Tensor, nn

from sepbook.building_blocks.linear import MaskHead
from sepbook.building_blocks.stft import STFT
from sepbook.data.corpus import SOURCES
from sepbook.data.mixing import Mixtures
from sepbook.evaluation.metrics import evaluate
from sepbook.losses import clustering, spectrogram
from sepbook.losses.permutation import permutation_invariant
from sepbook.losses.weighting import DynamicWeights, energies, energy_weights, over_sources, over_tasks, shared_slopes
from tools.results._common import clocks, mean_score, singers, write
from tools.results._small_runs import SmallSystem, batch_of, cosine, held
from tools.results.clustering import HOP, LEARNING_RATE, N_FFT, WINDOW, Embedder, F, Talkers, improvements

STEPS, EPOCH, BATCH, SECONDS, SEEDS = 200, 25, 8, 1.0, (0, 1, 2, 3, 4)
SHARES = {"masks alone": 0.0, "balanced": 0.25, "published": 0.975}  # of clustering in the sum
TALK_STEPS = 150


def train_sources(way: str, seed: int, songs, fixed) -> tuple[SmallSystem, list]:
    torch.manual_seed(seed)
    system, data = SmallSystem(), Mixtures(songs, SECONDS, seed=seed)
    optimizer = torch.optim.Adam(system.parameters(), 2e-3)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, cosine(STEPS))
    dynamic, seen, history = DynamicWeights(len(SOURCES)), [], []
    weights = {"unit": torch.ones(4), "energy": fixed, "dynamic": dynamic.weights}[way]
    for step in range(STEPS):
        estimates, target = system.magnitudes(**batch_of(data, step, BATCH))  # (B, S, C, F, T)
        losses = (estimates - target).abs().mean((0, 2, 3, 4))  # (S,)
        optimizer.zero_grad()
        over_sources(losses, weights / weights.mean()).backward()  # the same sum of weights for all
        nn.utils.clip_grad_norm_(system.parameters(), 5.0)
        optimizer.step()
        schedule.step()
        seen.append(losses.detach())
        if way == "dynamic" and len(seen) % EPOCH == 0:
            weights = dynamic.update(torch.stack(seen[-EPOCH:]).mean(0))
            history.append(weights.tolist())
    return system.eval(), history


def sources_compared(content: dict) -> None:
    songs, test = held("train"), held("test")
    found = energies(torch.stack([song.data[..., : 19 * 16000] for song in songs]))
    fixed = energy_weights(found).float()
    content["energy"] = dict(zip(SOURCES, found.tolist(), strict=True))
    content["energy_weights"] = dict(zip(SOURCES, fixed.tolist(), strict=True))
    content["ways"], content["voices"] = {}, singers()
    for way in ("unit", "energy", "dynamic"):
        runs = [train_sources(way, seed, songs, fixed) for seed in SEEDS]
        rows = [evaluate(system, test, progress=False) for system, _ in runs]
        scores = {name: [row.values(source=name) for row in rows] for name in SOURCES}  # each (seed, song)
        scores["all"] = [row.values() for row in rows]
        content["ways"][way] = {name: mean_score(table) for name, table in scores.items()} | {"scores": scores}
        if way == "dynamic":
            content["dynamic_weights"] = torch.tensor([history for _, history in runs]).mean(0).tolist()
        print(way, content["ways"][way], flush=True)


class SmallChimera(Embedder):
    """The network of `tools/results/clustering.py` with a second head: masks `(B, S, C, F, T)` beside embeddings."""

    def __init__(self):
        super().__init__()
        self.masks = MaskHead(self.linear.in_features, S=2, F=F)

    def heads(self, magnitude: Tensor) -> tuple[Tensor, Tensor]:
        """Return masks and embeddings of magnitudes `(B, C, F, T)`."""
        kept = {}
        hook = self.lstm.register_forward_hook(lambda module, inputs, outputs: kept.update(x=outputs[0]))
        embedding = self(magnitude)  # (B, F, T, D)
        hook.remove()
        return self.masks(kept["x"]), embedding


def terms_of(network: SmallChimera, sources: Tensor, stft: STFT) -> dict[str, Tensor]:
    """Return the two losses of a batch of sources `(B, S, C, N)`."""
    each, mixture = stft(sources.flatten(1, 2)).unflatten(1, sources.shape[1:3]), stft(sources.sum(1))
    masks, embedding = network.heads(mixture.abs())
    membership, weight = clustering.membership(each.abs()), clustering.magnitude_weight(mixture.abs())
    target = spectrogram.tpsa(mixture, each)  # (B, S, C, F, T)
    values, _ = permutation_invariant(spectrogram.l1, masks * mixture.abs().unsqueeze(1), target)
    return {
        "masks": values.mean() / mixture.abs().mean(),  # no unit, whatever the level
        "clustering": clustering.deep_clustering(embedding, membership, weight),
    }


def train_tasks(share: float, seed: int, people: Talkers) -> SmallChimera:
    torch.manual_seed(seed)
    network, stft = SmallChimera(), STFT(N_FFT, HOP, WINDOW)
    optimizer = torch.optim.Adam(network.parameters(), LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, cosine(TALK_STEPS))
    generator = torch.Generator().manual_seed(seed)
    for _ in range(TALK_STEPS):
        terms = terms_of(network, people.batch(generator), stft)
        optimizer.zero_grad()
        over_tasks(terms, {"masks": 1 - share, "clustering": share})["loss"].backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    return network.eval()


def tasks_compared(content: dict) -> None:
    people, mixtures = Talkers("train"), Talkers("test").every_pair()
    content["tasks"] = {}
    for name, share in SHARES.items():
        networks = [train_tasks(share, seed, people) for seed in SEEDS]
        found = [improvements(lambda mixture, _, n=n: n.heads(mixture)[0], mixtures) for n in networks]
        content["tasks"][name] = {"share": share, "mean": mean_score(found), "scores": found}  # (seed, mixture)
        print(name, content["tasks"][name], flush=True)
    torch.manual_seed(0)
    network, stft = SmallChimera(), STFT(N_FFT, HOP, WINDOW)
    terms = terms_of(network, people.batch(torch.Generator().manual_seed(0)), stft)
    content["slopes_at_start"] = shared_slopes(terms, network.lstm.parameters())
    content["terms_at_start"] = {name: value.item() for name, value in terms.items()}


def run() -> None:
    content = {"steps": STEPS, "epoch": EPOCH, "batch": BATCH, "seconds": SECONDS, "seeds": list(SEEDS)}
    content["talk_steps"] = TALK_STEPS
    with clocks() as spent:
        sources_compared(content)
        tasks_compared(content)
    write("losses/weighting", {**content, **spent})
