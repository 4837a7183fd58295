"""The filter explorer: point at a filter of a bank, see its waveform and its response, and hear what it lets through.

Like the other explorers it is one page module, ``filterbank.js``, with two hosts: a page of the book, and a notebook,
where anywidget hands the data over. The waveforms travel in the data itself, as 8-bit numbers: enough to draw and to
hear them. The responses are computed in the browser, as `sepbook.building_blocks.filterbank.responses` computes them.

Taught on: book/building_blocks/filterbank
"""

import base64
import html
from functools import cached_property

import numpy as np

from ._hosts import Hosted
from ._versions import PlayerError

__all__ = ["FilterBank", "filterbank"]

MOST = (512, 1024)  # filters, samples per filter: more would make the page heavy


def filterbank(banks, rate, title=""):
    """Return an explorer of filter banks.

    - ``banks``: names, each with the waveforms `(K, size)` of an encoder, or a pair: encoder and decoder. They must
      be real, and of one bank equal in shape
    - ``rate``: samples per second
    - ``title``: shown above it

    Each part is sorted by centre frequency. Raises PlayerError that says what is wrong with which bank.
    Taught on: book/building_blocks/filterbank
    """
    return FilterBank(banks, rate, title)


class FilterBank(Hosted):
    """What `filterbank` returns: a page element in the book, a widget in a notebook."""

    module, element, prefix = "filterbank", "filterbank", "ex"
    sheets = ("explorer", "filterbank")

    def __init__(self, banks, rate, title=""):
        if not isinstance(banks, dict) or not banks:
            raise PlayerError("banks must be a dict with at least one name, as {'learned': waveforms}.")
        self.banks = {str(name): read_bank(name, parts) for name, parts in banks.items()}
        self.rate, self.title = round(rate), str(title)

    def __repr__(self):
        return f"<FilterBank '{self.title}': {', '.join(self.banks)} at {self.rate} Hz>"

    @cached_property
    def content(self):
        """``(spec, files)``: what there is as JSON data; there are no files."""
        banks = [
            {"name": name, "parts": [describe(part, waveforms, self.rate) for part, waveforms in parts.items()]}
            for name, parts in self.banks.items()
        ]
        return {"title": self.title, "rate": self.rate, "banks": banks}, {}

    def fallback(self, spec, where):
        """Return a table: how many filters lie where."""
        edges = [0, 500, 1000, 2000, 4000, self.rate / 2 + 1]
        heads = [f"below {high} Hz" for high in edges[1:-1]] + [f"from {edges[-2]} Hz"]
        rows = ""
        for bank in spec["banks"]:
            for part in bank["parts"]:
                counts = [sum(a <= f < b for f in part["centres"]) for a, b in zip(edges, edges[1:], strict=False)]
                cells = "".join(f"<td>{count}</td>" for count in counts)
                rows += f'<tr><th scope="row">{html.escape(bank["name"])}, {part["name"]}</th>{cells}</tr>'
        head = "".join(f'<th scope="col">{name}</th>' for name in heads)
        caption = "<caption>How many filters have their centre frequency where</caption>"
        return f'<table class="fb-table">{caption}<thead><tr><td></td>{head}</tr></thead><tbody>{rows}</tbody></table>'


def read_bank(name, parts):
    """Return ``{"encoder": (K, size), "decoder": …}`` as float32. Raises PlayerError for anything else.

    Taught on: book/building_blocks/filterbank
    """
    pair = parts if isinstance(parts, tuple | list) else (parts,)
    if not 1 <= len(pair) <= 2:
        raise PlayerError(f"Bank '{name}' has {len(pair)} parts; give an encoder's waveforms, or (encoder, decoder).")
    from sepbook.plots.style import numbers

    found = {}
    for part, waveforms in zip(("encoder", "decoder"), pair, strict=False):
        waveforms = numbers(waveforms)
        if waveforms.ndim != 2 or np.iscomplexobj(waveforms) or not waveforms.size:
            kind = "complex" if np.iscomplexobj(waveforms) else f"of shape {waveforms.shape}"
            raise PlayerError(f"The {part} of bank '{name}' is {kind}; waveforms must be real numbers (K, size).")
        if any(given > most for given, most in zip(waveforms.shape, MOST, strict=True)):
            raise PlayerError(f"The {part} of bank '{name}' is {waveforms.shape}; at most {MOST} can be shown.")
        if not np.isfinite(waveforms).all():
            raise PlayerError(f"The {part} of bank '{name}' holds NaN or infinity.")
        found[part] = waveforms.astype(np.float64)
    if len({waveforms.shape for waveforms in found.values()}) > 1:
        sizes = {part: waveforms.shape for part, waveforms in found.items()}
        raise PlayerError(f"Encoder and decoder of bank '{name}' must have one shape, but they are {sizes}.")
    return found


def describe(part, waveforms, rate):
    """Return a part as JSON data: its waveforms from low to high, 8 bits each, with centres and bandwidths in Hz.

    Taught on: book/building_blocks/filterbank
    """
    centres, widths = measured(waveforms, rate)
    order = centres.argsort(kind="stable")
    loudest = np.abs(waveforms).max(1, keepdims=True).clip(1e-12)
    steps = np.rint(127 * waveforms / loudest)[order].astype(np.int8)
    return {
        "name": part,
        "K": len(waveforms),
        "size": waveforms.shape[1],
        "waveforms": base64.b64encode(steps.tobytes()).decode(),
        "centres": centres[order].round(1).tolist(),
        "widths": widths[order].round(1).tolist(),
    }


def measured(waveforms, rate):
    """Return centre frequencies and bandwidths `(K,)` in Hz, as `sepbook.building_blocks.filterbank` defines them.

    Taught on: book/building_blocks/filterbank
    """
    n_fft = max(4096, waveforms.shape[1])
    power = np.abs(np.fft.rfft(waveforms, n_fft)) ** 2  # (K, F)
    peak = power.argmax(1)[:, None]
    distance = np.abs(np.arange(power.shape[1]) - peak)
    order = distance.argsort(1, kind="stable")
    held = np.take_along_axis(power, order, 1).cumsum(1) / power.sum(1, keepdims=True).clip(1e-300)
    place = (held < 0.5).sum(1, keepdims=True).clip(max=power.shape[1] - 1)
    reach = np.take_along_axis(np.take_along_axis(distance, order, 1), place, 1)
    widths = np.minimum(peak + reach, power.shape[1] - 1) - (peak - reach).clip(0)
    return peak[:, 0] * rate / n_fft, widths[:, 0] * rate / n_fft
