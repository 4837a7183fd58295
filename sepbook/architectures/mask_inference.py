"""Mask inference: recurrent layers read the spectrogram from both ends and say one mask per source.

The plainest network for talkers, and the trunk of `deep_clustering` and `chimera`. `paper` is the configuration of the
public recipes of nussl, in which these three were compared on one trunk.

Source: Weninger et al. 2015; Kolbæk et al. 2017; recipes of Manilow et al. 2018.
Taught on: book/architectures/mask_inference
"""

from dataclasses import dataclass, replace

from torch import Tensor, nn

from sepbook.architectures._names import check_choices
from sepbook.architectures.base import System
from sepbook.architectures.recipe import Recipe
from sepbook.building_blocks.recurrent import RecurrentStack
from sepbook.building_blocks.stft import ISTFT, STFT, Masking
from sepbook.losses import spectrogram, waveform
from sepbook.losses.permutation import permutation_invariant

AUDIBLE = 1e-4  # magnitudes below this count as this, -80 dB
SOFTEST = 1e-3  # the same under the loudest bin, -60 dB


@dataclass(frozen=True)
class TrunkConfig:
    """What the systems with this trunk have in common. The defaults are those of nussl's recipes.

    Taught on: book/architectures/mask_inference
    """

    source_names: tuple[str, ...] = ("talker_1", "talker_2")  # S masks
    sample_rate: int = 8000  # Hz
    channels: int = 1  # C: several share one mask
    n_fft: int = 256  # samples per window
    hop: int = 64  # samples between windows
    window: str = "sqrt_hann"
    units: int = 600  # H per direction
    layers: int = 4  # L
    dropout: float = 0.3  # between layers
    # Of the decibels: "all" bins have one mean and one variance; or "each" its own, of decibels under the loudest bin,
    # so that loudness does not matter and a small network learns much sooner; or "", neither.
    batch_norm: str = "all"


@dataclass(frozen=True)
class Config(TrunkConfig):
    """Everything that defines a network for mask inference. Taught on: book/architectures/mask_inference."""

    ordered: bool = False  # True: estimates have the order of source_names, and the loss does not look for a better one
    target: str = "msa"  # what masked magnitudes are compared with: "msa" the sources', "tpsa" what masks can reach
    loss: str = "l1"  # how they are compared: "l1" or "mse"; or "si_snr", of the waveforms that come of them


PRESETS = {
    "paper": Config(),
    "small": Config(n_fft=512, hop=256, units=176, layers=2, dropout=0.2, batch_norm="each", loss="si_snr"),
}
PRESETS["tiny"] = replace(PRESETS["small"], units=12, dropout=0.0)

RECIPE = Recipe(  # nussl's for all three: 400 frames, gradients cut to a hundredth
    task="talkers",
    seconds=3.2,
    batch_size=25,
    schedule="plateau",
    schedule_options={"patience": 5, "factor": 0.5},
    clip_norm=1e-2,
)
SMALL_RECIPE = Recipe(task="talkers", seconds=3.0, learning_rate=3e-3)
RECIPES = {
    "paper": replace(RECIPE, clip_norm=2e-5),
    "small": replace(  # many short pieces of many voices at many speeds, in many tones
        SMALL_RECIPE,
        seconds=1.5,
        batch_size=16,
        mixing={"far_first": 3200, "speed": 0.3, "more_talkers": True},  # a low and a high voice are told apart first
        augment=("equalise",),
        learning_rate=5e-3,
        steps={"lab": 60, "shipped": 26000, "full": 50000},
    ),
}
LOSSES = {"l1": spectrogram.l1, "mse": spectrogram.mse}


class Trunk(nn.Module):
    """Decibels, their batch norm, layers of BLSTM: magnitudes `(B, F, T) -> (B, T, 2H)`.

    Forget gates start with a bias of 2, the weights as Glorot's. Taught on: book/architectures/mask_inference
    """

    dims = "B F T -> B T H"

    def __init__(self, config):
        super().__init__()
        self.F = config.n_fft // 2 + 1
        check_choices(config, batch_norm=("all", "each", ""))
        self.each = config.batch_norm == "each"
        self.norm = nn.BatchNorm1d(self.F if self.each else 1) if config.batch_norm else nn.Identity()
        options = {"bidirectional": True, "dropout": config.dropout, "forget_bias": 2.0}
        self.recurrent = RecurrentStack(self.F, config.units, config.layers, **options)
        for name, weight in self.recurrent.layers.named_parameters():
            if name.startswith("weight"):
                nn.init.xavier_normal_(weight)
            else:  # only the forget gate, the second of four, starts open
                nn.init.zeros_(weight[: config.units])
                nn.init.zeros_(weight[2 * config.units :])

    def forward(self, magnitude: Tensor) -> Tensor:
        """Describe each frame of `(B, F, T)` magnitudes by what came before it and what comes after it."""
        if self.each:
            loudest = magnitude.amax((1, 2), keepdim=True).clamp_min(AUDIBLE)
            x = self.norm(20 * (magnitude / loudest).clamp_min(SOFTEST).log10())  # (B, F, T)
        else:
            decibels = 20 * magnitude.clamp_min(AUDIBLE).log10()
            x = self.norm(decibels.flatten(1)[:, None]).view_as(decibels)
        return self.recurrent(x.mT)  # (B, T, 2H)


