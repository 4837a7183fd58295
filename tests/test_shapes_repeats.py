"""Repeats fold: fewer rows, the same totals, and every row is still there on request."""

import pytest
import torch
from torch import nn

from sepbook import shapes
from sepbook.shapes.repeats import span
from tests.networks import NETWORKS, traced


@pytest.fixture(scope="module")
def tasnet():
    return traced("conv_tasnet")


def test_a_network_of_24_blocks_is_short_and_says_how_to_unfold(tasnet):
    text = str(tasnet)
    assert len(tasnet.rows) <= 40 < 150 < len(tasnet.unfolded().rows)
    (line,) = [line for line in text.splitlines() if "stacks" in line]
    assert line.startswith("stacks.0…2.0…7 (3 × 8 times)  Block") and "(2, 16, 999)" in line
    assert "trace(…, unfold=True)" in text and "trace(…, unfold=True)" in tasnet._repr_html_()
    assert "stacks.0…2.0…7 (3 × 8 times)" in tasnet._repr_html_()
    assert "unfold" not in str(tasnet.unfolded()) and "stacks.2.7.skip" in str(tasnet.unfolded())


def test_a_folded_row_has_the_sums_of_all_and_the_field_of_the_last(tasnet):
    (row,) = [row for row in tasnet.rows if row.times > 1]
    every = [one for one in tasnet.calls if one.path.startswith("stacks")]
    assert row.times == 24
    assert row.parameters == sum(one.parameters for one in every)
    assert row.macs == sum(one.macs for one in every)
    last = next(one for one in tasnet.calls if one.path == "stacks.2.7")
    assert row.receptive_field == last.receptive_field == 16 + 8 * 3 * 2 * 255


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("depth", [0, 1, 2, None])
@pytest.mark.parametrize("unfold", [False, True])
def test_totals_add_up_folded_or_not(name, depth, unfold):
    trace = traced(name).at_depth(depth)
    rows = (trace.unfolded() if unfold else trace).rows
    assert sum(row.parameters for row in rows) == trace.parameters
    assert sum(row.macs for row in rows) == trace.macs


def chain(*layers, size=6):
    with torch.device("meta"):
        return [row.title for row in shapes.trace(nn.Sequential(*layers), torch.zeros(2, size)).rows[1:]]


def same(count):
    return [nn.Linear(6, 6, device="meta") for _ in range(count)]


def test_what_folds_and_what_does_not():
    assert chain(*same(2)) == ["0", "1"]
    assert chain(*same(3)) == ["0…2 (3 times)"]
    assert chain(*same(2), nn.Linear(6, 7, device="meta"), nn.Linear(7, 6, device="meta")) == ["0", "1", "2", "3"]
    pairs = [layer for one in same(4) for layer in (one, nn.LayerNorm(6, device="meta"))]
    assert chain(*pairs) == ["0…6 (4 times)", "1…7 (4 times)"]
    assert chain(nn.Linear(9, 6, device="meta"), *pairs, size=9)[0] == "0"
    nested = [nn.Sequential(*same(4)) for _ in range(3)]
    assert chain(*nested) == ["0…2.0…3 (3 × 4 times)"]
    first = nn.Linear(9, 6, device="meta")
    assert chain(first, *nested, size=9)[1:] == ["1…3.0…3 (3 × 4 times)"]
    again = same(1)[0]
    assert chain(again, again, again) == ["0 (3 times)"]


def test_blocks_of_another_size_or_kind_inside_are_not_alike():
    wide = nn.Sequential(nn.Linear(6, 12, device="meta"), nn.Linear(12, 6, device="meta"))
    narrow = [nn.Sequential(nn.Linear(6, 3, device="meta"), nn.Linear(3, 6, device="meta")) for _ in range(2)]
    assert len(chain(*narrow, wide)) == 6


def test_time_of_repeats_is_summed():
    model = nn.Sequential(*(nn.Linear(6, 6) for _ in range(3)))
    trace = shapes.trace(model, torch.zeros(2, 6), time=True)
    assert trace.rows[1].milliseconds == pytest.approx(sum(row.milliseconds for row in trace.calls[1:]))
    assert shapes.trace(model, torch.zeros(2, 6), unfold=True).rows[1].times == 1


def test_two_paths_as_one():
    assert span("blocks.0.conv", "blocks.7.conv") == "blocks.0…7.conv"
    assert span("stacks.0.0…7", "stacks.2.0…7") == "stacks.0…2.0…7"
    assert span("a", "b.c") == "a…b.c" and span("a.b", "a.b") == "a.b"
