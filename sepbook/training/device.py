"""Where to compute and in which number format, and why.

Taught on: book/training/loop
"""

from dataclasses import dataclass

import torch

CHOICES = ("auto", "cpu", "cuda", "mps")


@dataclass(frozen=True)
class Device:
    """A place to compute: the torch device, the dtype of matrix products, and the reason for both.

    ``scaler``: float16 has few small numbers, so the loss is scaled up before the backward pass.
    Taught on: book/training/loop
    """

    device: torch.device
    dtype: torch.dtype
    scaler: bool
    reason: str

    @property
    def mixed(self) -> bool:
        """Whether matrix products run in a shorter format than float32."""
        return self.dtype != torch.float32

    def autocast(self):
        """Context in which matrix products and convolutions use `dtype`."""
        return torch.autocast(self.device.type, self.dtype, enabled=self.mixed)

    def move(self, batch: dict) -> dict:
        """Copy a batch's tensors to the device; from pinned memory the copy overlaps with computing."""
        return {k: v.to(self.device, non_blocking=True) if torch.is_tensor(v) else v for k, v in batch.items()}


def choose(name: str = "auto", index: int = 0) -> Device:
    """Choose where to compute: cuda, then mps, then cpu, unless `name` says which.

    On cuda: bfloat16 where the card really has it, float16 with loss scaling where it has not (a T4), else float32.
    `index` is the card's number under torchrun. Raises ValueError for a name that is unknown or not there.
    Taught on: book/training/loop
    """
    if name not in CHOICES:
        raise ValueError(f"device {name!r} is unknown; choose one of {', '.join(CHOICES)}")
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        name = next(kind for kind in ("cuda", "mps", "cpu") if available[kind])
    if not available[name]:
        have = ", ".join(kind for kind, there in available.items() if there)
        raise ValueError(f"device {name!r} is not available on this machine; there is: {have}")
    if name == "cuda":
        return _cuda(index)
    reason = {
        "mps": "Apple GPU: float32",
        "cpu": f"no GPU found or asked for: CPU, {torch.get_num_threads()} threads",
    }
    return Device(torch.device(name), torch.float32, False, reason[name])


def _cuda(index: int) -> Device:
    device = torch.device("cuda", index)
    card = torch.cuda.get_device_name(index)
    if torch.cuda.is_bf16_supported(including_emulation=False):
        return Device(device, torch.bfloat16, False, f"{card}: bfloat16, which this card computes natively")
    if torch.cuda.get_device_capability(index) >= (7, 0):
        return Device(device, torch.float16, True, f"{card}: float16 with loss scaling; it has no native bfloat16")
    return Device(device, torch.float32, False, f"{card}: float32; it has no fast shorter format")


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
