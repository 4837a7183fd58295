"""Checks for the lab on recurrent layers: a shape, one step of an LSTM, a count, and two bugs.

Taught on: book/building_blocks/recurrent
"""

import torch
from torch import Tensor, nn

from sepbook.building_blocks.recurrent import lstm_step, parameter_count
from sepbook.check import (
    CheckFailure,
    NotYet,
    call,
    exercise,
    expect_gradient,
    expect_number,
    expect_parts,
    expect_sizes,
    expect_values,
    is_close,
)
from sepbook.check._exercise import is_empty
from sepbook.check._inputs import dice, noise, seeded


def _layer(seed: int = 0, **fields) -> nn.LSTM:
    """A small LSTM whose weights are large enough to tell mistakes apart."""
    with seeded(seed):
        layer = nn.LSTM(**{"input_size": 3, "hidden_size": 4, "batch_first": True, **fields})
        for parameter in layer.parameters():
            nn.init.normal_(parameter, std=0.7)
    return layer.requires_grad_(False)


@exercise(
    "Exercise 1: what a BLSTM returns",
    hints=(
        "T is what it was: there is one answer for each frame. The number of layers changes no size.",
        "One direction returns hidden_size numbers a frame. There are two directions.",
        "hidden_size counts the units of one direction. The answers of both directions stand side by side along H.",
    ),
)
def exercise_1(prediction):
    """Check the predicted (B, T, H) that two layers of 600 units, bidirectional, make of (B=2, T=400, H=129)."""
    known = {
        (2, 400, 600): "600 units are those of one direction. What do the other 600 say?",
        (2, 400, 2400): "The upper layer reads what the lower one said, and only the upper one is heard.",
        (2, 600, 400): "The layer was made with batch_first=True: time stays on the second axis, features on the last.",
        (400, 2, 1200): "This is the order without batch_first=True.",
        (2, 1200): "That is the answer at one frame. There is one at every frame.",
        (2, 400, 129): "The answers are as wide as the layer has units, not as wide as its input.",
    }
    expect_sizes(prediction, (2, 400, 1200), "B T H", known)
    return "Papers that say '600 units' may mean 600 in each direction or in both together: look at the next layer."


def _step(
    x,
    h,
    c,
    w_x,
    w_h,
    b_x,
    b_h,
    order="ifgo",
    cell=torch.tanh,
    candidate=torch.tanh,
    old=False,
    one_bias=False,
    forget=True,
):
    """One step of an LSTM, and with other arguments the usual ways to get it wrong."""
    total = x @ w_x.T + h @ w_h.T + b_x + (0 if one_bias else b_h)
    gates = dict(zip(order, total.chunk(4, dim=-1), strict=True))
    i, f, o = (torch.sigmoid(gates[name]) for name in "ifo")
    new = (f if forget else 1) * c + i * candidate(gates["g"])
    return o * cell(c if old else new), new


