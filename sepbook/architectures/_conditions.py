"""Conditions: which source is wanted, as one number between 0 and 1 for each."""

import torch
from torch import Tensor


def every(S: int, like: Tensor) -> Tensor:
    """Return the conditions that ask for one source each, `(1, S, S, 1)`: one, all of them, their numbers, no time."""
    return torch.eye(S, dtype=like.dtype, device=like.device)[None, :, :, None]


def asked_for(condition, names: tuple[str, ...], like: Tensor) -> Tensor:
    """Return one condition in the form `(B or 1, 1, S, T or 1)`.

    It is given as the place or the name of a source, or as numbers from 0 to 1: `(S,)`, `(B, S)` for each item, or
    `(B, S, T)` with 100 frames a second. `like` is the mixture `(B, C, N)`. Raises ValueError for anything else.
    """
    choices = ", ".join(f"{place} ({name})" for place, name in enumerate(names))
    if isinstance(condition, str):
        if condition not in names:
            raise ValueError(f"condition is {condition!r}; the sources are {choices}")
        condition = names.index(condition)
    values = torch.as_tensor(condition, device=like.device)
    if values.dim() == 0 and not (values.is_floating_point() or values.dtype == torch.bool):
        if not 0 <= int(values) < len(names):
            raise ValueError(f"condition is {int(values)}; the sources are {choices}")
        return every(len(names), like)[:, int(values)].unsqueeze(1)
    return _as_four_axes(_numbers(values, names), len(like)).to(like.dtype)


def drawn(B: int, S: int, between: float, like: Tensor) -> Tensor:
    """Draw a condition for each item of a batch, `(B, 1, S, 1)`: one source, or a point between none and two.

    `between` is the probability of the second.
    """
    rows, one = torch.eye(S, dtype=like.dtype, device=like.device), torch.randint(S, (B,), device=like.device)
    other = (one + torch.randint(1, max(S, 2), (B,), device=like.device)) % S
    much, more, chance = torch.rand(3, B, 1, dtype=like.dtype, device=like.device)
    mixed = torch.maximum(much * rows[one], more * rows[other])  # (B, S)
    return torch.where(chance < between, mixed, rows[one])[:, None, :, None]


def _numbers(values: Tensor, names: tuple[str, ...]) -> Tensor:
    """Return the numbers of a condition, once they are in range and there is one for each source."""
    given = tuple(values.shape)
    if len(given) not in (1, 2, 3) or given[0 if len(given) == 1 else 1] != len(names) or 0 in given:
        raise ValueError(
            f"condition has the shape {given}; expected a number for each source ({', '.join(names)}): (S,), (B, S) "
            f"or (B, S, T) with S={len(names)}"
        )
    if not ((values >= 0) & (values <= 1)).all():
        raise ValueError(
            f"condition holds {values[~((values >= 0) & (values <= 1))][0].item():g}; expected numbers from 0 (nothing "
            "of a source) to 1 (all of it)"
        )
    return values


def _as_four_axes(values: Tensor, B: int) -> Tensor:
    """Bring `(S,)`, `(B, S)` or `(B, S, T)` into the form `(B or 1, 1, S, T or 1)`."""
    values = values[None] if values.dim() == 1 else values
    values = values[..., None] if values.dim() == 2 else values
    if len(values) not in (1, B):
        raise ValueError(f"condition is given for {len(values)} items, but the mixture has B={B}")
    return values[:, None]
