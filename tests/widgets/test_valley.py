"""The valley explorer's Python side: its steps against autograd's, and what it hands to its two hosts."""

import pytest
import torch

from sepbook.widgets.valley import descend, valley
from tests.widgets.hosted import assert_one_module, assert_page_element


@pytest.mark.parametrize("share", [0.15, 0.5, 0.85, 1.0, 1.1])
def test_the_steps_are_those_of_gradient_descent(share):
    best, curvature, m = 0.3, 1.7, torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
    optimizer, found = torch.optim.SGD([m], lr=share * 2 / curvature), [1.0]
    for _ in range(6):
        optimizer.zero_grad()
        (curvature / 2 * (m - best) ** 2).backward()
        optimizer.step()
        found.append(m.item())
    assert descend(best, curvature, share, 1.0, 6) == pytest.approx(found)


@pytest.mark.parametrize("wrong", [(0, 0), (0, -1), (float("nan"), 1), (0, float("inf"))])
def test_what_is_no_valley_is_refused(wrong):
    with pytest.raises(ValueError, match="curvature above 0"):
        valley(*wrong)


def test_both_hosts_get_it(tmp_path):
    def made(title=""):
        return valley(0.25, 1.5, 0.1, title)

    assert_page_element(made, "valley", tmp_path, "<td>1.25</td>", "<td>−0.75</td>")
    assert_one_module(made(), "valley")
