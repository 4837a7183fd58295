"""Where a recording holds speech: by its level, since nobody has written its phones down."""

import numpy as np

from tools.corpus.phones import PAUSE, SPEECH, Phone

SAMPLE_RATE = 16000
FRAME = 160  # samples: 10 ms
BELOW_LOUD = 38.0  # dB below the loud frames: quieter is silence
NOTHING = -90.0  # dB: quieter is silence in any recording


def sounding(samples):
    """Which frames (T,) of 10 ms sound: within ``BELOW_LOUD`` dB of the loud ones (the 95th percentile)."""
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME)
    level = 10 * np.log10((frames**2).mean(axis=1) + 1e-12)
    return level > max(NOTHING, np.percentile(level, 95) - BELOW_LOUD)


def spoken_part(samples):
    """A pause, the speech, a pause: phones for :func:`tools.corpus.talkers.finish` to cut at."""
    frames = np.flatnonzero(sounding(samples))
    length = len(samples) / SAMPLE_RATE
    if len(frames) == 0:
        raise ValueError("the recording is silent: no speech found in it")
    first, last = frames[0] * FRAME / SAMPLE_RATE, min(length, (frames[-1] + 1) * FRAME / SAMPLE_RATE)
    made = Phone(PAUSE, 0.0, first), Phone(SPEECH, first, last), Phone(PAUSE, last, length)
    return tuple(phone for phone in made if phone.end > phone.start)
