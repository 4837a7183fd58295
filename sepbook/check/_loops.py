"""Judge a training loop by the weights it arrives at: which of the known bugs are left in it?

Taught on: book/how_to_read
"""

from collections.abc import Callable, Mapping
from itertools import combinations

import torch
from torch import Tensor, nn

from sepbook.check._exercise import CheckFailure


def weights_of(network: nn.Module) -> Tensor:
    """Return all weights of a network as one row, without their slopes. Taught on: book/how_to_read."""
    return torch.cat([parameter.detach().flatten() for parameter in network.parameters()])


def expect_bugs_gone(
    weights: Tensor, bugs: Mapping[str, str], trained: Callable[..., Tensor], other: str, tolerance: float
) -> None:
    """Raise CheckFailure that counts the bugs which lead to these weights, and names one of them at the second try.

    `bugs` maps the words for a bug to its name, and `trained` gives the weights of the loop that has some of them. When
    no set of bugs leads to these weights, `other` is said. Taught on: book/how_to_read
    """
    for count in range(len(bugs) + 1):
        for left in combinations(bugs, count):
            right = trained(tuple(bugs[words] for words in left))
            if weights.shape == right.shape and torch.allclose(weights, right, atol=tolerance):
                if left:
                    what = f"It trains, but arrives at other weights: {count} of the three bugs are left."
                    raise CheckFailure(what, f"One of them: {left[0]}.", kind=str(left))
                return
    raise CheckFailure(other, kind="other")
