"""The short-time Fourier transform as a layer, its exact inverse, and the mask between them.

::

    mixture (B, C, N) ──STFT──> (B, C, F, T) complex ──abs──> magnitude (B, C, F, T) ──network──> mask
                                     │                                                              │
                                     └───────────────Masking────────────────────────────────────────┘
                                                        │
    estimates (B, S, C, N) <──ISTFT── (B, S, C, F, T) complex

Frames sit at samples 0, hop, 2·hop, …; the signal is padded with zeros by half a window on both sides, and at
its end to a whole number of hops, so that the last sample is covered as well as any other.

Taught on: book/building_blocks/stft
"""

import math

import torch
from torch import Tensor, nn

from sepbook._given import check_place, check_tensor
from sepbook.building_blocks._samples import check_samples, full_precision

WINDOWS = {
    "hann": torch.hann_window,
    "hamming": torch.hamming_window,
    "sqrt_hann": lambda n: torch.hann_window(n).sqrt(),
    "rectangular": torch.ones,
}
LONGEST_WINDOW = 1 << 17  # samples, three seconds at 44.1 kHz: a larger number is a slip
MOST_FRAMES = 1024  # windows that may hold the same sample: more would fill the memory
SMALLEST_OVERLAP = 1e-3  # of the largest summed squared window; below it the inverse divides by almost nothing


def make_window(name: str, n_fft: int) -> Tensor:
    """Return the analysis window `(n_fft,)`, periodic, by name.

    Raises ValueError for a name that is not in `WINDOWS`, or a length that is no whole number.
    Taught on: book/building_blocks/stft
    """
    _check_whole("n_fft", n_fft)
    if name not in WINDOWS:
        raise ValueError(f"window {name!r} is unknown; choose one of {', '.join(WINDOWS)}")
    if not 1 <= n_fft <= LONGEST_WINDOW:
        raise ValueError(f"n_fft is {n_fft}; expected 2 to {LONGEST_WINDOW} samples, for example 1024")
    return WINDOWS[name](n_fft)


def check_geometry(window: Tensor, hop: int) -> None:
    """Raise ValueError unless this window and hop allow an exact inverse.

    The inverse divides by the sum of the squared, shifted windows. Where that sum is (almost) zero, the samples
    were never seen by any frame and cannot come back (Griffin and Lim 1984). Taught on: book/building_blocks/stft
    """
    n_fft = window.numel()
    _check_whole("hop", hop)
    if n_fft < 2:
        raise ValueError(f"n_fft is {n_fft}; a Fourier transform needs a window of at least 2 samples")
    if not 1 <= hop <= n_fft:
        raise ValueError(
            f"hop is {hop} and n_fft is {n_fft}; hop must lie between 1 and n_fft, or samples fall between frames"
        )
    if n_fft > MOST_FRAMES * hop:
        raise ValueError(
            f"hop is {hop} and n_fft is {n_fft}: each sample would lie in {n_fft // hop} frames, and the most is "
            f"{MOST_FRAMES}; use a larger hop (n_fft // 4 = {n_fft // 4} is common)"
        )
    padded = torch.zeros(math.ceil(n_fft / hop) * hop)
    padded[:n_fft] = window.square()
    overlap = padded.view(-1, hop).sum(0)  # the summed squared window, one period
    if overlap.min() < SMALLEST_OVERLAP * overlap.max():
        raise ValueError(
            f"window of {n_fft} samples with hop {hop}: sample {int(overlap.argmin())} of each hop has almost no "
            "weight in any frame, so the inverse cannot restore it; "
            f"use a smaller hop (n_fft // 4 = {n_fft // 4} is common)"
        )


def resolution(window: Tensor, rate: float) -> tuple[float, float]:
    """Return how long (seconds) and how wide (Hz) the view of a window `(n_fft,)` is, at half of its largest value.

    Two events nearer than the first, or two tones nearer than the second, run into one. For a Hann window these are
    half its length and two bins. Source: Harris 1978 (the width at -6 dB). Taught on: book/building_blocks/stft
    """
    n_fft = window.numel()
    spectrum = torch.fft.rfft(window.double(), 256 * n_fft).abs()
    width = int((spectrum < spectrum[0] / 2).int().argmax()) / 256  # in bins, to one side
    return int((window >= window.max() / 2).sum()) / rate, 2 * width * rate / n_fft


def leakage(window: Tensor) -> float:
    """Return the highest side lobe of a window `(n_fft,)` in dB: how loud a tone still is in bins far beside it.

    Source: Harris 1978. Taught on: book/building_blocks/stft
    """
    spectrum = torch.fft.rfft(window.double(), 32 * window.numel()).abs()
    first_null = int((spectrum.diff() > 0).int().argmax())
    return 20 * math.log10(float(spectrum[first_null:].max() / spectrum[0]))


def _checked_window(name: str, n_fft: int, hop: int) -> Tensor:
    """Return the window on the default device; made on the CPU, so that it is checked on the meta device too."""
    with torch.device("cpu"):
        window = make_window(name, n_fft)
        check_geometry(window, hop)
    return window.to(torch.get_default_device())


def _check_whole(name: str, value: int) -> None:
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise ValueError(
            f"{name} is {value!r}, but must be a whole number of samples; divide with //, as in n_fft // 4"
        )


