"""Open-Unmix: one recurrent network per target reads the mixture's magnitudes forward and backward in time.

::

    magnitude (B, C, F, T) ─ crop ─ shift, scale ─ linear ─ norm ─ tanh ─┬─ LSTM ─┐
                                                                         └─ skip ─┴─ two linear layers ─ mask
    masks of all targets ─ times magnitude ─ multichannel Wiener filter ─ (B, S, C, F, T) complex

Source: Stöter et al. 2019. Taught on: book/architectures/open_unmix
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from sepbook.architectures.base import System
from sepbook.architectures.recipe import Recipe
from sepbook.building_blocks.stft import STFT
from sepbook.building_blocks.wiener import wiener
from sepbook.losses import spectrogram


@dataclass(frozen=True)
class Config:
    """Everything that defines Open-Unmix; the defaults are the published network.

    Taught on: book/architectures/open_unmix
    """

    source_names: tuple[str, ...] = ("vocals", "drums", "bass", "other")  # one network each
    sample_rate: int = 44100  # Hz
    channels: int = 2  # C, audio channels in and out
    n_fft: int = 4096  # samples per window
    hop: int = 1024  # samples between windows
    bandwidth: int = 16000  # Hz; the network reads no bin above it
    hidden: int = 512  # H, both directions together
    layers: int = 3  # of the LSTM
    bidirectional: bool = True  # reads backward in time too
    dropout: float = 0.4  # between layers of the LSTM
    iterations: int = 1  # of the Wiener filter; 0: magnitudes with the mixture's phase
    window: int = 300  # frames that the Wiener filter explains together


PRESETS = {"paper": Config()}
PRESETS["small"] = replace(
    PRESETS["paper"], sample_rate=16000, channels=1, n_fft=1024, hop=256, bandwidth=8000, hidden=96, layers=2
)
PRESETS["tiny"] = replace(PRESETS["small"], sample_rate=8000, n_fft=256, hop=64, bandwidth=4000, hidden=16)

RECIPES = {
    "paper": Recipe(
        task="songs",
        seconds=6.0,
        batch_size=16,
        weight_decay=1e-5,
        schedule="plateau",
        schedule_options={"patience": 80, "factor": 0.3, "cooldown": 10},
    ),
    "small": Recipe(
        task="songs",
        mixing={"incoherent": 0.5, "gain_db": (-4.0, 2.0)},
        learning_rate=3e-3,
    ),
}


class Target(nn.Module):
    """Estimate one target's magnitudes: `(B, C, F, T) -> (B, C, F, T)`.

    Source: Stöter et al. 2019. Taught on: book/architectures/open_unmix
    """

    dims = "B C F T -> B C F T"

    def __init__(self, config: Config):
        super().__init__()
        C, F, H = config.channels, config.n_fft // 2 + 1, config.hidden
        self.crop = min(F, config.bandwidth * config.n_fft // config.sample_rate + 1)  # bins up to the bandwidth
        directions = 2 if config.bidirectional else 1
        dropout = config.dropout if config.layers > 1 else 0.0
        self.input_mean = nn.Parameter(torch.zeros(self.crop))  # minus the mean of the training data
        self.input_scale = nn.Parameter(torch.ones(self.crop))  # one over their standard deviation
        self.fc1 = nn.Linear(C * self.crop, H, bias=False)
        self.bn1 = nn.BatchNorm1d(H)
        self.lstm = nn.LSTM(H, H // directions, config.layers, dropout=dropout, bidirectional=config.bidirectional)
        self.fc2 = nn.Linear(2 * H, H, bias=False)
        self.bn2 = nn.BatchNorm1d(H)
        self.fc3 = nn.Linear(H, C * F, bias=False)
        self.bn3 = nn.BatchNorm1d(C * F)
        self.output_scale = nn.Parameter(torch.ones(F))
        self.output_mean = nn.Parameter(torch.ones(F))

    def forward(self, magnitude: Tensor) -> Tensor:
        """Estimate from `(B, C, F, T)` magnitudes."""
        B, C, F, T = magnitude.shape
        x = magnitude.permute(3, 0, 1, 2)[..., : self.crop]  # (T, B, C, F)
        x = (x + self.input_mean) * self.input_scale
        x = self.fc1(x.reshape(T * B, -1))  # (T·B, H)
        x = torch.tanh(self.bn1(x)).view(T, B, -1)
        x = torch.cat([x, self.lstm(x)[0]], -1).flatten(0, 1)  # (T·B, 2H): skip, then LSTM
        x = torch.relu(self.bn2(self.fc2(x)))
        x = self.bn3(self.fc3(x)).view(T, B, C, F)
        mask = torch.relu(x * self.output_scale + self.output_mean)
        return mask.permute(1, 2, 3, 0) * magnitude


class OpenUnmix(System):
    """Waveforms in, waveforms out: one `Target` per source, then the multichannel Wiener filter.

    Ends are mirrored before the transform, as published; a clip of half a window or less is padded with zeros. The
    filter shares the mixture among the sources, so a system of one source goes without it.
    Source: Stöter et al. 2019. Taught on: book/architectures/open_unmix
    """

    whole = True  # reads backward in time

    def __init__(self, config: Config):
        super().__init__(config)
        if config.n_fft % (2 * config.hop):
            raise ValueError(f"n_fft is {config.n_fft}; it must be a multiple of twice the hop, {2 * config.hop}")
        if config.hidden % 2:
            raise ValueError(f"hidden is {config.hidden}; it must be even: half for each direction")
        self.stride = config.hop
        self.stft = STFT(config.n_fft, config.hop)
        self.networks = nn.ModuleDict({name: Target(config) for name in config.source_names})

    def bins(self, samples: Tensor) -> Tensor:
        """Transform `(B, C, N)` to `(B, C, F, T)`, with T = N // hop + 1 frames and mirrored ends."""
        N, half = samples.shape[-1], self.config.n_fft // 2
        padded = functional.pad(samples, (half, half), mode="reflect" if half < N else "constant")
        first = half // self.config.hop  # frame that is centred on the first sample
        return self.stft(padded)[..., first : first + N // self.config.hop + 1]

    def magnitudes(self, magnitude: Tensor) -> Tensor:
        """Estimate every target: `(B, C, F, T) -> (B, S, C, F, T)`."""
        return torch.stack([network(magnitude) for network in self.networks.values()], 1).float()

    def forward(self, mixture: Tensor, **inputs: Tensor) -> Tensor:
        """Separate `(B, C, N) -> (B, S, C, N)`."""
        self.check_mixture(mixture)
        bins = self.bins(mixture)
        turns = self.config.iterations if len(self.source_names) > 1 else 0  # one source alone would get all there is
        estimates = wiener(bins, self.magnitudes(bins.abs()), turns, self.config.window)
        flat = estimates.flatten(0, 2)  # (B·S·C, F, T)
        n_fft, hop, N = self.config.n_fft, self.config.hop, mixture.shape[-1]
        return torch.istft(flat, n_fft, hop, window=self.stft.window, length=N).view(*estimates.shape[:3], N)

    def loss(self, mixture: Tensor, sources: Tensor, **labels: Tensor) -> dict[str, Tensor]:
        """Mean squared distance between estimated and true magnitudes `(B, S, C, F, T)`."""
        self.check_mixture(mixture)
        self.check_sources(mixture, sources)
        target = self.bins(sources.flatten(1, 2)).abs().unflatten(1, sources.shape[1:3])
        return {"loss": spectrogram.mse(self.magnitudes(self.bins(mixture).abs()), target)}

    @torch.no_grad()
    def prepare(self, loader) -> None:
        """Set shift and scale of every bin from the mixtures, averaged over channels."""
        count, total, squares = 0, 0.0, 0.0
        for batch in loader:
            x = self.bins(batch["mixture"].to(self.stft.window.device)).abs().mean(1).double()  # (B, F, T)
            count += x.shape[0] * x.shape[2]
            total, squares = total + x.sum((0, 2)), squares + x.square().sum((0, 2))
        mean = total / count
        std = (squares / count - mean.square()).clamp_min(0).sqrt()
        std = std.clamp_min(max(1e-4 * std.max().item(), 1e-8))  # no bin is blown up
        for network in self.networks.values():
            network.input_mean.copy_(-mean[: network.crop])
            network.input_scale.copy_(1 / std[: network.crop])


SYSTEM = OpenUnmix
