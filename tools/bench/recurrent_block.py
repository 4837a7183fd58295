"""How long does RecurrentStack take, forward and backward, against PyTorch's own LSTM alone? One thread."""

import torch
from torch import nn

from sepbook.building_blocks.recurrent import RecurrentStack
from tools.bench._measure import compare

SHAPE = (8, 200, 129)  # (B, T, H)
CASES = {"one_way": (64, 1, False), "blstm": (64, 2, True)}  # H, L, bidirectional
PAIRS = 31
LIMIT = 1.10


def step(layer: nn.Module, x: torch.Tensor, answers):
    """Return a function that runs a layer forward and backward."""

    def once():
        layer.zero_grad(set_to_none=True)
        answers(layer(x)).square().mean().backward()

    return once


def run() -> dict:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    x = torch.randn(SHAPE, generator=torch.Generator().manual_seed(0))
    found = {}
    for name, (H, L, both) in CASES.items():
        ours = RecurrentStack(SHAPE[-1], H, L, bidirectional=both)
        theirs = nn.LSTM(SHAPE[-1], H, L, batch_first=True, bidirectional=both)
        theirs.load_state_dict(ours.layers.state_dict())
        numbers = compare(step(ours, x, lambda y: y), step(theirs, x, lambda pair: pair[0]), pairs=PAIRS)
        found |= {f"{name}_{key}": value for key, value in numbers.items() if key != "pairs"}
    torch.set_num_threads(threads)
    ratios = [value for key, value in found.items() if key.endswith("_ratio")]
    return found | {"largest_ratio": max(ratios), "pairs": PAIRS, "threads": 1, "limit": LIMIT}
