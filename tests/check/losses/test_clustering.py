"""The exercises of the clustering lab: each usual mistake is recognised, each right answer passes, however written."""

import pytest
import torch
from torch.nn.functional import one_hot

from sepbook.check.losses import clustering as check
from sepbook.losses.clustering import kmeans
from tests.check.tables import test_nonsense_never_raises, test_stubs_stay_red  # noqa: F401

RIGHT = (129 * 20,), (8, 20, 20), (8, 20, 3)


def wrong(hear, exercise, answer, words):
    """Whether the first two hints say that it is wrong, and these words."""
    first, second = hear(exercise, *answer), hear(exercise, *answer)
    assert "✘" in first and "✘" in second
    assert words in first + second, second


def test_shapes_right(hear):
    assert "✔ Exercise 1" in hear(check.exercise_1, *RIGHT)
    assert "✔ Exercise 1" in hear(check.exercise_1, [2580], torch.Size([8, 20, 20]), torch.tensor([8, 20, 3]))


@pytest.mark.parametrize(
    ("place", "sizes", "words"),
    [
        (0, (100 * 129 * 20,), "all frames at once"),
        (0, (20,), "the embedding of one bin"),
        (0, (129,), "a mask"),
        (0, (129, 20), "2 sizes, but 1 axes"),
        (1, (8, 12900, 12900), "the table of all pairs"),
        (1, (8, 12900, 20), "That is V itself"),
        (2, (8, 3, 20), "the other way round"),
        (2, (8, 12900, 3), "That is Y itself"),
        (2, (8, 20), "2 sizes, but 3 axes"),
    ],
)
def test_shapes_wrong(hear, place, sizes, words):
    answer = list(RIGHT)
    answer[place] = sizes
    wrong(hear, check.exercise_1, answer, words)


def low_rank(power=1.0, middle=-2, total="square", cut=False):
    """Return an answer to exercise 2, with some of its mistakes."""

    def answer(embedding, membership, weight):
        v = embedding.detach() if cut else embedding
        w = weight.unsqueeze(-1) ** power
        parts = [(a.mT @ (w * b)).square().sum((1, 2)) for a, b in ((v, v), (v, membership), (membership, membership))]
        value = parts[0] + middle * parts[1] + parts[2]
        return value / {"square": weight.sum(1) ** 2, "once": weight.sum(1), "none": 1, "count": v.shape[1] ** 2}[total]

    return answer


def naive(embedding, membership, weight):
    error = (embedding @ embedding.mT - membership @ membership.mT).square()
    pairs = weight[:, :, None] * weight[:, None, :]
    return (pairs * error).sum((1, 2)) / pairs.sum((1, 2))


def by_einsum(v, y, w):
    tables = [torch.einsum("bn,bni,bnj->bij", w, a, b) for a, b in ((v, v), (v, y), (y, y))]
    return sum(k * x.square().sum((1, 2)) for k, x in zip((1, -2, 1), tables, strict=True)) / w.sum(1) ** 2


def item_by_item(v, y, w):
    return torch.cat([low_rank()(*(x[None] for x in item)) for item in zip(v, y, w, strict=True)])


def in_float64(v, y, w):
    return low_rank()(v.double(), y.double(), w.double())


@pytest.mark.parametrize("answer", [low_rank(), by_einsum, item_by_item, in_float64])
def test_loss_right_in_several_ways(hear, answer):
    assert "✔ Exercise 2" in hear(check.exercise_2, answer)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (naive, "a number for each pair of the 40 bins"),
        (low_rank(power=0, total="count"), "the weight does not enter"),
        (low_rank(power=0), "only in what is divided by"),
        (low_rank(power=2), "it counts w, not w²"),
        (low_rank(total="none"), "a sum over pairs"),
        (low_rank(total="once"), "pairs have two"),
        (low_rank(middle=-1), "belongs there twice"),
        (low_rank(middle=2), "has the wrong sign"),
        (low_rank(cut=True), "the gradient is cut off"),
        (lambda *x: low_rank()(*x).mean(), "has 0 axes"),
    ],
)
def test_loss_wrong(hear, answer, words):
    wrong(hear, check.exercise_2, (answer,), words)


