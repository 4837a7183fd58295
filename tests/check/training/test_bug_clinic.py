"""The ten patients: each sick function is red, each cure is green however it is written; and half a cure of a loss."""

import ast
import inspect

import pytest
import torch

from sepbook.check.training import bug_clinic as check
from sepbook.check.training import examine, mended, sick
from sepbook.losses.permutation import permutation_invariant
from sepbook.losses.spectrogram import mse
from sepbook.losses.waveform import si_sdr, si_snr_loss
from tests.check.tables import *  # noqa: F403
from tests.labs.reading import read, solution, tagged
from tools.results.bug_clinic import PATIENTS

EXERCISES = [getattr(check, f"exercise_{number}") for number in range(1, 11)]
PAIRS = list(zip(EXERCISES, PATIENTS, strict=True))
pytestmark = pytest.mark.filterwarnings("ignore:To copy construct", "ignore:The length of signal", "ignore:A window")


@pytest.mark.parametrize(("exercise", "name"), PAIRS)
def test_sick_is_red_in_four_steps_and_mended_is_green(hear, exercise, name):
    said = [hear(exercise, getattr(sick, name)) for _ in range(4)]
    assert all("✘" in text for text in said)
    assert "What:" in said[0] and "Where:" in said[1] and "How:" in said[3]
    assert "cannot be checked" not in said[0] and "stops" not in said[0]
    assert "✔" in hear(exercise, getattr(mended, name))


def test_the_mended_loss_is_the_book_s():
    e, s = torch.randn(2, 3, 1, 500), torch.randn(2, 3, 1, 500) + 0.5
    torch.testing.assert_close(mended.si_snr_loss(e, s), si_snr_loss(e, s), atol=1e-3, rtol=1e-4)


def snr(sign=-1, means="es", end=torch.mean):
    """Return an answer to exercise 1: the sign, and which of the two is centred."""

    def answer(e, s):
        e = e - e.mean(-1, keepdim=True) if "e" in means else e
        s = s - s.mean(-1, keepdim=True) if "s" in means else s
        t = (e * s).sum(-1, keepdim=True) / s.square().sum(-1, keepdim=True) * s
        return end(sign * 10 * torch.log10(t.square().sum(-1) / (e - t).square().sum(-1)))

    return answer


def pit(per, choose=torch.minimum):
    """Return an answer to exercise 2 with one order for each entry of the axes `per`."""

    def answer(e, s):
        others = [axis for axis in range(5) if axis not in per]
        return choose(*((x - s).square().mean(others) for x in (e, e.flip(1)))).mean()

    return answer


def in_float64(e, s):
    e, s = (x.double().flatten(0, 2).unsqueeze(1) for x in (e, s))  # every channel by itself
    return -si_sdr(e - e.mean(-1, keepdim=True), s - s.mean(-1, keepdim=True)).mean()


def one_by_one(e, s):
    """Channel after channel, by the angle between estimate and source."""
    values = []
    for a, b in zip(e.flatten(0, 2), s.flatten(0, 2), strict=True):
        a, b = a - a.mean(), b - b.mean()
        cosine = (a @ b) ** 2 / (a @ a) / (b @ b)
        values.append(10 * torch.log10(1 / cosine - 1))
    return sum(values) / len(values)


RIGHT = [
    (1, mended.si_snr_loss),
    (1, lambda e, s: -si_sdr(e[:, :, :, None], s[:, :, :, None], True).mean()),
    (1, lambda e, s: snr()(e - e.mean(), s - s.mean())),
    (1, in_float64),
    (1, one_by_one),
    (2, mended.pit_loss),
    (2, pit((0,))),
    (2, lambda e, s: permutation_invariant(mse, e, s)[0].mean()),
    (2, lambda e, s: sum(min(mse(e[b], s[b]), mse(e[b], s[b].flip(0))) for b in range(len(e))) / len(e)),
]
WRONG = [
    (1, sick.si_snr_loss, "still that of a score, and the means"),
    (1, snr(-1, ""), "the sign is right, but the means are not"),
    (1, snr(1), "the means are subtracted, but the sign"),
    (1, snr(-1, "e"), "from the estimates only"),
    (1, snr(-1, "s"), "from the sources only"),
    (1, lambda e, s: snr(-1, "")(e - e.mean(), s - s.mean()), "Each channel has its own"),
    (1, lambda e, s: snr(-1, "")(e - e.mean((2, 3), True), s - s.mean((2, 3), True)), "the channels together"),
    (1, snr(end=torch.sum), "12 times what it should be"),
    (1, snr(-2), "20 log10 belongs to amplitudes"),
    (1, snr(end=torch.max), "the worst of all"),
    (1, snr(end=lambda x: x), "a loss is one number"),
    (1, lambda e, s: snr()(e, s).item(), "It has no gradient"),
    (1, lambda e, s: snr()(e.detach(), s), "the gradient is cut off"),
    (1, lambda e, s: snr()(e.sub_(e.mean(-1, keepdim=True)), s), "changed its input number 1"),
    (2, sick.pit_loss, "every bin, every frame and every estimate"),
    (2, pit((0, 2, 3, 4)), "an order for every bin of every frame"),
    (2, pit((0, 4)), "From frame to frame the talkers may still jump"),
    (2, pit((0, 3)), "an order for every frequency"),
    (2, pit((0, 2)), "an order for every channel"),
    (2, pit((0, 1)), "both may be given the same source"),
    (2, pit(()), "one order for the whole batch"),
    (2, pit((0,), torch.maximum), "the worse of the two"),
    (2, mse, "only the given order"),
    (2, lambda e, s: pit((0,))(e, s).detach(), "the gradient is cut off"),
    (
        2,
        lambda e, s: torch.minimum(*((x - s).square().mean((1, 2, 3, 4)) for x in (e, e.flip(1)))),
        "a loss is one number",
    ),
]


def body(source, name):
    """Return what one function does and says, however its lines are broken, without what stands around it."""
    tree = ast.parse(source[source.index(f"def {name}(") :].strip())
    for text in ast.walk(tree):
        if isinstance(text, ast.Constant) and isinstance(text.value, str):
            text.value = " ".join(text.value.split())
    return ast.unparse(tree)


@pytest.mark.parametrize(("number", "name"), list(enumerate(PATIENTS, 1)))
def test_lab_holds_the_functions_of_the_package(number, name):
    lab = read("training/bug_clinic.ipynb")
    stub = tagged(lab, f"exercise-{number}")[0].source
    assert body(stub, name) == body(inspect.getsource(getattr(sick, name)), name)
    assert body(solution(lab, number), name) == body(inspect.getsource(getattr(mended, name)), name)
    assert callable(getattr(examine, name))
