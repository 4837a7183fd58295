"""Where to compute and in which number format, and why.

Taught on: book/training/loop
"""

from contextlib import contextmanager
from dataclasses import dataclass

import torch

CHOICES = ("auto", "cpu", "cuda", "mps")
FORMATS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True)
class Device:
    """A place to compute: the torch device, the dtype of matrix products, and the reason for both.

    ``scaler``: float16 has few small numbers, so the loss is scaled up before the backward pass.
    ``tf32``: float32 products of the system's parts may round their factors to 10 bits, which these cards do faster.
    Taught on: book/training/loop
    """

    device: torch.device
    dtype: torch.dtype
    scaler: bool
    reason: str
    tf32: bool = False

    @property
    def mixed(self) -> bool:
        """Whether matrix products run in a shorter format than float32."""
        return self.dtype != torch.float32

    def move(self, batch: dict) -> dict:
        """Copy a batch's tensors to the device; from pinned memory the processor need not wait for that.

        Taught on: book/training/loop
        """
        return {k: v.to(self.device, non_blocking=True) if torch.is_tensor(v) else v for k, v in batch.items()}

    @contextmanager
    def ready(self):
        """Make this the card that is meant, with the products that it is good at, for the length of a `with` block.

        Taught on: book/training/loop
        """
        if self.device.type == "cuda":
            torch.cuda.set_device(self.device)
        with matrix_products("high", self.tf32):
            yield


@contextmanager
def matrix_products(precision: str, change: bool = True):
    """Set how exact float32 matrix products are ("highest" or "high": TF32) for the length of a `with` block.

    Taught on: book/training/loop
    """
    before = torch.get_float32_matmul_precision()
    if change:
        torch.set_float32_matmul_precision(precision)
    try:
        yield
    finally:
        if change:
            torch.set_float32_matmul_precision(before)


def choose(name: str = "auto", index: int = 0, precision: str = "auto", compiled: bool = False) -> Device:
    """Choose where to compute: cuda, then mps, then cpu, unless `name` says which; and how, unless `precision` does.

    On cuda: float16 with loss scaling where the card has no bfloat16 (a T4). Else bfloat16 for compiled networks,
    where it was measured to pay, and float32 with TF32 for others. `index` is the card's number under torchrun.
    Raises ValueError for what is unknown or not there. Taught on: book/training/loop
    """
    if name not in CHOICES:
        raise ValueError(f"device {name!r} is unknown; choose one of {', '.join(CHOICES)}")
    if precision not in ("auto", *FORMATS):
        raise ValueError(f"precision {precision!r} is unknown; choose one of auto, {', '.join(FORMATS)}")
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        name = next(kind for kind in ("cuda", "mps", "cpu") if available[kind])
    if not available[name]:
        have = ", ".join(kind for kind, there in available.items() if there)
        raise ValueError(f"device {name!r} is not available on this machine; there is: {have}")
    device = torch.device(name, index) if name == "cuda" else torch.device(name)
    where = {"mps": "Apple GPU", "cpu": f"no GPU found or asked for: CPU, {torch.get_num_threads()} threads"}
    tf32 = False
    if name == "cuda":
        where, (found, tf32, why) = {"cuda": _card(index)}, _format(index, compiled)
    elif precision == "auto":
        found, why = "float32", ""
    if precision != "auto":
        found, why = precision, ", as asked for"
    dtype = FORMATS[found]
    words = f"{where[name]}: {found}{why}" if name != "cpu" or why else where[name]
    return Device(device, dtype, dtype == torch.float16, words, tf32)


def _card(index: int) -> str:
    count = torch.cuda.device_count()
    if index >= count:
        raise ValueError(f"there is no card number {index}: this machine has {count}; start as many processes as cards")
    return torch.cuda.get_device_name(index)


def _format(index: int, compiled: bool) -> tuple[str, bool, str]:
    """Return format, whether TF32 is there, and the reason. The measurements are of the small U-Net on an H100."""
    if torch.cuda.is_bf16_supported(including_emulation=False):
        if compiled:
            return "bfloat16", True, ", which was measured to be faster than float32 in a compiled network"
        return "float32", True, " with TF32 in matrix products; without compile, bfloat16 was measured to be slower"
    if torch.cuda.get_device_capability(index) >= (7, 0):
        return "float16", False, " with loss scaling; it has no native bfloat16"
    return "float32", False, "; it has no fast shorter format"


def peak_memory(device: torch.device) -> float:
    """Peak memory of this process in MB: the card's on cuda, resident memory elsewhere (0 where unknown).

    Taught on: book/training/loop
    """
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e6
    try:
        import resource
        import sys
    except ImportError:  # Windows
        return 0.0
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