def targets(columns="all", weigh="right"):
    """Return an answer to exercise 3, with some of its mistakes."""

    def answer(magnitudes):
        S, mixture = magnitudes.shape[1], magnitudes.sum(1)
        y = one_hot(magnitudes.argmax(1), S).movedim(-1, 1)
        y = {"one": y[:, :1], "all": y, "softest": one_hot(magnitudes.argmin(1), S).movedim(-1, 1)}.get(columns, y)
        y = magnitudes / mixture.clamp_min(1e-20).unsqueeze(1) if columns == "shares" else y
        loudest = mixture.amax((1, 2), keepdim=True)
        limit = {"batch": mixture.max() / 100, "power": loudest / 1e4, "frame": mixture.amax(1, True) / 100}.get(
            weigh, loudest / 100
        )
        w = mixture >= limit
        w = {"every": w | True, "zero": mixture > 0, "turned": ~w}.get(weigh, w)
        return y, w.float()

    return answer


def targets_by_loops(magnitudes):
    y, w = torch.zeros(magnitudes.shape, dtype=torch.int64), torch.zeros(magnitudes[:, 0].shape, dtype=torch.bool)
    for b, item in enumerate(magnitudes):
        mixture = item.sum(0)
        for s in range(len(item)):
            y[b, s] = (item[s] == item.max(0).values) & (y[b, :s].sum(0) == 0)
        w[b] = 20 * torch.log10(mixture / mixture.max() + 1e-12) >= -40
    return y, w


@pytest.mark.parametrize("answer", [targets(), targets_by_loops])
def test_targets_right_in_two_ways(hear, answer):
    assert "✔ Exercise 3" in hear(check.exercise_3, answer)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (targets("one"), "the membership has one column"),
        (targets("one", "every"), "Both rows hold a 0"),
        (targets("softest"), "the softest source"),
        (targets("shares"), "these are shares, not a decision"),
        (targets(weigh="every"), "every bin counts"),
        (targets(weigh="batch"), "the loudest bin of the whole batch"),
        (targets(weigh="power"), "a factor of 0.01"),
        (targets(weigh="frame"), "every pause has a loudest bin"),
        (targets(weigh="zero"), "only the bins that are exactly zero"),
        (targets(weigh="turned"), "the comparison is turned round"),
        (lambda x: targets()(x)[0], "should return two things"),
        (lambda x: (targets()(x)[0].movedim(1, -1), targets()(x)[1]), "should have (B=2, S=2"),
    ],
)
def test_targets_wrong(hear, answer, words):
    text = hear(check.exercise_3, answer) + hear(check.exercise_3, answer)
    assert "✘" in text and words.lower() in text.lower()


def masks(how="right"):
    """Return an answer to exercise 4, with some of its mistakes."""

    def answer(embedding, S, weight):
        F, T, D = embedding.shape
        v, w = (embedding.transpose(0, 1), weight.T) if how == "frames" else (embedding, weight)
        labels, _ = kmeans(v.reshape(F * T, D), S, w.flatten())
        if how == "labels":
            return labels.view(F, T)
        if how == "expanded":
            return labels.view(F, T).expand(S, F, T)
        table = one_hot(labels, S).float()
        found = table.view(S, F, T) if how == "reshaped" else table.T.reshape(S, F, T)
        return {"audible": found * weight, "other names": found.flip(0), "last": found.movedim(0, -1)}.get(how, found)

    return answer


def masks_by_comparison(embedding, S, weight):
    labels, _ = kmeans(embedding.flatten(0, 1), S, weight.flatten())
    return torch.stack([labels.view(weight.shape) == s for s in range(S)])


@pytest.mark.parametrize("answer", [masks(), masks("other names"), masks_by_comparison])
def test_masks_right_however_written(hear, answer):
    assert "✔ Exercise 4" in hear(check.exercise_4, answer)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("reshaped", "mixes bins with sources"),
        ("frames", "the axes F and T were exchanged"),
        ("audible", "the label of the nearest centre"),
        ("expanded", "these are the labels, not masks"),
        ("labels", "has 2 axes"),
        ("last", "should have (S=2, F=10, T=14)"),
    ],
)
def test_masks_wrong(hear, how, words):
    wrong(hear, check.exercise_4, (masks(how),), words)
