"""PyTorch's operations by name: older versions lack some of them, and no trace needs all.

Taught on: book/how_to_read
"""

import torch


def known(*names: str) -> tuple:
    """Return the operations of these names that this version of PyTorch has. Taught on: book/how_to_read."""
    return tuple(getattr(torch.ops.aten, name) for name in names if hasattr(torch.ops.aten, name))
