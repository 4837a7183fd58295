"""Checks for the lab of the filter banks.

Taught on: book/building_blocks/filterbank
"""

import torch
from torch import Tensor
from torch.nn.functional import conv_transpose1d, pad

from sepbook.building_blocks.filterbank import spaced
from sepbook.check import call, exercise, expect_gradient, expect_sizes, expect_values, is_close
from sepbook.check._inputs import dice


def _encode(x: Tensor, w: Tensor, hop: int, before: int | None = None) -> Tensor:
    """The code `(B, C, K, T)`; with another `before` or other waveforms, the usual ways to get it wrong."""
    size, N = w.shape[-1], x.shape[-1]
    T = (N - 1 + size - hop) // hop + 1
    before = size - hop if before is None else before
    padded = pad(x, (before, (T - 1) * hop + size - before - N))
    return (padded.unfold(-1, size, hop) @ w.T).transpose(-1, -2)


@exercise(
    "Exercise 1: an encoder",
    hints=(
        "Three steps: zeros in front and behind; frames (B, C, T, size) with padded.unfold(-1, size, hop); "
        "the inner product of every frame with every waveform.",
        "First only the frames: pad size - hop zeros in front, unfold, and compare the number of frames with "
        "the docstring.",
        "padded = torch.nn.functional.pad(samples, (size - hop, size)); frames = padded.unfold(-1, size, hop)"
        "[..., :T, :]; return (frames @ waveforms.T).transpose(-1, -2), with T as the docstring says.",
    ),
)
def exercise_1(encode):
    """Check a function of samples `(B, C, N)`, waveforms `(K, size)` and hop: the code `(B, C, K, T)`."""
    random = dice(0)
    for N, size, hop in ((101, 8, 4), (40, 8, 4), (50, 9, 3), (3, 8, 4)):
        x = torch.randn(2, 2, N, dtype=torch.float64, generator=random, requires_grad=True)
        w = torch.randn(5, size, dtype=torch.float64, generator=random)
        known = {
            "the waveforms are reversed in time: an encoder compares, it does not flip": _encode(x, w.flip(-1), hop),
            "the zeros in front are missing, so that the first samples lie in one frame only": _encode(x, w, hop, 0),
            "there are size zeros in front; size - hop are enough": _encode(x, w, hop, size),
            "half a filter of zeros stands in front; it should be size - hop": _encode(x, w, hop, size // 2),
            "hop zeros stand in front; it should be size - hop": _encode(x, w, hop, hop),
            "the products are averaged over a frame; they are added": _encode(x, w, hop) / size,
            "the waveforms were brought to length one; they are used as they are": _encode(
                x, w / w.norm(dim=-1, keepdim=True), hop
            ),
            "the first audio channel is used for all": _encode(x[:, :1], w, hop).expand(-1, 2, -1, -1),
            "a ReLU cuts the code; an encoder's products have both signs": _encode(x, w, hop).relu(),
            "every frame is brought to length one; a quiet one should give a quiet code": _encode(x, w, hop)
            / _encode(x.square(), torch.ones_like(w[:1]), hop).sqrt(),
        }
        known = {mistake: code for mistake, code in known.items() if not torch.equal(code, _encode(x, w, hop))}
        where = f"It is about N={N} samples, filters of size={size} and hop={hop}."
        result = call(encode, x, w, hop)
        expect_values(result, _encode(x, w, hop), "B C K T", known, where)
        expect_gradient(result, x)
    return "With Fourier's waves for waveforms, this is the STFT."


@exercise(
    "Exercise 2: the shape of TasNet's code",
    hints=(
        "Each of the filters gives one row. How many frames are there, if the first one begins size - hop samples "
        "before the sound and the last one at or before its last sample?",
        "The first frame begins at hop - size, the next one hop later. Which is the last one that begins at "
        "or before sample N - 1?",
        "T = (N - 1 + size - hop) // hop + 1, with N = 2 · 8000, size = 40 and hop = 20.",
    ),
)
def exercise_2(prediction):
    """Check the predicted shape (B, C, K, T) of the code of three mono mixtures of two seconds at 8 kHz."""
    known = {
        (3, 1, 500, 800): "The padded sound is longer than the sound: there is one frame more than N / hop.",
        (3, 1, 500, 799): "Without zeros at both ends this would be right. The encoder pads.",
        (3, 1, 500, 401): "Frames overlap by half: the hop is not the size.",
        (3, 1, 40, 801): "K is the number of filters, not their size.",
        (3, 1, 500, 1601): "At 8 kHz, two seconds are 16,000 samples.",
        (1, 3, 500, 801): "Three mixtures, each with one audio channel: B comes before C.",
        (3, 1, 801, 500): "The order is K before T: filters, then frames.",
        (3, 1, 21, 801): "21 is what a Fourier transform of 40 samples would give. TasNet has more filters than that.",
    }
    expect_sizes(prediction, (3, 1, 500, 801), "B C K T", known)
    return "About 25 numbers for each sample of the sound: a filter bank may be generous."


def _decode(code: Tensor, w: Tensor, hop: int, length: int, start: int | None = None, mixed=False) -> Tensor:
    B, C, K, T = code.shape
    start = w.shape[-1] - hop if start is None else start
    flat = code.reshape(B * C, T, K).transpose(1, 2) if mixed else code.reshape(B * C, K, T)
    return conv_transpose1d(flat, w[:, None], stride=hop)[:, 0, start : start + length].reshape(B, C, length)


@exercise(
    "Exercise 3: find the bugs",
    hints=(
        "Write the shape behind every line. Which axes does reshape merge, and does it move any number? Which sample "
        "of the padded sound was the first one of the sound itself?",
        "Take C = 2 and print code after reshape: which of its rows belong to the left channel?",
        "There are two: code.reshape(B * C, K, T), without transpose, because reshape never swaps axes; and the sound "
        "begins behind the zeros, samples[:, 0, before : before + length] with before = size - hop.",
    ),
)
def exercise_3(decode):
    """Check a function of code `(B, C, K, T)`, waveforms `(K, size)`, hop and length: samples `(B, C, length)`."""
    random = dice(1)
    for N, size, hop in ((101, 8, 4), (60, 9, 3)):
        T = (N - 1 + size - hop) // hop + 1
        code = torch.randn(2, 3, 5, T, dtype=torch.float64, generator=random, requires_grad=True)
        w = torch.randn(5, size, dtype=torch.float64, generator=random)
        known = {
            "the zeros in front are still there, and the end is missing": _decode(code, w, hop, N, start=0),
            "filters and frames are still mixed up by reshape": _decode(code, w, hop, N, mixed=True),
            "both bugs are still there": _decode(code, w, hop, N, start=0, mixed=True),
            "the waveforms are reversed in time: a decoder adds them up as they are": _decode(code, w.flip(-1), hop, N),
            "the last samples of the padded sound are taken; the sound begins behind the zeros in front": _decode(
                code, w, hop, N, start=(T - 1) * hop + size - N
            ),
            "size zeros are cut off in front; there are size - hop": _decode(
                pad(code, (0, size)), w, hop, N, start=size
            ),
            "hop zeros are cut off in front; there are size - hop": _decode(code, w, hop, N, start=hop),
            "where waveforms overlap, their mean is taken; they add up": _decode(code, w, hop, N)
            / _decode(torch.ones_like(code[:, :, :1]), torch.ones_like(w[:1]), hop, N),
            "only the first audio channel is decoded": _decode(code[:, :1], w, hop, N).expand(-1, code.shape[1], -1),
        }
        known = {mistake: y for mistake, y in known.items() if not is_close(y, _decode(code, w, hop, N))}
        where = f"It is about size={size}, hop={hop} and length={N}."
        result = call(decode, code, w, hop, N)
        expect_values(result, _decode(code, w, hop, N), "B C N", known, where)
        expect_gradient(result, code)
    return "Both bugs kept every shape right. Only the values could tell."


@exercise(
    "Exercise 4: a mel bank's centres",
    hints=(
        "Go to mel, divide evenly there, and come back. The first filter begins at 0 Hz, so its centre lies above it.",
        "On the mel axis the K centres are evenly spaced, and both ends of the axis are no centres.",
        "mel = 2595 log10(1 + f / 700), and back f = 700 (10 ** (mel / 2595) - 1). Take torch.linspace from 0 to the "
        "mel of rate / 2 with K + 2 points, drop the first and the last, and come back to Hz.",
    ),
)
def exercise_4(mel_centres):
    """Check a function of K and the sample rate: the centre frequencies `(K,)` of a mel bank, in Hz."""
    drawn = torch.randint(8, 20, (1,), generator=dice()).item()
    for K, rate in ((64, 16000), (drawn, 8000)):
        expected = spaced(K + 2, 0, rate / 2, "mel")[1:-1]
        top = 2595 * torch.log10(torch.tensor(1 + rate / 2 / 700, dtype=torch.float64))
        mel = torch.linspace(0, 1, K + 2, dtype=torch.float64)[1:-1] * top
        known = {
            "the last point is half the sample rate: a corner, and no centre": spaced(K + 1, 0, rate / 2)[1:],
            "the first point is 0 Hz: a corner, and no centre": spaced(K + 1, 0, rate / 2)[:-1],
            "back from mel with e; it went there with log10": 700 * ((mel / 2595).exp() - 1),
            "on the way back the 1 is not taken off: everything is 700 Hz too high": expected + 700,
            "the points are evenly spaced in log f, and not in log(1 + f / 700)": torch.logspace(
                0, 1, K + 2, rate / 2, dtype=torch.float64
            )[1:-1],
            "the first and the last point are corners, not centres": spaced(K, 0, rate / 2),
            "the points are evenly spaced in Hz": spaced(K + 2, 0, rate / 2, "linear")[1:-1],
            "these are mel; go back to Hz": mel,
            "the highest frequency is the sample rate, but a spectrum ends at half": spaced(K + 2, 0, rate)[1:-1],
        }
        expect_values(call(mel_centres, K, rate), expected, "K", known, tolerance=1e-4)
    return "About a third of them lie below 1000 Hz."
