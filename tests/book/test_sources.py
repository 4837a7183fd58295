"""A page runs again when something changes that it imports, quotes or names, and for nothing else."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from book_sources import ROOT, pages
from sepbook_sources import Sources, cells

FILES = {
    "requirements.txt": "torch==1.0\n",
    "sepbook/__init__.py": "",
    "sepbook/leaf.py": "import math\n",
    "sepbook/middle.py": "def f():\n    from sepbook import leaf\n    return leaf\n",
    "sepbook/relative/__init__.py": "from . import inner\n",
    "sepbook/relative/inner.py": "from ..late import x\n",
    "sepbook/late.py": "from importlib import import_module\nx = lambda: import_module('sepbook.leaf')\n",
    "sepbook/typed.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from sepbook.leaf import f\n",
    "sepbook/told.py": '"""See `sepbook.leaf` and how it reads "songs.json"."""\n',
    "sepbook/architectures/__init__.py": "def create(name): ...\ndef names(): ...\n",
    "sepbook/architectures/unet.py": "from sepbook.middle import f\n",
    "sepbook/architectures/unet_conditioned.py": "",
    "sepbook/architectures/wave.py": "",
    "sepbook/shapes/__init__.py": "",
    "sepbook/data/__init__.py": "",
    "sepbook/data/corpus.py": "",
    "sepbook/assets/corpus/songs/one.ogg": "sound",
    "sepbook/assets/weights/unet_small.safetensors": "weights",
    "sepbook/assets/weights/wave_small.safetensors": "weights",
    "sepbook/assets/weights/manifest.json": "[]",
    "sepbook/masks.py": "WEIGHTS = 'assets/weights/wave_small.safetensors'\n",
    "sepbook/widgets/__init__.py": "",
    "sepbook/widgets/paint.py": "HOST = 'static/host.js'\n",
    "sepbook/widgets/paint.js": 'import { a } from "./paint_draw.js";\nimport {\n  b,\n} from "./shared/sound.js";\n',
    "sepbook/widgets/paint.css": '@import "./shared/tokens.css";\n',
    "sepbook/widgets/paint_draw.js": "",
    "sepbook/widgets/host.js": "",
    "sepbook/widgets/deep/turn.py": "",
    "sepbook/widgets/deep/turn.css": "",
    "sepbook/widgets/deep/turn.js": 'import "../shared/sound.js";\n',
    "sepbook/widgets/shared/sound.js": "",
    "sepbook/widgets/shared/tokens.css": "",
    "sepbook/widgets/player.py": "",
    "sepbook/widgets/player.js": "",
    "results/losses/songs.json": "{}",
    "results/bench/songs.json": "{}",
    "results/bench/speed.json": "{}",
    "tools/run.py": "",
}


def cell(code):
    return f"```{{code-cell}} ipython3\n:tags: [hide-input]\n\n{code}\n```\n"


# What the page holds; what it depends on besides requirements.txt and packages on the way.
PAGES = {
    "an import": (cell("import sepbook.leaf"), {"sepbook/leaf.py"}),
    "an import in a function": (cell("from sepbook import middle"), {"sepbook/middle.py", "sepbook/leaf.py"}),
    "a relative import": (
        cell("import sepbook.relative"),
        {"sepbook/relative/__init__.py", "sepbook/relative/inner.py", "sepbook/late.py", "sepbook/leaf.py"},
    ),
    "an attribute": (cell("import sepbook\nsepbook.middle.f()"), {"sepbook/middle.py", "sepbook/leaf.py"}),
    "for the type checker": (cell("import sepbook.typed"), {"sepbook/typed.py"}),
    "named in words only": (cell("import sepbook.told"), {"sepbook/told.py"}),
    "IPython's own lines": (cell("%matplotlib inline\n!ls\nimport sepbook.leaf"), {"sepbook/leaf.py"}),
    "a fence of four": ("````{code-cell}\n---\ntags: [a]\n---\nimport sepbook.leaf\n````", {"sepbook/leaf.py"}),
    "a system by its name": (
        cell("from sepbook.architectures import create\ncreate('unet')"),
        {"sepbook/architectures/__init__.py", "sepbook/architectures/unet.py", "sepbook/middle.py", "sepbook/leaf.py"}
        | {"sepbook/assets/weights/unet_small.safetensors"},
    ),
    "all systems": (
        cell("from sepbook import architectures\narchitectures.names()"),
        {f"sepbook/architectures/{name}.py" for name in ("__init__", "unet", "unet_conditioned", "wave")}
        | {"sepbook/middle.py", "sepbook/leaf.py"},
    ),
    "no system": (cell("import sepbook.architectures"), {"sepbook/architectures/__init__.py"}),
    "weights of a module": (
        cell("import sepbook.masks"),
        {"sepbook/masks.py", "sepbook/assets/weights/wave_small.safetensors"},
    ),
    "a ledger": (
        "```{ledger} wave small\n```",
        {"sepbook/architectures/__init__.py", "sepbook/architectures/wave.py", "sepbook/shapes/__init__.py"}
        | {"sepbook/assets/weights/wave_small.safetensors"},
    ),
    "a player": (
        "```{player} test/one\n```",
        {"sepbook/data/corpus.py", "sepbook/assets/corpus/songs/one.ogg"}
        | {"sepbook/widgets/player.py", "sepbook/widgets/player.js"},
    ),
    "a widget in a cell": (
        cell("from sepbook.widgets.paint import paint"),
        {f"sepbook/widgets/{name}" for name in ("paint.py", "paint.js", "paint.css", "paint_draw.js", "host.js")}
        | {"sepbook/widgets/shared/sound.js", "sepbook/widgets/shared/tokens.css"},
    ),
    "an explorer": (
        "```{explorer} turn\nWords.\n```",
        {"sepbook/widgets/deep/turn.js", "sepbook/widgets/deep/turn.css", "sepbook/widgets/shared/sound.js"},
    ),
    "quoted code": ("```{literalinclude} ../tools/run.py\n```", {"tools/run.py"}),
    "a result in a sentence": ("It takes {result}`bench/speed.json:a|.1f s`.", {"results/bench/speed.json"}),
    "a table of results": ("```{result} bench/speed.json:a\n```", {"results/bench/speed.json"}),
    "a result in a cell": (cell("read('results/losses/songs.json')"), {"results/losses/songs.json"}),
    "a result in pieces": (
        cell("root / 'losses' / 'songs.json'"),
        {"results/losses/songs.json", "results/bench/songs.json"},
    ),
    "a result named at run time": (cell("f'{name}.json'"), {name for name in FILES if name.startswith("results/")}),
    "code that cannot be read": (
        cell("a b c"),
        {name for name in FILES if name.startswith("results/") or name[0] == "s" and name.endswith(".py")},
    ),
    "nothing": ("Words about `sepbook.leaf` and `unet`.\n\n```python\nimport sepbook.leaf\n```", set()),
}  # fmt: skip
ON_THE_WAY = {name for name in FILES if name.endswith("__init__.py")}


@pytest.fixture
def tree(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize("kind", PAGES)
def test_the_key_changes_with_what_the_page_depends_on_and_with_nothing_else(tree, kind):
    text, expected = PAGES[kind]
    path = tree / "book" / "page.md"
    before = Sources(tree).key(path, text)
    assert Sources(tree).key(path, text) == before
    followed = set()
    for name, old in FILES.items():
        (tree / name).write_text(old + "\n# changed\n")
        followed |= {name} if Sources(tree).key(path, text) != before else set()
        (tree / name).write_text(old)
    assert {"requirements.txt", *expected} <= followed
    assert followed - expected - {"requirements.txt"} <= ON_THE_WAY


def test_a_new_file_and_a_new_name_change_the_key(tree):
    text = cell("import sepbook.late, sepbook.data.corpus")
    before = Sources(tree).key(tree / "book/page.md", text)
    (tree / "sepbook/assets/corpus/songs/one.ogg").rename(tree / "sepbook/assets/corpus/songs/two.ogg")
    after = Sources(tree).key(tree / "book/page.md", text)
    (tree / "sepbook/assets/corpus/songs/three.ogg").write_text("")
    assert len({before, after, Sources(tree).key(tree / "book/page.md", text)}) == 3


WATCH = """
import os, sys
opened = set()
def hook(event, arguments):
    if event == "open" and isinstance(arguments[0], str):
        opened.add(os.path.realpath(arguments[0]))
