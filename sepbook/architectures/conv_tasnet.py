"""Conv-TasNet: masks on a code that is learned, estimated by stacks of dilated convolutions.

A short convolution turns samples into a code of K filters, a decoder turns masked codes back into sound. Between them a
network looks further and further along time: block after block doubles the distance of its taps. There is no STFT, and
no phase to borrow from the mixture.

Source: Luo and Mesgarani 2019; for music, Défossez et al. 2019.
Taught on: book/architectures/conv_tasnet
"""

from dataclasses import dataclass, replace

from torch import Tensor, nn
from torch.nn import functional

from sepbook.architectures._names import check_choices
from sepbook.architectures.base import System
from sepbook.architectures.recipe import Recipe
from sepbook.building_blocks.activation import PReLU, activation
from sepbook.building_blocks.convolution import CausalConv1d, SameConv1d
from sepbook.building_blocks.normalization import CumulativeLayerNorm, FrameLayerNorm, GlobalLayerNorm
from sepbook.losses import waveform
from sepbook.losses.permutation import permutation_invariant

NORMS = {"global": GlobalLayerNorm, "cumulative": CumulativeLayerNorm, "frame": FrameLayerNorm}
LOSSES = {"si_snr": waveform.si_snr_loss, "l1": waveform.l1}
EPS = 1e-8  # added to the variance in every norm, as the published codes do


@dataclass(frozen=True)
class Config:
    """Everything that defines a Conv-TasNet. The defaults are the network of Luo and Mesgarani 2019.

    Taught on: book/architectures/conv_tasnet
    """

    source_names: tuple[str, ...] = ("talker_1", "talker_2")  # S masks
    sample_rate: int = 8000  # Hz
    channels: int = 1  # C, audio channels in and out
    ordered: bool = False  # False: estimates come in any order, and the loss looks for the best one
    filters: int = 512  # K of encoder and decoder
    size: int = 16  # samples of a filter; frames lie half of it apart
    narrow: int = 128  # H between blocks
    skip: int = 128  # H of the paths to the mask; 0: none, the last block's output makes it
    width: int = 512  # H inside a block
    kernel: int = 3  # taps along time
    blocks: int = 8  # of a stack; their taps lie 1, 2, 4, … frames apart
    stacks: int = 3
    bias: bool = True  # of the convolutions between encoder and decoder
    encoder: str = "linear"  # activation of the code: "linear" or "relu"
    masks: str = "sigmoid"  # or "relu", "softmax" (the masks of a point add up to one)
    norm: str = "global"  # or "cumulative", "frame"
    first_norm: str = ""  # of the code, before the first block; "": as norm
    causal: bool = False  # convolutions that do not look ahead; needs a norm that does not either
    pad: bool = True  # zeros around the mixture, so that each sample lies in two frames; False: the end may stay silent
    loss: str = "si_snr"  # on waveforms: "si_snr" or "l1"


PRESETS = {
    "paper": Config(),
    "causal": Config(norm="cumulative", causal=True),
    "music": Config(
        source_names=("drums", "bass", "other", "vocals"),
        sample_rate=44100,
        channels=2,
        ordered=True,
        filters=256,
        size=20,
        narrow=256,
        skip=0,
        blocks=10,
        stacks=4,
        bias=False,
        encoder="relu",
        masks="relu",
        first_norm="frame",
        pad=False,
        loss="l1",
    ),
    "small": Config(filters=128, size=32, narrow=64, skip=64, width=128, blocks=6, stacks=2),
}
PRESETS["tiny"] = replace(PRESETS["small"], filters=32, size=16, narrow=16, skip=16, width=24, blocks=4, stacks=1)

RECIPES = {
    "paper": Recipe(
        task="talkers",
        seconds=4.0,
        schedule="plateau",
        schedule_options={"patience": 3, "factor": 0.5},
    ),
    "small": Recipe(
        task="talkers",
        seconds=2.3,
        batch_size=4,
        mixing={"far_first": 4000},  # a low and a high voice are told apart first
        augment=("repitch", "flip_sign"),  # eight voices to learn from are few
        learning_rate=2e-3,
        steps={"lab": 60, "shipped": 6000, "full": 30000},
    ),
}


