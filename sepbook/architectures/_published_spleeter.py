"""Spleeter's published weights: TensorFlow's checkpoint becomes a file of safetensors, once.

Where TensorFlow is installed, `convert_spleeter` writes it; `architectures.pretrained` reads it anywhere.

Source: Hennequin et al. 2020. Taught on: book/architectures/spleeter
"""

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from sepbook._interrupts import interrupts_wait
from sepbook.architectures import create
from sepbook.architectures._published_files import PublishedError
from sepbook.architectures._published_sets import entry_of


def spleeter_names(source_names: tuple[str, ...], blocks: int = 6) -> dict[str, str]:
    """Map each of our weights to its name in TensorFlow's checkpoint, which numbers layers as they were made.

    Of each stem those are `blocks` convolutions with a norm each, `blocks` transposed ones with a norm each, and the
    last convolution. The norm below the bottom is never used, and we have none. Taught on: book/architectures/spleeter
    """
    found = {}

    def add(ours: str, theirs: str, number: int, parts: Mapping[str, str]) -> None:
        theirs = f"{theirs}_{number}" if number else theirs
        found.update({f"{ours}.{mine}": f"{theirs}/{part}" for mine, part in parts.items()})

    conv = {"weight": "kernel", "bias": "bias"}
    norm = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}
    for s, name in enumerate(source_names):
        stem, convs, norms = f"networks.{name}", s * (blocks + 1), 2 * s * blocks
        for i in range(blocks):
            add(f"{stem}.down.{i}.conv", "conv2d", convs + i, conv)
            if i:  # our block norms what the block above it gave
                add(f"{stem}.down.{i}.norm", "batch_normalization", norms + i - 1, norm)
            add(f"{stem}.up.{i}.conv", "conv2d_transpose", s * blocks + i, conv)
            add(f"{stem}.up.{i}.norm", "batch_normalization", norms + blocks + i, norm)
        add(f"{stem}.last", "conv2d", convs + blocks, conv)
    return found


def convert_spleeter(reader, path: str | Path, published: str = "4stems") -> Path:
    """Write a published Spleeter as safetensors, where TensorFlow is installed; `pretrained` reads it anywhere.

    `reader` is ``tensorflow.train.load_checkpoint(folder)``, or anything with its `get_variable_to_shape_map` and
    `get_tensor`. Kernels turn from (T, F, inputs, outputs) to (outputs, inputs, F, T). What only training needs is left
    out. Raises PublishedError where the checkpoint has other layers. Taught on: book/architectures/spleeter
    """
    entry = entry_of("spleeter", published)
    with torch.device("meta"):
        config = create("spleeter", entry.preset, **entry.changes).config
    blocks, there = len(config.widths), reader.get_variable_to_shape_map()
    names = spleeter_names(config.source_names, blocks)
    stems = sum(bool(re.fullmatch(r"conv2d_transpose(_\d+)?/kernel", key)) for key in there) / blocks
    missing = next((name for name in names.values() if name not in there), None)
    if missing or stems != len(config.source_names):
        lacks = f"it has no {missing!r}" if missing else f"it has the layers of {stems:g} stems"
        raise PublishedError(f"this checkpoint is not the published {published!r} of Spleeter: {lacks}")
    tensors = {}
    for ours, theirs in names.items():
        value = torch.as_tensor(reader.get_tensor(theirs)).float()
        tensors[ours] = (value.permute(3, 2, 1, 0) if theirs.endswith("/kernel") else value).contiguous()
    save_file(tensors, path, metadata={"published": published})
    return Path(path)


def converted(path: str | Path | None, published: str) -> dict[str, Tensor]:
    """Read what `convert_spleeter` has written. Raises PublishedError that says how to make it.

    Taught on: book/architectures/spleeter
    """
    how = (
        "Where TensorFlow is installed: from sepbook.architectures.published import convert_spleeter; "
        f"convert_spleeter(tensorflow.train.load_checkpoint(folder), 'spleeter.safetensors', {published!r})"
    )
    if path is None or not Path(path).is_file():
        given = "no path was given" if path is None else f"{path} is no file"
        raise PublishedError(f"Spleeter's weights come from a file that is converted once, but {given}. {how}")
    try:
        with interrupts_wait(), safe_open(path, framework="pt") as file:
            said = (file.metadata() or {}).get("published")
            weights = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except Exception as error:  # whatever breaks, it is the file
        raise PublishedError(f"{path}: not a converted Spleeter ({error}). {how}") from None
    if said not in (published, None):
        raise PublishedError(f"{path}: holds the weights {said!r} of Spleeter, but {published!r} was asked for")
    return weights
