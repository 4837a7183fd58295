"""The memory explorer: one unit of a plain RNN, an LSTM or a GRU, and what becomes of a note that it has heard.

Like the stem player it is one page module, ``recurrent_memory.js``, with two hosts: a page of the book and a notebook.
It shows two numbers that are easily taken for one: for how long the note can be seen in the state, and how far back
the gradient of the last answer reaches. The unit is the smallest there is: gates have a bias and no weights, so that
they stand still; the input gate and the output gate of the LSTM are half open.

Taught on: book/building_blocks/recurrent
"""

import html
from dataclasses import dataclass
from functools import cached_property
from math import exp, floor, sin, tanh

from ._hosts import Hosted
from ._versions import PlayerError

__all__ = ["Memory", "RecurrentMemory", "recurrent_memory", "remember"]

HALF = 0.5  # an LSTM's input and output gates: sigmoid(0), as at the start of training
CASES = {  # what readers without JavaScript see, and the explorer's buttons: kind, weight, bias, note, noise
    "LSTM at the start": ("lstm", 0.3, 0.0, 1.0, 0.0),
    "LSTM, forget bias 2": ("lstm", 0.3, 2.0, 1.0, 0.0),
    "LSTM, forget bias 4": ("lstm", 0.3, 4.0, 1.0, 0.0),
    "GRU": ("gru", 0.3, 0.0, 1.0, 0.0),
    "plain RNN": ("rnn", 0.6, 0.0, 1.0, 0.0),
    "RNN that latches": ("rnn", 1.5, 0.0, 3.0, 0.0),
    "latched, then noise": ("rnn", 1.5, 0.0, 3.0, 0.9),
}


@dataclass(frozen=True)
class Memory:
    """What becomes of a note at frame 0. Taught on: book/building_blocks/recurrent."""

    played: list[float]  # the output at each frame
    silent: list[float]  # the same without the note
    slopes: list[float]  # of the last output, with respect to the input at each frame
    visible: int  # last frame at which the two outputs differ by at least 1 % of their largest difference
    learnable: int  # largest lag whose slope is at least 1 % of the largest


def remember(kind="lstm", weight=0.3, bias=0.0, note=1.0, noise=0.0, frames=120) -> Memory:
    """Run one unit over a note and what follows, and say how long it remembers.

    - ``kind``: "rnn", "lstm" or "gru"
    - ``weight``: from the unit to itself; ``bias``: of the LSTM's forget gate or the GRU's update gate
    - ``note``: the input at frame 0; ``noise``: how loud the frames after it are

    Raises PlayerError for another kind. Taught on: book/building_blocks/recurrent
    """
    if kind not in ("rnn", "lstm", "gru"):
        raise PlayerError(f"kind {kind!r} is unknown; choose one of rnn, lstm, gru.")
    later = [noise * noise_at(t) if t else 0.0 for t in range(frames)]
    played, fresh, kept, way = _run(kind, weight, bias, [note, *later[1:]])
    silent = _run(kind, weight, bias, later)[0]
    slopes = [0.0] * frames
    for t in reversed(range(frames)):
        slopes[t] = way * fresh[t]
        way *= kept[t]
    difference = [abs(a - b) for a, b in zip(played, silent, strict=True)]
    return Memory(played, silent, slopes, _farthest(difference), _farthest([abs(slope) for slope in slopes[::-1]]))


def noise_at(t: int) -> float:
    """Return noise between -1 and 1 that is the same every time. Taught on: book/building_blocks/recurrent."""
    value = sin(12.9898 * (t + 1)) * 43758.5453
    return 2 * (value - floor(value)) - 1


def _run(kind: str, weight: float, bias: float, x: list[float]):
    """Return outputs; how each depends on its frame and on the state before; and how the last follows its cell."""
    outputs, fresh, kept = [], [], []
    gate, h, c = 1 / (1 + exp(-bias)), 0.0, 0.0
    for value in x:
        before, seen = c, tanh(weight * h + value)
        slope = 1 - seen**2
        if kind == "lstm":
            c = gate * before + HALF * seen
            h = HALF * tanh(c)
            fresh.append(HALF * slope)
            kept.append(gate + HALF * slope * weight * HALF * (1 - tanh(before) ** 2))
        elif kind == "gru":
            h = gate * h + (1 - gate) * seen
            fresh.append((1 - gate) * slope)
            kept.append(gate + (1 - gate) * slope * weight)
        else:
            h = seen
            fresh.append(slope)
            kept.append(slope * weight)
        outputs.append(h)
    return outputs, fresh, kept, HALF * (1 - tanh(c) ** 2) if kind == "lstm" else 1.0


def _farthest(values: list[float]) -> int:
    limit = 0.01 * max(values)
    return max(i for i, value in enumerate(values) if value >= limit)


def recurrent_memory(frames=120, seconds=0.016, title=""):
    """Return the memory explorer over so many frames, of so many seconds each.

    Raises PlayerError unless there are 20 to 1000 frames that last some time.
    Taught on: book/building_blocks/recurrent
    """
    return RecurrentMemory(frames, seconds, title)


class RecurrentMemory(Hosted):
    """What `recurrent_memory` returns: a page element in the book, a widget in a notebook."""

    module, element, prefix = "recurrent_memory", "memory", "ex"
    sheets = ("explorer", "recurrent_memory")

    def __init__(self, frames=120, seconds=0.016, title=""):
        if isinstance(frames, bool) or not isinstance(frames, int) or not 20 <= frames <= 1000:
            raise PlayerError(f"frames is {frames!r}; choose a whole number from 20 to 1000.")
        if not 0 < seconds < 10:
            raise PlayerError(f"seconds is {seconds!r}; one frame lasts more than 0 and less than 10 seconds.")
        self.frames, self.seconds, self.title = frames, float(seconds), str(title)

    def __repr__(self):
        return f"<RecurrentMemory '{self.title}': {self.frames} frames of {1000 * self.seconds:.0f} ms>"

    @cached_property
    def content(self):
        """``(spec, files)``: what there is as JSON data, and no files."""
        return {"title": self.title, "frames": self.frames, "seconds": self.seconds}, {}

    def fallback(self, spec, where):
        """Return a table of the cases that the explorer's buttons show."""
        rows = [(name, remember(*case, frames=self.frames)) for name, case in CASES.items()]
        cells = "".join(
            f'<tr><th scope="row">{html.escape(name)}</th><td>{found.visible}</td><td>{found.learnable}</td></tr>'
            for name, found in rows
        )
        head = "".join(
            f'<th scope="col">{text}</th>' for text in ("one unit", "the note shows for", "training reaches")
        )
        caption = f"In frames, of {self.frames}"
        return f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{cells}</tbody></table>"
