"""Songs in the layouts of MUSDB18, made by ffmpeg where there is one."""

import shutil
import subprocess

import pytest
import torch

from sepbook import audio
from sepbook.data.musdb import STREAMS

needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
RATE = 44_100


def stems(seed, seconds=0.5, rate=RATE):
    """Five sounds (C=2, N) by the names of the streams; the mixture is the sum."""
    generator = torch.Generator().manual_seed(seed)
    found = {name: 0.1 * torch.randn(2, round(seconds * rate), generator=generator) for name in STREAMS[1:]}
    return {"mixture": sum(found.values())} | found


def write_stem_file(path, sounds, codec=("alac",), rates=(), options=()):
    """Write sounds as the streams of one .stem.mp4; `alac` keeps 16 bits exactly, `aac` is what MUSDB18 has."""
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = path.with_suffix(".parts")
    command = ["ffmpeg", "-nostdin", "-v", "error", "-y"]
    for k, (name, samples) in enumerate(sounds.items()):
        audio.save(folder / f"{name}.wav", samples, rates[k] if rates else RATE)
        command += ["-i", str(folder / f"{name}.wav")]
    for k in range(len(sounds)):
        command += ["-map", str(k)]
    subprocess.run([*command, "-c:a", *codec, *options, "-f", "mp4", str(path)], check=True)
    shutil.rmtree(folder)
    return path


def write_folder(folder, sounds, rate=RATE):
    """Write sounds as one song of MUSDB18-HQ."""
    for name, samples in sounds.items():
        audio.save(folder / f"{name}.wav", samples, rate)
    return folder
