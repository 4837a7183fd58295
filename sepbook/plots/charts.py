"""Pictures of numbers: curves, courses of training, bars with intervals.

Taught on: book/training/loop
"""

import numpy as np
from matplotlib import pyplot as plt

from sepbook.plots.style import COLOURS, DASHES, WIDTH, axes, colour, numbers


def curves(x, lines: dict, ax=None, xlabel: str = "", ylabel: str = "", title: str = ""):
    """Draw named lines over `x`; returns the axes.

    `lines` maps names to values, or to (values, low, high) for a line with its interval. Each line has a colour and
    a dash pattern of its own. Raises ValueError when a line is not as long as `x`. Taught on: book/how_to_read
    """
    ax, x = axes(ax), numbers(x)
    for i, (name, line) in enumerate(lines.items()):
        values, *interval = line if isinstance(line, tuple) else (line,)
        values = numbers(values)
        if values.shape != x.shape:
            raise ValueError(f"The line {name!r} has {values.shape} values, but x has {x.shape}: give one per x.")
        paint = colour(name, i)
        ax.plot(x, values, color=paint, linestyle=DASHES[i % len(DASHES)], label=name)
        if interval:
            ax.fill_between(x, *(numbers(edge) for edge in interval), color=paint, alpha=0.2, linewidth=0)
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title)
    if len(lines) > 1:
        ax.legend()
    return ax


def courses(lines: dict, on: str, ax=None):
    """Draw how runs went on, by their looks at validation data; returns the axes.

    `lines` maps the name of each run to its looks, [step, gain in dB] each; runs may be of different lengths. `on` says
    what they looked at. Taught on: book/architectures/mask_inference
    """
    ax = axes(ax, 3.2 + 0.22 * len(lines))
    for i, (name, looks) in enumerate(lines.items()):
        steps, gains = zip(*looks, strict=True)
        ax.plot(steps, gains, color=colour(name, i), linestyle=DASHES[i % len(DASHES)], marker="o", ms=4, label=name)
    ax.set(xlabel="step", ylabel=f"SI-SDR improvement\non {on} (dB)")
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1))  # above: courses end anywhere
    return ax


def courses_alt(lines: dict, of: str, on: str) -> str:
    """Return the text for who cannot see `courses(lines, on)`: where each run of the system `of` began and ended.

    Taught on: book/architectures/mask_inference
    """
    words = [
        f"{name}: from {looks[0][1]:.1f} dB at step {looks[0][0]} to {looks[-1][1]:.1f} dB at step {looks[-1][0]}"
        for name, looks in lines.items()
    ]
    return f"Courses of the training of {of}, by the gain on {on}. {'. '.join(words)}."


def loss_curve(history, keys=("valid_si_sdr_improvement",), smooth: int | None = None):
    """Draw what happened during training; returns the figure.

    `history` has `.rows`, or is a list of them: dicts with "step" and numbers. Above is the loss: of every step
    where the history has `.losses`, with a running mean over `smooth` steps, else of the rows. Below is one panel for
    each of `keys` that the rows have. Raises ValueError for an empty history. Taught on: book/training/loop
    """
    rows = list(getattr(history, "rows", history))
    losses = list(getattr(history, "losses", []))
    if not rows and not losses:
        raise ValueError("The history is empty: train for at least one step before drawing it.")
    found = [key for key in keys if any(key in row for row in rows)]
    figure, panels = plt.subplots(
        1 + len(found), 1, sharex=True, squeeze=False, figsize=(WIDTH, 2.4 + 1.7 * len(found))
    )
    _losses(panels[0, 0], rows, losses, smooth)
    for ax, key in zip(panels[1:, 0], found, strict=True):
        steps = [row["step"] for row in rows if key in row]
        ax.plot(steps, [row[key] for row in rows if key in row], color=colour("blue"), marker="o", markersize=4)
        ax.set_ylabel(LABELS.get(key, key.replace("_", " ")))
    panels[-1, 0].set_xlabel("step")
    return figure


LABELS = {"valid_si_sdr_improvement": "validation\nSI-SDR gain (dB)", "learning_rate": "learning rate"}


