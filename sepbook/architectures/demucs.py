"""Demucs: from waveform to waveform without masks. Strided convolutions down, LSTMs in the middle, the way back up.

::

    mixture (B, C, N) ─ zeros around ─ encoder ×6 ─ LSTM both ways ─ decoder ×6 ─ cut ─ estimates (B, S, C, N)
                                          └───────────── skips, added ───┘

Nothing is taken from the mixture by a mask: the network makes the samples of each source itself. Each block has a gated
convolution (GLU), and its weights are rescaled before training begins.

Source: Défossez et al. 2019 (both versions). Taught on: book/architectures/demucs
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from sepbook.architectures._names import check_choices
from sepbook.architectures._resampling import low_pass
from sepbook.architectures.base import System
from sepbook.architectures.recipe import Recipe
from sepbook.building_blocks.convolution import middle
from sepbook.building_blocks.recurrent import RecurrentStack
from sepbook.losses import waveform

LOSSES = {"l1": waveform.l1, "mse": waveform.mse}


@dataclass(frozen=True)
class Config:
    """Everything that defines a Demucs. The defaults are the first version of Défossez et al. 2019.

    Taught on: book/architectures/demucs
    """

    source_names: tuple[str, ...] = ("drums", "bass", "other", "vocals")  # S
    sample_rate: int = 44100  # Hz
    channels: int = 2  # C, audio channels in and out
    width: int = 100  # H of the first block …
    growth: float = 2.0  # … and by how much each further one is wider
    depth: int = 6  # blocks down, and as many up
    kernel: int = 8  # values that a block takes together on the way down
    stride: int = 4  # by which it moves on
    context: int = 3  # frames that a block on the way up looks at; no zeros beyond the ends
    pointwise: bool = True  # a second convolution in each block; False: none
    glu: bool = True  # its outputs are gated; False: ReLU
    recurrent: bool = True  # LSTMs in the middle; False: none
    layers: int = 2  # L of them
    skips: str = "add"  # or "concat" (as in Wave-U-Net), "none"
    rescale: float = 0.1  # deviation towards which the first weights are rescaled; 0: they stay as they are
    resample: int = 1  # 2: the network works at twice the sample rate
    shrink: float = 0.0  # the mixture is divided by 1 + shrink: version 2 does, by what is left of a norm
    loss: str = "l1"  # on waveforms: "l1" or "mse"


PRESETS = {
    "paper": Config(),
    "paper_v2": Config(width=64, resample=2, shrink=1e-5),
    "small": Config(
        source_names=("vocals", "drums", "bass", "other"),
        sample_rate=16000,
        channels=1,
        width=16,
        depth=5,
    ),
}
PRESETS["tiny"] = replace(PRESETS["small"], width=6, depth=3, layers=1)

RECIPES = {
    "paper": Recipe(task="songs", seconds=10.0, batch_size=64, learning_rate=3e-4, schedule="constant"),
    "small": Recipe(  # many short pieces
        task="songs",
        seconds=1.0,
        mixing={"incoherent": 0.5, "gain_db": (-4.0, 2.0)},
        learning_rate=2e-3,
        steps={"lab": 60, "shipped": 20000, "full": 90000},
    ),
}
RECIPES["paper_v2"] = RECIPES["paper"]


def valid_length(length: int, depth: int, kernel: int, stride: int, context: int = 1) -> int:
    """Return the smallest number of samples, `length` or more, of which no convolution on the way leaves any over.

    On the way up each block loses `context` - 1 frames; they are added, so that what comes out is not shorter than
    `length`. For a single block down and up these are the lengths of `sepbook.shapes.conv_length`.
    Taught on: book/architectures/demucs
    """
    for _ in range(depth):
        length = max(-(-(length - kernel) // stride) + 1, 1)  # frames, rounded up
        length += context - 1
    for _ in range(depth):
        length = (length - 1) * stride + kernel
    return length


def rescale(network: nn.Module, deviation: float) -> None:
    """Divide the weights w of each convolution by √(std(w) / deviation), and its biases too.

    PyTorch's first weights are the smaller, the wider a layer is, and the sound fades on its way; this meets half way.
    Source: Défossez et al. 2019. Taught on: book/architectures/demucs
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv1d | nn.ConvTranspose1d):
            with torch.no_grad():
                scale = (layer.weight.std() / deviation).sqrt()
                layer.weight.div_(scale)
                layer.bias.div_(scale)


def gated(H: int, size: int, config: Config) -> nn.Module:
    """Return a convolution of so many taps that keeps H, with its gate: `(B, H, T) -> (B, H, T - size + 1)`.

    Without `config.glu` it ends in a ReLU, without `config.pointwise` it does nothing.
    Taught on: book/architectures/demucs
    """
    if not config.pointwise:
        return nn.Identity()
    if config.glu:
        return nn.Sequential(nn.Conv1d(H, 2 * H, size), nn.GLU(dim=1))
    return nn.Sequential(nn.Conv1d(H, H, size), nn.ReLU())


class EncoderBlock(nn.Module):
    """One step down: strided convolution, ReLU, gate: `(B, H, T) -> (B, H', T')`.

    Source: Défossez et al. 2019. Taught on: book/architectures/demucs
    """

    dims = "B H T -> B H' T'"

    def __init__(self, inputs: int, outputs: int, config: Config):
        super().__init__()
        self.conv = nn.Conv1d(inputs, outputs, config.kernel, config.stride)
        self.gate = gated(outputs, 1, config)

    def forward(self, x: Tensor) -> Tensor:
        """Shorten `(B, H, T)`."""
        return self.gate(self.conv(x).relu())


