"""DANet: embeddings are drawn to a point for each source, the attractor, and masks are likeness to these points.

In training the attractors are the means of the true sources' bins. Afterwards nobody knows the sources, and k-means
finds the points.

Source: Chen et al. 2017. Taught on: book/architectures/danet
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from sepbook.architectures._names import check_choices
from sepbook.architectures.deep_clustering import TALKERS_RECIPE
from sepbook.architectures.mask_inference import Head, Spectral, Trunk, TrunkConfig, heard
from sepbook.architectures.recipe import Recipe
from sepbook.losses import clustering


@dataclass(frozen=True)
class Config(TrunkConfig):
    """Everything that defines a DANet. The defaults are those of Chen et al. 2017.

    Taught on: book/architectures/danet
    """

    units: int = 300  # H per direction
    dropout: float = 0.0  # between layers
    batch_norm: str = ""  # of the decibels: none
    embedding: int = 20  # D, numbers for each bin
    loudest: float = 0.9  # share of the bins, from the loudest down, that attract
    kind: str = "softmax"  # masks of a bin add up to one, or "sigmoid": each by itself


PRESETS = {
    "paper": Config(),
    "small": Config(n_fft=512, hop=256, units=144, layers=2, dropout=0.2, batch_norm="each", embedding=8, loudest=0.4),
}
PRESETS["tiny"] = replace(PRESETS["small"], units=12, dropout=0.0, embedding=5)

RECIPES = {
    "paper": Recipe(task="talkers", seconds=0.8, batch_size=128),  # 100 frames
    "small": replace(TALKERS_RECIPE, steps={"lab": 60, "shipped": 8500, "full": 30000}),
}


class Embedding(nn.Module):
    """Trunk and head of DANet: `(B, F, T)` magnitudes -> embeddings `(B, F, T, D)` between -1 and 1.

    Taught on: book/architectures/danet
    """

    dims = "B F T -> B F T D"

    def __init__(self, config):
        super().__init__()
        self.trunk = Trunk(config)
        self.head = Head(2 * config.units, self.trunk.F, config.embedding)

    def forward(self, magnitude: Tensor) -> Tensor:
        """Place every bin of `(B, F, T)` magnitudes."""
        return self.head(self.trunk(magnitude)).tanh()


def loudest(magnitude: Tensor, share: float) -> Tensor:
    """Give weight 1 to this share of each item's bins, the loudest, 0 to the others and to silence.

    `(B, F, T) -> (B, F, T)`. Taught on: book/architectures/danet
    """
    flat = magnitude.flatten(1)
    least = flat.sort(1, descending=True).values[:, max(1, round(share * flat.shape[1])) - 1]
    return ((magnitude >= least[:, None, None]) & (magnitude > 0)).to(magnitude.dtype)


class DANet(Spectral):
    """Waveforms in, waveforms out, through attractors. Taught on: book/architectures/danet."""

    def __init__(self, config: Config):
        super().__init__(config)
        check_choices(config, kind=("softmax", "sigmoid"))
        if not 0 < config.loudest <= 1:
            raise ValueError(f"loudest is {config.loudest}; it is a share of the bins, above 0 and up to 1")
        self.network = Embedding(config)

    def masks(self, magnitude: Tensor) -> Tensor:
        """Find attractors by k-means, and share out `(B, F, T)` magnitudes: `(B, S, F, T)`."""
        embedding, weight = self.network(magnitude), loudest(magnitude, self.config.loudest)
        if magnitude.is_meta:  # shapes alone are asked for
            return magnitude[:, None].expand(-1, len(self.source_names), -1, -1)
        clusters = clustering.kmeans_masks(embedding, len(self.source_names), weight, silent="share")[:, :, 0]
        owner = torch.zeros_like(clusters).scatter_(1, clusters.argmax(1, keepdim=True), 1.0)  # of a silent bin: any
        centres = clustering.attractors(embedding, owner, weight)  # (B, S, D)
        return clustering.attractor_masks(embedding, centres, self.config.kind)[:, :, 0]

    def loss(self, mixture: Tensor, sources: Tensor, **labels: Tensor) -> dict[str, Tensor]:
        """Squared error of the magnitudes that masks around the true attractors give."""
        bins, true = self.bins(mixture, sources)
        weight, embedding = loudest(heard(bins), self.config.loudest), self.network(heard(bins))
        owner, sizes = clustering.membership(true.abs()), true.abs()
        return {"loss": clustering.deep_attractor(embedding, owner, weight, bins.abs(), sizes, kind=self.config.kind)}


SYSTEM = DANet
