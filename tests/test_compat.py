"""nussl, scaper and museval work on the pinned stack, by no more names than they need."""

import ast
import importlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sepbook import compat

RATE = 8000
NAMES = [(library, name) for library, names in compat.RESTORED.items() for name in names]
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # the warnings are theirs, and many


def split(name):
    """Return the module and the attribute of a dotted name."""
    where, _, attribute = name.rpartition(".")
    return importlib.import_module(where), attribute


# A fresh interpreter: which names are there before and after the call, and after a call for nothing?
LOOK = """
import json, importlib
from sepbook import compat
names = [name for kind in compat.RESTORED.values() for name in kind]
there = lambda: [n for n in names if hasattr(importlib.import_module(n.rpartition(".")[0]), n.rpartition(".")[2])]
before, modules = there(), __import__("sys").modules
loaded = [name for name in ("nussl", "scaper", "museval") if name in modules]
module = compat.{library}()
print(json.dumps([before, loaded, module.__name__, there()]))
"""


@pytest.fixture(scope="module", params=list(compat.RESTORED))
def seen(request):
    """What a fresh interpreter sees around the call of one library."""
    code = LOOK.format(library=request.param)
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr[-2000:]
    return request.param, *json.loads(done.stdout.splitlines()[-1])


def test_names_are_missing_before_the_call_and_there_after_it(seen):
    library, before, loaded, module, after = seen
    assert not loaded, "importing sepbook.compat alone loads nothing"
    assert module == library
    assert not before, f"{before[0]} is no longer needed: NumPy or SciPy has it again, so remove it"
    assert after == list(compat.RESTORED[library]), "the names of this library, and no other's"


@pytest.mark.parametrize(("library", "name"), NAMES)
def test_a_restored_name_means_what_it_meant(library, name):
    getattr(compat, library)()
    old, new = split(name), split(compat.RESTORED[library][name])
    assert getattr(*old) is getattr(*new)


@pytest.mark.parametrize(("library", "name"), NAMES)
def test_a_name_that_still_exists_is_left_alone(library, name, monkeypatch):
    monkeypatch.setattr(*split(name), "their own", raising=False)
    getattr(compat, library)()
    assert getattr(*split(name)) == "their own"


@pytest.mark.parametrize("library", compat.RESTORED)
def test_a_library_that_is_not_installed_is_explained(library, monkeypatch):
    monkeypatch.setitem(sys.modules, library, None)
    for name in compat.RESTORED[library]:
        monkeypatch.delattr(*split(name), raising=False)
    extra, sox = ("musdb", "") if library == "museval" else (library, ".*libsox-dev")
    with pytest.raises(compat.CompatError, match=rf'^{library} is not installed.*"sepbook\[{extra}\]".*{sox}') as error:
        getattr(compat, library)()
    assert ("libsox" in str(error.value)) == bool(sox)
    assert not [name for name in compat.RESTORED[library] if hasattr(*split(name))], "nothing is restored for nothing"


def test_a_missing_dependency_of_theirs_is_named(monkeypatch):
    def broken(name):
        raise ModuleNotFoundError("No module named 'jams'", name="jams")

    monkeypatch.setattr(compat, "_restore", lambda old, new: None)
    monkeypatch.setattr(compat, "import_module", broken)
    with pytest.raises(compat.CompatError, match="scaper needs 'jams', which is not installed"):
        compat.scaper()


def score_channels_that_are_alike(museval):
    """The equations have no one solution; museval asks for a name that NumPy 2 took away to find that out."""
    sources = np.zeros((2, 99, 2))
    sources[:, :, 0] = sources[:, :, 1] = 64 * np.random.default_rng(0).integers(-9, 9, (2, 99))
    return museval.metrics.bss_eval(sources, sources + sources[::-1] / 2, window=np.inf, filters_len=1)[0]


def test_museval_scores_channels_that_are_alike():
    assert np.isfinite(score_channels_that_are_alike(compat.museval())).all()


