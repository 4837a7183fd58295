"""The one kind of error that sound gives.

Taught on: book/how_to_read
"""


class AudioError(ValueError):
    """An audio file or signal that cannot be used. The message names the file and says how to mend it.

    Taught on: book/how_to_read
    """
