"""The plan behind a diagram: who reads from whom, found in a trace."""

import pytest
import torch
from torch import nn

from sepbook import shapes
from sepbook.shapes.graph import graph
from sepbook.shapes.watch import watch
from tests.networks import traced


def edges(trace, depth=None):
    """Return 'name <- sources' of every box, meetings written as 'how(sources)'."""

    def called(box):
        if box.role == "meeting":
            count = f"{box.count}·" if box.count else ""
            return f"{box.how}({count}{', '.join(map(called, box.sources))})"
        return box.row.path if box.rows else box.name

    return [
        f"{called(box)} <- {', '.join(map(called, box.sources))}" for box in graph(trace, depth) if box.role in PLAIN
    ]


PLAIN = ("part", "output")
PLANS = {
    "conv_tasnet": [
        "encoder <- mixture",
        "norm <- encoder",
        "bottleneck <- norm",
        "stacks.0…2.0…7 <- bottleneck",
        "masks.0 <- +(24·stacks.0…2.0…7)",
        "masks.1 <- masks.0",
        "decoder <- ×(masks.1, encoder)",
        "output <- decoder",
    ],
    "chimera": [
        "norm <- magnitude",
        "trunk <- norm",
        "mask_head <- trunk",
        "embedding_head <- trunk",
        "masks <- mask_head",
        "embedding <- embedding_head",
    ],
    "per_target": [
        "networks.vocals.compress <- magnitude",
        "networks.vocals.norm <- networks.vocals.compress",
        "networks.vocals.lstm <- networks.vocals.norm",
        "networks.vocals.expand <- cat(networks.vocals.norm, networks.vocals.lstm)",
        "output <- cat(4·×(magnitude, networks.vocals.expand))",
    ],
    "demucs": [
        "down.0 <- mixture",
        "down.1 <- down.0",
        "down.2 <- down.1",
        "lstm <- down.2",
        "back <- lstm",
        "up.0 <- +(back, down.2)",
        "up.1 <- +(up.0, down.1)",
        "up.2 <- +(up.1, down.0)",
        "output <- up.2",
    ],
    "unet": [
        "stft <- mixture",
        "network.encoder.0 <- stft",
        *(f"network.encoder.{i + 1} <- network.encoder.{i}" for i in range(4)),
        "network.decoder.0 <- network.encoder.4",
        *(f"network.decoder.{i + 1} <- cat(network.decoder.{i}, network.encoder.{3 - i})" for i in range(4)),
        "masking <- stft, network.decoder.4",
        "istft <- masking",
        "output <- istft",
    ],
    "residual": ["blocks.0…5.0 <- x", "output <- +(x, blocks.0…5.0)"],
}


@pytest.mark.parametrize("name", PLANS)
def test_the_plan_of_a_network_is_found_in_its_trace(name):
    assert sorted(edges(traced(name))) == sorted(PLANS[name])


def test_the_plan_does_not_depend_on_the_device():
    from tests.networks import Chimera, Demucs

    for make, shape, name in ((Chimera, (1, 1, 65, 20), "chimera"), (Demucs, (1, 1, 512), "demucs")):
        assert sorted(edges(shapes.trace(make(), torch.zeros(shape)))) == sorted(PLANS[name])


@pytest.mark.parametrize(("depth", "boxes"), [(0, 1), (1, 4), (2, 13), (3, 22)])
def test_depth_opens_parts(depth, boxes):
    assert sum(box.role == "part" for box in graph(traced("unet"), depth)) == boxes


class Remembers(nn.Module):
    """Goes on from the steps of a recurrent layer and from its last state, which an LSTM returns one level deeper."""

    def __init__(self, memory):
        super().__init__()
        self.memory, self.steps, self.state = memory, nn.Linear(4, 2), nn.Linear(4, 5)

    def forward(self, x):
        steps, state = self.memory(x)
        return self.steps(steps), self.state(state[0] if isinstance(state, tuple) else state)


