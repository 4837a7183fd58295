"""The denoiser: a Demucs that never waits for the end. Speech comes out of noise while it is spoken.

::

    sound       ├─ hop ─┼─ hop ─┼─ hop ─┼─ …        one step of the LSTM for each hop
    step t      ├──── its kernels see ────┤         complete when the last of these samples is there
    final       ├─ hop ─┤                           what step t was the last to add to

The LSTM reads forward alone, and no block on the way up looks at the frames beside it. So a stream gives what one pass
gives: each convolution keeps what its next kernel begins with, each transposed one what its last kernels add to values
to come. What remains is a fixed latency, that of one step's kernels, and of the filters where the rate is raised.

Source: Défossez et al. 2020. Taught on: book/architectures/denoiser
"""

from dataclasses import dataclass, replace
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from sepbook.architectures._names import check_choices
from sepbook.architectures._resampling import half_band
from sepbook.architectures._streams import NetworkState, lengthen, read_on, resample_on, shorten
from sepbook.architectures.base import System
from sepbook.architectures.demucs import down_and_up, rescale, valid_length
from sepbook.architectures.recipe import Recipe
from sepbook.architectures.streaming import Streaming
from sepbook.building_blocks.recurrent import RecurrentStack
from sepbook.losses.spectrogram import multi_resolution
from sepbook.losses.waveform import l1

FLOOR = 1e-3  # added to the deviation that the sound is divided by
# Window and hop in samples. The published code fills the windows up with zeros, to 1024, 2048 and 512.
RESOLUTIONS = ((600, 120), (1200, 240), (240, 50))


@dataclass(frozen=True)
class Config:
    """Everything that defines a denoiser. The defaults are the network of Défossez et al. 2020.

    Taught on: book/architectures/denoiser
    """

    source_names: tuple[str, ...] = ("speech",)  # S
    sample_rate: int = 16000  # Hz
    channels: int = 1  # C, audio channels in and out
    width: int = 48  # H of the first block …
    growth: float = 2.0  # … and by how much each further one is wider
    depth: int = 5  # blocks down, and as many up
    kernel: int = 8  # values that a block takes together on the way down
    stride: int = 4  # by which it moves on
    glu: bool = True  # the second convolution of each block is gated; False: ReLU
    layers: int = 2  # L of the LSTM, which reads forward
    rescale: float = 0.1  # deviation towards which the first weights are rescaled; 0: they stay as they are
    resample: int = 4  # the network works at 1, 2 or 4 times the sample rate
    normalize: str = "running"  # by the deviation of what was heard so far, or of the "whole" sound, or "none"
    stft_weight: float = 0.1  # of the loss on magnitudes, which is added to L1; 0: L1 alone
    context: ClassVar[int] = 1  # a block on the way up looks at one frame; with more it would look ahead
    pointwise: ClassVar[bool] = True


PRESETS = {
    "paper": Config(),
    "small": Config(width=28, depth=4, resample=1, stft_weight=0.0),
}
PRESETS["tiny"] = replace(PRESETS["small"], width=6, depth=3, normalize="none", stft_weight=0.1)
PRESETS["music"] = replace(PRESETS["small"], source_names=("vocals", "drums", "bass", "other"))

RECIPES = {
    "paper": Recipe(task="speech_noise", seconds=4.5, batch_size=64, learning_rate=3e-4, schedule="constant"),
    "small": Recipe(  # many short pieces of many voices at many speeds, voices and noises in many tones
        task="speech_noise",
        seconds=1.0,
        mixing={"speed": 0.3, "more_talkers": True},
        augment=("equalise", "flip_sign"),
        learning_rate=3e-3,
        steps={"lab": 60, "shipped": 14000, "full": 30000},
    ),
    "music": Recipe(task="songs"),
}


