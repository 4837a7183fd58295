"""Pieces of a file that lie apart, and a clean copy of them that a decoder can open."""

from tempfile import NamedTemporaryFile
from typing import NamedTuple

PIECE = 1 << 20  # bytes that are looked at or copied at once


class Part(NamedTuple):
    """Sound in a larger file: `ranges` of its bytes, what is put in front and behind, and `samples` where known."""

    first: bytes
    ranges: tuple
    samples: int | None = None
    last: bytes = b""

    def copy(self, file):
        """A temporary file that holds this part alone; it goes when it is closed."""
        target = NamedTemporaryFile(prefix="sepbook-")
        target.write(self.first)
        for start, end in self.ranges:
            file.seek(start)
            while start < end and (piece := file.read(min(PIECE, end - start))):
                target.write(piece)
                start += len(piece)
        target.write(self.last)
        target.flush()
        return target


def merge(ranges, start, end):
    """Append a range to a list of them, or lengthen the last one where the two touch."""
    if ranges and ranges[-1][1] == start:
        ranges[-1] = (ranges[-1][0], end)
    else:
        ranges.append((start, end))


class Window:
    """Any bytes of a file of any size, of which a part is in memory."""

    def __init__(self, file, size):
        self._file, self._size = file, size
        self._start, self._data = 0, b""

    def at(self, place, count):
        """Up to `count` bytes from a place on: fewer at the end of the file."""
        first = place - self._start
        if first < 0 or (first + count > len(self._data) and self._start + len(self._data) < self._size):
            self._file.seek(place)
            self._data, self._start, first = self._file.read(max(PIECE, count)), place, 0
        return self._data[first : first + count]

    def find(self, byte, place, others=b""):
        """The first place from here on that holds a byte, or one of `others`; the end where there is none."""
        wanted = bytes([byte]) + others
        while place < self._size:
            data = self.at(place, 65_536)
            found = [at for each in wanted if (at := data.find(each)) >= 0]
            if found:
                return place + min(found)
            place += len(data) or self._size
        return self._size

    def holds_more_than_zeros(self, start, end):
        """Whether anything but zeros lies between two places."""
        while start < end:
            data = self.at(start, min(65_536, end - start))
            if data.strip(b"\0"):
                return True
            start += len(data) or end
        return False
