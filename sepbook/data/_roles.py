"""What a file of a track is: a stem, the whole, or a sum of stems. Its name says it first, and then its sound.

A mixture that is taken for one more stem is added to the mixture: 6 dB too much, and every score is wrong.

Taught on: book/data/corpus
"""

import re

import numpy as np

USUAL_ORDER = ("vocals", "drums", "bass", "other")
WHOLE = {
    *("mix", "mixture", "mixed", "mixdown", "mixdowns", "fullmix", "finalmix", "stereomix", "mainmix", "rawmix"),
    *("master", "mastered", "mastering", "premaster", "full", "fullsong", "fulltrack", "whole", "song", "original"),
    *("originalmix", "bounce", "2mix", "twotrack", "stereo", "all", "everything", "complete", "sum", "linearmixture"),
}
SUMS = {
    *("accompaniment", "accompaniments", "instrumental", "instrumentals", "instrumentalmix", "karaoke", "novocals"),
    *("novocal", "novox", "novoice", "minusone", "minus1", "withoutvocals", "backingtrack", "playback", "drumless"),
    *("nodrums", "nobass", "noother", "residual", "rest", "music", "backing", "band", "acc", "inst", "musicbed"),
}
CERTAIN = SUMS - {"music", "backing", "band", "acc", "inst", "residual", "rest"}  # the others may be stems: by sound
RESIDUAL = -10.0  # dB: a file is a sum of others if no more than this is left of it
SECONDS, PIECES = 1.0, 5  # how much is looked at: pieces spread over the song
QUICK = (".wav", ".flac", ".ogg", ".mp3")  # a piece of these is read without what comes before it


def folded(name):
    """A name without case, blanks and dots, and without a number in front: "01 Full-Mix" is "fullmix"."""
    bare = re.sub(r"[\s_.\-()\[\]]+", "", name).casefold()
    without = re.sub(r"^\d+[\s_.\-]+", "", name.strip())
    short = re.sub(r"[\s_.\-()\[\]]+", "", without).casefold()
    return short if short in WHOLE | SUMS | set(USUAL_ORDER) else bare


def canonical(name):
    """The name of a stem: the usual four in small letters, whatever the spelling; others without blanks around."""
    return folded(name) if folded(name) in USUAL_ORDER else name.strip()


def is_whole(name):
    """Whether a name stands for the mixture."""
    return folded(name) in WHOLE


def sums(names):
    """Those of some names that stand for a sum of others: never where only one other would be left."""
    stems = [name for name in names if not is_whole(name)]
    certain = [name for name in stems if folded(name) in CERTAIN]
    return certain if len(stems) - len(certain) >= 2 else []


def explained(target, others):
    """How far a signal (N,) is a sum of others (S, N): what is left in dB, and which take part, each as it is.

    Gains are fitted, none below 0.
    """
    energy = float(target @ target)
    used = [k for k, other in enumerate(others) if other.any()]
    if energy <= 0 or not used:
        return 0.0, []
    while used:
        gains, *_ = np.linalg.lstsq(others[used].T, target, rcond=None)
        if gains.min() > 0:
            break
        used = [k for k, gain in zip(used, gains, strict=True) if gain > 0]
    if not used:
        return 0.0, []
    left = target - gains @ others[used]
    taking = [k for k, gain in zip(used, gains, strict=True) if gain**2 * float(others[k] @ others[k]) > 1e-3 * energy]
    return 10 * np.log10(max(float(left @ left) / energy, 1e-12)), taking


def distance(given, total):
    """How far a sum is from what it should be (N,): the level of the difference in dB, a common gain aside."""
    return explained(np.asarray(given, np.float64), np.asarray(total, np.float64)[None])[0]


def find_sum(stems):
    """Look whether one of the stems (name: samples (N,)) is two or more of the others together.

    Returns (its name, the names of the others, what is left in dB), or None.
    """
    names = list(stems)
    sound = np.stack([stems[name] for name in names]).astype(np.float64)
    for k in sorted(range(len(names)), key=lambda k: -float(sound[k] @ sound[k])):
        rest = [j for j in range(len(names)) if j != k]
        left, taking = explained(sound[k], sound[rest])
        if left < RESIDUAL and len(taking) >= 2:
            return names[k], [names[rest[j]] for j in taking], left
    return None
