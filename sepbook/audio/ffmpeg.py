"""What libsndfile cannot read comes from ffmpeg, where that is installed, piece by piece."""

import shutil
import subprocess
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryFile

import numpy as np

INSTALL = "apt install ffmpeg, brew install ffmpeg, winget install ffmpeg, or conda install ffmpeg"
# Containers of sound and video, and none that names other files (playlists, lists of parts, scripts).
CONTAINERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,asf,aac,mp3,ogg,flac,wav,w64,aiff,caf,au,ac3,eac3,dts,amr,ape,wv,tta,"
    "mpegts,mpeg,avi,flv,dsf,mpc,mpc8,tak,oma,gsm,truehd,aa,rm,voc,iff,shn,loas,rso,sox"
)
CUT = ("partial file", "moov atom not found", "truncat", "end of file")


class Stopped(Exception):
    """ffmpeg could not go on; the message is its own last word."""


def installed():
    """Whether there is an ffmpeg to call."""
    return shutil.which("ffmpeg") is not None


class Process:
    """Sound that ffmpeg decodes: `rate`, `channels`, and `read`, as float32 samples (frames, C).

    A file may hold several streams of sound; `stream` counts them from 0.

    No shell, no network, no other file than this one, whatever the file says.
    """

    def __init__(self, path, stream=0):
        source = f"file:{Path(path).absolute()}"
        command = ["ffmpeg", "-nostdin", "-v", "error", "-protocol_whitelist", "file,pipe"]
        command += ["-format_whitelist", CONTAINERS, "-i", source, "-map", f"0:a:{stream}"]
        command += ["-f", "wav", "-c:a", "pcm_f32le", "-bitexact", "pipe:1"]
        self._said = TemporaryFile()
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._said, start_new_session=True
        )
        try:
            self._read_head()
        except BaseException:
            self.close()
            raise

    def _read_head(self):
        """The head of the WAV that ffmpeg sends: it says rate and channels; its sizes are not known yet."""
        head = self._process.stdout.read(12)
        name = b""
        while head and name != b"data":
            head = self._process.stdout.read(8)
            name, size = head[:4], int.from_bytes(head[4:8], "little")
            if name == b"fmt ":
                found = self._process.stdout.read(size)
                self.channels = int.from_bytes(found[2:4], "little")
                self.rate = int.from_bytes(found[4:8], "little")
            elif name != b"data" and head:
                self._process.stdout.read(size)
        if not head:
            raise Stopped(self.complaint() or "no sound in it")

    def read(self, frames):
        """The next samples (up to `frames`, C); fewer at the end."""
        data = self._process.stdout.read(frames * self.channels * 4)
        whole = len(data) - len(data) % (self.channels * 4)
        found = np.frombuffer(bytearray(data[:whole]), "<f4").reshape(-1, self.channels)
        if len(found) < frames:
            self._check_end()
        return found

    def complaint(self):
        """The first line that ffmpeg wrote about an error, without its address in memory; empty where it is content."""
        lines = self._words().splitlines()
        return lines[0].rpartition("] ")[2].strip().rstrip(".") if lines else ""

    def _words(self):
        self._process.wait()
        self._said.seek(0)
        return self._said.read().decode(errors="replace").strip()

    def _check_end(self):
        said = self._words().lower()
        if self._process.returncode or any(word in said for word in CUT):
            raise Stopped(self.complaint() or f"ffmpeg ended with {self._process.returncode}")

    def close(self):
        """End the process, wherever it is."""
        self._process.kill()
        self._process.stdout.close()
        self._process.wait()
        self._said.close()


@lru_cache(maxsize=4096)
def count(path, stamp, stream=0):
    """Frames in a file, found by decoding it; `stamp` is what changes when the file does."""
    process = Process(path, stream)
    try:
        total = 0
        while found := len(process.read(1 << 18)):
            total += found
        return total
    finally:
        process.close()
