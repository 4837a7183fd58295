"""Looks at what a clustering loss is given, and says what is wrong with it.

Taught on: book/losses/clustering
"""

import torch
from torch import Tensor

from sepbook._given import as_tensor, check_together
from sepbook.losses._finite import NotFiniteError, first, labelled
from sepbook.losses._waveforms import REDUCTIONS

LETTERS = {"embedding": "BFTD", "membership": "BSFT", "weight": "BFT"}
WORDS = {"B": "item of the batch", "S": "source", "F": "frequency bin", "T": "frame", "D": "embedding dimension"}


def check_clustering(embedding, membership, weight, reduction: str = "mean") -> tuple[Tensor, Tensor, Tensor]:
    """Return the three as tensors; raise ValueError, which names the axis, unless they belong together.

    The membership is one-hot. Taught on: book/losses/clustering
    """
    given = {"embedding": embedding, "membership": membership, "weight": weight}
    given = {name: as_tensor(x, name) for name, x in given.items()}
    embedding, membership, weight = given.values()
    check_together(**given)
    for name, x in given.items():
        if x.dim() != len(LETTERS[name]):
            raise ValueError(f"{name} must be ({', '.join(LETTERS[name])}), but was given {tuple(x.shape)}")
    if not embedding.is_floating_point():
        raise ValueError(f"the embedding is of type {embedding.dtype}; it must hold floating point numbers")
    sizes = dict(zip(LETTERS["embedding"], embedding.shape, strict=True))
    for name in ("membership", "weight"):
        for letter, size in zip(LETTERS[name], given[name].shape, strict=True):
            if letter in sizes and sizes[letter] != size:
                raise ValueError(
                    f"along {letter} ({WORDS[letter]}) the embedding has {sizes[letter]}, the {name} has {size}: they "
                    f"must be equal. Shapes: embedding {show(embedding)}, {name} {show(given[name], name)}"
                )
    if embedding.numel() == 0 or membership.numel() == 0:
        raise ValueError(f"the embedding {show(embedding)} or the membership {show(membership, 'membership')} is empty")
    if reduction not in REDUCTIONS:
        raise ValueError(f"reduction is {reduction!r}; choose one of {', '.join(REDUCTIONS)}")
    if not torch.compiler.is_compiling():
        check_weight(weight)
        _check_one_hot(membership, weight)
    return embedding, membership, weight


def check_weight(weight: Tensor) -> None:
    """Raise NotFiniteError for NaN and ValueError for negative weights, with the place.

    Taught on: book/losses/clustering
    """
    _refuse(~weight.isfinite(), "BFT", "the weight holds {count} values that are NaN or infinite", NotFiniteError)
    _refuse(weight < 0, "BFT", "the weight is negative in {count} bins: a bin counts, or it does not (0)")


def _check_one_hot(membership: Tensor, weight: Tensor) -> None:
    _refuse(
        (membership != 0) & (membership != 1),
        "BSFT",
        "the membership holds {count} values that are neither 0 nor 1; sepbook.losses.clustering.membership makes one "
        "from magnitudes",
    )
    S = membership.shape[1]
    hint = " A single column says only what belongs to one source: give every source a column, S=2 or more"
    _refuse(
        (membership.sum(1) != 1) & (weight > 0),
        "BFT",
        "the membership is not one-hot: {count} bins with weight belong to none or to several of the "
        f"{S} sources (S).{hint if S == 1 else ''}",
    )


def check_values(values: Tensor, embedding: Tensor) -> Tensor:
    """Return values `(B,)`; raise NotFiniteError that says where the embedding is NaN or infinite if one of them is.

    Taught on: book/losses/clustering
    """
    if not torch.compiler.is_compiling() and not values.isfinite().all():
        check_embedding(embedding)
        raise NotFiniteError("the embedding is finite, but so large that the loss is not; normalise it to length 1")
    return values


def check_embedding(embedding: Tensor) -> None:
    """Raise NotFiniteError that says where the embedding is NaN or infinite. Taught on: book/losses/clustering."""
    message = "the embedding holds {count} values that are NaN or infinite"
    _refuse(~embedding.detach().isfinite(), "BFTD", message, NotFiniteError)


def _refuse(bad: Tensor, letters: str, message: str, error: type[ValueError] = ValueError) -> None:
    if bad.any():
        raise error(f"{message.format(count=int(bad.sum()))} (the first at {first(bad, letters)[1:-1]})")


def show(x: Tensor, name: str = "embedding") -> str:
    """Write a shape with its axes named, as in (B=2, F=129, T=50, D=20). Taught on: book/losses/clustering."""
    return labelled(x.shape, LETTERS[name])
