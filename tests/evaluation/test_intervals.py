"""Intervals over seeds, songs and voices hold a known truth as often as they say; verdicts are seldom false."""

import json
import math
from itertools import product

import numpy as np
import pytest
import torch

from sepbook.evaluation.intervals import ENOUGH, bounds, by_voice, compare, interval

WORLDS = 2000
# Standard deviations of seeds, voices, songs, seeds with voices, and single scores.
LUCKS = {
    "songs alone": (0, 0, 1, 0, 0),
    "seeds alone": (1, 0, 0, 0, 0),
    "single scores alone": (0, 0, 0, 0, 1),
    "seeds and songs": (1, 0, 1, 0, 1),
    "seeds above all": (3, 0.3, 1, 0, 1),
    "voices above all": (1, 3, 1, 0, 1),
    "everything": (1, 1, 1, 1, 1),
}
SINGERS = {6: ((1, 5), (2, 2, 2), (1, 2, 3), (1,) * 6), 12: ((6, 6), (2, 3, 7), (2,) * 6), 30: ((10, 20), (3, 7, 20))}


def worlds(seeds, sung, luck, effect=0.0):
    """Return scores (world, seed, song) around a known truth, and who sings: `sung` counts each voice's songs."""
    random, who = np.random.default_rng(0), np.repeat(np.arange(len(sung)), sung)
    of_seed, of_voice, of_song, of_both, alone = luck
    songs, voices = len(who), len(sung)
    scores = of_seed * random.normal(size=(WORLDS, seeds, 1)) + of_song * random.normal(size=(WORLDS, 1, songs))
    scores = scores + of_voice * random.normal(size=(WORLDS, 1, voices))[..., who]
    scores = scores + of_both * random.normal(size=(WORLDS, seeds, voices))[..., who]
    return effect + scores + alone * random.normal(size=(WORLDS, seeds, songs)), who.tolist()


def deviation(seeds, sung, luck):
    """Return by how much the mean over voices truly scatters."""
    parts, voices = np.square(luck), len(sung)
    songs = sum(1 / count for count in sung) / voices**2
    return math.sqrt(
        parts[0] / seeds + parts[1] / voices + parts[2] * songs + (parts[3] / voices + parts[4] * songs) / seeds
    )


def over_songs(scores, who):
    """Leave each song for itself: the question of the same voices."""
    return scores


@pytest.mark.parametrize("luck", LUCKS.values(), ids=LUCKS)
@pytest.mark.parametrize("seeds", [5, 7, 10])
def test_intervals_hold_the_truth_as_often_as_they_say(seeds, luck):
    for songs in SINGERS:
        cases = [((1,) * songs, over_songs)] if not luck[1] and not luck[3] else []
        cases += [(sung, by_voice) for sung in SINGERS[songs]]
        for sung, units in cases:
            scores, who = worlds(seeds, sung, luck, effect=2.0)
            mean, half = bounds(units(scores, who))
            held = (np.abs(mean - 2.0) <= half).mean()
            assert held >= 0.93, f"{seeds} seeds, songs by voice {sung}: {held:.1%}"
            least = 12.8 if len(sung) == 2 else 4.4  # Student's t with one and two degrees of freedom
            assert half.mean() < least * math.sqrt(2) * deviation(seeds, sung, luck), "no wider than the fewest ask for"


def shown(table):
    """Say in how many worlds a difference would be shown."""
    mean, half = bounds(table)
    alike = (np.sign(table.mean(-1)) == np.sign(mean)[:, None]).all(-1)
    return ((np.abs(mean) > half) & alike).mean()


@pytest.mark.parametrize("luck", LUCKS.values(), ids=LUCKS)
def test_verdicts_are_seldom_false_and_a_large_difference_is_seen(luck):
    for seeds, sung in product((5, 10), ((2, 2, 2), (2,) * 6, (10, 20))):
        scores, who = worlds(seeds, sung, luck)
        assert shown(by_voice(scores, who)) <= 0.06
        scores, who = worlds(seeds, (1,) * 12, (luck[0], 0, luck[2], 0, luck[4]))
        assert shown(scores) <= 0.06
        far = 8 * deviation(seeds, (1,) * 12, (luck[0], 0, luck[2], 0, luck[4]))
        assert shown(scores + far) >= 0.9


