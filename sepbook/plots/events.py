"""A soundscape as a score: one row for each label, one bar for each event.

Taught on: book/data/scaper
"""

from matplotlib import patheffects

from sepbook.plots.style import axes, colour


def events(found, seconds: float, ax=None, title: str = ""):
    """Draw events over time; returns the axes.

    Each event has `label`, `start`, `end` (seconds) and `snr` (dB), as those of `sepbook.data.jams` have; the level
    stands in its bar. `seconds` is how long the whole is. Raises ValueError where there is no event.
    Taught on: book/data/scaper
    """
    found = list(found)
    if not found:
        raise ValueError("There is no event to draw: is the soundscape empty?")
    labels = list(dict.fromkeys(event.label for event in found))
    ax = axes(ax, 1.1 + 0.5 * len(labels))
    for event in found:
        row = labels.index(event.label)
        end = min(event.end, seconds)
        own = colour(event.label, row + 1)  # 0 is the mixture's, in a player too
        ax.barh(row, end - event.start, left=event.start, height=0.6, color=own)
        level = f"{event.snr:+.0f}".replace("-", "−")
        words = ax.text((event.start + end) / 2, row, f"{'0' if level[1:] == '0' else level} dB", fontsize=11)
        words.set(ha="center", va="center", color="white")
        words.set_path_effects([patheffects.withStroke(linewidth=1.5, foreground="#23282f")])
    ax.set_yticks(range(len(labels)), labels)
    ax.set(xlim=(0, seconds), ylim=(len(labels) - 0.5, -0.5), xlabel="time (s)", title=title)
    ax.grid(False, axis="y")
    return ax
