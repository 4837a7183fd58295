"""Chimera: one trunk, two heads. The head that clusters keeps the trunk general, the head that masks is what one hears.

Source: Luo et al. 2017 (for singing voice); Chimera++ of Wang et al. 2018 (for talkers).
Taught on: book/architectures/chimera
"""

from dataclasses import dataclass, replace

from torch import Tensor, nn
from torch.nn import functional

from sepbook.architectures._names import check_choices
from sepbook.architectures.deep_clustering import BENDS, TALKERS_RECIPE, WEIGHTS, clusters, weight_of
from sepbook.architectures.mask_inference import (
    LOSSES,
    RECIPE,
    Head,
    Spectral,
    Trunk,
    TrunkConfig,
    heard,
    in_order,
    mask_loss,
)
from sepbook.losses import clustering, spectrogram, waveform


@dataclass(frozen=True)
class Config(TrunkConfig):
    """Everything that defines a Chimera. The defaults are those of nussl's recipe.

    Taught on: book/architectures/chimera
    """

    embedding: int = 20  # D, numbers for each bin
    bend: str = "sigmoid"  # of the embedding, before its length becomes 1: "sigmoid" or "tanh"
    below: float = 40.0  # dB under the loudest bin; softer ones are no part of clusters
    weights: str = "audible"  # in the clustering loss: every audible bin alike, or by its "magnitude"
    ordered: bool = False  # True: estimates have the order of source_names
    target: str = "msa"  # what masked magnitudes are compared with: "msa" the sources', "tpsa" what masks can reach
    loss: str = "l1"  # how they are compared: "l1" or "mse"; or "si_snr", of the waveforms that come of them
    clustering: float = 1.0  # what the loss of each head counts
    masking: float = 1000.0
    estimate: str = "masks"  # what one hears: the "masks" of one head, or the "clusters" of the other


PRESETS = {
    "paper": Config(),
    "plus_plus": Config(target="tpsa", weights="magnitude", clustering=0.975, masking=0.025),
    "small": Config(
        n_fft=512,
        hop=256,  # few bins, because a step costs what clustering them does
        batch_norm="each",
        units=128,
        layers=2,
        dropout=0.2,
        embedding=8,
        bend="tanh",
        weights="magnitude",
        loss="si_snr",
        clustering=0.95,
        masking=0.05,
    ),
}
PRESETS["tiny"] = replace(PRESETS["small"], units=12, embedding=5, dropout=0.0)

RECIPES = {
    "paper": RECIPE,
    "small": replace(TALKERS_RECIPE, steps={"lab": 60, "shipped": 17000, "full": 34000}),
}


class TwoHeads(nn.Module):
    """One trunk, two heads: `(B, F, T)` -> masks `(B, S, F, T)` and embeddings `(B, F, T, D)` of length 1.

    Taught on: book/architectures/chimera
    """

    dims = "B F T -> masks: B S F T, embedding: B F T D"

    def __init__(self, config):
        super().__init__()
        self.trunk = Trunk(config)
        self.mask_head = Head(2 * config.units, self.trunk.F, len(config.source_names))
        self.embedding_head = Head(2 * config.units, self.trunk.F, config.embedding)
        self.bend = config.bend

    def forward(self, magnitude: Tensor) -> tuple[Tensor, Tensor]:
        """Estimate masks, and place every bin."""
        x = self.trunk(magnitude)  # (B, T, 2H)
        embedding = functional.normalize(BENDS[self.bend](self.embedding_head(x)), dim=-1)
        return self.mask_head(x).sigmoid().movedim(-1, 1), embedding


class Chimera(Spectral):
    """Waveforms in, waveforms out, trained with two losses at once. Taught on: book/architectures/chimera."""

    def __init__(self, config: Config):
        super().__init__(config)
        check_choices(
            config,
            bend=tuple(BENDS),
            weights=WEIGHTS,
            target=tuple(spectrogram.TARGETS),
            loss=(*LOSSES, "si_snr"),
            estimate=("masks", "clusters"),
        )
        self.ordered = config.ordered and config.estimate == "masks"  # clusters come in any order
        self.network = TwoHeads(config)

    def masks(self, magnitude: Tensor) -> Tensor:
        """Return the `(B, S, F, T)` masks of the head that `estimate` names."""
        masks, embedding = self.network(magnitude)
        if self.config.estimate == "masks":
            return masks
        return clusters(embedding, magnitude, masks.shape[1], self.config.below)

    def losses(self, mixture: Tensor, sources: Tensor) -> dict[str, Tensor]:
        """Return the loss of each head by its name, not weighed yet: masking and clustering, each `()`."""
        config, (bins, true) = self.config, self.bins(mixture, sources)
        masks, embedding = self.network(heard(bins))
        if config.loss == "si_snr":
            masking = in_order(waveform.si_snr_loss, self.sounds(masks, bins, mixture), sources, config.ordered)
        else:
            masking = mask_loss(masks.float(), bins, true, config.target, config.ordered, config.loss)
        weight = weight_of(bins.abs(), config.weights, config.below)
        grouping = clustering.deep_clustering(embedding, clustering.membership(true.abs()), weight)
        return {"masking": masking, "clustering": grouping}

    def loss(self, mixture: Tensor, sources: Tensor, **labels: Tensor) -> dict[str, Tensor]:
        """Add the losses of both heads, as the configuration weighs them; each is returned by name too."""
        each = self.losses(mixture, sources)
        total = sum(getattr(self.config, name) * value for name, value in each.items())
        return {"loss": total, **{name: value.detach() for name, value in each.items()}}


SYSTEM = Chimera
