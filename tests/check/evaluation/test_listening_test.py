"""The exercises of the lab on listening tests: usual mistakes are recognised, right answers pass, however written."""

import math
import statistics

import numpy as np
import torch
from scipy import stats

from sepbook.evaluation import listening
from tests.check.tables import *  # noqa: F403


def p_value(right, trials):
    return sum(math.comb(trials, k) for k in range(right, trials + 1)) / 2**trials


def p_by_table(right, trials):
    """Pascal's triangle, row by row."""
    row = torch.ones(1, dtype=torch.float64)
    for _ in range(trials):
        row = (torch.nn.functional.pad(row, (1, 0)) + torch.nn.functional.pad(row, (0, 1))) / 2
    return row[right:].sum()


def low(row, least):
    return sum(r < least for r in row) / len(row)


def keep(ratings, least, share):
    return [who for who, row in ratings.items() if low(row, least) <= share]


def keep_by_numpy(ratings, least, share):
    table = np.array(list(ratings.values()))
    return np.array(list(ratings))[(table < least).mean(1) <= share]


def keep_by_loops(ratings, least, share):
    stay = []
    for who in ratings:
        slips = 0
        for rating in ratings[who]:
            if rating < least:
                slips += 1
        if not slips > share * len(ratings[who]):
            stay.append(who)
    return tuple(stay)


def around(mean, half):
    return mean - half, mean + half


def interval(ratings, t):
    means = torch.stack([row.mean() for row in ratings])
    return around(means.mean(), t * means.std() / len(means) ** 0.5)


def interval_by_statistics(ratings, t):
    means = [statistics.fmean(row.tolist()) for row in ratings]
    return around(statistics.fmean(means), t * statistics.stdev(means) / math.sqrt(len(means)))


def interval_of(ratings, t, means=None, std=None, count=None, middle=None):
    own = torch.stack([row.mean() for row in ratings])
    means = own if means is None else means
    middle = means.mean() if middle is None else middle
    return around(middle, t * (means.std() if std is None else std) / (len(own) ** 0.5 if count is None else count))


def of_means(ratings):
    return torch.stack([row.mean() for row in ratings])


def pearson(x, y):
    x, y = x - x.mean(), y - y.mean()
    return (x * y).sum() / (x.square().sum() * y.square().sum()).sqrt()


def agreement(x, y, limit):
    return pearson(x[x < limit], y[x < limit])


def kept(function):
    return lambda x, y, limit: function(x[x < limit], y[x < limit])


def covariance(x, y):
    return ((x - x.mean()) * (y - y.mean())).sum() / (len(x) - 1)


