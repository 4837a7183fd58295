"""Traces: shapes, parameters, costs, errors, and a model that is left as it was."""

from xml.etree import ElementTree

import pytest
import torch
from torch import nn

from sepbook import architectures, shapes


class Separator(nn.Module):
    """One convolution in, one mask out."""

    dims = "B C N -> B S C N"
    sample_rate = 8000

    def __init__(self, width=8, twice=False):
        super().__init__()
        self.encoder = nn.Conv1d(1, width, 16, stride=8, padding=4)
        self.body = nn.Sequential(nn.BatchNorm1d(width), nn.ReLU(), nn.Dropout(0.5))
        self.decoder = nn.ConvTranspose1d(width, 2, 16, stride=8, padding=4)
        self.unused = nn.Linear(3, 4)

    def forward(self, mixture):
        return self.decoder(self.body(self.encoder(mixture)))[:, :, None]


def test_the_ledger_reads_as_documented():
    assert str(shapes.trace(Separator(), torch.zeros(2, 1, 800))) == "\n".join(
        [
            "module   kind             input               output                  parameters    MACs  receptive field",
            "(model)  Separator        (B=2, C=1, N=800)   (B=2, S=2, C=1, N=800)                         24 (3.00 ms)",
            "encoder  Conv1d           (B=2, C=1, N=800)   (B=2, H=8, N'=100)             136  25.6 k     16 (2.00 ms)",
            "body.0   BatchNorm1d      (B=2, H=8, N'=100)  (B=2, H=8, N'=100)              16             16 (2.00 ms)",
            "decoder  ConvTranspose1d  (B=2, H=8, N'=100)  (B=2, S=2, N=800)              258  51.2 k     24 (3.00 ms)",
            "Separator: 426 parameters; 76.8 k MACs for an input (B=2, C=1, N=800); "
            "384 k MACs per second of audio; not used: unused (16).",
        ]
    )


def test_rows_can_be_used_by_a_program():
    trace = shapes.trace(Separator(), torch.zeros(2, 1, 800))
    rows = {row.path: row for row in trace.rows}
    assert rows["encoder"].input == (2, 1, 800) and rows["encoder"].output == (2, 8, 100)
    assert rows["encoder"].receptive_field == 16 and rows["decoder"].receptive_field == 24
    assert [call.kind for call in trace.calls][2:5] == ["Sequential", "BatchNorm1d", "ReLU"]
    assert trace.idle == {"unused": 16}
    assert trace.macs_per_second() == trace.macs / 2 / 0.1
    assert trace.macs_per_second(16000) == 2 * trace.macs_per_second()


@pytest.mark.parametrize("depth", [0, 1, 2, None])
def test_costs_add_up_to_the_totals_at_every_depth(depth):
    trace = shapes.trace(Separator(), torch.zeros(2, 1, 800), depth=depth)
    assert sum(row.parameters for row in trace.rows) + sum(trace.idle.values()) == trace.parameters == 426
    assert sum(row.macs for row in trace.rows) == trace.macs
    assert max(row.depth for row in trace.rows) <= (9 if depth is None else depth)
    assert len(trace.at_depth(0).rows) == 1


def test_weights_that_are_used_twice_count_once():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Linear(5, 5, bias=False)
            self.b = nn.Linear(5, 5, bias=False)
            self.b.weight = self.a.weight

        def forward(self, x):
            return self.a(self.b(self.a(x)))

    trace = shapes.trace(Twice(), torch.zeros(2, 5))
    assert [row.path for row in trace.rows] == ["", "a", "b", "a"]
    assert [row.parameters for row in trace.rows] == [0, 25, 0, 0] and trace.parameters == 25
    assert [row.macs for row in trace.rows] == [0, 50, 50, 50]


def test_the_model_is_left_as_it_was():
    torch.manual_seed(0)
    model = Separator().train()
    model.body[0].eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    random = torch.get_rng_state()
    shapes.trace(model, torch.randn(2, 1, 800, generator=torch.Generator().manual_seed(1)), time=True)
    assert model.training and model.body[2].training and not model.body[0].training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), random)
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
    assert model(torch.zeros(2, 1, 800)).requires_grad


