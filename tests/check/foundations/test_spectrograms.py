"""The exercises of the lab on spectrograms: right answers pass, usual mistakes are recognised, nothing raises."""

import pytest
import torch
from torch.nn import functional

from sepbook.building_blocks.stft import STFT
from sepbook.check.foundations import spectrograms as check


def by_loop(samples, n_fft, hop):
    """An STFT with a loop, written in another way than the check's own."""
    window, columns = torch.hann_window(n_fft), []
    frames = 1 - (-len(samples) // hop)
    padded = torch.zeros(n_fft + hop * (frames - 1))
    padded[n_fft // 2 : n_fft // 2 + len(samples)] = samples
    for t in range(frames):
        columns.append(torch.fft.rfft(padded[t * hop : t * hop + n_fft] * window))
    return torch.stack(columns, dim=1)


def stft(n_window=torch.hann_window, pad="constant", flip=False, tail=True):
    """Return an answer to exercise 2, with some of its usual mistakes."""

    def answer(samples, n_fft, hop):
        side = n_fft // 2
        x = functional.pad(samples[None], (side, side + (-len(samples) % hop if tail else 0)), mode=pad)[0]
        bins = torch.fft.rfft(x.unfold(0, n_fft, hop) * n_window(n_fft))
        return bins if flip else bins.T

    return answer


def inverse(step=None, power=2, divide=True, start=None):
    """Return an answer to exercise 3, with some of its bugs."""

    def answer(bins, n_fft, hop, length):
        window, apart = torch.hann_window(n_fft), step or hop
        pieces = torch.fft.irfft(bins.T, n_fft) * window
        total, weight = torch.zeros(2, n_fft + n_fft * len(pieces))
        for t, piece in enumerate(pieces):
            here = slice(t * apart, t * apart + n_fft)
            total[here] = total[here] + piece
            weight[here] = weight[here] + window**power
        begin = n_fft // 2 if start is None else start
        return (total / weight.clamp_min(1e-8) if divide else total)[begin : begin + length]

    return answer


def by_istft(bins, n_fft, hop, length):
    return torch.istft(bins, n_fft, hop, window=torch.hann_window(n_fft), length=length)


RIGHT = [
    ("exercise_1", (1025, 95)),
    ("exercise_1", STFT(2048, 512)(torch.zeros(1, 1, 48000)).shape[2:]),
    ("exercise_2", stft()),
    ("exercise_2", by_loop),
    ("exercise_3", inverse()),
    ("exercise_3", by_istft),
    ("exercise_4", lambda bins, other: torch.polar(bins.abs(), other.angle())),
    ("exercise_4", lambda bins, other: bins.abs() * other / other.abs()),
    ("exercise_4", lambda bins, other: bins.abs() * torch.exp(1j * other.angle())),
]
WRONG = [
    ("exercise_1", (1024, 95), "0 Hz is a bin"),
    ("exercise_1", (1025, 94), "round up"),
    ("exercise_1", (1025, 90), "Without a border"),
    ("exercise_1", (95, 1025), "Frequency comes before time"),
    ("exercise_2", stft(torch.ones), "the window is missing"),
    ("exercise_2", stft(lambda n: torch.hann_window(n, periodic=False)), "symmetric window"),
    ("exercise_2", stft(pad="reflect"), "mirrored instead of filled"),
    ("exercise_2", stft(flip=True), "but should have"),
    ("exercise_2", lambda x, n_fft, hop: by_loop(x, n_fft, hop).abs(), "only the magnitudes"),
    ("exercise_2", lambda x, n_fft, hop: by_loop(x, n_fft, n_fft // 2), "but should have"),
    ("exercise_3", inverse(step=32, power=1), "half a window apart, and the window is not squared"),
    ("exercise_3", inverse(step=32), "still lie half a window apart"),
    ("exercise_3", inverse(power=1), "counts it once"),
    ("exercise_3", inverse(divide=False), "division by the summed windows"),
    ("exercise_3", inverse(start=0), "border was not cut off"),
    ("exercise_4", lambda bins, other: bins * other / other.abs(), "directions were added"),
    ("exercise_4", lambda bins, other: torch.polar(other.abs(), bins.angle()), "exchanged"),
    ("exercise_4", lambda bins, other: bins.abs() * other.angle(), "no complex number"),
    ("exercise_4", lambda bins, other: other, "unchanged"),
]


@pytest.mark.parametrize(("name", "answer"), RIGHT)
def test_right_answers_turn_green(hear, name, answer):
    assert "✔" in hear(getattr(check, name), answer)


@pytest.mark.parametrize(("name", "answer", "hint"), WRONG)
def test_wrong_answers_get_their_own_hint(hear, name, answer, hint):
    text = hear(getattr(check, name), answer, times=3)
    assert "✔" not in text
    assert hint in text, text


@pytest.mark.parametrize("answer", [None, ..., 3, "text", (..., ...), torch.zeros(2), lambda: None, lambda *a: a[0]])
@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_nonsense_never_raises(hear, number, answer):
    text = hear(getattr(check, f"exercise_{number}"), answer)
    assert text and "✔" not in text


def test_shapes_that_the_hints_name_are_those_of_the_transforms():
    """Without a border 90 windows fit; with one frame per window there would be 24."""
    samples = torch.zeros(48000)
    assert len(samples.unfold(0, 2048, 512)) == 90
    assert len(samples.unfold(0, 2048, 2048)) + 1 == 24