@exercise(
    "Exercise 2: one step of an LSTM",
    hints=(
        "Begin with one sum for all four blocks, (B, 4 H). PyTorch's order is i, f, g, o. Then c, then h.",
        "Make the sum of all four blocks, print its shape (B, 4 H), and cut it with .chunk(4, dim=-1).",
        "i, f, g, o = (x @ w_x.T + b_x + h @ w_h.T + b_h).chunk(4, dim=-1). New c: sigmoid(f) * c + sigmoid(i) * "
        "tanh(g). New h: sigmoid(o) * tanh(new c). Return both.",
    ),
)
def exercise_2(step):
    """Check a function of x `(B, H)`, h, c `(B, H')` and four weights: the next h and c."""
    for B, H, units, seed in ((2, 3, 4, 0), (3, 5, 2, 1)):
        x, h, c = noise(B, H, seed=seed).requires_grad_(), noise(B, units, seed=seed + 9), noise(B, units, seed=7)
        weights = [
            noise(4 * units, H),
            noise(4 * units, units),
            noise(4 * units, seed=1),
            noise(4 * units, seed=2),
        ]
        found = call(step, x, h, c, *weights)
        what = "The function should return two tensors, h and c, each (B, H)."
        expect_parts(found, 2, what, "Look at its last line.", "End it with: return h, c.")
        right = lstm_step(x, h, c, *weights)
        if is_close(found[0], right[1]) and is_close(found[1], right[0]):
            raise CheckFailure("The two results are right, but in the other order.", how="return h, c", kind="order")
        ways = {
            "the forget gate and the candidate are exchanged: PyTorch's order is i, f, g, o": {"order": "igfo"},
            "the last two blocks are exchanged: PyTorch's order is i, f, g, o, with the candidate g third": {
                "order": "ifog"
            },
            "the input gate and the forget gate are exchanged: PyTorch's order is i, f, g, o": {"order": "figo"},
            "the cell goes into the output as it is; it passes a tanh first": {"cell": lambda y: y},
            "the candidate g passes a sigmoid; it is the only block that passes a tanh": {"candidate": torch.sigmoid},
            "the output is made of the old cell; it is made of the new one": {"old": True},
            "one of the two biases is missing": {"one_bias": True},
            "the new cell forgets nothing: the old one goes through the forget gate first": {"forget": False},
        }
        wrong = {name: _step(x, h, c, *weights, **way) for name, way in ways.items()}
        where = f"It is about {B} sounds, frames of {H} features and {units} units."
        expect_values(found[1], right[1], "B H", {name: pair[1] for name, pair in wrong.items()}, f"{where} This is c.")
        expect_values(found[0], right[0], "B H", {name: pair[0] for name, pair in wrong.items()}, f"{where} This is h.")
        expect_gradient(found[0], x)
    return "The same numbers as nn.LSTMCell. The rest of an LSTM is a for loop."


def _count(H_in: int, H: int, L: int, second: int = 2, gates: int = 4, biases: int = 2, directions: int = 2) -> int:
    widths = [H_in] + [second * H] * (L - 1)
    return sum(directions * gates * (H * width + H * H + biases * H) for width in widths)


@exercise(
    "Exercise 3: count the parameters of a stack of BLSTMs",
    hints=(
        "Count one direction of one layer: four blocks, each with a matrix for what comes in, one for h, two biases.",
        "One direction of the first layer: 4 * (H * H_in + H * H + 2 * H). How wide is what the second layer is given?",
        "Add up 2 * 4 * (H * width + H * H + 2 * H) over the layers. width is H_in for the first one and 2 * H for all "
        "others.",
    ),
)
def exercise_3(count):
    """Check a function of H_in, H, L: the parameters of L bidirectional LSTM layers with H units per direction."""
    drawn = torch.randint(2, 12, (3,), generator=dice()).tolist()
    for H_in, H, L in ((129, 600, 1), (129, 600, 4), drawn):
        known = {
            _count(H_in, H, 1): "This is one layer: L is not used.",
            4 * _count(H_in, H, L): "These are bytes, four for each parameter.",
            _count(H_in, H, L, second=1): "From the second layer on, what comes in is 2 H wide: both directions of the "
            "layer below.",
            _count(H_in, H, L, biases=1): "PyTorch has two biases, b_ih and b_hh. One would do, but both are there.",
            _count(H_in, H, L, biases=0): "The biases are missing.",
            _count(H_in, H, L, gates=3): "Three blocks are a GRU. An LSTM has four: i, f, g, o.",
            _count(H_in, H, L, gates=1): "One block is a plain RNN. An LSTM has four: i, f, g, o.",
            L * _count(H_in, H, 1): "Not every layer is like the first: only the first one reads H_in features.",
            _count(H_in, H, L, second=1, directions=1): "This is the stack with one direction.",
            _count(H_in, H, L, directions=1): "These are the parameters of one direction of each layer.",
        }
        where = f"It is about H_in={H_in}, H={H}, L={L}."
        right = parameter_count(H_in, H, L, bidirectional=True)
        known.pop(right, None)
        expect_number(call(count, H_in, H, L), right, known, where)
    return "In a deep stack the second direction costs more than another network of one direction would."


def _with_state(layer: nn.LSTM, x: Tensor, size: int, carried) -> Tensor:
    """What the layer says in chunks, when `carried(h, c)` goes on from one chunk to the next."""
    state, outputs = None, []
    for chunk in x.split(size, dim=1):
        output, (h, c) = layer(chunk, state)
        state = carried(h, c)
        outputs.append(output)
    return torch.cat(outputs, dim=1)


