"""The aliasing explorer's Python side: the folding against what sampling does, and what it hands to its two hosts."""

import html
import json
import re

import pytest
import torch

from sepbook.widgets._versions import PlayerError
from sepbook.widgets.aliasing import aliasing, heard_at
from tests.widgets.hosted import assert_one_module, assert_page_element


@pytest.mark.parametrize("rate", [4000, 6500])
@pytest.mark.parametrize("frequency", [0, 1000, 2000, 3000, 4000, 5100, 7950])
def test_what_is_heard_has_the_samples_of_the_tone_and_lies_below_half_the_rate(frequency, rate):
    heard, n = heard_at(frequency, rate), torch.arange(500, dtype=torch.float64)
    tone, slow = (torch.cos(2 * torch.pi * hertz * n / rate) for hertz in (frequency, heard))
    assert torch.allclose(tone, slow, atol=1e-9) and 0 <= heard <= rate / 2
    assert heard_at(frequency, rate, filtered=True) == (frequency if frequency <= rate / 2 else None)


@pytest.mark.parametrize(("frequency", "rate"), [(-1, 4000), (1000, 0), (1000, float("nan"))])
def test_what_makes_no_sense_is_refused(frequency, rate):
    with pytest.raises(PlayerError, match="give a frequency ≥ 0"):
        heard_at(frequency, rate)


def test_both_hosts_get_it(tmp_path):
    element = assert_page_element(aliasing, "aliasing", tmp_path, "<td>1000 Hz</td>")
    assert json.loads(html.unescape(re.search(r'data-aliasing="([^"]*)"', element)[1]))["spec"] == {"title": "Try <it>"}
    assert_one_module(aliasing(), "aliasing")
