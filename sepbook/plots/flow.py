"""The diagram of a model, drawn from its trace: what each part is given, what it returns, and who reads it.

Taught on: book/how_to_read
"""

import re

from matplotlib import pyplot as plt
from matplotlib.patches import FancyBboxPatch

from sepbook.plots.style import axes
from sepbook.shapes.graph import Box, graph

WIDTH = 4.6  # inches: at 100 pixels per inch the letters stay legible on a phone
LINE, DOT, GAP = 0.2, 0.28, 0.24  # heights of a line of text, of a circle, and between rows
LANE, LABEL = 0.2, 0.36  # between lines that pass by; room for the name of a group
MARGIN = 0.08
BIG, SMALL = 11, 10  # points
RECURRENT = ("RNN", "LSTM", "GRU")
MEETINGS = {"cat": "concatenation", "+": "sum", "×": "product", "&": "combination"}


def flow(trace, depth: int | None = None, ax=None, title: str = ""):
    """Draw a model from top to bottom: its parts, where paths fork and meet, and skips; returns the axes.

    A box names a part and the shape that it returns, without the batch. A circle is where paths meet: added (+),
    multiplied (×) or concatenated (cat). A stack of boxes stands for several parts of one kind and shape, one after
    the other or side by side. ↻ marks what is recurrent. `depth` says how far parts are opened; by default, as far as
    the picture stays small. `flow_alt` says the same in words. Raises ValueError for a model that returns no tensor.
    Taught on: book/how_to_read
    """
    boxes = graph(trace, depth)
    if not boxes:
        raise ValueError(
            f"{trace.calls[0].kind} returned no tensor, so there is no path to draw: return the estimates."
        )
    plan = Layout(boxes)
    top = 0.3 if title else 0.0
    ax = axes(ax, 3) if ax is not None else _sheet(plan.height + top)
    for names, (first, last) in plan.groups.items():
        plan.draw_group(ax, names, first, last)
    for box in boxes:
        plan.draw_lines(ax, box)
        plan.draw(ax, box)
    ax.set(xlim=(0, WIDTH), ylim=(-plan.height, top))
    ax.axis("off")
    if title:
        ax.text(MARGIN, top / 2, title, va="center", fontsize=12.5)
    return ax


def _sheet(height: float):
    figure = plt.figure(figsize=(WIDTH, height), layout="none")
    return figure.add_axes((0, 0, 1, 1))