class DecoderBlock(nn.Module):
    """One step up: gate, transposed convolution, ReLU unless it is the last block: `(B, H, T) -> (B, H', T')`.

    The gate looks at `context` frames. Source: Défossez et al. 2019. Taught on: book/architectures/demucs
    """

    dims = "B H T -> B H' T'"

    def __init__(self, inputs: int, outputs: int, config: Config, last: bool):
        super().__init__()
        self.gate = gated(inputs, config.context, config)
        self.conv = nn.ConvTranspose1d(inputs, outputs, config.kernel, config.stride)
        self.finish = nn.Identity() if last else nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Lengthen `(B, H, T)`."""
        return self.finish(self.conv(self.gate(x)))


def down_and_up(config, inputs: int, outputs: int, below: int = 1) -> tuple[nn.ModuleList, nn.ModuleList]:
    """Make the blocks on the way down and those on the way up, the innermost first; each is wider than the one before.

    `below` is how often H comes into a block on the way up: twice where a skip is put beside what comes from below.
    Taught on: book/architectures/demucs
    """
    widths = [config.width]
    while len(widths) < config.depth:
        widths.append(int(config.growth * widths[-1]))
    encoder, decoder = nn.ModuleList(), nn.ModuleList()
    for i, (outer, inner) in enumerate(zip((inputs, *widths), widths, strict=False)):
        encoder.append(EncoderBlock(outer, inner, config))
        decoder.insert(0, DecoderBlock(below * inner, outer if i else outputs, config, last=i == 0))
    return encoder, decoder


class BothWays(nn.Module):
    """LSTMs that read forward and backward, and back to as many features: `(B, H, T) -> (B, H, T)`.

    Taught on: book/architectures/demucs
    """

    dims = "B H T -> B H T"

    def __init__(self, H: int, layers: int):
        super().__init__()
        self.layers = RecurrentStack(H, H, layers, bidirectional=True)
        self.linear = nn.Linear(2 * H, H)

    def forward(self, x: Tensor) -> Tensor:
        """Read `(B, H, T)`."""
        return self.linear(self.layers(x.mT)).mT


class Demucs(nn.Module):
    """The network: a mixture `(B, C, N)` of a valid length -> `(B, S, C, N')`, a little shorter.

    Source: Défossez et al. 2019. Taught on: book/architectures/demucs
    """

    dims = "B C N -> B S C N'"

    def __init__(self, config: Config):
        super().__init__()
        C, S = config.channels, len(config.source_names)
        below = 2 if config.skips == "concat" else 1  # how often H comes into a block on the way up
        self.C, self.skips = C, config.skips
        self.encoder, self.decoder = down_and_up(config, C, S * C, below)
        H = self.encoder[-1].conv.out_channels
        self.middle = BothWays(H, config.layers) if config.recurrent else nn.Identity()
        if config.rescale:
            rescale(self, config.rescale)

    def forward(self, mixture: Tensor) -> Tensor:
        """Make the samples of each source from `(B, C, N)`."""
        x, maps = mixture, []
        for block in self.encoder:
            x = block(x)  # (B, H, T), T four times shorter
            maps.append(x)
        x = self.middle(x)
        for block in self.decoder:
            x = block(self.join(x, maps.pop()))  # (B, H, T), T four times longer
        return x.unflatten(1, (-1, self.C))  # (B, S·C, N') -> (B, S, C, N')

    def join(self, x: Tensor, skip: Tensor) -> Tensor:
        """Put the middle of a skip `(B, H, T')` to `(B, H, T)`."""
        skip = middle(skip, x.shape[-1])
        return {"add": lambda: x + skip, "concat": lambda: torch.cat([x, skip], 1), "none": lambda: x}[self.skips]()


class DemucsSystem(System):
    """Waveforms in, waveforms out: zeros around the mixture, the network, and the middle of what it makes.

    Trained on the distance of the waveforms. Source: Défossez et al. 2019. Taught on: book/architectures/demucs
    """

    whole = True  # half of the zeros go before, how many depends on N; and the LSTM reads backward too

    def __init__(self, config: Config):
        super().__init__(config)
        check_choices(config, skips=("add", "concat", "none"), resample=(1, 2), loss=tuple(LOSSES))
        if config.kernel < config.stride:
            raise ValueError(f"kernel is {config.kernel}, stride {config.stride}: samples between would be lost")
        self.stride = max(config.stride**config.depth // config.resample, 1)
        self.network = Demucs(config)
        self.up, self.down = low_pass() if config.resample == 2 else (nn.Identity(), nn.Identity())

    def valid_length(self, length: int) -> int:
        """Return how many samples the network is given for so many of the mixture: see `valid_length`."""
        config = self.config
        found = valid_length(length * config.resample, config.depth, config.kernel, config.stride, config.context)
        return -(-found // config.resample)

    def forward(self, mixture: Tensor, **inputs: Tensor) -> Tensor:
        """Separate `(B, C, N) -> (B, S, C, N)`."""
        self.check_mixture(mixture)
        N = mixture.shape[-1]
        zeros = self.valid_length(N) - N
        x = functional.pad(mixture / (1 + self.config.shrink), (zeros // 2, zeros - zeros // 2))
        x = self.network(self.up(x)).to(mixture.dtype)  # (B, S, C, N')
        return middle(self.down(x), N)

    def loss(self, mixture: Tensor, sources: Tensor, **labels: Tensor) -> dict[str, Tensor]:
        """Distance between the waveforms `(B, S, C, N)` of estimates and sources."""
        estimates = self(mixture)
        self.check_sources(mixture, sources)
        return {"loss": LOSSES[self.config.loss](estimates, sources)}


SYSTEM = DemucsSystem
