"""Spleeter: a U-Net for each stem, and masks that share the mixture among the stems.

::

    magnitude (B, C, F, T) ─┬─ U-Net of the vocals ─ times magnitude ─┐
                            ├─ U-Net of the drums  ─ times magnitude ─┼─ squared, each over the sum of all ─ masks
                            └─ …                                     ─┘

The U-Net differs from that of Jansson 2017 in the order of its layers. A skip carries what a convolution gives, before
norm and activation. On the way up the activation stands before the norm. A last dilated convolution makes a mask for
each audio channel.

Source: Hennequin et al. 2020. Taught on: book/architectures/spleeter
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from sepbook.architectures._names import check_choices
from sepbook.architectures.base import System
from sepbook.architectures.recipe import Recipe
from sepbook.building_blocks.convolution import SameConv2d, SameConvTranspose2d
from sepbook.building_blocks.stft import ISTFT, STFT, Masking
from sepbook.building_blocks.wiener import wiener
from sepbook.losses import spectrogram

ACTIVATIONS = {  # on the way down, on the way up
    "elu": (nn.ELU, nn.ELU),
    "relu": (lambda: nn.LeakyReLU(0.2), nn.ReLU),
}
DROPOUT_BLOCKS = 3  # of the way up, from the bottom
EPSILON = 1e-10  # of the shares: where all stems are silent, each gets the same
FILTER_EPSILON = torch.finfo(torch.float32).eps  # of the Wiener filter, as in the published one


@dataclass(frozen=True)
class Config:
    """Everything that defines Spleeter; the defaults are the published network of four stems.

    Taught on: book/architectures/spleeter
    """

    source_names: tuple[str, ...] = ("vocals", "drums", "bass", "other")  # one U-Net each
    sample_rate: int = 44100  # Hz
    channels: int = 2  # C, audio channels in and out
    n_fft: int = 4096  # samples per window
    hop: int = 1024  # samples between windows
    bins: int = 1024  # F that the networks see; the estimates are silent above
    segment: int = 512  # T that the networks see at once; 0: all frames of the song
    widths: tuple[int, ...] = (16, 32, 64, 128, 256, 512)  # H on the way down
    kernel: int = 5  # side of every convolution kernel but the last
    activation: str = "elu"  # or "relu", which is leaky (0.2) on the way down
    dropout: float = 0.5  # in the first three blocks of the way up
    norm_epsilon: float = 1e-3  # added to the variance in batch norm
    outputs: str = "sigmoid"  # each stem by itself, or "softmax": the stems of a point add up to one
    power: float = 2.0  # of the magnitudes whose shares are the masks
    iterations: int = 0  # of the Wiener filter instead of the shares; 0: none


PRESETS = {
    "2stems": Config(source_names=("vocals", "accompaniment"), activation="relu"),
    "4stems": Config(),
    "5stems": Config(source_names=("vocals", "piano", "drums", "bass", "other"), outputs="softmax"),
}
PRESETS["paper"] = PRESETS["4stems"]
PRESETS["small"] = replace(
    PRESETS["paper"],
    sample_rate=16000,
    channels=1,
    n_fft=1024,
    hop=256,
    bins=512,
    segment=0,
    widths=(12, 24, 36, 48, 64),
    dropout=0.0,
    power=1.0,  # chosen on validation songs
)
PRESETS["tiny"] = replace(PRESETS["small"], sample_rate=8000, n_fft=256, hop=64, bins=128, widths=(6, 8, 12))

_STEPS = {"lab": 60, "shipped": 3000}
_PUBLISHED = {"seconds": 11.79, "batch_size": 4, "learning_rate": 1e-4, "schedule": "constant"}  # 512 frames
RECIPES = {
    "paper": Recipe(task="songs", steps={**_STEPS, "full": 1_500_000}, **_PUBLISHED),
    "2stems": Recipe(task="vocals", steps={**_STEPS, "full": 1_000_000}, **_PUBLISHED),
    "5stems": Recipe(task="songs", steps={**_STEPS, "full": 2_500_000}, **_PUBLISHED),
    "small": Recipe(
        task="songs",
        mixing={"incoherent": 0.5, "gain_db": (-4.0, 2.0)},
        augment=("repitch",),
        learning_rate=2e-3,
        steps={"lab": 60, "shipped": 1250, "full": 30000},
    ),
}
RECIPES["4stems"] = RECIPES["paper"]


class Down(nn.Module):
    """Norm and activation of what the block above gives (the first has neither), then halve both axes.

    `(B, H, F, T) -> (B, H', F/2, T/2)`. Source: Hennequin et al. 2020. Taught on: book/architectures/spleeter
    """

    dims = "B H F T -> B H' F' T'"

    def __init__(self, inputs: int, outputs: int, config: Config, first: bool = False):
        super().__init__()
        self.norm = nn.Identity() if first else nn.BatchNorm2d(inputs, eps=config.norm_epsilon)
        self.activation = nn.Identity() if first else ACTIVATIONS[config.activation][0]()
        self.conv = SameConv2d(inputs, outputs, config.kernel, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """Halve `(B, H, F, T)`; the result is what the skip carries."""
        return self.conv(self.activation(self.norm(x)))


class Up(nn.Module):
    """Double both axes: transposed convolution, activation, norm, dropout.

    `(B, H, F, T) -> (B, H', 2F, 2T)`. Source: Hennequin et al. 2020. Taught on: book/architectures/spleeter
    """

    dims = "B H F T -> B H' F' T'"

    def __init__(self, inputs: int, outputs: int, config: Config, dropout: float):
        super().__init__()
        self.conv = SameConvTranspose2d(inputs, outputs, config.kernel, stride=2)
        self.activation = ACTIVATIONS[config.activation][1]()
        self.norm = nn.BatchNorm2d(outputs, eps=config.norm_epsilon)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Double `(B, H, F, T)`."""
        return self.dropout(self.norm(self.activation(self.conv(x))))


