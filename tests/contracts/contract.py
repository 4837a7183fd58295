"""What every system must do, as functions: the tests call them with all systems, and with broken ones to see them fail.

Each raises AssertionError that says what is wrong, and where it can, the line to write.
"""

import torch

from sepbook import architectures, shapes
from sepbook.data import tasks
from sepbook.evaluation.separation import chunk_sizes, separate
from tests.systems.items import batch

ENOUGH = 60.0  # dB by which what chunks change must lie below the estimates
PART = 4.0  # seconds of a chunk for a system whose receptive field is not known
SHIFTS = 3  # how many shifts are tried


def behaving(name):
    """The preset whose behaviour is tested."""
    return "tiny" if "tiny" in architectures.presets(name) else "small"


def has_its_lines(name):
    """A system's file states all that a system must state; for presets, recipes and the stride `create` asks."""
    system, recipe = architectures.create(name), architectures.recipe_of(name)
    kind = type(system).__name__
    assert recipe.task in tasks.names(), (
        f"{name}.py: there is no task {recipe.task!r}. "
        f'Write RECIPES = {{"small": Recipe(task="…")}} with one of {", ".join(tasks.names())}'
    )
    assert type(system.stride) is int, f"{name}.py: {kind}.stride is {system.stride!r}. Write self.stride = config.hop"
    for line, value, example in (
        ("whole", system.whole, "whole = True  # where the answer needs the whole signal, else leave it out"),
        ("ordered", system.ordered, "ordered = False  # where estimates come in any order, else leave it out"),
    ):
        assert type(value) is bool, f"{name}.py: {kind}.{line} is {value!r}. Write {example}"
    for preset, own in architectures.module(name).RECIPES.items():
        assert preset in architectures.presets(name), f"{name}.py: RECIPES has {preset!r}, which is no preset"
        assert own.task in tasks.names(), f"{name}.py: the recipe of {preset!r} has the unknown task {own.task!r}"


def field_of(system):
    """The receptive field in samples, or None where the trace does not know it (recurrent layers have none)."""
    ledger = shapes.trace(system, torch.zeros(1, system.channels, system.sample_rate))
    recurrent = any(isinstance(m, torch.nn.RNNBase) for m in system.modules())
    return None if recurrent else ledger.calls[0].receptive_field


def growing(system, samples, seed=3):
    """Noise `(C, N)` that grows to twenty times its level: what is normalised by the whole shows."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(system.channels, samples, generator=generator) * torch.linspace(0.05, 1, samples)


def decibels(reference, found):
    """How far the difference lies below the reference, in dB."""
    difference = (found - reference).double().square().sum().clamp_min(1e-30)
    return 10 * torch.log10(reference.double().square().sum().clamp_min(1e-20) / difference).item()


def agreement_of_chunks(system):
    """How far chunks and one pass agree, in dB: through `separate`, so that unordered estimates are matched.

    The first chunk gives these a factor for all chunks. For a system that is not trained it may be any: it is left out.
    """
    field = field_of(system)
    seconds = PART if field is None else 6 * max(field, 2 * system.stride) / system.sample_rate
    length, hop = chunk_sizes(system, seconds, 0.25)
    mixture = growing(system, length + hop + hop // 3 + 1)
    whole = separate(system, mixture, system.sample_rate, chunk_seconds=10 * seconds)
    parts = separate(system, mixture, system.sample_rate, chunk_seconds=seconds)
    if not system.ordered:
        parts *= (parts * whole).sum() / parts.square().sum()
    return decibels(whole, parts)


def agreement_of_shifts(system):
    """How far the answer stays the same, in dB, when the signal begins one stride (and two, three) later."""
    field = field_of(system) or 2 * round(PART / 8 * system.sample_rate)
    margin = field // 2 + system.stride  # edges may differ
    mixture = growing(system, 3 * margin + SHIFTS * system.stride)[None]  # (1, C, N)
    system.eval()
    with torch.no_grad():
        first = system(mixture)
        shifts = [turn * system.stride for turn in range(1, SHIFTS + 1)]
        later = [(shift, system(mixture[..., shift:])) for shift in shifts]
    return min(decibels(first[..., s:][..., margin:-margin], e[..., margin:-margin]) for s, e in later)


def means_its_stride(system):
    """A chunk may begin at each multiple of the stride."""
    reached = agreement_of_shifts(system)
    assert system.whole or reached >= ENOUGH, (
        f"{type(system).__name__} says stride = {system.stride}, but a signal that begins so many samples later gets "
        f"another answer ({reached:.0f} dB, expected {ENOUGH:.0f}). Write self.stride = the hop of its first layer "
        "times the strides of those below; or whole = True where it measures the whole signal"
    )


def equals_its_chunks(system):
    """Chunks give what one pass gives; returns how well, in dB."""
    reached = agreement_of_chunks(system)
    assert system.whole or reached >= ENOUGH, (
        f"{type(system).__name__}: chunks differ from one pass ({reached:.0f} dB, expected {ENOUGH:.0f}). Write "
        "whole = True where the answer needs the whole signal; else look at its stride and its receptive field"
    )
    return reached


def streamed(system, mixture, sizes):
    """Feed a mixture `(B, C, N)` in chunks of these sizes, then the rest; yield (samples fed, estimates)."""
    state, fed = system.start(len(mixture)), 0
    for size in [*sizes, mixture.shape[-1]]:
        chunk = mixture[..., fed : fed + size]
        fed += chunk.shape[-1]
        state, estimates = system.feed(state, chunk)
        yield fed, estimates
    yield fed, system.flush(state)


def streams_like_forward(system, mixture, sizes):
    """A stream gives what one pass gives, and keeps to its latency; returns the longest delay."""
    system.eval()
    with torch.no_grad():
        expected = system(mixture)
        found, delays, count = [], [0], 0
        for fed, estimates in streamed(system, mixture, sizes):
            found.append(estimates)
            count += estimates.shape[-1]
            delays.append(fed - count)
    kind = type(system).__name__
    assert count == mixture.shape[-1], f"{kind}: {mixture.shape[-1]} samples were fed, {count} came out: see flush"
    assert max(delays) <= system.latency, f"{kind} says latency = {system.latency}, but was {max(delays)} behind"
    assert min(delays) >= 0, f"{kind} gave estimates of samples that it had not been fed"
    difference = (torch.cat(found, dim=-1) - expected).abs().amax()
    allowed = system.tolerance * max(0.01, expected.abs().amax().item())  # silence has no loudest sample
    assert difference <= allowed, f"{kind}: a stream differs from forward by {difference:.2g}, allowed {allowed:.2g}"
    return max(delays)


class Learning(torch.nn.Module):
    """A module whose forward is the loss: tracing it shows what a step of training costs."""

    def __init__(self, system):
        super().__init__()
        self.system = system

    def forward(self, mixture, **labels):
        return self.system.loss(mixture, **labels)["loss"]


def parts_hold_the_work(system):
    """The layer with the most multiply-accumulates of a training step lies in `parts()`.

    What only `forward` does (a Wiener filter on the estimates, say) is never compiled, so it is not asked for.
    """
    ledger = shapes.trace(Learning(system), **batch(system, B=1))
    costliest = max(ledger.calls, key=lambda row: row.macs).path.removeprefix("system.")
    inside = {id(module) for part in system.parts().values() for module in part.modules()}
    assert id(system.get_submodule(costliest)) in inside, (
        f"{type(system).__name__}: {costliest} costs most, but is not compiled. Write a method parts() that names it"
    )
