"""Systems that run in real time: sound comes in piece by piece, and estimates leave with a fixed delay.

Taught on: book/architectures/unet
"""

from torch import Tensor


class Streaming:
    """What a causal system can do beside `forward`: take a stream of chunks of any length. A mixin beside `System`.

    ``latency`` in samples: of n samples that were fed, the estimates of the first ``n - latency`` are there, whatever
    the chunks; no sample later than that may change them. None where this configuration cannot stream: one
    that normalises by the whole sound, or reads backward. ``tolerance``: the largest difference to `forward`, relative
    to the loudest sample, where a preset resamples or normalises by the whole file.

    ::

        state = system.start(batch=1)
        for chunk in chunks:                                   # (B, C, any n, also 0)
            state, estimates = system.feed(state, chunk)       # (B, S, C, some m)
        estimates = system.flush(state)                        # what the delay held back

    Joined together the estimates are those of `forward`, sample for sample. A state is never changed in place: the
    same one may be fed twice. Taught on: book/architectures/unet
    """

    latency: int | None
    tolerance: float = 1e-5

    def start(self, batch: int = 1):
        """Return the state before the first sample, for `batch` streams at once."""
        raise NotImplementedError

    def feed(self, state, chunk: Tensor) -> tuple[object, Tensor]:
        """Take a chunk `(B, C, n)`; return the new state and the estimates `(B, S, C, m)` that are ready."""
        raise NotImplementedError

    def flush(self, state) -> Tensor:
        """Return the estimates `(B, S, C, m)` that are still to come: in all as many samples as were fed."""
        raise NotImplementedError

    def check_chunk(self, chunk: Tensor, batch: int) -> None:
        """Raise ValueError unless a chunk is `(B, C, n)` real samples that fit this system; n may be 0."""
        empty = chunk.dim() == 3 and chunk.shape[-1] == 0
        self.check_mixture(chunk.new_zeros(*chunk.shape[:2], 1) if empty else chunk)
        if len(chunk) != batch:
            raise ValueError(
                f"chunk {tuple(chunk.shape)} has B={len(chunk)} streams, but the state was started for B={batch}; "
                f"use start(batch={len(chunk)})"
            )


def can_stream(system) -> bool:
    """Tell whether a system, as it is configured, takes a stream. Taught on: book/architectures/unet."""
    return isinstance(system, Streaming) and system.latency is not None
