"""What is said of sound that cannot be used, and of files from which something was left out.

Taught on: book/how_to_read
"""


class AudioError(ValueError):
    """An audio file or signal that cannot be used. The message names the file and says how to mend it.

    Taught on: book/how_to_read
    """


class AudioWarning(UserWarning):
    """A file was read, but not every byte of it is sound: the message names the file and what was left out.

    Taught on: book/how_to_read
    """
