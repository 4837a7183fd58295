"""A listening test in the page: ABX (can you tell two sounds apart?) and a small MUSHRA (how good is each of several?).

Like the stem player it is one page module, ``listening_test.js``, with two hosts: a page of the book, where the sounds
are files, and a notebook, where anywidget hands them over. Which sound is which is drawn in the browser and shown at
the end; answers stay in the browser until the listener saves them as CSV, which `sepbook.evaluation.answers` reads.
The sounds travel as 16-bit WAV: a lossy file would add errors of its own to those that are to be judged.

Taught on: book/evaluation/listening_test
"""

import html
from functools import cached_property

from ._content import keep, loudness
from ._hosts import Hosted, native_player
from ._versions import PlayerError, as_samples
from .mask_painter import wav

__all__ = ["ListeningTest", "abx", "mushra"]

MAX_SECONDS = 12  # longer sounds are forgotten before they are compared
SPREAD = 0.5  # LU: sounds that differ by more in loudness are told apart by it
TRIALS = 10
MOST = 9  # sounds of one MUSHRA trial: each has a digit


def abx(pairs, rate, title="", trials=TRIALS, scores=None):
    """Return an ABX test: the listener hears A, B and X, and says each time which of the two X is.

    - ``pairs``: what may be compared, by title: each a dictionary of two sounds, from name to mono samples `(1, N)`
      or `(N,)`, all of one length, the two of a pair equally loud
    - ``rate``: samples per second
    - ``title``: shown above it
    - ``trials``: how many trials are proposed; the listener may choose another number before the first
    - ``scores``: SI-SDR in dB by pair and sound, written into the CSV beside the answers

    Raises PlayerError that names the pair and the sound. Taught on: book/evaluation/listening_test
    """
    if isinstance(trials, bool) or not isinstance(trials, int) or not 1 <= trials <= 100:
        raise PlayerError(f"trials is the number of trials of a test, from 1 to 100, but it is {trials!r}.")
    for name, sounds in _checked(pairs, "pairs").items():
        if len(sounds) != 2:
            raise PlayerError(f"A pair has two sounds, but '{name}' has {len(sounds)}: {', '.join(map(str, sounds))}.")
    return ListeningTest("abx", pairs, rate, title, scores, trials)


def mushra(items, rate, title="", scores=None):
    """Return a small MUSHRA: the listener rates several versions of one passage, among them the reference, hidden.

    - ``items``: the passages, by title: each a dictionary of three to nine sounds, from name to mono samples `(1, N)`
      or `(N,)`, all of one length and equally loud. The first is the reference: it is offered openly, and once more
      among the others under its own name. All items have the same names
    - ``rate``, ``title``, ``scores``: as in `abx`

    Raises PlayerError that names the item and the sound. Taught on: book/evaluation/listening_test
    """
    names = {name: tuple(sounds) for name, sounds in _checked(items, "items").items()}
    if len(set(names.values())) > 1:
        listed = "; ".join(f"{name}: {', '.join(map(str, sounds))}" for name, sounds in names.items())
        raise PlayerError(f"All items must have the same sounds in the same order, but they have {listed}.")
    for name, sounds in names.items():
        if not 3 <= len(sounds) <= MOST:
            raise PlayerError(f"An item has 3 to {MOST} sounds, the reference first, but '{name}' has {len(sounds)}.")
    return ListeningTest("mushra", items, rate, title, scores, len(names))


