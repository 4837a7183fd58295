"""Speech out of noise while it is spoken: nothing waits for the end, and a stream gives what one pass gives.

::

    frame t    ├─ hop ─┼─ hop ─┤           a hop is final when the frame that begins with it has been added,
    frame t+1          ├─ hop ─┼─ hop ─┤   which needs a hop more: the latency is two hops less one sample
"""

from dataclasses import dataclass

import torch
from torch import nn

from sepbook.architectures.base import System
from sepbook.architectures.recipe import Recipe
from sepbook.architectures.streaming import Streaming
from sepbook.losses.waveform import si_sdr_loss


@dataclass(frozen=True)
class Config:
    source_names: tuple[str, ...] = ("speech", "noise")  # S
    sample_rate: int = 16000  # Hz
    channels: int = 1  # C
    filters: int = 64  # K, as many as the recurrent layer remembers
    hop: int = 64  # samples; a filter is twice as long


PRESETS = {"small": Config(), "tiny": Config(filters=24, hop=32)}
RECIPES = {"small": Recipe(task="speech_noise", seconds=2.0, learning_rate=3e-3)}


class Causal(Streaming, System):
    """A learned filter bank, and masks by a recurrent layer that only looks back."""

    def __init__(self, config: Config):
        super().__init__(config)
        S, C, K, hop = len(config.source_names), config.channels, config.filters, config.hop
        self.hop, self.stride, self.latency = hop, hop, 2 * hop - 1
        self.encoder = nn.Conv1d(C, K, 2 * hop, stride=hop)
        self.network, self.masks = nn.GRU(K, K, batch_first=True), nn.Linear(K, S * K)
        self.decoder = nn.ConvTranspose1d(K, C, 2 * hop, stride=hop, bias=False)

    def frames(self, samples, memory=None):  # (B, C, (T + 1)·hop) -> (B, S, C, (T + 1)·hop), and the new memory
        code = self.encoder(samples).relu()  # (B, K, T)
        hidden, memory = self.network(code.mT, memory)  # (B, T, K)
        masks = self.masks(hidden).sigmoid().mT.unflatten(1, (len(self.source_names), -1))  # (B, S, K, T)
        return self.decoder((masks * code.unsqueeze(1)).flatten(0, 1)).unflatten(0, masks.shape[:2]).float(), memory

    def forward(self, mixture, **inputs):
        self.check_mixture(mixture)
        x = nn.functional.pad(mixture, (self.hop, self.hop + -mixture.shape[-1] % self.hop))  # (B, C, (T + 1)·hop)
        return self.frames(x)[0][..., self.hop : self.hop + mixture.shape[-1]]  # (B, S, C, N)

    def loss(self, mixture, sources, **labels):
        estimates = self(mixture)  # (B, S, C, N)
        self.check_sources(mixture, sources)
        return {"loss": si_sdr_loss(estimates, sources)}

    def start(self, batch=1):
        waiting = next(self.parameters()).new_zeros(batch, self.channels, self.hop)  # samples of the next frame
        return waiting, waiting.unsqueeze(1).expand(-1, len(self.source_names), -1, -1), None  # and half a sum

    def feed(self, state, chunk):
        self.check_chunk(chunk, batch=len(state[0]))
        waiting, half, memory = torch.cat([state[0], chunk], dim=-1), state[1], state[2]
        ready = (waiting.shape[-1] // self.hop - 1) * self.hop
        if ready == 0:
            return (waiting, half, memory), half[..., :0]
        found, new = self.frames(waiting[..., : ready + self.hop], memory)
        found = found + nn.functional.pad(half, (0, ready))  # (B, S, C, ready + hop)
        early = self.hop if memory is None else 0  # the first frame begins a hop before the first sample
        return (waiting[..., ready:], found[..., ready:], new), found[..., early:ready]

    def flush(self, state):
        held = state[0].shape[-1] - (self.hop if state[2] is None else 0)  # samples that have no estimate yet
        return self.feed(state, state[0].new_zeros(*state[0].shape[:2], self.hop + -held % self.hop))[1][..., :held]


SYSTEM = Causal
