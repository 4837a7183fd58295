"""Trace a model: run it once, and print the shape of everything on the way.

Taught on: book/how_to_read
"""

from collections import Counter
from dataclasses import dataclass, field, replace

import torch
from torch import nn

from sepbook.shapes import ledger
from sepbook.shapes.dims import ShapeError
from sepbook.shapes.repeats import folded
from sepbook.shapes.row import Row, fold
from sepbook.shapes.watch import measure, watch

UNITS = {"N": "samples", "T": "frames"}


@dataclass
class Trace:
    """What `trace` found. Prints as aligned text, shows as a table in a notebook.

    `rows` is the ledger, `calls` every call of every module, hidden ones too. `parameters` and `macs`
    (multiply-accumulates) are totals; `idle` holds the parameters that the pass never used, by module;
    `uncounted` names operations that are in no total.
    `unit` is what receptive fields are counted in: "samples", or "frames" for a model that is given a spectrogram.
    Taught on: book/how_to_read
    """

    calls: list[Row]
    parameters: int
    idle: dict[str, int] = field(default_factory=dict)
    unit: str = "samples"
    sample_rate: int | None = None
    depth: int | None = None
    unfold: bool = False

    @property
    def rows(self) -> list[Row]:
        """The calls that the ledger shows, repeats folded. Their parameters and MACs add up to the totals."""
        return fold(self.calls if self.unfold else folded(self.calls), self.depth)

    @property
    def uncounted(self) -> dict[str, int]:
        """Operations whose multiplications are in no total, and how often they came."""
        return dict(sum((row.uncounted for row in self.calls), Counter()))

    @property
    def macs(self) -> int:
        """Multiply-accumulates of the whole pass, all batch items together."""
        return sum(row.macs for row in self.calls)

    def at_depth(self, depth: int | None) -> "Trace":
        """Return the same trace with fewer rows: 0 shows the model only, 1 its parts, None everything."""
        return replace(self, depth=depth)

    def unfolded(self) -> "Trace":
        """Return the same trace with a row for each repeat."""
        return replace(self, unfold=True)

    def macs_per_second(self, sample_rate: float | None = None, hop: int = 1) -> float:
        """Return multiply-accumulates per second of one mixture.

        `sample_rate` in Hz defaults to the model's own; `hop` is the number of samples per step of the input's last
        axis, which a model that is given a spectrogram needs. Raises ShapeError when either is missing.
        """
        rate = sample_rate or self.sample_rate
        if rate is None:
            raise ShapeError("macs_per_second needs a sample rate in Hz: the model has no attribute sample_rate.")
        if self.unit == "frames" and hop == 1:
            raise ShapeError("This model is given frames, not samples: macs_per_second needs hop, samples per frame.")
        batch, steps = self.calls[0].input[0], self.calls[0].input[-1]
        return self.macs / batch / (steps * hop / rate)

    def __str__(self):
        return ledger.text(self)

    def __repr__(self):
        return ledger.text(self)

    def _repr_html_(self):
        return ledger.html(self)


def trace(
    model: nn.Module,
    mixture: torch.Tensor,
    time: bool = False,
    depth: int | None = None,
    sample_rate: int | None = None,
    unfold: bool = False,
    **inputs,
) -> Trace:
    """Run a model once on a mixture and return every shape on the way as a `Trace`.

    The model runs in eval mode without gradients, and is left as it was. `inputs` are further arguments of its
    forward. `time=True` adds milliseconds per call. `depth` limits how deep the ledger looks. Blocks of one kind
    and shape that follow each other are one row; `unfold=True` shows each. `sample_rate` in Hz
    (default: the model's own) turns receptive fields into milliseconds. Model and mixture may live on
    `torch.device("meta")`: then nothing is computed, and a model of any size costs no memory.

    Raises ShapeError where a module's `dims`, or a layer of PyTorch, refuses a shape; it names the module and the axis.
    Taught on: book/how_to_read
    """
    if not isinstance(mixture, torch.Tensor):
        raise ShapeError(f"trace needs a tensor as mixture, for example torch.zeros(1, 1, 16000), not {type(mixture)}.")
    if time and mixture.is_meta:
        raise ShapeError("On the meta device nothing is computed, so there is no time to measure. Leave time=False.")
    model = getattr(model, "_orig_mod", model)  # the model itself, if torch.compile has wrapped it
    calls, idle = watch(model, mixture, inputs)
    if time:
        for row, milliseconds in zip(calls, measure(model, mixture, inputs), strict=True):
            row.milliseconds = milliseconds
    total = sum(parameter.numel() for parameter in model.parameters())
    rate = sample_rate or getattr(model, "sample_rate", None)
    return Trace(calls, total, idle, _unit(calls[0]), rate, depth, unfold)


def _unit(root: Row) -> str:
    first = root.inputs[0]
    if first.item and first.item.axes:
        letters = [axis.text for axis in first.item.axes]
        return next((unit for letter, unit in UNITS.items() if letter in letters), "steps")
    return "frames" if len(first.sizes) == 4 else "samples"
