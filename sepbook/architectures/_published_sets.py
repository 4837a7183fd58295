"""Which weights others have published for systems of this book: preset, fields, names, addresses, hashes.

Addresses and hashes were read in the packages that download the files, not compared with the files themselves: the
hash check does that when you load them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from sepbook.architectures._published_files import PublishedError

NOTHING = MappingProxyType({})


@dataclass(frozen=True)
class Published:
    """Weights that others trained: our preset, what differs from it, and where the files are.

    Taught on: book/architectures/open_unmix
    """

    preset: str
    changes: Mapping[str, Any] = field(default_factory=lambda: NOTHING)  # fields of the configuration
    files: Mapping[str, str] = field(default_factory=lambda: NOTHING)  # source name: address; "": one file for all
    layout: str = ""  # whose names the weights have: a key of _published_names.RULES; "": ours
    inside: str = ""  # where in the file they lie, beside plain values
    level: float | None = None  # dB at which it was trained (mean square); None: that of the book's own task
    sha256: str = ""  # of a file that has to be converted first; other files have it in their names, or nobody said it


def _zenodo(record: int, **names: str) -> dict[str, str]:
    """Addresses of files whose names end in the first eight digits of their SHA-256."""
    return {
        source: f"https://zenodo.org/records/{record}/files/{source}{ending}.pth" for source, ending in names.items()
    }


def _facebook(file: str) -> dict[str, str]:
    return {"": f"https://dl.fbaipublicfiles.com/{file}"}


_SPEECH = {"source_names": ("speech", "noise"), "sample_rate": 16000, "channels": 1, "n_fft": 1024, "hop": 512}
_WHOLE = {"normalize": "whole"}  # as the package does with a file; for a stream, ask for "running"
PUBLISHED = {  # the first of a system is its default
    "open_unmix": {
        "umxhq": Published(  # trained on MUSDB18-HQ
            "paper",
            files=_zenodo(3370489, vocals="-b62c91ce", drums="-9619578f", bass="-8d85a5bd", other="-b52fbbf7"),
        ),
        "umx": Published(  # trained on MUSDB18
            "paper",
            files=_zenodo(3370486, vocals="-c8df74a5", drums="-5a48008b", bass="-646024d3", other="-f8e132cc"),
        ),
        "umxl": Published(  # trained on more songs; for non-commercial use only
            "paper",
            {"hidden": 1024},
            _zenodo(5069601, vocals="-bccbd9aa", drums="-69e0ebd4", bass="-2ca1ce51", other="-c8c5b3e6"),
        ),
        "umxse": Published(  # speech and noise
            "paper", {**_SPEECH, "hidden": 256}, _zenodo(3786908, speech="_f5e0d9f9", noise="_04a6fc2d")
        ),
    },
    "spleeter": {name: Published(name) for name in ("4stems", "2stems", "5stems")},
    "conv_tasnet": {
        "music": Published("music", files=_facebook("demucs/v3.0/tasnet-beb46fac.th"), layout="music", level=0.0),
        "music_extra": Published(
            "music", files=_facebook("demucs/v3.0/tasnet_extra-df3777b2.th"), layout="music", level=0.0
        ),
        "libri2mix": Published(  # torchaudio's; no hash is published
            "paper",
            {"masks": "relu"},
            {"": "https://download.pytorch.org/torchaudio/models/conv_tasnet_base_libri2mix.pt"},
            "torchaudio",
        ),
        "asteroid": Published(  # trained on Libri2Mix, clean, 8 kHz; no hash is published
            "paper",
            {"masks": "relu", "size": 32, "pad": False},
            {"": "https://huggingface.co/JorisCos/ConvTasNet_Libri2Mix_sepclean_8k/resolve/main/pytorch_model.bin"},
            "asteroid",
            "state_dict",
        ),
    },
    "demucs": {
        "v2": Published("paper_v2", files=_facebook("demucs/v3.0/demucs-e07c671f.th"), layout="demucs", level=0.0),
        "v2_extra": Published(
            "paper_v2", files=_facebook("demucs/v3.0/demucs_extra-3646af93.th"), layout="demucs", level=0.0
        ),
        "v2_48": Published(  # trained on MUSDB18-HQ
            "paper_v2",
            {"width": 48},
            _facebook("demucs/v3.0/demucs48_hq-28a1282c.th"),
            "demucs",
            level=0.0,
        ),
        "v1": Published(
            "paper",
            files=_facebook("demucs/v2.0/demucs.th"),
            layout="demucs",
            level=0.0,
            sha256="f6c4148ba0dc92242d82d7b3f2af55c77bd7cb4ff1a0a3028a523986f36a3cfd",
        ),
        "v1_light": Published(
            "paper",
            {"width": 64},
            _facebook("demucs/v2.0/light.th"),
            "demucs",
            level=0.0,
            sha256="79d1ee3c1541c729c552327756954340a1a46a11ce0009dea77dc583e4b6269c",
        ),
    },
    "denoiser": {
        "dns48": Published("paper", _WHOLE, _facebook("adiyoss/denoiser/dns48-11decc9d8e3f0998.th"), "denoiser"),
        "dns64": Published(
            "paper", {**_WHOLE, "width": 64}, _facebook("adiyoss/denoiser/dns64-a7761ff99a7d5bb6.th"), "denoiser"
        ),
        "master64": Published(
            "paper", {**_WHOLE, "width": 64}, _facebook("adiyoss/denoiser/master64-8a5dfb4bb92753dd.th"), "denoiser"
        ),
    },
}


def entry_of(name: str, published: str) -> Published:
    """Return what is known of a set of weights. Raises PublishedError that lists all sets.

    Taught on: book/architectures/open_unmix
    """
    if published in PUBLISHED.get(name, ()):
        return PUBLISHED[name][published]
    known = "; ".join(f"{system}: {', '.join(sets)}" for system, sets in PUBLISHED.items())
    raise PublishedError(f"no published weights {published!r} of {name!r} can be read here. There are {known}")
