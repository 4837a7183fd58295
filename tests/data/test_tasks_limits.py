"""What the items of a task are where nothing is asked for, and where its numbers end."""

import math

import pytest

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


def test_fixed_pairs_are_as_loud_as_they_were_said_but_for_two_and_a_half_decibels():
    scenes, voices = task("talkers").tracks("valid", RATE), task("talkers").material("valid", RATE, 1)
    found = []
    for number, scene in enumerate(scenes):
        for place, (stem, who) in enumerate(scene.identities.items()):
            said = voices.samples(who, number + place)[:, : scene.length]  # (C, N)
            found.append(20 * math.log10(float(scene.sources([stem])[0].norm() / said.norm())))
    assert -2.5 <= min(found) < -2 and 2 < max(found) <= 2.5
