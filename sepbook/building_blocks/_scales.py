"""Scales of frequency: mel and ERB, and the matrix that turns bins into mel bands.

Both scales follow the ear: nearly linear at low frequencies, nearly logarithmic at high ones.
"""

import torch
from torch import Tensor, nn

from sepbook._given import check_place, check_tensor

ERB_LOW, ERB_SLOPE = 24.7, 9.265  # Hz; bandwidth of the ear's filter at 0 Hz, and centre frequency per bandwidth
LARGEST = 1 << 26  # numbers in a matrix; more would fill the memory


def hz_to_mel(hertz) -> Tensor:
    """Return mel for frequencies in Hz, `2595 log10(1 + f / 700)`; 1000 Hz is 1000 mel, by definition.

    Source: Stevens 1937 for the scale, the HTK toolkit for this formula. Taught on: book/building_blocks/filterbank
    """
    return 2595 * torch.log10(1 + torch.as_tensor(hertz, dtype=torch.float64) / 700)


def mel_to_hz(mel) -> Tensor:
    """Undo `hz_to_mel`. Taught on: book/building_blocks/filterbank."""
    return 700 * (10 ** (torch.as_tensor(mel, dtype=torch.float64) / 2595) - 1)


def erb(hertz) -> Tensor:
    """Return the bandwidth in Hz of the ear's filter at a frequency: its equivalent rectangular bandwidth.

    Source: Glasberg and Moore 1990. Taught on: book/building_blocks/filterbank
    """
    return ERB_LOW + torch.as_tensor(hertz, dtype=torch.float64) / ERB_SLOPE


def hz_to_erb(hertz) -> Tensor:
    """Return the number of such bandwidths that fit below a frequency in Hz.

    Source: Glasberg and Moore 1990. Taught on: book/building_blocks/filterbank
    """
    return ERB_SLOPE * torch.log1p(torch.as_tensor(hertz, dtype=torch.float64) / (ERB_LOW * ERB_SLOPE))


def erb_to_hz(number) -> Tensor:
    """Undo `hz_to_erb`. Taught on: book/building_blocks/filterbank."""
    return ERB_LOW * ERB_SLOPE * torch.expm1(torch.as_tensor(number, dtype=torch.float64) / ERB_SLOPE)


SCALES = {"linear": (lambda f: f, lambda f: f), "mel": (hz_to_mel, mel_to_hz), "erb": (hz_to_erb, erb_to_hz)}


def spaced(K: int, low: float, high: float, scale: str = "mel") -> Tensor:
    """Return K frequencies in Hz `(K,)` from `low` to `high`, evenly spaced on a scale: linear, mel or erb.

    Raises ValueError for another scale, and unless 0 <= low < high. Taught on: book/building_blocks/filterbank
    """
    if scale not in SCALES:
        raise ValueError(f"scale {scale!r} is unknown; choose one of {', '.join(SCALES)}")
    if not 0 <= low < high:
        raise ValueError(
            f"frequencies run from low={low} Hz to high={high} Hz; low must lie below high, and not below 0"
        )
    there, back = SCALES[scale]
    low, high = (there(torch.tensor(float(f), dtype=torch.float64)) for f in (low, high))
    return back(low + (high - low) * torch.linspace(0, 1, K, dtype=torch.float64))


def mel_matrix(K: int, n_fft: int, rate: float, low: float = 0.0, high: float | None = None) -> Tensor:
    """Return K overlapping triangles over the bins of a spectrogram: `(K, F)`, each with a peak of 1.

    The corners are evenly spaced in mel from `low` to `high` Hz (default: half the sample rate); each triangle begins
    at the peak of the one before and ends at the peak of the next. Equal to librosa's matrix with htk=True and
    norm=None. Raises ValueError when a triangle is so narrow that it falls between two bins.
    Source: Davis and Mermelstein 1980. Taught on: book/building_blocks/filterbank
    """
    if not (1 <= K and 2 <= n_fft and rate > 0 and K * n_fft <= LARGEST):
        raise ValueError(
            f"K={K} bands, n_fft={n_fft} samples and rate={rate} Hz; expected numbers above 0, such as K=40, "
            f"n_fft=1024 and rate=16000, and a matrix of at most {LARGEST:,} numbers"
        )
    corners = spaced(K + 2, low, rate / 2 if high is None else high, "mel")  # (K + 2,)
    bins = torch.arange(n_fft // 2 + 1, dtype=torch.float64) * rate / n_fft  # (F,)
    left, peak, right = corners[:-2, None], corners[1:-1, None], corners[2:, None]  # (K, 1)
    triangles = torch.minimum((bins - left) / (peak - left), (right - bins) / (right - peak)).clamp(min=0)  # (K, F)
    if (empty := (triangles.sum(1) == 0).nonzero()).numel():
        k = int(empty[0])
        raise ValueError(
            f"mel filter {k} of K={K} lies between two bins: it is narrower than their distance of "
            f"{rate / n_fft:.1f} Hz. Use a larger n_fft than {n_fft}, or fewer filters"
        )
    return triangles.float()


class Mel(nn.Module):
    """Add up bins in mel bands: magnitude or power `(B, C, F, T)` to `(B, C, K, T)`.

    A fixed matrix with few rows: it makes a spectrogram smaller, and cannot be undone exactly.
    Raises ValueError for another number of bins, complex bins, or a band narrower than a bin.
    Source: Davis and Mermelstein 1980. Taught on: book/building_blocks/filterbank
    """

    dims = "B C F T -> B C K T"

    def __init__(self, K: int, n_fft: int, rate: float, low: float = 0.0, high: float | None = None):
        super().__init__()
        with torch.device("cpu"):
            self.register_buffer("matrix", mel_matrix(K, n_fft, rate, low, high), persistent=False)

    def forward(self, magnitude: Tensor) -> Tensor:
        """Turn F bins into K bands."""
        F = self.matrix.shape[1]
        check_tensor(magnitude, "Mel")
        check_place(magnitude, "Mel", self.matrix)
        if magnitude.is_complex():
            raise ValueError("Mel adds up magnitudes, but was given complex bins, whose phases cancel; use bins.abs()")
        if magnitude.dim() < 2 or magnitude.shape[-2] != F:
            raise ValueError(f"Mel expects (B, C, F, T) with F={F} bins, but was given {tuple(magnitude.shape)}")
        return nn.functional.linear(magnitude.mT, self.matrix.to(magnitude.dtype)).mT  # (B, C, K, T)
