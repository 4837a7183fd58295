"""Layers along time once more, in NumPy and from their definitions, `(H, T)` in and out: what tests compare with."""

import numpy as np
import torch


def sigmoid(x):
    """1 / (1 + e^-x)."""
    return 1 / (1 + np.exp(-x))


def convolved(x, w, b, stride=1):
    """A convolution `(H, T) -> (H', T')` as one product of matrices for each place."""
    places = range(0, x.shape[1] - w.shape[2] + 1, stride)
    return np.stack([np.tensordot(w, x[:, t : t + w.shape[2]], 2) + b for t in places], 1)


def enlarged(x, w, b, stride):
    """A transposed convolution `(H, T) -> (H', T')`: each value paints its kernel."""
    out = np.zeros((w.shape[1], (x.shape[1] - 1) * stride + w.shape[2])) + b[:, None]
    for t in range(x.shape[1]):
        out[:, t * stride : t * stride + w.shape[2]] += np.tensordot(x[:, t], w, 1)
    return out


def lstm(x, weights, name):
    """One direction of one layer, `(H, T) -> (H, T)`, gate by gate; `*` in the name stands for weight_ih and so on."""
    w, u, b, c = (weights[name.replace("*", kind)] for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
    h = cell = np.zeros(u.shape[1])
    out = np.zeros((u.shape[1], x.shape[1]))
    for t in range(x.shape[1])[:: -1 if name.endswith("reverse") else 1]:
        i, f, g, o = np.split(w @ x[:, t] + b + u @ h + c, 4)
        cell = sigmoid(f) * cell + sigmoid(i) * np.tanh(g)
        h = out[:, t] = sigmoid(o) * np.tanh(cell)
    return out


def gated(x, w, b):
    """A convolution of which one half opens and closes the other."""
    x = convolved(x, w, b)
    return x[: len(x) // 2] * sigmoid(x[len(x) // 2 :])


def compare(system, reference, samples):
    """Hold a system in float64 equal to `reference(system, mixture (C, N))`, item by item."""
    mixture = torch.randn(2, system.channels, samples, dtype=torch.float64)
    with torch.no_grad():
        found = system(mixture).numpy()
    expected = np.stack([reference(system, item) for item in mixture.numpy()])
    exact = 1e-9 if system.config.resample == 1 else 1e-6  # the filters are stored in float32
    np.testing.assert_allclose(found, expected, atol=exact, rtol=0)
