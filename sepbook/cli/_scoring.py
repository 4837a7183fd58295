"""What `sepbook evaluate` does: score a system, and the ideal mask beside it, at one rate or at two."""

from sepbook.evaluation import metrics, oracles


def rates_to_score(system, tracks, at: str | None) -> list[str]:
    """At which rates: those asked for, or the tracks' and, where that is lower, the system's."""
    if at is not None:
        return [at]
    lower = any(system.sample_rate < track.sample_rate for track in tracks)
    return ["track", "system"] if lower else ["track"]


def score_all(system, tracks, at: str | None, oracle: bool, progress: bool) -> dict:
    """Return tables by name: `scores` and, on request, `oracle`; those at the system's rate end in `_at_system`."""
    tables = {}
    for rate in rates_to_score(system, tracks, at):
        ending = "_at_system" if rate == "system" else ""
        tables[f"scores{ending}"] = metrics.evaluate(system, tracks, progress, rate)
        if oracle:
            seen = metrics.at_rate(tracks, system.sample_rate) if rate == "system" else tracks
            tables[f"oracle{ending}"] = oracles.evaluate(seen, system.source_names, progress=progress)
    return tables
