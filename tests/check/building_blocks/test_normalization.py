"""The checks on normalisation: right answers pass however written, usual mistakes get their own hint."""

import numpy as np
import torch
from torch.nn import functional

from sepbook.check.building_blocks import normalization as check
from tests.check.tables import *  # noqa: F403

EXERCISES = [getattr(check, f"exercise_{number}") for number in range(1, 7)]
SHAPES = ((1, 64, 1), (8, 1, 1), (8, 1, 100))
LEAKS = {name: right for name, (right, _) in check.LEAKS.items()}


def layer_norm(axes=(1, 2), correction=0, root=True, weigh=True, shift=True, eps=1e-5):
    def norm(x, weight, bias):
        variance = x.var(axes, correction=correction, keepdim=True) + eps
        y = (x - x.mean(axes, keepdim=True)) / (variance.sqrt() if root else variance)
        return y * (weight[:, None] if weigh else 1) + (bias[:, None] if shift else 0)

    return norm


def cumulative(x):
    count = x.shape[1] * torch.arange(1, x.shape[2] + 1)
    mean = x.sum(1).cumsum(-1) / count
    variance = x.square().sum(1).cumsum(-1) / count - mean.square()
    return (x - mean[:, None]) / (variance[:, None] + 1e-5).sqrt()


def by_a_loop(x):
    frames = []
    for t in range(x.shape[-1]):
        past = x[..., : t + 1]
        variance, mean = torch.var_mean(past, (1, 2), correction=0, keepdim=True)
        frames.append(((past - mean) / (variance + 1e-5).sqrt())[..., -1])
    return torch.stack(frames, -1)


def batch_norm(keep=0.9, look=True, still=True):
    def norm(x, mean, variance, training):
        y_mean, y_var = (x.mean((0, 2)), x.var((0, 2), correction=0)) if training or not look else (mean, variance)
        y = (x - y_mean[:, None]) / (y_var[:, None] + 1e-5).sqrt()
        if training or not still:
            mean = keep * mean + (1 - keep) * x.mean((0, 2))
            variance = keep * variance + (1 - keep) * x.var((0, 2))
        return y, mean, variance

    return norm


def renewed_first(x, mean, variance, training):
    _, mean, variance = batch_norm()(x, mean, variance, training)
    return batch_norm()(x, mean, variance, False)


def by_torch(x, mean, variance, training):
    mean, variance = mean.clone(), variance.clone()
    return functional.batch_norm(x, mean, variance, training=training), mean, variance


def pca(train, test):
    values, axes = torch.linalg.eigh(torch.cov(train.T, correction=0))
    return (test - train.mean(0)) @ axes / values.sqrt()


def by_cholesky(train, test):
    root = torch.linalg.cholesky(torch.cov(train.T))  # another turn, and divided by n - 1
    return torch.linalg.solve_triangular(root, (test - train.mean(0)).T, upper=False).T


def running(correction=0, divide=True, spread=None, features=(1, 2)):
    """Return an answer to exercise 3 that goes frame by frame, with a mistake."""

    def norm(x):
        frames = []
        for t in range(x.shape[-1]):
            past = x[..., : t + 1]
            variance = spread(past) if spread else past.var(features, correction=correction, keepdim=True)
            y = past - past.mean(features, keepdim=True)
            frames.append((y / (variance + 1e-5).sqrt() if divide else y)[..., -1])
        return torch.stack(frames, -1)

    return norm


def without_itself(x):
    first = torch.zeros_like(x[..., :1])
    means, spreads = zip(
        *((x[..., :t].mean((1, 2)), x[..., :t].var((1, 2), correction=0)) for t in range(1, x.shape[-1])), strict=True
    )
    rest = (x[..., 1:] - torch.stack(means, -1)[:, None]) / (torch.stack(spreads, -1)[:, None] + 1e-5).sqrt()
    return torch.cat([first, rest], -1)


def song_by_song(x, weight, bias):
    songs = [(song - song.mean()) / (song.var(correction=0) + 1e-5).sqrt() for song in x]
    return torch.einsum("bht,h->bht", torch.stack(songs), weight) + bias.view(1, -1, 1)