def _losses(ax, rows, losses, smooth) -> None:
    if not losses:
        ax.plot([row["step"] for row in rows], [row["loss"] for row in rows], color=colour("brown"), marker="o")
    else:
        steps = np.arange(1, len(losses) + 1)
        smooth = smooth or max(1, len(losses) // 25)
        ax.plot(steps, losses, color=colour("mixture"), linewidth=0.9, alpha=0.8, label="each step")
        ax.plot(steps, running_mean(losses, smooth), color=colour("brown"), label=f"mean of {smooth} steps")
        ax.legend()
    ax.set_ylabel("loss")


def running_mean(values, width: int) -> np.ndarray:
    """Return at each place the mean of the `width` values around it, of fewer at the ends.

    Taught on: book/training/loop
    """
    total = np.cumsum(np.concatenate([[0.0], numbers(values)]))
    places = np.arange(len(total) - 1)
    starts = np.maximum(places - (width - 1) // 2, 0)
    ends = np.minimum(places + width // 2 + 1, len(total) - 1)
    return (total[ends] - total[starts]) / (ends - starts)


def bars(values: dict, unit: str = "dB", ax=None, title: str = "", decimals: int = 1):
    """Draw horizontal bars with their numbers and intervals; returns the axes.

    `values` maps names to a number or to (mean, low, high); or it maps groups (systems, say) to such dicts, which
    are then drawn side by side and told apart by a hatch. Sources keep their colours; of other names a colour says
    only the group. Taught on: book/evaluation/metrics
    """
    groups = values if isinstance(next(iter(values.values())), dict) else {"": values}
    names = list(dict.fromkeys(name for group in groups.values() for name in group))
    thick = 0.8 / len(groups)
    ax = axes(ax, 0.9 + max(0.42, 0.3 * len(groups)) * len(names))
    for i, (group, entries) in enumerate(groups.items()):
        look = {"hatch": HATCHES[i % len(HATCHES)], "edgecolor": _page(), "linewidth": 0}
        for j, name in enumerate(names):
            if name in entries:
                at = j + (i - (len(groups) - 1) / 2) * thick
                paint = COLOURS.get(str(name).lower()) or colour(group, i)
                _bar(ax, at, entries[name], thick * 0.9, {"color": paint, **look}, decimals)
        if group:
            sources = any(str(name).lower() in COLOURS for name in names)
            ax.barh([0], [0], label=group, color=colour("mixture" if sources else group, i), **look)
    ax.set_yticks(range(len(names)), names)
    ax.set(xlabel=unit, title=title, ylim=(len(names) - 0.5, -0.5))
    ax.grid(False, axis="y")
    _room(ax, [_ends(value) for entries in groups.values() for value in entries.values()], decimals)
    ax.axvline(0, color=plt.rcParams["axes.edgecolor"], linewidth=0.8)
    if len(groups) > 1:
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
    return ax


HATCHES = ("", "///", "...", "xx")
DIGIT = 0.027  # of the width of the axes: a digit of a bar's number


def _ends(value) -> tuple[float, float, float]:
    """Return (mean, low, high) of a number or of three."""
    mean, low, high = value if isinstance(value, tuple | list) else (value, value, value)
    return float(mean), float(low), float(high)


def _words(mean: float, decimals: int) -> str:
    """Return the number at a bar: what rounds to zero has no sign."""
    return f"{round(mean, decimals) + 0.0:.{decimals}f}".replace("-", "\N{MINUS SIGN}")


def _room(ax, ends, decimals: int) -> None:
    """Leave room for the numbers beside the longest bars, on both sides of zero."""
    low, high = min(0.0, *(min(end) for end in ends)), max(0.0, *(max(end) for end in ends))
    digits = max(len(_words(mean, decimals)) for mean, _, _ in ends)
    share = (digits + 1) * DIGIT + 0.02
    left = share * any(mean < 0 for mean, _, _ in ends)
    right = share * any(mean >= 0 for mean, _, _ in ends)
    span = (high - low or 1.0) / (1 - left - right)
    ax.set_xlim(low - left * span, high + max(right, 0.01) * span)


def _page() -> str:
    return plt.rcParams["figure.facecolor"]


def _bar(ax, at: float, value, thick: float, look: dict, decimals: int) -> None:
    mean, low, high = _ends(value)
    ax.barh(at, mean, thick, **look)
    if high > low:
        ax.plot([low, high], [at, at], color=plt.rcParams["text.color"], linewidth=1.6, marker="|", markersize=7)
    edge = max(mean, high) if mean >= 0 else min(mean, low)
    side = 1 if mean >= 0 else -1
    ax.annotate(
        _words(mean, decimals),
        (edge, at),
        xytext=(6 * side, 0),
        textcoords="offset points",
        ha="left" if side > 0 else "right",
        va="center",
        fontsize=11,
    )
