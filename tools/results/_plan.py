"""What `make results` would do, and how many core-hours it takes, from the times of the last runs."""

from sepbook.architectures import names
from tools.results import _edition, _queue, _stamp, systems
from tools.results._common import read


def table(experiments: list[str]) -> str:
    """Return a table: each experiment and each run of a system, its core-hours, and whether it is done."""
    lines, total = [], 0.0
    for name in experiments:
        for label, seconds, done in systems_rows() if name == "systems" else [experiment_row(name)]:
            hours = "   ?" if seconds is None else f"{seconds / 3600:7.2f}"
            lines.append(f"{label:32}{hours:>8}  {'done' if done else 'to do'}")
            total += 0.0 if done or seconds is None else seconds
    head = f"{'experiment':32}{'core-h':>8}"
    return "\n".join([head, "-" * 48, *lines, "-" * 48, f"{'to do':32}{total / 3600:8.2f}"])


def experiment_row(name: str) -> tuple[str, float | None, bool]:
    """Return the row of an experiment that is no system's."""
    module = f"tools.results.{name}"
    seconds = sum(_stamp.seconds_of(read(file)) for file, owner in _stamp.files().items() if owner == module)
    return name, seconds or None, _queue.row_of(_queue.Job(name, _edition.of_module(module))) is not None


def systems_rows():
    """Yield a row for each run of each system."""
    for name in names():
        for steps in systems.steps_of(name, "small"):
            part = read(f"architectures/{name}").get("small", {}).get(f"steps_{steps}", {})
            job = systems.job_of(name, "small", steps, 0)
            yield f"{name} small, {steps} steps", part.get("cpu_seconds"), _queue.row_of(job) is not None
