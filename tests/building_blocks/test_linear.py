import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from sepbook.building_blocks.linear import (
    ACTIVATIONS,
    LAYOUTS,
    EmbeddingHead,
    MaskHead,
    linear_backward,
    linear_forward,
    split_sources,
)
from sepbook.shapes import trace

TRUNK = 2 + 3_508_800 + 3 * 8_649_600  # batch norm of one feature, four bidirectional LSTMs of 600 over 129 bins


def features(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def count(module):
    return sum(p.numel() for p in module.parameters())


def test_the_trunk_that_is_counted_with():
    lstm = nn.LSTM(129, 600, 4, bidirectional=True, device="meta")
    assert count(lstm) + count(nn.BatchNorm1d(1)) == TRUNK


@pytest.mark.parametrize(
    ("heads", "published"),
    [
        ([MaskHead(1200, 2, 1, 129)], 29_767_460),
        ([EmbeddingHead(1200, 129, 20)], 32_556_182),
        ([MaskHead(1200, 2, 1, 129), EmbeddingHead(1200, 129, 20)], 32_866_040),
    ],
    ids=["mask inference", "deep clustering", "chimera"],
)
def test_parameters_make_the_published_counts_possible(heads, published):
    assert TRUNK + sum(map(count, heads)) == published


@settings(max_examples=25, deadline=None)
@given(
    B=st.integers(1, 3),
    T=st.integers(1, 7),
    H=st.integers(1, 6),
    S=st.integers(1, 4),
    C=st.integers(1, 2),
    F=st.integers(1, 9),
    layout=st.sampled_from(list(LAYOUTS)),
)
def test_each_mask_value_comes_from_its_own_row_of_the_weight(B, T, H, S, C, F, layout):
    head, x = MaskHead(H, S, C, F, "linear", layout), features(B, T, H)
    masks = head(x)
    assert masks.shape == (B, S, C, F, T)
    s, c, f, t = S - 1, C - 1, F // 2, T // 2
    unit = (s * C + c) * F + f if layout == "blocked" else (f * C + c) * S + s
    expected = x[:, t] @ head.linear.weight[unit] + head.linear.bias[unit]
    torch.testing.assert_close(masks[:, s, c, f, t], expected)


def test_the_example_of_two_masks_in_both_layouts():
    row = torch.arange(1026.0).expand(16, 400, 1026)
    interleaved, blocked = row.reshape(16, 400, 513, 2), row.reshape(16, 400, 2, 513)
    assert interleaved[0, 0, :3, 0].tolist() == [0, 2, 4] and blocked[0, 0, 0, :3].tolist() == [0, 1, 2]
    assert torch.equal(split_sources(row, 2, layout="interleaved")[:, :, 0], interleaved.permute(0, 3, 2, 1))
    assert torch.equal(split_sources(row, 2, layout="blocked")[:, :, 0], blocked.permute(0, 2, 3, 1))


def test_a_permutation_of_the_rows_turns_one_layout_into_the_other():
    blocked, woven = MaskHead(6, 3, 2, 5, layout="blocked"), MaskHead(6, 3, 2, 5, layout="interleaved")
    rows = torch.arange(30).view(3, 2, 5).permute(2, 1, 0).flatten()  # row number of (f, c, s) in the blocked weight
    with torch.no_grad():
        woven.linear.weight.copy_(blocked.linear.weight[rows])
        woven.linear.bias.copy_(blocked.linear.bias[rows])
    torch.testing.assert_close(woven(features(2, 4, 6)), blocked(features(2, 4, 6)))


@pytest.mark.parametrize(
    ("activation", "low", "high"),
    [("sigmoid", 0, 1), ("softmax", 0, 1), ("relu", 0, torch.inf), ("tanh", -1, 1), ("linear", -torch.inf, torch.inf)],
)
def test_ranges_of_the_activations(activation, low, high):
    masks = MaskHead(8, 2, 1, 16, activation)(30 * features(2, 50, 8))
    assert masks.min() >= low and masks.max() <= high
    if activation == "softmax":
        torch.testing.assert_close(masks.sum(1), torch.ones(2, 1, 16, 50))
    if low == -torch.inf:
        assert masks.min() < -1 and masks.max() > 1
    assert activation in ACTIVATIONS


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "linear", "relu"])
def test_embeddings_have_unit_length_and_the_order_that_losses_take(activation):
    head, x = EmbeddingHead(8, 16, 20, activation), features(2, 5, 8)
    embedding = head(x)
    assert embedding.shape == (2, 16, 5, 20)
    torch.testing.assert_close(embedding.norm(dim=-1), torch.ones(2, 16, 5))
    head.normalize = False
    raw = head(x)
    torch.testing.assert_close(raw / raw.norm(dim=-1, keepdim=True), embedding)
    row = ACTIVATIONS[activation](head.linear(x), -1)
    assert torch.equal(raw[:, 3, 4], row[:, 4, 60:80])  # bin 3 of frame 4: numbers 3·D to 4·D of the row


