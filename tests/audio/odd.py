"""Files as they are found in the field, made from sound files of our own."""

import subprocess

import soundfile
import torch

from sepbook import audio
from sepbook.audio import mp3

RATE, SECONDS = 44_100, 2.0


def sound(channels=2, rate=RATE, loud_first=True):
    """Noise and a soft tone, one after the other: frames of very different sizes. Shape (C, N)."""
    n = round(SECONDS * rate)
    time = torch.arange(n) / rate
    noise = 0.2 * torch.randn(channels, n, generator=torch.Generator().manual_seed(0))
    tone = 0.1 * torch.sin(2 * torch.pi * 330 * time).expand(channels, n)
    first = (time < SECONDS / 4) if loud_first else (time > SECONDS * 3 / 4)
    return (torch.where(first, noise, torch.zeros(())) + tone * (time > 0.5)).clamp(-0.99, 0.99)


def coded(path, mode="VARIABLE", channels=2, rate=RATE, level=0.5):
    """The bytes of an MP3 with its header frame."""
    options = {"bitrate_mode": mode, "compression_level": level}
    with soundfile.SoundFile(path, "w", rate, channels, "MPEG_LAYER_III", format="MP3", **options) as file:
        file.write(sound(channels, rate).T.numpy())
    return path.read_bytes()


def frames(data):
    """Where the frames of a clean MP3 lie, counted from its first byte without tags: [(start, end)]."""
    at, found = 0, []
    while frame := mp3.head(data[at : at + 4]):
        found.append((at, at + frame.size))
        at += frame.size
    return found


def bare(data):
    """Without the frame that counts the others."""
    return data[frames(data)[0][1] :]


def count_place(data):
    """Where the number of frames stands in the header frame."""
    return max(data.find(b"Xing"), data.find(b"Info")) + 8


def recounted(data, number, size=None):
    """With another number of frames in the header, and another number of bytes."""
    at = count_place(data)
    said = data[at + 4 : at + 8] if size is None else size.to_bytes(4, "big")
    return data[:at] + number.to_bytes(4, "big") + said + data[at + 8 :]


def vbri(data):
    """With a header of the kind that Fraunhofer's encoder writes."""
    start, end = frames(data)[0]
    total = len(frames(data)) - 1
    head = b"VBRI\0\1\0\0\0\0" + len(data).to_bytes(4, "big") + total.to_bytes(4, "big")
    return data[:4] + (bytes(32) + head).ljust(end - 4, b"\0") + data[end:]


def id3(size=500, version=3, flags=0, content=b""):
    """A tag as ID3v2 writes it, of zeros or of this content."""
    body = content.ljust(size, b"\0")
    n = len(body)
    return b"ID3" + bytes([version, 0, flags, n >> 21 & 127, n >> 14 & 127, n >> 7 & 127, n & 127]) + body


def ape(items=b"\x05\0\0\0\0\0\0\0Title\0Hello", header=True):
    """A tag as APEv2 writes it."""

    def end(is_header):
        flags = (1 << 31) | (is_header << 29)
        return b"APETAGEX" + b"".join(k.to_bytes(4, "little") for k in (2000, len(items) + 32, 1, flags)) + bytes(8)

    return (end(1) if header else b"") + items + end(0)


ID3V1 = b"TAG" + b"A song".ljust(125, b"\0")
LYRICS = b"LYRICSBEGINLYR00011La la la la " + b"000031LYRICS200"
JPEG = b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0" + bytes(range(256)) * 20 + b"\xff\xd9"


def ffmpeg(*options):
    """Run ffmpeg without a word."""
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *map(str, options)], check=True)


def ffmpeg_samples(path, channels):
    """What ffmpeg itself decodes: float32 (C, N)."""
    command = ["ffmpeg", "-v", "quiet", "-nostdin", "-i", str(path), "-map", "0:a:0", "-f", "f32le", "-"]
    raw = subprocess.run(command, capture_output=True).stdout
    return torch.frombuffer(bytearray(raw), dtype=torch.float32).reshape(-1, channels).T


def agrees(path):
    """Load a file; whatever else is asked about it gives the same length and the same samples."""
    samples, rate = audio.load(path)
    said = audio.info(path)
    assert (said.frames, said.sample_rate, said.channels) == (samples.shape[1], rate, samples.shape[0])
    assert torch.equal(torch.cat(list(audio.blocks(path, 0.37)), -1), samples)
    middle = samples.shape[1] // 3
    part = audio.load(path, start=middle, frames=5000)[0]
    assert part.shape == samples[:, middle : middle + 5000].shape
    return samples
