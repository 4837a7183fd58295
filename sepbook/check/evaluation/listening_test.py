"""What a class's answers say: guessing, whom to leave out, an interval over listeners, agreement with SI-SDR.

Taught on: book/evaluation/listening_test
"""

from collections.abc import Iterable, Mapping, Sequence
from numbers import Real

import numpy as np
import torch
from scipy.special import stdtrit
from torch import Tensor

from sepbook.check import (
    CheckFailure,
    NotYet,
    call,
    exercise,
    expect_number,
    expect_pair,
    expect_tensor,
    expect_values,
)
from sepbook.check._exercise import is_empty
from sepbook.check._inputs import dice, noise
from sepbook.check.evaluation._listening_mistakes import (
    pearson,
    wrong_agreements,
    wrong_intervals,
    wrong_p_values,
    wrong_panels,
)
from sepbook.evaluation import listening


def _one(answer) -> Tensor:
    """A number in whatever dress, as a tensor of one value."""
    if isinstance(answer, Real) and not isinstance(answer, bool):
        answer = torch.tensor(float(answer), dtype=torch.float64)
    given = expect_tensor(answer)
    return given.reshape(1) if given.numel() == 1 else given


def _row(known: Mapping[str, float]) -> dict[str, Tensor]:
    return {name: torch.tensor([float(value)], dtype=torch.float64) for name, value in known.items()}


def _pick(low: int, high: int, seed: int) -> int:
    """A whole number from low to high, the same one for the same seed."""
    return int(torch.randint(low, high + 1, (), generator=dice(seed)))


# ---------------------------------------------------------------------------------------------- 1: guessing


