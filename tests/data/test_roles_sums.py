"""Which signals are a sum of others, and which names stand for one: where the rules end."""

import math

import numpy as np
import pytest

from sepbook.data import _roles

SIGNALS = np.linalg.qr(np.random.default_rng(0).standard_normal((400, 3)))[0].T  # (3, N), at right angles, of energy 1


@pytest.mark.parametrize(("decibels", "takes_part"), [(0, True), (-20, True), (-29, True), (-31, False), (-45, False)])
def test_a_stem_takes_part_in_a_sum_from_thirty_decibels_below_it(decibels, takes_part):
    a, b, _ = SIGNALS
    for loudness in (0.1, 1.0, 10.0):  # of the stem itself; what counts is what is left of it in the sum
        part = 10 ** (decibels / 20) * b
        left, taking = _roles.explained(a + part, np.stack([a, loudness * b]))
        assert left < -100 and taking == [0, 1][: 1 + takes_part]


def test_what_is_no_sum_is_not_explained():
    a, b, c = SIGNALS
    assert _roles.explained(0 * a, np.stack([a, b])) == (0.0, [])
    assert _roles.explained(a, np.stack([0 * b, 0 * c])) == (0.0, [])
    assert _roles.explained(-a, a[None]) == (0.0, []), "no stem is subtracted"
    left, taking = _roles.explained(a + c, np.stack([a, b]))
    assert left == pytest.approx(10 * math.log10(0.5)) and taking == [0]
    left, taking = _roles.explained(a + b, np.stack([a, b, 0 * c]))
    assert left < -100 and taking == [0, 1]


@pytest.mark.parametrize(("left", "found"), [(-9.5, False), (-10.5, True)])
def test_a_file_is_a_sum_from_ten_decibels_on(left, found):
    a, b, c = SIGNALS
    energy = 10 ** (left / 10)  # of what is not explained, out of 1
    sum_ = math.sqrt((1 - energy) / 2) * (a + b) + math.sqrt(energy) * c
    names = _roles.find_sum({"first": a, "second": b, "take": sum_})
    assert (names is not None and names[:2] == ("take", ["first", "second"])) is found
    assert _roles.find_sum({"first": a, "copy": 0.5 * a, "second": b}) is None, "a copy of one is no sum"


@pytest.mark.parametrize(
    ("names", "left_out"),
    [
        (("vocals", "accompaniment"), []),
        (("vocals", "accompaniment", "mix"), []),
        (("vocals", "drums", "accompaniment"), ["accompaniment"]),
        (("vocals", "drums", "bass", "accompaniment"), ["accompaniment"]),
        (("vocals", "drums", "bass", "karaoke", "No Vocals"), ["karaoke", "No Vocals"]),
        (("vocals", "music", "effects"), []),
        (("accompaniment", "karaoke"), []),
    ],
)
def test_a_name_stands_for_a_sum_where_two_others_are_left(names, left_out):
    assert _roles.sums(names) == left_out
