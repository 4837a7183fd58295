"""Networks of other packages beside ours: equal answers, what is missing is named, and what the command runs."""

import importlib.util
import os
import sysconfig

import pytest
import torch

from sepbook.building_blocks.normalization import GlobalLayerNorm
from tools import bench_public
from tools.bench import _packages as packages
from tools.bench import public, public_card
from tools.bench._pairs import PAIRS, Pair, difference

SHORT = {  # seconds of sound: long enough for two dozen frames
    "open_unmix": 0.5,
    "conv_tasnet_music": 0.01,
    "denoiser": 0.2,
}
NARROW = {"demucs_v1": {"width": 6}, "demucs_v2": {"width": 6}}  # at full depth


@pytest.mark.parametrize("more", [0.0, 0.0101])
@pytest.mark.parametrize("name", PAIRS)
def test_equals_the_other_package(name, more):
    """The same random weights in both, under the names of the published files; at two lengths."""
    torch.manual_seed(7)
    try:
        pair = PAIRS[name](seconds=SHORT.get(name, 0.1) + more, **NARROW.get(name, {}))
    except packages.Missing as reason:
        pytest.skip(f"{reason} (python -m tools.bench_public parity)")
    assert difference(pair) < 1e-5 and pair.run_ours().abs().max() > 1e-3


@pytest.mark.parametrize("N", [800, 801, 804, 807, 808, 809, 815])
def test_equals_torchaudio_at_any_length(N):
    try:
        pair = PAIRS["conv_tasnet_torchaudio"](seconds=0.1)
    except packages.Missing as reason:
        pytest.skip(f"{reason} (python -m tools.bench_public parity)")
    pair.mixture = 0.1 * torch.randn(1, 1, N)
    assert difference(pair) < 1e-5


def test_what_cannot_be_imported_is_named(tmp_path, monkeypatch):
    with pytest.raises(packages.Missing, match=r"nowhere\.net\.Net cannot be imported: ModuleNotFoundError"):
        packages.imported("nowhere.net", "Net")
    with pytest.raises(packages.Missing, match="nowhere is not installed"):
        packages.from_file("nowhere", "net.py", "Net")
    folder = tmp_path / "half"
    folder.mkdir()
    (folder / "__init__.py").write_text("raise OSError('a library that does not load')")
    (folder / "net.py").write_text("class Net: pass")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(packages.Missing, match="does not load"):
        packages.imported("half", "Net")
    assert packages.from_file("half", "net.py", "Net").__name__ == "Net"
    with pytest.raises(packages.Missing, match="Other of half/net.py"):
        packages.from_file("half", "net.py", "Other")


def test_a_module_stands_in_only_while_it_is_needed():
    with packages.standing_in("nowhere_at_all", "os"):
        import nowhere_at_all

        assert nowhere_at_all.anything and importlib.import_module("os") is os
    assert importlib.util.find_spec("nowhere_at_all") is None


def pair(theirs):
    torch.manual_seed(0)
    ours = torch.nn.Linear(3, 3)
    return Pair(ours, theirs(ours), torch.randn(4, 3), "a layer", 1.0)


def test_times_are_taken_only_where_answers_are_equal():
    found = public.measure(pair(lambda ours: ours))
    assert found["difference"] == 0 and found["forward"]["ratio"] > 0 and found["training"]["ratio"] > 0
    with pytest.raises(ValueError, match="nothing to compare"):
        public.measure(pair(lambda ours: torch.nn.Linear(3, 3)))


def test_what_a_system_costs():
    found = public.costs("conv_tasnet")
    assert found["paper_parameters"] == 5_050_545 and found["paper_gmac_per_second"] == pytest.approx(4.98, rel=0.02)
    assert found["small_real_time_factor"] > 0
    assert found["small_peak_mb"] is None or found["small_peak_mb"] > 0


def test_memory_is_that_of_the_peak():
    peak = public.peak_mb(lambda: torch.ones(50_000_000).sum())
    assert peak is None or peak > 150


def test_without_the_other_packages_it_says_where_to_get_them(monkeypatch, capsys):
    monkeypatch.delenv("SEPBOOK_BENCH_PUBLIC", raising=False)
    assert "skipped" in public.run() and "make bench-public" in capsys.readouterr().out


def test_one_torch_and_the_other_packages_alone(tmp_path, monkeypatch, capsys):
    made = []

    def run(command, **more):
        made.append([str(word) for word in command])
        return type("Done", (), {"returncode": 0})

    monkeypatch.setattr(bench_public, "WORK", tmp_path)
    monkeypatch.setattr(bench_public.subprocess, "run", run)
    assert bench_public.main([]) == 0 and "Both sides run under torch 2." in capsys.readouterr().out
    venv, see, others, compared = made
    assert "venv" in venv and see[-1] == sysconfig.get_paths()["purelib"] and "book.pth" in see[-2]
    assert "--no-deps" in others and {"demucs==2.0.3", "asteroid==0.7.0", "julius==0.2.8"} <= set(others)
    assert not [word for word in others if word.startswith(("torch==", "nussl"))]
    assert compared[-2:] == ["tools.bench", "public"]
    assert bench_public.main(["parity"]) == 0 and len(made) == 5 and made[-1][-1] == bench_public.TESTS
    assert bench_public.main(["nothing"]) == 2


def test_a_card_is_waited_for_and_each_ratio_is_to_the_last_one(monkeypatch):
    waits, clock, took = [], [0.0], {"compiled": 1.0, "ours": 2.0, "theirs": 4.0}
    monkeypatch.setattr(public_card.torch.cuda, "synchronize", lambda: waits.append(1))
    monkeypatch.setattr("tools.bench._measure.time.perf_counter", lambda: clock[0])

    def work(name):
        def once():
            clock[0] += took[name]

        return once

    found = public_card.take_turns({name: work(name) for name in took})
    assert found["compiled_ratio"] == 0.25 and found["ours_ratio"] == 0.5 and found["theirs_seconds"] == 4.0
    assert len(waits) == 3 * (public_card.TURNS + public_card.TURNS_BEFORE)


def test_without_a_card_nothing_is_measured(monkeypatch, capsys):
    monkeypatch.setattr(public_card.torch.cuda, "is_available", lambda: False)
    assert "skipped" in public_card.run() and "no card" in capsys.readouterr().out


def test_one_operation_has_the_numbers_of_the_way_for_a_card_which_then_comes_back():
    way, norm, x = GlobalLayerNorm.on_many_processors, GlobalLayerNorm(6), torch.randn(2, 6, 50)
    with public_card.one_kernel():
        assert GlobalLayerNorm.on_many_processors is not way
        torch.testing.assert_close(norm.on_many_processors(x), way(norm, x))
    assert GlobalLayerNorm.on_many_processors is way
