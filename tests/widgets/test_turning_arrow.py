"""The turning arrow's Python side: its tip against PyTorch's numbers, and what it hands to its two hosts."""

import pytest
import torch

from sepbook.widgets.turning_arrow import tip, turning_arrow
from tests.widgets.hosted import assert_one_module, assert_page_element


@pytest.mark.parametrize("frequency", [-220, 0, 220, 440])
@pytest.mark.parametrize(("length", "phase"), [(1, 0), (0.5, 45), (0.3, -180)])
def test_the_tip_is_a_complex_number_that_turns(length, phase, frequency):
    for ms in (0.0, 0.7, 10.0):
        angle = torch.tensor(phase * torch.pi / 180 + 2 * torch.pi * frequency * ms / 1000, dtype=torch.float64)
        assert tip(length, phase, frequency, ms) == pytest.approx(torch.polar(length + 0 * angle, angle).item())


def test_both_hosts_get_it(tmp_path):
    assert_page_element(turning_arrow, "arrow", tmp_path, "<td>0.71</td>", "<td>−0.71</td>")
    assert_one_module(turning_arrow(), "turning_arrow")
