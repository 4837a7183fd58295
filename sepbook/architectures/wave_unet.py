"""Wave-U-Net: the U-Net on samples. Convolve, drop every second value, … and back up by drawing lines between values.

::

    mixture (B, C, N)
      │
      ├──────────────────────────────── skip ────────────────────────────────┐
      └─ conv ─┬──────────────────────── keep ────────────────────────┐      │
               └ every 2nd ─ conv ─┬───────── keep ─────────┐         │      │
                                   └ every 2nd … conv … lines ─ conv ─ lines ─ conv ─ 1x1, tanh ─ estimates

Nothing filters before values are dropped, so high tones fold down, and the network must live with that. With
`context` no convolution is padded: the network is given sound on both sides of what it answers for, and makes up none.

Source: Stoller, Ewert and Dixon 2018. Taught on: book/architectures/wave_unet
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from sepbook.architectures._names import check_choices
from sepbook.architectures.base import System
from sepbook.architectures.recipe import Recipe
from sepbook.building_blocks.convolution import SameConv1d, Upsample1d, middle
from sepbook.losses import waveform

LOSSES = {"mse": waveform.mse, "l1": waveform.l1}


@dataclass(frozen=True)
class Config:
    """Everything that defines a Wave-U-Net. The defaults are the paper's M4, its best for voices.

    Taught on: book/architectures/wave_unet
    """

    source_names: tuple[str, ...] = ("accompaniment", "vocals")  # S, the last one is the rest if `output` says so
    sample_rate: int = 22050  # Hz
    channels: int = 2  # C, audio channels in and out
    levels: int = 12  # L: how often time is halved
    width: int = 24  # H of the first level; each further one has so many more
    kernel: int = 15  # taps on the way down
    kernel_up: int = 5  # taps on the way up
    leak: float = 0.2  # slope of the leaky ReLU below zero
    context: bool = True  # no padding: sound goes in on both sides of what comes out; False: zeros at every edge
    upsampling: str = "linear"  # halfway between two values, or "learned": at a share that each feature learns
    output: str = "difference"  # the last source is the mixture without all others, or "direct": each is estimated
    last: str = "tanh"  # bends the estimates into -1 … 1, or "linear", "leaky_relu"
    loss: str = "mse"  # on waveforms: "mse" or "l1"


FOUR = ("bass", "drums", "other", "vocals")
PRESETS = {
    "paper": Config(),  # M4
    "m1": Config(channels=1, context=False, output="direct"),
    "m5": Config(upsampling="learned"),
    "m6": Config(source_names=FOUR),
    "small": Config(source_names=FOUR, sample_rate=16000, channels=1, levels=9, width=8),
}
PRESETS["tiny"] = replace(PRESETS["small"], levels=3, width=6)

VOICE = Recipe(  # 2000 steps are an epoch; 20 without gain, and the rate falls to a tenth
    task="vocals",
    seconds=147_443 / 22050,  # N of which the 16,389 samples in the middle are compared
    batch_size=16,
    mixing={"incoherent": 0.0, "gain_db": (-3.1, 0.0), "flip": False},  # factors of 0.7 to 1
    learning_rate=1e-4,
    schedule="plateau",
    schedule_options={"patience": 20, "factor": 0.1},
)
RECIPES = {
    "paper": VOICE,
    "m1": replace(VOICE, seconds=16_384 / 22050),
    "m5": VOICE,
    "m6": replace(VOICE, task="songs"),
    "small": Recipe(
        task="songs",
        mixing={"incoherent": 0.5, "gain_db": (-4.0, 2.0)},
        learning_rate=1e-3,
        clip_norm=0.03,  # about the usual length: one long step had thrown the network back to its beginning
        steps={"lab": 60, "shipped": 1500, "full": 30000},
    ),
}


class LearnedUpsample(nn.Module):
    """Double a map; each feature learns where between two neighbours its new value lies: `(B, H, T) -> (B, H, T')`.

    The share `w = sigmoid(weight)` belongs to the left neighbour, 1 - w to the right one; half and half at the start.
    T' is 2T - 1, or 2T with `hold`, where zero follows the last value.
    Source: Stoller et al. 2018 (M5). Taught on: book/architectures/wave_unet
    """

    dims = "B H T -> B H T'"

    def __init__(self, features: int, hold: bool = False):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(features))
        self.hold = int(hold)

    def forward(self, x: Tensor) -> Tensor:
        """Double `(B, H, T)`: each value paints itself, and its share of the places beside it."""
        w = self.weight.sigmoid()
        paint = torch.stack([1 - w, torch.ones_like(w), w], -1)[:, None]  # (H, 1, 3)
        return functional.conv_transpose1d(x, paint, None, 2, 1, self.hold, groups=len(w))


class Down(nn.Module):
    """Convolve, keep that map for the way up, and go on with every second value of it.

    Source: Stoller et al. 2018. Taught on: book/architectures/wave_unet
    """

    dims = "B H T -> keep: B H' T', x: B H' T''"

    def __init__(self, inputs: int, outputs: int, config: Config):
        super().__init__()
        conv = nn.Conv1d if config.context else SameConv1d
        self.conv = conv(inputs, outputs, config.kernel)
        self.bend = nn.LeakyReLU(config.leak)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the map of `(B, H, T)` that is kept, and the half of it that goes on."""
        keep = self.bend(self.conv(x))
        return keep, keep[..., ::2]


