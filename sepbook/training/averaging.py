"""A moving average of the weights: the middle of the path that training has walked, instead of its last point.

::

    weights    ●──●────●──●───●──●──●     jump about, because each step follows another batch
    average      ○───○───○──○──○──○       follows slowly, and is the better one to keep when the rate is still high

Source: Polyak and Juditsky 1992, who average all weights alike; an exponential average forgets the oldest ones.
Taught on: book/training/optimization
"""

from contextlib import contextmanager

import torch
from torch import nn


class WeightAverage:
    """An exponential moving average of all weights and statistics of a module.

    Each `update` moves the average a small part of the way to the weights: ``average ← d · average + (1 - d) ·
    weights``. `decay` d near 1 remembers about ``1 / (1 - d)`` steps. The first steps use a smaller d, at most
    ``(1 + k) / (10 + k)`` at step k, so that the average does not remember the untrained weights for long. Whole
    numbers, such as the count of batches in batch norm, are copied.

    Raises ValueError unless 0 ≤ decay < 1. Source: Polyak and Juditsky 1992. Taught on: book/training/optimization
    """

    def __init__(self, module: nn.Module, decay: float = 0.999):
        if not 0 <= decay < 1:
            raise ValueError(f"decay is {decay}; choose 0 (no memory) or more, and less than 1 (0.999: a long memory)")
        self.module, self.decay, self.steps = module, decay, 0
        self.weights = {name: value.detach().clone() for name, value in module.state_dict().items()}

    @torch.no_grad()
    def update(self) -> None:
        """Move the average towards the weights as they are now: call it after each step of the optimiser."""
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        for name, value in self.module.state_dict().items():
            average = self.weights[name]
            if average.is_floating_point() or average.is_complex():
                average.lerp_(value.to(average.device), 1 - decay)
            else:
                average.copy_(value)

    @contextmanager
    def in_use(self):
        """Put the average in the place of the weights for the length of a `with` block, and then put them back."""
        own = {name: value.clone() for name, value in self.module.state_dict().items()}
        self.module.load_state_dict(self.weights)
        try:
            yield self.module
        finally:
            self.module.load_state_dict(own)