def _check_bins(bins, length: int, n_fft: int, hop: int, beside: Tensor) -> None:
    check_tensor(bins, "ISTFT")
    F = n_fft // 2 + 1
    if bins.dim() < 2 or bins.shape[-2] != F or bins.numel() == 0:
        swapped = bins.dim() >= 2 and bins.shape[-1] == F
        hint = "; its last axis has that size: are F and T swapped? Then bins.transpose(-1, -2)" if swapped else ""
        raise ValueError(
            f"ISTFT with n_fft={n_fft} expects bins (…, F, T) with F={F}, but was given {tuple(bins.shape)}{hint}"
        )
    if not bins.is_complex():
        raise ValueError(
            f"ISTFT expects complex bins, but was given {bins.dtype}: magnitudes have no phase. Multiply masks with "
            "the mixture's bins, not with their magnitudes; or choose a phase with torch.polar(magnitude, phase)"
        )
    _check_whole("length", length)
    if not 1 <= length <= (bins.shape[-1] - 1) * hop:
        raise ValueError(
            f"length={length} samples need {1 + math.ceil(max(length, 1) / hop)} frames, but was given "
            f"T={bins.shape[-1]}; pass the length of the sound that was transformed"
        )
    check_place(bins, "ISTFT", beside)


class STFT(nn.Module):
    """Short-time Fourier transform: `(B, C, N)` samples to `(B, C, F, T)` complex bins.

    F = n_fft // 2 + 1 bins from 0 Hz to half the sample rate, T = 1 + ceil(N / hop) frames. Always computed in
    float32, also under autocast. Differentiable; take `.abs()` of the result for magnitudes, whose gradient at
    silence is zero (a square root of the power would give infinity there).

    Raises ValueError when window and hop cannot be inverted, or the input is empty, integer, complex or not
    `(B, C, N)`. Source: Griffin and Lim 1984. Taught on: book/building_blocks/stft
    """

    dims = "B C N -> B C F T"

    def __init__(self, n_fft: int = 1024, hop: int = 256, window: str = "hann"):
        super().__init__()
        self.n_fft, self.hop = n_fft, hop
        self.register_buffer("window", _checked_window(window, n_fft, hop), persistent=False)

    def forward(self, samples: Tensor) -> Tensor:
        """Transform `(B, C, N)` samples."""
        check_samples(samples, self.window)
        B, C, N = samples.shape
        with full_precision(samples):
            flat = samples.float().reshape(B * C, N)  # (B·C, N)
            flat = nn.functional.pad(flat, (0, -N % self.hop + self.n_fft % 2))  # whole hops; one more if n_fft is odd
            bins = torch.stft(
                flat,
                self.n_fft,
                self.hop,
                window=self.window,
                center=True,
                pad_mode="constant",
                return_complex=True,
            )  # (B·C, F, T)
        return bins.view(B, C, *bins.shape[-2:])  # (B, C, F, T)

    def extra_repr(self) -> str:
        """Show the geometry when the module is printed."""
        return f"n_fft={self.n_fft}, hop={self.hop}"


class ISTFT(nn.Module):
    """Inverse short-time Fourier transform: complex bins `(…, F, T)` to samples `(…, N)`.

    The windowed frames are added up and divided by the sum of squared windows: the least-squares inverse, exact
    for bins that came from `STFT`, the best compromise for bins that a mask has changed.

    Raises ValueError when the number of bins does not fit n_fft, they are magnitudes without a phase, or `length` needs
    more frames than there are.
    Source: Griffin and Lim 1984. Taught on: book/building_blocks/stft
    """

    dims = "B S C F T -> B S C N"

    def __init__(self, n_fft: int = 1024, hop: int = 256, window: str = "hann"):
        super().__init__()
        self.n_fft, self.hop = n_fft, hop
        self.register_buffer("window", _checked_window(window, n_fft, hop), persistent=False)

    def forward(self, bins: Tensor, length: int) -> Tensor:
        """Return `length` samples of `(…, F, T)` bins."""
        _check_bins(bins, length, self.n_fft, self.hop, self.window)
        *batch, F, T = bins.shape
        with full_precision(bins.real):
            flat = bins.to(torch.complex64).reshape(-1, F, T)
            samples = torch.istft(flat, self.n_fft, self.hop, window=self.window, center=True, length=length)
        return samples.view(*batch, length)  # (…, N)

    def extra_repr(self) -> str:
        """Show the geometry when the module is printed."""
        return f"n_fft={self.n_fft}, hop={self.hop}"


class Masking(nn.Module):
    """Multiply the mixture's bins by one mask per source: the estimates keep the mixture's phase.

    `(B, C, F, T)` complex or magnitude, masks `(B, S, C, F, T)` -> `(B, S, C, F, T)`.

    Taught on: book/foundations/masks
    """

    dims = "bins: B C F T, masks: B S C F T -> B S C F T"

    def forward(self, bins: Tensor, masks: Tensor) -> Tensor:
        """Apply the masks."""
        check_tensor(bins, "Masking")
        check_tensor(masks, "Masking")
        check_place(masks, "Masking", bins)
        if masks.dim() != 5 or bins.dim() != 4 or masks.shape[2:] != bins.shape[1:]:
            swapped = masks.dim() == 5 and masks.mT.shape[2:] == bins.shape[1:]
            raise ValueError(
                f"masks (B, S, C, F, T) must fit bins (B, C, F, T), but were given {tuple(masks.shape)} and "
                f"{tuple(bins.shape)}" + ("; F and T of the masks are swapped: masks.transpose(-1, -2)" * swapped)
            )
        return masks * bins.unsqueeze(1)  # (B, S, C, F, T)
