"""What the tests of the clustering losses share: embeddings, memberships, weights, and the published formulas."""

import numpy as np
import torch
from hypothesis import strategies as st
from torch.nn.functional import one_hot

from sepbook.losses import clustering

PAIRS = ("deep_clustering", "class_balanced", "whitened_kmeans", "graph_laplacian")
SEEDS = st.integers(0, 10**6)


def loss(name):
    return getattr(clustering, name)


def scene(B=2, S=3, F=6, T=7, D=5, seed=0, dtype=torch.float32):
    """Give an embedding of length 1 without negative numbers, a membership, and weights of which some are 0."""
    random = torch.Generator().manual_seed(seed)
    v = torch.rand(B, F, T, D, generator=random, dtype=dtype)
    y = one_hot(torch.randint(0, S, (B, F, T), generator=random), S).permute(0, 3, 1, 2).to(dtype)
    w = torch.rand(B, F, T, generator=random, dtype=dtype)
    return v / v.norm(dim=-1, keepdim=True), y, w * (w > 0.2)


def ideal(y, D):
    """Give the embedding that has one direction for each source: `(B, S, F, T) -> (B, F, T, D)`."""
    return torch.nn.functional.pad(y.permute(0, 2, 3, 1), (0, D - y.shape[1]))


def tables(v, y, w):
    """Yield V (F·T, D), Y (F·T, S) and w (F·T,) of each item in NumPy's float64, without the bins of weight 0."""
    for item, member, weight in zip(v, y, w, strict=True):
        V, Y, weights = (x.detach().double().numpy() for x in (item.flatten(0, 1), member.flatten(1).T, weight.ravel()))
        yield V[weights > 0], Y[weights > 0], weights[weights > 0]


def defined(name, V, Y, w):
    """Compute a loss by its published formula, with the table of all pairs."""
    W = np.outer(w, w)
    A, B = V @ V.T, Y @ Y.T  # affinities (F·T, F·T)
    if name == "deep_clustering":
        return (W * (A - B) ** 2).sum() / W.sum()
    if name == "class_balanced":
        d = B @ w  # the size of each bin's source
        W = W / np.sqrt(np.outer(d, d))
        return (W * (A - B) ** 2).sum() / W.sum()
    if name == "whitened_kmeans":
        V, Y = np.sqrt(w)[:, None] * V, np.sqrt(w)[:, None] * Y
        means = np.linalg.pinv(Y.T @ Y) @ Y.T @ V
        values, vectors = np.linalg.eigh(V.T @ V)
        white = vectors @ np.diag(values**-0.5) @ vectors.T  # (VᵀV)^-1/2
        return ((V @ white - Y @ means @ white) ** 2).sum()
    dv, dy = A @ w, B @ w  # degrees
    return (W * (A / np.sqrt(np.outer(dv, dv)) - B / np.sqrt(np.outer(dy, dy))) ** 2).sum()
