"""Where the samples lie in files made of chunks: WAV, RF64, Wave64, AIFF, CAF.

A chunk is a name, a size and so many bytes. The size of the samples is written last; recorders and pipes that
never come to that leave 0 or the largest number there, and a copy that broke off has fewer bytes than it says.
"""

from typing import NamedTuple

UNKNOWN = 0x7FFF_0000  # bytes: a 32-bit size of at least this much was never written
WAVE = {(1, 8): "PCM_U8", (1, 16): "PCM_16", (1, 24): "PCM_24", (1, 32): "PCM_32"}  # by (format, bits)
WAVE |= {(3, 32): "FLOAT", (3, 64): "DOUBLE", (6, 8): "ALAW", (7, 8): "ULAW"}
AIFF = {(b"NONE", 8): "PCM_S8", (b"NONE", 16): "PCM_16", (b"NONE", 24): "PCM_24", (b"NONE", 32): "PCM_32"}
AIFF |= {(b"fl32", 32): "FLOAT", (b"FL32", 32): "FLOAT", (b"fl64", 64): "DOUBLE", (b"FL64", 64): "DOUBLE"}
AIFF |= {(b"twos", bits): subtype for (_, bits), subtype in AIFF.items() if subtype.startswith("PCM")}


class Format(NamedTuple):
    """How samples are stored: `subtype` and `endian` as soundfile names them, `rate` in Hz, `block` bytes a frame."""

    subtype: str | None
    endian: str
    rate: int
    channels: int
    block: int


class Samples(NamedTuple):
    """Where samples lie: from byte `start` on, `there` bytes, of the `claimed` ones (None: not written down)."""

    format: Format
    start: int
    there: int
    claimed: int | None

    @property
    def frames(self):
        """Whole frames that are there."""
        return self.there // self.format.block

    @property
    def lost(self):
        """Seconds that the header promises and the file lacks."""
        missing = 0 if self.claimed is None else max(0, self.claimed - self.there)
        return missing / self.format.block / self.format.rate


def find(file, size):
    """The Samples of a file of chunks; None where it is no such file, or says nothing useful."""
    file.seek(0)
    head = file.read(40)
    if head[:4] in (b"RIFF", b"RF64", b"BW64", b"RIFX") and head[8:12] == b"WAVE":
        return _walk(file, size, 12, _riff, "BIG" if head[:4] == b"RIFX" else "LITTLE")
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return _walk(file, size, 12, _riff, "BIG")
    if head[:4] == b"riff" and head[24:28] == b"wave":
        return _walk(file, size, 40, _wave64, "LITTLE")
    return None


def _riff(head, endian):
    """(name, bytes of the head, bytes of the chunk) of a chunk of RIFF and AIFF."""
    return head[:4], 8, int.from_bytes(head[4:8], endian.lower())


def _wave64(head, endian):
    """The same for Wave64, whose sizes have eight bytes and count the head."""
    return head[:4], 24, int.from_bytes(head[16:24], "little") - 24


def _walk(file, size, at, read, endian):
    """Step from chunk to chunk up to the samples."""
    kind, long = None, None
    while at + 8 <= size:
        file.seek(at)
        head = file.read(24)
        name, width, length = read(head, endian)
        at += width
        if name in (b"data", b"SSND"):
            return _samples(file, size, at, name, length, kind, long, endian)
        if name == b"fmt ":
            kind = _wave_format(file, at, endian)
        elif name == b"COMM":
            kind = _aiff_format(file, at, length)
        elif name == b"ds64":
            file.seek(at + 8)
            long = int.from_bytes(file.read(8), "little")
        elif length < 0 or not _is_name(name):
            return None
        at = _next(file, size, at + length, 8 if width == 24 else 2)
    return None


def _next(file, size, at, multiple):
    """Where the next chunk begins: chunks are filled up to an even number, which some writers forget."""
    padded = at + -at % multiple
    if padded != at:
        file.seek(at)
        data = file.read(5)
        if _is_name(data[:4]) and not _is_name(data[1:5]):
            return at
    return padded


def _is_name(name):
    return len(name) == 4 and all(32 <= byte < 127 for byte in name)


def _samples(file, size, at, name, claimed, kind, long, endian):
    if kind is None or not kind.block or not kind.rate:
        return None
    if claimed >= 0xFFFF_FFFF and long:
        claimed = long
    if name == b"SSND":
        file.seek(at)
        offset = 8 + int.from_bytes(file.read(4), "big")
        at, claimed = at + offset, max(0, claimed - offset)
    there = max(0, size - at)
    unknown = claimed <= 0 and not _chunks_follow(file, at, size, endian)
    if unknown or (claimed > there and claimed >= UNKNOWN - 8 and claimed != long):
        return Samples(kind, at, there, None)
    return Samples(kind, at, min(there, claimed), claimed)


def _chunks_follow(file, at, size, endian):
    """Whether chunks fill the rest of the file: then a size of 0 is meant."""
    while at + 8 <= size:
        file.seek(at)
        name, width, length = _riff(file.read(8), endian)
        if not _is_name(name):
            return False
        at += width + length + length % 2
    return at - 1 <= size


def _wave_format(file, at, endian):
    file.seek(at)
    data, order = file.read(40), endian.lower()
    tag, channels, rate, _, block, bits = (
        int.from_bytes(data[place : place + width], order)
        for place, width in ((0, 2), (2, 2), (4, 4), (8, 4), (12, 2), (14, 2))
    )
    if tag == 0xFFFE and len(data) >= 26:  # extensible: the real one comes later
        tag = int.from_bytes(data[24:26], order)
    subtype = WAVE.get((tag, bits)) if block == channels * -(-bits // 8) else None
    return Format(subtype, endian, rate, channels, block)


def _aiff_format(file, at, length):
    file.seek(at)
    data = file.read(22)
    channels, bits = int.from_bytes(data[0:2], "big"), int.from_bytes(data[6:8], "big")
    exponent, mantissa = int.from_bytes(data[8:10], "big") & 0x7FFF, int.from_bytes(data[10:18], "big")
    rate = round(mantissa * 2.0 ** (exponent - 16383 - 63)) if exponent < 16383 + 32 else 0
    code = data[18:22] if length >= 22 else b"NONE"
    if code == b"sowt":
        return Format("PCM_16" if bits == 16 else None, "LITTLE", rate, channels, channels * 2)
    return Format(AIFF.get((code, bits)), "BIG", rate, channels, channels * -(-bits // 8))
