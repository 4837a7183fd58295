"""The exercises of the U-Net's lab: each usual mistake is recognised, each right answer passes, however written."""

import pytest
import torch
from torch.nn import functional

from sepbook.building_blocks.convolution import same_padding
from sepbook.check.architectures import unet as check
from tests.check.tables import test_nonsense_never_raises, test_stubs_stay_red  # noqa: F401


def test_shape_of_a_strided_convolution(hear):
    convolution = torch.nn.Conv2d(1, 16, 5, stride=2)
    assert "✔" in hear(check.exercise_1, convolution(torch.zeros(1, 1, 64, 32)).shape[1:])
    assert "nothing was padded" in hear(check.exercise_1, (16, 32, 16), times=2)
    assert "add one" in hear(check.exercise_1, (16, 29, 13), times=2)
    assert "F, T" in hear(check.exercise_1, (1, 30, 14))
    assert "not yet" in hear(check.exercise_1, (..., ..., ...))


def pad_by_arithmetic(x, kernel):
    sizes = [*x.shape[-2:]]
    total = [max((-(-n // 2) - 1) * 2 + kernel - n, 0) for n in sizes]
    pairs = [(t // 2, t - t // 2) for t in total]
    return functional.pad(x, pairs[1] + pairs[0])


def pad_by_blocks(x, kernel):
    B, H, F, T = x.shape
    (top, bottom), (left, right) = same_padding(F, kernel, 2), same_padding(T, kernel, 2)
    wide = torch.zeros(B, H, top + F + bottom, left + T + right)
    wide[:, :, top : top + F, left : left + T] = x
    return wide


@pytest.mark.parametrize("answer", [pad_by_arithmetic, pad_by_blocks])
def test_padding_right_in_two_ways(hear, answer):
    assert "✔ Exercise 2" in hear(check.exercise_2, answer)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            lambda x, kernel: functional.pad(x, (kernel // 2,) * 4),
            "F=68, T=36), but should have (B=2, H=3, F=67, T=35)",
        ),
        (lambda x, kernel: functional.pad(x, (2, 1, 2, 1)), "the odd zero stands before the values"),
        (lambda x, kernel: functional.pad(x, (1, 2, 1, 2), mode="reflect"), "the values are not"),
        (lambda x, kernel: functional.pad(x, (1, 2, 1, 2)), "an input of 7 bins and 8 frames"),
        (lambda x, kernel: x, "F=64, T=32), but should have"),
    ],
)
def test_padding_wrong(hear, answer, words):
    assert words in hear(check.exercise_2, answer, times=2)


def swaps_axes(x, kernel):
    F, T = x.shape[-2:]
    return functional.pad(x, (*same_padding(F, kernel, 2), *same_padding(T, kernel, 2)))


def test_padding_with_swapped_axes_is_wrong_at_odd_sizes(hear):
    assert "an input of 7 bins and 8 frames" in hear(check.exercise_2, swaps_axes, times=2)


def joined(join, end=torch.sigmoid, keep=lambda block, x: block(x)):
    """Return an answer to exercise 3 that joins two maps in its own way."""

    def unet_masks(encoder, decoder, magnitude):
        x, maps = magnitude, []
        for block in encoder:
            x = keep(block, x)
            maps.append(x)
        x = decoder[0](maps.pop())
        for block in decoder[1:]:
            x = block(join(x, maps.pop()))
        return end(x)

    return unet_masks


RIGHT = joined(lambda x, skip: torch.cat([x, skip], dim=1))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (joined(lambda x, skip: torch.cat([skip, x], dim=1)), "torch.cat puts the skip before"),
        (joined(lambda x, skip: torch.cat([x, skip], dim=1), torch.relu), "a ReLU instead of a sigmoid"),
        (joined(lambda x, skip: torch.cat([x, skip], dim=1), lambda y: y), "the sigmoid at the end is missing"),
        (joined(lambda x, skip: x + skip), "built for 16 features"),
        (joined(lambda x, skip: torch.cat([x, skip], dim=1), lambda y: y.sigmoid().squeeze()), "has 3 axes"),
        (joined(lambda x, skip: torch.cat([x, skip], dim=2)), "features, but H"),
        (
            joined(lambda x, skip: torch.cat([x, skip.detach()], dim=1).detach()),
            "No gradient arrives at input number 1",
        ),
        (joined(lambda x, skip: torch.cat([x, 0 * skip], dim=1)), "the values are not"),
        (lambda encoder, decoder, x: encoder.pop() and None, "returned nothing"),
        (lambda encoder, decoder, x: RIGHT([encoder.pop(0), *encoder], decoder, x), "changed its input number 1"),
    ],
)
def test_skips_wrong(hear, answer, words):
    first, second = hear(check.exercise_3, answer), hear(check.exercise_3, answer)
    assert "✘" in first and "✘" in second and words in first + second


def skips_by_index(encoder, decoder, magnitude):
    maps = [magnitude]
    for block in encoder:
        maps.append(block(maps[-1]))
    x = decoder[0](maps[-1])
    for i in range(1, len(decoder)):
        x = decoder[i](torch.cat((x, maps[-1 - i]), 1))
    return 1 / (1 + torch.exp(-x))


@pytest.mark.parametrize("answer", [RIGHT, skips_by_index])
def test_skips_right_in_two_ways(hear, answer):
    assert "✔ Exercise 3" in hear(check.exercise_3, answer)


def any_size(f="-F % m", t="-T % m", end=torch.sigmoid, crop="[..., :F, :T]"):
    """Return an answer to exercise 4, with some of its bugs."""

    def masks_for_any_size(logits, magnitude, multiple):
        F, T = magnitude.shape[-2:]
        sizes = {"F": F, "T": T, "m": multiple}
        x = functional.pad(magnitude, (0, eval(t, sizes), 0, eval(f, sizes)))
        return eval(f"y{crop}", {"y": end(logits(x)), **sizes})

    return masks_for_any_size


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (any_size("F % m", "T % m", torch.relu, ""), "ReLU gives 0 and more"),
        (any_size("F % m", "T % m", crop=""), "magnitude (1, 1, 45, 37), x (1, 1, 50, 42)"),
        (any_size(crop=""), "F=48, T=40), but should have (B=1, S=2, F=45, T=37)"),
        (any_size(end=lambda y: y), "nothing that keeps the masks between 0 and 1"),
        (any_size(crop="[..., -F:, -T:]"), "takes from the beginning what was padded at the end"),
        (any_size("m - F % m", "m - T % m"), "a whole multiple of zeros"),
    ],
)
def test_bugs_left(hear, answer, words):
    first, second = hear(check.exercise_4, answer), hear(check.exercise_4, answer)
    assert "✘" in first and "✘" in second and words in first + second


def test_bugs_found(hear):
    assert "✔ Exercise 4" in hear(check.exercise_4, any_size())