class Up(nn.Module):
    """Draw lines between the values, put the kept map of that level beside them, convolve.

    Source: Stoller et al. 2018. Taught on: book/architectures/wave_unet
    """

    dims = "x: B H T, keep: B H' T' -> B H' T''"

    def __init__(self, inputs: int, outputs: int, config: Config):
        super().__init__()
        hold, conv = not config.context, nn.Conv1d if config.context else SameConv1d
        learned = config.upsampling == "learned"
        self.enlarge = LearnedUpsample(inputs, hold) if learned else Upsample1d(ends="hold" if hold else "cut")
        self.conv = conv(inputs + outputs, outputs, config.kernel_up)
        self.bend = nn.LeakyReLU(config.leak)

    def forward(self, x: Tensor, keep: Tensor) -> Tensor:
        """Return `(B, H', T'')` for the next level up."""
        x = self.enlarge(x)
        x = torch.cat([middle(keep, x.shape[-1]), x], dim=1)  # (B, H' + H, 2T)
        return self.bend(self.conv(x))


class WaveUNet(nn.Module):
    """Samples in, samples of each source out: `(B, C, N) -> (B, S', C, N')`; S' = S - 1 where the last is the rest.

    `sizes` says which N it takes, and which N' come out of their middle.
    Source: Stoller et al. 2018. Taught on: book/architectures/wave_unet
    """

    dims = "B C N -> B S' C N'"

    def __init__(self, config: Config, sources: int):
        super().__init__()
        self.config, C = config, config.channels
        widths = [config.width * (level + 1) for level in range(config.levels + 1)]  # H, the bottom's too
        steps = list(zip([C, *widths], widths, strict=False))
        self.down = nn.ModuleList(Down(inputs, outputs, config) for inputs, outputs in steps[:-1])
        self.bottom = (nn.Conv1d if config.context else SameConv1d)(*steps[-1], config.kernel)
        self.bend = nn.LeakyReLU(config.leak)
        self.up = nn.ModuleList(Up(inputs, outputs, config) for outputs, inputs in steps[:0:-1])
        self.out = nn.Conv1d(widths[0] + C, sources * C, 1)
        self.last = {"tanh": nn.Tanh(), "linear": nn.Identity(), "leaky_relu": nn.LeakyReLU(config.leak)}[config.last]
        for layer in self.modules():
            if isinstance(layer, nn.Conv1d):
                nn.init.xavier_uniform_(layer.weight)
                nn.init.zeros_(layer.bias)

    def forward(self, mixture: Tensor) -> Tensor:
        """Estimate the sources in the middle of a mixture `(B, C, N)`."""
        x, maps = mixture, []
        for block in self.down:
            keep, x = block(x)
            maps.append(keep)
        x = self.bend(self.bottom(x))
        for block in self.up:
            x = block(x, maps.pop())
        x = torch.cat([middle(mixture, x.shape[-1]), x], dim=1)  # (B, C + H, N')
        return self.last(self.out(x)).unflatten(1, (-1, mixture.shape[1]))

    def sizes(self, N: int) -> tuple[int, int]:
        """Return how many samples must go in so that at least N come out, and how many do come out."""
        config = self.config
        if not config.context:
            padded = N + -N % 2**config.levels
            return padded, padded
        bottom = N
        for _ in range(config.levels):
            bottom = (bottom + config.kernel_up + 1) // 2  # before convolution and lines, rounded up
        given, out = bottom + config.kernel - 1, bottom
        for _ in range(config.levels):
            given = 2 * given - 1 + config.kernel - 1
            out = 2 * out - 1 - (config.kernel_up - 1)
        return given, out