class Layout:
    """Places the boxes in rows, and the lines that pass other rows in lanes beside them.

    Taught on: book/how_to_read
    """

    def __init__(self, boxes: list[Box]):
        self.rows = _rows(boxes)
        self.row = {box: i for i, row in enumerate(self.rows) for box in row}
        self.lanes = self._find_lanes(boxes)
        self.left = MARGIN + self._width(-1)
        self.right = WIDTH - MARGIN - self._width(1)
        self.groups = _groups(self.rows)
        self.middle, self.high, down = [], [], 0.04
        for i, row in enumerate(self.rows):
            down += LABEL if any(i == first for first, _ in self.groups.values()) else 0
            self.high.append(max(_height(box, len(row)) for box in row))
            self.middle.append(-down - self.high[-1] / 2)
            down += self.high[-1] + GAP + (0.08 if any(i == last for _, last in self.groups.values()) else 0)
        self.height = down - GAP + 0.04

    def _width(self, side: int) -> float:
        lanes = 1 + max((lane for where, lane in self.lanes.values() if where == side), default=-1)
        return (LANE * lanes + 0.1 if lanes else 0) + (0.08 if any(box.group for box in self.row) else 0)

    def _find_lanes(self, boxes) -> dict:
        """Give each line that passes rows a side and a lane; short ones lie inside, those of one source together."""
        lines = [(source, box) for box in boxes for source in box.sources if self.row[box] - self.row[source] > 1]
        lines.sort(key=lambda line: self.row[line[1]] - self.row[line[0]])
        found, lane = {}, 0
        for source, box in lines:
            side, lane = -1 if self._is_left(source) or self._is_left(box) else 1, 0
            while any(
                (side, lane) == found[a, b]
                and a is not source
                and self.row[a] < self.row[box]
                and self.row[source] < self.row[b]
                for a, b in found
            ):
                lane += 1
            found[source, box] = (side, lane)
        return found

    def _is_left(self, box: Box) -> bool:
        row = self.rows[self.row[box]]
        return len(row) > 1 and box is row[0]

    def frame(self, box: Box) -> tuple[float, float, float, float]:
        """Return the middle, the width and the height of a box."""
        row = self.rows[self.row[box]]
        wide = (self.right - self.left - 0.12 * (len(row) - 1)) / len(row)
        x = self.left + wide / 2 + row.index(box) * (wide + 0.12)
        if box.role == "meeting":
            wide = 0.44 if box.how == "cat" else DOT
        return x, self.middle[self.row[box]], wide, _height(box, len(row))

    # drawing -------------------------------------------------------------------------------------------------------

    def draw(self, ax, box: Box) -> None:
        """Draw one box with its words."""
        x, y, wide, high = self.frame(box)
        ink, quiet, page = (plt.rcParams[key] for key in ("text.color", "axes.edgecolor", "figure.facecolor"))
        if box.role == "meeting":
            ax.add_patch(_patch(x, y, wide, high, page, ink, DOT / 2))
            ax.text(x, y, box.how, ha="center", va="center", fontsize=SMALL if box.how == "cat" else 12, zorder=5)
            if box.count:
                ax.text(x + wide / 2 + 0.08, y, box.name, va="center", fontsize=SMALL, color=quiet, zorder=5)
            return
        lifted = 0.05 if len(box.rows) > 1 else 0
        for shift in (0.1, 0.05) if lifted else ():
            ax.add_patch(_patch(x, y + lifted - shift, wide - 1.2 * shift, high - 2 * lifted, page, quiet, 0.05))
        edge, rounding = (ink, 0.05) if box.role == "part" else (quiet, high / 2)
        ax.add_patch(_patch(x, y + lifted, wide, high - 2 * lifted, page, edge, rounding))
        lines = _lines(box, wide - 0.12, narrow=len(self.rows[self.row[box]]) > 1)
        for i, (text, size, weight) in enumerate(lines):
            place = y + lifted + LINE * ((len(lines) - 1) / 2 - i)
            paint = quiet if i and box.role == "part" else ink
            ax.text(x, place, text, ha="center", va="center", fontsize=size, color=paint, fontweight=weight, zorder=5)

    def draw_group(self, ax, names: tuple[str, ...], first: int, last: int) -> None:
        """Draw a frame around one of several networks that work side by side."""
        quiet = plt.rcParams["axes.edgecolor"]
        top = self.middle[first] + self.high[first] / 2 + LABEL - 0.02
        bottom = self.middle[last] - self.high[last] / 2 - 0.1
        left, right = self.left - 0.08, self.right + 0.08
        middle, half = (left + right) / 2, (top + bottom) / 2
        patch = _patch(middle, half, right - left, top - bottom, "none", quiet, 0.08)
        patch.set(linestyle=(0, (4, 2)), zorder=0.5)
        ax.add_patch(patch)
        words = _fit(f"{len(names)} side by side: {', '.join(names)}", right - left - 0.2, SMALL)
        ax.text(left + 0.1, top - 0.13, words, va="center", fontsize=SMALL, zorder=5, **_behind())

    def draw_lines(self, ax, box: Box) -> None:
        """Draw the lines that lead into one box."""
        for source in box.sources:
            if (source, box) in self.lanes:
                self._beside(ax, source, box)
            else:
                self._down(ax, source, box)

    def _down(self, ax, source: Box, box: Box) -> None:
        (x, y, _, high), (u, v, _, deep) = self.frame(source), self.frame(box)
        here, there = self.row[source], self.row[box]
        half = (self.middle[here] - self.high[here] / 2 + self.middle[there] + self.high[there] / 2) / 2
        bend = [] if abs(x - u) < 0.01 else [(x, half), (u, half)]
        _line(ax, [(x, y - high / 2), *bend, (u, v + deep / 2)])

    def _beside(self, ax, source: Box, box: Box) -> None:
        side, lane = self.lanes[source, box]
        (x, y, wide, _), (u, v, far, _) = self.frame(source), self.frame(box)
        out = 0.12 + LANE * lane + (0.08 if self.groups else 0)
        edge = (self.right if side > 0 else self.left) + side * out
        _line(ax, [(x + side * wide / 2, y), (edge, y), (edge, v), (u + side * far / 2, v)])


def _rows(boxes: list[Box]) -> list[list[Box]]:
    """Put each box below all that it reads; parts that could stand beside each other do, two in a row."""
    level: dict[Box, int] = {}
    for box in boxes:
        level[box] = 1 + max((level[source] for source in box.sources), default=-1)
    for box in boxes:  # an input that is needed late stands just above its reader
        readers = [level[other] for other in boxes if box in other.sources]
        if box.role == "input" and readers:
            level[box] = max(0, min(readers) - 1)
    bottom = max(level.values())
    for box in boxes:
        level[box] = bottom if box.role == "output" else level[box]
    rows = []
    for i in range(1 + bottom):
        here = [box for box in boxes if level[box] == i]
        rows += [here[k : k + 2] for k in range(0, len(here), 2)]
    return rows


def _groups(rows) -> dict[tuple, tuple[int, int]]:
    """Return the first and the last row of each group of networks side by side."""
    found = {}
    for i, row in enumerate(rows):
        for group in {box.group for box in row if box.group}:
            found[group] = (found.get(group, (i, i))[0], i)
    return found


