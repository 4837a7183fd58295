"""Checks for the lab on separation without learning: a median filter, masks, and kernels that reach a bar.

Taught on: book/foundations/classical
"""

from functools import cache

import torch
from torch import Tensor

from sepbook.building_blocks.stft import ISTFT, STFT
from sepbook.check import CheckFailure, NotYet, call, exercise, expect_number, expect_tensor, expect_values
from sepbook.check._exercise import is_empty
from sepbook.check._inputs import dice
from sepbook.check._predict import whole
from sepbook.data import corpus
from sepbook.evaluation.metrics import si_sdr

BAR_DB = 5.8  # the mean improvement of the drums on the validation songs that exercise 4 asks for
START, SECONDS, LONGEST = 7, 4, 201  # of an excerpt, in s; of a kernel


def _uniform(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=dice(seed))


@exercise(
    "Exercise 1: the shortest note that is left",
    hints=(
        "Sort the 21 values under the kernel. The median is the one in the middle. How many must be the note's?",
        "With 9 of 21 values from the note, on which side of the middle does the median lie?",
        "The eleventh of 21 is the middle. A note of 11 frames reaches it, one of 10 does not.",
    ),
)
def exercise_1(prediction):
    """Check how many frames a note must last to survive a median over 21 frames."""
    known = {
        20: "A note need not fill the kernel. It must hold the value in the middle.",
        12: "That is long enough. One fewer is enough, too.",
        22: "Longer than the kernel it need not be.",
        42: "Longer than the kernel it need not be.",
        1: "A single frame disappears in the median. That is what the median is for.",
        2: "Two frames of 21 are too few. A sound so short disappears in the median.",
        0.21: "It is counted in frames, not in seconds.",
        21: "A note need not fill the kernel. It must hold the value in the middle.",
        10: "Ten of 21 values are not yet the middle one.",
        10.5: "Frames come whole. And the middle of 21 values is one of them.",
    }
    expect_number(prediction, 11, known)
    return "More than half of the kernel. What is shorter disappears, however loud it is."


def _median(x: Tensor, width: int, axis: int, ends: str = "mirror", middle=torch.median) -> Tensor:
    """The running median of x `(F, T)`, and with other arguments the usual ways to get it wrong."""
    x, half = x.movedim(axis, -1), width // 2
    first, last = {
        "mirror": (x[..., :half].flip(-1), x[..., -half:].flip(-1)),
        "reflect": (x[..., 1 : half + 1].flip(-1), x[..., -half - 1 : -1].flip(-1)),
        "zeros": (torch.zeros_like(x[..., :half]), torch.zeros_like(x[..., :half])),
        "edge": (x[..., :1].expand_as(x[..., :half]), x[..., -1:].expand_as(x[..., :half])),
    }[ends]
    rows = torch.cat([first, x, last], dim=-1).unfold(-1, width, 1)
    return (rows.median(dim=-1).values if middle is torch.median else middle(rows, dim=-1)).movedim(-1, axis)


@exercise(
    "Exercise 2: a running median",
    hints=(
        "`rows` holds the neighbours of each point along its last axis. What is missing: the median, and the way back.",
        "Take the median of `rows` along the last axis and print its shape: which axis stands at the wrong place now?",
        "return rows.median(dim=-1).values.movedim(-1, axis)",
    ),
)
def exercise_2(running_median):
    """Check a function (x `(F, T)`, width, axis) -> medians `(F, T)` over mirrored ends."""
    for seed, (shape, width, axis) in enumerate((((12, 20), 5, 1), ((15, 11), 7, 0), ((9, 9), 3, 0))):
        x = _uniform(*shape, seed=seed)
        known = {
            "that is the mean, which one loud value spoils": _median(x, width, axis, middle=torch.mean),
            "that is the largest value, not the middle one": _median(x, width, axis, middle=torch.amax),
            "that is the smallest value, not the middle one": _median(x, width, axis, middle=torch.amin),
            "the kernel is wider than asked for": _median(x, width + 2, axis),
            "the kernel is 5 wide, whatever width is asked for": _median(x, 5, axis),
            "it runs along the frames, whatever axis is asked for": _median(x, width, 1),
            "it ran along both axes, one after the other": _median(_median(x, width, axis), width, 1 - axis),
            "the ends are filled with zeros, not mirrored": _median(x, width, axis, "zeros"),
            "the mirror leaves the edge out. Here the value at the edge is mirrored too": _median(
                x, width, axis, "reflect"
            ),
            "the ends repeat one value instead of mirroring several": _median(x, width, axis, "edge"),
            "it runs along the other axis": _median(x, width, 1 - axis),
        }
        where = f"It is about a kernel of {width} along axis {axis} of {shape[0]} bins and {shape[1]} frames."
        expect_values(call(running_median, x, width, axis), _median(x, width, axis), "F T", known, where)
    return "Two of these, one along each axis, are the whole knowledge of this method."


def _masks(lines: Tensor, strokes: Tensor, power: float, margin: float) -> Tensor:
    """The harmonic and the percussive mask, stacked `(2, F, T)`."""

    def share(a, b):
        return a**power / (a**power + (margin * b) ** power)

    return torch.stack([share(lines, strokes), share(strokes, lines)])