RIGHT = [
    (1, p_value),
    (1, p_by_table),
    (1, lambda right, trials: np.float64(stats.binom.sf(right - 1, trials, 0.5))),
    (1, lambda right, trials: 1 - sum(math.comb(trials, k) for k in range(right)) / 2**trials),
    (1, lambda right, trials: stats.binomtest(right, trials, alternative="greater").pvalue),
    (1, listening.guessing),
    (2, (9, 27.67, 4)),
    (2, [9, 27.7, 4.0]),
    (2, torch.tensor([9.0, 27.7, 4.0])),
    (2, np.array([9, 27.5, 4])),
    (3, keep),
    (3, keep_by_numpy),
    (3, keep_by_loops),
    (3, lambda ratings, least, share: set(keep(ratings, least, share))),
    (3, lambda r, least, share: [who for who in r if who not in listening.left_out(r, least, share)][::-1]),
    (4, interval),
    (4, interval_by_statistics),
    (4, lambda ratings, t: torch.stack(interval(ratings, t))),
    (4, lambda ratings, t: np.array([float(edge) for edge in interval(ratings, t)])),
    (4, lambda ratings, t: interval([row.flip(0) for row in ratings], t)),
    (5, agreement),
    (5, lambda x, y, limit: np.corrcoef(x[x < limit], y[x < limit])[0, 1]),
    (5, lambda x, y, limit: stats.pearsonr(x[x < limit], y[x < limit]).statistic),
    (5, kept(lambda x, y: covariance(x, y) / (x.std() * y.std()))),
    (5, kept(lambda x, y: listening.correlation(x.tolist(), y.tolist()))),
    (5, lambda x, y, limit: torch.corrcoef(torch.stack([x, y])[:, x != limit])[0, 1]),
]
WRONG = [
    (1, lambda r, n: math.comb(n, r) / 2**n, "A guesser who does better does as well"),
    (1, lambda r, n: p_value(r + 1, n), "begins one too late"),
    (1, lambda r, n: sum(math.comb(n, k) for k in range(r, n)) / 2**n, "ends before trials"),
    (1, lambda r, n: 1 - p_value(r, n), "does worse"),
    (1, lambda r, n: 1 - p_value(r + 1, n), "The upper end is asked for"),
    (1, lambda r, n: 2 * p_value(r, n), "Only doing well speaks for hearing"),
    (1, lambda r, n: r / n, "not how surprising it is"),
    (1, lambda r, n: 100 * p_value(r, n), "A share is asked for"),
    (1, lambda r, n: sum(math.comb(n, k) for k in range(r, n + 1)), "2 ** trials, is missing"),
    (1, lambda r, n: 0.5**r, "the order of right and wrong does not matter"),
    (1, lambda r, n: (n - r + 1) / 2**n, "math.comb is missing"),
    (1, lambda r, n: 0.5 * math.erfc((r - n / 2) / (n / 2) ** 0.5), "Count the outcomes"),
    (1, lambda r, n: p_value(r, 10), "right answers of"),
    (1, lambda r, n: str(p_value(r, n)), "should be a torch tensor"),
    (2, (8, 27.7, 4), "slightly too often"),
    (2, (10, 27.7, 4), "in 0.1 % of all tests"),
    (2, (7, 27.7, 4), "seven or more in 17 %"),
    (2, (5, 27.7, 4), "what guessing gives on average"),
    (2, (9, 1.07, 4), "There are thirty of them"),
    (2, (9, 0.277, 4), "Give it in percent"),
    (2, (9, 32.2, 4), "Thirty chances do not add up"),
    (2, (9, 72.3, 4), "that nobody is lucky"),
    (2, (9, 81.5, 4), "somebody gets eight"),
    (2, (9, 27.7, 2), "narrower by the square root of two"),
    (2, (9, 27.7, 16), "a quarter as wide"),
    (2, (9, 27.7, 8), "grow by the square of two"),
    (2, 9, "Three numbers are wanted"),
    (3, lambda r, least, share: [w for w in r if w not in keep(r, least, share)], "Return those who stay"),
    (3, lambda r, least, share: [w for w, row in r.items() if min(row) >= least], "one low rating was enough"),
    (3, lambda r, least, share: [w for w, row in r.items() if sum(row) / len(row) >= least], "the mean of the ratings"),
    (3, lambda r, least, share: [w for w, row in r.items() if np.median(row) >= least], "the median of the ratings"),
    (3, lambda r, least, share: [w for w, row in r.items() if low(row, least) < share], "a < that should be <="),
    (3, lambda r, least, share: keep(r, least + 1, share), "a <= that should be <"),
    (3, lambda r, least, share: list(r), "nobody was left out"),
    (3, lambda r, least, share: [w for w, row in r.items() if max(row) >= least], "never found the reference"),
    (3, lambda r, least, share: keep(r, least, 0.15), "argument share is ignored"),
    (3, lambda r, least, share: keep(r, 90, share), "argument least is ignored"),
    (3, lambda r, least, share: [w for w, row in r.items() if 1 - low(row, least) <= share], "the good ratings were"),
    (3, lambda r, least, share: [w for w, row in r.items() for x in row if x >= least], "stands in the list twice"),
    (3, lambda r, least, share: [low(row, least) <= share for row in r.values()], "of texts, but it holds"),
    (3, lambda r, least, share: len(keep(r, least, share)), "wanted, as a list, but the answer is"),
    (3, lambda r, least, share: sorted(r)[:2], "with the ratings"),
    (4, lambda r, t: interval_of(r, t, torch.cat(r), count=len(torch.cat(r)) ** 0.5), "thrown together"),
    (4, lambda r, t: interval_of(r, t, middle=torch.cat(r).mean()), "who did the test more often counts more"),
    (4, lambda r, t: interval_of(r, t, std=torch.cat(r).std()), "standard deviation is that of all ratings"),
    (4, lambda r, t: interval_of(r, t, count=len(torch.cat(r)) ** 0.5), "stands under the root"),
    (4, lambda r, t: interval_of(r, t, count=1), "the spread of listeners"),
    (4, lambda r, t: interval_of(r, t, count=len(r)), "not by its square root"),
    (4, lambda r, t: interval(r, 1), "t is missing"),
    (4, lambda r, t: interval(r, 1.96), "for very many listeners"),
    (4, lambda r, t: interval_of(r, t, std=of_means(r).var()), "The standard deviation is its root"),
    (4, lambda r, t: interval_of(r, t, std=of_means(r).std(correction=0)), "it is one less"),
    (4, lambda r, t: interval([row[:1] for row in r], t), "only the first rating"),
    (4, lambda r, t: interval(r, -t), "high stands before low"),
    (4, lambda r, t: interval([row.median()[None] for row in r], t), "The mean is asked for"),
    (4, lambda r, t: of_means(r).mean(), "Two numbers are wanted"),
    (4, lambda r, t: (of_means(r), t), "should be numbers"),
    (4, lambda r, t: interval(r, 2.776), "It is about 9 listeners"),
    (5, lambda x, y, limit: pearson(x, y), "at the limit are still among them"),
    (5, lambda x, y, limit: pearson(x[x <= limit], y[x <= limit]), "at the limit are still among them"),
    (5, kept(lambda x, y: torch.cosine_similarity(x, y, dim=0)), "The means were not".lower()),
    (5, kept(covariance), "this is the covariance. Divide"),
    (5, kept(lambda x, y: covariance(x, y) * (len(x) - 1) / len(x)), "divided by the number of all"),
    (5, kept(lambda x, y: covariance(x, y) / x.var()), "the slope of a line. A correlation"),
    (5, kept(lambda x, y: covariance(x, y) / y.var()), "the other way round"),
    (5, kept(lambda x, y: pearson(x, y) ** 2), "has lost its sign"),
    (5, kept(lambda x, y: -pearson(x, y)), "the sign"),
    (5, kept(lambda x, y: pearson(x, y) / (x.var() * y.var()).sqrt() / (len(x) - 1)), "the root under the fraction"),
    (5, kept(lambda x, y: stats.spearmanr(x, y).statistic), "these are ranks"),
    (5, kept(lambda x, y: ((x - x.mean()) * (y - y.mean())).mean() / (x.std() * y.std())), "use sums"),
    (5, kept(lambda x, y: ((x - x.mean()) * (y - y.mean())).sum() / (x.std() * y.std())), "grows with the number"),
    (5, lambda x, y, limit: pearson(x * (x < limit), y), "count as 0 in one of the rows"),
    (5, lambda x, y, limit: pearson(x * (x < limit), y * (x < limit)), "instead of being left out"),
    (5, lambda x, y, limit: agreement(x, y, 100.0), "at the limit are still among them"),
]
