"""Score every kind of ideal mask on the test songs. Writes results/foundations/masks.json."""

from sepbook.data.corpus import songs
from sepbook.evaluation.oracles import evaluate
from tools.results._common import clocks, write

# What the page calls each mask, its kind, and its power.
MASKS = {
    "binary": ("binary", 1.0),
    "ratio_1": ("ratio", 1.0),
    "ratio_2": ("ratio", 2.0),
    "truncated": ("truncated_phase_sensitive", 1.0),
    "phase_sensitive": ("phase_sensitive", 1.0),
    "complex": ("complex", 1.0),
}
ORDER = ("ratio_1", "binary", "ratio_2", "truncated", "phase_sensitive", "complex")


def run() -> None:
    tracks = songs("test")
    names = tracks[0].stem_names
    content = {}
    with clocks() as time:
        for label, (kind, p) in MASKS.items():
            scores = evaluate(tracks, names, kind, p, progress=False)
            print(scores, flush=True)
            songwise = [row["improvement"] for row in scores.as_dict()["per_track"]]
            content[label] = {"mean": scores.mean(), **scores.per_source(), "per_track": songwise}
    pairs = {"binary_over_ratio_1": ("binary", "ratio_1"), "truncated_over_ratio_1": ("truncated", "ratio_1")}
    content["wins"] = {name: wins(content[a], content[b]) for name, (a, b) in pairs.items()}
    content["wins"]["same_order"] = same_order([content[name] for name in ORDER])
    write("foundations/masks", {**content, **time})


def wins(a: dict, b: dict) -> dict:
    """Count in how many stems of all songs mask a gains more than mask b."""
    rows = zip(a["per_track"], b["per_track"], strict=True)
    pairs = [(x[name], y[name]) for x, y in rows for name in x if x[name] is not None]  # None: a silent stem
    return {"wins": sum(x > y for x, y in pairs), "of": len(pairs), "by": a["mean"] - b["mean"]}


def same_order(rising: list[dict]) -> dict:
    """Count in how many stems of all songs each mask gains more than the one before it."""
    songs_ = zip(*(mask["per_track"] for mask in rising), strict=True)
    columns = [[row[name] for row in rows] for rows in songs_ for name in rows[0] if rows[0][name] is not None]
    return {"wins": sum(column == sorted(column) for column in columns), "of": len(columns)}
