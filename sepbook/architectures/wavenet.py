"""WaveNet for separation: one rate from end to end, and a reach that dilation doubles from block to block.

::

    mixture ─ conv ─┬─ block 1 ─┬─ block 2 ─┬─ … ─ block 10 ─┬─ the same, three times more
                    │  dilation 1  dilation 2     dilation 512
                    └── each block's skip ── + ── ReLU ─ conv ─ ReLU ─ conv ─ 1x1 ── estimates, but for the last source

The original invents sound, one sample after the other: see `sepbook.building_blocks.autoregression`. This one has the
whole mixture before it, so its blocks look both ways, and all samples are computed at once.

Source: Lluís, Pons and Serra 2019, after van den Oord et al. 2016. Taught on: book/architectures/wavenet
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from sepbook.architectures._names import check_choices
from sepbook.architectures.base import System
from sepbook.architectures.recipe import Recipe
from sepbook.building_blocks.convolution import DilatedBlock, SameConv1d, middle
from sepbook.losses import waveform

LOSSES = {"l1": waveform.l1, "mse": waveform.mse}


@dataclass(frozen=True)
class Config:
    """Everything that defines a WaveNet. The defaults are the network for four stems of Lluís et al. 2019.

    Taught on: book/architectures/wavenet
    """

    source_names: tuple[str, ...] = ("vocals", "drums", "bass", "other")  # S, the last one is the rest
    sample_rate: int = 16000  # Hz
    channels: int = 1  # C, audio channels in and out
    stacks: int = 4
    blocks: int = 10  # of a stack; their taps lie 1, 2, 4, … samples apart
    width: int = 64  # H between blocks
    skip: int = 64  # H of the paths to the end
    kernel: int = 3  # taps of all convolutions along time
    final: tuple[int, ...] = (2048, 256)  # H of the convolutions behind the sum of all skips
    output: str = "difference"  # the last source is the mixture without all others, or "direct": each is estimated
    loss: str = "l1"  # on waveforms, of what is estimated: "l1" or "mse"
    apart: float = 0.0  # times the distance of an estimate to all that is not its source, which should be large


PRESETS = {
    "paper": Config(),
    "voice": Config(source_names=("vocals", "accompaniment"), apart=0.05),
    "small": Config(stacks=2, blocks=9, width=16, skip=32, final=(64, 32)),
}
PRESETS["tiny"] = replace(PRESETS["small"], stacks=1, blocks=4, width=8, skip=8, final=(12, 8))

FOUR = Recipe(
    task="songs",
    seconds=9791 / 16000,  # N: 1601 samples are compared, and 4095 on both sides are their context
    batch_size=10,
    mixing={"incoherent": 0.0, "gain_db": (0.0, 0.0), "flip": False},
    schedule="constant",
)
RECIPES = {
    "paper": FOUR,
    "voice": replace(FOUR, task="vocals"),  # half of the published items are cut where somebody sings
    "small": Recipe(  # short pieces: all its layers run at full rate, and three seconds cost seven times as much
        task="songs",
        seconds=1.0,
        batch_size=4,
        mixing={"incoherent": 0.5, "gain_db": (-4.0, 2.0)},
        learning_rate=2e-3,
        steps={"lab": 60, "shipped": 1800, "full": 30000},
    ),
}


class WaveNet(nn.Module):
    """Samples in, samples of each source out: `(B, C, N) -> (B, S', C, N')`; S' = S - 1 where the last is the rest.

    Nothing has a bias but the last layer. N' = N, or less by a `margin` on both sides, for which the layers behind the
    skips compute nothing. Source: Lluís et al. 2019. Taught on: book/architectures/wavenet
    """

    dims = "B C N -> B S' C N'"

    def __init__(self, config: Config, sources: int):
        super().__init__()
        H, taps, C = config.width, config.kernel, config.channels
        self.first = SameConv1d(C, H, taps, bias=False)
        dilations = [2**i for _ in range(config.stacks) for i in range(config.blocks)]
        self.blocks = nn.ModuleList(
            DilatedBlock(H, config.skip, taps, dilation, causal=False, bias=False) for dilation in dilations
        )
        sizes, layers = (config.skip, *config.final), []
        for inputs, outputs in zip(sizes, config.final, strict=False):
            layers += [nn.ReLU(), SameConv1d(inputs, outputs, taps, bias=False)]
        self.final = nn.Sequential(*layers)
        self.out = nn.Conv1d(sizes[-1], sources * C, 1)
        self.edge = len(config.final) * (taps - 1) // 2  # samples that the final layers look to either side
        self.context = self.edge + (taps - 1) // 2 * (1 + sum(dilations))  # and all layers

    def forward(self, mixture: Tensor, margin: int = 0) -> Tensor:
        """Estimate the sources of a mixture `(B, C, N)`, but for `margin` samples at both ends."""
        N, C = mixture.shape[-1], mixture.shape[1]
        around = min(self.edge, margin)  # kept for the final layers to look at
        x, total = self.first(mixture), 0  # (B, H, N)
        for block in self.blocks:
            x, skip = block(x)
            total = total + middle(skip, N - 2 * (margin - around))
        x = self.out(self.final(total))  # (B, S'·C, …)
        return middle(x, N - 2 * margin).unflatten(1, (-1, C))


class WaveNetSystem(System):
    """Waveforms in, waveforms out, one sample for each sample.

    Training compares the middle of an item alone, whose context is sound of the item, unless the item is too short to
    have one. With `output="difference"` the estimates add up to the mixture, so the sources should too; a single
    source is always estimated. Source: Lluís et al. 2019. Taught on: book/architectures/wavenet
    """

    stride = 1

    def __init__(self, config: Config):
        super().__init__(config)
        check_choices(config, output=("difference", "direct"), loss=tuple(LOSSES))
        if config.kernel % 2 == 0:
            raise ValueError(f"kernel is {config.kernel}; it must be odd: as many taps look back as ahead")
        S = len(config.source_names)
        self.rest = config.output == "difference" and S > 1
        self.network = WaveNet(config, S - self.rest)
        self.context = self.network.context  # samples on each side that an estimate depends on

    def forward(self, mixture: Tensor, **inputs: Tensor) -> Tensor:
        """Separate `(B, C, N) -> (B, S, C, N)`."""
        self.check_mixture(mixture)
        estimates = self.network(mixture).to(mixture.dtype)  # from a short format, if it computes in one
        if not self.rest:
            return estimates
        return torch.cat([estimates, mixture[:, None] - estimates.sum(1, keepdim=True)], dim=1)

    def loss(self, mixture: Tensor, sources: Tensor, **labels: Tensor) -> dict[str, Tensor]:
        """Distance of the estimates to their sources, less `apart` times that to all else; the rest is not compared."""
        self.check_mixture(mixture)
        self.check_sources(mixture, sources)
        N, compare = mixture.shape[-1], LOSSES[self.config.loss]
        margin = self.context if N > 2 * self.context else 0
        estimates = self.network(mixture, margin)  # (B, S', C, N - 2·margin)
        target = middle(sources[:, : estimates.shape[1]], N - 2 * margin)
        near = compare(estimates, target)
        if not self.config.apart:
            return {"loss": near}
        far = compare(estimates, middle(mixture, N - 2 * margin)[:, None] - target)
        return {"loss": near - self.config.apart * far, "near": near.detach(), "far": far.detach()}


SYSTEM = WaveNetSystem
