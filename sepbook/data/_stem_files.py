"""What is particular about MUSDB18: five streams of sound in one file, and 14 songs of `train` that are to choose by.

Taught on: book/data/musdb
"""

ENDING = ".stem.mp4"
STREAMS = ("mixture", "drums", "bass", "other", "vocals")  # the order of the streams in a file
VALIDATION = (  # the songs that the musdb package holds out of `train` (musdb 0.4.3, configs/mus.yaml)
    "ANiMAL - Rockshow",
    "Actions - One Minute Smile",
    "Alexander Ross - Goodbye Bolero",
    "Clara Berry And Wooldog - Waltz For My Victims",
    "Fergessen - Nos Palpitants",
    "James May - On The Line",
    "Johnny Lokke - Promises & Lies",
    "Leaf - Summerghost",
    "Meaxic - Take A Step",
    "Patrick Talbot - A Reason To Leave",
    "Skelpolu - Human Mistakes",
    "Traffic Experiment - Sirens",
    "Triviul - Angelsaint",
    "Young Griffo - Pennies",
)


def is_stem_file(path):
    """Whether a path has the ending of a file of five streams."""
    return path.name.casefold().endswith(ENDING)


def stream_of(path, name):
    """Which stream of a file holds a stem: a number for a .stem.mp4, None for a file of one sound."""
    return STREAMS.index(name) if is_stem_file(path) else None


def title(path):
    """The name of a song: that of its folder, or of its file without the ending."""
    return path.name[: -len(ENDING)] if is_stem_file(path) else path.name


def tracks_in(entries):
    """Of the entries of a folder those that are songs in one file: a dict from title to a dict of stems."""
    return {title(path): dict.fromkeys(STREAMS, path) for path in entries if is_stem_file(path) and path.is_file()}


def held_out(entries):
    """Those titles of a folder `train` that MUSDB18 holds out for validation; none where it is another data set."""
    return {title(path) for path in entries} & set(VALIDATION)