@exercise(
    "Exercise 4: find the bugs of the stream",
    hints=(
        "Give it one chunk that holds everything, then two. What does the second chunk know of the first?",
        "Which axis of (B, T, H) is time? And which of the two things that a recurrent layer returns is "
        "thrown away here?",
        "There are two: x.split(size, dim=1) and torch.cat(outputs, dim=1) go along time; and the state that the layer "
        "returns goes into the next call: state = None before the loop, output, state = layer(chunk, state) in it.",
    ),
)
def exercise_4(in_chunks):
    """Check a function of an nn.LSTM, x `(B, T, H)` and a size: what the layer says, in chunks of `size` frames."""
    for B, T, size, seed in ((4, 6, 2, 0), (3, 7, 3, 1), (1, 5, 5, 2)):
        layer, x = _layer(seed), noise(B, T, 3, seed=seed).requires_grad_()
        known = {
            mistake: _with_state(layer, x, size, carried)
            for mistake, carried in {
                "every chunk begins with a state of zeros, as if nothing had been before it": lambda h, c: None,
                "only h is carried on; an LSTM remembers in c": lambda h, c: (h, 0 * c),
                "only c is carried on; the gates of the next frame also read h": lambda h, c: (0 * h, c),
                "h and c are exchanged from chunk to chunk: the state is (h, c)": lambda h, c: (c, h),
            }.items()
        }
        chunks = layer(x)[0].split(size, dim=1)
        known["the chunks are joined from the last to the first"] = torch.cat(chunks[::-1], dim=1)
        where = f"It is about {B} sounds of {T} frames in chunks of {size}."
        lengths = []
        with layer.register_forward_pre_hook(lambda layer, inputs, lengths=lengths: lengths.append(inputs[0].shape[1])):
            found = call(in_chunks, layer, x, size)
        if lengths and max(lengths) > size:
            what = f"The layer was given {max(lengths)} frames at once, but should be given {size} at most."
            raise CheckFailure(what, f"{where} A stream must not wait for the rest.", kind="length")
        expect_values(found, layer(x)[0], "B T H", known, where)
        expect_gradient(found, x)
    return "A causal layer whose state is carried on does not know that it was interrupted."


@exercise(
    "Exercise 5: the last word of each direction",
    hints=(
        "The second direction begins at the last frame. Where has it read everything?",
        "y[:, -1] holds both directions at the last frame. Of the backward one that is its first word. Where "
        "is its last?",
        "The first half of H belongs to the forward direction, whose last frame is T - 1: y[:, -1, :H]. The second "
        "half ends at frame 0: y[:, 0, H:], with H = y.shape[-1] // 2. torch.cat both along the last axis.",
    ),
)
def exercise_5(last_words):
    """Check a function of y `(B, T, 2 H)`: what each direction says when it has read everything, `(B, 2 H)`."""
    for B, T, seed in ((2, 5, 0), (3, 4, 1), (2, 1, 2)):
        layer, x = _layer(seed, bidirectional=True, hidden_size=4 + seed), noise(B, T, 3, seed=seed)
        y, (h, _) = layer(x)  # h: (2, B, H), the last state of each direction
        right, half = torch.cat([h[0], h[1]], dim=-1), y.shape[-1] // 2
        known = {
            "at the last frame the second direction has read one frame only": y[:, -1],
            "this is frame 0, where the first direction has read one frame only": y[:, 0],
            "this is the mean over all frames; the last word of each direction is wanted": y.mean(1),
            "this is the largest value of all frames; the last word of each direction is wanted": y.amax(1),
            "the two directions are exchanged": torch.cat([h[1], h[0]], dim=-1),
            "the halves belong to the wrong ends: the first half reads forward": torch.cat(
                [y[:, 0, :half], y[:, -1, half:]], dim=-1
            ),
            "every second number was taken. The directions do not alternate, they stand side by side": torch.cat(
                [y[:, -1, ::2], y[:, 0, 1::2]], dim=-1
            ),
        }
        found = call(last_words, y)
        if is_empty(found):
            raise NotYet("It returns nothing yet.")
        expect_values(
            found, right, "B H", known, f"It is about {B} sounds of {T} frames and {half} units per direction."
        )
    return "The same numbers as the state h that nn.LSTM returns beside its output."
