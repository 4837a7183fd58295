"""The parts of a system as a training step runs them: compiled, or in a short number format, or both.

Only in the step: validation and separation meet sounds of other lengths, so they take the parts as they are. What is
no part (STFT, masks, losses) always computes in float32.

Taught on: book/training/loop
"""

from contextlib import contextmanager

import torch
from torch.utils._pytree import tree_map

from sepbook.architectures.base import System
from sepbook.training.config import TrainingError
from sepbook.training.device import Device, matrix_products

BACKEND = "inductor"


class Parts:
    """Fast ways through `system.parts()`, made once. Raises TrainingError where a system names no parts.

    Taught on: book/training/loop
    """

    def __init__(self, system: System, device: Device, compile: bool | str = False):
        self.device, self.graphs = device, compile == "graphs"
        self.own = _named(system) if compile or device.mixed or device.tf32 else []
        self.fast = [self._faster(part.forward, compile) for part in self.own]

    @contextmanager
    def in_use(self):
        """Let the parts take the fast way for the length of a `with` block."""
        if self.graphs:
            torch.compiler.cudagraph_mark_step_begin()
        for part, forward in zip(self.own, self.fast, strict=True):
            part.forward = forward
        try:
            with matrix_products("highest", self.device.tf32):
                yield
        finally:
            for part in self.own:
                del part.forward

    def _faster(self, forward, compile):
        if self.device.mixed:
            forward = _short(forward, self.device)
        if compile:
            mode = "reduce-overhead" if self.graphs and BACKEND == "inductor" else None
            forward = torch.compile(forward, dynamic=False, mode=mode, backend=BACKEND)
        return _with_tf32(forward) if self.device.tf32 else forward


def _named(system: System) -> list:
    try:
        return list({id(part): part for part in system.parts().values()}.values())
    except AttributeError as error:
        raise TrainingError(f"what shall be compiled or computed in a short format? {error}") from error


def _short(forward, device: Device):
    """Compute products and convolutions in the device's format, and give float32 back."""

    def short(*inputs, **more):
        with torch.autocast(device.device.type, device.dtype):
            outputs = forward(*inputs, **more)
        return tree_map(lambda x: x.float() if torch.is_tensor(x) and x.dtype == device.dtype else x, outputs)

    return short


def _with_tf32(forward):
    def fast(*inputs, **more):
        with matrix_products("high", True):
            return forward(*inputs, **more)

    return fast
