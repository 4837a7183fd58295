"""The checks on recurrent layers: right answers pass however written, usual mistakes get their own hint."""

import numpy as np
import torch
from torch import nn

from sepbook.check.building_blocks import recurrent as check
from tests.check.tables import *  # noqa: F403


def test_the_shape_is_that_of_the_layer():
    layer = nn.LSTM(129, 600, 2, batch_first=True, bidirectional=True)
    with torch.no_grad():
        assert layer(torch.zeros(2, 5, 129))[0].shape == (2, 5, 1200)  # T=5 in place of 400: it is what it was


def by_cell(x, h, c, w_x, w_h, b_x, b_h):
    return torch.lstm_cell(x, (h, c), w_x, w_h, b_x, b_h)


def block_by_block(x, h, c, w_x, w_h, b_x, b_h):
    H = h.shape[-1]

    def block(n):
        rows = slice(n * H, n * H + H)
        return torch.einsum("bi,hi->bh", torch.hstack([x, h]), torch.hstack([w_x, w_h])[rows]) + (b_x + b_h)[rows]

    i, f, g, o = map(block, range(4))
    c = c / (1 + (-f).exp()) + i.sigmoid() * g.tanh()
    return c.tanh() * o.sigmoid(), c


def step(order="ifgo", cell=torch.tanh, candidate=torch.tanh, result=lambda h, c: (h, c), old=False, bias=1, forget=1):
    """Return an answer to exercise 2, with a mistake."""

    def answer(x, h, c, w_x, w_h, b_x, b_h):
        total = x @ w_x.T + b_x + h @ w_h.T + bias * b_h
        gate = dict(zip(order, total.chunk(4, -1), strict=True))
        kept = gate["f"].sigmoid() if forget else 1
        new = kept * c + gate["i"].sigmoid() * candidate(gate["g"])
        return result(gate["o"].sigmoid() * cell(c if old else new), new)

    return answer


def by_torch(H_in, H, L):
    return sum(p.numel() for p in nn.LSTM(H_in, H, L, bidirectional=True, device="meta").parameters())


def layer_by_layer(H_in, H, L):
    total, width = 0, H_in
    for _ in range(L):
        total += 2 * 4 * (H * width + H * H + 2 * H)
        width = 2 * H
    return total


def chunks(carry=lambda h, c: (h, c), split=1, join=1, keep=lambda outputs: outputs):
    """Return an answer to exercise 4, with some of its bugs."""

    def in_chunks(layer, x, size):
        state, outputs = None, []
        for chunk in x.split(size, dim=split):
            output, (h, c) = layer(chunk, state)
            state = carry(h, c)
            outputs.append(output)
        return torch.cat(keep(outputs), dim=join)

    return in_chunks


def frame_by_frame(layer, x, size):
    state, outputs = None, []
    for frame in x.unbind(1):
        output, state = layer(frame[:, None], state)
        outputs.append(output[:, 0])
    return torch.stack(outputs, dim=1)


def song_by_song(layer, x, size):
    return torch.cat([chunks()(layer, song[None], size) for song in x])


def by_the_cell(layer, x, size):
    h = c = x.new_zeros(len(x), layer.hidden_size)
    outputs = []
    for frame in x.unbind(1):
        h, c = torch.lstm_cell(frame, (h, c), *layer.parameters())
        outputs.append(h)
    return torch.stack(outputs, dim=1)


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


def by_numpy(y):
    forward, backward = np.split(y.numpy(), 2, axis=-1)
    return np.concatenate([forward[:, -1], backward[:, 0]], axis=-1)


def by_choice(y):
    first = torch.arange(y.shape[-1]) < y.shape[-1] // 2
    return torch.where(first, y[:, -1], y[:, 0])


