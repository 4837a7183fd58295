"""What the player is given, checked: versions of the same music, each of them a sum of stems.

Everything here is NumPy `(C, N)` float32. Torch tensors are taken in and let go at once.
"""

from dataclasses import dataclass

import numpy as np

MAX_SECONDS = 300
CEILING = 0.89  # highest sample we encode, -1 dB: MP3 overshoots a little


class PlayerError(ValueError):
    """The player was given something it cannot play. The message says what, and how to mend it."""


@dataclass(frozen=True)
class Version:
    """One version of the music, such as the estimates, the true stems or the mixture.

    ``whole`` is True when it came as one sound, not as stems; its only clip then bears the version's name.
    """

    name: str
    whole: bool
    clips: dict[str, np.ndarray]  # stem name -> samples (C, N)

    def total(self):
        """Return what is heard when every stem plays: samples (C, N)."""
        return mix(self.clips.values())


def mix(clips):
    """Return the sum of several clips `(C, N)`; a mono clip goes to both channels of a stereo sum."""
    clips = list(clips)
    channels = max(clip.shape[0] for clip in clips)
    return sum(np.broadcast_to(clip, (channels, clip.shape[1])) for clip in clips)


def read_versions(stems, rate, groups=None, name="stems"):
    """Check everything that `player` was given and return it as a list of `Version`.

    Raises PlayerError that names the stem.
    """
    if not isinstance(stems, dict) and stems is not None:
        raise PlayerError(
            f"stems must be a dictionary from name to samples (C, N), but it is {described(stems)}. "
            "Give each stem its name, for example dict(zip(system.source_names, estimates))."
        )
    versions = [read_version(*content) for content in split_mixture(stems or {}, name)]
    versions += [read_version(group, content) for group, content in (groups or {}).items()]
    if not versions:
        raise PlayerError("There is nothing to play: stems is empty. Give at least one name and its samples (C, N).")
    names = [version.name for version in versions]
    if len(set(names)) < len(names):
        raise PlayerError(f"Two versions bear the same name: {names}. Rename one of the groups, or set name=….")
    check_lengths(versions, rate)
    return versions


def split_mixture(stems, name):
    """Return ``stems`` as named contents: a "mixture" among other stems is a version of its own.

    It is the sum of the others, and would otherwise sound on top of them.
    """
    if "mixture" not in stems or len(stems) == 1:
        return [(name, stems)] if stems else []
    rest = {stem: samples for stem, samples in stems.items() if stem != "mixture"}
    return [("mixture", stems["mixture"]), (name, rest)]


def read_version(name, content):
    """Return one `Version`: from a dictionary of stems, or from one sound `(C, N)`."""
    name = str(name)
    if not isinstance(content, dict):
        return Version(name, True, {name: as_samples(content, f"'{name}'")})
    if not content:
        raise PlayerError(f"The group '{name}' is empty. Give it at least one stem, or leave it out.")
    clips = {str(stem): as_samples(value, f"stem '{stem}' of '{name}'") for stem, value in content.items()}
    return Version(name, False, clips)


def as_samples(value, where):
    """Return samples as float32 `(C, N)`, mono or stereo; `(N,)` counts as mono.

    Raises PlayerError for anything that is not finite floating-point audio of that shape.
    """
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        value = value.float() if value.is_floating_point() else value  # NumPy has no bfloat16
    samples = np.asarray(value)
    if samples.ndim == 1:
        samples = samples[np.newaxis]
    if samples.ndim != 2 or samples.size == 0:
        raise PlayerError(f"Samples must have the shape (C, N), but {where} is {described(value)}.")
    if samples.shape[0] > 2:
        hint = (
            "It looks like (N, C): turn it with .T"
            if samples.shape[1] <= 2
            else "sepbook.audio.remix(samples, 2) makes it stereo"
        )
        raise PlayerError(f"The player has one or two channels, but {where} is {described(samples)}. {hint}.")
    if not np.issubdtype(samples.dtype, np.floating):
        raise PlayerError(
            f"Samples are floating-point numbers from -1 to 1, but {where} holds {samples.dtype}. "
            "16-bit integers become floats by dividing by 32768."
        )
    bad = np.argwhere(~np.isfinite(samples))
    if len(bad):
        raise PlayerError(
            f"{where} holds {len(bad)} values that are not finite; the first is sample {bad[0][1]}, and it is "
            f"{samples[tuple(bad[0])]}. A loss or a mask that divides by zero is the usual cause."
        )
    return samples.astype(np.float32)


def check_lengths(versions, rate):
    """Raise PlayerError unless all clips have one length, and that length can be held by a browser."""
    lengths = {
        (f"{version.name}: {stem}" if stem != version.name else stem): clip.shape[1]
        for version in versions
        for stem, clip in version.clips.items()
    }
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{where} has {length}" for where, length in lengths.items())
        raise PlayerError(f"All stems must have the same number of samples, but {listed}. Cut them: samples[:, :N].")
    if isinstance(rate, bool) or not isinstance(rate, (int, float, np.number)) or not 1000 <= rate <= 768_000:
        raise PlayerError(f"rate is the number of samples per second, such as 16000, but it is {rate!r}.")
    seconds = next(iter(lengths.values())) / rate
    if seconds > MAX_SECONDS:
        raise PlayerError(
            f"The stems last {seconds:.0f} s, and a browser would have to hold all of them decoded. The player takes "
            f"at most {MAX_SECONDS} s: cut an excerpt first, for example samples[:, : 60 * rate]."
        )


def headroom(versions, ceiling=CEILING):
    """Return the factor <= 1 by which all versions are turned down so that nothing can clip.

    Muting can make a sum louder: two stems may cancel until one is gone. The loudest sum that any choice of
    stems can reach is, at each sample, the sum of all positive values, or of all negative ones.
    """
    peak = max(
        float(mix(np.maximum(sign * clip, 0) for clip in version.clips.values()).max())
        for version in versions
        for sign in (1, -1)
    )
    return 1.0 if peak <= ceiling else ceiling / peak


def described(value):
    """Say what a value is, for error messages: its type, and its shape where it has one."""
    shape = getattr(value, "shape", None)
    return f"a {type(value).__name__}" + (f" of shape {tuple(shape)}" if shape is not None else "")
