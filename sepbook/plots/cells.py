"""Drawings of recurrent layers: the inside of one step, and the steps unrolled over time.

Taught on: book/building_blocks/recurrent
"""

from matplotlib import pyplot as plt
from matplotlib.patches import Circle, FancyBboxPatch

from sepbook.plots.style import OTHERS, WIDTH

ROUND = 0.27
PAINT = {"f": "rose", "i": "teal", "o": "blue", "z": "rose", "r": "teal"}  # gates; candidates stay grey

# Boxes: letter, what is in it, x, y. Each is given x_t and h_{t-1} from below.
GATES = {
    "rnn": [("h", "tanh", 5.0, 2.3)],
    "lstm": [("f", "σ", 2.3, 2.3), ("i", "σ", 3.9, 2.3), ("g", "tanh", 5.5, 2.3), ("o", "σ", 7.1, 2.3)],
    "gru": [("r", "σ", 2.4, 2.3), ("z", "σ", 4.6, 2.3), ("n", "tanh", 6.4, 2.3)],
}
# Small circles: what is done there, x, y.
POINTS = {
    "rnn": [],
    "lstm": [("×", 2.3, 5.2), ("+", 4.7, 5.2), ("×", 4.7, 3.8), ("×", 8.3, 3.5)],
    "gru": [("×", 2.4, 3.6), ("×", 4.6, 5.2), ("×", 7.7, 4.4), ("+", 7.7, 5.2)],
}
PLAIN = {
    "rnn": [],
    "lstm": [("tanh", 8.3, 4.4)],
    "gru": [("1−", 6.1, 4.4), ("$U_n$", 2.4, 4.4)],
}  # plain boxes: text, x, y
# Lines: the places they pass; a line that begins or ends at a box or circle is cut at its edge.
FLOWS = {
    "rnn": [[(5.0, 2.3), (5.0, 3.8), (10.0, 3.8)]],
    "lstm": [
        [(0.0, 5.2), (2.3, 5.2)],
        [(2.3, 5.2), (4.7, 5.2)],
        [(4.7, 5.2), (10.0, 5.2)],
        [(2.3, 2.3), (2.3, 5.2)],
        [(3.9, 2.3), (3.9, 3.8), (4.7, 3.8)],
        [(5.5, 2.3), (5.5, 3.8), (4.7, 3.8)],
        [(4.7, 3.8), (4.7, 5.2)],
        [(8.3, 5.2), (8.3, 4.4)],
        [(8.3, 4.4), (8.3, 3.5)],
        [(7.1, 2.3), (7.1, 3.5), (8.3, 3.5)],
        [(8.3, 3.5), (8.3, 1.0), (10.0, 1.0)],
    ],
    "gru": [
        [(0.0, 5.2), (4.6, 5.2)],
        [(4.6, 5.2), (7.7, 5.2)],
        [(7.7, 5.2), (10.0, 5.2)],
        [(2.4, 5.2), (2.4, 4.4)],
        [(2.4, 4.4), (2.4, 3.6)],
        [(2.4, 2.3), (2.4, 3.6)],
        [(2.4, 3.6), (6.4, 3.6), (6.4, 2.3)],
        [(4.6, 2.3), (4.6, 5.2)],
        [(4.6, 4.4), (6.1, 4.4)],
        [(6.1, 4.4), (7.7, 4.4)],
        [(6.4, 2.3), (7.7, 2.3), (7.7, 4.4)],
        [(7.7, 4.4), (7.7, 5.2)],
    ],
}
NAMES = {  # text, x, y, side
    "rnn": [("$h_t$", 10.1, 3.8, "left")],
    "lstm": [("$c_{t-1}$", -0.1, 5.2, "right"), ("$c_t$", 10.1, 5.2, "left"), ("$h_t$", 10.1, 1.0, "left")],
    "gru": [("$h_{t-1}$", -0.1, 5.2, "right"), ("$h_t$", 10.1, 5.2, "left")],
}
TOP = {"rnn": 4.4, "lstm": 5.8, "gru": 5.8}


def recurrent_cell(kind: str):
    """Draw the inside of one step of a recurrent layer, "rnn", "lstm" or "gru"; returns the figure.

    Boxes have weights, and are given x_t (from below, grey) and h_{t-1}; circles multiply or add element by element.
    Raises ValueError for another kind. Taught on: book/building_blocks/recurrent
    """
    if kind not in GATES:
        raise ValueError(f"kind {kind!r} is unknown; choose one of {', '.join(GATES)}")
    top = TOP[kind]
    figure, ax = _sheet((-1.3, 11.1), (-0.75, top + 0.1), WIDTH * (top + 0.85) / 12.4)  # circles stay round
    ax.add_patch(_box(0.7, 0.15, 8.6, top - 0.15, plt.rcParams["grid.color"], alpha=0.35))
    _inputs(ax, kind)
    edges = {(x, y): (0.52, 0.36) for _, _, x, y in GATES[kind]} | {(x, y): (0.5, 0.28) for _, x, y in PLAIN[kind]}
    edges |= {(x, y): (ROUND, ROUND) for _, x, y in POINTS[kind]}
    for places in FLOWS[kind]:
        _flow(ax, places, edges)
    for letter, text, x, y in GATES[kind]:
        paint = OTHERS[PAINT[letter]] if letter in PAINT else plt.rcParams["axes.edgecolor"]
        ax.add_patch(_box(x - 0.52, y - 0.36, 1.04, 0.72, plt.rcParams["figure.facecolor"], paint))
        ax.text(x, y, text, ha="center", va="center")
        ax.text(x + 0.12, y + 0.62, f"${letter}$", color=paint, va="center", fontsize=13)
    for text, x, y in PLAIN[kind]:
        ax.add_patch(_box(x - 0.5, y - 0.28, 1.0, 0.56, plt.rcParams["figure.facecolor"], plt.rcParams["text.color"]))
        ax.text(x, y, text, ha="center", va="center", fontsize=11)
    for text, x, y in POINTS[kind]:
        face, edge = plt.rcParams["figure.facecolor"], plt.rcParams["text.color"]
        ax.add_patch(Circle((x, y), ROUND, facecolor=face, edgecolor=edge, linewidth=1.2, zorder=4))
        ax.text(x, y, text, ha="center", va="center", zorder=5)
    for text, x, y, side in NAMES[kind]:
        ax.text(x, y, text, ha=side, va="center", fontsize=13)
    return figure