class CausalDemucs(nn.Module):
    """The network: a mixture `(B, C, N)` of a valid length -> `(B, S, C, N)`. Skips are added.

    Source: Défossez et al. 2020. Taught on: book/architectures/denoiser
    """

    dims = "B C N -> B S C N'"

    def __init__(self, config: Config):
        super().__init__()
        S, self.C = len(config.source_names), config.channels
        self.encoder, self.decoder = down_and_up(config, self.C, S * self.C)
        H = self.encoder[-1].conv.out_channels
        self.recurrent = RecurrentStack(H, H, config.layers)
        if config.rescale:
            rescale(self, config.rescale)

    def forward(self, mixture: Tensor) -> Tensor:
        """Make the samples of each source from the whole of `(B, C, N)`."""
        x, maps = mixture, []
        for block in self.encoder:
            x = block(x)  # (B, H, T), T four times shorter
            maps.append(x)
        x = self.recurrent(x.mT).mT
        for block in self.decoder:
            x = block(x + maps.pop()[..., : x.shape[-1]])  # (B, H, T), T four times longer
        return x.unflatten(1, (-1, self.C))  # (B, S·C, N) -> (B, S, C, N)

    def start(self, batch: int) -> NetworkState:
        """Return the state before the first sample."""
        new = self.encoder[0].conv.weight.new_zeros
        held = [new(batch, block.conv.in_channels, 0) for block in self.encoder]
        skips = [new(batch, block.conv.out_channels, 0) for block in self.encoder]
        overlaps = [block.conv.kernel_size[0] - block.conv.stride[0] for block in self.decoder]
        tails = [new(batch, b.conv.out_channels, n) for b, n in zip(self.decoder, overlaps, strict=True)]
        return NetworkState(held, skips, tails, None)

    def stream(self, x: Tensor, state: NetworkState, last: bool = False) -> tuple[Tensor, NetworkState]:
        """Take the next samples `(B, C, any n)`; return those `(B, S, C, m)` that are final, and the next state.

        With `last` no sample is to come, so all that is left is final too.
        """
        held, skips, tails, memory = list(state.held), list(state.skips), list(state.tails), state.memory
        for i, block in enumerate(self.encoder):
            x, held[i] = shorten(block, torch.cat([held[i], x], dim=-1))
            skips[i] = torch.cat([skips[i], x], dim=-1)
        steps = x.shape[-1]
        if steps:
            x, memory = read_on(self.recurrent, x.mT, memory)
            x = x.mT
        for i, block in enumerate(self.decoder if steps or last else ()):
            level, T = len(self.encoder) - 1 - i, x.shape[-1]
            x, skips[level] = x + skips[level][..., :T], skips[level][..., T:]
            x, tails[i] = lengthen(block, x, tails[i], last)
        if not (steps or last):
            x = tails[-1][..., :0]
        return x.unflatten(1, (-1, self.C)), NetworkState(held, skips, tails, memory)


class State(NamedTuple):
    """What a stream remembers between two chunks. Taught on: book/architectures/denoiser."""

    waiting: Tensor  # (B, C, n), samples of a hop that is not complete yet
    heard: int  # samples before them
    power: Tensor  # (B, 1), the sum of the squares of those
    levels: Tensor  # (B, 1, n), by what the next estimates are multiplied
    filters: list[Tensor]  # what each filter begins with
    network: NetworkState


