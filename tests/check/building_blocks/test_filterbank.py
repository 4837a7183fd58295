"""The exercises of the filter banks' lab: each usual mistake is recognised, each right answer passes."""

import pytest
import torch
from torch.nn.functional import conv1d, conv_transpose1d, pad

from sepbook.building_blocks import filterbank as fb
from sepbook.check.building_blocks import filterbank as check
from tests.check.tables import test_nonsense_never_raises, test_stubs_stay_red  # noqa: F401


def frames(size, hop, N):
    return (N - 1 + size - hop) // hop + 1


def unfolded(x, w, hop, before=None, flip=False):
    size = w.shape[-1]
    before = size - hop if before is None else before
    T = frames(size, hop, x.shape[-1])
    padded = pad(x, (before, 2 * size)).unfold(-1, size, hop)[..., :T, :]
    return (padded @ (w.flip(-1) if flip else w).T).transpose(-1, -2)


def convolved(x, w, hop):
    B, C, N = x.shape
    T = frames(w.shape[-1], hop, N)
    padded = pad(x.reshape(B * C, 1, N), (w.shape[-1] - hop, 2 * w.shape[-1]))
    return conv1d(padded, w[:, None], stride=hop)[..., :T].view(B, C, len(w), T)


def package(x, w, hop):
    return fb.Encoder(fb.Fixed(w), hop)(x)


@pytest.mark.parametrize("answer", [unfolded, convolved, package])
def test_encoder_right_in_several_ways(hear, answer):
    assert "✔ Exercise 1" in hear(check.exercise_1, answer)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda x, w, hop: unfolded(x, w, hop, flip=True), "reversed in time"),
        (lambda x, w, hop: unfolded(x, w, hop, before=0), "zeros in front are missing"),
        (lambda x, w, hop: unfolded(x, w, hop, before=w.shape[-1]), "size - hop are enough"),
        (lambda x, w, hop: unfolded(x, w, hop).transpose(-1, -2), "instead of"),
        (lambda x, w, hop: unfolded(x, w, hop).detach(), "the gradient is cut off"),
        (lambda x, w: x, "cannot be called with 3 arguments"),
    ],
)
def test_encoder_wrong(hear, answer, words):
    first, second = hear(check.exercise_1, answer), hear(check.exercise_1, answer)
    assert "✘" in first and words in first + second


def test_shape_predicted(hear):
    assert "✔ Exercise 2" in hear(check.exercise_2, (3, 1, 500, 801))
    with torch.no_grad():
        assert fb.Encoder(fb.Free(500, 40), 20)(torch.zeros(3, 1, 16000)).shape == (3, 1, 500, 801)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((3, 1, 500, 800), "longer than the sound"),
        ((3, 1, 500, 799), "The encoder pads"),
        ((3, 1, 40, 801), "K (filter)"),
        ((3, 500, 801), "3 sizes, but 4 axes"),
        ("abc", "whole numbers"),
    ],
)
def test_shape_predicted_wrong(hear, answer, words):
    assert words in hear(check.exercise_2, answer, times=2)


def decoded(code, w, hop, length, start=None, mixed=False):
    B, C, K, T = code.shape
    flat = code.reshape(B * C, T, K).transpose(1, 2) if mixed else code.reshape(B * C, K, T)
    start = w.shape[-1] - hop if start is None else start
    return conv_transpose1d(flat, w[:, None], stride=hop)[:, 0, start : start + length].view(B, C, length)


@pytest.mark.parametrize("answer", [decoded, lambda c, w, hop, length: fb.Decoder(fb.Fixed(w), hop)(c, length)])
def test_bugs_found(hear, answer):
    assert "✔ Exercise 3" in hear(check.exercise_3, answer)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda *a: decoded(*a, start=0, mixed=True), "both bugs"),
        (lambda *a: decoded(*a, start=0), "the end is missing"),
        (lambda *a: decoded(*a, mixed=True), "mixed up by reshape"),
        (lambda *a: decoded(*a).detach(), "cut off"),
    ],
)
def test_bugs_left(hear, answer, words):
    assert words in hear(check.exercise_3, answer, times=2)


def centres(K, rate, drop=True, natural=False, top=0.5, back=True):
    high = 2595 * torch.log10(torch.tensor(1 + top * rate / 700))
    mel = torch.linspace(0, high, K + 2)[1:-1] if drop else torch.linspace(0, high, K)
    return 700 * (10 ** (mel / 2595) - 1) if back else mel


def test_mel_right(hear):
    assert "✔ Exercise 4" in hear(check.exercise_4, centres)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda K, rate: centres(K, rate, drop=False), "corners, not centres"),
        (lambda K, rate: torch.linspace(0, rate / 2, K + 2)[1:-1], "evenly spaced in Hz"),
        (lambda K, rate: centres(K, rate, back=False), "these are mel"),
        (lambda K, rate: centres(K, rate, top=1), "ends at half"),
        (lambda K, rate: centres(K, rate).tolist(), "type list"),
    ],
)
def test_mel_wrong(hear, answer, words):
    assert words in hear(check.exercise_4, answer, times=2)