class Block(nn.Module):
    """Widen, look along time with each feature by itself, narrow again: `(B, H, T)` -> what goes on, and the skip.

    The 1-D block of Conv-TasNet: pointwise convolution, PReLU, norm, depthwise dilated convolution, PReLU, norm, and
    one pointwise convolution for each way out. Without skips the second one is an empty tensor `(B, 0, T)`.
    Source: Luo and Mesgarani 2019. Taught on: book/architectures/conv_tasnet
    """

    dims = "B H T -> x: B H T, skip: B H' T"

    def __init__(self, config: Config, dilation: int):
        super().__init__()
        H, norm, conv = config.width, NORMS[config.norm], CausalConv1d if config.causal else SameConv1d
        self.widen = nn.Sequential(nn.Conv1d(config.narrow, H, 1, bias=config.bias), PReLU(), norm(H, EPS))
        depthwise = conv(H, H, config.kernel, dilation=dilation, groups=H, bias=config.bias)
        self.along = nn.Sequential(depthwise, PReLU(), norm(H, EPS))
        self.out = nn.Conv1d(H, config.narrow, 1, bias=config.bias)
        self.skip = nn.Conv1d(H, config.skip, 1, bias=config.bias) if config.skip else None

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return `(B, H, T)` for the next block and `(B, H', T)` for the sum of all skips."""
        h = self.along(self.widen(x))  # (B, width, T)
        return x + self.out(h), self.skip(h) if self.skip else x[:, :0]


class Masker(nn.Module):
    """Estimate the masks from the code: `(B, K, T) -> (B, S, K, T)`. Taught on: book/architectures/conv_tasnet."""

    dims = "B K T -> B S K T"

    def __init__(self, config: Config):
        super().__init__()
        self.S, outputs = len(config.source_names), len(config.source_names) * config.filters
        self.norm = NORMS[config.first_norm or config.norm](config.filters, EPS)
        self.narrow = nn.Conv1d(config.filters, config.narrow, 1, bias=config.bias)
        self.blocks = nn.ModuleList(Block(config, 2**i) for _ in range(config.stacks) for i in range(config.blocks))
        self.bend = PReLU() if config.skip else nn.Identity()
        self.masks = nn.Conv1d(config.skip or config.narrow, outputs, 1, bias=config.bias)
        self.activation = activation(config.masks)  # a softmax goes over S, which is axis 1

    def forward(self, code: Tensor) -> Tensor:
        """Estimate one mask per source for the code `(B, K, T)`."""
        x, total = self.narrow(self.norm(code)), 0  # (B, narrow, T)
        for block in self.blocks:
            x, skip = block(x)
            total = total + skip
        x = self.masks(self.bend(total if total.shape[1] else x))  # (B, S·K, T)
        return self.activation(x.unflatten(1, (self.S, -1)))  # (B, S, K, T)


class ConvTasNet(System):
    """Waveforms in, waveforms out: learned code, masks, learned decoder.

    A code is one number for each filter and frame; the filters reach over all audio channels at once. Trained on the
    waveforms, in the order that fits best where estimates have none (`ordered=False`).
    Source: Luo and Mesgarani 2019. Taught on: book/architectures/conv_tasnet
    """

    def __init__(self, config: Config):
        super().__init__(config)
        check_choices(
            config,
            encoder=("linear", "relu"),
            masks=("sigmoid", "relu", "softmax"),
            norm=tuple(NORMS),
            first_norm=("", *NORMS),
            loss=tuple(LOSSES),
        )
        if config.size % 2:
            raise ValueError(f"size is {config.size}; it must be even, because frames lie half of it apart")
        if config.causal and "global" in (config.norm, config.first_norm):
            raise ValueError("causal=True needs norm='cumulative' or 'frame': a global norm looks at the whole sound")
        self.ordered, self.stride = config.ordered, config.size // 2
        self.whole = config.norm != "frame" or config.first_norm not in ("", "frame")  # a norm over time
        K, C = config.filters, config.channels
        self.encoder = nn.Conv1d(C, K, config.size, self.stride, bias=False)
        self.network = Masker(config)
        self.decoder = nn.ConvTranspose1d(K, C, config.size, self.stride, bias=False)

    def encode(self, mixture: Tensor) -> Tensor:
        """Return the code `(B, K, T)` of a mixture `(B, C, N)`."""
        N, size, hop = mixture.shape[-1], self.config.size, self.stride
        if self.config.pad:  # at least one zero more than frames need, as the published code has it
            mixture = functional.pad(mixture, (hop, hop + size - (hop + N % size) % size))
        elif N < size:
            mixture = functional.pad(mixture, (0, size - N))
        code = self.encoder(mixture)  # (B, K, T)
        return code.relu() if self.config.encoder == "relu" else code

    def decode(self, code: Tensor, length: int) -> Tensor:
        """Return the sound `(B, S, C, N=length)` of one code for each source, `(B, S, K, T)`."""
        sound = self.decoder(code.flatten(0, 1)).unflatten(0, code.shape[:2])  # (B, S, C, N')
        sound = sound[..., self.stride if self.config.pad else 0 :][..., :length]
        return functional.pad(sound, (0, length - sound.shape[-1]))

    def forward(self, mixture: Tensor, **inputs: Tensor) -> Tensor:
        """Separate `(B, C, N) -> (B, S, C, N)`."""
        self.check_mixture(mixture)
        code = self.encode(mixture)  # (B, K, T)
        return self.decode(self.network(code) * code[:, None], mixture.shape[-1])

    def loss(self, mixture: Tensor, sources: Tensor, **labels: Tensor) -> dict[str, Tensor]:
        """Distance between the waveforms `(B, S, C, N)` of estimates and sources, in dB for "si_snr"."""
        estimates = self(mixture)
        self.check_sources(mixture, sources)
        compare = LOSSES[self.config.loss]
        if self.ordered:
            return {"loss": compare(estimates, sources)}
        return {"loss": permutation_invariant(compare, estimates, sources)[0].mean()}


SYSTEM = ConvTasNet
