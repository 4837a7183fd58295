"""The training replay: a slider over moments of one training run, each of which can be heard and seen.

Like the stem player it is one page module, ``training_replay.js``, with two hosts: a page of the book, where sounds and
pictures are files, and a notebook, where anywidget hands them over. Nothing is trained here: a run that stopped to look
at itself gave the sounds.

Taught on: book/first_separation
"""

from functools import cached_property

from . import _picture
from ._content import decode, encode, keep
from ._hosts import Hosted
from ._versions import PlayerError, as_samples

__all__ = ["TrainingReplay", "training_replay"]


def training_replay(stages, rate, loss, title=""):
    """Return an explorer of the stages of one training run.

    - ``stages``: one dict for each, in order: ``{"name", "steps", "improvement", "sounds"}``. ``sounds`` are the
      estimates `(1, N)` by source, all of one length; ``improvement`` is what the page says beside them, in dB, by
      source. ``steps`` is None where a stage has no place in the run: the shipped weights, or the true stems. Then
      ``improvement`` may be None too
    - ``rate``: samples per second
    - ``loss``: the loss of each step of the run
    - ``title``: shown above it

    Raises PlayerError that says what is wrong with the stages. Taught on: book/first_separation
    """
    return TrainingReplay(stages, rate, loss, title)


class TrainingReplay(Hosted):
    """What `training_replay` returns: a page element in the book, a widget in a notebook."""

    module, element, prefix, sheets = "training_replay", "replay", "ex", ("explorer",)

    def __init__(self, stages, rate, loss, title=""):
        self.stages, self.loss = read_stages(stages, len(loss)), [round(float(value), 5) for value in loss]
        self.rate, self.title = round(rate), str(title)

    def __repr__(self):
        return f"<TrainingReplay '{self.title}': {', '.join(stage['name'] for stage in self.stages)}>"

    @cached_property
    def content(self):
        """``(spec, files)``: what there is as JSON data, and the bytes of each file by name. Made once."""
        from sepbook.plots import colour

        files, sources = {}, list(self.stages[0]["sounds"])
        heard = [{s: keep(files, *encode(x, self.rate)) for s, x in stage["sounds"].items()} for stage in self.stages]
        drawn = draw(heard, files, self.rate, {source: colour(source, i) for i, source in enumerate(sources)})
        told = ({key: stage[key] for key in ("name", "steps", "improvement")} for stage in self.stages)
        spec = {
            "title": self.title,
            "rate": self.rate,
            "seconds": next(iter(self.stages[0]["sounds"].values())).shape[1] / self.rate,
            "hertz": _picture.limits(self.rate),
            "sources": sources,
            "loss": self.loss,
            "stages": [{**t, "audio": a, "pictures": p} for t, a, p in zip(told, heard, drawn, strict=True)],
        }
        return spec, files

    def fallback(self, spec, where):
        """Return the browser's own players of the first source."""
        source = spec["sources"][0]
        return self.native([(f"{stage['name']}: {source}", where[stage["audio"][source]]) for stage in spec["stages"]])


def draw(heard, files, rate, colours):
    """Return for each stage the name of each source's picture; the levels of a source compare over all stages."""
    powers = [
        {s: _picture.power_spectrogram(decode(files[name]).mean(0), rate, rows=96) for s, name in stage.items()}
        for stage in heard
    ]
    most = {source: max(float(stage[source].max()) for stage in powers) for source in colours}
    return [
        {s: keep(files, _picture.picture(power, most[s], colours[s]), "png") for s, power in stage.items()}
        for stage in powers
    ]


def read_stages(stages, steps):
    """Return the stages with their sounds as float32 `(1, N)`. Raises PlayerError. Taught on: book/first_separation."""
    if len(stages) < 2:
        raise PlayerError(f"A replay needs two stages at least, but there is {len(stages)}.")
    read = []
    for stage in stages:
        where = f"stage '{stage['name']}'"
        sounds = {s: as_samples(x, f"'{s}' of {where}") for s, x in stage["sounds"].items()}
        if stage["steps"] is not None and not 0 <= stage["steps"] <= steps:
            raise PlayerError(f"{where} is after {stage['steps']} steps, but the run has {steps} losses.")
        if list(sounds) != list(read[0]["sounds"] if read else sounds):
            raise PlayerError(f"{where} has {', '.join(sounds)}, the first stage {', '.join(read[0]['sounds'])}.")
        read.append({**stage, "sounds": sounds})
    sizes = {x.shape for stage in read for x in stage["sounds"].values()}
    if len(sizes) > 1 or sizes.pop()[0] != 1:
        raise PlayerError("All sounds of a replay must be mono and of one length, (1, N).")
    return read
