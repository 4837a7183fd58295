"""The WaveNet that invents sound: each sample is drawn from chances that depend on all samples before it.

::

    samples      x0 x1 x2 x3 …                 training: all samples are known, so all chances come in one pass
                  │  │  │  │                   drawing:  x3 is drawn, and only then is its successor's turn
    dilation 1    ○──○──○──○
    dilation 2    ○─────○──┼──○                a layer that looks d samples back
    dilation 4    ○────────┼─────○             needs to keep d values, no more
                           └ chances of x4

A sample is one of 256 levels, fine near zero and coarse where it is loud (the mu-law of telephony). So the network need
not say where the next sample lies: it says how likely each level is, and one is drawn.

Source: van den Oord et al. 2016; the values kept between samples after Le Paine et al. 2016.
Taught on: book/architectures/wavenet
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from sepbook._given import check_tensor
from sepbook.building_blocks.convolution import CausalConv1d, DilatedBlock
from sepbook.shapes.dims import ShapeError

LEVELS = 256


def mu_law(samples: Tensor, levels: int = LEVELS) -> Tensor:
    """Return the level of each sample, 0 … levels - 1: `(…)` numbers of -1 … 1 to `(…)` whole numbers.

    What lies outside -1 … 1 is clipped. Raises ValueError for samples that are no real numbers.
    Source: ITU-T G.711; van den Oord et al. 2016. Taught on: book/architectures/wavenet
    """
    check_tensor(samples, "mu_law")
    if not samples.is_floating_point():
        raise ValueError(f"mu_law expects samples between -1 and 1, but they are {samples.dtype}; see samples.float()")
    mu = levels - 1
    bent = samples.sign() * torch.log1p(mu * samples.abs().clamp(max=1)) / math.log1p(mu)  # -1 … 1
    return ((bent + 1) / 2 * mu + 0.5).long()


def mu_law_inverse(codes: Tensor, levels: int = LEVELS) -> Tensor:
    """Return the sample in the middle of each level: `(…)` whole numbers to `(…)` numbers of -1 … 1.

    Taught on: book/architectures/wavenet
    """
    mu = levels - 1
    bent = 2 * codes / mu - 1
    return bent.sign() * torch.expm1(bent.abs() * math.log1p(mu)) / mu


class AutoregressiveWaveNet(nn.Module):
    """Chances of every sample, given the samples before it: levels `(B, N)` -> logits `(B, K, N)`, K = 256 levels.

    Sample 0 is predicted from silence. `generate` draws new sound; `step` is one sample of it.
    Source: van den Oord et al. 2016. Taught on: book/architectures/wavenet
    """

    dims = "B N -> B K N"

    def __init__(self, width: int = 32, skip: int = 64, blocks: int = 10, stacks: int = 1, levels: int = LEVELS):
        super().__init__()
        self.levels = levels
        self.first = CausalConv1d(levels, width, 2)
        dilations = [2**i for _ in range(stacks) for i in range(blocks)]
        self.blocks = nn.ModuleList(DilatedBlock(width, skip, 2, dilation) for dilation in dilations)
        self.final = nn.Sequential(nn.ReLU(), nn.Conv1d(skip, skip, 1), nn.ReLU(), nn.Conv1d(skip, levels, 1))
        self.field = 2 + sum(dilations)  # samples that a chance depends on

    def forward(self, codes: Tensor) -> Tensor:
        """Return the logits of all samples at once; those of sample n do not know sample n."""
        if codes.dim() != 2 or codes.is_floating_point():
            raise ShapeError(
                f"AutoregressiveWaveNet takes levels (B, N), whole numbers from mu_law, but was given "
                f"{tuple(codes.shape)} of {codes.dtype}."
            )
        before = functional.pad(codes, (1, 0), value=self.silence)[:, :-1]  # each sample's predecessor
        x, total = self.first(self.one_hot(before)), 0  # (B, H, N)
        for block in self.blocks:
            x, skip = block(x)
            total = total + skip
        return self.final(total)  # (B, K, N)

    def loss(self, samples: Tensor) -> Tensor:
        """Mean surprise of samples `(B, N)` in bits per sample; 8 for a network that knows nothing of 256 levels."""
        codes = mu_law(samples, self.levels)
        return functional.cross_entropy(self(codes), codes) / math.log(2)

    @property
    def silence(self) -> int:
        """The level of a sample of 0."""
        return self.levels // 2

    def one_hot(self, codes: Tensor) -> Tensor:
        """Return 1 at the level of each sample, and 0 at all others: `(B, N) -> (B, K, N)`."""
        return functional.one_hot(codes, self.levels).mT.to(self.first.weight.dtype)

    def start(self, batch: int = 1) -> list[Tensor]:
        """Return what lies before the first sample: for each layer as many zeros as it looks back."""
        new = self.first.weight.new_zeros
        queues = [new(batch, self.levels, 1)]
        return queues + [new(batch, block.conv.in_channels, block.conv.dilation[0]) for block in self.blocks]

    def step(self, queues: list[Tensor], codes: Tensor) -> tuple[list[Tensor], Tensor]:
        """Take one sample `(B,)`; return the queues after it, and the logits `(B, K)` of the next sample."""
        x, queue = _slide(self.first, queues[0], self.one_hot(codes[:, None]))  # (B, H, 1)
        after, total = [queue], 0
        for block, queue in zip(self.blocks, queues[1:], strict=True):
            y, queue = _slide(block.conv, queue, x)
            signal, gate = y.chunk(2, dim=1)
            onward, skip = block.out(signal.tanh() * gate.sigmoid()).split(block.sizes, dim=1)
            x, total = x + onward, total + skip
            after.append(queue)
        return after, self.final(total)[..., 0]

    @torch.no_grad()
    def generate(self, N: int, batch: int = 1, seed: int = 0, temperature: float = 1.0, queues: bool = True) -> Tensor:
        """Draw new sound `(B, N)`, -1 … 1, one sample after the other.

        A `temperature` below 1 makes likely levels likelier. Without `queues` the whole past goes through the network
        again for each sample: the same sound, and far more work. Raises ValueError for a temperature of 0 or less.
        """
        if not temperature > 0:
            raise ValueError(f"temperature is {temperature}; it must be above 0, and 1 leaves the chances as they are")
        generator = torch.Generator().manual_seed(seed)
        codes = torch.full((batch, 1), self.silence, device=self.first.weight.device)  # and what is drawn behind it
        state = self.start(batch)
        for _ in range(N):
            if queues:
                state, logits = self.step(state, codes[:, -1])
            else:
                logits = self(functional.pad(codes[:, 1:], (0, 1)))[..., -1]  # the last one is not looked at
            chances = (logits.float() / temperature).softmax(-1).cpu()
            drawn = torch.multinomial(chances, 1, generator=generator).to(codes.device)
            codes = torch.cat([codes, drawn], dim=-1)
        return mu_law_inverse(codes[:, 1:], self.levels)


def _slide(conv: nn.Conv1d, queue: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    """Move a layer of two taps on by one value `(B, H, 1)`: what it says, and the queue after."""
    seen = torch.cat([queue, x], dim=-1)  # (B, H, d + 1)
    return functional.conv1d(seen[..., [0, -1]], conv.weight, conv.bias), seen[..., 1:]