@exercise(
    "Exercise 1: how often guessing does as well",
    hints=(
        "Count outcomes: how many of all 2 ** trials have so many right answers, or one more, or two more …?",
        "math.comb(trials, k) outcomes have exactly k right answers.",
        "sum(math.comb(trials, k) for k in range(right, trials + 1)) / 2 ** trials.",
    ),
)
def exercise_1(p_value):
    """Check a function (right, trials) -> the share of guessers who get so many or more right."""
    cases = [(8, 10), (7, 7), (0, 5)]
    cases += [(trials := _pick(12, 30, seed), _pick(trials // 2, trials - 1, seed + 50))[::-1] for seed in (1, 2, 3)]
    for right, trials in cases:
        answer = call(p_value, right, trials)
        known = _row(wrong_p_values(right, trials))
        where = f"It is about {right} right answers of {trials}."
        expect_values(_one(answer), torch.tensor([listening.guessing(right, trials)]), "B", known, where, "", 1e-4)
    return "Small enough is what you called so before you looked."


# ------------------------------------------------------------------------------------------- 2: three numbers


@exercise(
    "Exercise 2: three numbers",
    hints=(
        "Use p_value for the first two. For the third: the interval is as wide as 1 / sqrt(number of listeners).",
        "p_value(8, 10) is 0.055, which is too much. And (1 - p) ** 30 is the chance that none of thirty gets so far.",
        "The smallest k with p_value(k, 10) <= 0.05; 100 * (1 - (1 - p_value(9, 10)) ** 30); and 2 ** 2.",
    ),
)
def exercise_2(prediction):
    """Check three predicted numbers: right ones of ten, luck among thirty in percent, more listeners."""
    if is_empty(prediction):
        raise NotYet("Write your three numbers in place of the dots.")
    rows = Sequence | Tensor | np.ndarray
    if not isinstance(prediction, rows) or isinstance(prediction, str) or len(prediction) != 3:
        raise CheckFailure(f"Three numbers are wanted, but the answer is {prediction!r:.80}.", kind="type")
    p = listening.guessing(9, 10)
    expect_number(prediction[0], 9, _ENOUGH, "The first number.")
    lucky = 100 * (1 - (1 - p) ** 30)
    luck = {
        100 * p: "That is the chance of one given guesser. There are thirty of them.",
        lucky / 100: "Give it in percent.",
        3000 * p: "Thirty chances do not add up: two of them may be lucky at once.",
        100 - lucky: "That is the chance that nobody is lucky.",
        100 * (1 - (1 - listening.guessing(8, 10)) ** 30): "That is the chance that somebody gets eight.",
    }
    expect_number(prediction[1], lucky, luck, "The second number.", "", 0.03)
    expect_number(prediction[2], 4, _MORE, "The third number.")
    return "Fix the number of trials, do not pick the best of a class, and do not expect much of a few more listeners."


_ENOUGH = {
    8: "A guesser gets eight or more in 5.5 % of all tests: slightly too often.",
    10: "All ten are more than enough: guessing does that in 0.1 % of all tests.",
    7: "A guesser gets seven or more in 17 % of all tests.",
    5: "Five of ten is what guessing gives on average.",
    6: "A guesser gets six or more in 38 % of all tests.",
}
_MORE = {
    2: "Twice as many make the interval narrower by the square root of two.",
    1.4: "The root stands on the other side: the width falls with the root of the number.",
    8: "Too many: the number must grow by the square of two.",
    16: "Two squared twice: that would make it a quarter as wide.",
    0.5: "Fewer listeners make it wider.",
    0.25: "Fewer listeners make it wider.",
}


# -------------------------------------------------------------------------------------- 3: the hidden reference


@exercise(
    "Exercise 3: whom to leave out",
    hints=(
        "For each listener: what share of the trials has the hidden reference below `least`? More than `share`: out.",
        "sum(rating < least for rating in row) / len(row) is the share of low ratings in one listener's row.",
        "[who for who, row in ratings.items() if sum(r < least for r in row) / len(row) <= share].",
    ),
)
def exercise_3(keep):
    """Check a function (ratings of the hidden reference by listener, least, share) -> the listeners who stay."""
    for seed, (least, share) in enumerate(((90, 0.15), (80, 0.15), (90, 0.3))):
        ratings = _panel(seed, least)
        given = _names(call(keep, dict(ratings), least, share))
        right = set(ratings) - set(listening.left_out(ratings, least, share))
        if given == right:
            continue
        for mistake, names in wrong_panels(ratings, least, share).items():
            if given == names:
                what = f"{len(given)} listeners stay, but should be others: {len(right)} of {len(ratings)}."
                said = f"This is exactly what comes out of a common mistake: {mistake}."
                raise CheckFailure(what, said, kind=mistake, known=True)
        who = min(given ^ right)
        stays = f"'{who}' should {'stay' if who in right else 'be left out'}"
        raise CheckFailure(f"{stays}, with the ratings {ratings[who]}, least {least} and share {share}.", kind="panel")
    return "The rule was fixed before, and it does not look at what the listeners say of the systems."


def _panel(seed: int, least: int) -> dict[str, list[int]]:
    """Listeners with twenty ratings each: how many are below `least`, and how far; one has rated exactly `least`."""
    lows = {"ada": 0, "ben": 1, "cleo": 3, "dov": 4, "edna": 6, "fay": 7, "gil": 20, "hana": 2, "ivo": 5, "jan": 12}
    panel = {}
    for number, (who, low) in enumerate(lows.items()):
        dice_of = dice(100 * seed + number)
        fine = torch.randint(least + 1, 101, (20 - low,), generator=dice_of).tolist()
        bad = torch.randint(least - 9, least, (low,), generator=dice_of).tolist()
        panel[who] = fine + bad
    panel["ben"][:6] = [least] * 6  # exactly at the limit is not below it
    panel["hana"][-2:] = [0, 0]  # two slips that spoil the mean
    order = torch.randperm(len(panel), generator=dice(seed)).tolist()
    names = [list(panel)[k] for k in order]
    codes = {who: f"{who}-{int(torch.randint(1000, (), generator=dice(seed + k)))}" for k, who in enumerate(panel)}
    return {codes[who]: panel[who] for who in names}


def _names(answer) -> set[str]:
    if is_empty(answer) and not isinstance(answer, list | tuple):
        raise NotYet("There is no answer in it.")
    what = "The codes of the listeners who stay are wanted, as a list"
    if isinstance(answer, str) or not isinstance(answer, Iterable):
        raise CheckFailure(f"{what}, but the answer is {answer!r:.80}.", "Look at the last line.", kind="type")
    found = list(answer)
    if not all(isinstance(name, str) for name in found):
        raise CheckFailure(f"{what} of texts, but it holds {found[0]!r:.60}.", "Look at the last line.", kind="type")
    if len(set(found)) < len(found):
        raise CheckFailure("Somebody stands in the list twice.", "Go through listeners, not ratings.", kind="twice")
    return set(found)


# ------------------------------------------------------------------------------------ 4: interval over listeners


@exercise(
    "Exercise 4: an interval over listeners",
    hints=(
        "First one number of each listener: the mean of what they gave. Then mean and standard deviation of these.",
        "means = torch.stack([row.mean() for row in ratings]). Everything else is computed from means alone.",
        "half = t * means.std() / len(means) ** 0.5; return means.mean() - half, means.mean() + half.",
    ),
)
def exercise_4(listener_interval):
    """Check a function (ratings, a list of one tensor per listener, t) -> (low, high) of the mean over listeners."""
    for seed, count in enumerate((5, 9)):
        sizes = [_pick(2, 6, 200 + 10 * seed + k) for k in range(count)]
        sizes[0] = 12  # somebody has done the test several times
        strict = 10 * noise(count, seed=210 + seed, dtype=torch.float64)
        ratings = [
            60 + strict[k] + 4 * noise(size, seed=220 + 20 * seed + k, dtype=torch.float64)
            for k, size in enumerate(sizes)
        ]
        _check_interval(listener_interval, ratings, float(stdtrit(count - 1, 0.975)))
    return "Listeners are what you drew from the world; their ratings of one sound after another are not."


def _check_interval(listener_interval, ratings: list[Tensor], t: float) -> None:
    means = torch.stack([row.mean() for row in ratings])
    half = t * means.std() / len(means) ** 0.5
    right, known = torch.stack([means.mean() - half, means.mean() + half]), wrong_intervals(ratings, t)
    answer = call(listener_interval, ratings, t)
    given = expect_pair(answer, "Two numbers are wanted: low and high.", "return low, high")
    where = f"It is about {len(ratings)} listeners with {sum(map(len, ratings))} ratings."
    expect_values(given, right, "B", known, where, tolerance=1e-4)


# ----------------------------------------------------------------------------------- 5: agreement with SI-SDR


@exercise(
    "Exercise 5: agreement with SI-SDR",
    hints=(
        "First leave out the pairs whose SI-SDR stands at the limit, from both rows. Then subtract each row's mean.",
        "kept = si_sdr < limit; x = si_sdr[kept] - si_sdr[kept].mean(), and y alike.",
        "(x * y).sum() / (x.square().sum() * y.square().sum()).sqrt().",
    ),
)
def exercise_5(agreement):
    """Check a function (si_sdr, score, limit) -> Pearson's correlation of the pairs below the limit."""
    for seed, limit in enumerate((100.0, 100.0, 60.0)):
        count = _pick(9, 14, 300 + seed)
        score = 20 + 60 * torch.rand(count, generator=dice(310 + seed), dtype=torch.float64)
        si_sdr = 0.25 * score + 5 * noise(count, seed=320 + seed, dtype=torch.float64) - 3
        si_sdr[::4], score[::4] = limit, 97.0 - torch.arange(len(score[::4]), dtype=torch.float64)
        answer = _one(call(agreement, si_sdr, score, limit))
        kept = si_sdr < limit
        right = pearson(si_sdr[kept], score[kept])
        where = f"It is about {count} sounds, {int((~kept).sum())} of them at the limit of {limit:g} dB."
        expect_values(answer, right[None], "B", _row(wrong_agreements(si_sdr, score, kept)), where, tolerance=1e-4)
    return "A number that stands at the end of its scale is no measurement, and can make or break a correlation."
