import numpy as np
import pytest
import torch

from sepbook.building_blocks.wiener import expectation_maximization, wiener


def noise(*shape, seed=0, dtype=torch.complex128):
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def reference(x, y, iterations):
    """The same once more, point by point, with NumPy: x (C, F, T), y (S, C, F, T)."""
    S, C, F, T = y.shape
    for _ in range(iterations):
        new = np.zeros_like(y)
        for f in range(F):
            v = [[np.mean(np.abs(y[s, :, f, t]) ** 2) for t in range(T)] for s in range(S)]
            R = [sum(np.outer(y[s, :, f, t], y[s, :, f, t].conj()) for t in range(T)) for s in range(S)]
            R = [R[s] / (1e-10 + sum(v[s])) for s in range(S)]
            for t in range(T):
                total = 1e-5 * np.eye(C) + sum(v[s][t] * R[s] for s in range(S))
                for s in range(S):
                    new[s, :, f, t] = v[s][t] * R[s] @ np.linalg.inv(total) @ x[:, f, t]
        y = new
    return y


@pytest.mark.parametrize("C", [1, 2, 3])
@pytest.mark.parametrize("iterations", [1, 3])
def test_equals_an_independent_computation(C, iterations):
    x, y = noise(2, C, 4, 7), noise(2, 3, C, 4, 7, seed=1)
    got = expectation_maximization(x, y, iterations)
    for b in range(2):
        np.testing.assert_allclose(got[b].numpy(), reference(x[b].numpy(), y[b].numpy(), iterations), atol=1e-9)


def test_windows_are_explained_apart_and_scaled_by_their_own_peak():
    x = noise(1, 2, 4, 11) * 100
    magnitudes = noise(1, 3, 2, 4, 11, seed=1).abs() * 50
    got = wiener(x, magnitudes, window=4)
    for begin in (0, 4, 8):
        part = slice(begin, begin + 4)
        scale = max(1.0, x[..., part].abs().max().item() / 10)
        y = (magnitudes[..., part] * torch.exp(1j * x[:, None, ..., part].angle())) / scale
        expected = reference((x[0, ..., part] / scale).numpy(), y[0].numpy(), 1) * scale
        np.testing.assert_allclose(got[0, ..., part].numpy(), expected, atol=1e-9)


def test_no_iteration_gives_the_magnitudes_the_mixtures_phase():
    x, magnitudes = noise(1, 2, 4, 5), noise(1, 3, 2, 4, 5, seed=1).abs()
    got = wiener(x, magnitudes, iterations=0)
    torch.testing.assert_close(got.abs(), magnitudes)
    torch.testing.assert_close(got / magnitudes, (x / x.abs())[:, None].expand_as(got))


def test_iterations_converge_and_the_sources_add_up_to_the_mixture():
    sources = noise(1, 3, 2, 4, 40)
    x = sources.sum(1)
    steps = [expectation_maximization(x, sources * 0.7, n) for n in (1, 2, 60, 61)]
    assert (steps[3] - steps[2]).norm() < 0.1 * (steps[1] - steps[0]).norm()
    torch.testing.assert_close(steps[0].sum(1), x, atol=1e-2, rtol=0)


def test_gradient():
    x = noise(1, 2, 2, 3)
    y = noise(1, 2, 2, 2, 3, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(lambda y: expectation_maximization(x, y, 2), (y,))


def test_silence_stays_silent_and_has_a_gradient():
    magnitudes = torch.zeros(1, 2, 2, 4, 5, requires_grad=True)
    got = wiener(torch.zeros(1, 2, 4, 5, dtype=torch.complex64), magnitudes, iterations=2)
    assert got.abs().max() == 0
    torch.view_as_real(got).sum().backward()
    assert magnitudes.grad.isfinite().all()


def test_shapes_that_do_not_fit_are_named():
    x = noise(1, 2, 4, 5)
    with pytest.raises(ValueError, match=r"\(1, S, 2, 4, 5\)"):
        wiener(x, torch.zeros(1, 3, 1, 4, 5))
    with pytest.raises(ValueError, match="window is 0 frames"):
        wiener(x, torch.zeros(1, 3, 2, 4, 5), window=0)
