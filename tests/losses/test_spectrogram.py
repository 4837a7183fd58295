import numpy as np
import pytest
import torch

from sepbook.losses.spectrogram import l1, mse

PAIR = torch.rand(3, 2, 1, 5, 7, dtype=torch.float64), torch.rand(3, 2, 1, 5, 7, dtype=torch.float64)


@pytest.mark.parametrize(("loss", "power"), [(l1, 1), (mse, 2)])
def test_agrees_with_numpy(loss, power):
    estimates, sources = PAIR
    expected = np.abs(estimates.numpy() - sources.numpy()) ** power
    none = loss(estimates, sources, "none")
    assert none.shape == (3,)
    np.testing.assert_allclose(none.numpy(), expected.mean((1, 2, 3, 4)), rtol=1e-5)
    np.testing.assert_allclose(loss(estimates, sources).item(), expected.mean(), rtol=1e-5)


@pytest.mark.parametrize("loss", [l1, mse])
def test_perfect_and_silent(loss):
    sources = torch.rand(2, 2, 1, 4, 4)
    assert loss(sources, sources).item() == 0
    estimates = torch.zeros(2, 2, 1, 4, 4, requires_grad=True)
    loss(estimates, torch.zeros_like(estimates)).backward()
    assert torch.equal(estimates.grad, torch.zeros_like(estimates))


@pytest.mark.parametrize("loss", [l1, mse])
def test_short_formats_are_computed_in_float32(loss):
    estimates, sources = (x.float() for x in PAIR)
    short = loss(estimates.half(), sources.half())
    assert short.dtype == torch.float32
    torch.testing.assert_close(short, loss(estimates, sources), rtol=1e-2, atol=1e-3)


def test_mse_is_the_squared_norm_divided_by_the_count():
    estimates, sources = PAIR
    norm = torch.linalg.vector_norm(estimates - sources)
    torch.testing.assert_close(mse(estimates, sources).double(), norm**2 / sources.numel(), rtol=1e-5, atol=0)


def test_errors_name_the_shapes():
    with pytest.raises(ValueError, match=r"\(2, 3\)"):
        l1(torch.zeros(2, 3), torch.zeros(2, 4))
    with pytest.raises(ValueError, match="reduction is 'sum'"):
        mse(torch.zeros(2, 3), torch.zeros(2, 3), "sum")
