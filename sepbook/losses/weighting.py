"""One number from many: how much each source, and each task, counts in the loss.

::

    loss of each source (S,) ── weights: unit, by energy, or dynamic ──┐
                                                                       ├── sum ── loss ()
    loss of each task {name: ()} ── weights {name: float} ─────────────┘

Taught on: book/losses/weighting
"""

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from sepbook._given import as_tensor, check_real
from sepbook.losses._finite import NotFiniteError
from sepbook.losses.silence import SILENCE


def energies(sources: Tensor) -> Tensor:
    """Mean energy per sample or bin of each source: `(B, S, …) -> (S,)`, in float64.

    Raises ValueError for fewer than three axes, integers, and a source that is silent in the whole batch.
    Taught on: book/losses/weighting
    """
    sources = as_tensor(sources, "sources")
    if sources.dim() < 3 or sources.numel() == 0:
        raise ValueError(f"sources are {tuple(sources.shape)}: a batch of sources is (B, S, C, N) or (B, S, C, F, T)")
    if not (sources.is_floating_point() or sources.is_complex()):
        raise ValueError(f"sources are of type {sources.dtype}; samples are floating point numbers, such as float32")
    found = sources.abs().double().square().transpose(0, 1).flatten(1).mean(1)  # (S,)
    if not found.isfinite().all():
        raise NotFiniteError(f"source {int((~found.isfinite()).nonzero()[0])} holds NaN or infinity")
    silent = (found < SILENCE).nonzero().flatten().tolist()
    if silent:
        raise ValueError(
            f"source {silent[0]} is silent in the whole batch: measure over more music, it has no energy yet"
        )
    return found


def energy_weights(energies: Tensor) -> Tensor:
    """Weigh quiet sources up: `(S,) -> (S,)`, the largest energy divided by that of each source; the loudest has 1.

    Raises ValueError for energies that are not positive. Source: Kadandale et al. 2020 (energy-based weighting).
    Taught on: book/losses/weighting
    """
    energies = check_real(as_tensor(energies, "energies"), "energies")
    if energies.dim() != 1 or not len(energies) or not ((energies > 0) & energies.isfinite()).all():
        raise ValueError(f"energies must be one positive number per source, (S,); given were {energies.tolist()}")
    return energies.max() / energies


class DynamicWeights(nn.Module):
    """Weights that follow the training: what has stopped falling gets more weight (dynamic weight average).

    Give `update` the mean loss of each source after every epoch. From the third epoch on

        weights = S * softmax(loss of last epoch / loss of the epoch before / temperature)

    They add up to S. Until then all are 1. It is a module, and its memory are buffers: a checkpoint of the system that
    has it remembers too. Raises ValueError for losses that are not one positive number per source.
    Source: Liu et al. 2019; for separation Kadandale et al. 2020. Taught on: book/losses/weighting
    """

    def __init__(self, S: int, temperature: float = 2.0):
        if S < 1 or not temperature > 0:
            raise ValueError(f"S={S} must be 1 or more, and temperature={temperature} larger than 0")
        super().__init__()
        self.S, self.temperature = S, temperature
        self.register_buffer("past", torch.zeros(2, S))  # the losses of the latest two epochs; 0: there was none
        self.register_buffer("weights", torch.ones(S))

    def update(self, losses) -> Tensor:
        """Take the mean losses of an epoch `(S,)`; return the weights `(S,)` of the next one."""
        losses = as_tensor(losses, "losses").detach().double().flatten()
        if len(losses) != self.S or not (losses > 0).all() or not losses.isfinite().all():
            raise ValueError(f"an epoch has one positive loss per source, S={self.S}; given were {losses.tolist()}")
        self.past = torch.stack([self.past[1], losses.to(self.past)])
        before, last = self.past.double()
        if (before > 0).all():
            self.weights = (self.S * (last / before / self.temperature).softmax(0)).to(self.past)
        return self.weights


def over_sources(losses: Tensor, weights: Tensor | None = None) -> Tensor:
    """Add up the losses of sources: `(B, S) -> (B,)`, or `(S,) -> ()`, divided by S.

    Without weights it is the mean over sources (unit weighting). Weights `(S,)` are constants without a gradient.
    Raises ValueError when their number is not S, or one is negative. Taught on: book/losses/weighting
    """
    losses = check_real(as_tensor(losses, "losses"), "losses")
    if losses.dim() < 1:
        raise ValueError("losses are one number; give one per source, (B, S) or (S,)")
    if weights is None:
        return losses.mean(-1)
    weights = as_tensor(weights, "weights").detach().to(losses)
    if weights.shape != losses.shape[-1:]:
        raise ValueError(
            f"{tuple(weights.shape)} weights for {losses.shape[-1]} sources (S): give one weight per source"
        )
    if not ((weights >= 0) & weights.isfinite()).all():
        raise ValueError(
            f"weights are {weights.tolist()}: each must be a number of 0 or more; "
            "a negative weight would train a source to be wrong"
        )
    return (losses * weights).mean(-1)


def over_tasks(terms: Mapping[str, Tensor], weights: Mapping[str, float]) -> dict[str, Tensor]:
    """Add up the losses of several heads: `{name: ()}` -> what a system's loss returns.

    The sum is under "loss", each term under its own name, detached, for the log. A weight of 0 keeps a term in the log
    and out of the training. Raises ValueError when the names differ, a term is not one number, or a weight is negative
    or no number; NotFiniteError names the term. Source: Luo et al. 2017 (Chimera). Taught on: book/losses/weighting
    """
    if set(terms) != set(weights) or not terms:
        raise ValueError(f"terms {sorted(terms)} and weights {sorted(weights)} must have the same names, at least one")
    terms = {name: as_tensor(value, f"the term {name!r}") for name, value in terms.items()}
    for name, value in terms.items():
        if value.dim():
            raise ValueError(f"the term {name!r} has shape {tuple(value.shape)}; average it to one number first")
        if not (math.isfinite(weights[name]) and weights[name] >= 0):
            raise ValueError(f"the weight of {name!r} is {weights[name]}; it must be a number, 0 or more")
        if not value.isfinite():
            raise NotFiniteError(f"the term {name!r} is {value.item()}")
    total = sum(weights[name] * value for name, value in terms.items() if weights[name])
    total = total if isinstance(total, Tensor) else 0 * sum(terms.values())
    return {"loss": total, **{name: value.detach() for name, value in terms.items()}}


def shared_slopes(terms: Mapping[str, Tensor], parameters) -> dict[str, float]:
    """Say how hard each task pulls at shared weights: `{name: ()}` -> `{name: length of its gradient}`.

    Look at these before choosing weights: tasks of equal loss may pull very unequally. The graph is kept, so that
    `backward()` still works afterwards. Taught on: book/losses/weighting
    """
    parameters = [p for p in parameters if p.requires_grad]
    found = {}
    for name, value in terms.items():
        slopes = torch.autograd.grad(value, parameters, retain_graph=True, allow_unused=True)
        found[name] = math.sqrt(sum(s.double().square().sum().item() for s in slopes if s is not None))
    return found
