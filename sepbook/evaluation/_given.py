"""What separation refuses: samples that are none, and stems that would be written over a file.

Taught on: book/evaluation/separation
"""

import math
from collections.abc import Iterable
from pathlib import Path

from torch import Tensor

from sepbook import audio
from sepbook._given import as_samples


def check_samples(samples: Tensor, rate: int) -> Tensor:
    """Return samples `(C, N)` in float32; refuse other shapes, rates that are none, NaN and infinity."""
    samples = as_samples(samples, "samples", "(C, N)")
    given = tuple(samples.shape)
    if samples.dim() != 2:
        raise ValueError(f"samples must be (C, N): audio channel, sample; given was {given}")
    if samples.numel() == 0:
        raise ValueError(f"samples {given} are empty: there is nothing to separate")
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 1 <= rate < math.inf:
        raise ValueError(f"rate is {rate}; expected the sample rate of the samples in Hz, for example 44100")
    if not samples.isfinite().all():
        channel, at = (~samples.isfinite()).nonzero()[0].tolist()
        raise ValueError(
            f"samples hold NaN or infinity, first in channel {channel} at sample {at}. "
            "Replace them, for example with torch.nan_to_num(samples)"
        )
    return samples.float()


def check_free(stems: Iterable[Path], source: str | Path, overwrite: bool) -> None:
    """Refuse to write over the file that is read, and over any other file unless asked to."""
    for stem in stems:
        if stem.exists() and stem.samefile(source):
            raise audio.AudioError(f"{stem}: this is the file to separate; choose another folder for stems.")
        if stem.exists() and not overwrite:
            raise audio.AudioError(
                f"{stem}: exists already. Choose another folder, "
                "or replace it with overwrite=True (--overwrite on the command line)."
            )
