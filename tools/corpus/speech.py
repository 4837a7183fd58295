"""What the speakers will say for the corpus: known before anything is rendered, so that it can be said together."""

from tools.corpus import palette, talkers, voice
from tools.corpus import plan as plans


def sung():
    """(speaker, text, stretch) of every line of every song."""
    for plan in plans.plans():
        speaker = palette.SINGERS[plan.split][plan.singer][0]
        yield from ((speaker, line, voice.STRETCH) for line in plan.lyric)


def said():
    """(speaker, text, stretch) of every utterance of every talker."""
    for split in talkers.COUNTS:
        for index, talker in enumerate(talkers.talkers(split)):
            yield from ((talker.voice, text, talker.pace) for text in talkers.texts(split, index))
