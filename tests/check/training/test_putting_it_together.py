"""The exercises on putting it together: a file that is a system, where it may be cut, what may be claimed."""

import math
import statistics
import tempfile
from pathlib import Path

import numpy as np
import pytest
import torch

from sepbook import architectures
from sepbook.check.training import putting_it_together
from tests.check.tables import *  # noqa: F403

TEXT = putting_it_together.BOOK.read_text(encoding="utf-8")
FORWARD = "return self.istft(self.masking(bins, self.masks(bins.abs())), mixture.shape[-1])"
STRIDE = "self.stride = config.hop"
LOSS = 'return {"loss": l1(self.masking(magnitude, self.masks(magnitude)), target)}'


@pytest.fixture(autouse=True)
def _nothing_stays_known(monkeypatch):
    monkeypatch.setattr(architectures, "OWN", {})


def written(folder, *changes, name="my_system.py"):
    """Write the book's file with some parts replaced."""
    text = TEXT
    for before, after in changes:
        assert before in text, before
        text = text.replace(before, after)
    path = Path(folder) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def dots(method):
    """Return the change that leaves a method empty."""
    start = TEXT.index(f"    def {method}(")
    end = min(TEXT.index(mark, start + 5) for mark in ("\n    def ", "\n\nSYSTEM") if mark in TEXT[start + 5 :])
    head = TEXT[start : TEXT.index("\n", start)]
    return TEXT[start:end], f"{head}\n        ...\n"


KEPT = [
    [],
    [("class FourStems", "class Mine"), ("SYSTEM = FourStems", "SYSTEM = Mine")],
    [("self.istft(self.masking(bins, self.masks(bins.abs()))", "self.istft(bins[:, None] * self.masks(abs(bins))")],
    [("nn.ReLU()", "nn.BatchNorm1d(config.width), nn.PReLU(), nn.Dropout(0.1)")],
    [('("vocals", "drums", "bass", "other")', '("bass",)')],
    [(LOSS, 'loss = (self(mixture) - sources).abs().mean()\n        return {"loss": loss, "l1": loss.detach()}')],
    [("torch.log1p(magnitude)", "magnitude.div(1 + magnitude.amax())"), (STRIDE, f"self.whole = True; {STRIDE}")],
]  # fmt: skip
BROKEN = [
    ([("import torch\n", "import torch (\n")], "SyntaxError"),
    ([("\nSYSTEM = FourStems", "")], "my_system.py has no SYSTEM: write SYSTEM = MySystem"),
    ([("self.stride = config.hop", "pass")], "self.stride = config.hop"),
    ([("self.stride = config.hop", "self.stride = 100")], "stride = 100, but a song that begins so many samples"),
    ([("len(config.source_names)  #", "len(config.sources)  #")], "cannot be built: AttributeError"),
    ([(FORWARD, "return self.masking(bins, self.masks(bins.abs()))")], "expected (B, S, C, N) = (2, 4, 1, 8001)"),
    ([(FORWARD, FORWARD.replace("self.masks(bins.abs())", "bins.real.unsqueeze(1).expand(-1, 4, -1, -1, -1)"))],
     "forward gives the same estimates, whatever the weights are"),
    ([(FORWARD, FORWARD.replace("mixture.shape[-1]", "8000"))], "as long as the mixture"),
    ([("torch.log1p(magnitude)", "(magnitude / magnitude.amax())")], "for silence; something is divided"),
    ([(LOSS, LOSS.replace(")}", ").detach()}"))], "does not depend on the weights"),
    ([(LOSS, LOSS.replace('{"loss": ', "").replace("}", ""))], "loss returns Tensor; expected a dict"),
    ([(LOSS, LOSS.replace("target)", "target.flip(1))"))], "the estimates move away"),
    ([(LOSS, LOSS.replace("{\"loss\": l1(", "{\"loss\": -l1("))], "the estimates move away"),
    ([(LOSS, LOSS.replace("magnitude)), target)", "magnitude)), 0 * target + 3)"))], "the same two items the loss"),
]  # fmt: skip


