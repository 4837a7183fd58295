"""Who grew out of whom: systems by the year of their paper, an arrow from each to those that took it further.

Taught on: book/architectures/overview
"""

from matplotlib import pyplot as plt
from matplotlib.patches import FancyBboxPatch

from sepbook.plots.style import axes, colour

WIDE, HIGH = 0.86, 0.76  # of a box, in years and rows
NAME = 10  # letters of a name that is broken at its hyphen
PAINT = {"spectrogram": "blue", "samples": "teal"}  # what a system reads, and the colour of its box


def family(systems: dict[str, dict], ax=None, title: str = ""):
    """Draw a family tree, the years from left to right; returns the axes.

    `systems` holds by name: ``title``, ``year``, ``row``, ``domain`` ("spectrogram" or "samples") and ``after``, the
    names of those that it grew out of (may be missing). Raises ValueError where one grew out of a name that is not
    there or out of a later year, and where two take one place. Taught on: book/architectures/overview
    """
    places = _places(systems)
    years, rows = ([place[i] for place in places.values()] for i in (0, 1))
    ax = axes(ax, 0.5 + 0.46 * (max(rows) + 1))
    for name, entry in systems.items():
        for before in entry.get("after", ()):
            _arrow(ax, places[before], places[name])
        _box(ax, places[name], entry)
    ax.set_xticks(sorted(set(years)), [str(year) for year in sorted(set(years))])
    ax.set(xlim=(min(years) - 0.5, max(years) + 0.5), ylim=(max(rows) + 0.5, -0.5), yticks=[], title=title)
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    ax.grid(False)
    return ax


def _places(systems: dict[str, dict]) -> dict[str, tuple[int, int]]:
    """Return year and row of each system, once all is as it must be."""
    places: dict[str, tuple[int, int]] = {}
    for name, entry in systems.items():
        place = entry["year"], entry["row"]
        if place in places.values():
            raise ValueError(f"{name} stands where another one does already: year {place[0]}, row {place[1]}")
        places[name] = place
        for before in entry.get("after", ()):
            if before not in systems:
                raise ValueError(f"{name} grew out of {before!r}, which is not there: {', '.join(systems)}")
            if systems[before]["year"] > entry["year"]:
                raise ValueError(f"{name} ({entry['year']}) grew out of {before} ({systems[before]['year']})")
    return places


def _box(ax, place, entry) -> None:
    (x, y), paint = place, colour(PAINT.get(entry["domain"], "mixture"))
    shape = {"boxstyle": "round,pad=0,rounding_size=0.08", "mutation_aspect": 0.8, "linewidth": 1.6, "zorder": 2}
    patch = FancyBboxPatch((x - WIDE / 2, y - HIGH / 2), WIDE, HIGH, **shape)
    patch.set(facecolor=plt.rcParams["figure.facecolor"], edgecolor=paint)
    ax.add_patch(patch)
    ax.text(x, y, _lines(entry["title"]), ha="center", va="center", fontsize=7.6, linespacing=1.05, zorder=3)


def _lines(title: str) -> str:
    """Break a title at its first space, and a long name without one behind its first hyphen."""
    if " " in title:
        return title.replace(" ", "\n", 1)
    return title if len(title) < NAME else title.replace("-", "-\n", 1)


def _arrow(ax, start, end) -> None:
    """From the right edge of one box to the left edge of a later one; within a year, from edge to edge upright."""
    (x0, y0), (x1, y1) = start, end
    if x0 == x1:
        up = HIGH / 2 if y1 > y0 else -HIGH / 2
        tail, head = (x0, y0 + up), (x1, y1 - up)
    else:
        tail, head = (x0 + WIDE / 2, y0), (x1 - WIDE / 2, y1)
    style = {"arrowstyle": "-|>", "color": plt.rcParams["axes.edgecolor"], "lw": 1, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", head, tail, arrowprops=style, zorder=1)
