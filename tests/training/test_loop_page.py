"""The loops that stand on the page book/training/loop: each takes the very steps that `train` takes."""

import importlib.util
import math
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from sepbook.architectures import create
from sepbook.training.loop import TrainConfig, train
from tests.systems import Synthetic

PAGE = (Path(__file__).parents[2] / "book" / "training" / "loop.md").read_text(encoding="utf-8")
CELLS = re.findall(r"^```\{code-cell\} ipython3\n(?::tags: [^\n]*\n)?(.*?)^```", PAGE, re.M | re.S)
(QUOTED,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.M | re.S)


def fresh(**fields):
    torch.manual_seed(0)
    return create("unet", **{"widths": (4, 8), "dropout": 0.5, **fields})


def items(system, count=8, seed=0):
    return Synthetic(system, items=count, samples=4000, seed=seed)


def config(**fields):
    return TrainConfig(**{"steps": 7, "batch_size": 2, "device": "cpu", "learning_rate": 1e-2, **fields})


def bare(**fields):
    return config(**{"schedule": "constant", "clip_norm": math.inf, **fields})


def same(a, b):
    return all(torch.equal(v, b.state_dict()[k]) for k, v in a.state_dict().items())


def functions():
    """Run the cells of the page that define its loops, without what they train there."""
    names = {}
    for cell in CELLS:
        head = re.split(r"^(?=bare = |careful = )", cell, maxsplit=1, flags=re.M)[0]
        if re.search(r"^def (plain|careful_step|watchful)\(", cell, re.M) or "import default_collate" in cell:
            exec(head.split("data = Mixtures")[0], names)
    return SimpleNamespace(**names)


LOOPS = functions()


def test_the_plain_loop_is_short():
    (cell,) = [cell for cell in CELLS if cell.startswith("def plain(")]
    assert len(cell.strip().splitlines()) <= 25


@pytest.mark.parametrize("fields", [{}, {"seed": 5, "batch_size": 3}, {"steps": 1}])
def test_the_plain_loop_equals_train_bit_for_bit(fields):
    ours, theirs = fresh(), fresh()
    LOOPS.plain(ours, items(ours), bare(**fields))
    train(theirs, items(theirs), config=bare(**fields), progress=False)
    assert same(ours, theirs) and not same(ours, fresh())


@pytest.mark.parametrize("fields", [{}, {"patience": 1, "steps": 30, "learning_rate": 0.3}, {"average": 0.99}])
def test_the_watchful_loop_equals_train_bit_for_bit(fields):
    fields = {"average": 0.9, "clip_norm": 0.05, "patience": 9, **fields}
    ours, theirs = fresh(), fresh()
    valid = items(ours, 2, seed=9)
    LOOPS.watchful(ours, items(ours), valid, config(**fields))
    history = train(theirs, items(theirs), valid, config(**fields), progress=False)
    assert same(ours, theirs)
    assert history.stopped == ("early stopping" if "steps" in fields else "")


def test_the_watchful_loop_stops_at_a_loss_that_is_not_finite():
    system = fresh()
    system.loss = lambda **batch: {"loss": math.nan * sum(p.sum() for p in system.parameters())}
    batch = LOOPS.batch_of(items(system), 0, config())
    before = {name: value.clone() for name, value in system.named_parameters()}
    with pytest.raises(RuntimeError, match="step 0: look at its items"):
        LOOPS.careful_step(system, torch.optim.Adam(system.parameters()), batch, 0, config())
    assert all(torch.equal(value, before[name]) for name, value in system.named_parameters())


class StandIn:
    """What of `accelerate.Accelerator` the quoted loop calls, for one process on the processor."""

    def __init__(self, cpu, mixed_precision):
        assert cpu and mixed_precision == "no"
        self.prepare, self.clip_grad_norm_ = (lambda *things: things), torch.nn.utils.clip_grad_norm_
        self.backward, self.unwrap_model = torch.Tensor.backward, lambda step: step


@pytest.mark.parametrize("kind", ["stand-in", "accelerate"])
def test_the_loop_with_accelerate_equals_the_plain_one(kind, monkeypatch):
    if kind == "stand-in":
        monkeypatch.setitem(sys.modules, "accelerate", SimpleNamespace(Accelerator=StandIn))
    elif importlib.util.find_spec("accelerate") is None:
        pytest.skip("accelerate is no part of this environment")
    exec(compile(QUOTED, "book/training/loop.md", "exec"), names := {})
    ours, theirs = fresh(dropout=0.0), fresh(dropout=0.0)
    names["with_accelerate"](ours, items(ours), config(schedule="constant", clip_norm=0.05))
    train(theirs, items(theirs), config=config(schedule="constant", clip_norm=0.05), progress=False)
    assert same(ours, theirs) and not same(ours, fresh(dropout=0.0))