def test_the_table_of_one_world_is_a_row_of_many():
    scores, who = worlds(5, (2, 2, 3), LUCKS["everything"], effect=1.0)
    mean, half = bounds(by_voice(scores, who))
    for i in range(5):
        found = interval(scores[i], who)
        assert (found.mean, found.high - found.mean) == pytest.approx((mean[i], half[i]))
        assert (found.seeds, found.songs, found.voices) == (5, 7, 3)


def test_sides_by_hand():
    table = [[1.0, 3.0], [2.0, 4.0], [3.0, 5.0]]  # seeds: 2, 3, 4; songs: 2, 4
    found = interval(table)
    half = math.hypot(4.302653 * 1 / math.sqrt(3), 12.706205 * math.sqrt(2) / math.sqrt(2))
    assert (found.mean, found.high - 3.0, 3.0 - found.low) == pytest.approx((3.0, half, half))
    assert interval(table, level=0.5).high < found.high


ROWS = [[1.0, 1.2, 0.9, 1.1, 1.0, 0.8], [1.1, 1.0, 1.0, 1.2, 0.9, 0.9], [0.9, 1.1, 1.1, 1.0, 1.1, 1.0],
        [1.0, 0.9, 1.0, 1.1, 1.0, 1.1], [1.2, 1.0, 0.9, 1.0, 1.1, 1.0]]  # fmt: skip


def test_a_verdict_needs_five_seeds_no_zero_inside_and_one_sign():
    assert interval(ROWS).verdict == "a difference" and interval(ROWS).agree == ENOUGH
    few = interval(ROWS[:3])
    assert few.low > 0 and few.doubts == ["3 seeds, 5 are needed"] and few.verdict == "no difference shown here"
    apart = interval([*ROWS, *ROWS, [-0.01] * 6])
    assert apart.low > 0 and apart.doubts == ["10 of 11 seeds agree in sign"] and not apart.shown
    around = interval([[x - 1 for x in row] for row in ROWS])
    assert "0 lies inside" in around.doubts and not around.shown
    assert interval([[0.0] * 6] * 5).verdict == "no difference shown here", "equal to the bit"


def test_sentences_name_the_better_and_say_why_not():
    zero = [[0.0] * 6] * 5
    assert compare(ROWS, zero).sentence("A", "B").startswith("A is ahead of B by 1.0")
    assert compare(zero, ROWS).sentence("A", "B").startswith("B is ahead of A by 1.0")
    assert "-" not in compare(zero, ROWS).sentence("A", "B")
    said = compare(ROWS[:3], zero[:3]).sentence("A", "B")
    assert said.startswith("A against B: no difference shown here, +1.0") and said.endswith("[3 seeds, 5 are needed]")


@pytest.mark.parametrize(
    ("rows", "voices", "says"),
    [
        (ROWS, None, "What would other trainings and other songs like these give?"),
        (ROWS, list("aabbcc"), "What would other trainings and other songs by other voices give? "
         "(3 voices: 2 degrees of freedom.)"),
        (ROWS, list("aaabbb"), "What would other trainings and other songs by other voices give? "
         "(2 voices: 1 degree of freedom.)"),
        (ROWS, ["a"] * 6, "What would other trainings and other songs by the same voice give? "
         "It cannot speak of other voices."),
        (ROWS[:1], None, "What would other songs like these give? It cannot speak of other trainings."),
        ([row[:1] for row in ROWS], None, "What would other trainings give? It cannot speak of other songs."),
        ([[1.0]], None, "It cannot speak of other trainings or other songs."),
    ],
)  # fmt: skip
def test_it_says_which_question_it_answers(rows, voices, says):
    found = interval(rows, voices)
    assert found.question() == says
    assert not math.isnan(found.low) and "nan" not in str(found) + found.sentence("A", "B")
    json.dumps(found.as_dict(), allow_nan=False)


