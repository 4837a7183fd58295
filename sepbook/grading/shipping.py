"""Networks, optimisers and the like go to the student's process as pickles, one way; only their numbers come back.

The checks' side is trusted, so the student's side may unpickle what comes from there, never the other way round.
"""

import io
import pickle
from types import FunctionType

import numpy as np
import torch
from torch import nn


def ship(value, refer) -> np.ndarray:
    """Return a value as bytes; functions that have no name of their own pass as numbers, see `Link`.

    Raises pickle.PicklingError, TypeError or AttributeError for what cannot be shipped.
    """
    file = io.BytesIO()
    pickler = pickle.Pickler(file)
    pickler.persistent_id = lambda x: refer(x) if isinstance(x, FunctionType) and "<" in x.__qualname__ else None
    pickler.dump(value)
    return np.frombuffer(file.getvalue(), np.uint8)


def unship(data: np.ndarray, borrow):
    """Return what was shipped."""
    unpickler = pickle.Unpickler(io.BytesIO(data.tobytes()))
    unpickler.persistent_load = borrow
    return unpickler.load()


def networks(value) -> list[nn.Module]:
    """Return the networks in a value, in order."""
    if isinstance(value, nn.Module):
        return [value]
    parts = value.values() if type(value) is dict else value if type(value) in (list, tuple) else ()
    return [network for part in parts for network in networks(part)]


def weights(value) -> list[torch.Tensor]:
    """Return the trainable weights of the networks in a value."""
    return [p for network in networks(value) for p in network.parameters() if p.requires_grad]


def state(value) -> list:
    """Return the numbers of all networks in a value: weights, buffers, and which parts are in training mode."""
    return [
        [{name: x.detach() for name, x in network.state_dict().items()}, [part.training for part in network.modules()]]
        for network in networks(value)
    ]


def restore(value, found: list) -> None:
    """Give the networks in a value the numbers that came back. Raises RuntimeError for other names or shapes."""
    for network, (numbers, modes) in zip(networks(value), found, strict=True):
        network.load_state_dict(numbers)
        for part, mode in zip(network.modules(), modes, strict=True):
            part.training = mode is True
