"""What is drawn where nothing is asked for, and where the numbers of the data's own rules end."""

import math

import numpy as np
import pytest
import torch

from sepbook.data import _roles
from sepbook.data.folder import StemFolder
from sepbook.data.mixing import Mixtures
from sepbook.data.tasks import task

RATE = 8000
MADE = {  # what the items of a task are, in the words of their settings
    "songs": {"incoherent": 0.5, "gain_db": [-6.0, 3.0], "flip": True, "labels": []},
    "talkers": {"levels": [-2.5, 2.5]},
    "speech_noise": {"levels": [0.0, 10.0]},
}


@pytest.mark.parametrize("name", MADE)
def test_what_a_task_draws_where_nothing_is_asked_for(name):
    made = task(name).training(RATE)
    wanted = {"seconds": 3.0, "sample_rate": RATE, "channels": 1, "data_seed": 0, **MADE[name]}
    assert wanted.items() <= made.settings().items() and len(made) == 1000
    assert made.settings() == type(made)(task(name).material("train", RATE, 1)).settings()


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("seconds", [0, 0.0, -1, -0.5, math.nan, math.inf])
def test_no_item_is_made_of_no_time(name, seconds):
    with pytest.raises(ValueError, match=f"seconds={seconds}"):
        task(name).training(RATE, seconds=seconds)


def test_a_stem_is_as_often_turned_over_as_not_and_its_size_stays(root):
    data = Mixtures(StemFolder(root), 0.1, gain_db=(0, 0))
    gains = np.stack([data.draw(item)[1] for item in range(300)])
    assert set(np.unique(gains)) == {-1.0, 1.0} and abs(gains.mean()) < 0.1
    assert len({tuple(row) for row in gains}) == 16, "each stem by itself"


def test_fixed_pairs_are_as_loud_as_they_were_said_but_for_two_and_a_half_decibels():
    scenes, voices = task("talkers").tracks("valid", RATE), task("talkers").material("valid", RATE, 1)
    found = []
    for number, scene in enumerate(scenes):
        for place, (stem, who) in enumerate(scene.identities.items()):
            said = voices.samples(who, number + place)[:, : scene.length]  # (C, N)
            found.append(20 * math.log10(float(scene.sources([stem])[0].norm() / said.norm())))
    assert -2.5 <= min(found) < -2 and 2 < max(found) <= 2.5


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


def test_zeros_follow_a_track_and_nothing_else_does(root):
    track = StemFolder(root)[0]
    whole = track.sources()
    found = torch.cat([track.sources(start=start, length=7000) for start in (0, 7000, 14_000)], -1)
    assert torch.equal(found[..., : track.length], whole) and not found[..., track.length :].any()
