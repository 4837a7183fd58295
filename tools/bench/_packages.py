"""Networks of other packages, for `tools.bench.public`: each function returns a class, or says what stands in the way.

Packages are installed without what they depend on. Where only an import is missing that the network does not use, an
empty module stands in for it while the package is imported.
"""

import importlib
import importlib.util
import sys
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import MagicMock


class Missing(ImportError):
    """A class of another package that is not here, or cannot be imported; the text names it and says why."""


@contextmanager
def standing_in(*names: str):
    """Let empty modules stand in for these, unless they are imported already."""
    made = [name for name in names if name not in sys.modules]
    sys.modules.update({name: MagicMock() for name in made})
    try:
        yield
    finally:
        for name in made:
            sys.modules.pop(name, None)


def imported(module: str, name: str):
    """Return a class by its module and name."""
    try:
        return getattr(importlib.import_module(module), name)
    except Exception as error:  # of any kind: a library that does not load, a name that has gone
        raise Missing(f"{module}.{name} cannot be imported: {type(error).__name__}: {error}"[:200]) from error


def from_file(package: str, path: str, name: str):
    """Return a class of one file of a package, without importing the package."""
    found = importlib.util.find_spec(package)
    if found is None:
        raise Missing(f"{package} is not installed")
    file = Path(found.origin).parent / path
    spec = importlib.util.spec_from_file_location(f"{package}_{file.stem}", file)
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        return getattr(module, name)
    except Exception as error:
        raise Missing(f"{name} of {package}/{path} cannot be imported: {error}"[:200]) from error


def open_unmix():
    with standing_in("torchaudio"):  # which reads files, and may not fit this torch
        return imported("openunmix.model", "OpenUnmix")


def conv_tasnet_torchaudio():
    """Load the file of the class alone: torchaudio's compiled part fits one version of torch only."""
    return from_file("torchaudio", "models/conv_tasnet.py", "ConvTasNet")


def conv_tasnet_asteroid():
    lacking = [name for name in ("huggingface_hub", "requests", "soundfile") if importlib.util.find_spec(name) is None]
    with standing_in(*lacking):
        return imported("asteroid.models.conv_tasnet", "ConvTasNet")


def conv_tasnet_music():
    return of_demucs("demucs.tasnet", "ConvTasNet")


def demucs():
    return of_demucs("demucs.model", "Demucs")


def of_demucs(module: str, name: str):
    """Return a class of Demucs, which imports a package that makes weights small, and needs a compiler for it."""
    with standing_in("diffq"):
        return imported(module, name)


def denoiser():
    return imported("denoiser.demucs", "Demucs")


def nussl():
    """Return nussl's module of networks."""
    from sepbook import compat

    try:
        return compat.nussl().ml.networks
    except Exception as error:
        raise Missing(f"nussl.ml.networks cannot be imported: {error}"[:200]) from error
