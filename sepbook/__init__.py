"""Source separation with deep learning: the package that the book's pages and labs call.

What takes samples: a *function* takes a tensor, a NumPy array or a list of numbers, `(C, N)` where nothing else is
said, and answers with tensors; a *layer* (`torch.nn.Module`) takes tensors only, as PyTorch's own do. Samples are
floating point numbers; whole and complex ones are refused, and the message says how to convert them.

Nothing heavy is imported here. ``sepbook.audio`` or ``sepbook.architectures`` loads when it is first used,
so ``import sepbook`` costs a few milliseconds and torch is loaded only by what needs it.
"""

from importlib import import_module

__version__ = "0.1.0"

_SUBMODULES = (
    "architectures",
    "audio",
    "building_blocks",
    "check",
    "cli",
    "compat",
    "data",
    "evaluation",
    "losses",
    "plots",
    "shapes",
    "training",
    "widgets",
)

__all__ = ["__version__", *_SUBMODULES]


def __getattr__(name):
    """Import a submodule when it is first asked for (PEP 562)."""
    if name in _SUBMODULES:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"sepbook has no part called '{name}'. It has: {', '.join(_SUBMODULES)}.")


def __dir__():
    """List the submodules too, so that tab completion finds them."""
    return sorted([*globals(), *_SUBMODULES])
