"""Banks of waveforms: free, Fourier, sinc, gammatone, and analytic versions of these.

A bank is a module with one method, `waveforms()`, which returns K waveforms of `size` samples, `(K, size)`, real or
complex. A learned bank computes them from its parameters each time, so that gradients reach the parameters.
"""

import math

import torch
from torch import Tensor, nn

from sepbook._given import check_tensor
from sepbook.building_blocks._scales import erb, spaced
from sepbook.building_blocks.stft import make_window

LARGEST_BANK = 1 << 26  # numbers in all filters; more would fill the memory


class Bank(nn.Module):
    """What all banks share: `K` waveforms of `size` samples. Raises ValueError unless both are at least 1.

    Taught on: book/building_blocks/filterbank
    """

    def __init__(self, K: int, size: int):
        super().__init__()
        for name, value, what in (("K", K, "filter"), ("size", size, "sample per filter")):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} is {value!r}; a bank needs a whole number, at least 1 {what}")
        if K * size > LARGEST_BANK:
            raise ValueError(f"K={K} filters of size={size} samples are more than {LARGEST_BANK:,} numbers; use fewer")
        self.K, self.size = K, size

    def waveforms(self) -> Tensor:
        """Return the waveforms `(K, size)`."""
        raise NotImplementedError

    def extra_repr(self) -> str:
        """Show the sizes when the module is printed."""
        return f"K={self.K}, size={self.size}"


class Free(Bank):
    """Every sample of every waveform is a parameter, as in TasNet: K · size of them.

    They start as uniform noise, at the scale of PyTorch's own convolutions; or give `start (K, size)`.
    Source: Luo and Mesgarani 2018. Taught on: book/building_blocks/filterbank
    """

    def __init__(self, K: int, size: int, start: Tensor | None = None):
        super().__init__(K, size)
        noise = torch.empty(K, size).uniform_(-1, 1) / math.sqrt(size)
        if start is not None and start.shape != noise.shape:
            raise ValueError(f"start must be (K, size) = ({K}, {size}), but is {tuple(start.shape)}")
        self.values = nn.Parameter(noise if start is None else start.detach().clone())

    def waveforms(self) -> Tensor:
        """Return the parameters."""
        return self.values