@exercise(
    "Exercise 3: two masks",
    hints=(
        "Each mask is what it believes in, against that plus the other one, which the margin makes harder to beat.",
        "Write the harmonic one first: lines**power above the line. Below it: the same, and the strokes with "
        "the margin.",
        "harmonic = lines**power / (lines**power + (margin * strokes)**power).clamp_min(1e-30); percussive is the same "
        "with both exchanged. return torch.stack([harmonic, percussive])",
    ),
)
def exercise_3(hpss_masks):
    """Check a function (lines `(F, T)`, strokes `(F, T)`, power, margin) -> masks `(2, F, T)`, harmonic first.

    Finite in silence, too.
    """
    lines, strokes = _uniform(6, 8, seed=5) + 0.1, _uniform(6, 8, seed=6) + 0.1
    silent = torch.zeros(6, 8)
    for power, margin in ((2.0, 1.0), (1.0, 1.0), (2.0, 3.0)):
        right = _masks(lines, strokes, power, margin)
        known = {
            "the percussive mask stands first; the harmonic one should": right.flip(0),
            "the power is not used": _masks(lines, strokes, 1.0, margin),
            "the power is always 2": _masks(lines, strokes, 2.0, margin),
            "the margin is not used": _masks(lines, strokes, power, 1.0),
            "the margin helps each mask instead of asking more of it": _masks(lines, strokes, power, 1 / margin),
            "the margin must be raised to the power as well: (margin * b)**power": _masks(
                lines, strokes, power, margin ** (1 / power)
            ),
            "all or nothing: these are binary masks. Shares are asked for": (right > 0.5).float(),
            "the power was taken after the division. It belongs to each of the two": _masks(lines, strokes, 1.0, margin)
            ** power,
            "the second mask is one minus the first. That holds for a margin of 1 only": torch.stack(
                [right[0], 1 - right[0]]
            ),
        }
        where = f"It is about a power of {power:g} and a margin of {margin:g}."
        expect_values(call(hpss_masks, lines, strokes, power, margin), right, "S F T", known, where)
    found = expect_tensor(call(hpss_masks, silent, silent, 2.0, 1.0))
    if not found.isfinite().all():
        raise CheckFailure(
            "Where both are silent, the masks are NaN.",
            "There it is 0 / 0, and one NaN makes all of the sound NaN.",
            "Keep what stands below the line away from zero: (…).clamp_min(1e-30).",
            kind="silence",
            known=True,
        )
    return "With a margin of 1 they add up to one; with more, part of the sound is left to nobody."


@cache
def _excerpts() -> list[tuple[Tensor, Tensor, Tensor]]:
    """Return of each validation song the mixture and drums `(C, N)` and the bins `(C, F, T)`."""
    found = []
    for track in corpus.songs("valid"):
        rate = track.sample_rate
        sources = track.sources(start=START * rate, length=SECONDS * rate)
        mixture = sources.sum(0)
        found.append((mixture, sources[track.stem_names.index("drums")], STFT(1024, 256)(mixture[None])[0]))
    return found


@cache
def _gain(frames: int, bins: int) -> float:
    """Return the mean SI-SDR improvement of the drums in dB over the validation songs."""
    gains = []
    for mixture, drums, spectrogram in _excerpts():
        magnitude = spectrogram[0].abs()
        lines, strokes = _median(magnitude, frames, 1).square(), _median(magnitude, bins, 0).square()
        mask = strokes / (strokes + lines).clamp_min(1e-30)
        found = ISTFT(1024, 256)(mask * spectrogram, mixture.shape[-1])
        gains.append(si_sdr(found[None], drums[None]) - si_sdr(mixture[None], drums[None]))
    return float(torch.stack(gains).nanmean())


def _sizes(kernels) -> tuple[int, int]:
    if is_empty(kernels):
        raise NotYet("Write two sizes in place of the dots: (frames, bins).")
    try:
        sizes = tuple(map(whole, kernels))
    except (TypeError, ValueError):
        sizes = ()
    if len(sizes) != 2:
        raise CheckFailure(
            f"The answer should be two whole numbers, (frames, bins), but is {kernels!r:.80}.",
            "Look at the brackets and the comma.",
            "Write it as kernels = (31, 31), with other numbers.",
            kind="type",
        )
    if any(k % 2 == 0 or not 3 <= k <= LONGEST for k in sizes):
        raise CheckFailure(
            f"{sizes[0]} frames and {sizes[1]} bins: both must be odd, from 3 to {LONGEST}.",
            "An even number of values has none in the middle.",
            "Take the odd number next to it.",
            kind="odd",
        )
    return sizes


@exercise("Exercise 4: reach the bar")
def exercise_4(kernels):
    """Check kernel sizes (frames, bins): do they gain `BAR_DB` for the drums, on average over the validation songs?"""
    frames, bins = _sizes(kernels)
    gain = _gain(frames, bins)
    if gain >= BAR_DB:
        return f"{gain:.1f} dB on the validation songs; the bar was {BAR_DB:g} dB. Does it hold on the test songs?"

    def other(size: int, factor: float) -> int:
        return min(max(3, round(size * factor) // 2 * 2 + 1), LONGEST)

    tries = {
        f"fewer frames: {other(frames, 0.5)}": (other(frames, 0.5), bins),
        f"more frames: {other(frames, 1.8)}": (other(frames, 1.8), bins),
        f"fewer bins: {other(bins, 0.5)}": (frames, other(bins, 0.5)),
        f"more bins: {other(bins, 1.8)}": (frames, other(bins, 1.8)),
    }
    words, best = max(((w, _gain(*pair)) for w, pair in tries.items()), key=lambda pair: pair[1])
    raise CheckFailure(
        f"{frames} frames and {bins} bins gain {gain:.1f} dB for the drums; the bar is {BAR_DB:g} dB.",
        f"One change that {'helps' if best > gain else 'costs least'} is {words}. With it they gain {best:.1f} dB.",
        "31 frames are half a second, and 31 bins half a kilohertz: both are long. Try about 13 frames and 9 bins.",
        kind="bar",
    )
