"""Deep clustering: a network places bins of one source together and others apart, and k-means groups them.

The loss asks only which bins belong together, so no order of the talkers has to be found, and the number of talkers may
be another one than in training.

Source: Hershey et al. 2016. Taught on: book/architectures/deep_clustering
"""

from dataclasses import dataclass, replace

from torch import Tensor, nn
from torch.nn import functional

from sepbook.architectures._names import check_choices
from sepbook.architectures.mask_inference import RECIPE, SMALL_RECIPE, Head, Spectral, Trunk, TrunkConfig, heard
from sepbook.losses import clustering

SEED = 0  # of k-means


@dataclass(frozen=True)
class Config(TrunkConfig):
    """Everything that defines deep clustering. The defaults are those of nussl's recipe.

    Taught on: book/architectures/deep_clustering
    """

    embedding: int = 20  # D, numbers for each bin
    bend: str = "sigmoid"  # of the embedding, before its length becomes 1: "sigmoid" or "tanh"
    below: float = 40.0  # dB under the loudest bin; softer ones are left out when clusters are formed
    weights: str = "audible"  # in the loss: every audible bin alike, or by its "magnitude"


PRESETS = {
    "paper": Config(),
    "hershey": Config(layers=2, embedding=40, bend="tanh", batch_norm=""),
    "small": Config(
        n_fft=512,
        hop=256,  # few bins, because a step costs what clustering them does
        batch_norm="each",
        units=144,
        layers=2,
        dropout=0.1,
        embedding=8,
        bend="tanh",
        weights="magnitude",
    ),
}
PRESETS["tiny"] = replace(PRESETS["small"], units=12, embedding=5, dropout=0.0)

TALKERS_RECIPE = replace(  # many short pieces of many voices at many speeds, in many tones
    SMALL_RECIPE,
    seconds=1.5,
    batch_size=16,
    # with all pairs at once, the loss stays where all bins lie together
    mixing={"far_first": 3200, "speed": 0.3, "more_talkers": True},
    augment=("equalise",),
    learning_rate=5e-3,
    steps={"lab": 60, "shipped": 12500, "full": 30000},
)
RECIPES = {"paper": RECIPE, "small": TALKERS_RECIPE}
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
        check_choices(config, bend=tuple(BENDS), weights=WEIGHTS)
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
