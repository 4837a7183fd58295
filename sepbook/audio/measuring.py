"""How loud a sound is.

Taught on: book/how_to_read
"""

import numpy as np
import torch

from sepbook.audio.converting import remix
from sepbook.audio.errors import AudioError
from sepbook.audio.writing import as_array


def loudness(samples, rate):
    """Integrated loudness of samples (C, N) in LUFS; minus infinity for silence.

    Frequency weighting and gating are those of ITU-R BS.1770-4, by pyloudnorm. A signal shorter than the
    0.4 s that the standard's window needs is measured in one window of its own length.

    Taught on: book/how_to_read
    """
    import pyloudnorm

    array = as_array(samples)
    if not 0 < rate < np.inf:
        raise AudioError(f"a sample rate of {rate} Hz; expected a number above 0, such as 16000.")
    array = remix(torch.from_numpy(array), min(len(array), 2)).numpy().T  # (N, C)
    if not len(array) or not np.abs(array).max() > 0:
        return float("-inf")
    window = min(0.4, len(array) / rate)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = pyloudnorm.Meter(rate, block_size=window).integrated_loudness(array.astype(np.float64))
    return float(value) if np.isfinite(value) else float("-inf")
