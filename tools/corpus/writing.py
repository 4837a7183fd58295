"""Files on disk: Ogg Vorbis stems, scores, talkers, checksums. A file whose sound did not change is left alone."""

import hashlib
import io
import json
import os
from pathlib import Path

import numpy as np
import soundfile

SAMPLE_RATE = 16000
COMPRESSION = {
    "vocals": 0.88,
    "drums": 0.9,
    "bass": 0.97,
    "other": 0.93,
    "talker": 0.9,
    "noise": 0.95,
}  # 0 large, 1 small
CEILING = 0.99


def encode(path, samples, compression):
    """Write samples (N,) as Ogg Vorbis to a path or an open file."""
    with soundfile.SoundFile(path, "w", SAMPLE_RATE, 1, "VORBIS", format="OGG", compression_level=compression) as file:
        file.write(samples)


def decode(path):
    """Samples (N,) int16 of a file: what the checksums are made of."""
    return soundfile.read(path, dtype="int16")[0]


def checksum(samples):
    """sha256 of int16 samples, little-endian."""
    return hashlib.sha256(np.ascontiguousarray(samples, dtype="<i2").tobytes()).hexdigest()


def write_audio(path, samples, kind):
    """Write one file, unless it is there and sounds the same. Returns (checksum, length)."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(f".{os.getpid()}.tmp")
    encode(fresh, samples, COMPRESSION[kind])
    decoded = decode(fresh)
    if len(decoded) != len(samples):
        raise RuntimeError(f"{path}: {len(samples)} samples went in, {len(decoded)} came out")
    if path.exists() and np.array_equal(decode(path), decoded):
        fresh.unlink()
    else:
        os.replace(fresh, path)
    return checksum(decoded), len(decoded)


def with_headroom(stems):
    """Turn a song down (all stems alike) until the sum of what the decoder gives back stays below ``CEILING``."""
    broken = [name for name, samples in stems.items() if not np.isfinite(samples).all()]
    if broken:  # with one the peak is never below the ceiling, and the loop would not end
        raise ValueError(f"stem {broken[0]!r} has samples that are not finite: look at what played it")
    while True:
        peak = np.abs(sum(through_the_codec(samples, COMPRESSION[name]) for name, samples in stems.items())).max()
        if peak <= CEILING:
            return stems
        stems = {name: samples * 0.98 * CEILING / peak for name, samples in stems.items()}


def through_the_codec(samples, compression):
    """What comes back of samples (N,) after Ogg Vorbis: the encoder may overshoot."""
    file = io.BytesIO()
    encode(file, samples, compression)
    file.seek(0)
    return soundfile.read(file)[0]


def write_json(path, data, compact=False):
    """Write JSON, compact or indented, with a final newline."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    options = {"separators": (",", ":")} if compact else {"indent": 1}
    path.write_text(json.dumps(data, ensure_ascii=False, **options) + "\n", encoding="utf-8")


def write_song(root, plan, stems, score):
    """Write the stems and the score of a song. Returns {relative path: (checksum, length)}."""
    folder = Path(root) / "songs" / plan.split / plan.name
    written = {}
    for name, samples in with_headroom(stems).items():
        path = folder / f"{name}.ogg"
        written[path.relative_to(root).as_posix()] = write_audio(path, samples, name)
    write_json(folder / "score.json", score, compact=True)
    return written


def write_checksums(root, written):
    """Write checksums.json: {path: {"sha256": of the decoded int16 samples, "bytes_sha256": of the file, "length"}}."""
    table = {}
    for path in sorted(written):
        digest, length = written[path]
        file_digest = hashlib.sha256((Path(root) / path).read_bytes()).hexdigest()
        table[path] = {"sha256": digest, "bytes_sha256": file_digest, "length": length}
    write_json(Path(root) / "checksums.json", table)
