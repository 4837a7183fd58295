import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sepbook.losses._finite import NotFiniteError
from sepbook.losses.weighting import (
    DynamicWeights,
    energies,
    energy_weights,
    over_sources,
    over_tasks,
    shared_slopes,
)


def sources(*gains, N=1000, B=2):
    dice = torch.Generator().manual_seed(0)
    return torch.tensor(gains)[None, :, None, None] * torch.randn(B, len(gains), 1, N, generator=dice)


def test_energies_are_those_of_numpy():
    x = sources(1.0, 0.5, 0.1)
    wanted = (x.double().numpy() ** 2).mean(axis=(0, 2, 3))
    assert energies(x).tolist() == pytest.approx(wanted.tolist(), rel=1e-12)
    bins = torch.view_as_complex(torch.randn(2, 3, 1, 5, 4, 2))
    assert energies(bins).tolist() == pytest.approx((bins.abs().double() ** 2).mean((0, 2, 3, 4)).tolist())


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(1e-6, 1e3), min_size=1, max_size=6), st.floats(1e-3, 1e3))
def test_energy_weights_make_all_energies_equal_and_ignore_the_gain(values, gain):
    e = torch.tensor(values, dtype=torch.float64)
    w = energy_weights(e)
    assert w.min().item() == 1 and torch.allclose(w * e, e.max().expand_as(e))
    torch.testing.assert_close(energy_weights(gain * e), w)


def test_the_published_energy_weights():
    """Kadandale 2020 prints mean energies: accompaniment 687.5, vocals 173.4; bass 252.7, drums 218.7, other 216.5."""
    assert energy_weights(torch.tensor([687.5, 173.4])).tolist() == pytest.approx([1, 687.5 / 173.4])
    four = energy_weights(torch.tensor([173.4, 218.7, 252.7, 216.5]))
    assert four.tolist() == pytest.approx([252.7 / e for e in (173.4, 218.7, 252.7, 216.5)])


def test_dynamic_weights_follow_the_definition():
    past = [[1.0, 2.0, 4.0], [0.5, 1.8, 4.0], [0.4, 1.0, 3.0]]
    dynamic = DynamicWeights(3)
    assert dynamic.weights.tolist() == [1, 1, 1] and dynamic.update(past[0]).tolist() == [1, 1, 1]
    for before, last in zip(past, past[1:], strict=False):
        powers = [math.exp(b / a / 2) for a, b in zip(before, last, strict=True)]
        assert dynamic.update(last).tolist() == pytest.approx([3 * p / sum(powers) for p in powers], rel=1e-6)
    assert dynamic.past.shape == (2, 3) and dynamic.state_dict().keys() == {"past", "weights"}


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(0.01, 10), st.floats(0.01, 10)), min_size=1, max_size=5), st.floats(0.1, 9))
def test_dynamic_weights_add_up_to_s_and_favour_what_stopped_falling(pairs, gain):
    dynamic, louder = DynamicWeights(len(pairs)), DynamicWeights(len(pairs))
    for epoch in zip(*pairs, strict=True):
        w, v = dynamic.update(epoch), louder.update([gain * x for x in epoch])
    assert w.sum().item() == pytest.approx(len(pairs), rel=1e-5)
    torch.testing.assert_close(w, v)  # only the ratio of two epochs counts
    ratios = torch.tensor([last / before for before, last in pairs])
    assert w[ratios.argmax()] == w.max()


def test_over_sources_is_the_mean_and_then_a_weighted_one():
    losses = torch.rand(4, 3, dtype=torch.float64, requires_grad=True)
    torch.testing.assert_close(over_sources(losses), losses.mean(1))
    weights = torch.tensor([1.0, 2.0, 0.0], requires_grad=True)
    torch.testing.assert_close(over_sources(losses, weights), (losses[:, 0] + 2 * losses[:, 1]) / 3)
    over_sources(losses, weights).sum().backward()
    assert weights.grad is None and not losses.grad[:, 2].any()
    assert torch.autograd.gradcheck(lambda x: over_sources(x, weights), losses)
    assert over_sources(torch.rand(3)).shape == ()


def test_over_tasks_is_what_a_system_returns():
    masks, clusters = torch.tensor(2.0, requires_grad=True), torch.tensor(3.0, requires_grad=True)
    found = over_tasks({"masks": masks, "clustering": clusters}, {"masks": 0.025, "clustering": 0.975})
    assert found["loss"].item() == pytest.approx(0.025 * 2 + 0.975 * 3)
    found["loss"].backward()
    assert (masks.grad, clusters.grad) == (pytest.approx(0.025), pytest.approx(0.975))
    assert not found["masks"].requires_grad and found["clustering"].item() == 3


def test_a_weight_of_zero_keeps_the_term_and_its_gradient_out():
    x = torch.tensor(4.0, requires_grad=True)
    y = torch.tensor(1.0, requires_grad=True)
    found = over_tasks({"a": x, "b": y}, {"a": 1.0, "b": 0.0})
    found["loss"].backward()
    assert found["b"].item() == 1 and y.grad is None
    over_tasks({"b": y}, {"b": 0.0})["loss"].backward()
    assert y.grad == 0


def test_shared_slopes_are_lengths_of_gradients_and_keep_the_graph():
    w = torch.tensor([3.0, 4.0], requires_grad=True)
    other = torch.tensor(1.0, requires_grad=True)
    terms = {"a": (w**2).sum() / 2, "b": 10 * w[0], "c": other * 2}
    assert shared_slopes(terms, [w]) == {"a": pytest.approx(5.0), "b": pytest.approx(10.0), "c": 0.0}
    terms["a"].backward()
    assert torch.equal(w.grad, w)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: energies(torch.zeros(3, 4)), r"\(B, S, C, N\)"),
        (lambda: energies(torch.ones(1, 2, 1, 5, dtype=torch.long)), "torch.int64"),
        (lambda: energies(sources(1.0, 0.0)), "source 1 is silent"),
        (lambda: energies(sources(1.0, float("nan"))), "source 1 holds NaN"),
        (lambda: energy_weights(torch.tensor([1.0, 0.0])), "one positive number per source"),
        (lambda: energy_weights(torch.ones(2, 2)), r"\(S,\)"),
        (lambda: DynamicWeights(0), "S=0"),
        (lambda: DynamicWeights(2, 0), "temperature=0"),
        (lambda: DynamicWeights(2).update([1.0]), "S=2"),
        (lambda: DynamicWeights(2).update([1.0, 0.0]), "positive"),
        (lambda: DynamicWeights(2).update([1.0, float("nan")]), "positive"),
        (lambda: over_sources(torch.rand(2, 3), torch.ones(2)), "one weight per source"),
        (lambda: over_sources(torch.rand(2, 2), torch.tensor([1.0, -1.0])), "negative"),
        (lambda: over_tasks({"a": torch.tensor(1.0)}, {"b": 1.0}), "same names"),
        (lambda: over_tasks({}, {}), "at least one"),
        (lambda: over_tasks({"a": torch.ones(2)}, {"a": 1.0}), r"'a' has shape \(2,\)"),
        (lambda: over_tasks({"a": torch.tensor(1.0)}, {"a": -1.0}), "'a' is -1.0"),
        (lambda: over_tasks({"a": torch.tensor(1.0)}, {"a": float("nan")}), "'a' is nan"),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_a_term_that_is_nan_is_named():
    with pytest.raises(NotFiniteError, match="'masks' is nan"):
        over_tasks({"masks": torch.tensor(float("nan"))}, {"masks": 1.0})