def test_an_embedding_of_zeros_stays_finite():
    head = EmbeddingHead(4, 3, 5, "linear")
    nn.init.zeros_(head.linear.bias)
    x = torch.zeros(1, 2, 4, requires_grad=True)
    embedding = head(x)
    embedding.sum().backward()
    assert (embedding == 0).all() and x.grad.isfinite().all()


def test_forward_and_backward_by_hand_agree_with_autograd():
    x, weight, bias = (features(*shape, seed=i) for i, shape in enumerate([(5, 7), (3, 7), (3,)]))
    slope = features(5, 3, seed=9)
    inputs = [each.clone().requires_grad_() for each in (x, weight, bias)]
    answer = nn.functional.linear(*inputs)
    torch.testing.assert_close(linear_forward(x, weight, bias), answer)
    answer.backward(slope)
    for by_hand, each in zip(linear_backward(slope, x, weight), inputs, strict=True):
        torch.testing.assert_close(by_hand, each.grad)


def test_gradients_reach_features_and_weights():
    for head in (MaskHead(4, 2, 1, 3), MaskHead(4, 2, 1, 3, "softmax", "interleaved"), EmbeddingHead(4, 3, 5)):
        x = features(1, 1, 4).requires_grad_()
        (head(x) * features(*head(x).shape, seed=1)).sum().backward()
        assert x.grad.abs().sum() > 0 and head.linear.weight.grad.abs().sum() > 0


def test_items_and_frames_do_not_mix():
    for head in (MaskHead(4, 2, 2, 3), EmbeddingHead(4, 3, 5)):
        x = features(2, 6, 4)
        changed = x.clone()
        changed[1, 2] += 1
        moved = (head(changed) - head(x)).abs()  # T stands last in masks and before D in embeddings
        moved = moved.sum((1, 2, 3)) if isinstance(head, MaskHead) else moved.sum((1, 3))  # (B, T)
        assert moved.nonzero().tolist() == [[1, 2]]


def test_traces_name_the_axes():
    ledger = str(trace(MaskHead(1200, 2, 1, 129), torch.zeros(1, 400, 1200)))
    assert "(B=1, S=2, C=1, F=129, T=400)" in ledger
    ledger = str(trace(EmbeddingHead(1200, 129, 20), torch.zeros(1, 400, 1200)))
    assert "(B=1, F=129, T=400, D=20)" in ledger


@pytest.mark.parametrize("head", [MaskHead(6, 2, 1, 5), EmbeddingHead(6, 5, 3)], ids=["mask", "embedding"])
@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (torch.zeros(3, 6), r"\(B, T, H\).*features\[None\] adds B"),
        (torch.zeros(6), r"\(B, T, H\).*three"),
        (torch.zeros(2, 1, 5, 6), r"\(B, T, H\).*three"),
        (torch.zeros(2, 6, 4), r"H=4.*H=6.*swapped.*features.mT"),
        (torch.zeros(2, 4, 7), r"H=7.*H=6$"),
        (torch.zeros(2, 0, 6), r"T=0 frames"),
        (torch.zeros(2, 4, 6, dtype=torch.int16), r"int16.*features.float\(\)"),
        (torch.zeros(2, 4, 6, dtype=torch.bool), r"bool.*features.float\(\)"),
        (torch.zeros(2, 4, 6, dtype=torch.complex64), r"complex64.*bins.abs\(\)"),
    ],
)
def test_bad_features_are_refused_in_words(head, bad, words):
    with pytest.raises(ValueError, match=words):
        head(bad)


def test_one_item_and_one_frame_are_enough():
    assert MaskHead(6, 1, 1, 1)(features(1, 1, 6)).shape == (1, 1, 1, 1, 1)
    assert EmbeddingHead(6, 1, 1)(features(1, 1, 6)).shape == (1, 1, 1, 1)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: MaskHead(6, 2, 1, 5, "gelu"), "activation is 'gelu'; choose one of sigmoid"),
        (lambda: MaskHead(6, 2, 1, 5, layout="woven"), "layout is 'woven'; choose one of blocked, interleaved"),
        (lambda: MaskHead(6, 1, 1, 5, "softmax"), "softmax over S=1"),
        (lambda: MaskHead(6, 0, 1, 5), "S is 0"),
        (lambda: MaskHead(6, 2, 1.0, 5), "C is 1.0"),
        (lambda: EmbeddingHead(6, 5, -3), "D is -3"),
        (lambda: EmbeddingHead(6, 5, 3, "gelu"), "activation is 'gelu'"),
        (lambda: split_sources(torch.zeros(1, 2, 9), 2), r"multiple of 2.*\(1, 2, 9\)"),
        (lambda: split_sources(torch.zeros(2, 8), 2), r"\(B, T, S·C·F\).*\(2, 8\)"),
        (lambda: split_sources(torch.zeros(1, 2, 8), 2, layout="rows"), "layout is 'rows'"),
    ],
)
def test_bad_settings_are_refused_in_words(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_printing_shows_the_settings():
    assert "layout='blocked'" in repr(MaskHead(6, 2, 1, 5)) and "D=3" in repr(EmbeddingHead(6, 5, 3))
