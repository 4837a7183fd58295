"""The exercises of the spectrogram losses' lab: each usual mistake is recognised, each right answer passes."""

import pytest
import torch

from sepbook.check.losses import spectrogram as check
from sepbook.losses import spectrogram
from tests.check.tables import test_nonsense_never_raises, test_stubs_stay_red  # noqa: F401


def tpsa(mixture, sources):
    Y = mixture.unsqueeze(1)
    part = sources.abs() * torch.cos(sources.angle() - Y.angle())
    return part.clamp(min=0).minimum(Y.abs())


def by_mask(mixture, sources):
    return (sources / mixture[:, None]).real.clamp(0, 1) * mixture[:, None].abs()


@pytest.mark.parametrize("answer", [tpsa, by_mask, spectrogram.tpsa, lambda y, s: tpsa(y, s).numpy()])
def test_target_right_in_several_ways(hear, answer):
    assert "✔ Exercise 1" in hear(check.exercise_1, answer)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda y, s: s.abs(), "this is MSA"),
        (spectrogram.psa, "nothing is cut off"),
        (lambda y, s: spectrogram.psa(y, s).minimum(y[:, None].abs()), "still negative in places"),
        (lambda y, s: spectrogram.psa(y, s).clamp(min=0), "above |Y| in places"),
        (lambda y, s: spectrogram.psa(y, s).clamp(0, 1), "cut off at 1"),
        (lambda y, s: tpsa(y.conj(), s), "the angles were added"),
        (lambda y, s: tpsa(y, s) / y[:, None].abs(), "this is the mask"),
        (lambda y, s: torch.cos(s.angle() - y[:, None].angle()), "the cosine alone"),
        (lambda y, s: -tpsa(y, s), "The sign is the other way round"),
        (lambda y, s: tpsa(y, s)[:, 0], "has 4 axes"),
        (lambda y, s: s.abs() * torch.cos(s.angle() - y.angle()), "stops in"),
    ],
)
def test_target_wrong(hear, answer, words):
    assert words in hear(check.exercise_1, answer, times=2)


@pytest.mark.parametrize("answer", [(2, 1, 0.5), [2.0, 1.0, 0.5], torch.tensor([2, 1, 0.5])])
def test_bin_right(hear, answer):
    assert "✔ Exercise 2" in hear(check.exercise_2, answer)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((0.5, 1, 0.5), "MSA asks for the source"),
        ((1, 1, 0.5), "does not know the angle"),
        ((2, 1.732, 0.5), "the part across"),
        ((2, 0.25, 0.5), "mixture times the cosine"),
        ((2, -1, 0.5), "shadow"),
        ((2, 1, 1), "more than the mixture has"),
        ((2, 1, 0), "between 0 and |Y|"),
        ((2, 1), "The answer is 3 numbers"),
        (2, "The answer is 3 numbers"),
        (("two", 1, 0.5), "should be one number"),
    ],
)
def test_bin_wrong(hear, answer, words):
    assert words in hear(check.exercise_2, answer, times=2)


def log_loss(floor=0.01, wide=True, absolute=True):
    def answer(masks, mixture, sources):
        estimates = masks * (mixture.abs().unsqueeze(1) if wide else mixture.abs())
        error = 20 * torch.log10(estimates + floor) - 20 * torch.log10(sources.abs() + floor)
        return (error.abs() if absolute else error).mean((1, 2, 3, 4))

    return answer


def from_package(masks, mixture, sources):
    return spectrogram.spectrum_approximation(masks, mixture, sources, "msa", spectrogram.log_magnitude, "none")


def hides_nan(masks, mixture, sources):
    right = log_loss()(masks, mixture, sources)
    return torch.where(masks.sum() > 0, right, (masks[:, 0] * mixture.abs() * 0).log().sum())


def beside_the_channels(masks, mixture, sources):
    """The new axis stands behind C, where it does no harm to a recording of one channel."""
    levels = [20 * torch.log10(x + 0.01) for x in (masks * mixture.abs().unsqueeze(2), sources.abs())]
    return (levels[0] - levels[1]).abs().flatten(1).mean(1)


@pytest.mark.parametrize("answer", [log_loss(), from_package])
def test_bugs_found(hear, answer):
    assert "✔ Exercise 3" in hear(check.exercise_3, answer)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (log_loss(0, False, False), "the floor is not in both, and errors cancel"),
        (log_loss(0, True, True), "floor of 0.01 is not in both"),
        (log_loss(0.01, True, False), "take the absolute value before the mean"),
        (log_loss(0.01, False, True), "stops in"),
        (lambda m, y, s: from_package(m, y.transpose(0, 1), s), "stops in"),
        (beside_the_channels, "stops in"),
        (lambda m, y, s: from_package(m, y, s).mean(), "axes"),
        (lambda m, y, s: from_package(m.detach(), y, s), "cut off"),
        (hides_nan, "the gradient holds NaN"),
    ],
)
def test_bugs_left(hear, answer, words):
    assert words in hear(check.exercise_3, answer, times=2)


@pytest.mark.parametrize("answer", [(1 / 11, 10 / 11), (0.091, 0.909), torch.tensor([0.0909, 0.909])])
def test_outlier_right(hear, answer):
    assert "✔ Exercise 4" in hear(check.exercise_4, answer)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((0.1, 0.91), "the outlier itself included"),
        ((0.5, 0.91), "the outlier itself included"),
        ((9.09, 90.9), "in per cent"),
        ((1 / 11, 1 / 11), "MSE squares each error first"),
        ((1 / 11, 10), "at most 1"),
        ((1 / 11, 90.9), "in per cent"),
        (0.1, "The answer is 2 numbers"),
        ((1 / 11, "most"), "should be one number"),
    ],
)
def test_outlier_wrong(hear, answer, words):
    assert words in hear(check.exercise_4, answer, times=2)


def best(mixture, target):
    Y = mixture.abs().unsqueeze(1)
    return ((Y * target).sum(-1, keepdim=True) / Y.square().sum(-1, keepdim=True)).clamp(0, 1)


def by_least_squares(mixture, target):
    Y = mixture.abs().unsqueeze(1).expand_as(target).unsqueeze(-1)  # (B, S, C, F, T, 1)
    return torch.linalg.lstsq(Y, target.unsqueeze(-1)).solution.squeeze(-1).clamp(0, 1)


@pytest.mark.parametrize("answer", [best, by_least_squares])
def test_equaliser_right(hear, answer):
    assert "✔ Exercise 5" in hear(check.exercise_5, answer)


def ratio(y):
    return y[:, None].abs()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda y, z: (z / ratio(y)).mean(-1, keepdim=True).clamp(0, 1), "the mean of the ratios"),
        (lambda y, z: (z.mean(-1, keepdim=True) / ratio(y).mean(-1, keepdim=True)).clamp(0, 1), "ratio of the means"),
        (lambda y, z: (ratio(y) * z).sum(-1, keepdim=True) / ratio(y).square().sum(-1, keepdim=True), "above 1"),
        (lambda y, z: best(y, z)[..., 0], "has 4 axes"),
        (lambda y, z: (z / ratio(y)).clamp(0, 1), "frame"),
    ],
)
def test_equaliser_wrong(hear, answer, words):
    assert words in hear(check.exercise_5, answer, times=2)
