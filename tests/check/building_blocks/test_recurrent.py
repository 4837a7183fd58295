"""The exercises of the lab on recurrent layers: each usual mistake is recognised, each right answer passes."""

import pytest
import torch
from torch import nn

from sepbook.check.building_blocks import recurrent as check
from tests.check.tables import test_nonsense_never_raises, test_stubs_stay_red  # noqa: F401


def test_shape(hear):
    layer = nn.LSTM(129, 600, 2, batch_first=True, bidirectional=True)
    assert "✔" in hear(check.exercise_1, layer(torch.zeros(2, 400, 129))[0].shape)
    assert "those of one direction" in hear(check.exercise_1, (2, 400, 600), times=2)
    assert "without batch_first" in hear(check.exercise_1, (400, 2, 1200), times=2)
    assert "only the upper one" in hear(check.exercise_1, [2, 400, 2400], times=2)
    assert "3 axes" in hear(check.exercise_1, (2, 1200))


def by_cell(x, h, c, w_x, w_h, b_x, b_h):
    return torch.lstm_cell(x, (h, c), w_x, w_h, b_x, b_h)


def step(order="ifgo", cell=torch.tanh, candidate=torch.tanh, result=lambda h, c: (h, c), old=False, bias=1):
    """Return an answer to exercise 2, with a mistake."""

    def answer(x, h, c, w_x, w_h, b_x, b_h):
        total = x @ w_x.T + b_x + h @ w_h.T + bias * b_h
        gate = dict(zip(order, total.chunk(4, -1), strict=True))
        new = gate["f"].sigmoid() * c + gate["i"].sigmoid() * candidate(gate["g"])
        return result(gate["o"].sigmoid() * cell(c if old else new), new)

    return answer


@pytest.mark.parametrize(
    "answer", [step(), by_cell, step(result=lambda h, c: [h, c]), step(result=lambda h, c: (h.double(), c.double()))]
)
def test_step_right(hear, answer):
    assert "✔ Exercise 2" in hear(check.exercise_2, answer)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (step("igfo"), "the forget gate and the candidate are exchanged"),
        (step("ifog"), "the last two blocks are exchanged"),
        (step("figo"), "the input gate and the forget gate are exchanged"),
        (step(cell=lambda y: y), "the cell goes into the output as it is"),
        (step(candidate=torch.sigmoid), "the candidate g passes a sigmoid"),
        (step(old=True), "made of the old cell"),
        (step(bias=0), "one of the two biases is missing"),
        (step(result=lambda h, c: (c, h)), "in the other order"),
        (step(result=lambda h, c: h), "should return two tensors"),
        (step(result=lambda h, c: (h[:1], c)), "B (batch) is 1"),
        (step(result=lambda h, c: (h, c.T)), "but should have"),
        (step(result=lambda h, c: (h.detach(), c.detach())), "gradient is cut off"),
        (lambda x, h, c, w_x, w_h, b_x, b_h: (x @ w_x + h, c), "stops in line"),
    ],
)
def test_step_wrong(hear, answer, words):
    first, second = hear(check.exercise_2, answer), hear(check.exercise_2, answer)
    assert "✘" in first and "✘" in second and words in first + second


def by_torch(H_in, H, L):
    return sum(p.numel() for p in nn.LSTM(H_in, H, L, bidirectional=True, device="meta").parameters())


@pytest.mark.parametrize("answer", [by_torch, check._count])
def test_count_right(hear, answer):
    assert "✔ Exercise 3" in hear(check.exercise_3, answer)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda i, h, n: check._count(i, h, n, second=1), "2 H wide"),
        (lambda i, h, n: check._count(i, h, n, biases=1), "b_ih and b_hh"),
        (lambda i, h, n: check._count(i, h, n, biases=0), "The biases are missing"),
        (lambda i, h, n: check._count(i, h, n, directions=1), "one direction of each layer"),
        (lambda i, h, n: n * check._count(i, h, 1), "Not every layer is like the first"),
        (lambda i, h, n: check._count(i, h, n, gates=3), "a GRU"),
        (lambda i, h, n: 0, "too small"),
        (lambda i, h, n: str(check._count(i, h, n)), "should be one number"),
    ],
)
def test_count_wrong(hear, answer, words):
    assert words in hear(check.exercise_3, answer, times=2)


def chunks(carry=True, split=1, join=1):
    """Return an answer to exercise 4, with some of its bugs."""

    def in_chunks(layer, x, size):
        state, outputs = None, []
        for chunk in x.split(size, dim=split):
            output, new = layer(chunk, state)
            state = new if carry else None
            outputs.append(output)
        return torch.cat(outputs, dim=join)

    return in_chunks


def frame_by_frame(layer, x, size):
    state, outputs = None, []
    for frame in x.unbind(1):
        output, state = layer(frame[:, None], state)
        outputs.append(output[:, 0])
    return torch.stack(outputs, dim=1)


@pytest.mark.parametrize("answer", [chunks(), frame_by_frame])
def test_chunks_right(hear, answer):
    assert "✔ Exercise 4" in hear(check.exercise_4, answer)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (chunks(carry=False), "begins with a state of zeros"),
        (chunks(carry=False, split=0, join=0), "was given 6 frames at once, but should be given 2 at most"),
        (lambda layer, x, size: layer(x)[0], "A stream must not wait for the rest"),
        (chunks(join=0), "B=12, T=2"),
        (chunks(join=2), "T=2, H=12"),
        (lambda layer, x, size: layer(x[:, :size]), "is of type tuple"),
        (lambda layer, x, size: chunks()(layer, x.detach(), size), "gradient"),
    ],
)
def test_chunks_wrong(hear, answer, words):
    first, second = hear(check.exercise_4, answer), hear(check.exercise_4, answer)
    assert "✘" in first and "✘" in second and words in first + second


def words_of(forward, backward, exchange=False):
    """Return an answer to exercise 5 that looks at these frames."""

    def last_words(y):
        H = y.shape[-1] // 2
        parts = [y[:, forward, :H], y[:, backward, H:]]
        return torch.cat(parts[::-1] if exchange else parts, dim=-1)

    return last_words


def by_views(y):
    forward, backward = y.unflatten(-1, (2, -1)).unbind(-2)
    return torch.hstack([forward[:, -1], backward[:, 0]])


@pytest.mark.parametrize("answer", [words_of(-1, 0), by_views])
def test_last_words_right(hear, answer):
    assert "✔ Exercise 5" in hear(check.exercise_5, answer)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (words_of(-1, -1), "has read one frame only"),
        (words_of(0, 0), "this is frame 0"),
        (words_of(0, -1), "the halves belong to the wrong ends"),
        (words_of(-1, 0, exchange=True), "the two directions are exchanged"),
        (lambda y: torch.cat([y[:, -1, ::2], y[:, 0, 1::2]], -1), "they stand side by side"),
        (lambda y: y, "should have 2"),
    ],
)
def test_last_words_wrong(hear, answer, words):
    assert words in hear(check.exercise_5, answer, times=2)
