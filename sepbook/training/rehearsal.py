"""A rehearsal: does a system of one's own keep to the contract? Asked in seconds, before minutes of training are spent.

::

    name = architectures.adopt("my_system.py")
    system = architectures.create(name)
    rehearse(system, mixtures)          # silent where all is well; otherwise it says what to mend, and in which line

It works on a copy, and draws its random numbers apart: a system is trained as if nobody had asked. What takes longer to
ask than to train (do chunks equal one pass? does a stream?) the tests of the book's own systems ask.

Taught on: book/training/putting_it_together
"""

import copy
import dataclasses
import json
import warnings
from contextlib import contextmanager

import torch
from torch.utils.data import default_collate

from sepbook import architectures
from sepbook._told import told
from sepbook.architectures.base import System
from sepbook.data import tasks
from sepbook.training._untrusted import compare, shapes
from sepbook.training.batches import check_fit, select

ENOUGH = 60.0  # dB by which what a shift changes must lie below the estimates
SECONDS = 4.0  # of the mixture that is shifted; its outer thirds are not compared
TURNS = (1, 2, 7)  # strides by which it is shifted


class RehearsalError(ValueError):
    """A system that does not do what training and separation rely on; the message has the line to mend.

    Taught on: book/training/putting_it_together
    """


def rehearse(system: System, data=None) -> None:
    """Try what will be asked of a system that `create` has made; return nothing where all is well.

    Without `data` (what it will be trained on) its loss is not tried. Warns where its `stride` seems wrong. Raises
    RehearsalError, which says what was expected and where it broke; TrainingError where the data do not fit.
    Taught on: book/training/putting_it_together
    """
    known = architectures.recipe_of(system.name, system.preset).task
    if known not in tasks.names():
        _refuse(system, f"its recipe has the task {known!r}; choose one of {', '.join(tasks.names())}")
    with torch.random.fork_rng(devices=[]):
        with _asked(system, "to be built again, as for a file of its weights"):
            config = json.loads(json.dumps(dataclasses.asdict(system.config)))
            again = architectures.plan(system.name, system.preset, config)
            compare(system.name, shapes(system.state_dict()), shapes(again.state_dict()))
        alike = copy.deepcopy(system).cpu()
        _try_forward(alike)
        if data is not None:
            check_fit(system, data, "training")
            _try_loss(alike, select(default_collate([data[0], data[1]]), data, system))


def _try_forward(system: System) -> None:
    """Let it separate noise of an odd length, and silence."""
    system.eval()
    mixture = torch.randn(2, system.channels, system.sample_rate // 2 + 1)  # (B, C, N)
    for what, given in {"noise": mixture, "silence": 0 * mixture}.items():
        with torch.no_grad(), _asked(system, f"to separate {what}, mixture {_axes(mixture)}"):
            estimates = system(given)
        _check_estimates(system, given, estimates, what)
    with torch.no_grad(), _asked(system, "for its parts, which training may compile"):
        system.parts()
    if not system.whole:
        _try_shift(system)


def _check_estimates(system: System, mixture, estimates, what: str) -> None:
    """Refuse what are no estimates (B, S, C, N) of a mixture (B, C, N)."""
    B, C, N = mixture.shape
    expected = (B, len(system.source_names), C, N)
    if not torch.is_tensor(estimates):
        _refuse(system, f"forward returns {type(estimates).__name__}; expected a tensor, the estimates (B, S, C, N)")
    if tuple(estimates.shape) != expected:
        _refuse(
            system,
            f"forward returns {_axes(estimates)} for a mixture {_axes(mixture)}; expected (B, S, C, N) = {expected}: "
            f"an estimate for each of {', '.join(system.source_names)}, as long as the mixture, however long that is",
        )
    if not estimates.isfinite().all():
        silent = "something is divided by its own size: add a small number to it"
        mend = silent if what == "silence" else "look for a division, a logarithm or a square root of 0"
        _refuse(system, f"forward returns NaN or infinity for {what}; {mend}")


def _try_shift(system: System) -> None:
    """Warn where a signal that begins some strides later gets another answer."""
    shifts = [turns * system.stride for turns in TURNS]
    mixture = torch.randn(1, system.channels, round(SECONDS * system.sample_rate) + shifts[-1])
    with torch.no_grad(), _asked(system, f"to separate {SECONDS:g} seconds"):
        whole = system(mixture)
        differences = [_differs(whole[..., shift:], system(mixture[..., shift:])) for shift in shifts]
    if system.ordered and max(differences) > 10 ** (-ENOUGH / 10):
        warnings.warn(
            f"{_file(system)}: stride = {system.stride}, but a song that begins so many samples later gets another "
            "answer, so long songs, which are separated in chunks, will too. Write self.stride = the hop of its first "
            "layer times the strides of those below; or whole = True where it needs the whole signal",
            stacklevel=4,
        )


def _differs(one, other) -> float:
    """Return how far two estimates differ in the middle, as a share of the energy there."""
    third = one.shape[-1] // 3
    one, other = one[..., third:-third], other[..., third:-third]
    return float((one - other).square().sum() / one.square().sum().clamp_min(1e-20))


def _try_loss(system: System, batch: dict) -> None:
    """Let it compute a loss and its gradient."""
    system.train()
    about = ", ".join(f"{name} {_axes(value)}" for name, value in batch.items())
    with _asked(system, f"for the loss of {about}"):
        system.prepare([batch])
        terms = system.loss(**batch)
    loss = terms.get("loss") if isinstance(terms, dict) else None
    if not torch.is_tensor(loss) or loss.dim() > 0:
        given = "a tensor " + str(tuple(loss.shape)) if torch.is_tensor(loss) else type(terms).__name__
        _refuse(system, f'loss returns {given}; expected a dict with one number, return {{"loss": value.mean()}}')
    if not loss.isfinite():
        _refuse(system, f"the loss of fresh weights is {loss.item()}; look for a log or a square root of 0")
    if not loss.requires_grad:
        _refuse(system, "the loss does not depend on the weights; look for .detach(), .item() or no_grad() on the way")
    with _asked(system, "for the gradient of its loss"):
        loss.backward()
    if not any(p.grad is not None and p.grad.any() for p in system.parameters()):
        _refuse(system, "the gradient of the loss is 0 for all weights; look for a step that has none, such as round()")


@contextmanager
def _asked(system: System, what: str):
    """Say what the system was asked for, and in which line of its file it broke."""
    try:
        yield
    except RehearsalError:
        raise
    except Exception as error:
        _refuse(system, f"asked {what}, it broke: {told(error, _file(system))}", error)


def _refuse(system: System, words: str, cause: Exception | None = None) -> None:
    raise RehearsalError(f"{_file(system)}: {words}") from cause


def _file(system: System) -> str:
    return architectures.module(system.name).__file__


def _axes(value) -> str:
    return str(tuple(value.shape))
