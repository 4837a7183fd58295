"""Checks for the lab on Wave-U-Net: a folded tone, lines, a level up, how much sound goes in, the rest.

Taught on: book/architectures/wave_unet
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from sepbook.building_blocks.convolution import Upsample1d, middle
from sepbook.check import call, exercise, expect_gradient, expect_number, expect_sizes, expect_values
from sepbook.check._compare import told_apart
from sepbook.check._inputs import about, near, noise, seeded


@exercise(
    "Exercise 1: where a high tone lands",
    hints=(
        "What is the new rate, and what is the highest tone that it can hold?",
        "A tone between half the rate and the rate gives the same samples as one that lies as far below half the rate.",
        "The new rate is 8000 Hz. The tone lands at 8000 less its own frequency.",
    ),
)
def exercise_1(prediction):
    """Check where 5000 Hz is heard after every second value of 16 000 Hz was dropped."""
    known = {
        5000: "A rate of 8000 Hz holds tones up to 4000 Hz. This one has to be heard elsewhere.",
        2500: "Dropping values does not slow the sound down: the rate is halved too, and the tone is no octave lower.",
        10000: "Dropping values does not speed the sound up: it is played at half the rate.",
        1000: "That is how far it lies above half the new rate. It lands as far below it.",
        4000: "That is the highest tone that the new rate can hold. What lies above is folded, not stopped there.",
        11000: "That is 16 000 less the tone. The new rate is 8000 Hz.",
        0: "It would be gone if a filter had come first. Here none does.",
    }
    expect_number(prediction, 3000, known, tolerance=1e-6)
    return "Folded at half the new rate: nobody can tell it from a true tone of 3000 Hz."


def _between(x: Tensor, value: Tensor) -> Tensor:
    """Put `value` (B, H, T - 1) between the values of x (B, H, T)."""
    y = x.new_zeros(*x.shape[:2], 2 * x.shape[-1] - 1)
    y[..., ::2], y[..., 1::2] = x, value
    return y


@exercise(
    "Exercise 2: draw lines",
    hints=(
        "T values have T - 1 gaps between them. One new value goes into each gap.",
        "Halfway between two values lies their mean. Even places keep the old values, odd places get the new ones.",
        "y = x.new_zeros(B, H, 2 * T - 1); y[..., ::2] = x; y[..., 1::2] = (x[..., :-1] + x[..., 1:]) / 2",
    ),
)
def exercise_2(lines):
    """Check a function of x `(B, H, T)`: one value more in each gap, `(B, H, 2T - 1)`."""
    for B, H, T in ((2, 3, 5), (1, 2, 8), (1, 1, 1)):
        x = noise(B, H, T, seed=T).requires_grad_()
        left, right = x[..., :-1], x[..., 1:]
        known = {
            "each value is repeated. Between two values lies their mean": _between(x, left),
            "the value after the gap is repeated. Between two values lies their mean": _between(x, right),
            "there are zeros in the gaps": _between(x, 0 * left),
            "the sum of both neighbours stands in the gap. Take half of it": _between(x, left + right),
            "half the difference stands in the gap. Take half of the sum": _between(x, (right - left) / 2),
            "something was made up after the last value. Lines end at the last one": Upsample1d()(x),
            "the places do not match: old values stay at even places. See align_corners": functional.interpolate(
                x, 2 * T - 1, mode="linear", align_corners=False
            ),
        }
        answer = _between(x, (left + right) / 2)
        known = told_apart(known, answer)
        result = call(lines, x)
        expect_values(result, answer, "B H T", known, about(x=("B H T", x.shape)))
        expect_gradient(result, x)
    return "No weights, and nothing made up beyond the last value."


def _repeated(x: Tensor) -> Tensor:
    """Another way to enlarge: repeat each value but the last."""
    return x.repeat_interleave(2, -1)[..., :-1]


def _level(x: Tensor, kept: Tensor, enlarge, convolve, cut=middle, order=1) -> Tensor:
    """A level up, and with other arguments the usual ways to get it wrong."""
    x = enlarge(x)
    return convolve(torch.cat([cut(kept, x.shape[-1]), x][::order], dim=1))


@exercise(
    "Exercise 3: one level up",
    hints=(
        "First the lines. Then the kept map is longer than what came up: which part of it belongs to the same time?",
        "The middle. Put it beside what came up, along H, the kept map first. Then convolve.",
        "x = enlarge(x); first = (kept.shape[-1] - x.shape[-1]) // 2; kept = kept[..., first : first + x.shape[-1]]; "
        "return convolve(torch.cat([kept, x], dim=1))",
    ),
)
def exercise_3(level_up):
    """Check a function of x, kept, enlarge, convolve: x enlarged, the middle of `kept` before it, convolved."""
    lines = Upsample1d(ends="cut")
    cases = ((2, 3, 6, 4, lines), (1, 2, 5, 7, lines), (1, 4, 4, 0, lines), (1, 2, 3, 2, _repeated))
    for seed, (B, H, T, longer, enlarge) in enumerate(cases):
        with seeded(seed):
            convolve = nn.Conv1d(H + 2, 3, 3)
        x = noise(B, H, T, seed=seed).requires_grad_()
        kept = noise(B, 2, 2 * T - 1 + longer, seed=seed + 10).requires_grad_()
        right = _level(x, kept, enlarge, convolve)
        known = {
            "the first values of the kept map are taken. What came up lies in its middle": (
                _level(x, kept, enlarge, convolve, cut=lambda k, n: k[..., :n])
            ),
            "the last values of the kept map are taken. What came up lies in its middle": (
                _level(x, kept, enlarge, convolve, cut=lambda k, n: k[..., k.shape[-1] - n :])
            ),
            "the kept map stands behind what came up. It comes first": _level(x, kept, enlarge, convolve, order=-1),
            "nothing comes across: the kept map is empty": _level(x, 0 * kept, enlarge, convolve),
            "what came from below is missing": _level(0 * x, kept, enlarge, convolve),
            "no lines were drawn: half of the values are missing": _level(x, kept, nn.Identity(), convolve),
            "lines are drawn, whatever enlarge does. Call it": _level(x, kept, lines, convolve),
        }
        known = told_apart(known, right)
        result = call(level_up, x, kept, enlarge, convolve)
        where = about(x=("B H T", x.shape), kept=("B H T", kept.shape))
        expect_values(result, right, "B H T", known, where)
        expect_gradient(result, x, kept)
    return "Stacked, not added: the next convolution chooses from both."


def _sizes(bottom: int, levels: int, kernel: int, kernel_up: int, mistake: str = "") -> tuple[int, int]:
    """How many samples go in and come out, or what a usual mistake makes of it."""
    edge, edge_up = (kernel, kernel_up) if mistake == "taps" else (kernel - 1, kernel_up - 1)
    double = 0 if mistake == "double" else 1
    given, out = bottom + (0 if mistake == "bottom" else edge), bottom
    for _ in range(levels):
        given = 2 * given - double + edge
        out = 2 * out - double - (0 if mistake == "up" else edge_up)
    return (out, given) if mistake == "order" else (given, out)


@exercise(
    "Exercise 4: how much sound goes in",
    hints=(
        "Start at the lowest level and walk outward, twice: backward through the way down, and through the way up.",
        "A convolution of k taps without padding makes k - 1 values fewer, so k - 1 more went in. Of 2n - 1 values "
        "every second one is n; and lines make 2n - 1 of n.",
        "given = bottom + kernel - 1, then for each level given = 2 * given - 1 + kernel - 1. out = bottom, then for "
        "each level out = 2 * out - 1 - (kernel_up - 1).",
    ),
)
def exercise_4(sizes):
    """Check a function of bottom, levels, kernel, kernel_up: how many samples go in, and how many come out."""
    for case in ((9, 12, 15, 5), (8, 1, 5, 3), (20, 3, 1, 1), (int(near(40)), 5, 15, 5), (7, 2, 3, 5)):
        right = _sizes(*case)
        mistakes = {
            "taps": "A kernel of k taps takes k - 1 values away, not k.",
            "double": "n values have n - 1 gaps: there are 2n - 1 values, not 2n, on both ways.",
            "bottom": "The convolution at the bottom takes kernel - 1 values away too.",
            "up": "The convolutions on the way up take kernel_up - 1 values away at each level.",
            "order": "The two are swapped: what goes in comes first, and it is the longer one.",
        }
        known = {_sizes(*case, mistake): reason for mistake, reason in mistakes.items()}
        known = {sizes: reason for sizes, reason in known.items() if sizes != right}
        where = "It is about a bottom of {}, {} levels, kernel {} and kernel_up {}.".format(*case)
        expect_sizes(call(sizes, *case), right, "N N'", known, where)
    return "With 12 levels and a bottom of 9 these are the paper's numbers: 147 443 in, 16 389 out."


@exercise(
    "Exercise 5: the rest",
    hints=(
        "What must the last stem be, so that all stems add up to the mixture?",
        "The mixture `(B, C, N)` has no axis S. Give it one, and take the sum of the estimates along theirs away.",
        "rest = mixture[:, None] - estimates.sum(1, keepdim=True); return torch.cat([estimates, rest], dim=1)",
    ),
)
def exercise_5(complete):
    """Check a function of mixture `(B, C, N)`, estimates `(B, S - 1, C, N)`: with the rest as last stem."""
    for B, S, C, N in ((2, 3, 2, 6), (1, 1, 1, 9), (3, 2, 3, 4)):
        mixture = noise(B, C, N, seed=N).requires_grad_()
        estimates = noise(B, S, C, N, seed=N + 1).requires_grad_()
        total = estimates.sum(1, keepdim=True)

        def stacked(rest: Tensor, first: bool = False, estimates: Tensor = estimates) -> Tensor:
            return torch.cat([rest, estimates] if first else [estimates, rest], dim=1)

        right = stacked(mixture[:, None] - total)
        known = {
            "the rest stands first. It is the last stem": stacked(mixture[:, None] - total, first=True),
            "the sign of the rest is turned": stacked(total - mixture[:, None]),
            "the mixture is the last stem: nothing was taken away": stacked(mixture[:, None]),
            "the mean of the estimates was taken away, not their sum": stacked(mixture[:, None] - total / S),
            "only the last estimate was taken away": stacked(mixture[:, None] - estimates[:, -1:]),
            "the estimates were added to the mixture": stacked(mixture[:, None] + total),
            "only the rest is returned": mixture[:, None] - total,
        }
        known = told_apart(known, right)
        result = call(complete, mixture, estimates)
        where = about(mixture=("B C N", mixture.shape), estimates=("B S C N", estimates.shape))
        expect_values(result, right, "B S C N", known, where)
        expect_gradient(result, mixture, estimates)
    return "Now the stems add up, before the first step of training and after the last."