@pytest.fixture(scope="module")
def sounds():
    """A steady tone and repeated clicks in two channels, (C, N) each: HPSS, REPET and DUET can part them."""
    random, t = np.random.default_rng(0), np.arange(3 * RATE) / RATE
    clicks = np.zeros(len(t))
    for start in range(0, len(t), RATE // 2):
        clicks[start : start + 400] = 0.8 * random.standard_normal(400) * np.exp(-np.arange(400) / 60)
    tone = 0.3 * np.sin(2 * np.pi * 440 * t) * (1 + 0.5 * np.sin(2 * np.pi * 0.3 * t))
    return np.stack([tone, 0.3 * tone]), np.stack([0.3 * clicks, clicks])


@pytest.fixture(scope="module")
def signals(sounds):
    """The two sounds as nussl's signals."""
    nussl = compat.nussl()
    return [nussl.AudioSignal(audio_data_array=sound, sample_rate=RATE) for sound in sounds]


def gain(estimate, source, other):
    """Return the improvement of the signal-to-distortion ratio over the mixture, in dB."""
    error = np.sum((estimate.audio_data[:, : source.shape[1]] - source) ** 2)
    return 10 * np.log10(np.sum(other**2) / error)


def duet(nussl, mixture):
    return nussl.separation.spatial.Duet(mixture, 2)()


@pytest.mark.parametrize(("method", "source"), [("HPSS", 0), ("HPSS", 1), ("Repet", 1), ("FT2D", 1)])
def test_nussl_separates_by_primitives(method, source, signals, sounds):
    nussl = compat.nussl()
    separator = getattr(nussl.separation.primitive, method)(signals[0] + signals[1])
    estimates = separator()
    assert len(estimates) == 2
    best = max(gain(estimate, sounds[source], sounds[1 - source]) for estimate in estimates)
    assert best > 3, f"{method} gains {best:.1f} dB"


def test_nussl_separates_by_place(signals, sounds):
    estimates = duet(compat.nussl(), signals[0] + signals[1])
    assert max(gain(estimate, sounds[0], sounds[1]) for estimate in estimates) > 3


@pytest.mark.parametrize("name", ["IdealBinaryMask", "IdealRatioMask", "WienerFilter"])
def test_nussl_separates_ideally_and_bss_eval_says_so(name, signals):
    nussl = compat.nussl()
    benchmark = nussl.separation.benchmark
    ideal = getattr(benchmark, name)(signals[0] + signals[1], signals)()
    lazy = benchmark.MixAsEstimate(signals[0] + signals[1], 2)()
    sdr = []
    for estimates in (ideal, lazy):
        scores = nussl.evaluation.BSSEvalV4(signals, estimates, compute_permutation=False).evaluate()
        sdr.append([np.nanmedian(scores[f"source_{i}"]["SDR"]) for i in range(2)])
    assert np.all(np.subtract(*sdr) > 5)


def soundscape(scaper, folder):
    """Mix two events into a background; return what `generate` returns."""
    random = np.random.default_rng(0)
    for place, samples in {
        "fg/tone": 0.2 * np.sin(np.arange(RATE) * 0.3),
        "bg/noise": 0.05 * random.standard_normal(4 * RATE),
    }.items():
        (folder / place).mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / place / "x.wav", samples, RATE)
    maker = scaper.Scaper(3.0, str(folder / "fg"), str(folder / "bg"), random_state=0)
    maker.sr, maker.ref_db = RATE, -30
    maker.add_background(("const", "noise"), ("choose", []), ("const", 0))
    for start, shift in ((0.5, None), (1.5, ("const", 2))):
        time = {"event_time": ("const", start), "event_duration": ("const", 1), "source_time": ("const", 0)}
        kind = {"label": ("const", "tone"), "source_file": ("choose", [])}
        maker.add_event(**kind, **time, snr=("uniform", 6, 12), pitch_shift=shift, time_stretch=None)
    return maker.generate(str(folder / "mix.wav"), str(folder / "mix.jams"), save_isolated_events=True)


def test_scaper_makes_a_soundscape_whose_parts_add_up(tmp_path):
    samples, notes, annotations, parts = soundscape(compat.scaper(), tmp_path)
    assert "soxbindings" in sys.modules, "effects run in this process, without the sox program"
    assert samples.shape == (3 * RATE, 1) and len(parts) == 3
    np.testing.assert_allclose(sum(parts), samples, atol=1e-6)
    assert [(row[0], row[2]) for row in annotations] == [(0.5, "tone"), (1.5, "tone")]
    kept, rate = soundfile.read(tmp_path / "mix.wav")
    assert rate == RATE and kept.shape == (3 * RATE,)
    assert json.loads((tmp_path / "mix.jams").read_text())["annotations"]


def needs(library, name, signals, folder):
    """Do what needs a restored name."""
    module = getattr(compat, library)()
    where, attribute = split(name)
    value = getattr(where, attribute)
    delattr(where, attribute)
    try:
        if library == "scaper":
            soundscape(module, folder)
        elif library == "museval":
            score_channels_that_are_alike(module)
        elif name == "numpy.mat":
            duet(module, signals[0] + signals[1])
        else:  # asked for while nussl is imported
            importlib.reload(module.core.constants)
    finally:
        setattr(where, attribute, value)


@pytest.mark.parametrize(("library", "name"), NAMES)
def test_tells_when_a_name_is_no_longer_needed(library, name, signals, tmp_path):
    try:
        needs(library, name, signals, tmp_path)
    except AttributeError as error:
        assert name.rpartition(".")[2] in str(error)
    else:
        pytest.fail(f"{name} is no longer needed: remove it from sepbook.compat.RESTORED['{library}']")


def imports(text):
    """The packages that a file imports, by their first names; relative imports are none."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module.split(".")[0]


def test_nothing_else_in_the_package_imports_them():
    root = Path(compat.__file__).parent
    found = {path.relative_to(root).as_posix(): set(imports(path.read_text())) for path in root.rglob("*.py")}
    assert not {name: names for name, names in found.items() if names & set(compat.RESTORED)}
