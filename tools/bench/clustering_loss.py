"""How long do the clustering losses take, forward and backward, and how much memory, on a batch of eight? Two threads.

The rival is the same formula written plainly: float64 copies of the whole batch, and autograd's own way back.
"""

import torch
from torch import Tensor

from sepbook.losses import clustering
from tools.bench._measure import child, compare, compare_all, descent, threads

SIZES = {"B": 8, "S": 4, "F": 513, "T": 400, "D": 20}
PAIRS = 5
LOSSES = ("deep_clustering", "class_balanced", "whitened_kmeans", "graph_laplacian")
LIMITS = {"seconds": 1.0, "peak_mb": 1500}
CODE = """
import sys
from tools.bench.clustering_loss import batch, step
data = batch()
if sys.argv[1] != "nothing":
    step(sys.argv[1], data)()
"""


def plain(v: Tensor, y: Tensor, w: Tensor) -> Tensor:
    """Compute deep clustering with three products of whole tables in float64."""
    v, y, w = v.flatten(1, 2).double(), y.flatten(2).mT.double(), w.flatten(1).unsqueeze(2).double()
    squares = [(a.mT @ (w * b)).square().sum((1, 2)) for a, b in ((v, v), (v, y), (y, y))]
    return ((squares[0] - 2 * squares[1] + squares[2]) / w.sum((1, 2)).square()).mean()


def batch() -> tuple[Tensor, Tensor, Tensor]:
    """Return an embedding that wants a gradient, a membership and weights."""
    random = torch.Generator().manual_seed(0)
    B, S, F, T, D = SIZES.values()
    v = torch.nn.functional.normalize(torch.rand(B, F, T, D, generator=random), dim=-1)
    owner = torch.randint(0, S, (B, 1, F, T), generator=random)
    y = torch.zeros(B, S, F, T).scatter_(1, owner, 1.0)
    return v.requires_grad_(), y, torch.rand(B, F, T, generator=random)


def step(name: str, data: tuple[Tensor, Tensor, Tensor]):
    """Return a function that computes a loss, or the plain rival, and its gradient."""
    return descent(plain if name == "plain" else getattr(clustering, name), *data)


@threads(2)
def run() -> dict:
    data = batch()
    found = compare_all({"plain": (step("deep_clustering", data), step("plain", data))}, PAIRS)
    for name in LOSSES:
        found[f"{name}_seconds"] = compare(step(name, data), lambda: None, pairs=PAIRS)["ours_seconds"]
    inputs = child(CODE, 2, "nothing")["peak_mb"]
    for name in (*LOSSES, "plain"):
        found[f"{name}_peak_mb"] = child(CODE, 2, name)["peak_mb"]
    return {**found, "inputs_peak_mb": inputs, "pairs": PAIRS, "threads": 2, "limits": LIMITS, "sizes": SIZES}
