"""From espeak-ng's IPA to ARPAbet: what the tokens of a sentence sound like, and which frames are whose."""

from dataclasses import replace

from tools.corpus.phones import PAUSE, from_frames

# One phone may take several tokens: the longest entry that fits wins. Two marks say more about their neighbours.
IPA = {
    "iː": "iy", "i": "iy", "ɪ": "ih", "ᵻ": "ih", "ɨ": "ih", "ɛ": "eh", "ɛː": "eh", "e": "eh", "eː": "eh", "æ": "ae",
    "a": "ae", "aː": "aa", "ɑː": "aa", "ɑ": "aa", "ɒ": "aa", "ɔː": "ao", "ɔ": "ao", "oː": "ao", "o": "ow", "ʊ": "uh",
    "uː": "uw", "u": "uw", "ʌ": "ah", "ə": "ax", "ɐ": "ax", "ɚ": "er", "ɜː": "er", "ɜ": "er",
    "aɪ": "ay", "aʊ": "aw", "eɪ": "ey", "oʊ": "ow", "əʊ": "ow", "ɔɪ": "oy", "ɪə": "ih", "iə": "iy", "eə": "eh",
    "ʊə": "uh",
    "p": "p", "b": "b", "t": "t", "d": "d", "k": "k", "ɡ": "g", "f": "f", "v": "v", "θ": "th", "ð": "dh", "s": "s",
    "z": "z", "ʃ": "sh", "ʒ": "zh", "h": "hh", "tʃ": "ch", "dʒ": "jh", "ʧ": "ch", "ʤ": "jh", "ɾ": "dx", "ʔ": "t",
    "m": "m", "n": "n", "ŋ": "ng", "l": "l", "ɹ": "r", "w": "w", "j": "y",
}  # fmt: skip
STRESS = "ˈˌ"
MARKS = ",.;:!?"
SPACE = " "
EDGE = "\0"  # the silent token before and after a sentence
LONGEST_SPACE = 4  # frames: a longer space between words is a pause
LONGEST = max(map(len, IPA))


def split(tokens):
    """The pieces of a sentence, each (first token, number of tokens, ARPAbet name, "stress", "space" or "pau")."""
    pieces, at = [], 0
    while at < len(tokens):
        size, kind = piece(tokens, at)
        pieces.append((at, size, kind))
        at += size
    return pieces


def piece(tokens, at):
    """How many tokens from ``at`` on belong together, and what they are."""
    token = tokens[at]
    if token in STRESS:
        return 1, "stress"
    if token == SPACE:
        return 1, "space"
    if token in MARKS or token == EDGE:
        return 1, PAUSE
    for size in range(min(LONGEST, len(tokens) - at), 0, -1):
        if tokens[at : at + size] in IPA:
            return size, IPA[tokens[at : at + size]]
    raise ValueError(
        f"no ARPAbet name for {token!r} (U+{ord(token):04X}) in {tokens.strip(EDGE)!r}: "
        "add it to IPA in tools/corpus/engines/ipa.py"
    )


def phones(tokens, frames, seconds, lead=0.0):
    """Phones with times from a sentence's tokens, one character each, and the frames of each token.

    A stress mark belongs to the phone after it, a short space half to each neighbour. What is heard comes ``lead``
    seconds before its token.
    """
    if len(tokens) != len(frames):
        raise ValueError(f"{len(tokens)} tokens and {len(frames)} frame counts: expected one count per token")
    names, counts, owed = [], [], 0
    for first, size, kind in split(tokens):
        count = owed + int(sum(frames[first : first + size]))
        owed = 0
        if kind == "stress":
            owed = count
        elif kind == "space" and names and count <= LONGEST_SPACE and names[-1] != PAUSE:
            owed = count - count // 2
            counts[-1] += count // 2
        else:
            names.append(PAUSE if kind == "space" else kind)
            counts.append(count)
    return earlier(from_frames(names, counts, seconds), lead)


def earlier(phones, lead):
    """The same phones ``lead`` seconds sooner; the pause at the beginning gets shorter, the one at the end longer."""
    moved = [replace(p, start=max(0.0, p.start - lead), end=max(0.0, p.end - lead)) for p in phones]
    if moved and moved[-1].name == PAUSE:
        moved[-1] = replace(moved[-1], end=phones[-1].end)
    return tuple(p for p in moved if p.end > p.start)