def by_numpy(x, mean, variance, training):
    x, mean, variance = x.numpy(), mean.numpy(), variance.numpy()
    now = (np.mean(x, axis=(0, 2)), np.var(x, axis=(0, 2))) if training else (mean, variance)
    y = (x - now[0][:, None]) / np.sqrt(now[1][:, None] + 1e-5)
    if training:
        mean, variance = 0.9 * mean + 0.1 * now[0], 0.9 * variance + 0.1 * np.var(x, axis=(0, 2), ddof=1)
    return y, mean, variance


def of_the_batch(used=0, kept=1, share=0.1):
    """Return an answer to exercise 4 with other corrections of the two variances."""

    def norm(x, mean, variance, training):
        if not training:
            return batch_norm()(x, mean, variance, False)
        y = (x - x.mean((0, 2))[:, None]) / (x.var((0, 2), correction=used)[:, None] + 1e-5).sqrt()
        new = x.mean((0, 2)), x.var((0, 2), correction=kept)
        return y, *((1 - share) * old + share * now for old, now in zip((mean, variance), new, strict=True))

    return norm


def zca_by_numpy(train, test):
    train, test = train.double().numpy(), test.double().numpy()
    values, axes = np.linalg.eigh(np.cov(train.T))
    return (test - train.mean(0)) @ axes @ np.diag(values**-0.5) @ axes.T


def turned(power=-0.5, transposed=False, mean=lambda train, test: train.mean(0)):
    def whitening(train, test):
        values, axes = torch.linalg.eigh(torch.cov(train.T, correction=0))
        return (test - mean(train, test)) @ (axes.T if transposed else axes) * values**power

    return whitening


def eps_beside_the_root(x, weight, bias):
    deviation = x.std((1, 2), correction=0, keepdim=True) + 1e-5
    return (x - x.mean((1, 2), keepdim=True)) / deviation * weight[:, None] + bias[:, None]


def with_the_mean_left_in(x, weight, bias):
    deviation = (x.var((1, 2), correction=0, keepdim=True) + 1e-5).sqrt()
    return x / deviation * weight[:, None] + bias[:, None]


RIGHT = [
    (1, SHAPES),
    (1, tuple(map(torch.Size, SHAPES))),
    (1, tuple(map(np.array, SHAPES))),
    (1, tuple([float(size) for size in shape] for shape in SHAPES)),
    (2, layer_norm()),
    (2, song_by_song),
    (2, lambda x, weight, bias: functional.group_norm(x, 1, weight, bias)),
    (2, lambda x, weight, bias: functional.layer_norm(x, x.shape[1:]) * weight[:, None] + bias[:, None]),
    (2, lambda *given: layer_norm()(*(part.double() for part in given))),
    (3, cumulative),
    (3, by_a_loop),
    (3, lambda x: cumulative(x.double())),
    (3, lambda x: torch.stack([functional.group_norm(x[..., : t + 1], 1)[..., -1] for t in range(x.shape[-1])], -1)),
    (4, batch_norm()),
    (4, by_torch),
    (4, by_numpy),
    (4, lambda x, mean, variance, training: batch_norm()(x.double(), mean.double(), variance.double(), training)),
    (5, pca),
    (5, by_cholesky),
    (5, zca_by_numpy),
    (5, lambda train, test: pca(train.double(), test.double())),
    (6, LEAKS),
    (6, dict(reversed(LEAKS.items()))),
    (6, {name: np.bool_(right) for name, right in LEAKS.items()}),
    (6, {name: int(right) for name, right in LEAKS.items()}),
]


