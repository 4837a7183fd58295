"""Patients 3 and 4: a training step, and a measurement. Taught on: book/training/bug_clinic."""

import copy

import torch
from torch import Tensor, nn

from sepbook.check import CheckFailure, call, exercise
from sepbook.check._inputs import dice, seeded
from sepbook.check._loops import weights_of
from sepbook.losses.waveform import si_sdr


def made(make, seed: int):
    """Make something random without touching the notebook's own numbers. Taught on: book/training/bug_clinic."""
    with seeded(seed):
        return make()


class _Split(nn.Module):
    """Magnitude (B, C=1, F, T) to estimates (B, S=2, C=1, F, T)."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Conv1d(5, 10, 1)

    def forward(self, x):
        return self.layer(x[:, 0]).unflatten(1, (2, 1, 5)).softmax(1) * x.unsqueeze(1)


def _loop(
    batches, clear=lambda step: True, steps=lambda step: 1, error=torch.square, part=slice(None)
) -> tuple[Tensor, list[float]]:
    """Return the weights and losses of a loop that clears the gradients where `clear(step)` says so.

    `steps(step)` is how often the optimiser moves the weights after this batch, `part` which batches are seen.
    """
    network, losses = made(_Split, 3), []
    optimiser = torch.optim.SGD(network.parameters(), lr=0.3)
    for step, (mixture, sources) in enumerate(batches[part]):
        loss = error(network(mixture) - sources).mean()
        if clear(step):
            optimiser.zero_grad()
        loss.backward()
        for _ in range(steps(step)):
            optimiser.step()
        losses.append(loss.item())
    return weights_of(network), losses


OTHER_LOOPS = {  # words for a usual mistake: what it does to the arguments of `_loop`
    "the gradient is cleared before the first batch alone, or once above the loop": {"clear": lambda step: step == 0},
    "the gradient is cleared in every second step only": {"clear": lambda step: step % 2 == 0},
    "each batch takes two steps": {"steps": lambda step: 2},
    "there is one step, after the last batch": {"clear": lambda step: False, "steps": lambda step: int(step == 4)},
    "only the first batch is learned from: the loop ends too early": {"part": slice(1)},
    "the last batch is left out": {"part": slice(-1)},
    "the batches come in the reverse order": {"part": slice(None, None, -1)},
    "the loss is another one: the size of the error, not its square": {"error": torch.abs},
}


@exercise(
    "Patient 3: it never forgets a slope",
    hints=(
        "backward() does not write a gradient, it adds one. What is in .grad before the second backward()?",
        "Follow .grad through two steps: after the first backward(), and after the second. Who empties it?",
        "Write optimiser.zero_grad() before loss.backward(), in every step.",
    ),
)
def exercise_3(train):
    """Check a function (network, optimiser, batches) that trains in place and returns the list of losses."""
    random = dice(4)
    batches = [
        (torch.rand(2, 1, 5, 4, generator=random), torch.rand(2, 2, 1, 5, 4, generator=random)) for _ in range(5)
    ]
    network = made(_Split, 3)
    before = weights_of(network)
    losses = call(train, network, torch.optim.SGD(network.parameters(), lr=0.3), batches)
    after = weights_of(network)
    expected, values = _loop(batches)
    if torch.equal(after, before):
        raise CheckFailure(
            "No weight has moved: nothing is learned.",
            "In which order do backward(), zero_grad() and step() come? What does step() find in .grad?",
            "zero_grad(), then backward(), then step(). Cleared between the last two, the gradient is lost.",
            kind="nothing",
        )
    if torch.allclose(after, _loop(batches, lambda step: False)[0], atol=1e-6):
        raise CheckFailure(
            "The weights end where the sick loop leaves them: each step still follows the sum of all gradients so far.",
            "Is zero_grad() inside the loop, so that it runs in every step?",
            kind="sum",
        )
    if not torch.allclose(after, expected, atol=1e-5):
        what = "It trains, but the weights end elsewhere than with one clean step per batch."
        for mistake, change in OTHER_LOOPS.items():
            if torch.allclose(after, _loop(batches, **change)[0], atol=1e-6):
                recognised = f"This is exactly what comes out of a common mistake: {mistake}."
                raise CheckFailure(what, recognised, kind=mistake, known=True)
        raise CheckFailure(what, kind="other")
    _check_losses(losses, values)
    return "Each step follows its own batch again."


def _check_losses(losses, expected: list[float]) -> None:
    try:
        found = [float(torch.as_tensor(value).detach()) for value in losses]
    except (TypeError, ValueError, RuntimeError):
        what = "The weights are right. What is returned should be a list of numbers, one loss for each step."
        raise CheckFailure(what, "Look at the return.", "losses.append(loss.item())", kind="losses") from None
    if len(found) != len(expected) or not torch.allclose(torch.tensor(found), torch.tensor(expected), rtol=1e-4):
        what = f"The weights are right, but the {len(found)} losses are not those of the {len(expected)} steps."
        raise CheckFailure(what, "Append the loss once in every step, before anything changes it.", kind="losses")


class _Measured(nn.Module):
    """A system with both kinds of memory: dropout, and the averages of batch norm. (B, C=1, N) to (B, S=2, C=1, N)."""

    def __init__(self):
        super().__init__()
        self.look, self.norm = nn.Conv1d(1, 6, 5, padding=2), nn.BatchNorm1d(6)
        self.drop, self.tell = nn.Dropout(0.5), nn.Conv1d(6, 2, 1)
        self.norm.running_mean.copy_(torch.randn(6))
        self.norm.running_var.copy_(torch.rand(6) + 0.5)

    def forward(self, x):
        return self.tell(self.drop(self.norm(self.look(x)).tanh())).unsqueeze(2)


def _score(system, mixture, sources, still: tuple[str, ...]) -> float:
    """Score a copy in which the named layers are in evaluation mode."""
    system = copy.deepcopy(system).train()
    for name in still:
        getattr(system, name).eval()
    with torch.no_grad(), seeded(1):
        return si_sdr(system(mixture), sources).mean().item()


def _estimates(system, mixture: Tensor) -> Tensor:
    with torch.no_grad():
        return copy.deepcopy(system).eval()(mixture)


def _measure(validate, system, mixture, sources, seed: int) -> float:
    with seeded(seed):
        value = call(validate, system, mixture, sources)
    if isinstance(value, torch.Tensor):
        raise CheckFailure(
            "The score is a tensor, where a number was asked for.",
            "A list of such scores keeps every tensor, on the card, and prints as tensor(…).",
            "End with .item().",
            kind="tensor",
            known=True,
        )
    try:
        return float(value if not isinstance(value, str) else None)
    except (TypeError, ValueError, RuntimeError):
        what = f"The score should be one number, but is of type {type(value).__name__}."
        raise CheckFailure(what, "Look at the return.", "Average, and end with .item().", kind="type") from None


def _same(a: float, b: float) -> bool:
    return abs(a - b) <= 1e-3 * max(1.0, abs(b))


@exercise(
    "Patient 4: a scale that shows another weight each time",
    hints=(
        "Two kinds of layers behave in one way while they learn and in another afterwards. Which mode is the system in "
        "when this function is called, and which mode when it returns?",
        "system.eval() tells all layers at once. Note system.training before, because somebody trains on afterwards.",
        "before = system.training; system.eval(); measure; system.train(before).",
    ),
)
def exercise_4(validate):
    """Check a function (system, mixture `(B, C, N)`, sources `(B, S, C, N)`) -> mean SI-SDR in evaluation mode."""
    random = dice(5)
    mixture = torch.randn(3, 1, 300, generator=random)
    with torch.no_grad():
        answer = made(_Measured, 6).eval()(mixture)
    sources = answer + 0.1 * torch.randn(answer.shape, generator=random)
    for training in (True, False):
        system = made(_Measured, 6).train(training)
        old = {name: x.clone() for name, x in system.state_dict().items()}
        values = [_measure(validate, system, mixture, sources, seed) for seed in (1, 1, 2)]
        fresh = made(_Measured, 6)
        _check_score(values, fresh, mixture, sources)
        _check_untouched(system, old, training)
    return "The same weights, the same song, the same number. And nothing was learned from the song."


def _check_score(values: list[float], system, mixture, sources) -> None:
    right = _score(system, mixture, sources, ("norm", "drop"))
    if _same(values[0], right):
        return
    what = f"The same system and the same song, three times: {', '.join(f'{value:.2f}' for value in values)} dB."
    if _same(values[0], _score(system, mixture, sources, ("drop",))):
        raise CheckFailure(
            f"{what} Dropout is off, but batch norm still uses the averages of this batch.",
            "The score of a song now depends on what else is in its batch. Dropout is only one of the two layers.",
            "system.eval() tells every layer at once.",
            kind="norm",
        )
    if _same(values[0], _score(system, mixture, sources, ("norm",))):
        what += " Batch norm uses its collected averages, but dropout still drops."
        raise CheckFailure(what, "Which other layer is random while it learns?", kind="dropout")
    if not all(_same(value, values[0]) for value in values) or _same(values[0], _score(system, mixture, sources, ())):
        raise CheckFailure(what, kind="train")
    estimates = _estimates(system, mixture)
    known = {
        "the sign is that of a loss. A score is larger where it is better": -right,
        "the scores are added up, where their mean is asked for": right * estimates[..., 0].numel(),
        "this is the improvement over the mixture. Asked is the score as it is": (
            right - si_sdr(mixture.unsqueeze(1).expand_as(sources), sources).mean().item()
        ),
        "only the first item is scored": si_sdr(estimates[:1], sources[:1]).mean().item(),
        "only the first source is scored": si_sdr(estimates[:, :1], sources[:, :1]).mean().item(),
        "the score of the best item, where their mean is asked for": si_sdr(estimates, sources).max().item(),
    }
    for mistake, wrong in known.items():
        if _same(values[0], wrong):
            what = f"The score is {values[0]:.3f} dB, where evaluation mode gives {right:.3f} dB."
            recognised = f"This is exactly what comes out of a common mistake: {mistake}."
            raise CheckFailure(what, recognised, kind=mistake, known=True)
    raise CheckFailure(f"The score is {values[0]:.3f} dB, where evaluation mode gives {right:.3f} dB.", kind="value")


def _check_untouched(system, old: dict, training: bool) -> None:
    changed = [name for name, x in system.state_dict().items() if not torch.equal(x, old[name])]
    if changed:
        raise CheckFailure(
            f"The score is right, but the measuring has changed {', '.join(changed)}.",
            "In training mode batch norm collects averages of whatever it is given, gradient or not.",
            "Call system.eval() before the first pass through the system.",
            kind="drift",
        )
    modes = {module.training for module in system.modules()}
    if modes != {training}:
        was, left = ("training", "evaluation") if training else ("evaluation", "training")
        raise CheckFailure(
            f"The score is right. But the system was given in {was} mode, and comes back in {left} mode.",
            "After this measurement the training goes on. With which dropout?"
            if training
            else "A system that was finished is learning averages again.",
            "Keep before = system.training, and end with system.train(before).",
            kind="mode",
        )
