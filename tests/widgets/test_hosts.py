"""The modules of all widgets, as their two hosts get them: bundled for a notebook, one by one on a page."""

import gzip
import re
from pathlib import Path

import pytest

import sepbook.widgets
from sepbook.widgets._hosts import bundle

WIDGETS = Path(sepbook.widgets.__file__).parent
MODULES = re.findall(r'"\./(\w+)\.js"', (WIDGETS / "host.js").read_text(encoding="utf-8"))


def test_every_module_serves_a_widget():
    assert len(MODULES) == 12
    used, waiting = {"host.js"}, [f"{name}.js" for name in MODULES]
    while waiting:
        name = waiting.pop()
        used.add(name)
        waiting += re.findall(r'from "\./([\w.]+)"', (WIDGETS / name).read_text(encoding="utf-8"))
    assert used == {path.name for path in WIDGETS.glob("*.js")}


@pytest.mark.parametrize("name", MODULES)
def test_a_bundle_holds_each_module_once_and_no_import(name):
    source = bundle(f"{name}.js")
    assert not re.search(r"^import ", source, re.M)
    assert re.findall(r"^export .*", source, re.M) == ["export default { render };"]
    names = re.findall(r"^(?:async )?(?:function|const|let|class) (\w+)", source, re.M)
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", MODULES)
def test_a_bundle_stays_small_with_all_that_it_shares(name):
    style = (WIDGETS / f"{name}.css").read_bytes()
    size = len(gzip.compress(bundle(f"{name}.js").encode() + style))
    assert size < (18_000 if name == "mask_painter" else 16_000)
