"""Checks for the lab on spectrograms: a shape, an STFT, an inverse with bugs, and phases.

Taught on: book/foundations/spectrograms
"""

import torch
from torch import Tensor
from torch.nn import functional

from sepbook.building_blocks.stft import STFT
from sepbook.check import CheckFailure, call, exercise, expect_sizes, expect_tensor, expect_values
from sepbook.check._inputs import noise


@exercise(
    "Exercise 1: the shape of a spectrogram",
    hints=(
        "A window of n_fft samples has n_fft / 2 + 1 different bins. There is a frame at the first sample, and one for "
        "every hop that has begun.",
        "F first: half of 2048, and one more. Then divide the number of samples by the hop.",
        "F = 2048 / 2 + 1. N = 3 * 16000 = 48000 and 48000 / 512 = 93.75, so T = 1 + 94.",
    ),
)
def exercise_1(prediction):
    """Check the predicted (F, T) of three seconds at 16 000 Hz with n_fft 2048 and hop 512."""
    known = {
        (1024, 95): "Half of n_fft is nearly right. But 0 Hz is a bin, and so is the highest frequency: one more.",
        (2048, 95): "A real sound of 2048 samples has 1025 different bins; the others mirror them.",
        (
            1025,
            94,
        ): "A hop that has only begun counts as well: round up. And there is a frame at the very first sample.",
        (1025, 93): "Round up, not down, and count the frame at the very first sample.",
        (257, 95): "Half of the hop and one more. But the hop is not the window: the window decides how many bins.",
        (1025, 32): "That is one second. The sound lasts three.",
        (95, 1025): "Frequency comes before time: F, T.",
        (1025, 90): "Without a border only 90 windows fit. The package puts half a window of zeros at both ends.",
        (1025, 24): "That is one frame for each window. The windows overlap: there is one for each hop.",
    }
    expect_sizes(prediction, (1025, 95), "F T", known)
    return "The window decides how many bins there are, the hop how many frames."


def _stft(samples: Tensor, n_fft: int, hop: int, window=torch.hann_window, border=True, tail=True) -> Tensor:
    """The STFT `(N,) -> (F, T)`, and with other arguments the usual ways to get it wrong."""
    side = n_fft // 2 if border else 0
    padded = functional.pad(samples, (side, side + (-len(samples) % hop if tail else 0)))
    return torch.fft.rfft(padded.unfold(0, n_fft, hop) * window(n_fft)).T