def _height(box: Box, beside: int) -> float:
    if box.role == "meeting":
        return DOT
    lines = (3 if beside > 1 else 2) if box.role == "part" else (2 if beside > 1 else 1)
    return LINE * lines + (0.08 if box.role == "part" else 0.16) + (0.1 if len(box.rows) > 1 else 0)


def _patch(x, y, wide, high, face, edge, rounding):
    corner = (x - wide / 2, y - high / 2)
    style = f"round,pad=0,rounding_size={rounding}"
    return FancyBboxPatch(corner, wide, high, boxstyle=style, fc=face, ec=edge, lw=1.3, zorder=3)


def _behind() -> dict:
    """Clear the page behind words that a line may cross."""
    return {"bbox": {"facecolor": plt.rcParams["figure.facecolor"], "edgecolor": "none", "pad": 1.5}}


def _line(ax, places) -> None:
    ink = plt.rcParams["axes.edgecolor"]
    look = {"arrowstyle": "-|>", "color": ink, "linewidth": 1.3, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 10}
    if len(places) > 2:
        ax.plot(*zip(*places[:-1], strict=True), color=ink, linewidth=1.3, zorder=1)
    ax.annotate("", places[-1], places[-2], arrowprops=look, zorder=2)


def _lines(box: Box, wide: float, narrow: bool) -> list[tuple[str, float, str]]:
    """Return the lines of text in a box: text, size, weight."""
    shape = _shape(box)
    if box.role != "part":
        words = [box.name, _squeezed(shape, wide)] if narrow else [f"{box.name}   {_squeezed(shape, wide - 1)}"]
        return [(_fit(text, wide, SMALL), SMALL, "normal") for text in words]
    name, kind = _names(box)
    title = [name, kind] if narrow else [f"{name} · {kind}" if kind else name]
    lines = [(_fit(text, wide, BIG), BIG, "normal" if i else "bold") for i, text in enumerate(title) if text]
    return [*lines, (_squeezed(shape, wide), SMALL, "normal")]


def _names(box: Box) -> tuple[str, str]:
    """Return the name of a part within its list, and its kind."""
    row = box.row
    times = re.search(r"\((.+) times\)$", row.title)
    name = re.search(r"[^.]*(\.[\d…]+)*$", row.path)[0] or row.kind
    kind = row.kind if row.kind.lower() != name.lower() and row.kind != "Sequential" else ""
    name = f"↻ {name}" if row.kind in RECURRENT else name
    return name, f"{kind} × {times[1]}".strip() if times else kind


def _shape(box: Box) -> str:
    """Write the shape that a box returns, without the batch; primes mean nothing in a picture."""
    shape = box.shape if box.role != "part" else str(box.row.outputs[0]) if box.row.outputs else "()"
    return " · ".join(shape[1:-1].replace("'", "").split(", ")[1:])


def _squeezed(shape: str, wide: float) -> str:
    """Write a shape as closely as a box demands."""
    for text in (shape, shape.replace(" · ", "·"), "×".join(re.findall(r"\d+(?=$| )", shape))):
        if len(text) <= wide / (0.58 * SMALL / 72):
            return text
    return _fit(text, wide, SMALL)


def _fit(text: str, wide: float, size: float) -> str:
    """Cut a text that is wider than its box; a letter is about 0.62 of its size wide."""
    most = int(wide / (0.62 * size / 72))
    return text if len(text) <= most else text[: most - 1] + "…"


def flow_alt(trace, depth: int | None = None) -> str:
    """Say in words what `flow` draws, for readers of screens. Taught on: book/how_to_read."""
    said, group = [f"Diagram of {trace.calls[0].kind}, from top to bottom."], ()
    for box in graph(trace, depth):
        if box.group and box.group != group:
            said.append(f"What follows is there once for each of {', '.join(box.group)}.")
        group = box.group or group
        sources = " and ".join(map(_called, box.sources)) or "nothing"
        shape = _shape(box).replace(" · ", ", ")
        name = "" if box.name == box.role else f" {box.name}"
        if box.role == "input":
            said.append(f"Input{name}: {shape}.")
        elif box.role == "output":
            said.append(f"Output{name}: {shape}, from {sources}.")
        elif box.role == "part":
            times = f", {len(box.rows)} of them in turn" if len(box.rows) > 1 else ""
            kind = f", {_names(box)[1].partition('×')[0].strip()}" if _names(box)[1] else ""
            said.append(f"{_called(box)}{kind}{times}, reads {sources} and returns {shape}.")
    return " ".join(said)


def _called(box: Box) -> str:
    if box.role == "meeting":
        inside = [_called(source) for source in box.sources]
        return f"the {MEETINGS[box.how]} of {box.name + ' of ' if box.count else ''}{' and '.join(inside)}"
    return _names(box)[0].removeprefix("↻ ") if box.role == "part" else box.name
