"""How the weights move: PyTorch's optimisers by name, and the learning rate at every step.

::

    constant  ────────        cosine  ──╮           warmup   ╭─╮           plateau  ──┐
                                         ╲                  ╱   ╲                     └──┐
                                          ╰──              ╱     ╰──                     └──

Taught on: book/training/optimization
"""

import inspect
import math

import torch
from torch import nn
from torch.optim.lr_scheduler import ReduceLROnPlateau

from sepbook.training.config import CLASSES, TrainConfig


def make_optimizer(module: nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    """Return the optimiser of a configuration; on a CUDA card it moves all weights in one kernel (fused).

    Taught on: book/training/optimization
    """
    kind, weights = CLASSES[config.optimizer], list(module.parameters())
    options = dict(config.optimizer_options)
    if "fused" in inspect.signature(kind).parameters and weights and all(w.is_cuda for w in weights):
        options["fused"] = True
    return kind(weights, lr=config.learning_rate, weight_decay=config.weight_decay, **options)


def learning_rate(step: int, config: TrainConfig) -> float:
    """Rate at a step: constant, half a cosine from the highest rate to zero, or one of these after a straight climb.

    The climb takes a tenth of the run, or ``schedule_options["steps"]``. ("plateau" begins like "constant".)
    Taught on: book/training/optimization
    """
    steps, schedule = config.steps, config.schedule
    if schedule == "warmup":
        climb = config.schedule_options.get("steps", max(1, steps // 10))
        if step < climb:
            return config.learning_rate * (step + 1) / climb
        step, steps, schedule = step - climb, max(1, steps - climb), config.schedule_options.get("then", "cosine")
    if schedule != "cosine":
        return config.learning_rate
    return config.learning_rate * 0.5 * (1 + math.cos(math.pi * step / steps))


def make_plateau(optimizer: torch.optim.Optimizer, config: TrainConfig) -> ReduceLROnPlateau | None:
    """Return what lowers the rate when the score of several epochs is no better, where the schedule is "plateau".

    The score is validation's SI-SDR improvement in dB, so PyTorch's ``threshold`` is in dB too.
    Taught on: book/training/optimization
    """
    if config.schedule != "plateau":
        return None
    return ReduceLROnPlateau(optimizer, **{"mode": "max", "threshold_mode": "abs", **config.schedule_options})
