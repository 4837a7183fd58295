"""Decoded sound that stays in memory, up to a limit.

Taught on: book/data/corpus
"""

from collections import OrderedDict


class Cache:
    """Decoded stems, up to a number of bytes; the one not used for longest goes first."""

    def __init__(self, limit):
        self.limit, self.bytes, self._kept = limit, 0, OrderedDict()

    def get(self, key):
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key)

    def put(self, key, samples):
        self._kept[key] = samples
        self.bytes += samples.nbytes
        while self.bytes > self.limit:
            self.bytes -= self._kept.popitem(last=False)[1].nbytes

    def __getstate__(self):
        return {"limit": self.limit, "bytes": 0, "_kept": OrderedDict()}  # a new process decodes for itself
