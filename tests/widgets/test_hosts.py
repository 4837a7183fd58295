"""The modules of all widgets, as their two hosts get them: bundled for a notebook, one by one on a page."""

import gzip
import json
import re
from pathlib import Path

import pytest

import sepbook.widgets
from sepbook.widgets._hosts import LIGHT, STATIC, apart, bundle

WIDGETS = Path(sepbook.widgets.__file__).parent
MODULES = re.findall(r'"\./(\w+)\.js"', (WIDGETS / "host.js").read_text(encoding="utf-8"))


def test_every_module_serves_a_widget():
    assert len(MODULES) == 17
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


def sources_of(name):
    return (WIDGETS / f"{name}.js").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", MODULES)
def test_a_bundle_stays_small_with_all_that_it_shares(name):
    sheets = [WIDGETS / f"{name}.css", *([WIDGETS / "explorer.css"] if "explorer_mount" in sources_of(name) else [])]
    style = b"".join(sheet.read_bytes() for sheet in sheets if sheet.is_file())
    assert len(gzip.compress(bundle(f"{name}.js").encode() + style)) < 20_500


def test_whoever_opens_a_sound_device_watches_it():
    """Without a device nothing is heard, and the reader is told: so everyone opens one in the same way."""
    sources = {path.name: path.read_text(encoding="utf-8") for path in WIDGETS.glob("*.js")}
    assert [name for name, source in sources.items() if "new AudioContext" in source] == ["explorer_clock.js"]
    wakers = {name for name, source in sources.items() if re.search(r"\.wake\(|listening_test_desk\.js", source)}
    watchers = {name for name, source in sources.items() if "watchDevice(" in source} - {"explorer_clock.js"}
    assert watchers == {"player.js", "explorer_sound.js", "listening_test_desk.js"}
    assert wakers <= watchers | {"listening_test.js"}  # its desk watches
    patience = re.search(r"const PATIENCE = (\d+);", sources["explorer_clock.js"])
    assert int(patience[1]) < 2000, "ms"


def test_heavy_data_stand_in_a_file_beside_the_page_and_light_ones_in_it(tmp_path):
    """A page shows its text before the data of its explorers are there."""
    light, heavy = {"levels": "x" * 100}, {"levels": "x" * LIGHT}
    assert apart("embedding", light, tmp_path) == light and not list(tmp_path.iterdir())
    address = apart("embedding", heavy, tmp_path)["at"]
    (file,) = tmp_path.iterdir()
    assert address == f"{STATIC}/figures/{file.name}"
    assert json.loads(file.read_text(encoding="utf-8")) == heavy
    assert apart("embedding", heavy, tmp_path)["at"] == address and len(list(tmp_path.iterdir())) == 1
