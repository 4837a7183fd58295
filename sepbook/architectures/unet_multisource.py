"""One U-Net for all sources, and three ways to weigh their losses.

The network is that of `unet` with S masks. What is new is the sum: a loud source makes a large error, so in a plain
mean the network hears mostly about the loud ones. ::

    masks (B, S, C, F, T) ── loss of each source (S,) ── times weights (S,) ── mean ── loss ()

    unit      every source counts as its loss is large
    energy    a quiet source counts as much more as its energy is smaller; measured once, before the first step
    dynamic   what has stopped falling counts more; measured after every epoch

Source: Kadandale et al. 2020; dynamic weights after Liu et al. 2019. Theirs is a U-Net of seven levels on a logarithmic
frequency axis; `paper` is the lighter form with the network of Jansson 2017.
Taught on: book/architectures/unet_multisource
"""

from dataclasses import asdict, dataclass, replace

from torch import Tensor

from sepbook.architectures import unet
from sepbook.architectures._names import check_choices
from sepbook.architectures._unets import NARROW, RECIPE, MaskingUNet
from sepbook.architectures.recipe import Recipe
from sepbook.losses.weighting import DynamicWeights, energy_weights, over_sources

LEAST = 1e-12  # an epoch's loss below this counts as this: a source that is silent throughout has none


@dataclass(frozen=True)
class Config(unet.Config):
    """Everything that defines the U-Net, and how its sources are weighed.

    Taught on: book/architectures/unet_multisource
    """

    source_names: tuple[str, ...] = ("vocals", "drums", "bass", "other")  # S masks
    weights: str = "dynamic"  # of the sources in the loss: "unit", "energy" or "dynamic"
    temperature: float = 2.0  # of dynamic weights: the higher, the more alike they are


PRESETS = {"paper": Config(), "small": Config(**asdict(unet.PRESETS["small"]) | NARROW)}
PRESETS["small_unit"] = replace(PRESETS["small"], weights="unit")
PRESETS["small_energy"] = replace(PRESETS["small"], weights="energy")
PRESETS["tiny"] = Config(**asdict(unet.PRESETS["tiny"]))

RECIPES = {
    "paper": Recipe(
        task="songs",
        seconds=6.0,
        batch_size=16,
        optimizer="sgd",
        optimizer_options={"momentum": 0.9},
        learning_rate=1e-2,
        schedule="plateau",
        schedule_options={"patience": 7},
    ),
    "small": RECIPE,
}


class MultiSourceUNet(MaskingUNet):
    """Waveforms in, waveforms out: one U-Net, S masks, and a weight for the loss of each source.

    The weights are buffers of `weighting`, so a checkpoint remembers them. They count in training alone: in
    validation the loss is the plain mean, so that epochs can be compared.
    Source: Kadandale et al. 2020. Taught on: book/architectures/unet_multisource
    """

    def __init__(self, config: Config):
        check_choices(config, weights=("unit", "energy", "dynamic"))
        super().__init__(config, unet.UNet(config))
        self.weighting = DynamicWeights(len(self.source_names), config.temperature)

    def loss(self, mixture: Tensor, sources: Tensor, **labels: Tensor) -> dict[str, Tensor]:
        """Distance between masked mixture and true source, weighed; the loss of each source as "loss_NAME"."""
        bins, true = self.bins(mixture, sources)
        magnitude = bins.abs()  # (B, C, F, T)
        losses = self.compare(self.masking(magnitude, self.masks(magnitude)), true.abs())  # (S,)
        weights = self.weighting.weights if self.training else None
        each = zip(self.source_names, losses.detach(), strict=True)
        return {"loss": over_sources(losses, weights), **{f"loss_{name}": value for name, value in each}}

    def prepare(self, loader) -> None:
        """Measure the energy of each source in the training data, where the weights go by it.

        Raises ValueError where a source is silent in all of it.
        """
        if self.config.weights != "energy":
            return
        energies = sum(batch["sources"].double().square().sum((0, 2, 3)) for batch in loader)  # (S,)
        if silent := [name for name, energy in zip(self.source_names, energies, strict=True) if not energy > 0]:
            raise ValueError(
                f"the source {silent[0]!r} is silent in all training data, so it has no energy to be weighed by; "
                "give it music, or choose weights='dynamic' or 'unit'"
            )
        self.weighting.weights = energy_weights(energies).to(self.weighting.weights)

    def epoch_end(self, terms: dict[str, float]) -> None:
        """Weigh the sources anew by how their losses fell in the last epoch, where the weights are dynamic."""
        if self.config.weights == "dynamic":
            self.weighting.update([max(terms[f"loss_{name}"], LEAST) for name in self.source_names])


SYSTEM = MultiSourceUNet
