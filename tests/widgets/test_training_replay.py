"""The training replay's Python side: what it accepts, what it writes, and what it hands to its two hosts."""

import html
import json
import re

import pytest
import torch

from sepbook.widgets._content import decode
from sepbook.widgets._hosts import bundle
from sepbook.widgets._versions import PlayerError
from sepbook.widgets.training_replay import training_replay
from tests.widgets.replay_stages import LOSS, PITCHES, RATE, stages


def test_each_stage_has_its_sounds_and_pictures():
    spec, files = training_replay(stages(), RATE, LOSS, "Try").content
    assert [stage["steps"] for stage in spec["stages"]] == [0, 20, None] and len(spec["loss"]) == len(LOSS)
    for i, stage in enumerate(spec["stages"]):
        for source, pitches in PITCHES.items():
            sound = torch.tensor(decode(files[stage["audio"][source]])[0, :RATE])
            assert abs(int(torch.fft.rfft(sound).abs().argmax()) - pitches[i]) <= 1
            assert files[stage["pictures"][source]].startswith(b"\x89PNG")
    assert len(files) == 12


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda three: three[:1], "two stages at least"),
        (lambda three: [three[0], {**three[1], "steps": 41}], "after 41 steps, but the run has 40"),
        (lambda three: [three[0], {**three[1], "sounds": {"vocals": torch.zeros(1, 24000)}}], "'20 steps' has vocals,"),
        (lambda three: [three[0], {**three[1], "sounds": {s: torch.zeros(1, 9) for s in PITCHES}}], "of one length"),
        (lambda three: [{**s, "sounds": {"vocals": torch.zeros(2, 99)}} for s in three], "mono"),
    ],
)
def test_what_cannot_be_replayed_is_refused(change, words):
    with pytest.raises(PlayerError, match=words):
        training_replay(change(stages()), RATE, LOSS)


def test_page_element_has_data_files_and_a_fallback(tmp_path):
    element = training_replay(stages(), RATE, LOSS, "Try <it>").html(tmp_path / "a", tmp_path / "f")
    data = json.loads(html.unescape(re.search(r'data-replay="([^"]*)"', element)[1]))
    written = [path.name for folder in ("a", "f") for path in (tmp_path / folder).iterdir()]
    assert sorted(written) == sorted(data["files"])
    assert element.count("<audio controls preload=") == 3 and "<it>" not in element
    assert 'class="sepbook-replay sepbook-shell"' in element and "0 steps" in repr(
        training_replay(stages(), RATE, LOSS)
    )


def test_a_notebook_gets_one_module_and_the_sheet():
    assert ".ex-root" in training_replay(stages(), RATE, LOSS).widget._css
    module = bundle("training_replay.js")
    assert "import " not in module and module.count("export default") == 1 and "http" not in module