SHAPE = (2, 400, 1200)
RIGHT = [
    (1, SHAPE),
    (1, list(SHAPE)),
    (1, torch.Size(SHAPE)),
    (1, np.array(SHAPE)),
    (1, (2.0, 400, np.int64(1200))),
    (2, step()),
    (2, by_cell),
    (2, block_by_block),
    (2, step(result=lambda h, c: [h, c])),
    (2, step(result=lambda h, c: (h.double(), c.double()))),
    (3, by_torch),
    (3, layer_by_layer),
    (3, lambda H_in, H, L: 8 * H * (H_in + H + 2) + 8 * H * (L - 1) * (3 * H + 2)),
    (3, lambda *sizes: np.int64(layer_by_layer(*sizes))),
    (3, lambda *sizes: float(layer_by_layer(*sizes))),
    (4, chunks()),
    (4, frame_by_frame),
    (4, song_by_song),
    (4, by_the_cell),
    (4, lambda *given: chunks()(*given).double()),
    (5, words_of(-1, 0)),
    (5, by_views),
    (5, by_numpy),
    (5, by_choice),
    (5, lambda y: words_of(-1, 0)(y.double())),
]
WRONG = [
    (1, (2, 400, 600), "those of one direction"),
    (1, (400, 2, 1200), "without batch_first"),
    (1, (2, 400, 2400), "only the upper one"),
    (1, (2, 600, 400), "time stays on the second axis"),
    (1, (2, 400, 129), "not as wide as its input"),
    (1, (4, 400, 1200), "B (batch) is not 4 but smaller"),
    (1, (2, 1200), "3 axes"),
    (2, step("igfo"), "the forget gate and the candidate are exchanged"),
    (2, step("ifog"), "the last two blocks are exchanged"),
    (2, step("figo"), "the input gate and the forget gate are exchanged"),
    (2, step(cell=lambda y: y), "the cell goes into the output as it is"),
    (2, step(candidate=torch.sigmoid), "the candidate g passes a sigmoid"),
    (2, step(old=True), "made of the old cell"),
    (2, step(bias=0), "one of the two biases is missing"),
    (2, step(forget=0), "the new cell forgets nothing"),
    (2, step(result=lambda h, c: (c, h)), "in the other order"),
    (2, step(result=lambda h, c: h), "should return two tensors"),
    (2, step(result=lambda h, c: (h[:1], c)), "B (batch) is 1"),
    (2, step(result=lambda h, c: (h, c.T)), "(B=4, H=2), but should have"),
    (2, step(result=lambda h, c: (h.detach(), c.detach())), "gradient is cut off"),
    (2, lambda x, h, c, w_x, w_h, b_x, b_h: (x @ w_x + h, c), "stops in line"),
    (3, lambda i, h, n: check._count(i, h, n, second=1), "2 H wide"),
    (3, lambda i, h, n: check._count(i, h, n, biases=1), "b_ih and b_hh"),
    (3, lambda i, h, n: check._count(i, h, n, biases=0), "The biases are missing"),
    (3, lambda i, h, n: check._count(i, h, n, directions=1), "one direction of each layer"),
    (3, lambda i, h, n: n * check._count(i, h, 1), "Not every layer is like the first"),
    (3, lambda i, h, n: check._count(i, h, 1), "L is not used"),
    (3, lambda i, h, n: 4 * by_torch(i, h, n), "These are bytes"),
    (3, lambda i, h, n: check._count(i, h, n, gates=3), "Three blocks are a GRU"),
    (3, lambda i, h, n: 0, "too small"),
    (3, lambda i, h, n: str(check._count(i, h, n)), "should be one number"),
    (4, chunks(lambda h, c: None), "begins with a state of zeros"),
    (4, chunks(lambda h, c: (h, torch.zeros_like(c))), "only h is carried on"),
    (4, chunks(lambda h, c: (torch.zeros_like(h), c)), "only c is carried on"),
    (4, chunks(lambda h, c: (c, h)), "h and c are exchanged"),
    (4, chunks(lambda h, c: None, split=0, join=0), "was given 6 frames at once, but should be given 2 at most"),
    (4, lambda layer, x, size: layer(x)[0], "A stream must not wait for the rest"),
    (4, chunks(keep=lambda outputs: outputs[::-1]), "the chunks are joined from the last to the first"),
    (4, chunks(join=0), "B=12, T=2"),
    (4, chunks(join=2), "T=2, H=12"),
    (4, lambda layer, x, size: layer(x[:, :size]), "is of type tuple"),
    (4, lambda layer, x, size: chunks()(layer, x.detach(), size), "gradient"),
    (5, words_of(-1, -1), "has read one frame only"),
    (5, words_of(0, 0), "this is frame 0"),
    (5, words_of(0, -1), "the halves belong to the wrong ends"),
    (5, words_of(-1, 0, exchange=True), "the two directions are exchanged"),
    (5, lambda y: torch.cat([y[:, -1, ::2], y[:, 0, 1::2]], -1), "they stand side by side"),
    (5, lambda y: y.mean(1), "the mean over all frames"),
    (5, lambda y: y.max(1).values, "the largest value of all frames"),
    (5, lambda y: y, "The result has 3 axes"),
]