WRONG = [
    (1, ((8, 1, 1), (8, 1, 1), (8, 1, 100)), "the mean of global layer norm; you were asked for batch norm"),
    (1, ((8, 1, 100), (8, 1, 1), (8, 1, 100)), "the mean of cumulative layer norm; you were asked for batch norm"),
    (1, (SHAPES[0], (8, 64, 1), SHAPES[2]), "This is instance norm"),
    (1, (SHAPES[0], (1, 1, 1), SHAPES[2]), "This is one mean for everything"),
    (1, ((1, 64, 100), *SHAPES[1:]), "a mean over the songs alone"),
    (1, (*SHAPES[:2], (1, 1, 100)), "over all songs and features"),
    (1, (*SHAPES[:2], (8, 64, 100)), "This is no mean"),
    (1, (*SHAPES[:2], (8, 1, 1)), "you were asked for cumulative layer norm"),
    (1, (SHAPES[0], SHAPES[1], (8, 100)), "There are 2 sizes, but 3 axes"),
    (2, layer_norm((0, 1, 2)), "over the batch as well"),
    (2, layer_norm((0, 2)), "this is batch norm"),
    (2, layer_norm((2,)), "this is instance norm"),
    (2, layer_norm((1,)), "layer norm of a frame"),
    (2, layer_norm(correction=1), "the variance is divided by n - 1 (what var and std do"),
    (2, layer_norm(root=False), "square root"),
    (2, layer_norm(shift=False), "the bias is missing"),
    (2, layer_norm(weigh=False, shift=False), "weight and bias are missing"),
    (2, layer_norm(eps=0), "A song of zeros comes out as NaN"),
    (2, layer_norm(eps=1e-9), "1e-09 is added to the variance"),
    (2, eps_beside_the_root, "1e-5 is added to the root"),
    (2, with_the_mean_left_in, "the mean is not subtracted"),
    (2, lambda *given: layer_norm()(*given).detach(), "the gradient is cut off"),
    (3, lambda x: by_a_loop(x) if x.any() else x / x, "A song of zeros comes out as NaN"),
    (3, lambda x: functional.group_norm(x, 1), "every frame knows the whole song"),
    (3, lambda x: functional.layer_norm(x.mT, x.shape[1:2]).mT, "each frame knows itself alone"),
    (3, lambda x: cumulative(x.flip(-1)).flip(-1), "time runs backwards"),
    (3, running(features=(2,)), "each feature has a mean of its own"),
    (3, without_itself, "a frame does not count among those up to it"),
    (3, running(divide=False), "nothing is divided by the deviation"),
    (3, running(correction=1), "divided by n - 1"),
    (3, running(spread=lambda past: past.var(1, correction=0).mean(1)[:, None, None]), "of single frames are averaged"),
    (3, lambda x: cumulative(x.detach()), "the gradient is cut off"),
    (4, batch_norm(keep=0.1), "the shares are exchanged"),
    (4, batch_norm(look=False), "the batch is measured in evaluation mode too"),
    (4, batch_norm(still=False), "the averages stay"),
    (4, batch_norm(keep=1.0), "nothing is kept of the new batch"),
    (4, batch_norm(keep=0.0), "nothing is left of the old averages"),
    (4, of_the_batch(used=1), "divided by n - 1 where it normalises"),
    (4, of_the_batch(kept=0), "the kept variance is divided by n"),
    (4, renewed_first, "the averages are renewed first"),
    (4, lambda x, mean, variance, training: batch_norm()(x, mean, variance, False), "are used in training mode"),
    (4, lambda x, *rest: x, "should return three tensors"),
    (5, lambda train, test: (test - train.mean(0)) / train.std(0, correction=0), "this is standardising"),
    (5, lambda train, test: pca(test, test), "the test rows were measured"),
    (5, turned(power=0.5), "multiplied with the deviations"),
    (5, turned(power=-1), "it is divided by the variances"),
    (5, turned(power=0), "nothing is divided by the deviations"),
    (5, turned(transposed=True), "not with axes.T"),
    (5, turned(mean=lambda train, test: test.mean(0)), "the mean is that of the test rows"),
    (5, turned(mean=lambda train, test: 0), "Is the mean subtracted?"),
    (5, lambda train, test: pca(train, test) + 1, "have a mean that is not 0"),
    (5, lambda train, test: pca(train, test)[:, :2], "One whitened row for each test row"),
    *((6, LEAKS | {name: not right}, f"Think again about {name}") for name, right in LEAKS.items()),
    (6, {"instance": True}, "There is no True or False for"),
    (6, {name: str(right) for name, right in LEAKS.items()}, "There is no True or False for"),
]


def test_the_dots_of_the_stub_are_no_choice(hear):
    assert "not yet" in hear(EXERCISES[5], dict.fromkeys(LEAKS, ...))


def test_the_stub_of_the_lab_has_both_bugs(hear):
    def as_in_the_lab(x, mean, variance, training):
        y, now_mean, now_variance = batch_norm(0.1, look=False)(x, mean, variance, training)
        return y, now_mean, now_variance

    assert "the shares are exchanged" in hear(EXERCISES[3], as_in_the_lab, times=2)
    mended = batch_norm(look=False)
    assert "measured in evaluation mode" in hear(EXERCISES[3], mended, times=2)