class Denoiser(Streaming, System):
    """Waveforms in, waveforms out, now or while they come: level, filters up, network, filters down, level.

    Trained on the distance of the waveforms and of their magnitudes. Source: Défossez et al. 2020.
    Taught on: book/architectures/denoiser
    """

    def __init__(self, config: Config):
        super().__init__(config)
        check_choices(config, resample=(1, 2, 4), normalize=("running", "whole", "none"))
        if config.kernel < config.stride:
            raise ValueError(f"kernel is {config.kernel}, stride {config.stride}: samples between would be lost")
        steps = config.stride**config.depth  # samples of the network from one step of the LSTM to the next
        if steps % config.resample:
            raise ValueError(f"stride {config.stride} to the power of depth {config.depth} is no multiple of resample")
        pairs = [half_band() for _ in range(config.resample.bit_length() - 1)]
        self.ups, self.downs = (nn.ModuleList(side) for side in (zip(*pairs, strict=True) if pairs else ((), ())))
        self.network = CausalDemucs(config)
        self.stride = steps // config.resample  # a hop
        self.whole = config.normalize != "none"  # the level of all that was heard; of what is to come: "whole" alone
        self.floor = 0.0 if config.normalize == "none" else FLOOR
        self.first, ready = self._delays(steps)  # samples that the first step needs, and that it makes final
        self.latency = self.first + self.stride - 1 - ready if config.normalize != "whole" else None

    def _delays(self, steps: int) -> tuple[int, int]:
        """Return how many samples the first step needs, and of how many it makes the estimates (below 0: of none)."""
        first, ready = self.valid_length(1) * self.config.resample, steps
        for up in self.ups:
            first = -(-first // 2) + up.after
        for down in self.downs:
            ready = (ready - 1 - down.after) // 2 + 1
        return first, ready

    def valid_length(self, length: int) -> int:
        """Return how many samples the network is given for so many of the mixture; the rest are zeros at the end."""
        config = self.config
        found = valid_length(length * config.resample, config.depth, config.kernel, config.stride)
        return -(-found // config.resample)

    def level(self, mixture: Tensor, heard: int, power: Tensor | float) -> tuple[Tensor, Tensor]:
        """Return the level of each sample of `(B, C, n)` as `(B, 1, n)`, and the power `(B, 1)` of all that was heard.

        `power` is that of the `heard` samples before. A hop has one level, known when its last sample is there; the
        hops end where the steps of the network are complete, so that no step waits for a level.
        """
        mono, hop, n = mixture.mean(1), self.stride, mixture.shape[-1]  # (B, n)
        if self.config.normalize == "none":
            return torch.ones_like(mono)[:, None], mono[:, :1]
        if self.config.normalize == "whole":
            deviation = mono.std(-1, keepdim=True, correction=min(n - 1, 1))  # (B, 1); one sample deviates by nothing
            return deviation[:, None].expand(-1, 1, n), mono[:, :1]
        before = (heard - self.first) % hop  # samples since the last hop ended: none, but at the start
        square = functional.pad(mono.square(), (before, -(before + n) % hop))
        power = power + square.unflatten(-1, (-1, hop)).sum(-1).cumsum(-1)  # (B, hops)
        ends = hop * torch.arange(1, power.shape[-1] + 1, device=mono.device) - before  # of each hop, in samples
        level = (power / (heard + ends.clamp(max=n))).sqrt()
        return level.repeat_interleave(hop, -1)[:, None, before : before + n], power[:, -1:]

    def forward(self, mixture: Tensor, **inputs: Tensor) -> Tensor:
        """Separate `(B, C, N) -> (B, S, C, N)`."""
        self.check_mixture(mixture)
        N = mixture.shape[-1]
        level = self.level(mixture, 0, 0.0)[0]  # (B, 1, N)
        x = functional.pad(mixture / (level + self.floor), (0, self.valid_length(N) - N))
        for up in self.ups:
            x = up(x)
        x = self.network(x).to(mixture.dtype)  # (B, S, C, N')
        for down in self.downs:
            x = down(x)
        return x[..., :N] * level[:, None]

    def loss(self, mixture: Tensor, sources: Tensor, **labels: Tensor) -> dict[str, Tensor]:
        """Distance between the waveforms `(B, S, C, N)` of estimates and sources, and between their magnitudes."""
        estimates = self(mixture)
        self.check_sources(mixture, sources)
        samples = l1(estimates, sources)
        if not self.config.stft_weight:
            return {"loss": samples}
        magnitudes = multi_resolution(estimates, sources, resolutions=RESOLUTIONS)
        terms = {"samples": samples.detach(), "magnitudes": magnitudes.detach()}
        return {"loss": samples + self.config.stft_weight * magnitudes, **terms}

    def start(self, batch: int = 1) -> State:
        """Return the state before the first sample, for `batch` streams at once."""
        if self.latency is None:
            raise ValueError("normalize='whole' needs the whole sound, so it cannot stream; normalize='running' can")
        new, C, S = next(self.parameters()).new_zeros, self.channels, len(self.source_names)
        filters = [new(batch, C, up.before) for up in self.ups] + [new(batch, S, C, d.before) for d in self.downs]
        return State(new(batch, C, 0), 0, new(batch, 1), new(batch, 1, 0), filters, self.network.start(batch))

    def feed(self, state: State, chunk: Tensor) -> tuple[State, Tensor]:
        """Take a chunk `(B, C, n)`; return the new state and the estimates `(B, S, C, m)` that are ready."""
        self.check_chunk(chunk, len(state.waiting))
        waiting = torch.cat([state.waiting, chunk], dim=-1)
        since = (state.heard - self.first) % self.stride  # samples since the last hop ended
        complete = (since + waiting.shape[-1]) // self.stride * self.stride - since
        if complete <= 0:
            return state._replace(waiting=waiting), self._nothing(state)
        state = state._replace(waiting=waiting[..., complete:])
        return self._advance(state, waiting[..., :complete])

    def flush(self, state: State) -> Tensor:
        """Return the estimates `(B, S, C, m)` that are still to come."""
        if state.heard + state.waiting.shape[-1] == 0:
            return self._nothing(state)
        return self._advance(state, state.waiting, last=True)[1]

    def _nothing(self, state: State) -> Tensor:
        return state.waiting.new_zeros(len(state.waiting), len(self.source_names), self.channels, 0)

    def _advance(self, state: State, x: Tensor, last: bool = False) -> tuple[State, Tensor]:
        """Send the next samples through; with `last`, zeros up to a valid length too, and all that is left."""
        filters, n = list(state.filters), x.shape[-1]
        level, power = self.level(x, state.heard, state.power) if n else (x[:, :1], state.power)
        levels, heard = torch.cat([state.levels, level], dim=-1), state.heard + n
        x = x / (level + self.floor)
        x = functional.pad(x, (0, self.valid_length(heard) - heard)) if last else x
        for i, up in enumerate(self.ups):
            x, filters[i] = resample_on(up, filters[i], x, last)
        x, network = self.network.stream(x, state.network, last)
        for i, down in enumerate(self.downs, len(self.ups)):
            x, filters[i] = resample_on(down, filters[i], x, last)
        x = x[..., : levels.shape[-1]]  # (B, S, C, m)
        m = x.shape[-1]
        state = State(state.waiting, heard, power, levels[..., m:], filters, network)
        return state, x * levels[:, None, :, :m]


SYSTEM = Denoiser