class ListeningTest(Hosted):
    """What `abx` and `mushra` return: a page element in the book, a widget in a notebook."""

    module, element, prefix = "listening_test", "listening", "lt"

    def __init__(self, kind, items, rate, title="", scores=None, trials=TRIALS):
        self.kind, self.rate, self.title, self.trials = kind, round(rate), str(title), trials
        self.items = read_items(items, rate)
        self.levels = check_levels(self.items, self.rate)
        self.scores = scores or {}

    def __repr__(self):
        return f"<ListeningTest '{self.title}' ({self.kind}): {', '.join(self.items)}, at {self.rate} Hz>"

    @cached_property
    def content(self):
        """``(spec, files)``: what there is as JSON data, and the bytes of each file by name. Made once."""
        files = {}
        items = [
            {"name": name, "sounds": [self._sound(name, each, files) for each in sounds]}
            for name, sounds in self.items.items()
        ]
        length = next(iter(next(iter(self.items.values())).values())).shape[-1]
        spec = {
            "kind": self.kind,
            "title": self.title,
            "rate": self.rate,
            "seconds": length / self.rate,
            "trials": self.trials,
            "spread": max(0.01, round(max(max(row.values()) - min(row.values()) for row in self.levels.values()), 2)),
            "items": items,
        }
        return spec, files

    def _sound(self, item, name, files):
        """Return one sound as JSON data, and put its samples among the files."""
        score = self.scores.get(item, {}).get(name)
        file = keep(files, wav(self.items[item][name][0], self.rate), "wav")
        return {"name": str(name), "file": file, "si_sdr": None if score is None else round(float(score), 2)}

    def fallback(self, spec, where):
        """Return what readers without JavaScript see: the sounds under their names, for others would be no test."""
        listed = [
            native_player(f"{item['name']}: {sound['name']}", where[sound["file"]])
            for item in spec["items"]
            for sound in item["sounds"]
        ]
        words = "A blind test needs JavaScript. Without it, here are the sounds under their names."
        return (
            f'<noscript><p class="{self.prefix}-words">{html.escape(words)}</p>'
            f'<ul class="{self.prefix}-native">{"".join(listed)}</ul></noscript>'
        )


def _checked(items, what):
    """Return a dictionary of dictionaries, or raise PlayerError."""
    if not isinstance(items, dict) or not items or not all(isinstance(each, dict) for each in items.values()):
        raise PlayerError(f"{what} must be a dictionary from title to a dictionary of sounds, with at least one title.")
    return items


def read_items(items, rate):
    """Return all sounds as mono `(1, N)` by item and name.

    Raises PlayerError unless they are of one length, short, finite, and free of clipping.
    Taught on: book/evaluation/listening_test
    """
    read = {
        str(item): {str(name): as_samples(x, f"'{name}' of '{item}'") for name, x in sounds.items()}
        for item, sounds in items.items()
    }
    flat = {f"'{name}' of '{item}'": x for item, sounds in read.items() for name, x in sounds.items()}
    shapes = {x.shape for x in flat.values()}
    if len(shapes) > 1 or next(iter(shapes))[0] != 1:
        listed = ", ".join(f"{where} {x.shape}" for where, x in flat.items())
        raise PlayerError(f"All sounds must be mono and of one length, (1, N), but they are: {listed}.")
    if (seconds := next(iter(shapes))[1] / rate) > MAX_SECONDS:
        raise PlayerError(f"The sounds last {seconds:.1f} s. Cut out {MAX_SECONDS} s at most.")
    loud = [where for where, x in flat.items() if abs(x).max() > 1]
    if loud:
        raise PlayerError(f"{loud[0]} has samples above 1 and would clip. Turn all sounds of the test down alike.")
    return read


def check_levels(items, rate):
    """Return the loudness of all sounds in LUFS by item and name.

    Raises PlayerError where one is silent or the sounds of one item differ by more than half a unit.
    Taught on: book/evaluation/listening_test
    """
    levels = {item: {name: loudness(x, rate) for name, x in sounds.items()} for item, sounds in items.items()}
    for item, row in levels.items():
        silent = [name for name, level in row.items() if level is None]
        if silent:
            raise PlayerError(f"'{silent[0]}' of '{item}' is silent: choose a passage in which it sounds.")
        low, high = min(row, key=row.get), max(row, key=row.get)
        if row[high] - row[low] > SPREAD:
            raise PlayerError(
                f"In '{item}', '{high}' is {row[high] - row[low]:.1f} LU louder than '{low}', and would be told by "
                "that. Make them equally loud first: sepbook.evaluation.listening.match_loudness(sounds, rate)."
            )
    return levels
