"""Deep clustering: a network places bins of one source together and others apart, and k-means groups them.

The loss asks only which bins belong together, so no order of the talkers has to be found, and the number of talkers may
be another one than in training.

Source: Hershey et al. 2016. Taught on: book/architectures/deep_clustering
"""

from dataclasses import dataclass, replace

from torch import Tensor, nn
from torch.nn import functional

from sepbook.architectures.mask_inference import Head, Spectral, Trunk, heard
from sepbook.architectures.recipe import Recipe
from sepbook.losses import clustering

SEED = 0  # of k-means


@dataclass(frozen=True)
class Config:
    """Everything that defines deep clustering. The defaults are those of nussl's recipe.

    Taught on: book/architectures/deep_clustering
    """

    source_names: tuple[str, ...] = ("talker_1", "talker_2")  # S clusters
    sample_rate: int = 8000  # Hz
    channels: int = 1  # C: several share one mask
    n_fft: int = 256  # samples per window
    hop: int = 64  # samples between windows
    window: str = "sqrt_hann"
    units: int = 600  # H per direction
    layers: int = 4  # L
    dropout: float = 0.3  # between layers
    batch_norm: bool = True  # of the decibels, with one mean and one variance for all bins
    embedding: int = 20  # D, numbers for each bin
    bend: str = "sigmoid"  # of the embedding, before its length becomes 1: "sigmoid" or "tanh"
    below: float = 40.0  # dB under the loudest bin; softer ones are left out when clusters are formed
    weights: str = "audible"  # in the loss: every audible bin alike, or by its "magnitude"


PRESETS = {
    "paper": Config(),
    "hershey": Config(layers=2, embedding=40, bend="tanh", batch_norm=False),
    "small": Config(units=96, layers=2, dropout=0.0, weights="magnitude"),
}
PRESETS["tiny"] = replace(PRESETS["small"], units=12, embedding=5)

RECIPES = {
    "paper": Recipe(
        task="talkers",
        seconds=3.2,  # 400 frames
        batch_size=25,
        schedule="plateau",
        schedule_options={"patience": 5, "factor": 0.5},
        clip_norm=1e-2,
    ),
    "small": Recipe(task="talkers", seconds=3.0, learning_rate=3e-3),
}
BENDS = {"sigmoid": Tensor.sigmoid, "tanh": Tensor.tanh}
WEIGHTS = ("audible", "magnitude")


class Embedding(nn.Module):
    """Trunk and head of deep clustering: `(B, F, T)` magnitudes -> embeddings `(B, F, T, D)` of length 1.

    Taught on: book/architectures/deep_clustering
    """

    dims = "B F T -> B F T D"

    def __init__(self, config):
        super().__init__()
        self.trunk = Trunk(config)
        self.head = Head(2 * config.units, self.trunk.F, config.embedding)
        self.bend = config.bend

    def forward(self, magnitude: Tensor) -> Tensor:
        """Place every bin of `(B, F, T)` magnitudes."""
        return functional.normalize(BENDS[self.bend](self.head(self.trunk(magnitude))), dim=-1)


def weight_of(magnitude: Tensor, kind: str, below: float) -> Tensor:
    """Return what each bin counts in the loss, `(B, C, F, T) -> (B, F, T)`.

    Taught on: book/architectures/deep_clustering
    """
    return clustering.audible(magnitude, below) if kind == "audible" else clustering.magnitude_weight(magnitude)


def clusters(embedding: Tensor, magnitude: Tensor, sources: int, below: float) -> Tensor:
    """Cluster the audible bins of `(B, F, T)` magnitudes by their embeddings: masks `(B, S, F, T)` of zeros and ones.

    Silence is shared out. Taught on: book/architectures/deep_clustering
    """
    if magnitude.is_meta:  # shapes alone are asked for
        return magnitude[:, None].expand(-1, sources, -1, -1)
    audible = clustering.audible(magnitude[:, None], below)  # (B, F, T)
    return clustering.kmeans_masks(embedding, sources, audible, SEED, silent="share")[:, :, 0]


class DeepClustering(Spectral):
    """Waveforms in, waveforms out, through clusters of bins: masks of zeros and ones.

    Taught on: book/architectures/deep_clustering
    """

    def __init__(self, config: Config):
        super().__init__(config)
        for field, choices in {"bend": tuple(BENDS), "weights": WEIGHTS}.items():
            if getattr(config, field) not in choices:
                raise ValueError(f"{field} is {getattr(config, field)!r}; choose {' or '.join(map(repr, choices))}")
        self.network = Embedding(config)

    def masks(self, magnitude: Tensor) -> Tensor:
        """Cluster the audible bins of `(B, F, T)` magnitudes into `(B, S, F, T)` masks; silence is shared out."""
        return clusters(self.network(magnitude), magnitude, len(self.source_names), self.config.below)

    def loss(self, mixture: Tensor, sources: Tensor, **labels: Tensor) -> dict[str, Tensor]:
        """Ask for each pair of bins whether they belong to one source."""
        bins, true = self.bins(mixture, sources)
        weight = weight_of(bins.abs(), self.config.weights, self.config.below)
        embedding = self.network(heard(bins))
        return {"loss": clustering.deep_clustering(embedding, clustering.membership(true.abs()), weight)}


SYSTEM = DeepClustering
