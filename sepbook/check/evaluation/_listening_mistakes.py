"""What usual mistakes make of the inputs of the lab on listening tests, by what is to be said of each.

Taught on: book/evaluation/listening_test
"""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from sepbook.evaluation import listening


def wrong_p_values(right: int, trials: int) -> dict[str, float]:
    p = listening.guessing(right, trials)
    exactly = math.comb(trials, right) / 2**trials
    z = (right - trials / 2) / (trials**0.5 / 2)
    return {
        "this is how often exactly so many are right. A guesser who does better does as well, too": exactly,
        "so many themselves are missing: range(right + 1, …) begins one too late": p - exactly,
        "range(right, trials) ends before trials: the case in which all are right is missing": p - 0.5**trials,
        "this is how often a guesser does worse: p and 1 - p": 1 - p,
        "this is the lower end, so many or fewer. The upper end is asked for": 1 - p + exactly,
        "both ends were counted. Only doing well speaks for hearing": 2 * p,
        "this is the share of right answers, not how surprising it is": right / trials,
        "it is in percent. A share is asked for": 100 * p,
        "the division by the number of all outcomes, 2 ** trials, is missing": p * 2**trials,
        "so many answers in a row: the order of right and wrong does not matter": 0.5**right,
        "math.comb is missing: how many outcomes have k right answers?": (trials - right + 1) / 2**trials,
        "this is the normal distribution's approximation. Count the outcomes": 0.5 * math.erfc(z / 2**0.5),
    }


def wrong_panels(ratings: Mapping[str, Sequence[int]], least: int, share: float) -> dict[str, set]:
    def stays(rule) -> set:
        return {who for who, row in ratings.items() if rule(row)}

    def low(row, limit=least) -> float:
        return sum(r < limit for r in row) / len(row)

    return {
        "these are the listeners to be left out. Return those who stay": set(listening.left_out(ratings, least, share)),
        "one low rating was enough to be left out, or the number of low ones was not divided by that of all": stays(
            lambda r: min(r) >= least
        ),
        "the mean of the ratings was compared. Count the low ones": stays(lambda r: sum(r) / len(r) >= least),
        "the median of the ratings was compared. Count the low ones": stays(lambda r: sorted(r)[len(r) // 2] >= least),
        "exactly the share is not more than the share: a < that should be <=": stays(lambda r: low(r) < share),
        "exactly `least` is not below it: a <= that should be <": stays(
            lambda r: sum(x <= least for x in r) / len(r) <= share
        ),
        "nobody was left out": set(ratings),
        "only those who never found the reference were left out": stays(lambda r: low(r) < 1),
        "the argument share is ignored: 0.15 stands in the function": stays(lambda r: low(r) <= 0.15),
        "the argument least is ignored: 90 stands in the function": stays(lambda r: low(r, 90) <= share),
        "the good ratings were counted where the low ones should be": stays(lambda r: 1 - low(r) <= share),
    }


def pearson(x: Tensor, y: Tensor) -> Tensor:
    x, y = x - x.mean(), y - y.mean()
    return (x * y).sum() / (x.square().sum() * y.square().sum()).sqrt()


def _ranks(x: Tensor) -> Tensor:
    return x.argsort().argsort().double()


def wrong_intervals(ratings: list[Tensor], t: float) -> dict[str, Tensor]:
    """What usual mistakes make of ratings, one tensor per listener, as low and high."""
    means, pooled, root = torch.stack([row.mean() for row in ratings]), torch.cat(ratings), len(ratings) ** 0.5

    def around(half, middle=None) -> Tensor:
        middle = means.mean() if middle is None else middle
        return torch.stack([middle - half, middle + half])

    half = t * means.std() / root
    firsts = torch.stack([row[0] for row in ratings])
    return {
        "all ratings were thrown together: who rated more counts more, and n is far too large": around(
            t * pooled.std() / len(pooled) ** 0.5, pooled.mean()
        ),
        "the middle is the mean of all ratings: who did the test more often counts more": around(half, pooled.mean()),
        "the standard deviation is that of all ratings": around(t * pooled.std() / root),
        "the number of ratings stands under the root. It is the number of listeners": around(
            t * means.std() / len(pooled) ** 0.5
        ),
        "the spread of listeners, not of their mean: divide by the root of their number": around(t * means.std()),
        "divided by the number of listeners, not by its square root": around(t * means.std() / len(means)),
        "t is missing": around(means.std() / root),
        "1.96 is t for very many listeners": around(1.96 * means.std() / root),
        "the variance was used. The standard deviation is its root": around(t * means.var() / root),
        "the deviations were averaged over all listeners: with a mean that was estimated, it is one less": around(
            t * means.std(correction=0) / root
        ),
        "only the first rating of each listener was used": around(t * firsts.std() / root, firsts.mean()),
        "high stands before low": around(-half),
        "the median of each listener was taken. The mean is asked for": _of_medians(ratings, t),
    }


def wrong_agreements(si_sdr: Tensor, score: Tensor, kept: Tensor) -> dict[str, Tensor]:
    x, y, right = si_sdr[kept], score[kept], pearson(si_sdr[kept], score[kept])
    dx, dy = x - x.mean(), y - y.mean()
    return {
        "the sounds at the limit are still among them": pearson(si_sdr, score),
        "only the sounds at the limit were kept": pearson(si_sdr[~kept], score[~kept]).nan_to_num(2.0),
        "the means were not subtracted: this is a cosine, and any two positive rows have a large one": (x * y).sum()
        / (x.norm() * y.norm()),
        "this is the covariance. Divide by both standard deviations": (dx * dy).sum() / (len(x) - 1),
        "this is the covariance, divided by the number of all. Divide by both standard deviations": (dx * dy).mean(),
        "this is the slope of a line. A correlation has no unit": (dx * dy).sum() / dx.square().sum(),
        "this is the slope of a line the other way round. A correlation has no unit": (dx * dy).sum()
        / dy.square().sum(),
        "this is the square of the correlation, and has lost its sign": right.square(),
        "the sign: more decibels should go with better ratings": -right,
        "the root under the fraction is missing": (dx * dy).sum() / (dx.square().sum() * dy.square().sum()),
        "these are ranks (Spearman). Take the numbers themselves": pearson(_ranks(x), _ranks(y)),
        "std divides by one less than the number, mean by the number: use sums, or the same in both": (dx * dy).mean()
        / (x.std() * y.std()),
        "the sum was not divided by the number: a sum over std times std grows with the number of sounds": (
            dx * dy
        ).sum()
        / (x.std() * y.std()),
        "the sounds at the limit count as 0 in one of the rows": pearson(si_sdr * kept, score),
        "they count as 0 in both rows instead of being left out": pearson(si_sdr * kept, score * kept),
    }


def _of_medians(ratings: list[Tensor], t: float) -> Tensor:
    medians = torch.stack([row.median() for row in ratings])
    half = t * medians.std() / len(medians) ** 0.5
    return torch.stack([medians.mean() - half, medians.mean() + half])
