"""TasNet: the first network from waveform to waveform for talkers. Short segments, a gated code, recurrent layers.

The sound is cut into segments of a few milliseconds that do not overlap. Each is scaled to length 1, and its length is
given back at the end, so that the network need not learn loudness.

Source: Luo and Mesgarani 2018. Taught on: book/architectures/tasnet
"""

from dataclasses import dataclass, replace

from torch import Tensor, nn
from torch.nn import functional

from sepbook.architectures._names import check_choices
from sepbook.architectures.base import System
from sepbook.architectures.recipe import Recipe
from sepbook.building_blocks.recurrent import RecurrentStack
from sepbook.losses import waveform
from sepbook.losses.permutation import permutation_invariant

EPS = 1e-8  # added to the length of a segment


@dataclass(frozen=True)
class Config:
    """Everything that defines a TasNet. The defaults are the network of Luo and Mesgarani 2018.

    Taught on: book/architectures/tasnet
    """

    source_names: tuple[str, ...] = ("talker_1", "talker_2")  # S masks
    sample_rate: int = 8000  # Hz
    channels: int = 1  # C: a segment holds all of them
    size: int = 40  # samples of a segment
    filters: int = 500  # K of encoder and decoder
    units: int = 500  # H per direction
    layers: int = 4  # L
    bidirectional: bool = True  # False: the causal form, which knows the past alone
    dropout: float = 0.0  # between layers
    masks: str = "softmax"  # the masks of a point add up to one, or "sigmoid": each by itself


PRESETS = {
    "paper": Config(),
    "causal": Config(units=1000, bidirectional=False),
    "small": Config(size=128, filters=256, units=160, layers=2, dropout=0.1),
}
PRESETS["tiny"] = replace(PRESETS["small"], size=32, filters=24, units=12, dropout=0.0)

RECIPES = {
    "paper": Recipe(
        task="talkers",
        seconds=4.0,
        schedule="plateau",
        schedule_options={"patience": 3, "factor": 0.5},
        weight_decay=1e-5,
    ),
    "small": Recipe(  # many short pieces of many voices at many speeds, in many tones
        task="talkers",
        seconds=1.5,
        batch_size=16,
        mixing={"far_first": 3200, "speed": 0.3, "more_talkers": True},  # a low and a high voice are told apart first
        augment=("equalise", "flip_sign"),
        learning_rate=3e-3,
        steps={"lab": 60, "shipped": 14000, "full": 30000},
    ),
}


class GatedEncoder(nn.Module):
    """Code each segment: `(B, T, N) -> (B, T, K)` numbers of at least 0, one layer bent by a ReLU, one as its gate.

    Taught on: book/architectures/tasnet
    """

    dims = "B T N -> B T K"

    def __init__(self, size: int, filters: int):
        super().__init__()
        self.code = nn.Linear(size, filters, bias=False)
        self.gate = nn.Linear(size, filters, bias=False)

    def forward(self, segments: Tensor) -> Tensor:
        """Encode `(B, T, N)` segments."""
        return self.code(segments).relu() * self.gate(segments).sigmoid()


class Masker(nn.Module):
    """Estimate the masks from the code: `(B, T, K) -> (B, S, T, K)`. Taught on: book/architectures/tasnet."""

    dims = "B T K -> B S T K"

    def __init__(self, config: Config):
        super().__init__()
        self.S, self.kind = len(config.source_names), config.masks
        self.norm = nn.LayerNorm(config.filters)  # frame by frame
        self.recurrent = RecurrentStack(
            config.filters,
            config.units,
            config.layers,
            bidirectional=config.bidirectional,
            dropout=config.dropout,
        )
        self.masks = nn.Linear(self.recurrent.H_out, self.S * config.filters)

    def forward(self, code: Tensor) -> Tensor:
        """Estimate one mask per source for the code `(B, T, K)`."""
        x = self.masks(self.recurrent(self.norm(code))).unflatten(-1, (self.S, -1)).transpose(1, 2)  # (B, S, T, K)
        return x.softmax(1) if self.kind == "softmax" else x.sigmoid()


class TasNet(System):
    """Waveforms in, waveforms out: segments, gated code, masks, linear decoder.

    Source: Luo and Mesgarani 2018. Taught on: book/architectures/tasnet
    """

    ordered = False

    def __init__(self, config: Config):
        super().__init__(config)
        check_choices(config, masks=("softmax", "sigmoid"))
        self.stride, self.whole = config.size, config.bidirectional
        width = config.size * config.channels
        self.encoder = GatedEncoder(width, config.filters)
        self.network = Masker(config)
        self.decoder = nn.Linear(config.filters, width, bias=False)

    def forward(self, mixture: Tensor, **inputs: Tensor) -> Tensor:
        """Separate `(B, C, N) -> (B, S, C, N)`."""
        self.check_mixture(mixture)
        N, size = mixture.shape[-1], self.config.size
        segments = functional.pad(mixture, (0, -N % size)).unflatten(-1, (-1, size))  # (B, C, T, size)
        segments = segments.transpose(1, 2).flatten(2)  # (B, T, C·size)
        length = segments.norm(dim=-1, keepdim=True)  # (B, T, 1)
        code = self.encoder(segments / (length + EPS))  # (B, T, K)
        code = self.network(code) * code[:, None]  # (B, S, T, K)
        sound = self.decoder(code) * length[:, None]  # (B, S, T, C·size)
        sound = sound.unflatten(-1, (self.channels, size)).transpose(2, 3)  # (B, S, C, T, size)
        return sound.flatten(-2)[..., :N]

    def loss(self, mixture: Tensor, sources: Tensor, **labels: Tensor) -> dict[str, Tensor]:
        """Negative SI-SNR in dB of estimates against sources, in the order that fits best."""
        estimates = self(mixture)
        self.check_sources(mixture, sources)
        return {"loss": permutation_invariant(waveform.si_snr_loss, estimates, sources)[0].mean()}


SYSTEM = TasNet
