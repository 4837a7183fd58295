"""Double and halve a sample rate inside a network: two published filters, as convolutions that gradients pass through.

::

    x    ●       ●       ●       ●           y[2i] and y[2i + 1] are each a weighted sum of the samples around x[i]
    y    ●   ●   ●   ●   ●   ●   ●   ●

A filter is cut off after so many zero crossings of its sinc. The sound is continued at its ends by zeros, or by its
first and last sample. `valid` does without ends, for sound that comes in pieces.

Source: Smith 2002 (band-limited interpolation). Taught on: book/architectures/demucs
"""

import torch
from torch import Tensor, nn
from torch.nn import functional


class Resampler(nn.Module):
    """A filter with several phases: `(…, N) -> (…, N')`, N' = N · phases / step, each row by itself.

    `taps` are `(phases, size)`; the filter begins `before` samples early and ends at most `after` samples late.
    Taught on: book/architectures/demucs
    """

    dims = "... N -> ... N'"

    def __init__(self, taps: Tensor, step: int, before: int, after: int, ends: str = "constant"):
        super().__init__()
        self.step, self.before, self.after, self.ends = step, before, after, ends
        self.register_buffer("taps", taps[:, None].float(), persistent=False)  # (phases, 1, size)

    def forward(self, x: Tensor) -> Tensor:
        """Resample whole sounds `(…, N)`. Half of an odd N is rounded up by `half_band`, down by `low_pass`."""
        rows = x.reshape(-1, 1, x.shape[-1])  # (rows, 1, N)
        return self.valid(functional.pad(rows, (self.before, self.after), self.ends)).view(*x.shape[:-1], -1)

    def valid(self, x: Tensor) -> Tensor:
        """Resample `(…, N)` from sample `before` on, as far as the filter finds all samples that it needs."""
        rows = x.reshape(-1, 1, x.shape[-1])
        y = functional.conv1d(rows, self.taps, stride=self.step)  # (rows, phases, T)
        return y.mT.reshape(*x.shape[:-1], -1)

    def ready(self, n: int) -> int:
        """Return how many values `valid` makes of n samples."""
        phases, _, size = self.taps.shape
        return max((n - size) // self.step + 1, 0) * phases


def half_band(zeros: int = 56) -> tuple[Resampler, Resampler]:
    """Return what doubles a rate, and what halves it: every other sample stays as it is; Hann window; zeros around.

    The filter of the denoiser of Défossez et al. 2020. Taught on: book/architectures/demucs
    """
    t = torch.arange(2 * zeros) - zeros + 0.5  # in samples, from half way between two of them
    window = 0.5 + 0.5 * torch.cos(torch.pi * t / zeros)
    between = torch.sinc(t) * window  # (2·zeros,)
    up = torch.zeros(2, 2 * zeros)
    up[0, zeros - 1], up[1] = 1.0, between
    down = torch.zeros(1, 4 * zeros - 1)
    down[0, 2 * zeros - 1], down[0, ::2] = 0.5, between / 2
    return Resampler(up, 1, zeros - 1, zeros), Resampler(down, 2, 2 * zeros - 1, 2 * zeros - 1)


def low_pass(zeros: int = 24, rolloff: float = 0.945) -> tuple[Resampler, Resampler]:
    """Return what doubles a rate, and what halves it: flat up to 0.945 of half the lower rate; cosine window.

    The filter of the second Demucs, of the package julius. Taught on: book/architectures/demucs
    """
    wide, far = (int(-(-zeros * step // rolloff)) for step in (1, 2))
    up = torch.stack([_kernel(torch.arange(-wide, wide + 1) - shift, rolloff, zeros) for shift in (0, 0.5)])
    down = _kernel(torch.arange(-far, far + 2) / 2, rolloff, zeros)[None]
    return Resampler(up, 1, wide, wide, "replicate"), Resampler(down, 2, far, far, "replicate")


def _kernel(t: Tensor, rolloff: float, zeros: int) -> Tensor:
    """Return a windowed sinc at the times t, in samples of the lower rate; it sums up to 1."""
    t = (t.double() * rolloff).clamp(-zeros, zeros)
    kernel = torch.sinc(t) * torch.cos(torch.pi * t / zeros / 2).square()
    return kernel / kernel.sum()
