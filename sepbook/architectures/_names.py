"""Names that become files, and formats that a sound can have: what every system is asked before it exists."""

import unicodedata

RATES = (100, 768_000)  # Hz
MOST_CHANNELS = 64
LONGEST_NAME = 100  # bytes
FORBIDDEN = set('/\\:*?"<>|')
RESERVED = {"con", "prn", "aux", "nul", "conin$", "conout$"} | {f"{p}{i}" for p in ("com", "lpt") for i in range(10)}


def check_source_names(names) -> tuple[str, ...]:
    """Return the names as a tuple; raise ValueError unless each can name a file, in its folder, on every computer.

    A name is printable text without ``/ \\ : * ? " < > |``, without a dot or blank at its ends, and none that Windows
    keeps for devices. No two may differ in capitals or in the way accents are coded only.
    """
    if isinstance(names, str) or not names or not all(isinstance(name, str) for name in names):
        raise ValueError(f"source_names is {str(names)[:60]!r}; expected a list of names, such as ('vocals', 'other')")
    seen = {}
    for name in names:
        plain = unicodedata.normalize("NFKC", name).casefold()
        wrong = (
            "is empty" if not name.strip() else
            "is too long" if len(name.encode(errors="replace")) > LONGEST_NAME else
            "holds a character that no file name can hold" if not name.isprintable() or set(name) & FORBIDDEN else
            "begins or ends with a dot or a blank" if name != name.strip(". ") else
            "is kept for a device by Windows" if plain.split(".")[0].strip() in RESERVED else
            f"cannot be told from {seen[plain]!r}" if plain in seen else ""
        )  # fmt: skip
        if wrong:
            raise ValueError(f"the source name {name[:60]!r} {wrong}; it becomes a file, so choose one like 'vocals'")
        seen[plain] = name
    return tuple(names)


def check_choices(config, **choices: tuple) -> None:
    """Raise ValueError unless each of these fields of a configuration is one of its choices."""
    for field, allowed in choices.items():
        if getattr(config, field) not in allowed:
            raise ValueError(f"{field} is {getattr(config, field)!r}; choose {' or '.join(map(repr, allowed))}")


def check_format(sample_rate: int, channels: int) -> None:
    """Raise ValueError for a sample rate or a number of audio channels that no sound has."""
    if not RATES[0] <= sample_rate <= RATES[1]:
        raise ValueError(f"sample_rate is {sample_rate}; expected {RATES[0]} to {RATES[1]} Hz, for example 16000")
    if not 1 <= channels <= MOST_CHANNELS:
        raise ValueError(f"channels is {channels}; expected 1 to {MOST_CHANNELS}: 1 is mono, 2 is stereo")
