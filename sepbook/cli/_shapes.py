"""What `sepbook shapes` does: trace a system, and give the trace to other programs."""

import torch

from sepbook import architectures, shapes
from sepbook.cli._loading import adopted, create_system
from sepbook.training.rehearsal import rehearse


def trace_system(name, preset, fields, seconds, depth, time, unfold=False):
    """Trace a fresh system; without `time` nothing is computed, so that any size fits into memory."""
    if not 0 < seconds < float("inf"):
        raise ValueError(f"--seconds {seconds}: expected a length above 0, for example 3")
    if (name := adopted(name)) in architectures.OWN:
        rehearse(create_system(name, preset, fields))
    with torch.device("cpu" if time else "meta"):
        system = create_system(name, preset, fields)
        mixture = torch.zeros(1, system.channels, max(1, round(seconds * system.sample_rate)))  # (B, C, N)
        return system, shapes.trace(system, mixture, time=time, depth=depth, unfold=unfold)


def trace_as_dict(system, trace) -> dict:
    """The trace as plain dicts, lists and numbers."""
    return {
        "system": system.name,
        "preset": system.preset,
        "source_names": list(system.source_names),
        "sample_rate": system.sample_rate,
        "parameters": trace.parameters,
        "macs": trace.macs,
        "macs_per_second": trace.macs_per_second(),
        "uncounted": trace.uncounted,
        "rows": [
            {
                "path": row.path,
                "kind": row.kind,
                "times": row.times,
                "inputs": [_shape(shape) for shape in row.inputs],
                "outputs": [_shape(shape) for shape in row.outputs],
                "parameters": row.parameters,
                "macs": row.macs,
                "receptive_field": row.receptive_field,
                "milliseconds": row.milliseconds,
            }
            for row in trace.rows
        ],
    }


def _shape(shape) -> dict:
    return {"name": shape.name, "sizes": list(shape.sizes), "text": str(shape)}
