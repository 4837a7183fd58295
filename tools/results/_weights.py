"""The list of the weights that come with the book: sepbook/assets/weights/manifest.json.

Those of systems are what `checkpoint.shipped` offers; those of pages belong to one page and its experiment.
"""

import hashlib
import json
from pathlib import Path

from sepbook.training.checkpoint import WEIGHTS

MANIFEST = "manifest.json"
KEPT = ("in_page",)  # what a row says by hand, whoever trains anew: the page *Your own song* offers this network
OF_PAGES = {  # the experiment that writes them
    "embedding_talkers.safetensors": "clustering",
    "filterbanks.safetensors": "filterbanks",
    "four_stems.safetensors": "putting_it_together",
    "recurrent_masks.safetensors": "recurrent",
    "unet_l1_tpsa.safetensors": "spectrogram_losses",
    "unet_log_msa.safetensors": "spectrogram_losses",
    "unet_mse_msa.safetensors": "spectrogram_losses",
}


def rows(folder: Path = WEIGHTS) -> list[dict]:
    """Return all rows of the manifest."""
    path = folder / MANIFEST
    return json.loads(path.read_text(encoding="utf-8"))["weights"] if path.is_file() else []


def record(file: str, edition: dict, folder: Path = WEIGHTS, **about) -> None:
    """Write or replace the row of a file: what it is, its size and its hash."""
    data = (folder / file).read_bytes()
    before = next((row for row in rows(folder) if row["file"] == file), {})
    kept = {key: before[key] for key in KEPT if key in before}
    measured = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(), "edition": edition}
    known = {"file": file, **kept, **about, **measured}
    others = [row for row in rows(folder) if row["file"] != file]
    content = {"format": 1, "weights": sorted([*others, known], key=lambda row: row["file"])}
    (folder / MANIFEST).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def result(file: str, improvement: float) -> None:
    """Write another score into the row of a file."""
    row = next(row for row in rows() if row["file"] == file)
    record(
        file,
        row["edition"],
        **{k: v for k, v in row.items() if k not in ("file", "edition", "bytes", "sha256")}
        | {"result": {**row["result"], "improvement": improvement}},
    )


def record_pages(experiment: str, edition: dict) -> None:
    """Record the weights that an experiment has written."""
    for file, name in OF_PAGES.items():
        if name == experiment:
            record(file, edition, kind="page", made_by=f"tools/results/{experiment}.py")
