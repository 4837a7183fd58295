"""Examine the patients of the bug clinic, sick and mended, with five seeds. Writes results/training/bug_clinic.json.

Each function of `sepbook.check.training.sick` and `mended` goes through its examination: a small training or a small
measurement on the corpus. Beside the scores it is noted what would have warned anybody: an error, a warning, a shape
that differs, a loss that does not fall, a score below that of the untouched mixture.
"""

import statistics
import warnings

import torch
from torch import Tensor

from sepbook.check.training import examine, mended, sick, ward
from sepbook.data.corpus import songs
from sepbook.evaluation.metrics import si_sdr_improvement
from sepbook.training import checkpoint
from tools.results._common import clocks, write

SEEDS = (0, 1, 2, 3, 4)
PATIENTS = (
    "si_snr_loss",
    "pit_loss",
    "train",
    "validate",
    "make_masks",
    "resynthesise",
    "split",
    "mix",
    "set_level",
    "estimate",
)
NUMBERS = (
    "reported",
    "true",
    "band",
    "sum",
    "whole",
    "late",
    "clipped",
    "missing",
    "level",
    "offset",
    "drift",
    "saturated",
)


def sizes(value):
    """Return what a print of the shapes would show of a result."""
    if isinstance(value, Tensor):
        return tuple(value.shape)
    return (
        [sizes(part) for part in value[:2]] + [len(value)] if isinstance(value, list | tuple) else type(value).__name__
    )


def watched(name: str, module, seed: int) -> dict:
    """Examine one function, and note its shapes, its warnings and its errors."""
    shapes, function = [], getattr(module, name)

    def watch(*inputs):
        result = function(*inputs)
        shapes.append(sizes(result))
        return result

    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            result = getattr(examine, name)(watch, seed)
        except Exception as error:  # noqa: BLE001 (any error would be a finding)
            return {"error": str(error), "shapes": shapes, "warnings": []}
    return {**result, "error": None, "shapes": shapes, "warnings": sorted({str(w.message)[:60] for w in said})}


def patient(name: str) -> dict:
    """Examine a patient and its cure with every seed."""
    runs = {m.__name__.split(".")[-1]: [watched(name, m, seed) for seed in SEEDS] for m in (sick, mended)}
    scores = {kind: [run["score"] for run in rows] for kind, rows in runs.items()}
    means = {kind: statistics.mean(values) for kind, values in scores.items()}
    numbers = {
        k: {kind: [row[k] for row in rows] for kind, rows in runs.items()} for k in NUMBERS if k in runs["sick"][0]
    }
    numbers |= {f"{k}_mean": {kind: statistics.mean(row) for kind, row in v.items()} for k, v in numbers.items()}
    first = {kind: rows[0] for kind, rows in runs.items()}
    curves = {
        k: {kind: short(row[k]) for kind, row in first.items()}
        for k in ("curve", "quality", "values", "each")
        if k in first["sick"]
    }
    content = {"scores": scores, **means, "reached": means["sick"] / means["mended"], **numbers, **curves}
    return content | {"seen_by": alarms(runs, means)}


def short(values: list[float]) -> list[float]:
    return [round(value, 3) for value in values]


def alarms(runs: dict, means: dict) -> dict:
    """Say which signs a careful look would have found without knowing the bug."""
    pairs = list(zip(runs["sick"], runs["mended"], strict=True))
    signs = {
        "error": any(a["error"] for a, _ in pairs),
        "shape": any(a["shapes"] != b["shapes"] for a, b in pairs),
        "warning": sorted({line for a, b in pairs for line in a["warnings"] if line not in b["warnings"]}),
        "below_mixture": means["sick"] <= 0,
    }
    if "curve" in runs["sick"][0]:
        signs["loss_falls"] = all(sum(a["curve"][-10:]) < sum(a["curve"][:10]) for a, _ in pairs)
    return signs


def wide() -> dict:
    """Patient 10 with a wide layer: random features, and so many that nothing needs to be learned there."""
    return {
        m.__name__.split(".")[-1]: [examine.estimate(m.estimate, seed, H=64)["score"] for seed in SEEDS]
        for m in (sick, mended)
    }


def unet_modes() -> dict:
    """Score the shipped U-Net in both modes: each test song alone, and beside three silent items (padding)."""
    gains = {"eval": [], "train": [], "padded": [], "padded_eval": []}
    for song in songs("test"):
        sources = song.sources(start=5 * ward.RATE, length=4 * ward.RATE)
        alone = sources.sum(0)[None]
        padded = torch.cat([alone, torch.zeros(3, *alone.shape[1:])])
        for kind, batch in {"eval": alone, "train": alone, "padded": padded, "padded_eval": padded}.items():
            system = checkpoint.shipped("unet").train(kind in ("train", "padded"))
            with torch.no_grad():
                heard = system(batch)[0]
            gains[kind].append(si_sdr_improvement(heard, sources, sources.sum(0)).nanmean().item())
    return {kind: {"each": values, "mean": statistics.mean(values)} for kind, values in gains.items()}


def run() -> None:
    torch.set_num_threads(1)
    torch.set_warn_always(True)
    with clocks() as time:
        patients = {}
        for name in PATIENTS:
            patients[name] = patient(name)
            print(
                f"{name:14} sick {patients[name]['sick']:7.1f} dB, mended {patients[name]['mended']:5.1f} dB",
                flush=True,
            )
        content = {
            "seeds": list(SEEDS),
            "steps": examine.STEPS,
            "patients": patients,
            "wide": wide(),
            "unet": unet_modes(),
        }
    signs = [each["seen_by"] for each in patients.values()]
    content["count"] = {
        "patients": len(signs),
        "error": sum(sign["error"] for sign in signs),
        "shape": sum(sign["shape"] for sign in signs),
        "warning": sum(bool(sign["warning"]) for sign in signs),
        "below_mixture": sum(sign["below_mixture"] for sign in signs),
        "curves": sum("loss_falls" in sign for sign in signs),
        "loss_falls": sum(sign.get("loss_falls", False) for sign in signs),
    }
    write("training/bug_clinic", {**content, **time})