class Head(nn.Module):
    """One linear layer from each frame to the values of its bins: `(B, T, H) -> (B, F, T, D)`, D for each bin.

    Taught on: book/architectures/mask_inference
    """

    dims = "B T H -> B F T D"

    def __init__(self, inputs: int, F: int, D: int):
        super().__init__()
        self.linear = nn.Linear(inputs, F * D)
        nn.init.xavier_normal_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)
        self.D = D

    def forward(self, x: Tensor) -> Tensor:
        """Give each bin D values."""
        return self.linear(x).unflatten(-1, (-1, self.D)).transpose(1, 2)  # (B, F, T, D)


class MaskNet(nn.Module):
    """Trunk and head of mask inference: `(B, F, T)` magnitudes -> masks `(B, S, F, T)` from 0 to 1.

    Taught on: book/architectures/mask_inference
    """

    dims = "B F T -> B S F T"

    def __init__(self, config):
        super().__init__()
        self.trunk = Trunk(config)
        self.head = Head(2 * config.units, self.trunk.F, len(config.source_names))

    def forward(self, magnitude: Tensor) -> Tensor:
        """Estimate the masks of `(B, F, T)` magnitudes."""
        return self.head(self.trunk(magnitude)).sigmoid().movedim(-1, 1)  # (B, S, F, T)


def heard(bins: Tensor) -> Tensor:
    """Return what the network hears of complex bins `(B, C, F, T)`: the mean magnitude of the channels, `(B, F, T)`.

    Taught on: book/architectures/mask_inference
    """
    return bins.abs().mean(1)


class Spectral(System):
    """What the systems with this trunk share: an STFT, one mask per source for all channels, the inverse.

    A subclass says `network` and how it finds `masks`. Taught on: book/architectures/mask_inference
    """

    ordered = False
    whole = True  # the layers read from both ends

    def __init__(self, config):
        super().__init__(config)
        self.stride = config.hop
        self.stft = STFT(config.n_fft, config.hop, config.window)
        self.masking = Masking()
        self.istft = ISTFT(config.n_fft, config.hop, config.window)

    def masks(self, magnitude: Tensor) -> Tensor:
        """Estimate one mask per source: `(B, F, T) -> (B, S, F, T)`."""
        raise NotImplementedError

    def forward(self, mixture: Tensor, **inputs: Tensor) -> Tensor:
        """Separate `(B, C, N) -> (B, S, C, N)`."""
        self.check_mixture(mixture)
        bins = self.stft(mixture)  # (B, C, F, T) complex
        return self.sounds(self.masks(heard(bins)), bins, mixture)

    def sounds(self, masks: Tensor, bins: Tensor, mixture: Tensor) -> Tensor:
        """Apply masks `(B, S, F, T)` to the complex bins `(B, C, F, T)` of a mixture: `(B, S, C, N)`."""
        masks = masks.float().unsqueeze(2)  # (B, S, 1, F, T)
        return self.istft(self.masking(bins, masks.expand(-1, -1, self.channels, -1, -1)), mixture.shape[-1])

    def bins(self, mixture: Tensor, sources: Tensor) -> tuple[Tensor, Tensor]:
        """Check a training item, and return the complex bins `(B, C, F, T)` and `(B, S, C, F, T)`."""
        self.check_mixture(mixture)
        self.check_sources(mixture, sources)
        return self.stft(mixture), self.stft(sources.flatten(1, 2)).unflatten(1, sources.shape[1:3])


def mask_loss(masks: Tensor, bins: Tensor, sources: Tensor, target: str, ordered: bool, loss: str = "l1") -> Tensor:
    """Return the mean error of masked magnitudes, in the order that fits best unless `ordered`.

    masks `(B, S, F, T)`, complex bins `(B, C, F, T)` and `(B, S, C, F, T)` -> `()`.
    Taught on: book/architectures/mask_inference
    """
    estimates = masks.unsqueeze(2) * bins.abs().unsqueeze(1)  # (B, S, C, F, T)
    return in_order(LOSSES[loss], estimates, spectrogram.TARGETS[target](bins, sources), ordered)


def in_order(compare, estimates: Tensor, targets: Tensor, ordered: bool) -> Tensor:
    """Return the mean error of estimates `(B, S, …)`, in the order that fits best unless `ordered`: `()`.

    Taught on: book/architectures/mask_inference
    """
    if ordered:
        return compare(estimates, targets)
    return permutation_invariant(compare, estimates, targets)[0].mean()


class MaskInference(Spectral):
    """Waveforms in, waveforms out, through masks that a BLSTM infers. Taught on: book/architectures/mask_inference."""

    def __init__(self, config: Config):
        super().__init__(config)
        check_choices(config, target=tuple(spectrogram.TARGETS), loss=(*LOSSES, "si_snr"))
        self.ordered = config.ordered
        self.network = MaskNet(config)

    def masks(self, magnitude: Tensor) -> Tensor:
        """Infer `(B, S, F, T)` masks from `(B, F, T)` magnitudes."""
        return self.network(magnitude)

    def loss(self, mixture: Tensor, sources: Tensor, **labels: Tensor) -> dict[str, Tensor]:
        """Distance between masked and true magnitudes; with "si_snr" between the waveforms that come of them."""
        if self.config.loss == "si_snr":
            estimates = self(mixture)
            self.check_sources(mixture, sources)
            return {"loss": in_order(waveform.si_snr_loss, estimates, sources, self.ordered)}
        bins, true = self.bins(mixture, sources)
        masks = self.masks(heard(bins)).float()
        return {"loss": mask_loss(masks, bins, true, self.config.target, self.ordered, self.config.loss)}


SYSTEM = MaskInference
