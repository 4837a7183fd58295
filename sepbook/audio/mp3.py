"""Where the sound lies in an MP3, found by walking over all of its frames.

An MP3 is a row of frames of 1152, 576 or 384 samples, each with its size in its head. Before, between and after the
frames lie tags, and in some files padding, pictures or leavings of other programs. A file mostly begins with a
frame that holds no sound but the number of all others (Xing, Info or VBRI). Where that number is missing or wrong,
decoders guess, and stop too early; where files were joined, they stop at the end of the first.

So nothing is taken on trust: the frames are found and counted, and a file that is not plain is decoded through a
clean copy of its frames with the right number in front.
"""

from functools import lru_cache
from typing import NamedTuple

from sepbook.audio.spans import Part, Window, merge

RATES = (44_100, 48_000, 32_000)  # Hz of MPEG 1; MPEG 2 has half of them, MPEG 2.5 a quarter
DIVISOR = {3: 1, 2: 2, 0: 4}  # by the two bits for the version: MPEG 1, 2, 2.5
KBPS = {  # by (is it MPEG 1?, layer)
    (True, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
TOLERATED = 0.1  # seconds that may be missing


class Frame(NamedTuple):
    """What the four bytes at the head of a frame say; `size` is 0 in the free format, which does not say it."""

    kind: tuple  # (version, layer, Hz): equal in all frames of one piece of sound
    channels: int
    samples: int
    size: int
    padding: int


@lru_cache(maxsize=8192)
def head(four):
    """The Frame that four bytes begin; None where they begin none."""
    if len(four) < 4 or four[0] != 255 or four[1] & 0xE0 != 0xE0:
        return None
    version, layer = four[1] >> 3 & 3, 4 - (four[1] >> 1 & 3)
    bits, rate = four[2] >> 4, four[2] >> 2 & 3
    if version == 1 or layer == 4 or bits == 15 or rate == 3 or four[3] & 3 == 2:
        return None
    hertz, kbps = RATES[rate] // DIVISOR[version], KBPS[version == 3, layer][bits]
    samples = 384 if layer == 1 else 1152 if version == 3 or layer == 2 else 576
    slot = 4 if layer == 1 else 1  # bytes: sizes are multiples of it
    padding = (four[2] >> 1 & 1) * slot
    size = samples // 8 * kbps * 1000 // hertz // slot * slot + padding if bits else 0
    return Frame((version, layer, hertz), 1 if four[3] >> 6 == 3 else 2, samples, size, padding)


class Walk:
    """The sound in an MP3: `runs` and `parts`, and `notes` on what lies between. `plain`: any decoder reads it right.

    `lost`: seconds that the file ought to have beyond those found, as its own count says.
    """

    def __init__(self, file, size):
        self._window, self._size = Window(file, size), size
        self.runs, self.notes, self.plain, self.lost = [], [], True, 0
        self._free = {}  # bytes of a frame of the free format, without padding, by its kind
        at = 0
        while at < size:
            at = self._frames(at) if self._begins(at) else self._between(at)
        self._judge()

    def _size_of(self, at, frame):
        """Bytes of a frame; in the free format the distance to the next head of its kind, which stays the same."""
        if frame.size:
            return frame.size
        if frame.kind in self._free:
            return self._free[frame.kind] + frame.padding
        data = self._window.at(at, 8192)
        alike = (k for k in range(24, len(data) - 4) if data[k] == 255 and _alike(head(data[k : k + 4]), frame))
        return next(alike, len(data))

    @property
    def parts(self):
        """The runs as Parts that a decoder can open."""
        return [run.part(self._window) for run in self.runs]

    def _begins(self, at):
        """Whether a frame begins here: one that is followed by two others like it, by a tag, or by the end."""
        frame = head(self._window.at(at, 4))
        if frame is None:
            return False
        for _ in range(2):
            at += self._size_of(at, frame)
            after = self._window.at(at, 128)
            if at == self._size or tag_length(after):
                return True
            following = head(after[:4])
            if following is None or following.kind != frame.kind:
                return False
            frame = following
            if at + self._size_of(at, frame) > self._size:
                return True  # the last frame, cut off
        return True

    def _frames(self, at):
        """Take frame after frame from here on; return where they end."""
        run = None
        while frame := head(self._window.at(at, 4)):
            size = self._size_of(at, frame)
            if not frame.size:
                self._free[frame.kind] = size - frame.padding
            if run is not None and not run.fits(frame):
                if not self._begins(at):
                    return at  # a damaged head
                run = None
            if at + size > self._size:
                self._cut(frame, at)
                return self._size
            count = _count(self._window.at(at, min(size, 256)), frame)
            if run is None or count:
                if run is None and count is None and self.runs and self.runs[-1].fits(frame):
                    run = self.runs[-1]  # sound goes on after what was skipped
                else:
                    run = Run(frame, count, self._window.at(at, size) if count else b"", at)
                    self.runs.append(run)
            if not count:
                run.add(at, size, frame)
            at += size
        return at

    def _cut(self, frame, at):
        self.plain = False
        if self.runs:
            seconds = frame.samples / frame.kind[2]
            self.notes.append(f"its last frame is cut off, so the last {seconds:.3f} s are left out")

    def _between(self, at):
        """Step over a tag, or over what is neither tag nor frame; return where it ends."""
        length = tag_length(self._window.at(at, 131_072))
        if length and at + length <= self._size and self._continues(at + length):
            self.plain = self.plain and (at == 0 or bool(self.runs))
            return at + length
        end = at + 10 if length else at + 1  # a tag whose size is wrong: look inside
        while end < self._size and not (self._begins(end) or self._is_tag(end)):
            end = self._window.find(255, end + 1, b"IATL")
        self.plain = False
        if self._window.holds_more_than_zeros(at, end):
            where = f"after {self._seconds():.2f} s of sound" if self.runs else "before the sound"
            self.notes.append(f"{end - at} bytes {where} are no MP3 frames and were skipped")
        return end

    def _is_tag(self, at):
        length = tag_length(self._window.at(at, 131_072))
        return bool(length) and at + length <= self._size

    def _continues(self, at):
        """Whether frames, another tag, padding or nothing follow here: if not, the size of the tag was wrong."""
        return at >= self._size or self._begins(at) or self._is_tag(at) or self._window.at(at, 1) == b"\0"

    def _seconds(self):
        return sum(run.samples / run.frame.kind[2] for run in self.runs)

    def _judge(self):
        """Compare what was found with what the file says of itself."""
        self.runs = [run for run in self.runs if run.frames]
        self.plain = self.plain and len(self.runs) == 1 and self.runs[0].counts_itself_rightly()
        if len(self.runs) > 1:
            self.notes.append(f"it holds {len(self.runs)} pieces of sound, which are read one after the other")
        for run in self.runs:
            missing = run.missing() * run.frame.samples / run.frame.kind[2]
            if missing <= TOLERATED:
                continue
            if run is self.runs[-1] and run.is_shorter_than_its_header_says():
                self.lost = missing
            else:
                self.notes.append(f"a header in it counts {run.count.frames} frames, but {run.frames} are there")


class Count(NamedTuple):
    """What a frame that holds no sound says of the others, and where in it the number stands (None: not at all)."""

    frames: int
    bytes: int
    place: int | None


class Run:
    """Frames of one kind that belong together."""

    def __init__(self, frame, count, first, at):
        self.frame, self.count, self.frames, self.samples = frame, count, 0, 0
        self._first, self._ranges, self._start = first, [], at

    def fits(self, frame):
        """Whether a frame has the same rate, layer and channels."""
        return _alike(frame, self.frame)

    def add(self, at, size, frame):
        """Take one more frame."""
        merge(self._ranges, at, at + size)
        self.frames += 1
        self.samples += frame.samples

    def counts_itself_rightly(self):
        """Whether a header says how many frames there are, and all of them lie together."""
        stated = self.count is not None and self.count.place is not None
        return stated and self.count.frames == self.frames and len(self._ranges) == 1

    def missing(self):
        """Frames that the header counts and that are not there."""
        return self.count.frames - self.frames if self.count else 0

    def is_shorter_than_its_header_says(self):
        """Whether bytes are missing too: a count that is wrong by itself loses no sound."""
        there = self._ranges[-1][1] - self._start
        return not self.count.bytes or self.count.bytes > there * (1 + 2 / self.frames)

    def part(self, window):
        """The Part of the file that decodes to this run: its frames behind a frame with their number."""
        if self.frame.kind[1] != 3 or not self.frame.size:
            return Part(b"", tuple(self._ranges), self.samples)
        frames, first = self.frames.to_bytes(4, "big"), self._first
        if self.count and self.count.place is not None:
            at = self.count.place
            total = len(first) + sum(end - start for start, end in self._ranges)
            size = total.to_bytes(4, "big") if self.count.bytes else first[at + 4 : at + 8]
            first = first[:at] + frames + size + first[at + 8 :]
        else:
            first = _header_frame(window.at(self._ranges[0][0], 4), frames)
        return Part(first, tuple(self._ranges), self.samples)


def _alike(one, other):
    return (
        one is not None
        and one.kind == other.kind
        and one.channels == other.channels
        and (bool(one.size) == bool(other.size))
    )


def _side_bytes(frame):
    """Bytes of the side information of layer III, after which Xing and Info stand."""
    if frame.kind[0] == 3:
        return 17 if frame.channels == 1 else 32
    return 9 if frame.channels == 1 else 17


def _count(data, frame):
    """The Count in the first bytes of a frame; None where it holds sound."""
    if frame.kind[1] != 3:
        return None
    for at in (4 + _side_bytes(frame), 6 + _side_bytes(frame)):
        if data[at : at + 4] in (b"Xing", b"Info"):
            flags = int.from_bytes(data[at + 4 : at + 8], "big")
            frames = int.from_bytes(data[at + 8 : at + 12], "big") if flags & 1 else 0
            size = at + (12 if flags & 1 else 8)
            total = int.from_bytes(data[size : size + 4], "big") if flags & 2 else 0
            return Count(frames, total, at + 8 if flags & 1 else None)
    if data[36:40] == b"VBRI":
        return Count(int.from_bytes(data[50:54], "big"), int.from_bytes(data[46:50], "big"), None)
    return None


def _header_frame(four, count):
    """A frame without sound that tells decoders how many follow."""
    four = bytes([255, four[1] | 1, 9 << 4 | four[2] & 0b1100, four[3]])  # no checksum; large enough
    frame = head(four)
    return (four + bytes(_side_bytes(frame)) + b"Info" + bytes([0, 0, 0, 1]) + count).ljust(frame.size, b"\0")


def tag_length(data):
    """Bytes of the tag that begins here: ID3 (first and second edition), APE, Lyrics3; 0 where there is none."""
    if data[:3] == b"ID3" and len(data) >= 10 and data[3] < 255 and max(data[6:10]) < 128:
        size = sum(byte << shift for byte, shift in zip(data[6:10], (21, 14, 7, 0), strict=True))
        return 10 + size + (10 if data[5] & 16 else 0)
    if data[:4] == b"TAG+":
        return 227
    if data[:3] == b"TAG":
        return 128
    if data[:8] == b"APETAGEX" and len(data) >= 24:
        is_header = data[23] & 0x20
        return 32 + (int.from_bytes(data[12:16], "little") if is_header else 0)
    if data[:11] == b"LYRICSBEGIN":
        ends = [end for end in (data.find(b"LYRICS200"), data.find(b"LYRICSEND")) if end > 0]
        return min(ends) + 9 if ends else 0
    return 0
