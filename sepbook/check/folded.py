"""Code that is there to run and not to be read at a glance: the book's own answers in a class's copy of a lab.

Taught on: book/how_to_read
"""

import base64
import textwrap
import zlib

WIDTH = 76


def fold(source: str) -> str:
    """Return code as letters that nobody reads by chance. Taught on: book/how_to_read."""
    packed = base64.b85encode(zlib.compress(source.encode(), 9)).decode()
    return "\n".join(textwrap.wrap(packed, WIDTH))


def unfold(text: str) -> str:
    """Return the code that `fold` has been given. Taught on: book/how_to_read."""
    return zlib.decompress(base64.b85decode("".join(text.split()))).decode()
