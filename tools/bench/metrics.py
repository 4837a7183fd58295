"""How long does it take to score a song of three minutes and four stems: SI-SDR, and BSS Eval? One thread."""

from time import perf_counter

import torch

from sepbook.evaluation.bss_eval import bss_eval
from sepbook.evaluation.metrics import si_sdr
from tools.bench._measure import threads

SECONDS = 180
SONGS = {"16000_mono": (4, 1, SECONDS * 16000), "44100_stereo": (4, 2, SECONDS * 44100)}  # (S, C, N)
LIMITS = {"16000_mono": 0.1, "44100_stereo": 0.5}  # seconds of SI-SDR
TIMES = 9


@threads(1)
def run() -> dict:
    found = {f"si_sdr_{name}": _si_sdr(shape) for name, shape in SONGS.items()}
    return found | {"bss_eval_16000_mono": _bss_eval(SONGS["16000_mono"]), "limits": LIMITS, "threads": 1}


def _song(shape: tuple[int, ...]) -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(0)
    sources = 0.1 * torch.randn(shape, generator=random)
    return sources + 0.03 * torch.randn(shape, generator=random), sources


def _si_sdr(shape: tuple[int, ...]) -> float:
    """Median seconds, once warm."""
    estimates, sources = _song(shape)
    si_sdr(estimates, sources)
    return sorted(_seconds(lambda: si_sdr(estimates, sources)) for _ in range(TIMES))[TIMES // 2]


def _bss_eval(shape: tuple[int, ...]) -> float:
    estimates, sources = _song(shape)
    return _seconds(lambda: bss_eval(estimates, sources, shape[-1] // SECONDS))


def _seconds(action) -> float:
    started = perf_counter()
    action()
    return perf_counter() - started
