import pytest
import torch

from sepbook.building_blocks.compression import Log, Power

KINDS = [Log(), Log(50.0), Power(), Power(0.5, 1e-2), Power(1.0)]
MAGNITUDE = torch.logspace(-4, 3, 200).reshape(1, 1, 20, 10)  # (B, C, F, T)


@pytest.mark.parametrize("compress", KINDS, ids=repr)
def test_it_can_be_undone_keeps_zero_and_order(compress):
    small = compress(MAGNITUDE)
    assert small.shape == MAGNITUDE.shape and compress(torch.zeros(3)).abs().max() < 1e-6
    assert (small.flatten().diff() > 0).all()
    torch.testing.assert_close(compress.inverse(small), MAGNITUDE, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("compress", KINDS, ids=repr)
def test_slope_is_finite_and_positive_on_digital_silence(compress):
    bins = torch.zeros(1, 1, 4, 3, dtype=torch.complex64)
    bins[..., 0] = 1 + 1j
    bins.requires_grad_()
    compress(bins.abs()).sum().backward()
    assert bins.grad.isfinite().all() and bins.grad[..., 0].abs().gt(0).all()
    x = torch.zeros(1, requires_grad=True)
    compress(x).sum().backward()
    slope = (
        compress.scale if isinstance(compress, Log) else compress.exponent * compress.floor ** (compress.exponent - 1)
    )
    assert x.grad.item() == pytest.approx(slope, rel=1e-5)


def test_values_are_those_of_the_formulas():
    x = MAGNITUDE.double()
    torch.testing.assert_close(Log(10.0)(x), (1 + 10 * x).log())
    torch.testing.assert_close(Power(0.3, 1e-3)(x), (x + 1e-3).pow(0.3) - 1e-3**0.3)
    assert Power(0.3, 1e-9)(torch.tensor([1000.0])).item() == pytest.approx(1000**0.3, rel=1e-2)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Log(0), "scale is 0"),
        (lambda: Power(0.0), "exponent is 0.0"),
        (lambda: Power(1.5), "at most 1"),
        (lambda: Power(0.3, 0), "slope at silence"),
        (lambda: Log()(torch.zeros(1, 1, 3, 2, dtype=torch.complex64)), r"Log expects.*\.abs\(\)"),
        (lambda: Power()(torch.zeros(1, 1, 3, 2, dtype=torch.int64)), r"Power expects.*\.float\(\)"),
        (lambda: Power()(torch.tensor([0.0, -0.5])), "smallest value is -0.5"),
    ],
)
def test_what_is_no_magnitude_is_refused_with_a_mend(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_nothing_stays_nothing():
    assert Power()(torch.zeros(1, 1, 33, 0)).shape == (1, 1, 33, 0)
