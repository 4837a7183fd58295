"""Files of published weights: downloaded, compared with their hash, read as numbers, laid into a network."""

import hashlib
import re
from pathlib import Path
from urllib.error import URLError

import torch
from torch import Tensor, nn

LEFT_OVER = ("sample_rate", "stft.window", "transform.0.window")  # of Open-Unmix' older files; not weights
SIGNS = {  # a weight that tells what a file holds
    "fc1.weight": "a target of Open-Unmix",
    "conv2d/kernel": "Spleeter, as TensorFlow names it",
    "lstm.lstm.weight_ih_l0_reverse": "Demucs",
    "lstm.lstm.weight_ih_l0": "the denoiser",
    "encoder.0.0.weight": "Demucs",
    "separator.network.0.gamma": "Conv-TasNet for music, as Demucs' package names it",
    "mask_generator.input_norm.weight": "Conv-TasNet, as torchaudio names it",
    "masker.bottleneck.0.gamma": "Conv-TasNet, as Asteroid names it",
    "tag_encoder.0.0.weight": "Hybrid Demucs",
}


class PublishedError(ValueError):
    """Published weights that cannot be had, or are of another system. Taught on: book/architectures/open_unmix."""


def fetched(address: str, folder: Path, progress: bool = True, sha256: str = "") -> Path:
    """Return the file of an address, downloaded unless it is in the folder (or given itself), once its hash is right.

    `sha256` is the hash, or its first digits; without it, the name ends in them. Raises PublishedError, also where
    nobody has published a hash and none is given. Taught on: book/architectures/open_unmix
    """
    name = address.rpartition("/")[2]
    path = folder if folder.is_file() else folder / name
    named = re.search(r"[-_]([0-9a-f]{8,64})\.", name)
    digits = (sha256 or (named[1] if named else "")).lower()
    if not re.fullmatch("[0-9a-f]{8,64}", digits):
        raise PublishedError(
            f"{address}: no hash of this file is published. Find out its SHA-256 from somebody whom you trust (or load "
            "the file, look at it, and take `sha256sum` of that), and give it as sha256='…', 8 digits or more"
        )
    if not path.is_file():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            torch.hub.download_url_to_file(address, str(path), progress=progress)
        except (URLError, OSError) as error:
            reason = getattr(error, "reason", error)
            raise PublishedError(
                f"{address}: cannot be downloaded ({reason}). Is there a network? Or load the file elsewhere and put "
                f"it into {folder}"
            ) from None
    check_hash(path, digits)
    return path


def check_hash(path: Path, digits: str) -> None:
    """Raise PublishedError unless the SHA-256 of a file begins with these digits.

    Taught on: book/architectures/open_unmix
    """
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if not digest.startswith(digits):
        raise PublishedError(
            f"{path}: not the file that was published: its SHA-256 begins with {digest[: len(digits)]}, not {digits}. "
            "It is damaged or another one; remove it and call again"
        )


def numbers_of(path: Path, inside: str = "") -> dict[str, Tensor]:
    """Read a file of PyTorch that holds named tensors and nothing else; `inside`: under this name, beside plain values.

    Raises PublishedError. Taught on: book/architectures/open_unmix
    """
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # of many kinds; whatever breaks, it is the file
        said = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise PublishedError(
            f"{path}: holds more than numbers, or is damaged, and is not opened ({said[:200]}). Expected the weights "
            "of one network, as torch.save(model.state_dict(), …) writes them"
        ) from None
    weights = found.get(inside) if inside and isinstance(found, dict) else found
    if not isinstance(weights, dict) or not all(isinstance(value, Tensor) for value in weights.values()):
        holds = ", ".join(map(str, list(found)[:5])) if isinstance(found, dict) else type(found).__name__
        expected = f"named weights under {inside!r}" if inside else "named weights of one network"
        raise PublishedError(f"{path}: expected {expected}, but it holds {holds}")
    return {key: value for key, value in weights.items() if key not in LEFT_OVER}


def looks_like(keys) -> str:
    """Say what weights of these names look like; nothing where that is not known.

    Taught on: book/architectures/open_unmix
    """
    return next((f" It looks like {what}." for sign, what in SIGNS.items() if sign in keys), "")


def fill(network: nn.Module, weights: dict[str, Tensor], path, given=None) -> None:
    """Copy weights into a network of the same names and shapes. Raises PublishedError that names what does not fit.

    `given` holds the names as they stood in the file, where they were others. Taught on: book/architectures/open_unmix
    """
    own = network.state_dict()
    for key, value in own.items():  # how many batches a norm has seen is not needed, and old files do not say it
        if key.endswith("num_batches_tracked"):
            weights = {key: torch.zeros_like(value), **weights}
    kind = type(network).__name__
    if own.keys() != weights.keys():
        key = min(own.keys() ^ weights.keys())
        wrong = f"has no weight {key!r}" if key in own else f"has a weight {key[:80]!r} that {kind} does not have"
        looks = looks_like(weights if given is None else given)
        raise PublishedError(f"{path}: not the published weights of {kind}: it {wrong}.{looks}")
    for key, value in own.items():
        if value.shape != weights[key].shape:
            raise PublishedError(
                f"{path}: weight {key!r} is {tuple(weights[key].shape)}, but this {kind} expects {tuple(value.shape)}: "
                "published weights of another size. Choose among the sets of sepbook.architectures.published"
            )
        low = 0 if key.endswith("running_var") else -torch.inf
        if not weights[key].isfinite().all() or (weights[key] < low).any():
            raise PublishedError(f"{path}: weight {key!r} holds NaN, infinity or a variance below 0: a damaged file")
    network.load_state_dict(weights)
