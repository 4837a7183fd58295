"""The stem player: every stem of a piece of music on one clock, to be soloed, muted and compared.

It is one page module, ``player.js``, with two hosts. In a notebook, anywidget hands it the sounds from the
kernel. In the book there is no kernel: the sounds are files, and ``host.js`` hands it their addresses. Both get
the same two things::

    spec    what there is: title, length, rows (one per stem), versions (mixture, estimates, true stems …)
    files   where its bytes are: {file name: bytes or address}

Taught on: book/how_to_read
"""

from functools import cached_property

from ._content import build
from ._hosts import Hosted
from ._versions import PlayerError, read_versions

__all__ = ["Player", "PlayerError", "player", "player_html"]


def player(stems, rate, title="", groups=None, name="stems"):
    """Return a player of several stems that start together and stay together.

    - ``stems``: a dictionary from name to samples `(C, N)`, mono or stereo, tensors or arrays. A stem called
      "mixture" is taken as the sum of the others: it can be chosen instead of them
    - ``rate``: samples per second
    - ``title``: shown above the player
    - ``groups``: further versions to compare with, by name: each a dictionary of stems, or one sound `(C, N)` such
      as the mixture. ``stems`` may then be empty. The first version is the one that plays at the start
    - ``name``: what ``stems`` itself is called beside the groups

    For example::

        player({}, 16000, groups={"mixture": mixture, "estimates": estimates, "true stems": sources})

    The sounds are encoded when the player is first shown. Raises PlayerError, which names the stem.

    Taught on: book/how_to_read
    """
    return Player(stems, rate, title, groups, name)


class Player(Hosted):
    """What `player` returns: notebooks show it as a widget, the book as a page element with its files."""

    module, element, prefix = "player", "player", "sp"

    def __init__(self, stems, rate, title="", groups=None, name="stems"):
        self.versions = read_versions(stems, rate, groups, name)
        self.rate, self.title = round(rate), str(title)

    def __repr__(self):
        versions = "; ".join(f"{version.name}: {', '.join(version.clips)}" for version in self.versions)
        return f"<Player '{self.title}' at {self.rate} Hz, {versions}>"

    @cached_property
    def content(self):
        """``(spec, files)``: what there is as JSON data, and the bytes of each file by name. Made once."""
        return build(self.versions, self.rate, self.title)

    def fallback(self, spec, where):
        """Return the browser's own players, one for each sound."""
        clips = ((version, clip) for version in spec["versions"] for clip in version["clips"])
        return self.native((label(version, clip, spec), where[clip["audio"]]) for version, clip in clips)


def label(version, clip, spec):
    """Return what a clip is called on a page: its stem, and its version where there are several."""
    if version["whole"] or len(spec["versions"]) == 1:
        return clip["row"]
    return f"{clip['row']} ({version['name']})"


def player_html(stems, rate, title="", groups=None, name="stems", audio=None, figures=None):
    """Return the player as HTML for a page of the book, and write its sounds and pictures as files.

    Arguments as in `player`. ``audio`` and ``figures`` are the folders for sounds and pictures, by default those
    that the environment variables SEPBOOK_BOOK_AUDIO and SEPBOOK_BOOK_FIGURES name. Addresses begin with the
    placeholder ``{{SEPBOOK_STATIC}}``, which the book's extension resolves. Raises PlayerError as `player` does.

    Taught on: book/how_to_read
    """
    return Player(stems, rate, title, groups, name).html(audio, figures)
