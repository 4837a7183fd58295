"""`python -m tools.own_song FOLDER`: write the networks of the page *Your own song*, and `networks.json` about them.

Which ones says the manifest of the shipped weights: a row with `"in_page": true`. The build of the book calls this, so
the files are always those of today's weights, and none of them is kept twice.
"""

import argparse
import hashlib
import json
import math
from pathlib import Path

import torch

from sepbook.evaluation import separation
from sepbook.plots import colour
from sepbook.shapes import trace
from sepbook.training import checkpoint
from tools.own_song.graph import build

RUNTIME = Path(__file__).parents[2] / "book/_ext/own_song/onnxruntime/ort-wasm-simd-threaded.wasm.gz"
CHUNK_SECONDS, OVERLAP = 20.0, 0.25  # of a chunk in the page: shorter than the command line's, for a tab's memory


def of_page() -> list[dict]:
    """Return the rows of the manifest that the page offers."""
    manifest = json.loads((checkpoint.WEIGHTS / "manifest.json").read_text(encoding="utf-8"))
    return [row for row in manifest["weights"] if row.get("in_page")]


def level_of(system) -> float:
    """Return the level in dB that a song is brought to: the gain for one of level 0 dB."""
    full = torch.tensor([[1.0, -1.0]]).repeat(1, 1000)  # (C, N)
    return 20 * math.log10(separation.measure(system, [full]).gain)


def runtime() -> dict:
    """Return what the page has to know of the WebAssembly that runs the network."""
    data = RUNTIME.read_bytes()
    return {"file": RUNTIME.name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def about(system, row: dict, data: bytes) -> dict:
    """Return what the page has to know of a network beside its file."""
    config = system.config
    length, hop = separation.chunk_sizes(system, CHUNK_SECONDS, OVERLAP)
    return {
        "name": f"{row['system']}_{row['preset']}",
        "file": f"{row['system']}_{row['preset']}.onnx",
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "weights": row["sha256"],
        "sources": [{"name": name, "colour": colour(name, i)} for i, name in enumerate(config.source_names)],
        "mixture_colour": colour("mixture"),
        "rate": config.sample_rate,
        "n_fft": config.n_fft,
        "hop": config.hop,
        "multiple": 2 ** len(config.widths),
        "widths": list(config.widths),
        "level_db": level_of(system),
        "chunk": {"length": length, "hop": hop, "edge": separation.EDGE},
        "layers": layers(system),
    }


def layers(system) -> list[dict]:
    """Return the shape ledger's numbers of each block: its weights, and its MACs for one second of audio."""
    ledger = trace(system, torch.zeros(1, 1, system.sample_rate))
    found = []
    for block in ledger.rows:
        if block.kind in ("EncoderBlock", "DecoderBlock"):
            inside = [row for row in ledger.rows if row.path == block.path or row.path.startswith(f"{block.path}.")]
            numbers = {key: sum(getattr(row, key) or 0 for row in inside) for key in ("parameters", "macs")}
            found.append({"name": ".".join(block.path.split(".")[-2:]), **numbers})
    return found


def write(folder: Path) -> None:
    """Write one file per network, and the list of them."""
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for row in of_page():
        system = checkpoint.shipped(row["system"], row["preset"], row["task"]).eval()
        data = build(system)
        found.append(about(system, row, data))
        (folder / found[-1]["file"]).write_bytes(data)
    content = {"runtime": runtime(), "networks": found}
    (folder / "networks.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    write(parser.parse_args().folder)