class Fourier(Bank):
    """Windowed complex waves, as the short-time Fourier transform has them: K = size // 2 + 1, nothing to learn.

    Source: Griffin and Lim 1984. Taught on: book/building_blocks/filterbank
    """

    def __init__(self, size: int, window: str = "hann"):
        super().__init__(size // 2 + 1 if isinstance(size, int) else 1, size)
        with torch.device("cpu"):
            turns = torch.arange(self.K)[:, None] * torch.arange(size) % size / size  # exact: whole turns are left out
            waves = torch.polar(torch.ones(self.K, size, dtype=torch.float64), 2 * math.pi * turns.double())
            self.register_buffer("values", (make_window(window, size) * waves).cfloat(), persistent=False)

    def waveforms(self) -> Tensor:
        """Return the waves `(K, size)`, complex."""
        return self.values


class Sinc(Bank):
    """Band-pass filters with two parameters each, the lower edge and the width of the band in Hz.

    An ideal band-pass is the difference of two sinc functions; a Hamming window makes it `size` samples long. Bands
    start side by side, evenly spaced in mel from `low` to just below half the `rate`.
    Raises ValueError when `low` is not below half the rate. Source: Ravanelli and Bengio 2018.
    Taught on: book/building_blocks/filterbank
    """

    NARROWEST = 50.0  # Hz; a narrower band would need a longer filter

    def __init__(self, K: int, size: int, rate: float, low: float = 30.0):
        super().__init__(K, size)
        if not low + self.NARROWEST < rate / 2:
            raise ValueError(
                f"low={low} Hz leaves no band below half the sample rate, {rate / 2:g} Hz; use a lower one"
            )
        edges = spaced(K + 1, low, rate / 2 - self.NARROWEST, "mel").float()
        self.rate, self.low = rate, low
        self.lower = nn.Parameter(edges[:-1].clone())  # (K,) Hz
        self.width = nn.Parameter(edges.diff())  # (K,) Hz

    def edges(self) -> tuple[Tensor, Tensor]:
        """Return the lower and the upper edge of each band, `(K,)` each, in Hz, kept between 0 and half the rate."""
        highest = self.rate / 2
        lower = self.lower.abs().clamp(max=highest - self.NARROWEST)
        return lower, (lower + self.width.abs().clamp(min=self.NARROWEST)).clamp(max=highest)

    def waveforms(self) -> Tensor:
        """Compute the waveforms `(K, size)` from the edges; each has its largest response near 1."""
        time = torch.arange(self.size, device=self.lower.device) - (self.size - 1) / 2  # samples, 0 in the middle
        lower, upper = (2 * edge[:, None] / self.rate for edge in self.edges())  # (K, 1), shares of half the rate
        window = torch.hamming_window(self.size, periodic=False, device=time.device)
        return window * (upper * torch.sinc(upper * time) - lower * torch.sinc(lower * time))


class Gammatone(Bank):
    """The ear's filters as far as a formula has them: `t^(order-1) exp(-2π b t) cos(2π f t + phase)`, unit energy.

    Centre frequencies are evenly spaced on the ERB scale from `low` to `high` Hz (default: 0.9 of half the rate); b is
    1.019 times the ear's bandwidth there. With `phases` of more than one, groups of filters share a frequency and
    divide half a turn among them. Nothing to learn. Raises ValueError when K is no multiple of phases.
    Source: Slaney 1993; Ditter and Gerkmann 2020 for the phases. Taught on: book/building_blocks/filterbank
    """

    def __init__(self, K: int, size: int, rate: float, low=50.0, high=None, order: int = 4, phases: int = 1):
        super().__init__(K, size)
        if phases < 1 or K % phases:
            raise ValueError(f"K={K} filters cannot be shared among phases={phases}; make K a multiple of it")
        high = 0.45 * rate if high is None else high
        if high > rate / 2:
            raise ValueError(
                f"high={high:g} Hz lies above half the sample rate, {rate / 2:g} Hz: such waves are aliased"
            )
        with torch.device("cpu"):
            centre = spaced(K // phases, low, high, "erb").repeat_interleave(phases)[:, None]  # (K, 1) Hz
            phase = (torch.arange(phases) * math.pi / phases).repeat(K // phases)[:, None]  # (K, 1)
            time = torch.arange(1, size + 1, dtype=torch.float64) / rate  # s
            envelope = time ** (order - 1) * torch.exp(-2 * math.pi * 1.019 * erb(centre) * time)
            waves = envelope * torch.cos(2 * math.pi * centre * time + phase)
            self.register_buffer("values", (waves / waves.norm(dim=1, keepdim=True)).float(), persistent=False)

    def waveforms(self) -> Tensor:
        """Return the waveforms `(K, size)`."""
        return self.values


class Analytic(Bank):
    """A real bank with its quarter-turn partners: `h + i · Hilbert(h)`, which has no negative frequencies.

    The magnitude of such a code is the envelope: it hardly depends on where a wave has its crests.
    Raises ValueError for a bank that is complex already. Source: Pariente 2020.
    Taught on: book/building_blocks/filterbank
    """

    def __init__(self, bank: Bank):
        super().__init__(bank.K, bank.size)
        if bank.waveforms().is_complex():
            raise ValueError(f"{type(bank).__name__} is complex already; Analytic makes a real bank complex")
        self.bank = bank

    def waveforms(self) -> Tensor:
        """Return the waveforms `(K, size)`, complex: positive frequencies twice, negative ones not at all."""
        return analytic(self.bank.waveforms())


def analytic(waveforms: Tensor) -> Tensor:
    """Return the analytic version of real waveforms `(…, size)`: the same real part, and its Hilbert transform.

    0 Hz and, in even sizes, half the sample rate have no partner of negative frequency: they stay as they are.
    Raises ValueError for complex waveforms. Taught on: book/building_blocks/filterbank
    """
    check_tensor(waveforms, "analytic")
    if waveforms.dim() < 1 or waveforms.numel() == 0:
        raise ValueError(f"analytic expects waveforms (…, size), but was given {tuple(waveforms.shape)}")
    if waveforms.is_complex():
        raise ValueError("analytic expects real waveforms, but was given complex ones")
    waveforms = waveforms if waveforms.dtype == torch.float64 else waveforms.float()
    size = waveforms.shape[-1]
    weight = torch.zeros(size, device=waveforms.device)
    weight[: size // 2 + 1] = 2
    weight[0] = 1
    if size % 2 == 0:
        weight[size // 2] = 1
    return torch.fft.ifft(torch.fft.fft(waveforms) * weight)