class WaveUNetSystem(System):
    """Waveforms in, waveforms out, and no mask between them.

    Around a mixture lie zeros, as many as the network needs. Training compares the middle of an item alone, whose
    context is sound of the item, unless the item is too short to have one. With `output="difference"` the estimates
    add up to the mixture, so the sources should too; the rest is clipped to -1 … 1 when the system listens, as
    published. A single source is always estimated.
    Source: Stoller et al. 2018. Taught on: book/architectures/wave_unet
    """

    def __init__(self, config: Config):
        super().__init__(config)
        check_choices(
            config,
            upsampling=("linear", "learned"),
            output=("difference", "direct"),
            last=("tanh", "linear", "leaky_relu"),
            loss=tuple(LOSSES),
        )
        if config.context and not (config.kernel % 2 and config.kernel_up % 2):
            given = f"kernel is {config.kernel} and kernel_up {config.kernel_up}"
            raise ValueError(f"{given}; with context=True both must be odd, so that both sides lose the same")
        S = len(config.source_names)
        self.rest = config.output == "difference" and S > 1
        self.stride = 2**config.levels  # samples between two values at the bottom
        self.network = WaveUNet(config, S - self.rest)
        given, out = self.network.sizes(1)
        self.context = (given - out) // 2  # samples on each side that the network sees and does not answer for

    def forward(self, mixture: Tensor, **inputs: Tensor) -> Tensor:
        """Separate `(B, C, N) -> (B, S, C, N)`."""
        self.check_mixture(mixture)
        return self.estimate(mixture)

    def estimate(self, mixture: Tensor, margin: int = 0) -> Tensor:
        """Estimate all sources, but for `margin` samples at both ends: `(B, C, N) -> (B, S, C, N - 2·margin)`."""
        N = mixture.shape[-1] - 2 * margin
        given, before = self.network.sizes(N)[0], self.context - margin
        padded = functional.pad(mixture, (before, given - before - mixture.shape[-1]))  # (B, C, given)
        estimates = self.network(padded)[..., :N].to(mixture.dtype)  # from a short format, if it computes in one
        if not self.rest:
            return estimates
        rest = middle(mixture, N)[:, None] - estimates.sum(1, keepdim=True)  # (B, 1, C, N)
        return torch.cat([estimates, rest if self.training else rest.clamp(-1, 1)], dim=1)

    def loss(self, mixture: Tensor, sources: Tensor, **labels: Tensor) -> dict[str, Tensor]:
        """Distance between the waveforms of estimates and sources, where the network saw sound on all sides."""
        self.check_mixture(mixture)
        self.check_sources(mixture, sources)
        N = mixture.shape[-1]
        margin = self.context if N > 2 * self.context else 0
        target = middle(sources, N - 2 * margin)  # (B, S, C, N - 2·margin)
        return {"loss": LOSSES[self.config.loss](self.estimate(mixture, margin), target)}


SYSTEM = WaveUNetSystem
