"""Systems that run in real time: sound comes in piece by piece, and estimates leave with a fixed delay.

Taught on: book/architectures/unet
"""

from torch import Tensor


class Streaming:
    """What a causal system can do beside `forward`: take a stream of chunks of any length.

    ``latency`` in samples: how far the estimates are behind the mixture. ``tolerance``: the largest difference to
    `forward`, relative to the loudest sample, where a preset resamples or normalises by the whole file.

    ::

        state = system.start(batch=1)
        for chunk in chunks:                                   # (B, C, any n, also 0)
            state, estimates = system.feed(state, chunk)       # (B, S, C, some n)
        estimates = system.flush(state)                        # what the delay held back

    Joined together the estimates are those of `forward`, sample for sample. Taught on: book/architectures/unet
    """

    latency: int
    tolerance: float = 1e-5

    def start(self, batch: int = 1):
        """Return the state before the first sample."""
        raise NotImplementedError

    def feed(self, state, chunk: Tensor) -> tuple[object, Tensor]:
        """Take a chunk `(B, C, n)`; return the new state and the estimates `(B, S, C, m)` that are ready."""
        raise NotImplementedError

    def flush(self, state) -> Tensor:
        """Return the estimates `(B, S, C, m)` that are still to come: in all as many samples as were fed."""
        raise NotImplementedError
