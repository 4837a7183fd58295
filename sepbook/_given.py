"""What is given where a tensor is meant: one rule for the whole package.

- A *function* takes a tensor, a NumPy array or a list of numbers, and answers with tensors. float64 stays float64.
- A *layer* (a `torch.nn.Module`, a system too) takes tensors only, as PyTorch's own layers do, and says so.
- Samples are real and floating: whole numbers have a scale that nobody told us, and complex ones an imaginary part
  that would get lost. Both are refused with the mend, as are tensors without values (meta), sparse ones, and tensors
  on different devices.

All of it looks at types and shapes, never at values, so it costs a microsecond or two.
"""

import numpy as np
import torch
from torch import Tensor

MOST_CHANNELS = 64  # more audio channels than this, and more channels than samples: C and N are swapped


class KindError(TypeError, ValueError):
    """Something of the wrong kind was given in place of a tensor: the message says what, and how to mend it."""


def as_tensor(x, name: str) -> Tensor:
    """Return a tensor of what was given to a function: a tensor as it is, an array or a list converted."""
    if isinstance(x, Tensor):
        if x.layout is not torch.strided:
            raise KindError(f"{name}: a sparse tensor was given, but a dense one is expected; use x.to_dense()")
        if x.device.type == "meta":
            raise KindError(
                f"{name}: the tensor is on the meta device, where it has a shape and no values; use real data"
            )
        return x
    if isinstance(x, list | tuple) and any(isinstance(entry, Tensor) for entry in x):
        raise KindError(f"{name}: a {type(x).__name__} of tensors was given; make it one tensor with torch.stack(x)")
    if isinstance(x, np.ma.MaskedArray):
        raise KindError(f"{name}: a masked array was given, and its mask would be lost; fill it first, x.filled(0)")
    try:
        array = None if isinstance(x, str | bytes | dict | set) or x is None else np.asarray(x)
    except ValueError:
        raise KindError(
            f"{name}: lists of unequal length were given; all rows of an axis have the same length"
        ) from None
    if array is None or array.dtype.kind not in "fiubc":
        raise KindError(
            f"{name}: a {type(x).__name__} was given; expected a tensor, a NumPy array or a list of numbers"
        )
    if array.dtype.itemsize > (16 if array.dtype.kind == "c" else 8):  # long doubles
        array = array.astype(np.complex128 if array.dtype.kind == "c" else np.float64)
    array = np.ascontiguousarray(array, array.dtype.newbyteorder("=")).reshape(array.shape)
    if isinstance(x, list | tuple) and array.dtype == np.float64:
        array = array.astype(np.float32)  # as torch makes it of Python's numbers
    return torch.from_numpy(array if array.flags.writeable else array.copy())


def as_samples(x, name: str, axes: str = "") -> Tensor:
    """Return real, floating samples. With `axes` ending in "C N", what seems to be (N, C) is refused too."""
    return check_channels(check_real(as_tensor(x, name), name), name, axes)


def check_real(x: Tensor, name: str) -> Tensor:
    """Raise KindError for whole numbers and complex ones; return what was given."""
    if x.is_floating_point():
        return x
    if x.is_complex():
        mend = "take x.abs() of bins, or x.real of samples"
    else:
        mend = "use x.float(), and divide 16-bit samples by 32768"
    raise KindError(
        f"{name} are of type {str(x.dtype).removeprefix('torch.')}; samples are floating point numbers, such as "
        f"float32: {mend}"
    )


def check_bins(x: Tensor, name: str) -> Tensor:
    """Raise KindError unless bins are real or complex floating numbers; return what was given."""
    return x if x.is_complex() else check_real(x, name)


def check_channels(x: Tensor, name: str, axes: str = "(…, C, N)") -> Tensor:
    """Raise ValueError where the last two axes look like (N, C) instead of (C, N); return what was given."""
    if axes and x.dim() >= 2 and x.shape[-2] > max(x.shape[-1], MOST_CHANNELS):
        C, N = x.shape[-2:]
        raise ValueError(
            f"{name}: expected {axes}, but was given C={C} audio channels of N={N} samples each, in {tuple(x.shape)}: "
            "are C and N swapped? Then x.transpose(-1, -2), or x.T of an array"
        )
    return x


def check_tensor(x, name: str) -> None:
    """Raise KindError unless a layer was given a dense tensor."""
    if not isinstance(x, Tensor):
        raise KindError(f"{name} takes a torch tensor, but was given a {type(x).__name__}. Use torch.as_tensor(x).")
    if x.layout is not torch.strided:
        raise KindError(f"{name} takes a dense tensor, but was given a sparse one. Use x.to_dense().")


def check_place(x: Tensor, name: str, beside: Tensor | None) -> None:
    """Raise KindError unless a layer's input is on the device of its weights (`beside`)."""
    if beside is not None and x.device.type != beside.device.type:
        raise KindError(
            f"{name}: the input is on {x.device.type!r} and the layer on {beside.device.type!r}. Move one of them: "
            f"x.to({str(beside.device)!r})."
        )


def check_together(**given: Tensor) -> None:
    """Raise ValueError unless all tensors are on one device."""
    places = {name: str(x.device) for name, x in given.items()}
    if len(set(places.values())) > 1:
        said = ", ".join(f"{name} on {place}" for name, place in places.items())
        raise ValueError(
            f"tensors on different devices: {said}; move them to one, as in x.to({next(iter(places))}.device)"
        )


def check_finite(x: Tensor, name: str) -> Tensor:
    """Raise ValueError, with the place, where there is NaN or infinity; return what was given. This looks at values."""
    if not x.isfinite().all():
        place = tuple((~x.isfinite()).nonzero()[0].tolist())
        raise ValueError(f"{name} hold NaN or infinity, the first at {place}; look at what made them")
    return x
