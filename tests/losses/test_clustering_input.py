"""Wrong input of the clustering losses is refused in words."""

import pytest
import torch

from sepbook.losses import clustering
from sepbook.losses._finite import NotFiniteError
from tests.losses.scenes import PAIRS, loss, scene


def call(**changes):
    v, y, w = scene()
    given = {"embedding": v, "membership": y, "weight": w, **changes}
    return clustering.deep_clustering(**given)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"embedding": torch.zeros(2, 6, 5)}, r"embedding must be \(B, F, T, D\)"),
        ({"embedding": torch.zeros(2, 6, 7, 5, dtype=torch.int64)}, "floating point"),
        (
            {"embedding": torch.zeros(2, 7, 6, 5)},
            r"along F \(frequency bin\) the embedding has 7, the membership has 6",
        ),
        ({"embedding": torch.zeros(3, 6, 7, 5)}, r"along B \(item of the batch\)"),
        ({"embedding": torch.zeros(2, 6, 7, 0)}, "empty"),
        ({"weight": torch.zeros(2, 6, 8)}, r"along T \(frame\).*the weight has 8"),
        ({"weight": -torch.ones(2, 6, 7)}, "negative in 84 bins"),
        ({"membership": torch.rand(2, 3, 6, 7)}, "neither 0 nor 1"),
        ({"membership": torch.zeros(2, 3, 6, 7)}, "one-hot.*none or to several of the 3 sources"),
        ({"membership": torch.ones(2, 3, 6, 7)}, "one-hot"),
        ({"membership": scene()[1][:, :1]}, "give every source a column"),
        ({"reduction": "sum"}, "mean, none"),
    ],
)
def test_wrong_input_is_refused_with_the_axis(changes, words):
    with pytest.raises(ValueError, match=words):
        call(**changes)


def test_not_a_number_is_refused_with_its_place():
    v, y, w = scene()
    v[1, 2, 3, 4] = float("nan")
    for name in PAIRS:
        with pytest.raises(NotFiniteError, match=r"embedding holds 1 values .*B=1, F=2, T=3, D=4"):
            loss(name)(v, y, w)
    with pytest.raises(NotFiniteError, match="B=1, F=2, T=3, D=4"):
        clustering.kmeans_masks(v, 2, w)
    v[1, 2, 3, 4], w[0, 5, 1] = 1.0, float("inf")
    with pytest.raises(NotFiniteError, match=r"weight holds 1 values .*B=0, F=5, T=1"):
        clustering.deep_clustering(v, y, w)
    with pytest.raises(NotFiniteError, match="B=0, S=1, C=0, F=2, T=0"):
        broken = torch.zeros(1, 2, 1, 3, 3)
        broken[0, 1, 0, 2, 0] = float("nan")
        clustering.membership(broken)


def test_a_membership_without_source_is_welcome_where_there_is_no_weight():
    v, y, w = scene()
    quiet = y * (w > 0).unsqueeze(1)
    torch.testing.assert_close(clustering.deep_clustering(v, quiet, w), clustering.deep_clustering(v, y, w))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: clustering.kmeans(torch.rand(3, 2), 4), "4 clusters cannot be made of 3 points"),
        (lambda: clustering.kmeans(torch.rand(9, 2), 2, torch.zeros(9)), "Is the mixture silent"),
        (lambda: clustering.kmeans(torch.rand(9, 2), 0), "0 clusters"),
        (lambda: clustering.kmeans(torch.rand(9), 2), r"points must be \(N, D\)"),
        (lambda: clustering.kmeans(torch.rand(9, 2), 2, torch.rand(8)), r"\(9, 2\) and \(8,\)"),
        (lambda: clustering.kmeans(torch.rand(9, 2), 2, -torch.rand(9)), "negative"),
        (lambda: clustering.kmeans_masks(torch.rand(1, 2, 3, 4), 2, torch.ones(1, 3, 2)), "same B, F and T"),
        (lambda: clustering.kmeans_masks(torch.rand(1, 2, 3, 4), 7, torch.ones(1, 2, 3)), "7 clusters"),
        (
            lambda: clustering.kmeans_masks(torch.rand(1, 2, 3, 4), 2, torch.ones(1, 2, 3), silent="no"),
            "refuse or share",
        ),
        (lambda: clustering.membership(torch.rand(2, 3, 4)), r"\(B, S, C, F, T\)"),
        (lambda: clustering.audible(torch.rand(3, 4)), r"\(B, C, F, T\)"),
        (lambda: clustering.attractor_masks(torch.rand(1, 2, 3, 4), torch.rand(1, 2, 4), "relu"), "softmax or sigmoid"),
        (
            lambda: clustering.deep_attractor(*scene(), torch.rand(2, 6, 7), torch.rand(2, 3, 1, 6, 7)),
            "must fit B=2, S=3",
        ),
    ],
)
def test_other_wrong_input_is_refused_in_words(call, words):
    with pytest.raises(ValueError, match=words):
        call()