class Own(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner, self.scale = nn.LSTM(3, 4, batch_first=True), nn.Linear(4, 4)

    def forward(self, x):
        steps, (hidden, cell) = self.inner(x)
        return steps, (self.scale(hidden), cell)


@pytest.mark.parametrize("device", ["cpu", "meta"])
@pytest.mark.parametrize("kind", [nn.RNN, nn.GRU, nn.LSTM])
def test_a_recurrent_layer_hands_on_its_steps_and_its_state(kind, device):
    model = Remembers(kind(3, 4, batch_first=True)).to(device)
    found = edges(shapes.trace(model, torch.zeros(2, 6, 3, device=device)))
    assert {"memory <- x", "steps <- memory", "state <- memory"} <= set(found)


def test_what_lies_deeper_in_a_result_comes_from_its_call_too():
    trace = shapes.trace(Remembers(Own()), torch.zeros(2, 6, 3))
    assert {"steps <- memory", "state <- memory"} <= set(edges(trace, 1))
    assert {"steps <- memory.inner", "state <- memory.scale"} <= set(edges(trace, 2))
    assert edges(shapes.trace(Own(), torch.zeros(2, 6, 3))) == ["inner <- x", "output[0] <- inner"]


def test_networks_side_by_side_are_one_group_with_all_names():
    groups = {box.group for box in graph(traced("per_target")) if box.role == "part"}
    assert groups == {("vocals", "drums", "bass", "other")}
    assert all(not box.group for box in graph(traced("demucs")))


class Fill(nn.Module):
    """Writes the outputs of its parts into one tensor, piece by piece."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 3)

    def forward(self, x, condition=None):
        out = torch.zeros(len(x), 7)
        out[:, :4] = nn.functional.dropout(self.a(x), training=self.training)
        out[:, 4:] = self.b(x if condition is None else x * condition)
        return out


def test_tensors_that_are_filled_piece_by_piece_and_further_inputs():
    assert edges(shapes.trace(Fill(), torch.zeros(2, 4)))[:2] == ["a <- x", "b <- x"]
    found = edges(shapes.trace(Fill(), torch.zeros(2, 4), condition=torch.ones(2, 4)))
    assert "b <- ×(x, condition)" in found


class Straight(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.off, self.act, self.b = nn.Linear(4, 4), nn.Dropout(0.5), nn.ReLU(inplace=True), nn.Linear(4, 4)

    def forward(self, x):
        y = self.off(self.a(x))
        return y + self.b(self.act(y.clone()))


def test_what_only_hands_on_is_no_box_and_does_not_hide_where_a_tensor_comes_from():
    assert edges(shapes.trace(Straight(), torch.zeros(2, 4))) == ["a <- x", "b <- a", "output <- +(a, b)"]


class Packed(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.head = nn.LSTM(3, 4, batch_first=True), nn.Linear(4, 2)

    def forward(self, x):
        packed = nn.utils.rnn.pack_padded_sequence(x, [5, 4], batch_first=True)
        return self.head(nn.utils.rnn.pad_packed_sequence(self.lstm(packed)[0], batch_first=True)[0])


def test_packed_sequences_are_followed():
    assert edges(shapes.trace(Packed(), torch.zeros(2, 5, 3))) == ["lstm <- x", "head <- lstm", "output <- head"]


class Twice(nn.Module):
    """Multiplies the same two tensors in two places."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(4, 3), nn.Linear(4, 3), nn.Linear(3, 3)

    def forward(self, x):
        a, b = self.a(x), self.b(x)
        return torch.cat([a * b, a * b, self.c(a)], 1)


def test_what_is_made_twice_stands_twice():
    assert edges(shapes.trace(Twice(), torch.zeros(2, 4)))[-1] == "output <- cat(×(a, b), ×(a, b), c)"


class Rounds(nn.Module):
    """Goes on with the same two tensors as often as it is told, then meets a third."""

    def __init__(self, rounds):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(4, 4), nn.Linear(4, 1), nn.Linear(4, 4)
        self.rounds = rounds

    def forward(self, x):
        weight = self.b(x).sigmoid()
        centre = weight * self.a(x)
        for _ in range(self.rounds):
            centre = (weight * centre + centre) / (weight + 1)
        return centre * self.c(x)


def test_arithmetic_that_goes_round_and_round_is_one_meeting():
    def ends(rounds):
        return edges(shapes.trace(Rounds(rounds), torch.zeros(2, 4)))[-1]

    assert ends(0) == "output <- ×(b, a, c)"
    assert ends(3) == ends(200) == "output <- ×(&(b, a), c)"  # k-means ends after other steps for other mixtures


class Reuses(nn.Module):
    """Fills a buffer, lets go of it, and then makes other tensors that do not depend on the input."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x):
        found = 0
        for _ in range(20):
            filled = torch.zeros(2, 4)
            filled[:, :] = self.a(x)
            found = found + filled.sum()
            del filled
        others = [torch.zeros(2, 4) for _ in range(40)]
        return found + x, [self.b(other) for other in others][-1]


def test_memory_that_is_used_again_has_not_the_origin_of_what_lay_there():
    rows, _ = watch(Reuses(), torch.zeros(2, 4), {})
    assert [[origin for origin in row.reads if origin] for row in rows if row.path == "b"] == [[]] * 40


def test_a_single_layer_is_a_diagram_too():
    assert edges(shapes.trace(nn.Linear(4, 3), torch.zeros(2, 4))) == [" <- input", "output <- "]
