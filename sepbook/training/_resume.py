"""Is this the run that shall go on, and is all of it there? Every answer but yes is a CheckpointError in words."""

import dataclasses
import inspect
import json
import math
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch
from torch import Tensor

from sepbook.training import checkpoint
from sepbook.training.checkpoint import CheckpointError

FREE = ("folder", "resume", "workers", "device", "compile", "save_every", "hold_tracks")  # may differ
LOOKED_AT = 4  # items whose fingerprints are compared
TOLERANCE = 0.2  # fingerprints of files that another release has decoded differ by less


def versions() -> dict[str, str]:
    """The releases that a run was computed with: under others it goes on, but its last digits may differ."""
    try:
        own = version("sepbook")
    except PackageNotFoundError:  # a clone that is not installed
        own = ""
    return {"torch": torch.__version__, "sepbook": own}


def about_data(data) -> dict:
    """What identifies a data set, ready for JSON: its size, stems and own settings, and fingerprints of some items."""
    if data is None:
        return {}
    settings = data.settings() if hasattr(data, "settings") else {}
    lengths = [getattr(track, "length", 0) for track in getattr(data, "tracks", ())]
    found = {"items": len(data), "stems": list(data.source_names), "track_lengths": sum(lengths), **settings}
    places = sorted({i * len(data) // LOOKED_AT for i in range(LOOKED_AT)})
    return {**found, "fingerprints": [_fingerprint(data[i]["sources"]) for i in places]}


def _fingerprint(sources: Tensor) -> list[list[float | None]]:
    """Describe each source by two numbers: its level in dB, and how far it goes the way of a certain noise.

    Another decoder's rounding leaves both as they are; another sound, however loud, changes the second. A source that
    holds NaN has neither: its file may be mended.
    """
    x = sources.detach().cpu().double().flatten(1)  # (S, C · N)
    noise = torch.randn(x.shape[1], generator=torch.Generator().manual_seed(0), dtype=x.dtype)
    energy = x.square().mean(1)  # (S,)
    ways = (x @ noise) / x.norm(dim=1).clamp(min=1e-12)  # about -2 to 2, whatever the level
    pairs = torch.stack([10 * energy.clamp(min=1e-12).log10(), ways], dim=1)  # (S, 2)
    return [[round(value, 3) if math.isfinite(value) else None for value in pair] for pair in pairs.tolist()]


def check_same_run(path: Path, header: dict, now: dict) -> None:
    """Raise CheckpointError when a run would be resumed as another one; the difference is named."""
    if "train" not in header:
        raise CheckpointError(f"{path}: holds weights, but not a training run that could go on")
    for name, kind in FIELDS.items():
        if not isinstance(header.get(name), kind):
            raise damaged(path, f"{name!r} is {'missing' if name not in header else 'of a wrong kind'}")
    flat = [
        {"system": h["system"], "preset": h["preset"], "processes": h["processes"], **h["train"], **h["config"]}
        for h in (header, now)
    ]
    _refuse_difference(path, *flat)
    for name, whose in (("data", "the data's "), ("valid", "the validation data's ")):
        was, is_ = dict(header[name]), dict(now[name])
        fingerprints = was.pop("fingerprints", []), is_.pop("fingerprints", [])
        _refuse_difference(path, was, is_, whose)
        if not _alike(*fingerprints):
            raise CheckpointError(
                f"{path}: {whose}sound has changed since this run was started, although its settings are the same. "
                "Bring the old files back, or use another folder for a new run"
            )


def describe(run) -> dict:
    """What must be the same when a run goes on, as JSON gives it back."""
    found = {
        **checkpoint.describe(run.system),
        "train": dataclasses.asdict(run.config),
        "processes": run.world.size,
        "data": about_data(run.data),
        "valid": about_data(run.valid),
    }
    return json.loads(json.dumps(found))


FIELDS = {
    "system": str,
    "preset": str,
    "config": dict,
    "train": dict,
    "processes": int,
    "tensors": int,
    "data": dict,
    "valid": dict,
    "versions": dict,
    "history": dict,
    "sums": dict,
    "optimizer": dict,
    "scaler": dict,
    "plateau": dict,
}


def damaged(path: Path, what: str) -> CheckpointError:
    """Return the error for a run that is not whole."""
    return CheckpointError(
        f"{path}: this run cannot go on: {what}. The file is damaged, or was written by another version. Its weights "
        "may still be read (checkpoint.load_weights); for a new run use another folder"
    )


def _refuse_difference(path: Path, was: dict, now: dict, whose: str = "") -> None:
    for key in [*was, *(key for key in now if key not in was)]:
        if key not in FREE and was.get(key) != now.get(key):
            raise CheckpointError(
                f"{path}: this run was started with {whose}{key}={was.get(key)!r}, but now {key}={now.get(key)!r} is "
                "asked for; use the old value, or another folder for a new run"
            )


def _alike(was, now) -> bool:
    """Whether two lists of fingerprints are equal, but for rounding and for what was not known."""
    if isinstance(was, list) and isinstance(now, list):
        return len(was) == len(now) and all(map(_alike, was, now))
    if was is None or now is None:
        return True
    return isinstance(was, int | float) and isinstance(now, int | float) and abs(was - now) < TOLERANCE


def check_whole(path: Path, tensors: dict[str, Tensor], header: dict, run) -> None:
    """Raise CheckpointError unless all of a run is there, and of the kind that it must be."""
    if header["tensors"] != len(tensors):
        raise damaged(path, f"it holds {len(tensors)} tensors, where {header['tensors']} were written")
    _check_history(path, header["history"], dataclasses.asdict(run.history))
    for name, own in (("sums", header["sums"]), ("scaler", run.scaler.state_dict())):
        _check_kinds(path, name, header[name], own)
    _check_kinds(path, "plateau", header["plateau"], run.plateau.state_dict() if run.plateau else {})
    if not all(_number(total) for total in header["sums"].values()):
        raise damaged(path, "'sums' holds what is no number")
    check_optimizer(path, run.optimizer, tensors, header["optimizer"])


def _check_kinds(path: Path, what: str, given: dict, own: dict) -> None:
    for name in own.keys() | given.keys():
        if name not in own or name not in given or not _same_kind(given[name], own[name]):
            raise damaged(path, f"{what!r} has no sound {name!r}")


def _check_history(path: Path, history: dict, own: dict) -> None:
    losses, rows, best = history.get("losses"), history.get("rows"), history.get("best_step")
    right = {
        "losses": isinstance(losses, list) and all(_number(x) and math.isfinite(x) for x in losses),
        "rows": isinstance(rows, list) and all(isinstance(row, dict) and _number(row.get("step")) for row in rows),
        "best_step": _number(best) and isinstance(best, int) and isinstance(losses, list) and 0 <= best <= len(losses),
        "best_score": _number(history.get("best_score")),
        "stopped": history.get("stopped") in ("", "early stopping"),
    }
    for name in own.keys() | history.keys():
        if not right.get(name, False):
            raise damaged(path, f"its history has no sound {name!r}")


def _number(value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and not math.isnan(value)


def check_optimizer(path: Path, optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor], rest: dict) -> None:
    """Raise CheckpointError unless these are settings and memories that this optimiser could have."""
    own, groups, numbers = optimizer.state_dict()["param_groups"], rest.get("groups"), rest.get("numbers")
    sound = isinstance(groups, list) and isinstance(numbers, dict) and len(groups) == len(own)
    if not sound or not all(key.startswith("optimizer.") for key in numbers):
        raise damaged(path, "the settings of its optimiser are not whole")
    for group, ours in zip(groups, own, strict=True):
        for name, value in ours.items():
            sound = isinstance(group, dict) and name in group and _same_kind(group[name], value)
            if not sound or (name == "params" and group[name] != value):
                raise damaged(path, f"its optimiser has no sound {name!r}")
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    remembered: dict[str, set] = {}
    for key, value in {**tensors, **numbers}.items():
        if key.startswith("optimizer.") and value is not None:
            _, index, name = [*key.split(".", 2), "", ""][:3]
            shape = tuple(value.shape) if torch.is_tensor(value) else ()
            if not index.isdigit() or int(index) >= len(weights) or shape not in ((), tuple(weights[int(index)].shape)):
                raise damaged(path, f"its optimiser's {key!r} belongs to no weight")
            remembered.setdefault(index, set()).add((name, shape == ()))
    names = _memories(optimizer)
    for index, found in remembered.items():
        if found != names and not (not weights[int(index)].dim() and {n for n, _ in found} == {n for n, _ in names}):
            raise damaged(path, f"its optimiser remembers too little or too much of weight number {index}")


def _memories(optimizer: torch.optim.Optimizer) -> set:
    """What such an optimiser remembers of each weight after a step: names, and whether each is a single number."""
    known = inspect.signature(type(optimizer)).parameters
    weight = torch.zeros(2, requires_grad=True)
    weight.grad = torch.zeros(2)
    options = {k: v for k, v in optimizer.param_groups[0].items() if k in known and k not in ("params", "fused")}
    trial = type(optimizer)([weight], **options)
    trial.step()
    return {(name, not torch.is_tensor(v) or not v.dim()) for name, v in trial.state[weight].items() if v is not None}


def _same_kind(value, ours) -> bool:
    """Whether JSON brought back a value of the kind that it was given."""
    if isinstance(ours, bool) or ours is None or isinstance(ours, str):
        return value is None or isinstance(value, bool | str)
    if isinstance(ours, list | tuple):
        return isinstance(value, list) and len(value) == len(ours) and all(map(_same_kind, value, ours))
    return _number(value)
