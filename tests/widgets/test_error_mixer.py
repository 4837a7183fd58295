"""The error mixer's Python side: what it accepts, what it writes, and that its products hold the figures."""

import gzip
import html
import io
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

import sepbook.widgets
from sepbook.evaluation.bss_eval import bss_eval, project
from sepbook.widgets._versions import PlayerError
from sepbook.widgets.error_mixer import SHIFTS, clipped, dulled, error_mixer

RATE = 16000
WIDGETS = Path(sepbook.widgets.__file__).parent


def noise(*shape, seed=0):
    return 0.3 * torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def content():
    return error_mixer(noise(1, 4000), noise(4000, seed=1), RATE, project, "Try").content


def full(triangle):
    """The symmetric matrix of an upper triangle."""
    size = math.isqrt(2 * len(triangle))
    matrix = np.zeros((size, size))
    matrix[np.triu_indices(size)] = triangle
    return matrix + np.triu(matrix, 1).T


def energy(triangle, factors):
    return np.array(factors) @ full(triangle) @ np.array(factors)


def test_products_give_the_figures_of_bss_eval(content):
    spec, files = content
    source, other = (soundfile.read(io.BytesIO(files[spec[name]]))[0] for name in ("source", "other"))
    w = [1, 0.4, 0.3, 0.2]
    for at in (0, 3, len(SHIFTS) - 1):
        late = w[0] * source + w[1] * (dulled(source) - source) + w[2] * (clipped(source) - source)
        estimate = np.pad(late, (SHIFTS[at], 0))[: len(source)] + w[3] * other
        pair = (torch.tensor(np.stack([x, other]))[:, None] for x in (estimate, source))
        found = bss_eval(*pair, RATE, math.inf)
        p = spec["products"][at]
        ratios = {
            "sdr": energy(p["whole"], [0] * 4 + [1]) / energy(p["whole"], [*w, -1]),
            "isr": energy(p["whole"], [0] * 4 + [1]) / energy(p["own"], [*w, -1]),
            "sir": energy(p["own"], [*w, 0]) / energy(p["interference"], w),
            "sar": energy(p["all"], w) / energy(p["artefacts"], w),
            "filtered_sdr": energy(p["own"], [*w, 0]) / energy(p["rest"], w),
        }
        for name, ratio in ratios.items():
            assert 10 * math.log10(ratio) == pytest.approx(getattr(found, name)[0, 0].item(), abs=1e-3), (at, name)


def test_sounds_end_in_silence_so_that_no_shift_cuts_anything_off(content):
    spec, files = content
    sound = soundfile.read(io.BytesIO(files[spec["source"]]))[0]
    assert len(sound) == spec["length"] == 4000 + max(SHIFTS)
    assert not sound[-max(SHIFTS) :].any() and sound[2000] and len(spec["products"]) == len(spec["shifts"])


@pytest.mark.parametrize(
    ("source", "other", "words"),
    [
        (noise(2, 99), noise(2, 99), "mono"),
        (noise(1, 99), noise(1, 98), "of one length"),
        (noise(1, 6 * RATE), noise(1, 6 * RATE), "5 s at most"),
        (noise(1, 99), torch.zeros(1, 99), "is silent"),
    ],
)
def test_what_cannot_be_explored_is_refused(source, other, words):
    with pytest.raises(PlayerError, match=words):
        error_mixer(source, other, RATE, project)


def test_page_element_has_data_files_and_a_fallback(tmp_path):
    made = error_mixer(noise(1, 2000), noise(2000, seed=1), RATE, project, "Try <it>")
    element = made.html(tmp_path / "a", tmp_path / "f")
    data = json.loads(html.unescape(re.search(r'data-errors="([^"]*)"', element)[1]))
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == sorted(data["files"])
    assert element.count("<audio controls preload=") == 2 and "Try &lt;it&gt;" in element
    assert "16000 Hz" in repr(made)


def test_the_scripts_stay_small():
    found = [p.read_bytes() for p in WIDGETS.glob("error_mixer*") if p.suffix in (".js", ".css")]
    assert len(gzip.compress(b"".join(found))) < 10_000
