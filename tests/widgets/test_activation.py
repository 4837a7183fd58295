"""The activation explorer's Python side: its arithmetic against PyTorch, and what it hands to its two hosts."""

import gzip
import html
import json
import re
from pathlib import Path

import pytest
import torch
from torch.nn import functional

import sepbook.widgets
from sepbook.widgets._hosts import bundle
from sepbook.widgets._versions import PlayerError
from sepbook.widgets.activation import CURVES, activation_explorer, bend

WIDGETS = Path(sepbook.widgets.__file__).parent


@pytest.mark.parametrize("name", CURVES)
@pytest.mark.parametrize("slope", [0.2, -0.5, 1.2])
def test_values_and_slopes_are_pytorchs(name, slope):
    function = {
        "sigmoid": torch.sigmoid,
        "tanh": torch.tanh,
        "relu": torch.relu,
        "leaky": lambda x: functional.prelu(x, torch.tensor(slope, dtype=torch.float64)),
        "linear": lambda x: x,
    }[name]
    x = torch.linspace(-8, 8, 161, dtype=torch.float64, requires_grad=True)
    y = function(x)
    slopes = torch.autograd.grad(y.sum(), x)[0].tolist()
    for at, *expected in zip(x.tolist(), y.tolist(), slopes, strict=True):
        assert bend(name, at, slope) == pytest.approx(tuple(expected), abs=1e-12)


def test_another_name_is_refused():
    with pytest.raises(PlayerError, match="'gelu' is unknown; choose one of sigmoid"):
        bend("gelu", 1.0)


def test_page_element_has_data_and_a_fallback(tmp_path):
    element = activation_explorer("Try <it>").html(tmp_path, tmp_path)
    data = json.loads(html.unescape(re.search(r'data-activation="([^"]*)"', element)[1]))
    assert data == {"spec": {"title": "Try <it>", "curves": CURVES}, "files": {}}
    assert "<table>" in element and all(f"{words}</th>" in element for words in CURVES.values())
    assert "Try &lt;it&gt;" in element and "ActivationExplorer" in repr(activation_explorer())


def test_small_and_without_addresses():
    sources = [path.read_bytes() for path in [*WIDGETS.glob("activation*.js"), *WIDGETS.glob("activation*.css")]]
    assert len(sources) == 4 and sum(len(gzip.compress(source)) for source in sources) < 7_000
    assert b"http" not in b"".join(sources)
    assert "./activation.js" in (WIDGETS / "host.js").read_text(encoding="utf-8")
    module = bundle("activation.js")
    assert "import " not in module and module.count("export default") == 1
