"""What all clustering losses rest on: sums over all bins of products of embeddings, in double precision.

An item has F·T bins. Its embedding is a table V (F·T, D), its membership a table Y (F·T, S), and each bin has a
weight w. The table of all pairs of bins is never made, only small tables of weighted mean products of columns::

    VᵀV (D, D)      VᵀY (D, S)      sizes (S,), the diagonal of YᵀY        each with diag(w) in the middle, over Σw

A weight of 2 counts a bin twice. Taught on: book/losses/clustering
"""

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

BLOCK = 16384  # bins turned into float64 at a time: few for the memory, enough to keep several threads busy
FLOOR = 1e-10  # smallest degree of a bin, as a share of all weight: an embedding of zeros is divided by its root


def grams(embedding: Tensor, membership: Tensor, weight: Tensor, normalise: bool = False) -> tuple[Tensor, ...]:
    """Return the weighted mean products VᵀV `(B, D, D)` and VᵀY `(B, D, S)`, and the sizes `(B, S)`, in float64.

    A size is a source's share of all weight. An item without weight gives zeros. With `normalise`, each bin is first
    divided by the root of its degree, the sum of its affinities with all bins; the gradient takes the embedding as
    the only unknown. Taught on: book/losses/clustering
    """
    items = zip(embedding.flatten(1, 2), membership.flatten(2), weight.flatten(1), strict=True)
    found = [_item(*item, normalise) for item in items]
    return tuple(torch.stack(parts) for parts in zip(*found, strict=True))


def _item(v: Tensor, y: Tensor, w: Tensor, normalise: bool) -> tuple[Tensor, Tensor, Tensor]:
    p = double(w) / double(w).sum().clamp(min=torch.finfo(torch.float64).tiny)  # (F·T,): shares of the whole
    sizes = double(y) @ p  # (S,)
    if not normalise:
        return *_Products.apply(v, y, p, p), sizes
    degrees = _Degrees.apply(v, p)
    if not torch.compiler.is_compiling() and ((degrees < -1e-6) & (p > 0)).any():
        raise ValueError(
            "some bins have a negative sum of affinities with all bins, and its root is needed. Embeddings without "
            "negative numbers cannot get there: end the network with a sigmoid"
        )
    degrees = degrees.clamp(min=FLOOR)
    vv, vy = _Products.apply(v, y, p / degrees, p / degrees.sqrt())
    return vv, vy / sizes.clamp(min=FLOOR).sqrt(), torch.where(sizes > 0, 1.0, 0.0).to(sizes)


class _Products(torch.autograd.Function):
    """Σ a v vᵀ and Σ b v yᵀ over the bins of one item, in float64, and the way back: block by block, nothing kept."""

    @staticmethod
    def forward(ctx, v: Tensor, y: Tensor, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
        ctx.save_for_backward(v, y, a, b)
        vv, vy = a.new_zeros(v.shape[1], v.shape[1]), a.new_zeros(v.shape[1], len(y))
        for x, one_hot, own, other, _ in _blocks(v, y, a, b):
            vv += x.mT @ (own * x)
            vy += x.mT @ (other * one_hot)
        return vv, vy

    @staticmethod
    @once_differentiable
    def backward(ctx, slope_vv: Tensor, slope_vy: Tensor) -> tuple[Tensor, None, Tensor, Tensor]:
        v, _, a, b = ctx.saved_tensors
        to_v, to_a, to_b = torch.empty_like(v), torch.empty_like(a), torch.empty_like(b)
        both, weights_learn = slope_vv + slope_vv.mT, any(ctx.needs_input_grad[2:])
        for x, one_hot, own, other, place in _blocks(*ctx.saved_tensors):
            alike, same = x @ both, one_hot @ slope_vy.mT  # (block, D)
            to_v[place] = torch.addcmul(own * alike, other, same).to(v)
            if weights_learn:
                to_a[place], to_b[place] = (x * alike).sum(1) / 2, (x * same).sum(1)
        return to_v, None, *((to_a, to_b) if weights_learn else (None, None))


class _Degrees(torch.autograd.Function):
    """v · Σ p v for each bin of one item, in float64, and the way back: block by block, nothing kept."""

    @staticmethod
    def forward(ctx, v: Tensor, p: Tensor) -> Tensor:
        centre = sum(share @ double(x) for x, share in zip(v.split(BLOCK), p.split(BLOCK), strict=True))  # (D,)
        ctx.save_for_backward(v, p, centre)
        return torch.cat([double(x) @ centre for x in v.split(BLOCK)])  # (F·T,)

    @staticmethod
    @once_differentiable
    def backward(ctx, slope: Tensor) -> tuple[Tensor, None]:
        v, p, centre = ctx.saved_tensors
        pull = sum(part @ double(x) for x, part in zip(v.split(BLOCK), slope.split(BLOCK), strict=True))  # (D,)
        return (slope.unsqueeze(1) * centre + p.unsqueeze(1) * pull).to(v), None


def _blocks(v: Tensor, y: Tensor, a: Tensor, b: Tensor):
    """Yield a few bins at a time in float64: `(block, D), (block, S), (block, 1), (block, 1)`, and where they are."""
    for start in range(0, len(v), BLOCK):
        place = slice(start, start + BLOCK)
        yield double(v[place]), double(y[:, place]).mT, a[place, None], b[place, None], place


def double(x: Tensor) -> Tensor:
    """Return numbers in float64; from Apple's GPU, which has none, on the CPU. Taught on: book/losses/clustering."""
    return x.cpu().double() if x.device.type == "mps" else x.double()
