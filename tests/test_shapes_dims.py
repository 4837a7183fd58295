"""Dims strings: how they are read, bound and refused."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from sepbook import shapes
from sepbook.shapes.binding import Binding, solve
from sepbook.shapes.dims import parse, parse_item

SIZES = st.integers(1, 30)


class Decoder(nn.Module):
    dims = "x: B H F T, skip: B H F' T' -> B H F' T'"

    @shapes.checked
    def forward(self, x, skip):
        return nn.functional.interpolate(x, skip.shape[2:]) + skip


class Wrong(Decoder):
    dims = "x: B H F T, skip: B H F' T' -> B H F T"


def test_a_dims_string_is_read_into_named_inputs_and_outputs():
    dims = parse("x: B H F T, skip: B H F' T' -> B H F' T'")
    assert [item.name for item in dims.inputs] == ["x", "skip"]
    assert [axis.text for axis in dims.inputs[1].axes] == ["B", "H", "F'", "T'"]
    assert str(dims.inputs[1]) == "skip: B H F' T'"
    assert dims.outputs[0].name is None


@pytest.mark.parametrize(
    ("text", "factor", "letters"),
    [("F'", 1, ("F'",)), ("2H", 2, ("H",)), ("(S F)", 1, ("S", "F")), ("3", 3, ()), ("(2 S F')", 2, ("S", "F'"))],
)
def test_an_axis_may_be_a_letter_a_number_or_a_product(text, factor, letters):
    (axis,) = parse_item(text).axes
    assert (axis.factor, axis.letters) == (factor, letters)


@pytest.mark.parametrize("text", ["B C N", "B -> C -> N"])
def test_a_dims_string_needs_one_arrow(text):
    with pytest.raises(shapes.ShapeError, match="one arrow"):
        parse(text)


@pytest.mark.parametrize("text", ["B T-1", "B 'T", "B T+", "B T2"])
def test_an_axis_that_cannot_be_read_is_refused(text):
    with pytest.raises(shapes.ShapeError, match="cannot read the axis"):
        parse_item(text)


def test_every_letter_of_the_legend_is_described_in_words():
    assert shapes.describe("F'") == "F' (frequency bin)"
    assert shapes.describe("(S C)") == "(S C) (source times audio channel)"
    assert shapes.describe("2H") == "2H (hidden or convolution feature)"
    assert shapes.describe("Q") == "Q"


@given(b=SIZES, s=SIZES, f=SIZES)
def test_a_product_is_solved_for_its_one_unknown_letter(b, s, f):
    sizes, failure = solve(parse_item("(B S) 2F"), (b * s, 2 * f), {"B": b})
    assert failure is None
    assert sizes == {"B": b, "S": s, "F": f}


def test_a_product_with_two_unknown_letters_stays_open_until_one_is_known():
    binding = Binding("Layer")
    binding.match(parse_item("(B S) T"), (6, 5), "x")
    assert "S" not in binding.sizes
    binding.match(parse_item("(B S) B"), (6, 2), "y")
    assert binding.sizes["S"] == 3


@given(shape=st.lists(SIZES, min_size=2, max_size=5))
def test_dots_take_any_leading_axes(shape):
    item = parse_item("... F T")
    assert item.fits(shape)
    assert solve(item, shape, {})[0] == {"F": shape[-2], "T": shape[-1]}
    assert item.show(shape).endswith(f"F={shape[-2]}, T={shape[-1]})")


def test_check_dims_returns_the_size_of_each_letter():
    sizes = shapes.check_dims(Decoder(), torch.zeros(2, 8, 16, 4), skip=torch.zeros(2, 8, 33, 9))
    assert sizes == {"B": 2, "H": 8, "F": 16, "T": 4, "F'": 33, "T'": 9}


@given(given_h=SIZES, skip_h=SIZES)
def test_the_same_letter_must_have_the_same_size_everywhere(given_h, skip_h):
    x, skip = torch.zeros(2, given_h, 6, 4), torch.zeros(2, skip_h, 12, 8)
    if given_h == skip_h:
        assert shapes.check_dims(Decoder(), x, skip)["H"] == given_h
        return
    with pytest.raises(shapes.ShapeError) as caught:
        shapes.check_dims(Decoder(), x, skip)
    message = str(caught.value)
    assert f"axis H (hidden or convolution feature) of input skip is {skip_h}, but must be {given_h}" in message
    assert f"H={given_h} comes from input x" in message


def refusal(x, skip=None) -> str:
    skip = torch.zeros(2, 8, 33, 9) if skip is None else skip
    with pytest.raises(shapes.ShapeError) as caught:
        shapes.check_dims(Decoder(), x, skip)
    return str(caught.value)


def test_hints_say_how_to_mend_the_shape():
    assert "x.unsqueeze(0) adds B (batch)" in refusal(torch.zeros(8, 16, 4))
    assert "x.squeeze(2)" in refusal(torch.zeros(2, 8, 1, 16, 4), torch.zeros(2, 8, 33, 9))
    swapped = refusal(torch.zeros(2, 8, 16, 4), torch.zeros(8, 2, 33, 9))
    assert "B (batch) and H (hidden or convolution feature) look swapped: x.transpose(0, 1)" in swapped
    folded = refusal(torch.zeros(2, 8, 16, 4), torch.zeros(6, 8, 33, 9))
    assert "6 is 2 times 3: another axis seems folded into the batch" in folded


def test_the_hint_for_frames_counts_what_to_crop_or_pad():
    class Gate(nn.Module):
        dims = "x: B T, gate: B T -> B T"

        def forward(self, x, gate):
            return x * gate

    with pytest.raises(shapes.ShapeError, match="Crop this axis by 3"):
        shapes.check_dims(Gate(), torch.zeros(2, 50), torch.zeros(2, 53))
    with pytest.raises(shapes.ShapeError, match="Pad this axis by 1"):
        shapes.check_dims(Gate(), torch.zeros(2, 50), torch.zeros(2, 49))


def test_a_checked_forward_also_checks_what_it_returns():
    x, skip = torch.zeros(2, 8, 6, 4), torch.zeros(2, 8, 12, 8)
    assert Decoder()(x, skip).shape == skip.shape
    with pytest.raises(shapes.ShapeError, match=r"Wrong: axis F \(frequency bin\) of the output is 12, but must be 6"):
        Wrong()(x, skip)


def test_a_name_in_dims_that_forward_does_not_have_is_refused():
    class Slip(nn.Module):
        dims = "x: B T, skp: B T -> B T"

        def forward(self, x, skip):
            return x + skip

    with pytest.raises(shapes.ShapeError, match="dims names skp, but the tensors are called x, skip"):
        shapes.check_dims(Slip(), torch.zeros(2, 5), torch.zeros(2, 5))


def test_an_optional_input_may_be_left_out():
    class Optional(nn.Module):
        dims = "x: B T, condition: B D -> B T"

        def forward(self, x, condition=None):
            return x

    assert shapes.check_dims(Optional(), torch.zeros(2, 5)) == {"B": 2, "T": 5}


def test_several_outputs_are_checked_in_order_or_by_key():
    class Heads(nn.Module):
        dims = "B T -> mask: B S T, activity: B T"

        def __init__(self, swap, as_dict):
            super().__init__()
            self.swap, self.as_dict = swap, as_dict

        @shapes.checked
        def forward(self, x):
            mask, activity = torch.zeros(2, 4, 5), torch.zeros(2, 5)
            if self.as_dict:
                return {"activity": activity, "mask": mask}
            return (activity, mask) if self.swap else (mask, activity)

    x = torch.zeros(2, 5)
    Heads(False, False)(x)
    Heads(False, True)(x)
    with pytest.raises(shapes.ShapeError, match="output mask has 2 axes, but needs 3"):
        Heads(True, False)(x)


def test_a_missing_output_is_noticed():
    class Half(nn.Module):
        dims = "B T -> mask: B T, activity: B T"

        @shapes.checked
        def forward(self, x):
            return x

    with pytest.raises(shapes.ShapeError, match="declares 2 outputs, but forward returned 1"):
        Half()(torch.zeros(2, 5))


def test_a_module_without_dims_cannot_be_checked():
    with pytest.raises(shapes.ShapeError, match="Linear declares no dims"):
        shapes.check_dims(nn.Linear(3, 4), torch.zeros(2, 3))


def test_show_names_the_axes_of_one_tensor(capsys):
    shapes.show(torch.zeros(2, 50, 129), "B T F", "magnitude")
    shapes.show(torch.zeros(3, 1, dtype=torch.complex64), "(B S) 1")
    assert capsys.readouterr().out == "magnitude: (B=2, T=50, F=129) float32\n((B S)=3, 1) complex64\n"
    with pytest.raises(shapes.ShapeError, match=r"show: magnitude has 2 axes, \(2, 50\), but 'B T F' names 3"):
        shapes.show(torch.zeros(2, 50), "B T F", "magnitude")


WRONG = {  # shape, letters, what the error says, what it proposes
    "samples called channels": ((2, 1, 16000), "B N C", "C (audio channel) of x would be 16000", 'Is it "B C N"?'),
    "bins called sources": ((4, 513, 500), "B S T", "S (source) of x would be 513", "Look at the line"),
    "samples and sources swapped": ((16000, 4), "S N", "S (source) of x would be 16000", 'Is it "N S"?'),
    "one letter for two sizes": ((2, 3, 4), "B H H", "axis H twice, once 3 and once 4 long", "Write H'"),
}


@pytest.mark.parametrize("case", WRONG)
def test_show_refuses_letters_that_cannot_be(case, capsys):
    shape, dims, problem, hint = WRONG[case]
    with pytest.raises(shapes.ShapeError) as caught:
        shapes.show(torch.zeros(shape), dims, "x")
    assert problem in str(caught.value) and hint in str(caught.value)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("shape", "dims"),
    [((64, 64, 9), "S C N"), ((2, 2), "S S'"), ((5, 5), "S S"), ((2, 1, 1), "B C N"), ((300, 70), "(S F) (C T)")],
)
def test_show_believes_letters_that_could_be(shape, dims, capsys):
    shapes.show(torch.zeros(shape), dims)
    assert str(shape[0]) in capsys.readouterr().out
