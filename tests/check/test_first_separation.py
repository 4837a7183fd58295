import pytest
import torch

from sepbook.check import first_separation as check
from sepbook.evaluation.metrics import si_sdr

RIGHT = {
    "exercise_1": lambda vocals, rest, gain_db: rest + 10 ** (gain_db / 20) * vocals,
    "exercise_2": (8, 4, 1, 513, 189),
    "exercise_3": lambda bins, masks, istft, length: istft(bins[:, None] * masks, length),
    "exercise_4": lambda e, s, m: si_sdr(e, s) - si_sdr(m.expand_as(s), s),
}
WRONG = [
    ("exercise_1", lambda vocals, rest, gain_db: rest + gain_db * vocals, "the decibels themselves"),
    ("exercise_1", lambda vocals, rest, gain_db: rest + 10 ** (gain_db / 10) * vocals, "for energies"),
    ("exercise_1", lambda vocals, rest, gain_db: vocals + 10 ** (gain_db / 20) * rest, "applied to the rest"),
    ("exercise_2", (8, 4, 1, 512, 189), "the highest one gets a mask"),
    ("exercise_2", (8, 4, 1, 189, 513), "Frequency comes before time"),
    ("exercise_3", lambda b, m, istft, n: istft(b[:, None] * (1 - m), n), "inverse mask"),
    ("exercise_3", lambda b, m, istft, n: istft((b.abs()[:, None] * m) + 0j, n), "phase is lost"),
    ("exercise_3", lambda b, m, istft, n: istft(b * m, n), "stops in"),
    ("exercise_4", lambda e, s, m: si_sdr(m.expand_as(s), s) - si_sdr(e, s), "sign"),
    ("exercise_4", lambda e, s, m: si_sdr(e, s), "without the comparison"),
]


@pytest.mark.parametrize("name", RIGHT)
def test_right_answers_turn_green(hear, name):
    assert "✔" in hear(getattr(check, name), RIGHT[name])


@pytest.mark.parametrize(("name", "answer", "hint"), WRONG)
def test_wrong_answers_get_their_own_hint(hear, name, answer, hint):
    exercise = getattr(check, name)
    text = hear(exercise, answer, times=3)
    assert "✔" not in text
    assert hint in text, text


@pytest.mark.parametrize("answer", [None, ..., 3, "text", torch.zeros(2), lambda: None, lambda *a: a[0]])
@pytest.mark.parametrize("name", RIGHT)
def test_nonsense_never_raises(hear, name, answer):
    text = hear(getattr(check, name), answer)
    assert text and "✔" not in text
