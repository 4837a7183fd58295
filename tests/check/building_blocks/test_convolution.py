"""The exercises of the lab on convolution: right answers pass, usual mistakes get a hint, nonsense never raises."""

import pytest
import torch
from torch.nn import functional

from sepbook.check.building_blocks import convolution as check
from tests.check.tables import test_nonsense_never_raises, test_stubs_stay_red  # noqa: F401


def by_windows(x, weight, stride, dilation):
    covers = dilation * (weight.shape[-1] - 1) + 1
    windows = x.unfold(-1, covers, stride)[..., ::dilation]
    return torch.einsum("bctm,hcm->bht", windows, weight)


def by_loops(x, weight, stride, dilation, flip=False, places=1):
    M = weight.shape[-1]
    T = (x.shape[-1] - dilation * (M - 1) - 1) // stride + places
    values = []
    for t in range(T):
        taps = torch.stack([x[..., t * stride + m * dilation] for m in range(M)], dim=-1)  # (B, C, M)
        values.append(torch.einsum("bcm,hcm->bh", taps, weight.flip(-1) if flip else weight))
    return torch.stack(values, dim=-1)


@pytest.mark.parametrize("answer", [by_windows, by_loops, lambda x, w, s, d: functional.conv1d(x, w, None, s, 0, d)])
def test_convolution_built(hear, answer):
    assert "✔ Exercise 1" in hear(check.exercise_1, answer)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda x, w, s, d: by_loops(x, w, s, d, flip=True), "read backwards"),
        (lambda x, w, s, d: by_loops(x, w, 1, d), "forgets the stride"),
        (lambda x, w, s, d: by_loops(x, w, s, 1), "forgets the dilation"),
        (lambda x, w, s, d: by_loops(x, w, s, d, places=0), "the first place counts too"),
        (lambda x, w, s, d: by_loops(x[:, :1], w[:, :1], s, d), "only one of the input maps"),
        (lambda x, w, s, d: by_loops(x, w, s, d) / 2, "averaged over the input maps"),
        (lambda x, w, s, d: by_loops(x, w, s, d) / w.shape[-1], "averaged over the taps"),
        (lambda x, w, s, d: by_windows(x, w, s, d).transpose(1, 2), "instead of"),
        (lambda x, w, s, d: by_windows(x, w, s, d).detach(), "gradient is cut off"),
        (lambda x, w, s, d: by_windows(x, w, s, d)[0], "has 2 axes"),
        (lambda x, w, s, d: w @ x, "stops in"),
    ],
)
def test_convolution_wrong(hear, answer, words):
    first, second = hear(check.exercise_1, answer), hear(check.exercise_1, answer)
    assert "✘" in first and "✘" in second and words in first + second


@pytest.mark.parametrize("answer", [(64, 999), [64, 999.0], torch.tensor([64, 999])])
def test_shape_predicted(hear, answer):
    assert "✔ Exercise 2" in hear(check.exercise_2, answer)


def test_the_shape_is_that_of_the_layers_of_the_lab():
    layers = torch.nn.Sequential(
        torch.nn.Conv1d(1, 32, 16, stride=8),
        torch.nn.Conv1d(32, 64, 3, dilation=4, padding=4),
        torch.nn.Conv1d(64, 64, 4, stride=2, padding=1),
    )
    assert layers(torch.zeros(1, 1, 16000)).shape[1:] == (64, 999)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((64, 1000), "16000 divided by 8 and by 2"),
        ((64, 998), "first place"),
        ((64, 995), "padded by 4"),
        ((64, 1999), "has a stride"),
        ((32, 999), "kernels of the last layer"),
        ((999, 64), "not 64 but larger"),
        ((64,), "2 axes"),
        ("64", "whole numbers"),
        ((64, "T"), "whole numbers"),
    ],
)
def test_shape_wrong(hear, answer, words):
    first, second = hear(check.exercise_2, answer), hear(check.exercise_2, answer)
    assert "✘" in first and words in first + second


