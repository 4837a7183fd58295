"""How long does RecurrentStack take, forward and backward, against PyTorch's own LSTM alone? One thread."""

import torch
from torch import nn

from sepbook.building_blocks.recurrent import RecurrentStack
from tools.bench._measure import compare_all, largest_ratio, threads

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


@threads(1)
def run() -> dict:
    x = torch.randn(SHAPE, generator=torch.Generator().manual_seed(0))
    steps = {}
    for name, (H, L, both) in CASES.items():
        ours = RecurrentStack(SHAPE[-1], H, L, bidirectional=both)
        theirs = nn.LSTM(SHAPE[-1], H, L, batch_first=True, bidirectional=both)
        theirs.load_state_dict(ours.layers.state_dict())
        steps[name] = step(ours, x, lambda y: y), step(theirs, x, lambda pair: pair[0])
    found = compare_all(steps, PAIRS)
    return found | {"largest_ratio": largest_ratio(found), "pairs": PAIRS, "threads": 1, "limit": LIMIT}