@exercise(
    "Exercise 2: an STFT, frame by frame",
    hints=(
        "Three steps: zeros around the sound, one row per position of the window, and an FFT of each row.",
        "padded.unfold(0, n_fft, hop) makes the rows. Print its shape: T rows of n_fft samples?",
        "padded = functional.pad(samples, (n_fft // 2, n_fft // 2 + -len(samples) % hop)), then "
        "padded.unfold(0, n_fft, hop) * torch.hann_window(n_fft), then torch.fft.rfft(...).T",
    ),
)
def exercise_2(my_stft):
    """Check a function (samples `(N,)`, n_fft, hop) -> complex bins `(F, T)` against the package's STFT."""
    for seed, (length, n_fft, hop) in enumerate(((480, 64, 16), (500, 128, 32), (300, 64, 32))):
        samples = noise(length, seed=seed)
        expected = STFT(n_fft, hop)(samples[None, None])[0, 0]
        mirrored = functional.pad(samples[None], (n_fft // 2, n_fft // 2 + -length % hop), mode="reflect")[0]
        known = {
            "the window is missing": _stft(samples, n_fft, hop, torch.ones),
            "that is the symmetric window. torch.hann_window(n_fft) is the periodic one": _stft(
                samples, n_fft, hop, lambda n: torch.hann_window(n, periodic=False)
            ),
            "the window was applied twice": _stft(samples, n_fft, hop, lambda n: torch.hann_window(n).square()),
            "that is a Hamming window. The package takes torch.hann_window": _stft(
                samples, n_fft, hop, torch.hamming_window
            ),
            "it was divided by n_fft. A Fourier transform divides on the way back": expected / n_fft,
            "only the magnitudes are left: take the abs() later": expected.abs(),
            "these are the powers: take abs() and square() later": expected.abs().square(),
            "only the real parts are left": expected.real,
            "the border is a whole window, and so all frames are half a window late": _stft(
                functional.pad(samples, (n_fft // 2, 0)), n_fft, hop
            )[:, : expected.shape[1]],
            "the ends are mirrored instead of filled with zeros": _stft(mirrored, n_fft, hop, border=False),
        }
        where = f"It is about {length} samples, n_fft = {n_fft} and hop = {hop}."
        bins = call(my_stft, samples, n_fft, hop)
        expect_values(bins, expected, "F T", known, where, tolerance=1e-4)
    return "That is all that torch.stft does, and all that it needs: a border, a window, a Fourier transform."


def _inverse(
    bins: Tensor, n_fft: int, hop: int, length: int, step=None, power=2, divide=True, start=None, again=True
) -> Tensor:
    """The inverse `(F, T) -> (N,)`, and with other arguments the usual ways to get it wrong."""
    window, step = torch.hann_window(n_fft), step or hop
    pieces = torch.fft.irfft(bins.T, n_fft) * (window if again else 1)
    total = torch.zeros(n_fft + max(hop, step) * (len(pieces) - 1))
    weight = torch.zeros_like(total)
    for t, piece in enumerate(pieces):
        total[t * step : t * step + n_fft] += piece
        weight[t * step : t * step + n_fft] += window**power
    start = n_fft // 2 if start is None else start
    sound = total / weight.clamp_min(1e-8) if divide else total
    return sound[start : start + length]


@exercise(
    "Exercise 3: find the bugs in the inverse",
    hints=(
        "Try it with hop = n_fft // 2, and then with hop = n_fft // 4. Which line is right for one of them only?",
        "Two lines use the wrong number: one says how far apart pieces are put, one says what they are divided by.",
        "There are two. The pieces lie `hop` apart, not n_fft // 2. And each piece has met the window twice, so the "
        "weight is window**2.",
    ),
)
def exercise_3(my_istft):
    """Check a function (bins `(F, T)`, n_fft, hop, length) -> samples `(N,)`: overlap-add, exact."""
    for seed, (length, n_fft, hop) in enumerate(((480, 64, 16), (512, 64, 32), (380, 32, 8))):
        samples = noise(length, seed=10 + seed)
        bins = _stft(samples, n_fft, hop)
        half = n_fft // 2
        known = {
            "the pieces still lie half a window apart, whatever the hop": _inverse(bins, n_fft, hop, length, half),
            "the pieces lie half a window apart, and the window is not squared": _inverse(
                bins, n_fft, hop, length, half, 1
            ),
            "each piece has met the window twice, but the weight counts it once": _inverse(
                bins, n_fft, hop, length, power=1
            ),
            "it was divided by the number of pieces that overlap. What counts is the sum of their windows": _inverse(
                bins, n_fft, hop, length, power=0
            ),
            "the weight counts the window more often than needed: each piece has met it twice": _inverse(
                bins, n_fft, hop, length, power=4
            ),
            "the pieces were added without the window, but the weight counts it twice": _inverse(
                bins, n_fft, hop, length, again=False
            ),
            "the phases were not used": _inverse(bins.abs() + 0j, n_fft, hop, length),
            "the division by the summed windows is missing": _inverse(bins, n_fft, hop, length, divide=False),
            "the border was not cut off at the beginning": _inverse(bins, n_fft, hop, length, start=0),
        }
        where = f"It is about n_fft = {n_fft} and hop = {hop}."
        expect_values(call(my_istft, bins, n_fft, hop, length), samples, "N", known, where, tolerance=1e-4)
    return "Whatever the hop: as long as every sample has some weight, it comes back."


@exercise(
    "Exercise 4: magnitudes of one, phases of another",
    hints=(
        "A complex number is made from a length and a direction: which function makes it, and which two read them off?",
        "bins.abs() is the length you want, other.angle() the direction. Which function of torch takes both?",
        "return torch.polar(bins.abs(), other.angle())",
    ),
)
def exercise_4(with_phase_of):
    """Check a function (bins, other), both complex `(C, F, T)` -> the lengths of bins, the directions of other."""
    bins, other = (torch.complex(noise(2, 5, 7, seed=s), noise(2, 5, 7, seed=s + 1)) for s in (20, 22))
    known = {
        "lengths and directions are exchanged": torch.polar(other.abs(), bins.angle()),
        "the directions were added: multiply the *length* of bins, not bins itself": bins * other / other.abs(),
        "the lengths were multiplied: of `other` only the direction is wanted": torch.polar(
            bins.abs() * other.abs(), other.angle()
        ),
        "a length times an angle is no complex number; torch.polar makes one": bins.abs() * other.angle(),
        "the directions are turned the other way: the sign of the angle": torch.polar(bins.abs(), -other.angle()),
        "these are the bins of the other sound, unchanged": other,
        "the directions are still those of bins": bins,
    }
    expect_values(call(with_phase_of, bins, other), torch.polar(bins.abs(), other.angle()), "C F T", known)
    bins[..., 0], other[..., 1] = 0, 0
    given = expect_tensor(call(with_phase_of, bins, other))
    if not given.isfinite().all():
        raise CheckFailure(
            "Where one of the two is silent, the result is NaN.",
            "other / other.abs() is 0 / 0 there. Any direction will do for silence, but it has to be a number.",
            "torch.polar(length, angle) needs no division.",
            kind="silence",
            known=True,
        )
    if (given[..., 1].abs() - bins[..., 1].abs()).abs().max() > 1e-4:
        raise CheckFailure(
            "Where `other` is silent, the length of `bins` is lost.",
            "A direction is wanted there as well: any will do, but its length has to be 1.",
            "The angle of zero is 0: torch.polar(bins.abs(), other.angle()) keeps the length.",
            kind="length lost",
            known=True,
        )
    return "Every system that guesses magnitudes ends with this line, and with the mixture as `other`."
