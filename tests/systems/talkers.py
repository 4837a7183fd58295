"""Two talkers, from waveform to waveform: a learned filter bank with a hop of 10 samples, and masks on its outputs.

The estimates come in any order, so the loss looks for the best one.
"""

from dataclasses import dataclass

from torch import nn

from sepbook.architectures.base import System
from sepbook.architectures.recipe import Recipe
from sepbook.losses.permutation import permutation_invariant
from sepbook.losses.waveform import si_sdr_loss


@dataclass(frozen=True)
class Config:
    """Everything that defines the system."""

    source_names: tuple[str, ...] = ("talker_1", "talker_2")  # S
    sample_rate: int = 8000  # Hz
    channels: int = 1  # C; each is separated by itself
    filters: int = 64  # K
    hop: int = 10  # samples; a filter is twice as long


PRESETS = {"small": Config(), "tiny": Config(filters=32)}
RECIPES = {"small": Recipe(task="talkers", seconds=2.0)}


class Talkers(System):
    """Encoder, network and decoder, as in TasNet."""

    ordered = False

    def __init__(self, config: Config):
        super().__init__(config)
        S, K, hop = len(config.source_names), config.filters, config.hop
        self.stride = hop
        self.encoder = nn.Conv1d(1, K, 2 * hop, stride=hop)
        self.network = nn.Sequential(nn.Conv1d(K, K, 3, padding=1), nn.PReLU(), nn.Conv1d(K, S * K, 1), nn.Sigmoid())
        self.decoder = nn.ConvTranspose1d(K, 1, 2 * hop, stride=hop, bias=False)

    def forward(self, mixture, **inputs):
        """Separate `(B, C, N) -> (B, S, C, N)`."""
        self.check_mixture(mixture)
        B, C, N = mixture.shape
        S, hop = len(self.source_names), self.config.hop
        x = nn.functional.pad(mixture.flatten(0, 1).unsqueeze(1), (hop, hop + -N % hop))  # (B·C, 1, N and the edges)
        code = self.encoder(x).relu()  # (B·C, K, T)
        masks = self.network(code).unflatten(1, (S, -1))  # (B·C, S, K, T)
        estimates = self.decoder((masks * code.unsqueeze(1)).flatten(0, 1))  # (B·C·S, 1, N and the edges)
        return estimates[..., hop : hop + N].reshape(B, C, S, N).transpose(1, 2).float()  # (B, S, C, N)

    def loss(self, mixture, sources, **labels):
        """SI-SDR in the order that suits best."""
        self.check_mixture(mixture)
        self.check_sources(mixture, sources)
        value, _ = permutation_invariant(si_sdr_loss, self(mixture), sources)
        return {"loss": value.mean()}


SYSTEM = Talkers
