"""The exercises of the STFT's lab: each usual mistake is recognised, each right answer passes, however written."""

import pytest
import torch

from sepbook.building_blocks.compression import Power
from sepbook.check.building_blocks import stft as check
from tests.check.tables import test_nonsense_never_raises, test_stubs_stay_red  # noqa: F401


@pytest.mark.parametrize(("exercise", "empty"), [(check.exercise_1, (...,) * 5), (check.exercise_4, ...)])
def test_empty_predictions_stay_red(hear, exercise, empty):
    assert "not yet" in hear(exercise, empty)


def test_shape_of_the_masks(hear):
    assert "✔" in hear(check.exercise_1, (6, 3, 2, 257, 252))
    assert "begins another" in hear(check.exercise_1, (6, 3, 2, 257, 251), times=2)
    assert "both ends count" in hear(check.exercise_1, (6, 3, 2, 256, 252), times=2)
    assert "before time" in hear(check.exercise_1, (6, 3, 2, 252, 257), times=2)


def system(
    masks=lambda network, bins: network(bins.abs()),
    join=lambda m, b: m * b[:, None],
    cut=lambda x, istft, N: istft(x, N),
):
    """Return an answer to exercise 2, with some of its steps replaced."""

    def separate(mixture, network, stft, istft):
        bins = stft(mixture)
        return cut(join(masks(network, bins), bins), istft, mixture.shape[-1])

    return separate


def separate_by_source(mixture, network, stft, istft):
    bins = stft(mixture)
    masks = network(bins.abs())
    return torch.stack([istft(mask * bins, mixture.shape[-1]) for mask in masks.unbind(1)], dim=1)


@pytest.mark.parametrize("answer", [system(), separate_by_source])
def test_systems_right_in_two_ways(hear, answer):
    assert "✔ Exercise 2" in hear(check.exercise_2, answer)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (system(join=lambda m, b: m * b.abs()[:, None] + 0j), "the phase is lost"),
        (system(join=lambda m, b: m * b.abs()[:, None]), "magnitudes have no phase"),
        (system(join=lambda m, b: m + b[:, None]), "added to the bins"),
        (system(join=lambda m, b: m + 0j), "without the mixture"),
        (system(join=lambda m, b: (1 - m) * b[:, None]), "the inverse masks"),
        (system(join=lambda m, b: m**2 * b[:, None]), "network(bins.abs()) * bins[:, None]"),
        (system(join=lambda m, b: m * b), "stops in line"),
        (system(masks=lambda network, bins: network(bins)), "complex bins"),
        (system(masks=lambda network, bins: network(bins.abs()).detach()), "gradient is cut off"),
        (system(cut=lambda x, istft, N: istft(x, N)[..., :-1]), "N (sample) is 332 instead of 333"),
    ],
)
def test_systems_wrong(hear, answer, words):
    assert words in hear(check.exercise_2, answer, times=4)


def by_root(bins, exponent, floor):
    return ((bins.real**2 + bins.imag**2).sqrt() + floor) ** exponent - floor**exponent


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda z, p, floor: z.abs() ** p, "floor is missing"),
        (lambda z, p, floor: z.abs() ** p + floor, "after the power"),
        (lambda z, p, floor: (z.abs() + floor) ** p, "silence does not become 0"),
        (by_root, "gradient is NaN or infinite"),
        (lambda z, p, floor: Power(p, floor)(z.abs().detach()), "gradient is cut off"),
        (lambda z, p, floor: (z + floor) ** p - floor**p, "complex"),
    ],
)
def test_compressions_wrong(hear, answer, words):
    assert words in hear(check.exercise_3, answer, times=2)


@pytest.mark.parametrize(
    "answer",
    [lambda z, p, floor: Power(p, floor)(z.abs()), lambda z, p, floor: torch.pow(z.abs() + floor, p) - floor**p],
)
def test_compressions_right_in_two_ways(hear, answer):
    assert "✔ Exercise 3" in hear(check.exercise_3, answer)


def test_size_on_disk(hear):
    exact = 1025 * 44100 / 512 * 2 * 36000 * 5 / 1e9
    for right in (exact, round(exact), 31.75, torch.tensor(exact)):
        assert "✔" in hear(check.exercise_4, right)
    assert "one sound" in hear(check.exercise_4, exact / 5, times=2)
    assert "four bytes" in hear(check.exercise_4, 2 * exact, times=2)
    assert "That is the samples" in hear(check.exercise_4, 15.9, times=2)
    assert "too large" in hear(check.exercise_4, 1e6)


def repair(size=lambda wanted, bins: wanted, length=lambda N, T, istft: N, more=0):
    """Return an answer to exercise 5, with some of its bugs."""

    def griffin_lim(magnitude, phase, rounds, stft, istft, N):
        n = length(N, magnitude.shape[-1], istft)
        sound = istft(torch.polar(magnitude, phase), n)
        for _ in range(rounds + more):
            bins = stft(sound)
            sound = istft(torch.polar(size(magnitude, bins), bins.angle()), n)
        return sound

    return griffin_lim


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (repair(size=lambda wanted, bins: bins.abs()), "never restored"),
        (repair(length=lambda N, T, istft: (T - 1) * istft.hop), "instead of 300"),
        (repair(length=lambda N, T, istft: T * istft.hop), "need 21 frames"),
        (repair(more=-1), "one round too few"),
        (repair(more=1), "one round too many"),
    ],
)
def test_bugs_left(hear, answer, words):
    assert words in hear(check.exercise_5, answer, times=4)


def by_division(magnitude, phase, rounds, stft, istft, N):
    bins = magnitude * torch.exp(1j * phase)
    for _ in range(rounds):
        bins = magnitude * stft(istft(bins, N)).sgn()
    return istft(bins, N)


@pytest.mark.parametrize("answer", [repair(), by_division])
def test_bugs_found_in_two_ways(hear, answer):
    assert "✔ Exercise 5" in hear(check.exercise_5, answer)
