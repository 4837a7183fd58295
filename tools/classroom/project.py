"""The template of the project (book/classroom/project): a notebook that runs, and asks the questions of the rubric."""

from pathlib import Path

from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools.classroom import labs
from tools.release import first_cell

INTRODUCTION = """# Project: one change, one prediction

Names:

The cells run as they are, with a wider network as the one change. Make it your own change, and answer what stands in
*italics*. The [rubric]({book}/book/classroom/project.html#rubric) says what counts."""
QUESTION = """## 1. Question and prediction

*What do you change, and nothing else? Which number will move, by how much, and why? Write this before the first run,
and leave it as it is afterwards.*"""
SETTINGS = """import json
import os
import shutil
from pathlib import Path

from sepbook.cli import main
from sepbook.data import corpus
from sepbook.evaluation.separation import separate
from sepbook.training import checkpoint
from sepbook.widgets.player import player

SEEDS = (0,)  # three or more before you claim anything
STEPS = min(350, int(os.environ.get("SEPBOOK_LAB_STEPS", 350)))
BASELINE = ["unet"]
VARIANT = ["unet", "--set", "widths=[32,56,88,144,192]"]  # your change: see `sepbook train --help`
RUNS = Path("runs")"""
TRAINING = """## 2. Train both alike

The same seeds, steps and data for the two. Whatever you choose, choose it on validation songs."""
TRAIN = """def trained(name, options, seed):
    folder = RUNS / f"{name}_{seed}"
    words = ["--steps", str(STEPS), "--seed", str(seed), "--out", str(folder), "--quiet"]
    assert main(["train", *options, *words]) == 0
    return folder / "weights.safetensors"


weights = {
    (name, seed): trained(name, options, seed)
    for name, options in {"baseline": BASELINE, "variant": VARIANT}.items()
    for seed in SEEDS
}"""
COMPARISON = """## 3. Compare

*A fair comparison: what differs between the two besides your change? If something does, say so.*"""
COMPARE = """from contextlib import redirect_stdout
from io import StringIO


def scores(path, split):
    said = StringIO()
    with redirect_stdout(said):
        assert main(["evaluate", "--weights", str(path), "--split", split, "--json", "--quiet"]) == 0
    return json.loads(said.getvalue())["scores"]["improvement"]


def table(split):
    for (name, seed), path in weights.items():
        found = scores(path, split)
        low, high = found["interval"]
        print(f"{name:9} seed {seed}  {found['mean']:6.2f} dB, songs like these: {low:.2f} to {high:.2f}")


table("valid")"""
ONCE = """## 4. The result: the test songs, once

Run this when everything else is decided. *Mean, interval, seeds, silent sources: what may you claim, and what not?*"""
TEST = 'table("test")'
LISTENING = """## 5. Listening

*Find an excerpt where number and ear agree, and one where they do not. Why?*"""
LISTEN = """song = corpus.songs("test")[0]
rate = song.sample_rate
sources = song.sources(start=5 * rate, length=5 * rate)
heard = {"mixture": sources.sum(0)}
for (name, seed), path in weights.items():
    system = checkpoint.load_weights(path)
    stem = list(system.source_names).index("vocals")
    heard[f"{name}, seed {seed}"] = separate(system, sources.sum(0), rate)[stem]
heard["true vocals"] = sources[song.stem_names.index("vocals")]
player({}, rate, "Vocals", groups=heard)"""
HANDING_IN = """## 6. Hand in

*What did you get wrong, and what would you do next?*

The cell below makes the folder that you hand in. Put this notebook into it, with its outputs."""
HAND_IN = """name, seed = "variant", SEEDS[0]  # the run that is to be scored on songs that nobody has heard
folder = Path("hand_in")
folder.mkdir(exist_ok=True)
print(shutil.copy(weights[name, seed], folder / "weights.safetensors"))"""
CELLS = (
    (INTRODUCTION, None),
    (None, first_cell),
    (QUESTION, SETTINGS),
    (TRAINING, TRAIN),
    (COMPARISON, COMPARE),
    (ONCE, TEST),
    (LISTENING, LISTEN),
    (HANDING_IN, HAND_IN),
)


def template(book: str | None = None):
    """Return the notebook that a group begins with. `book` is the address of the book that its links lead to."""
    cells = []
    for number, (words, code) in enumerate(CELLS):
        if words:
            cells.append(new_markdown_cell(words.replace("{book}", book or labs.site()), id=f"project-{number}-words"))
        if code:
            cells.append(new_code_cell(code() if callable(code) else code, id=f"project-{number}-code"))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel, "language_info": {"name": "python"}})


def write(out: Path, book: str | None = None) -> Path:
    """Write the template, and return where it is."""
    return labs.write(template(book), out / "project.ipynb")
