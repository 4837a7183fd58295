"""What must fail a strict build does fail it, with a message that says how to mend it."""

import json
import shutil

HTML_CELL = """
```{{code-cell}} ipython3
from IPython.display import HTML
HTML('<img alt="A picture" src="{{{{SEPBOOK_STATIC}}}}/{kind}/{name}">')
```
"""


def test_a_failing_cell_fails_the_build(tiny):
    tiny.page("index", "```{code-cell} ipython3\n1 / 0\n```")
    status, printed = tiny.build()
    assert status != 0
    assert "index.md" in printed and "ExecutionError" in printed


def test_the_site_shows_labs_as_they_ran(tiny, lab):
    tiny.page("index", "A page.\n\n```{lab} tiny\n:cpu: a\n:gpu: b\n:hear: c\n```")
    tiny.write("notebooks/tiny.ipynb", lab.replace("raise RuntimeError('a lab ran during the build')", "print(6 * 7)"))
    status, printed = tiny.build(SEPBOOK_SITE="1")
    assert status == 0, printed[-3000:]
    page = tiny.html("notebooks/tiny")
    assert "one run of this lab" in page and ">42\n" in page


def test_pages_run_side_by_side(tiny):
    meet = (
        "```{{code-cell}} ipython3\nimport pathlib, time\npathlib.Path('{0}').touch()\n"
        "give_up = time.time() + 600\nwhile not pathlib.Path('{1}').exists():\n"
        "    assert time.time() < give_up, 'the other page did not start'\n    time.sleep(0.1)\n```"
    )
    tiny.page("index", meet.format("here.txt", "there.txt"))
    tiny.page("other", meet.format("there.txt", "here.txt"))
    status, printed = tiny.build()
    assert status == 0 and printed.count("Executed notebook in") == 2 and printed.count("Using cached notebook") == 2


def test_every_mistake_in_a_directive_fails_the_build_and_is_named(tiny, lab):
    tiny.write("results/a.json", json.dumps({"x": {"y": 1.5, "z": "word"}}))
    tiny.page(
        "index",
        "\n\n".join(
            [
                "{result}`nothing.json:x|.1f`",
                "{result}`a.json:x.w|.1f`",
                "{result}`a.json:x.z|.1f`",
                "{result}`a.json`",
                "```{result} a.json:x.y\n```",
                "```{result} a.json:x\n:head: one\n```",
                "```{lab} nowhere\n:cpu: a\n:gpu: b\n:hear: c\n```",
                "```{lab} tiny\n:cpu: a\n```",
                "```{explorer} nothing\nWords.\n```",
                "```{player} test/no_such_song\n```",
                "```{explorer} player\n```",
                "```{explorer} player\n:state: {level}\n\nWords.\n```",
                "```{fold-end}\n```",
                "```{fold-start} A fold\n```\n\n## A heading",
            ]
        ),
    )
    tiny.write("notebooks/tiny.ipynb", lab)
    status, printed = tiny.build()
    assert status != 0
    for message in [
        "there is no file results/nothing.json",
        "results/a.json has no 'w' at x; there is: y, z",
        "cannot print 'word' as '.1f'",
        "needs a file and a key",
        "a table needs a mapping or a list of mappings",
        ":head: has 1 columns, the table has 2",
        "there is no notebooks/nowhere.ipynb",
        "tiny: needs :gpu:, :hear:",
        "there is no sepbook/widgets/nothing.js",
        "split 'test' has no song 'no_such_song'; there is:",
        "the body is empty",
        ":state: is not JSON",
        "{fold-end} without its {fold-start} in the same section",
        "{fold-start} without its {fold-end} in the same section",
    ]:
        assert message in printed, message


def test_a_sound_or_picture_that_is_not_there_fails_the_build(tiny):
    body = HTML_CELL.format(kind="audio", name="0123.mp3") + HTML_CELL.format(kind="figures", name="4567.png")
    tiny.page("index", body)
    status, printed = tiny.build()
    assert status != 0
    assert "asks for audio/0123.mp3" in printed and "asks for figures/4567.png" in printed


def test_stored_outputs_older_than_their_sounds_fail_the_build(tiny):
    cell = HTML_CELL.format(kind="audio", name="0123.mp3")
    write = "import os, pathlib\n(pathlib.Path(os.environ['SEPBOOK_BOOK_AUDIO']) / '0123.mp3').write_bytes(b'x')\n"
    tiny.page("index", cell.replace("from IPython", write + "from IPython"))
    assert tiny.build()[0] == 0
    for folder in ("html", ".doctrees", "audio"):
        shutil.rmtree(tiny.folder / "_build" / folder)
    status, printed = tiny.build()
    assert status != 0 and "Delete the folder _build and build again" in printed


def test_a_broken_link_and_an_unknown_source_fail_the_build(tiny):
    tiny.page("index", "[nowhere](missing.md) and {cite}`nobody1900nothing` and [there](#no-such-heading)")
    status, printed = tiny.build()
    assert status != 0
    for name in ("missing.md", "nobody1900nothing", "no-such-heading"):
        assert name in printed
