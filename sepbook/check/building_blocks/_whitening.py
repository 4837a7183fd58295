"""Exercise 5 of the lab on normalisation: whiten. Taught on: book/building_blocks/normalization."""

import torch
from torch import Tensor

from sepbook.building_blocks.normalization import standardise, whiten
from sepbook.check import CheckFailure, call, exercise, expect_shape, expect_values
from sepbook.check._inputs import noise


@exercise(
    "Exercise 5: whiten",
    hints=(
        "The covariance of the training rows has eigenvectors (torch.linalg.eigh). Along them nothing is correlated.",
        "Mean and covariance come from the training rows only. Turn the test rows into the eigenvectors' "
        "directions first.",
        "values, axes = torch.linalg.eigh(covariance) of the training rows; (test - mean) @ axes / values.sqrt()",
    ),
)
def exercise_5(whitening):
    """Check a function train (N, H), test (N', H) -> test (N', H), whitened by the training rows; any turn is right."""
    for H, seed in ((3, 0), (5, 1)):
        mix = torch.linspace(0.5, 2, H)[:, None] * torch.linalg.qr(noise(H, H, seed=seed))[0]  # never nearly flat
        train, test = (noise(n, H, seed=seed + n) @ mix + 2 for n in (400, 60))
        result = expect_shape(
            call(whitening, train, test), (60, H), "N H", "One whitened row for each test row."
        ).float()
        expect_values(result * 0, torch.zeros(60, H), "N H", None, "There are values that are not finite.")
        own = {
            "features have variance 1 but are still correlated: this is standardising": standardise(test, train),
            "the test rows were measured; in use there may be one row only": whiten(test),
            "it is multiplied with the deviations; divide by them": _turned(train, test, 0.5),
            "it is divided by the variances; their square roots are meant": _turned(train, test, -1),
            "the mean is gone, but nothing is divided by the deviations": _turned(train, test, 0),
            "the eigenvectors stand in the columns of axes: multiply with axes, not with axes.T": (
                _turned(train, test, -0.5, transposed=True)
            ),
            "the mean is that of the test rows; in use there may be one row only": (
                _turned(train, test - test.mean(0) + train.mean(0), -0.5)
            ),
        }
        for text, wrong in own.items():
            if _gram(result).shape == _gram(wrong).shape and torch.allclose(
                _gram(result), _gram(wrong), rtol=1e-2, atol=1e-2
            ):
                raise CheckFailure(f"Not white: {text}.", kind=text[:20], known=True)
        seen = call(whitening, train, train)
        seen = expect_shape(seen, (400, H), "N H", "One whitened row for each row.").float()
        if (seen.mean(0).abs() > 1e-2).any():
            raise CheckFailure(
                "The whitened training rows have a mean that is not 0.", "Is the mean subtracted?", kind="mean"
            )
        covariance = seen.mT @ seen / 400
        where = (
            "It is about the covariance of the whitened training rows, which should be 1 on the diagonal and 0 off it."
        )
        expect_values(covariance, torch.eye(H), "H H'", None, where, tolerance=1e-2)
        wanted = _gram(whiten(test, train))
        expect_values(
            _gram(result),
            wanted,
            "N N'",
            None,
            "The training rows are white, the test rows are not as they should be.",
            tolerance=2e-2,
        )
    return "PCA or ZCA or any other turn: all of them are white."


def _gram(x: Tensor) -> Tensor:
    """Return the products of all rows `(N, H) -> (N, N)`: the same whichever way the features are turned."""
    return x @ x.mT


def _turned(train: Tensor, test: Tensor, power: float, transposed: bool = False) -> Tensor:
    """Return the test rows along the eigenvectors, times a power of the variances; -0.5 whitens."""
    values, axes = torch.linalg.eigh(torch.cov(train.mT, correction=0))
    return (test - train.mean(0)) @ (axes.mT if transposed else axes) * values**power
