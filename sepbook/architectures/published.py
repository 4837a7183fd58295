"""Published weights in the systems of this book: `architectures.pretrained("open_unmix")`.

::

    address ─ file ─ hash ─ numbers only ─ our names ─ same shapes ─ system, in eval mode

    Open-Unmix               one file for each target, under our names
    Demucs, the denoiser     one file; their names are turned into ours
    Conv-TasNet              the same, in three layouts: Demucs' package, torchaudio, Asteroid
    Spleeter                 TensorFlow's checkpoint, converted once by convert_spleeter

A file is compared with what its system needs before a number of it is used, and nothing in it is run.

Sources: Stöter et al. 2019; Uhlich and Mitsufuji 2020 (umxse); Hennequin et al. 2020; Défossez et al. 2019 and 2020;
Luo and Mesgarani 2019, as trained by torchaudio's and Asteroid's authors.
Taught on: book/architectures/open_unmix
"""

from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from sepbook.architectures import create
from sepbook.architectures._published_files import LEFT_OVER, PublishedError, fetched, fill, numbers_of
from sepbook.architectures._published_names import translated
from sepbook.architectures._published_sets import PUBLISHED, Published, entry_of
from sepbook.architectures._published_spleeter import convert_spleeter, converted, spleeter_names
from sepbook.architectures.base import System
from sepbook.architectures.conv_tasnet import ConvTasNet

__all__ = [
    "LEFT_OVER",
    "PUBLISHED",
    "EvenConvTasNet",
    "Published",
    "PublishedError",
    "convert_spleeter",
    "fetched",
    "fill",
    "load",
    "numbers_of",
    "spleeter_names",
    "translated",
]


class EvenConvTasNet(ConvTasNet):
    """Conv-TasNet with the zeros of torchaudio: half a filter at both ends, and no more than frames need.

    The authors' code adds one or two frames of zeros more, which the global norm hears.
    Taught on: book/architectures/conv_tasnet
    """

    def encode(self, mixture: Tensor) -> Tensor:
        """Return the code `(B, K, T)` of a mixture `(B, C, N)`."""
        hop = self.stride
        return self.encoder(functional.pad(mixture, (hop, hop + -mixture.shape[-1] % hop)))


def load(
    name: str,
    published: str = "",
    path: str | Path | None = None,
    progress: bool = True,
    sha256: str = "",
    **changes,
) -> System:
    """Build a system with published weights: what `architectures.pretrained` does.

    Taught on: book/architectures/open_unmix
    """
    published = published or next(iter(PUBLISHED.get(name, ())), "")
    entry = entry_of(name, published)
    if name == "spleeter":  # before a network is built: is there a file at all?
        weights = {"": (converted(path, published), path)}
    else:
        weights = dict(files_of(name, published, path, progress, sha256))
    system = create(name, entry.preset, **{**entry.changes, **changes})
    if entry.layout == "torchaudio":
        system.__class__ = EvenConvTasNet  # which differs in a method, and holds nothing more
    for source, (found, file) in weights.items():
        fill(system.networks[source] if source else system, translated(found, entry.layout), file, found)
    system.trained_level = entry.level  # which `evaluation.separation` brings a song to
    return system.eval()


def files_of(name: str, published: str, path, progress: bool, sha256: str):
    """Yield source ("" for all of them), weights and path of each file of a set.

    Raises PublishedError. Taught on: book/architectures/open_unmix
    """
    entry = entry_of(name, published)
    if sha256 and len(entry.files) > 1:
        raise PublishedError(f"{published!r} are {len(entry.files)} files, whose names end in their hashes: no sha256")
    if entry.sha256:
        file = rewritten(entry, name, published, path)
        yield "", (numbers_of(file), file)
        return
    given = Path(path).expanduser() if path else Path(torch.hub.get_dir()) / "checkpoints"
    for source, address in entry.files.items():
        file = fetched(address, given, progress, sha256)
        yield source, (numbers_of(file, entry.inside), file)


def rewritten(entry: Published, name: str, published: str, path) -> Path:
    """Return the path of weights whose published file cannot be read as numbers, once they were written anew.

    Raises PublishedError that says how. Taught on: book/architectures/demucs
    """
    if path and Path(path).is_file():
        return Path(path)
    address = entry.files[""]
    old, new = address.rpartition("/")[2], f"{name}_{published}.pt"
    given = f"{path} is no file" if path else "no path was given"
    raise PublishedError(
        f"{address} holds a class of Python beside the numbers, so it is not opened here, and {given}. Once, in a "
        f"container with nothing to lose, with torch and demucs 2.0.3: load the file, see that `sha256sum {old}` says "
        f"{entry.sha256}, then run in Python: import torch; "
        f"torch.save(torch.load({old!r}, 'cpu', weights_only=False)[3], {new!r}). "
        f"Then: pretrained({name!r}, {published!r}, {new!r})"
    )
