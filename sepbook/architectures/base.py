"""What every system has in common: the contract that loop, evaluation, command line and pages rely on.

Taught on: book/architectures/unet
"""

import torch
from torch import Tensor, nn

from sepbook._given import check_place, check_tensor
from sepbook.architectures._names import check_format, check_source_names


class System(nn.Module):
    """A source separation system: a mixture goes in, one estimate per source comes out.

    Attributes, set by the subclass:

    - ``source_names``: what each estimate is, in the order of axis S
    - ``sample_rate`` in Hz and ``channels`` of the audio (1: mono, 2: stereo); a system neither resamples nor
      remixes, `sepbook.evaluation.separation.separate` does
    - ``ordered``: False when estimates come in any order (two talkers); then losses, validation and evaluation
      match permutations
    - ``stride`` in samples: a chunk may begin at its multiples without changing the answer (no default)
    - ``whole``: True when the answer needs the whole signal (a norm over time, a recurrent layer backward in time,
      clustering), so that chunks must differ from one pass
    - ``config``: the frozen dataclass that built it; ``name``, ``preset`` and ``task`` (what its recipe trains on, a
      name of `sepbook.data.tasks`) are set by `create`

    Taught on: book/architectures/unet
    """

    dims = "mixture: B C N -> B S C N"
    source_names: tuple[str, ...]
    sample_rate: int
    channels: int = 1
    ordered: bool = True
    stride: int
    whole: bool = False
    task: str = ""
    name: str = ""
    preset: str = ""

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.source_names = check_source_names(config.source_names)
        check_format(config.sample_rate, config.channels)
        self.sample_rate = config.sample_rate
        self.channels = config.channels

    def forward(self, mixture: Tensor, **inputs: Tensor) -> Tensor:
        """Separate: mixture `(B, C, N)` -> estimates `(B, S, C, N)`, any N. What a listener hears.

        `inputs` are what a batch holds beyond audio. It need not be differentiable.
        """
        raise NotImplementedError

    def loss(self, mixture: Tensor, sources: Tensor, **labels: Tensor) -> dict[str, Tensor]:
        """Return what is trained: ``{"loss": scalar}`` and any further detached terms by name.

        mixture `(B, C, N)`, sources `(B, S, C, N)`; need not call `forward`.
        """
        raise NotImplementedError

    def prepare(self, loader) -> None:
        """Look once at the training data before the first step (statistics, scales). Does nothing here."""

    def epoch_end(self, terms: dict[str, float]) -> None:
        """Use the epoch's mean loss terms, for example to weigh sources anew. Does nothing here."""

    def parts(self) -> dict[str, nn.Module]:
        """Name the networks that training may compile and compute in a short number format: all that is costly.

        The base finds ``network``, or the values of ``networks``. Raises AttributeError where there is neither.
        """
        if "network" in self._modules:
            return {"network": self.network}
        if "networks" in self._modules:
            return {f"networks.{name}": part for name, part in self.networks.items()}
        raise AttributeError(
            f"{type(self).__name__} has neither `network` nor `networks`: call its network so, or override parts()"
        )

    def check_mixture(self, mixture: Tensor) -> None:
        """Raise ValueError unless the mixture is `(B, C, N)` real samples that fit this system."""
        check_tensor(mixture, type(self).__name__)
        given = tuple(mixture.shape)
        if mixture.dim() != 3:
            raise ValueError(
                f"mixture must be (B, C, N): batch, audio channel, sample; it was given as {given}. "
                "Add missing axes with mixture[None]"
            )
        if not torch.is_floating_point(mixture):
            raise ValueError(f"mixture must hold real numbers (float32), not {mixture.dtype}; use mixture.float()")
        if mixture.shape[1] != self.channels:
            raise ValueError(
                f"mixture {given} has C={mixture.shape[1]} audio channels, but this system was made for "
                f"C={self.channels}; sepbook.evaluation.separation.separate remixes"
            )
        if mixture.shape[2] == 0:
            raise ValueError(f"mixture {given} has N=0 samples; there is nothing to separate")
        check_place(mixture, type(self).__name__, next(self.parameters(), None))

    def check_sources(self, mixture: Tensor, sources: Tensor) -> None:
        """Raise ValueError unless sources are `(B, S, C, N)` and fit the mixture and this system."""
        check_tensor(sources, type(self).__name__)
        check_place(sources, type(self).__name__, mixture)
        B, C, N = mixture.shape
        expected = (B, len(self.source_names), C, N)
        if tuple(sources.shape) != expected:
            axes = ("B (batch)", "S (source)", "C (audio channel)", "N (sample)")
            wrong = [a for a, g, e in zip(axes, sources.shape, expected, strict=False) if g != e]
            raise ValueError(
                f"sources must be (B, S, C, N) = {expected} for the sources {', '.join(self.source_names)}, but were "
                f"given as {tuple(sources.shape)}; look at axis {', '.join(wrong) or 'count'}"
            )