class Stem(nn.Module):
    """One stem's U-Net: magnitudes to what its mask is made of, `(B, C, F, T) -> (B, C, F, T)`, any real numbers.

    Source: Hennequin et al. 2020. Taught on: book/architectures/spleeter
    """

    dims = "B C F T -> B C F T"

    def __init__(self, config: Config):
        super().__init__()
        C, widths = config.channels, config.widths
        self.down = nn.ModuleList()
        for i, (inputs, outputs) in enumerate(zip((C, *widths), widths, strict=False)):
            self.down.append(Down(inputs, outputs, config, first=i == 0))
        self.up, below = nn.ModuleList(), widths[-1]  # H that comes up from the block below, skip included
        for i, outputs in enumerate((*widths[-2::-1], 1)):
            self.up.append(Up(below, outputs, config, config.dropout if i < DROPOUT_BLOCKS else 0.0))
            below = 2 * outputs
        self.last = SameConv2d(1, C, 4, dilation=2)
        self.multiple = 2 ** len(widths)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")
                nn.init.zeros_(layer.bias)
        self.to(memory_format=torch.channels_last)  # H innermost in memory: the same numbers, computed faster

    def forward(self, magnitude: Tensor) -> Tensor:
        """Read `(B, C, F, T)` magnitudes."""
        F, T = magnitude.shape[-2:]
        x = functional.pad(magnitude, (0, -T % self.multiple, 0, -F % self.multiple))
        maps = []
        for block in self.down:
            x = block(x)
            maps.append(x)
        x = self.up[0](maps.pop())
        for block in self.up[1:]:
            x = block(torch.cat([maps.pop(), x], dim=1))  # H: the skip, then from below
        return self.last(x)[..., :F, :T]