sys.addaudithook(hook)
os.environ["SEPBOOK_BOOK"] = "1"
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", os.environ.get("SEPBOOK_PAGES", "how_to_read losses/weighting").split())
def test_a_page_opens_nothing_that_its_key_does_not_know(name, tmp_path):
    """Run a page's cells and look at every file of the repository that they open."""
    path = ROOT / "book" / f"{name}.md"
    text = path.read_text(encoding="utf-8")
    code = [WATCH, "import matplotlib; matplotlib.use('agg')", "from IPython.display import display"]
    code += [*cells(text), f"print('OPENED', *(p for p in opened if p.startswith({str(ROOT)!r})), sep='\\n')"]
    environment = {**os.environ, "SEPBOOK_BOOK_AUDIO": str(tmp_path), "SEPBOOK_BOOK_FIGURES": str(tmp_path)}
    environment |= {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", "\n".join(code)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=path.parent)
    assert done.returncode == 0, done.stderr[-2000:]
    opened = {Path(line) for line in done.stdout.partition("OPENED\n")[2].splitlines()}
    mine = {p for p in opened if p.is_relative_to(ROOT) and p.relative_to(ROOT).parts[0] in ("sepbook", "results")}
    sources = {p for p in mine if "__pycache__" not in p.parts}
    assert len(sources) > 5 and sources <= Sources(ROOT).files(path, text)


def test_one_edit_runs_few_pages():
    """The promise of the design, on the real book: a leaf, a system, a style sheet, a result."""
    sources = Sources(ROOT)
    depends = {name: sources.files(ROOT / name, (ROOT / name).read_text(encoding="utf-8")) for name in pages()}
    executed = [name for name, files in depends.items() if len(files) > 1]

    def share(file):
        return sum(ROOT / file in files for files in depends.values()) / len(executed)

    assert share("sepbook/building_blocks/dropout.py") < 0.2
    assert share("sepbook/architectures/unet.py") < 0.7
    assert share("requirements.txt") >= 1
    for widget in ("activation", "convolution", "embedding"):
        (sheet,) = (ROOT / "sepbook" / "widgets").rglob(f"{widget}.css")
        assert 0 < share(sheet.relative_to(ROOT)) < 0.1
    assert 0 < share("results/losses/weighting.json") < 0.1


def test_the_networks_of_your_own_song_are_made_of_their_writer_and_all_that_it_imports():
    from sepbook_own_song import made_of

    found = {path.relative_to(ROOT).as_posix() for path in made_of(ROOT)}
    assert found >= {
        "tools/own_song/graph.py",  # the writer
        "sepbook/architectures/unet.py",
        "sepbook/building_blocks/convolution.py",  # the zeros around a kernel
        "sepbook/evaluation/separation.py",  # chunks, and how they are joined
        "sepbook/plots/style.py",  # colours of the stems
        "sepbook/assets/weights/manifest.json",
        "book/_ext/own_song/onnxruntime",
    }
    assert not {path for path in found if path.startswith(("sepbook/check", "sepbook/cli"))}