def padded(before, after, crop=None):
    """Return an answer to exercise 3 from two functions of (M, dilation)."""

    def causal(x, weight, dilation):
        zeros = (before(weight.shape[-1], dilation), after(weight.shape[-1], dilation))
        y = functional.conv1d(functional.pad(x, zeros), weight, dilation=dilation)
        return y if crop is None else crop(y, x.shape[-1])

    return causal


def past(M, d):
    return d * (M - 1)


def none(M, d):
    return 0


@pytest.mark.parametrize("answer", [padded(past, none), padded(past, past, lambda y, T: y[..., :T])])
def test_causal_mended(hear, answer):
    assert "✔ Exercise 3" in hear(check.exercise_3, answer)


def the_stub(x, weight, dilation):
    M = weight.shape[-1]
    y = functional.conv1d(functional.pad(x, (M - 1, M - 1)), weight, dilation=dilation)
    return y[..., -x.shape[-1] :]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (the_stub, "the crop takes the wrong end"),
        (padded(none, past), "sees the future only"),
        (padded(lambda M, d: past(M, d) // 2, lambda M, d: past(M, d) - past(M, d) // 2), "each value sees the future"),
        (padded(lambda M, d: M - 1, none), "Did the dilation count"),
        (padded(past, past), "T (frame) is"),
    ],
)
def test_causal_not_mended(hear, answer, words):
    first, second = hear(check.exercise_3, answer), hear(check.exercise_3, answer)
    assert "✘" in first and "✘" in second and words in first + second


def painter(flip=False, add=True, step=None):
    """Return an answer to exercise 4, with some of its mistakes."""

    def paint(y, weight, stride):
        M, hop = weight.shape[-1], stride if step is None else step
        out = [[torch.zeros(y.shape[0], weight.shape[1], dtype=y.dtype)] for _ in range((y.shape[-1] - 1) * stride + M)]
        for t in range(y.shape[-1]):
            patch = torch.einsum("bh,hcm->bcm", y[..., t], weight.flip(-1) if flip else weight)
            for m in range(M):
                out[t * hop + m] = [out[t * hop + m][0] + patch[..., m] if add else patch[..., m]]
        return torch.stack([place[0] for place in out], dim=-1)

    return paint


@pytest.mark.parametrize("answer", [painter(), lambda y, w, s: functional.conv_transpose1d(y, w, stride=s)])
def test_painted(hear, answer):
    assert "✔ Exercise 4" in hear(check.exercise_4, answer)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (painter(add=False), "paints over the earlier one"),
        (painter(flip=True), "painted backwards"),
        (painter(step=1), "the stride is missing"),
        (lambda y, w, s: painter()(y[:, :1], w[:1], s), "only one of the maps"),
        (lambda y, w, s: painter()(y, w, s)[..., :-1], "The result has shape"),
        (lambda y, w, s: painter()(y, w, s).detach(), "gradient is cut off"),
    ],
)
def test_painted_wrong(hear, answer, words):
    first, second = hear(check.exercise_4, answer), hear(check.exercise_4, answer)
    assert "✘" in first and "✘" in second and words in first + second


def in_pieces(network, x, piece, edge):
    wide = functional.pad(x, (edge, edge))
    starts = range(0, x.shape[-1], piece)
    parts = [network(wide[:, start : start + piece + 2 * edge])[:, edge:-edge] for start in starts]
    return torch.cat(parts, dim=-1)


def test_cut_and_joined(hear):
    assert "✔ Exercise 5" in hear(check.exercise_5, in_pieces)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda f, x, p, e: torch.cat([f(part) for part in x.split(p, -1)], -1), "no neighbours"),
        (lambda f, x, p, e: f(x), "40 samples at once"),
        (lambda f, x, p, e: torch.cat([f(part) for part in x.unfold(-1, p, p).unbind(1)], -1), "no neighbours"),
        (lambda f, x, p, e: in_pieces(f, x, p, e)[:, :-1], "N (sample) is 39 instead of 40"),
        (lambda f, x, p, e: in_pieces(f, x, p, e - 1), "values are not"),
    ],
)
def test_cut_and_joined_wrong(hear, answer, words):
    first, second = hear(check.exercise_5, answer), hear(check.exercise_5, answer)
    assert "✘" in first and "✘" in second and words in first + second