@pytest.mark.parametrize("changes", KEPT)
def test_files_that_keep_the_contract_turn_green(hear, tmp_path, changes):
    said = hear(putting_it_together.exercise_1, written(tmp_path, *changes))
    assert said.startswith("✔"), said
    assert hear(putting_it_together.exercise_1, str(tmp_path / "my_system.py")).startswith("✔")


@pytest.mark.parametrize(("changes", "words"), BROKEN, ids=[words for _, words in BROKEN])
def test_files_that_break_it_are_told_what_to_mend(hear, tmp_path, changes, words):
    said = " ".join(hear(putting_it_together.exercise_1, written(tmp_path, *changes)).split())
    assert said.startswith("✘") and words in said
    assert str(tmp_path) not in said, "a name is enough"


@pytest.mark.parametrize("method", putting_it_together.METHODS)
def test_dots_are_no_mistake(hear, tmp_path, method):
    path = written(tmp_path, dots(method))
    said = hear(putting_it_together.exercise_1, path)
    assert said.startswith("…") and f"dots in {method}" in said


@pytest.mark.parametrize(("answer", "sign"), [(None, "…"), (..., "…"), (3, "✘"), ("nowhere/my_system.py", "✘")])
def test_without_a_file_there_is_no_answer(hear, answer, sign):
    assert hear(putting_it_together.exercise_1, answer).startswith(sign)


def test_a_name_of_the_book_is_refused(hear, tmp_path):
    assert "Call your file otherwise" in hear(putting_it_together.exercise_1, written(tmp_path, name="unet.py"))


def chosen(by=statistics.fmean, scores="valid", best=max, give=statistics.fmean, of="test"):
    """Return an answer to exercise 3, with some of its usual mistakes."""

    def report(valid, test):
        piles = {"valid": valid, "test": test}
        name = best(piles[scores], key=lambda key: by(piles[scores][key]))
        return name, give(piles[of][name])

    return report


def by_tensor(valid, test):
    names = list(valid)
    name = names[int(torch.tensor([valid[n] for n in names]).mean(1).argmax())]
    return [name, np.mean(test[name])]


def looped(hop, strides):
    for stride in strides:
        hop *= stride
    return torch.tensor(hop)


FOLDER = Path(tempfile.mkdtemp())
RIGHT = [
    *((1, written(FOLDER / f"kept_{n}", *changes)) for n, changes in enumerate(KEPT)),
    (2, lambda hop, strides: hop * math.prod(strides)),
    (2, looped),
    (2, lambda hop, strides: float(np.prod([hop, *strides]))),
    (2, lambda hop, strides: torch.tensor([hop, *strides]).prod()),
    (3, chosen()),
    (3, by_tensor),
    (3, chosen(by=sum)),
    (3, chosen(by=np.mean, give=lambda row: sum(row) / len(row))),
]
WRONG = [
    *((1, written(FOLDER / f"broken_{n}", *changes), words) for n, (changes, words) in enumerate(BROKEN)),
    (2, lambda hop, strides: math.prod(strides), "the hop is left out"),
    (2, lambda hop, strides: hop, "the layers' strides are left out"),
    (2, lambda hop, strides: hop * sum(strides), "the strides are added"),
    (2, lambda hop, strides: hop * max(strides), "only the largest stride counts"),
    (2, lambda hop, strides: hop * strides[-1], "the last stride alone"),
    (2, lambda hop, strides: hop + math.prod(strides), "the hop is added"),
    (2, lambda hop, strides: 512, "values"),
    (2, lambda hop, strides: "long", "should return one number"),
    (3, chosen(scores="test"), "chosen by the test songs"),
    (3, chosen(by=max), "best seed of each variant"),
    (3, chosen(by=min), "worst seed of each variant"),
    (3, chosen(by=lambda row: row[0]), "first seed alone"),
    (3, chosen(best=min), "the lowest score is chosen"),
    (3, chosen(of="valid"), "the validation score is reported"),
    (3, chosen(give=max), "the best seed on the test songs is reported"),
    (3, chosen(give=min), "expected"),
    (3, lambda valid, test: "wide", "should return a pair"),
    (3, lambda valid, test: (3, 2), "should return a pair"),
    (3, lambda valid, test: (list(valid)[0], 2.0), "another variant has the highest mean"),
    (3, lambda valid, test: ("wide" if "wide" in valid else "three", "good"), "one number"),
]
