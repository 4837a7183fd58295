"""Figures of the book: one look, light and dark, with text for readers who cannot see them.

On a page: `plots.show(lambda: plots.spectrogram(samples, rate), alt="…")`.

Taught on: book/how_to_read
"""

from sepbook.plots.alignment import align, alignment
from sepbook.plots.cells import recurrent_cell, unrolled
from sepbook.plots.charts import bars, courses, courses_alt, curves, loss_curve
from sepbook.plots.diagram import ladder, unet_diagram
from sepbook.plots.events import events
from sepbook.plots.family import family
from sepbook.plots.flow import flow, flow_alt
from sepbook.plots.page import show
from sepbook.plots.sound import masks, spectrogram, stems, waveform
from sepbook.plots.style import COLOURS, colour, styled, use_style

__all__ = [
    "COLOURS",
    "align",
    "alignment",
    "bars",
    "colour",
    "courses",
    "courses_alt",
    "curves",
    "events",
    "family",
    "flow",
    "flow_alt",
    "ladder",
    "loss_curve",
    "masks",
    "recurrent_cell",
    "show",
    "spectrogram",
    "stems",
    "styled",
    "unet_diagram",
    "unrolled",
    "use_style",
    "waveform",
]