def test_one_score_bounds_nothing():
    found = interval([[3.0]])
    assert (found.low, found.high, found.as_dict()["low"]) == (-math.inf, math.inf, None)
    assert found.verdict == "no difference shown here"


def test_silent_songs_are_left_out_and_counted():
    missing = [[*row, None] for row in ROWS]
    found = interval(missing, [*"aabbcc", "d"])
    assert found.left_out == 1 and found.songs == 6 and found.voices == 3
    assert found.mean == pytest.approx(interval(ROWS, list("aabbcc")).mean)
    assert interval([[*row, math.nan] for row in ROWS]).as_dict()["left_out"] == 1
    assert compare(missing, [[0.0] * 7] * 5).left_out == 1


def test_a_song_without_a_voice_stands_for_itself():
    table = by_voice(np.arange(4.0)[None], ["a", None, "a", None])
    assert table.tolist() == [[1.0, 1.0, 3.0]]
    assert interval(ROWS, ["a", "a", "b", "b", None, None]).voices == 2


def test_arrays_tensors_and_dicts_are_alike():
    names = ["one", "two", "three", "four", "five", "six"]
    by_name = {seed: dict(zip(names, row, strict=True)) for seed, row in enumerate(ROWS)}
    turned = {seed: dict(reversed(row.items())) for seed, row in by_name.items()}
    expected = interval(ROWS, list("aabbcc"))
    singers = dict(zip(names, "aabbcc", strict=True))
    for rows in (np.array(ROWS), torch.tensor(ROWS, dtype=torch.float64), dict(enumerate(ROWS))):
        assert interval(rows, list("aabbcc")) == expected
    assert interval(by_name, singers) == expected
    assert interval({**by_name, 1: turned[1]}, singers) == expected, "by name, not by place"


@pytest.mark.parametrize(
    ("rows", "voices", "complaint"),
    [
        ([[1.0, 2.0], [1.0]], None, "rows of 1 and 2"),
        ([], None, "no row"),
        ({}, None, "no row"),
        ([[], []], None, "none of the 0 songs has a score"),
        ([1.0, 2.0], None, "one row for each seed"),
        (np.zeros((2, 3, 4)), None, "one row for each seed"),
        ([[None, math.nan]] * 5, None, "none of the 2 songs has a score: every reference is silent"),
        ([[1.0, None], [1.0, 2.0]], None, "number 1 of the songs has no finite score with some"),
        ([[1.0, math.inf], [1.0, 2.0]], None, "number 1 of the songs has no finite score"),
        ([["1.0", "loud"]] * 5, None, "not words"),
        ({0: {"one": 1.0}, 1: {"two": 1.0}}, None, "every seed must have scored the same songs: one"),
        ({0: {"one": 1.0}, 1: [1.0]}, None, "every seed must have scored the same songs: one"),
        (ROWS, ["a", "b"], "one voice for each of the 6 songs"),
        (ROWS, "aabbcc", "one voice for each of the 6 songs"),
        (ROWS, {"one": "a"}, "voices by name need scores by name"),
        ({0: {"one": 1.0, "two": 2.0}}, {"one": "a"}, "voices by name need scores by name"),
    ],
)
def test_what_is_no_table_of_scores_is_refused(rows, voices, complaint):
    with pytest.raises(ValueError, match=complaint):
        interval(rows, voices)


def test_runs_on_other_songs_or_seeds_are_not_compared():
    with pytest.raises(ValueError, match="5 seeds on 6 songs and 4 seeds on 6 songs"):
        compare(ROWS, ROWS[:4])
    with pytest.raises(ValueError, match="6 mixtures and 5 seeds on 5 mixtures"):
        compare(ROWS, [row[:5] for row in ROWS], units="mixtures")
