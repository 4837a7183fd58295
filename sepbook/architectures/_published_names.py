"""What others call the weights of our systems: rules that turn their names into ours, layout by layout.

A name that no rule knows stays as it is, and the network refuses it.
"""

import re
from collections.abc import Mapping

import torch
from torch import Tensor

SLOPE = (r"\.(widen|along)\.1\.weight$", r".\1.1.slope")  # PReLU
LEARNED = ((r"\.gamma$", ".weight"), (r"\.beta$", ".bias"))  # of norms
DEMUCS = (
    (r"^encoder\.(\d+)\.0\.", r"network.encoder.\1.conv."),
    (r"^encoder\.(\d+)\.2\.", r"network.encoder.\1.gate.0."),
    (r"^decoder\.(\d+)\.0\.", r"network.decoder.\1.gate.0."),
    (r"^decoder\.(\d+)\.2\.", r"network.decoder.\1.conv."),
)


def _block(parts: str, ends: str) -> tuple:
    """Rules for a block of Conv-TasNet whose six parts stand in one row, and for its two ends."""
    row = {"([012])": r".widen.\1.", "3": ".along.0.", "4": ".along.1.", "5": ".along.2."}
    rules = [(rf"\.{parts}\.{number}\.", ours) for number, ours in row.items()]
    return (*rules, (rf"\.res_{ends}\.", ".out."), (rf"\.skip_{ends}\.", ".skip."), SLOPE)


RULES = {
    "demucs": (
        *DEMUCS,
        (r"^lstm\.lstm\.", "network.middle.layers.layers."),
        (r"^lstm\.linear\.", "network.middle.linear."),
    ),
    "denoiser": (*DEMUCS, (r"^lstm\.lstm\.", "network.recurrent.layers.")),
    "torchaudio": (
        (r"^mask_generator\.input_norm\.", "network.norm."),
        (r"^mask_generator\.input_conv\.", "network.narrow."),
        (r"^mask_generator\.output_prelu\.weight$", "network.bend.slope"),
        (r"^mask_generator\.output_conv\.", "network.masks."),
        (r"^mask_generator\.conv_layers\.(\d+)\.", r"network.blocks.\1."),
        *_block("conv_layers", "out"),
    ),
    "asteroid": (
        (r"^(en|de)coder\.filterbank\._filters$", r"\1coder.weight"),
        (r"^masker\.bottleneck\.0\.", "network.norm."),
        (r"^masker\.bottleneck\.1\.", "network.narrow."),
        (r"^masker\.mask_net\.0\.weight$", "network.bend.slope"),
        (r"^masker\.mask_net\.1\.", "network.masks."),
        (r"^masker\.TCN\.(\d+)\.", r"network.blocks.\1."),
        *_block("shared_block", "conv"),
        *LEARNED,
    ),
    "music": (  # Conv-TasNet in Demucs' package
        (r"^encoder\.conv1d_U\.", "encoder."),
        (r"^decoder\.basis_signals\.", "decoder."),
        (r"^separator\.network\.0\.", "network.norm."),
        (r"^separator\.network\.1\.", "network.narrow."),
        (r"^separator\.network\.3\.", "network.masks."),
        (r"^separator\.network\.2\.(\d+)\.(\d+)\.net\.", r"network.blocks.\1/\2."),  # stack and place in it
        (r"(/\d+)\.([012])\.", r"\1.widen.\2."),
        (r"(/\d+)\.3\.net\.([012])\.", r"\1.along.\2."),
        (r"(/\d+)\.3\.net\.3\.", r"\1.out."),
        SLOPE,
        *LEARNED,
    ),
}


def renamed(key: str, layout: str) -> str:
    """Return our name of a weight. Taught on: book/architectures/conv_tasnet."""
    for pattern, ours in RULES.get(layout, ()):
        key = re.sub(pattern, ours, key)
    return key


def translated(weights: Mapping[str, Tensor], layout: str) -> dict[str, Tensor]:
    """Return weights under our names and in our shapes. Taught on: book/architectures/conv_tasnet."""
    found = {renamed(key, layout): value for key, value in weights.items()}
    if layout == "music":
        return {key: turned(key, value, found) for key, value in numbered(found).items()}
    if layout == "torchaudio":
        return {**without_end(found), **found}
    return found


def numbered(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Count blocks through: "blocks.1/2" becomes "blocks.12" where a stack has ten of them.

    Taught on: book/architectures/conv_tasnet
    """
    places = {tuple(map(int, found)) for key in weights for found in re.findall(r"blocks\.(\d+)/(\d+)\.", key)}
    order = {f"{stack}/{place}": i for i, (stack, place) in enumerate(sorted(places))}
    return {re.sub(r"\d+/\d+", lambda found: str(order[found[0]]), key): value for key, value in weights.items()}


def turned(key: str, value: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
    """Give a weight our shape: norms are a row, and a decoder that is a linear layer becomes a convolution.

    (C·size, K) -> (K, C, size); the encoder's weight (K, C, size) says how large C is.
    Taught on: book/architectures/conv_tasnet
    """
    if key == "decoder.weight" and value.ndim == 2 and "encoder.weight" in weights:
        C = weights["encoder.weight"].shape[1]
        return value.T.unflatten(1, (C, -1)).contiguous() if value.shape[0] % C == 0 else value
    return value.flatten() if value.ndim == 3 and value.shape[::2] == (1, 1) else value


def without_end(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return zeros for what the last block would hand on: nobody hears it, and torchaudio leaves it out.

    Taught on: book/architectures/conv_tasnet
    """
    blocks = [int(found[1]) for key in weights if (found := re.match(r"network\.blocks\.(\d+)\.out\.", key))]
    if not blocks:
        return {}
    last, next_one = (f"network.blocks.{i}.out." for i in (max(blocks), max(blocks) + 1))
    parts = ("weight", "bias")
    return {next_one + part: torch.zeros_like(weights[last + part]) for part in parts if last + part in weights}