def _inputs(ax, kind: str) -> None:
    """Draw what every box is given: x_t along one line, h_{t-1} along another. A GRU's candidate has its own h."""
    gates, ink, grey = GATES[kind], plt.rcParams["text.color"], plt.rcParams["axes.edgecolor"]
    low, high, begin = 0.55, 1.0, 1.2
    if kind == "gru":
        ax.plot([begin, begin, gates[1][2] + 0.22], [5.2, high, high], color=ink, linewidth=1.2)
        ax.plot([begin], [5.2], "o", color=ink, markersize=3.5)
    else:
        ax.plot([0.0, gates[-1][2] + 0.22], [high, high], color=ink, linewidth=1.2)
        ax.text(-0.1, high, "$h_{t-1}$", ha="right", va="center", fontsize=13)
    ax.plot([gates[0][2] - 0.8] * 2 + [gates[-1][2] - 0.22], [-0.3, low, low], color=grey, linewidth=1.6)
    ax.text(gates[0][2] - 0.8, -0.42, "$x_t$", ha="center", va="top", fontsize=13)
    for letter, _, x, y in gates:
        _arrow(ax, (x - 0.22, low), (x - 0.22, y - 0.36), grey)
        if letter != "n":
            _arrow(ax, (x + 0.22, high), (x + 0.22, y - 0.36), ink)


def unrolled(frames: int = 4, bidirectional: bool = False):
    """Draw a recurrent layer unrolled over time, in one direction or in two; returns the figure.

    Raises ValueError for less than two frames. Taught on: book/building_blocks/recurrent
    """
    if frames < 2:
        raise ValueError(f"frames is {frames}; an unrolled layer needs at least 2")
    rows = [(1.0, 1, "blue", "step")] + ([(2.2, -1, "rose", "step")] if bidirectional else [])
    top = rows[-1][0] + 1.3
    figure, ax = _sheet((-0.9, 2.0 * frames + 0.1), (-0.75, top + 0.5), 0.62 * (top + 1.2))
    ink, grey = plt.rcParams["text.color"], plt.rcParams["axes.edgecolor"]
    for t in range(frames):
        x = 2.0 * t + 0.6
        for row, (y, way, name, text) in enumerate(rows):
            side = 0.34 * (row - (len(rows) - 1) / 2)
            _arrow(ax, (x + side, 0.0), (x + side, y - 0.3), grey)
            _arrow(ax, (x + side, y + 0.3), (x + side, top), OTHERS[name])
            ax.add_patch(_box(x - 0.62, y - 0.3, 1.24, 0.6, plt.rcParams["figure.facecolor"], OTHERS[name]))
            ax.text(x, y, text, ha="center", va="center", zorder=6)
            first = t == 0 if way == 1 else t == frames - 1
            begin = x - way * (1.3 if first else 1.38)
            _arrow(ax, (begin, y), (x - way * 0.62, y), OTHERS[name])
            if first:
                ax.text(begin - way * 0.05, y, "$0$", ha="right" if way == 1 else "left", va="center")
        ax.text(x, -0.08, f"$x_{t + 1}$", ha="center", va="top", fontsize=13)
        ax.text(x, top + 0.06, f"$y_{t + 1}$", ha="center", va="bottom", fontsize=13, color=ink)
    return figure


def _sheet(across, up, height: float):
    figure, ax = plt.subplots(figsize=(WIDTH, round(height, 1)))
    ax.set(xlim=across, ylim=up)
    ax.axis("off")
    return figure, ax


def _box(x, y, width, height, face, edge="none", alpha=1.0):
    style = {
        "facecolor": face,
        "edgecolor": edge,
        "linewidth": 1.6,
        "alpha": alpha,
        "zorder": 0 if edge == "none" else 3,
    }
    return FancyBboxPatch((x, y), width, height, boxstyle="round,pad=0,rounding_size=0.12", **style)


def _arrow(ax, start, end, paint) -> None:
    look = {"arrowstyle": "-|>", "color": paint, "linewidth": 1.4, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 9}
    ax.annotate("", end, start, arrowprops=look, zorder=2)


def _flow(ax, places, edges) -> None:
    """Draw a line through places, with an arrow at its end; boxes and circles at both ends are left free."""
    places, ink = [*places], plt.rcParams["text.color"]
    places[0], places[-1] = (
        _edge(places[0], places[1], edges.get(places[0])),
        _edge(places[-1], places[-2], edges.get(places[-1])),
    )
    ax.plot(*zip(*places[:-1], strict=True), color=ink, linewidth=1.4, zorder=1)
    _arrow(ax, places[-2], places[-1], ink)


def _edge(place, toward, half):
    """Return where a line from `place` toward another point leaves a box of this half width and half height."""
    if half is None:
        return place
    across, up = toward[0] - place[0], toward[1] - place[1]
    sign = 1 if across + up > 0 else -1
    return (place[0] + sign * half[0], place[1]) if across else (place[0], place[1] + sign * half[1])
