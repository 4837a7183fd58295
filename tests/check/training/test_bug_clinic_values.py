"""Patients 5, 6 and 10, from a network to sound: each cure is green, half a cure gets its hint."""

import pytest
import torch

from sepbook.check.training import bug_clinic as check

pytestmark = pytest.mark.filterwarnings("ignore:To copy construct", "ignore:The length of signal", "ignore:A window")


def sigmoids(network, magnitude):
    shares = network(magnitude).sigmoid()
    return shares / shares.sum(1, keepdim=True)


@pytest.mark.parametrize("answer", [lambda f, x: f(x).exp() / f(x).exp().sum(1, keepdim=True), sigmoids])
def test_masks_right_in_two_ways(hear, answer):
    assert "✔ Patient 5" in hear(check.exercise_5, answer)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda f, x: f(x).softmax(-2), "Along F (frequency bin) they add up to 1"),
        (lambda f, x: f(x).softmax(2), "Along C (audio channel) they add up to 1"),
        (lambda f, x: f(x).softmax(0), "Along B (batch) they add up to 1"),
        (lambda f, x: f(x).sigmoid(), "nothing links them"),
        (lambda f, x: f(x), "A share cannot be negative"),
        (lambda f, x: f(x).softmax(1).detach(), "the gradient is cut off"),
        (lambda f, x: (-f(x)).softmax(1), "the largest logit does not get"),
        (lambda f, x: torch.full_like(f(x), 1 / 3), "the same share everywhere"),
        (lambda f, x: f(x).softmax(1).sum(2), "4 axes"),
    ],
)
def test_masks_half_mended(hear, answer, words):
    assert words in hear(check.exercise_5, answer, times=2)


def again(back="hop", window=True, length=True, mask=True):
    """Return an answer to exercise 6: the hop of the inverse, and what else it is told."""

    def answer(mixture, m, n_fft, hop):
        w = torch.hann_window(n_fft)
        bins = torch.stft(mixture, n_fft, hop, window=w, return_complex=True) * (m if mask else 1)
        hops = {"hop": hop, "half": n_fft // 2, "none": None}
        more = {"window": w} if window else {}
        return torch.istft(bins, n_fft, hops[back], length=mixture.shape[-1] if length else None, **more)

    return answer


def test_frames_right(hear):
    assert "✔ Patient 6" in hear(check.exercise_6, again())


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (again("none"), "when it is not told the hop"),
        (again("half"), "whatever the hop"),
        (again(window=False), "is not given the window"),
        (again(length=False), "N (sample) is"),
        (again(mask=False), "the mask is left out"),
    ],
)
def test_frames_half_mended(hear, answer, words):
    assert words in hear(check.exercise_6, answer, times=2)


def path(cut=lambda x: x, statistics=lambda x: x, normal=True, mask=False):
    """Return an answer to exercise 10: what is done to the features, and to their mean and spread."""

    def answer(encoder, decoder, magnitude):
        hidden = encoder(magnitude)
        x = (hidden - statistics(hidden.mean())) / (statistics(hidden.std()) + 1e-5) if normal else hidden
        m = decoder(cut(x)).sigmoid()
        return m if mask else m * magnitude.unsqueeze(1)

    return answer


@pytest.mark.parametrize("answer", [path(), path(lambda x: torch.stack(list(x))), path(lambda x: x.clone())])
def test_path_right_in_three_ways(hear, answer):
    assert "✔ Patient 10" in hear(check.exercise_10, answer)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (path(lambda x: x.detach().clone().requires_grad_(True)), "requires_grad begins a new path"),
        (path(lambda x: torch.tensor(x.tolist(), requires_grad=True)), "requires_grad begins a new path"),
        (path(lambda x: x.data), "encoder.layer.weight, encoder.layer.bias. Where"),
        (path(statistics=lambda x: x.item()), "not the gradient of this function"),
        (path(normal=False), "not normalised any more"),
        (path(mask=True), "this is the mask"),
        (lambda *a: path()(*a).detach(), "neither half can learn"),
    ],
)
def test_path_half_mended(hear, answer, words):
    assert words in hear(check.exercise_10, answer, times=2)