class Spleeter(System):
    """Waveforms in, waveforms out: one `Stem` per source; their magnitudes, to a power, share the mixture out.

    A window of zeros stands before the mixture, and the frames go through the networks in segments, as published.
    Trained on the magnitudes of each stem, before they are shared.
    Source: Hennequin et al. 2020. Taught on: book/architectures/spleeter
    """

    def __init__(self, config: Config):
        super().__init__(config)
        check_choices(config, activation=tuple(ACTIVATIONS), outputs=("sigmoid", "softmax"))
        if config.outputs == "softmax" and len(config.source_names) < 2:
            raise ValueError("outputs is 'softmax', which shares among stems, but there is one; choose 'sigmoid'")
        F, half = config.n_fft // 2 + 1, config.n_fft // 2
        if config.hop > half:
            raise ValueError(f"hop is {config.hop}; it must be no more than half of n_fft, {half}")
        if config.bins > F:
            raise ValueError(f"bins is {config.bins}, but n_fft={config.n_fft} gives no more than {F}")
        if config.segment % 2 ** len(config.widths):
            raise ValueError(
                f"segment is {config.segment}; it must be a multiple of {2 ** len(config.widths)}, because "
                f"{len(config.widths)} blocks halve it, or 0"
            )
        self.stride = config.hop * (config.segment or 2 ** len(config.widths))
        self.whole = config.iterations > 0  # the filter explains all frames together
        self.stft = STFT(config.n_fft, config.hop)
        self.networks = nn.ModuleDict({name: Stem(config) for name in config.source_names})
        self.masking = Masking()
        self.istft = ISTFT(config.n_fft, config.hop)

    def bins(self, samples: Tensor) -> Tensor:
        """Transform `(B, C, N)` to `(B, C, F, T)`; the first frame ends where the first sample stands."""
        half = self.config.n_fft // 2
        return self.stft(functional.pad(samples, (half, half - self.config.hop)))

    def magnitudes(self, magnitude: Tensor) -> Tensor:
        """Estimate every stem by itself: `(B, C, F, T) -> (B, S, C, F', T)`, the F' lowest bins."""
        T, length = magnitude.shape[-1], self.config.segment or magnitude.shape[-1]
        x = functional.pad(magnitude[:, :, : self.config.bins], (0, -T % length))  # whole segments
        return torch.cat([self._segment(part) for part in x.split(length, -1)], -1)[..., :T]

    def _segment(self, magnitude: Tensor) -> Tensor:
        """Estimate every stem of one segment: `(B, C, F', T) -> (B, S, C, F', T)`."""
        found = torch.stack([network(magnitude) for network in self.networks.values()], 1).float()
        masks = found.sigmoid() if self.config.outputs == "sigmoid" else found.softmax(1)  # over S
        return masks * magnitude[:, None]

    def shares(self, magnitude: Tensor, estimates: Tensor) -> Tensor:
        """Turn magnitudes `(B, C, F, T)` and those of the stems `(B, S, C, F', T)` into masks `(B, S, C, F, T)`."""
        S = estimates.shape[1]
        if S == 1:  # there is nobody to share with: the network's own mask
            masks = estimates / magnitude[:, None, :, : self.config.bins].clamp_min(EPSILON)
        else:
            powers = estimates**self.config.power
            masks = (powers + EPSILON / S) / (powers.sum(1, keepdim=True) + EPSILON)
        return functional.pad(masks, (0, 0, 0, magnitude.shape[-2] - masks.shape[-2]))

    def filtered(self, bins: Tensor, estimates: Tensor) -> Tensor:
        """Refine shares of the mixture `(B, C, F, T)` by the multichannel Wiener filter: `(B, S, C, F, T)` complex."""
        estimates = functional.pad(estimates, (0, 0, 0, bins.shape[-2] - estimates.shape[-2]))
        first = estimates / (estimates.sum(1, keepdim=True) + FILTER_EPSILON) * bins.abs()[:, None]
        return wiener(bins, first, self.config.iterations, bins.shape[-1], FILTER_EPSILON)

    def forward(self, mixture: Tensor, **inputs: Tensor) -> Tensor:
        """Separate `(B, C, N) -> (B, S, C, N)`."""
        self.check_mixture(mixture)
        bins, half = self.bins(mixture), self.config.n_fft // 2
        magnitude = bins.abs()
        estimates = self.magnitudes(magnitude)
        if self.whole and len(self.source_names) > 1:
            found = self.filtered(bins, estimates)
        else:
            found = self.masking(bins, self.shares(magnitude, estimates))
        return self.istft(found, half + mixture.shape[-1])[..., half:]

    def loss(self, mixture: Tensor, sources: Tensor, **labels: Tensor) -> dict[str, Tensor]:
        """Mean absolute distance of a stem's magnitudes `(B, S, C, F', T)` from the true ones, summed over stems."""
        self.check_mixture(mixture)
        self.check_sources(mixture, sources)
        target = self.bins(sources.flatten(1, 2))[:, :, : self.config.bins].abs().unflatten(1, sources.shape[1:3])
        estimates = self.magnitudes(self.bins(mixture).abs())
        return {"loss": spectrogram.l1(estimates, target) * len(self.source_names)}


SYSTEM = Spleeter
