"""The exercises of the waveform losses' lab: each usual mistake is recognised, each right answer passes."""

import pytest
import torch

from sepbook.check.losses import waveform as check
from sepbook.losses import waveform
from tests.check.tables import test_nonsense_never_raises, test_stubs_stay_red  # noqa: F401


def ratio(e, s, axes=(-2, -1), over="s", factor=10.0, log=torch.log10):
    energy = {"s": s, "e": e}[over].square().sum(axes, keepdim=True)
    target = (e * s).sum(axes, keepdim=True) / energy * s
    return factor * log(target.square().sum(axes) / (e - target).square().sum(axes))


def by_angle(e, s):
    e, s = e.flatten(-2), s.flatten(-2)
    cosine = torch.cosine_similarity(e, s, dim=-1, eps=1e-12).square()
    return 10 * torch.log10(cosine / (1 - cosine))


@pytest.mark.parametrize("answer", [ratio, by_angle, waveform.si_sdr])
def test_definition_right_in_several_ways(hear, answer):
    assert "✔ Exercise 1" in hear(check.exercise_1, answer, times=2)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (waveform.sdr, "alpha is missing"),
        (lambda e, s: ratio(e, s, over="e"), "divided by the energy of the estimate"),
        (lambda e, s: ratio(e, s, factor=20), "20 log10 belongs to a ratio of amplitudes"),
        (lambda e, s: ratio(e, s, factor=1), "one bel is ten decibels"),
        (lambda e, s: ratio(e, s, log=torch.log), "the natural one"),
        (lambda e, s: ratio(e, s, axes=-1).mean(-1), "each channel has an alpha"),
        (lambda e, s: ratio(e - e.mean(-1, keepdim=True), s - s.mean(-1, keepdim=True)), "the means were subtracted"),
        (lambda e, s: ratio(e, s) + 10 * torch.log10(1 + 10 ** (-ratio(e, s) / 10)), "stands above the line"),
        (lambda e, s: -ratio(e, s), "The sign is the other way round"),
        (lambda e, s: ratio(e, s).mean(1), "has 1 axes"),
        (lambda e, s: ratio(e, s).detach(), "the gradient is cut off"),
        (lambda e, s: ratio(e, s).tolist(), "type list"),
        (lambda e, s: ratio(e, s[0, 0, 0, :7]), "stops in"),
    ],
)
def test_definition_wrong(hear, answer, words):
    first, second = hear(check.exercise_1, answer), hear(check.exercise_1, answer)
    assert "✘" in first and "✘" in second and words in first + second


@pytest.mark.parametrize("answer", [(0, 0.5), [0.0, 1 / 2], (1e-9, 0.5)])
def test_gradient_predicted(hear, answer):
    assert "✔ Exercise 2" in hear(check.exercise_2, answer, times=2)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((1, 0.5), "louder or quieter"),
        ((-1.0, 0.5), "louder or quieter"),
        ((0.7, 0.5), "Which way does nothing change"),
        ((0, 1), "but its slope is not"),
        ((0, 2), "the other way round"),
        ((0, 0.25), "That would be energies"),
        ((0, 0.3), "the ratio of lengths"),
        (0.5, "a pair of numbers"),
        ((0, 0.5, 1), "a pair of numbers"),
        (("zero", 0.5), "should be one number"),
        ((0, "half"), "should be one number"),
    ],
)
def test_gradient_predicted_wrong(hear, answer, words):
    assert words in hear(check.exercise_2, answer, times=2)


def loss(axis=-1, sign=-1, centre=True):
    """Return an answer to exercise 3, with some of its bugs."""

    def si_snr_loss(e, s):
        if centre:
            e, s = e - e.mean(axis, keepdim=True), s - s.mean(axis, keepdim=True)
        return sign * ratio(e, s).mean()

    return si_snr_loss


@pytest.mark.parametrize("answer", [loss(), waveform.si_snr_loss])
def test_bugs_found(hear, answer):
    assert "✔ Exercise 3" in hear(check.exercise_3, answer, times=2)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (loss(0, 1), "over the batch, and the sign is still missing"),
        (loss(0), "still taken over the batch"),
        (loss(-1, 1), "a good estimate has a large value"),
        (loss((-2, -1)), "each channel has its own"),
        (loss(centre=False), "no mean is subtracted"),
        (lambda e, s: waveform.si_snr_loss(e, s, "none"), "has 1 axes"),
    ],
)
def test_bugs_left(hear, answer, words):
    assert words in hear(check.exercise_3, answer, times=2)


def skipping(tiny=1e-12, sign=-1, count="heard"):
    def sdr_loss(e, s):
        signal, error = s.square().sum((-2, -1)) + tiny, (e - s).square().sum((-2, -1)) + tiny
        heard = s.square().mean((-2, -1)) > 1e-9
        kept = torch.where(heard, sign * 10 * torch.log10(signal / error), 0.0)
        return kept.mean(1) if count == "all" else kept.sum(1) / heard.sum(1).clamp(min=1)

    return sdr_loss


def one_by_one(e, s):
    values = []
    for guess, truth in zip(e, s, strict=True):
        heard = [-waveform.sdr(g, t) for g, t in zip(guess, truth, strict=True) if t.square().mean() > 1e-9]
        values.append(torch.stack(heard).mean() if heard else 0 * guess.sum())
    return torch.stack(values)


@pytest.mark.parametrize(
    "answer", [skipping(), one_by_one, lambda e, s: waveform.sdr_loss(e, s, "none", skip_silent=True)]
)
def test_silence_left_out(hear, answer):
    assert "✔ Exercise 4" in hear(check.exercise_4, answer, times=2)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (skipping(tiny=0), "the gradient holds NaN"),
        (skipping(sign=1), "a loss is the negative"),
        (skipping(count="all"), "should not count at all"),
        (lambda e, s: waveform.sdr_loss(e, s, "none"), "still in it"),
        (lambda e, s: -(10 * (s.square().sum((-2, -1)) / (e - s).square().sum((-2, -1))).log10()).mean(1), "infinity"),
        (lambda e, s: skipping()(e, s).detach(), "cut off"),
        (lambda e, s: None, "still empty"),
    ],
)
def test_silence_not_left_out(hear, answer, words):
    first, second = hear(check.exercise_4, answer), hear(check.exercise_4, answer)
    assert "✔" not in first + second and words in first + second