def test_an_error_leaves_no_hooks_behind():
    model = Separator().train()
    with pytest.raises(shapes.ShapeError):
        shapes.trace(model, torch.zeros(2, 800))
    assert model.training and not any(module._forward_hooks for module in model.modules())


def test_time_is_measured_only_on_request():
    model, x = Separator(), torch.zeros(2, 1, 800)
    assert all(row.milliseconds is None for row in shapes.trace(model, x).rows)
    timed = shapes.trace(model, x, time=True)
    assert all(row.milliseconds > 0 for row in timed.rows)
    assert timed.rows[0].milliseconds > timed.rows[1].milliseconds
    with pytest.raises(shapes.ShapeError, match="no time to measure"):
        shapes.trace(model.to("meta"), x.to("meta"), time=True)


def test_a_huge_model_is_traced_without_memory():
    with torch.device("meta"):
        model = nn.Sequential(nn.Conv1d(1, 100_000, 9), nn.Conv1d(100_000, 100_000, 9))  # 360 GB of weights
        trace = shapes.trace(model, torch.zeros(4, 1, 10_000_000))
    assert trace.parameters == 9 * 100_000 * (1 + 100_000) + 200_000
    assert trace.rows[-1].output == (4, 100_000, 10_000_000 - 16)


def test_a_compiled_model_is_traced_eagerly():
    model = Separator()
    model.encoder.compile(backend=lambda *_: pytest.fail("the trace compiled the model"))
    assert len(shapes.trace(model, torch.zeros(2, 1, 800)).rows) == 4
    wrapped = torch.compile(Separator())
    assert shapes.trace(wrapped, torch.zeros(2, 1, 800)).rows[1].path == "encoder"


class Chain(nn.Module):
    """A body that may break the rules, between two layers."""

    dims = "x: B T H -> B T H"

    def __init__(self, body):
        super().__init__()
        self.first, self.body, self.last = nn.Linear(6, 8), body, nn.Linear(8, 6)

    def forward(self, x, **inputs):
        return self.last(self.body(self.first(x), **inputs))


class Declared(nn.Module):
    def __init__(self, dims, function):
        super().__init__()
        self.dims, self.function = dims, function

    def forward(self, x):
        return self.function(x)


def refusal(body, x=None):
    with pytest.raises(shapes.ShapeError) as caught:
        shapes.trace(Chain(body), torch.zeros(2, 5, 6) if x is None else x)
    return caught.value


def test_a_mismatch_names_the_module_and_the_axis():
    error = refusal(Declared("B T H -> B T H", lambda x: x[:, :3]))
    assert str(error).splitlines()[0] == "body (Declared): axis T (frame) of the output is 3, but must be 5."
    assert "T=5 comes from input x" in str(error)
    assert [row.path for row in error.rows] == ["", "first", "body"]


def test_the_batch_stays_the_same_through_the_whole_pass():
    error = refusal(Declared("B H -> B H", lambda x: x), None)
    assert "body (Declared): input x has 3 axes, but needs 2." in str(error)
    folded = nn.Sequential(nn.Flatten(0, 1), Declared("B H -> B H", lambda x: x), nn.Unflatten(0, (2, 5)))
    error = refusal(folded)
    assert "body.1 (Declared): axis B (batch) of input x is 10, but must be 2." in str(error)
    assert "10 is 2 times 5" in str(error) and "B=2 comes from the whole pass" in str(error)
    product = nn.Sequential(nn.Flatten(0, 1), Declared("(B T) H -> (B T) H", lambda x: x), nn.Unflatten(0, (2, 5)))
    rows = shapes.trace(Chain(product), torch.zeros(2, 5, 6)).rows
    assert str(rows[2].inputs[0]) == "((B T)=10, H=8)"


def test_a_layer_of_torch_that_refuses_is_named_with_what_it_was_given():
    error = refusal(nn.Linear(9, 8))
    assert str(error).splitlines()[:4] == [
        "body (Linear) cannot work with this shape.",
        "  given     input (2, 5, 8)",
        "  built as  Linear(in_features=9, out_features=8, bias=True)",
        "  before    first (Linear) returned (2, 5, 8)",
    ]
    assert isinstance(error.__cause__, RuntimeError)


