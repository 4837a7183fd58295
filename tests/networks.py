"""Small networks of the kinds that the book builds: for tests of traces and of diagrams."""

from functools import cache

import torch
from torch import nn

from sepbook import architectures, shapes


class Block(nn.Module):
    """One block of a temporal convolutional network: it passes on a sum, and gives a part to the skip sum."""

    def __init__(self, H, dilation):
        super().__init__()
        self.inside = nn.Sequential(
            *(nn.Conv1d(H, 2 * H, 1), nn.PReLU(), nn.GroupNorm(1, 2 * H)),
            nn.Conv1d(2 * H, 2 * H, 3, padding=dilation, dilation=dilation, groups=2 * H),
            *(nn.PReLU(), nn.GroupNorm(1, 2 * H)),
        )
        self.onward, self.skip = nn.Conv1d(2 * H, H, 1), nn.Conv1d(2 * H, H, 1)

    def forward(self, x):
        y = self.inside(x)
        return x + self.onward(y), self.skip(y)


class ConvTasNet(nn.Module):
    """Encoder, three times eight blocks with a skip sum, masks on the code, decoder."""

    dims = "mixture: B C N -> B S C N"
    sample_rate = 8000

    def __init__(self, K=64, H=16, S=2):
        super().__init__()
        self.encoder = nn.Conv1d(1, K, 16, 8, bias=False)
        self.norm, self.bottleneck = nn.GroupNorm(1, K), nn.Conv1d(K, H, 1)
        self.stacks = nn.ModuleList(nn.ModuleList(Block(H, 2**i) for i in range(8)) for _ in range(3))
        self.masks = nn.Sequential(nn.PReLU(), nn.Conv1d(H, S * K, 1), nn.Sigmoid())
        self.decoder = nn.ConvTranspose1d(K, 1, 16, 8, bias=False)

    def forward(self, mixture):
        code = self.encoder(mixture).relu()
        x, total = self.bottleneck(self.norm(code)), 0
        for stack in self.stacks:
            for block in stack:
                x, part = block(x)
                total = total + part
        masks = self.masks(total).unflatten(1, (-1, code.shape[1]))
        return self.decoder((masks * code[:, None]).flatten(0, 1)).unflatten(0, masks.shape[:2])


class Chimera(nn.Module):
    """A recurrent trunk with two heads: masks, and embeddings to be clustered."""

    dims = "magnitude: B C F T -> masks: B S C F T, embedding: B F T D"

    def __init__(self, F=65, H=30, S=2, D=20):
        super().__init__()
        self.norm = nn.LayerNorm(F)
        self.trunk = nn.LSTM(F, H, 2, batch_first=True, bidirectional=True)
        self.mask_head, self.embedding_head = nn.Linear(2 * H, S * F), nn.Linear(2 * H, F * D)
        self.S, self.D = S, D

    def forward(self, magnitude):
        B, C, F, T = magnitude.shape
        x = self.trunk(self.norm(magnitude[:, 0].mT))[0]
        masks = self.mask_head(x).view(B, T, self.S, C, F).permute(0, 2, 3, 4, 1).sigmoid()
        return masks, self.embedding_head(x).view(B, T, F, self.D).transpose(1, 2).tanh()


class OneTarget(nn.Module):
    """A recurrent network for one target: compress, LSTM with a skip round it, expand, multiply."""

    dims = "magnitude: B C F T -> B C F T"

    def __init__(self, F=65, H=32):
        super().__init__()
        self.compress, self.norm = nn.Linear(F, H), nn.BatchNorm1d(H)
        self.lstm = nn.LSTM(H, H // 2, 3, batch_first=True, bidirectional=True)
        self.expand = nn.Linear(2 * H, F)

    def forward(self, magnitude):
        x = self.compress(magnitude[:, 0].mT)
        x = self.norm(x.mT).mT.tanh()
        x = torch.cat([x, self.lstm(x)[0]], -1)
        return magnitude * self.expand(x).relu().mT[:, None]


class PerTarget(nn.Module):
    """One network for each source, side by side."""

    dims = "magnitude: B C F T -> B S C F T"

    def __init__(self, names=("vocals", "drums", "bass", "other")):
        super().__init__()
        self.networks = nn.ModuleDict({name: OneTarget() for name in names})

    def forward(self, magnitude):
        return torch.stack([network(magnitude) for network in self.networks.values()], 1)


class Down(nn.Module):
    """Halve time: strided convolution, then a gated one."""

    dims = "B H T -> B H' T'"

    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv, self.gate = nn.Conv1d(inputs, outputs, 8, 4, 2), nn.Conv1d(outputs, 2 * outputs, 1)

    def forward(self, x):
        return nn.functional.glu(self.gate(self.conv(x).relu()), 1)


class Up(nn.Module):
    """Double time again, after the skip has been added."""

    dims = "B H T -> B H' T'"

    def __init__(self, inputs, outputs):
        super().__init__()
        self.gate, self.conv = nn.Conv1d(inputs, 2 * inputs, 3, padding=1), nn.ConvTranspose1d(inputs, outputs, 8, 4, 2)

    def forward(self, x):
        return self.conv(nn.functional.glu(self.gate(x), 1))


class Demucs(nn.Module):
    """A U on the waveform with a recurrent middle; skips are added."""

    dims = "mixture: B C N -> B S C N"
    sample_rate = 16000

    def __init__(self, widths=(8, 16, 32), S=4):
        super().__init__()
        self.down = nn.ModuleList(Down(i, o) for i, o in zip((1, *widths), widths, strict=False))
        self.lstm = nn.LSTM(widths[-1], widths[-1], 2, batch_first=True, bidirectional=True)
        self.back = nn.Linear(2 * widths[-1], widths[-1])
        self.up = nn.ModuleList(Up(i, o) for i, o in zip(widths[::-1], (*widths[-2::-1], S), strict=True))

    def forward(self, mixture):
        x, maps = mixture, []
        for block in self.down:
            x = block(x)
            maps.append(x)
        x = self.back(self.lstm(x.mT)[0]).mT
        for block in self.up:
            x = block(x + maps.pop())
        return x.unflatten(1, (-1, mixture.shape[1]))


class Residual(nn.Module):
    """Six residual blocks of one shape, each with the sum outside."""

    dims = "x: B H T -> B H T"

    def __init__(self, H=8):
        super().__init__()
        self.blocks = nn.ModuleList(nn.Sequential(nn.Conv1d(H, H, 3, padding=1), nn.ReLU()) for _ in range(6))

    def forward(self, x):
        for block in self.blocks:
            x = x + block(x)
        return x


def unet():
    """The book's small U-Net."""
    return architectures.create("unet", "small")


NETWORKS = {  # name: how to make it, and the shape of its input
    "unet": (unet, (2, 1, 16000)),
    "conv_tasnet": (ConvTasNet, (2, 1, 8000)),
    "chimera": (Chimera, (2, 1, 65, 50)),
    "per_target": (PerTarget, (2, 1, 65, 50)),
    "demucs": (Demucs, (2, 1, 4096)),
    "residual": (Residual, (2, 8, 50)),
}


@cache
def traced(name):
    """Trace one of the networks on the meta device, once."""
    make, shape = NETWORKS[name]
    with torch.device("meta"):
        return shapes.trace(make().eval(), torch.zeros(shape))
