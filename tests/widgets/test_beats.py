"""The beats explorer's Python side: the outline against the sum itself, and what it hands to its two hosts."""

import pytest
import torch

from sepbook.widgets.beats import beats, envelope
from tests.widgets.hosted import assert_one_module, assert_page_element


@pytest.mark.parametrize("difference", [0.0, 2.0, 30.0])
@pytest.mark.parametrize(("phase", "level"), [(0, 0), (90, -6), (180, 0), (250, -30)])
def test_the_outline_is_the_length_of_two_arrows(difference, phase, level):
    for seconds in (0.0, 0.123, 0.25, 0.9):
        turned = torch.tensor(2 * torch.pi * difference * seconds + phase * torch.pi / 180, dtype=torch.float64)
        both = 1 + 10 ** (level / 20) * torch.polar(torch.ones_like(turned), turned)
        assert envelope(difference, phase, level, seconds) == pytest.approx(both.abs().item(), abs=1e-7)


def test_both_hosts_get_it(tmp_path):
    assert_page_element(beats, "beats", tmp_path, "<td>2.00</td>", "<td>0.00</td>")
    assert_one_module(beats(), "beats")
