"""The memory explorer's Python side: its arithmetic against PyTorch, and what it hands to its two hosts."""

import gzip
import html
import json
import re
from pathlib import Path

import pytest
import torch

import sepbook.widgets
from sepbook.building_blocks.recurrent import gru_step, lstm_step, rnn_step
from sepbook.widgets._hosts import bundle
from sepbook.widgets._versions import PlayerError
from sepbook.widgets.recurrent_memory import CASES, noise_at, recurrent_memory, remember

WIDGETS = Path(sepbook.widgets.__file__).parent
OPEN = 40.0  # the bias of a gate that is open: sigmoid(40) is 1 in double precision


def by_pytorch(kind, weight, bias, note, noise, frames):
    """Return outputs and slopes of one unit, from the steps of `building_blocks.recurrent` and autograd."""
    gates = {"rnn": [None], "lstm": [0.0, bias, None, 0.0], "gru": [OPEN, bias, None]}[kind]
    w_x = torch.tensor([[float(gate is None)] for gate in gates], dtype=torch.float64)
    w_h, zero = weight * w_x, torch.zeros(len(gates), dtype=torch.float64)
    b = torch.tensor([gate or 0.0 for gate in gates], dtype=torch.float64)
    x = torch.tensor([note, *(noise * noise_at(t) for t in range(1, frames))], dtype=torch.float64, requires_grad=True)
    h, c, outputs = zero[:1, None], zero[:1, None], []
    for value in x:
        if kind == "lstm":
            h, c = lstm_step(value.view(1, 1), h, c, w_x, w_h, b, zero)
        else:
            h = {"rnn": rnn_step, "gru": gru_step}[kind](value.view(1, 1), h, w_x, w_h, b, zero)
        outputs.append(h)
    (slopes,) = torch.autograd.grad(outputs[-1].sum(), x)
    return torch.cat(outputs).flatten().tolist(), slopes.tolist()


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
@pytest.mark.parametrize("noise", [0.0, 0.7])
def test_one_unit_is_pytorchs(case, noise):
    found = remember(*case[:4], noise, frames=60)
    outputs, slopes = by_pytorch(*case[:4], noise, 60)
    assert found.played == pytest.approx(outputs, abs=1e-12)
    assert found.slopes == pytest.approx(slopes, rel=1e-9, abs=1e-15)
    assert found.silent == pytest.approx(by_pytorch(*case[:3], 0.0, noise, 60)[0], abs=1e-12)


def test_a_state_can_hold_what_training_cannot_reach():
    latched = remember(*CASES["RNN that latches"])
    assert latched.visible == 119 and latched.learnable < 10
    assert remember(*CASES["latched, then noise"]).visible < 40
    start, biased = (remember(*CASES[name]) for name in ("LSTM at the start", "LSTM, forget bias 2"))
    assert start.learnable < 12 and biased.learnable > 5 * start.learnable


@pytest.mark.parametrize(
    ("fields", "words"), [((5,), "frames is 5"), ((True,), "frames is True"), ((120, 0), "seconds is 0")]
)
def test_what_cannot_be_shown_is_refused(fields, words):
    with pytest.raises(PlayerError, match=words):
        recurrent_memory(*fields)
    with pytest.raises(PlayerError, match="rnn, lstm, gru"):
        remember("blstm")


def test_page_element_has_data_and_a_fallback(tmp_path):
    element = recurrent_memory(title="Try <it>").html(tmp_path, tmp_path)
    data = json.loads(html.unescape(re.search(r'data-memory="([^"]*)"', element)[1]))
    assert data["spec"] == {"title": "Try <it>", "frames": 120, "seconds": 0.016} and data["files"] == {}
    assert "<table>" in element and all(html.escape(name) in element for name in CASES)
    assert "Try &lt;it&gt;" in element and "RecurrentMemory" in repr(recurrent_memory())


def test_small_and_without_addresses():
    sources = [path.read_bytes() for path in WIDGETS.glob("recurrent_memory*.*s")]
    assert len(sources) == 5 and sum(len(gzip.compress(source)) for source in sources) < 9_000
    assert b"http" not in b"".join(sources)
    assert "memory" in (WIDGETS / "host.js").read_text(encoding="utf-8")
    module = bundle("recurrent_memory.js")
    assert "import " not in module and module.count("export default") == 1
