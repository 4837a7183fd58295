"""The U-Net for source separation: a spectrogram goes down, comes up, and leaves as masks.

::

    magnitude (B, C, F, T)
      │
      ├─ encoder 1 ──────────────── skip ───────────────┐
      │    ├─ encoder 2 ─────────── skip ──────────┐    │
      │    │     …                            …    │    │
      │    │     └─ encoder L ─ decoder 1 ──┘      │    │
      │    └────────────────────  decoder L-1 ─────┘    │
      └─────────────────────────  decoder L  ───────────┘ ── sigmoid ── masks (B, S, C, F, T)

Each encoder block halves both axes, each decoder block doubles them. A skip carries the encoder's map of the same
size across, so that fine detail does not have to squeeze through the bottom.

Source: Jansson et al. 2017 (singing-voice separation), after Ronneberger et al. 2015 (images).
Taught on: book/architectures/unet
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from sepbook.architectures.base import System
from sepbook.architectures.recipe import Recipe
from sepbook.building_blocks.convolution import SameConv2d, SameConvTranspose2d
from sepbook.building_blocks.stft import ISTFT, STFT, Masking
from sepbook.losses import spectrogram


@dataclass(frozen=True)
class Config:
    """Everything that defines a U-Net. The defaults are the network of Jansson 2017.

    Taught on: book/architectures/unet
    """

    source_names: tuple[str, ...] = ("vocals",)  # S masks; the paper trains one network per source
    sample_rate: int = 8192  # Hz
    channels: int = 1  # C, audio channels in and out
    n_fft: int = 1024  # samples per window
    hop: int = 768  # samples between windows
    widths: tuple[int, ...] = (16, 32, 64, 128, 256, 512)  # H of the encoder blocks, from the top down
    kernel: int = 5  # side of every convolution kernel
    convolutions: int = 1  # per encoder block; further ones keep the size (a variant)
    leak: float = 0.2  # slope of the encoder's leaky ReLU below zero
    dropout: float = 0.5  # in the first three decoder blocks
    norm_epsilon: float = 1e-3  # added to the variance in batch norm
    init_std: float = 0.02  # of the normal distribution that weights are drawn from; 0: PyTorch's own
    masks: str = "sigmoid"  # each mask by itself, or "softmax": the masks of a point add up to one
    scale: str = "peak"  # network input: "peak" divides by the largest magnitude, "log" takes log(1 + magnitude)
    loss: str = "l1"  # on masked magnitudes: "l1" or "mse"


PRESETS = {
    "paper": Config(),
    "small": Config(
        source_names=("vocals", "drums", "bass", "other"),
        sample_rate=16000,
        hop=256,
        widths=(24, 40, 64, 112, 144),
        dropout=0.0,
        norm_epsilon=1e-5,
        init_std=0.0,
        masks="softmax",
        scale="log",
    ),
}
PRESETS["tiny"] = replace(PRESETS["small"], sample_rate=8000, n_fft=256, hop=64, widths=(8, 12, 16))

# A short run learns most from songs as they are; a long one would learn them by heart, so it mixes anew.
RECIPES = {
    "paper": Recipe(
        task="vocals",
        seconds=12.0,
        batch_size=64,
        optimizer_options={"betas": (0.5, 0.999)},
        schedule="plateau",
        schedule_options={"patience": 15},
    ),
    "small": Recipe(
        task="songs",
        learning_rate=3e-3,
        mixing={"incoherent": 0.5, "gain_db": (-4.0, 2.0)},
        short={"mixing": {"incoherent": 0.0, "gain_db": (0.0, 0.0)}},
        steps={"lab": 60, "first": 350, "shipped": 3000, "full": 30000},  # "first": those of the first lab
    ),
}

DROPOUT_BLOCKS = 3  # decoder blocks with dropout, from the bottom up


class EncoderBlock(nn.Module):
    """Halve both axes: strided convolution, batch norm, leaky ReLU.

    `(B, H, F, T) -> (B, H', F/2, T/2)`. Source: Jansson 2017. Taught on: book/architectures/unet
    """

    dims = "B H F T -> B H' F' T'"

    def __init__(self, inputs: int, outputs: int, config: Config):
        super().__init__()
        self.conv = SameConv2d(inputs, outputs, config.kernel, stride=2)
        self.norm = nn.BatchNorm2d(outputs, eps=config.norm_epsilon)
        self.activation = nn.LeakyReLU(config.leak)
        more = []
        for _ in range(config.convolutions - 1):
            more += [nn.Conv2d(outputs, outputs, config.kernel, padding="same")]
            more += [nn.BatchNorm2d(outputs, eps=config.norm_epsilon), nn.LeakyReLU(config.leak)]
        self.more = nn.Sequential(*more)

    def forward(self, x: Tensor) -> Tensor:
        """Halve `(B, H, F, T)`; odd sizes are rounded up."""
        x = self.activation(self.norm(self.conv(x)))  # (B, H', F/2, T/2)
        return self.more(x)


class DecoderBlock(nn.Module):
    """Double both axes: transposed convolution, then batch norm, ReLU and dropout unless it is the last block.

    `(B, H, F, T) -> (B, H', 2F, 2T)`. Source: Jansson 2017. Taught on: book/architectures/unet
    """

    dims = "B H F T -> B H' F' T'"

    def __init__(self, inputs: int, outputs: int, config: Config, dropout: float = 0.0, last: bool = False):
        super().__init__()
        self.conv = SameConvTranspose2d(inputs, outputs, config.kernel, stride=2)
        self.finish = nn.Identity()
        if not last:
            norm = nn.BatchNorm2d(outputs, eps=config.norm_epsilon)
            self.finish = nn.Sequential(norm, nn.ReLU(), nn.Dropout(dropout))

    def forward(self, x: Tensor) -> Tensor:
        """Double `(B, H, F, T)`."""
        return self.finish(self.conv(x))  # (B, H', 2F, 2T)


class UNet(nn.Module):
    """Magnitudes in, masks out: `(B, C, F, T) -> (B, S, C, F, T)`, each mask between 0 and 1.

    F and T are padded with zeros to multiples of 2^L and cropped again, so any size will do. The first decoder block
    takes the bottom map; every later one takes the block below it and, by concatenation, the encoder's map of that
    size. Source: Jansson 2017. Taught on: book/architectures/unet
    """

    dims = "B C F T -> B S C F T"

    def __init__(self, config: Config):
        super().__init__()
        C, S, widths = config.channels, len(config.source_names), config.widths
        self.encoder = nn.ModuleList()
        for inputs, outputs in zip((C, *widths), widths, strict=False):
            self.encoder.append(EncoderBlock(inputs, outputs, config))
        self.decoder = nn.ModuleList()
        below = widths[-1]  # H that comes up from the block below, skip included
        for i, outputs in enumerate(widths[-2::-1]):
            dropout = config.dropout if i < DROPOUT_BLOCKS else 0.0
            self.decoder.append(DecoderBlock(below, outputs, config, dropout))
            below = 2 * outputs
        self.decoder.append(DecoderBlock(below, S * C, config, last=True))
        self.activation = nn.Sigmoid() if config.masks == "sigmoid" else nn.Softmax(dim=1)  # over S
        self.multiple = 2 ** len(widths)
        self.channels = C
        if config.init_std:
            self._initialise(config.init_std)
        self.to(memory_format=torch.channels_last)  # H innermost in memory: the same numbers, computed faster

    def forward(self, magnitude: Tensor) -> Tensor:
        """Estimate the masks of `(B, C, F, T)` magnitudes."""
        F, T = magnitude.shape[-2:]
        x = functional.pad(magnitude, (0, -T % self.multiple, 0, -F % self.multiple))
        maps = []
        for block in self.encoder:
            x = block(x)
            maps.append(x)
        x = self.decoder[0](maps.pop())
        for block in self.decoder[1:]:
            x = block(torch.cat([x, maps.pop()], dim=1))  # H: from below, then the skip
        x = x[..., :F, :T].unflatten(1, (-1, self.channels))  # (B, S·C, F, T) -> (B, S, C, F, T)
        return self.activation(x)

    def _initialise(self, std: float) -> None:
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.normal_(layer.weight, std=std)
                nn.init.zeros_(layer.bias)


class UNetSystem(System):
    """Waveforms in, waveforms out: STFT, U-Net on the magnitudes, masks on the mixture, inverse STFT.

    The highest bin (half the sample rate) is dropped before the network, so that F is a power of two, and takes the
    mask of the bin below it. The estimates keep the mixture's phase. Trained on the distance between masked and true
    magnitudes. Source: Jansson 2017. Taught on: book/architectures/unet
    """

    def __init__(self, config: Config):
        super().__init__(config)
        for field, choices in {
            "masks": ("sigmoid", "softmax"),
            "scale": ("peak", "log"),
            "loss": ("l1", "mse"),
        }.items():
            if getattr(config, field) not in choices:
                raise ValueError(f"{field} is {getattr(config, field)!r}; choose {' or '.join(map(repr, choices))}")
        self.stride = config.hop * 2 ** len(config.widths)  # where a column of the bottom map begins
        self.whole = config.scale == "peak"  # the loudest point of all
        self.stft = STFT(config.n_fft, config.hop)
        self.network = UNet(config)
        self.masking = Masking()
        self.istft = ISTFT(config.n_fft, config.hop)

    def masks(self, magnitude: Tensor) -> Tensor:
        """Estimate one mask per source: `(B, C, F, T) -> (B, S, C, F, T)`, all F bins."""
        if self.config.scale == "log":
            x = torch.log1p(magnitude)
        else:
            x = magnitude / magnitude.amax((1, 2, 3), keepdim=True).clamp_min(1e-8)
        masks = self.network(x[:, :, :-1])  # without the highest bin
        return torch.cat([masks, masks[..., -1:, :]], dim=-2).float()  # (B, S, C, F, T)

    def forward(self, mixture: Tensor, **inputs: Tensor) -> Tensor:
        """Separate `(B, C, N) -> (B, S, C, N)`."""
        self.check_mixture(mixture)
        bins = self.stft(mixture)  # (B, C, F, T) complex
        estimates = self.masking(bins, self.masks(bins.abs()))  # (B, S, C, F, T) complex
        return self.istft(estimates, mixture.shape[-1])

    def loss(self, mixture: Tensor, sources: Tensor, **labels: Tensor) -> dict[str, Tensor]:
        """Distance between masked mixture and true source, both magnitudes `(B, S, C, F, T)`."""
        self.check_mixture(mixture)
        self.check_sources(mixture, sources)
        magnitude = self.stft(mixture).abs()  # (B, C, F, T)
        target = self.stft(sources.flatten(1, 2)).abs().unflatten(1, sources.shape[1:3])  # (B, S, C, F, T)
        estimate = self.masking(magnitude, self.masks(magnitude))  # (B, S, C, F, T)
        compare = spectrogram.l1 if self.config.loss == "l1" else spectrogram.mse
        return {"loss": compare(estimate, target)}


SYSTEM = UNetSystem
