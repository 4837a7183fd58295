"""Shapes: trace a model, name the axes of a tensor, do the arithmetic of convolutions step by step.

Letters have one meaning in the whole book (`LEGEND`). A module declares its shapes with them::

    class Masking(nn.Module):
        dims = "bins: B C F T, masks: B S C F T -> B S C F T"

`trace(model, mixture)` then prints every shape on the way, and names the axis where one does not fit.

Taught on: book/how_to_read
"""

from sepbook.shapes.arithmetic import Explained, conv_length, receptive_field
from sepbook.shapes.calls import check_dims, checked
from sepbook.shapes.dims import LEGEND, ShapeError, describe
from sepbook.shapes.row import Row
from sepbook.shapes.showing import show
from sepbook.shapes.trace import Trace, trace

__all__ = [
    "LEGEND",
    "Explained",
    "Row",
    "ShapeError",
    "Trace",
    "check_dims",
    "checked",
    "conv_length",
    "describe",
    "receptive_field",
    "show",
    "trace",
]