def test_a_refusal_says_what_came_last_before_it_with_weights():
    error = refusal(nn.Sequential(nn.Linear(8, 7), nn.ReLU(), nn.Linear(9, 8)))
    assert str(error).splitlines()[:4] == [
        "body.2 (Linear) cannot work with this shape.",
        "  given     input (2, 5, 7)",
        "  built as  Linear(in_features=9, out_features=8, bias=True)",
        "  before    body.0 (Linear) returned (2, 5, 7)",
    ]
    alone = pytest.raises(shapes.ShapeError, shapes.trace, nn.Linear(9, 8), torch.zeros(2, 5, 6))
    assert "before" not in str(alone.value) and "Linear cannot work with this shape." in str(alone.value)


def test_errors_that_are_not_about_shapes_pass_through():
    def fail(x):
        raise RuntimeError("the coffee is cold")

    with pytest.raises(RuntimeError, match="coffee") as caught:
        shapes.trace(Chain(Declared(None, fail)), torch.zeros(2, 5, 6))
    assert not isinstance(caught.value, shapes.ShapeError)
    with pytest.raises(shapes.ShapeError, match="needs a tensor"):
        shapes.trace(nn.Linear(2, 2), [1, 2])


def test_further_inputs_reach_the_model_and_are_shown():
    class Conditioned(nn.Module):
        dims = "x: B T H, condition: B D -> B T H"

        def __init__(self):
            super().__init__()
            self.scale = nn.Linear(4, 8)

        def forward(self, x, condition):
            return x * self.scale(condition)[:, None]

    trace = shapes.trace(Chain(Conditioned()), torch.zeros(2, 5, 6), condition=torch.zeros(2, 4))
    text = str(trace).splitlines()
    line = next(i for i, words in enumerate(text) if words.startswith("body "))
    assert "x (B=2, T=5, H=8)" in text[line] and text[line + 1].strip() == "condition (B=2, D=4)"
    assert "x (B=2, T=5, H=8)<br>condition (B=2, D=4)" in trace._repr_html_()


def test_the_table_is_accessible_and_scrolls_in_its_own_box():
    model = nn.Sequential()
    model.add_module("<b>", nn.Linear(6, 6))
    box = ElementTree.fromstring(shapes.trace(model, torch.zeros(2, 6))._repr_html_().replace("<br>", "<br/>"))
    assert box.get("class") == "sepbook-ledger" and "overflow-x:auto" in box.get("style")
    assert box.get("tabindex") == "0" and box.get("aria-label") == "Shapes of Sequential"
    (table,) = box
    assert [part.tag for part in table] == ["caption", "thead", "tbody"]
    assert "42 parameters" in "".join(table[0].itertext())
    assert {head.get("scope") for head in table[1].iter("th")} == {"col"}
    rows = list(table[2])
    assert all(row[0].tag == "th" and row[0].get("scope") == "row" for row in rows)
    assert {len(row) for row in rows} == {len(table[1][0])}
    assert [row[0].text for row in rows] == ["(model)", "<b>"]


def test_the_published_unet():
    """The shapes, the parameters and the cost of Jansson et al. 2017, from 12 s of sound at 8192 Hz."""
    with torch.device("meta"):
        trace = shapes.trace(architectures.create("unet", "paper"), torch.zeros(1, 1, 127 * 768))
    found = {row.path: row.output[1:] for row in trace.calls}
    encoder = [found[f"network.encoder.{i}"] for i in range(6)]
    assert encoder == [(16, 256, 64), (32, 128, 32), (64, 64, 16), (128, 32, 8), (256, 16, 4), (512, 8, 2)]
    decoder = [found[f"network.decoder.{i}"] for i in range(6)]
    assert decoder == [(256, 16, 4), (128, 32, 8), (64, 64, 16), (32, 128, 32), (16, 256, 64), (1, 512, 128)]
    assert trace.parameters == 9_823_313
    assert trace.macs_per_second() / 1e9 == pytest.approx(0.06, abs=0.005)
    rows = {row.path: row for row in trace.rows}
    assert str(rows["stft"].outputs[0]) == "(B=1, C=1, F=513, T=128)"
    assert rows["network.encoder.5"].receptive_field == 1024 + 252 * 768  # 253 frames: six times kernel 5, stride 2
