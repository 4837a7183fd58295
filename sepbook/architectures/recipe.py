"""A recipe: how a system is trained, said once, beside its presets.

Command line, labs, tools and pages read it and nothing else, so that `sepbook train NAME` repeats the run that the book
quotes.

Taught on: book/architectures/unet
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

LOOKS = 10  # how often a run looks at the validation data …
APART = 35  # … but so many steps lie between, if it has so many


@dataclass(frozen=True)
class Recipe:
    """How to train a system: on what, with which optimiser, for how long. Taught on: book/architectures/unet."""

    task: str  # what it learns from: a name of sepbook.data.tasks
    seconds: float = 3.0  # length of an item
    batch_size: int = 8  # items per step
    mixing: Mapping[str, Any] = field(default_factory=dict)  # how items are drawn: see sepbook.data.mixing.Mixtures
    augment: tuple[str, ...] = ()  # what happens to a batch on the device
    optimizer: str = "adam"  # or "adamw", "sgd", "rmsprop"
    optimizer_options: Mapping[str, Any] = field(default_factory=dict)  # as PyTorch's optimiser calls them
    learning_rate: float = 1e-3  # at its highest
    schedule: str = "cosine"  # or "constant", "warmup", "plateau"
    schedule_options: Mapping[str, Any] = field(default_factory=dict)
    weight_decay: float = 0.0
    clip_norm: float = 5.0  # longest allowed gradient, as a vector over all weights
    average: float = 0.0  # decay of a moving average of the weights; 0: none
    steps: Mapping[str, int] = field(default_factory=lambda: {"lab": 60, "shipped": 3000, "full": 30000})
    short: Mapping[str, Any] = field(default_factory=dict)  # fields that differ in runs of steps["first"] or fewer

    def at(self, steps: int) -> "Recipe":
        """Return the recipe for a run of this many steps: a short run may want other fields than a long one."""
        return replace(self, **self.short, short={}) if self.short and steps <= self.steps.get("first", 0) else self

    def items(self, steps: int) -> int:
        """Return how many items an epoch has: at its end the system is validated."""
        return self.batch_size * min(steps, max(APART, steps // LOOKS))
