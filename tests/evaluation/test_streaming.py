"""A stream through a causal system: what comes out, what it costs, and what is refused."""

import math

import pytest
import torch

from sepbook import architectures
from sepbook.evaluation._running import LARGEST, RunningLevel
from sepbook.evaluation.streaming import StreamError, Timing, stream
from tests.systems import register


@pytest.fixture
def system(monkeypatch):
    register(monkeypatch)
    torch.manual_seed(0)
    return architectures.create("causal", "tiny").train()


def sound(N, C=1):
    return 0.3 * torch.randn(C, N, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("sizes", [[4000], [1] * 300, [0, 5, 0, 1000, 77]])
def test_estimates_are_those_of_forward(system, sizes):
    mixture = sound(sum(sizes))
    found = list(stream(system, mixture.split(sizes, dim=-1), level=False))
    assert len(found) == len(sizes) + 1 and not any(part.requires_grad for part in found)
    assert system.training, "the mode it had comes back"
    with torch.no_grad():
        torch.testing.assert_close(torch.cat(found, dim=-1), system.eval()(mixture[None])[0], atol=1e-6, rtol=0)


def joined(system, mixture, size=160):
    return torch.cat(list(stream(system, mixture.split(size, dim=-1))), dim=-1)


def test_the_running_level_is_the_same_in_any_chunks(system):
    mixture = sound(3000) * torch.linspace(0.01, 1, 3000)
    whole = joined(system, mixture, 3000)
    for size in (1000, 333, 64):
        torch.testing.assert_close(joined(system, mixture, size), whole, atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("decibels", [-50, -20, 20])
def test_how_loud_a_stream_is_does_not_matter(system, decibels):
    """Once the first seconds have been heard: the estimates of a quieter sound are the same ones, quieter."""
    rate, factor = system.sample_rate, 10 ** (decibels / 20)
    mixture = sound(12 * rate)
    with torch.no_grad():
        known = joined(system, mixture, rate)[..., -rate:]
        found = joined(system, factor * mixture, rate)[..., -rate:] / factor
    assert (found - known).norm() < 0.01 * known.norm()


def test_silence_is_not_made_loud_without_end(system):
    mixture = torch.zeros(1, 8000)
    mixture[:, -100:] = sound(100)
    assert joined(system, mixture).isfinite().all()
    running = RunningLevel(system)
    heard = running.apply(torch.full((1, 30 * system.sample_rate), 1e-9))
    assert heard.abs().max() <= 1e-9 * LARGEST * 1.001


def test_the_gain_is_undone_at_its_own_sample(system):
    running = RunningLevel(system)
    mixture = sound(1000) * torch.linspace(0.1, 1, 1000)
    parts = [running.apply(part) for part in mixture.split(100, dim=-1)]
    late = torch.cat(parts, dim=-1)[None]  # (S=1, C=1, N): a system that returns its mixture, late
    found = torch.cat([running.undo(part) for part in late.split(7, dim=-1)], dim=-1)
    torch.testing.assert_close(found[0], mixture, atol=1e-6, rtol=1e-5)
    assert running.waiting.numel() == 0


def test_nothing_in_nothing_out(system):
    timing = Timing(16000, 0)
    assert [tuple(part.shape) for part in stream(system, [], timing)] == [(2, 1, 0)]
    assert math.isnan(timing.real_time_factor) and math.isnan(timing.percentile())


def test_a_stream_is_never_held_whole(system):
    """Each chunk is asked for when the one before has been separated; the state does not grow."""
    asked, sizes = [], []

    def endless():
        for number in range(300):
            asked.append(number)
            yield sound(40)

    for number, part in enumerate(stream(system, endless())):
        if number < 300:
            assert len(asked) == number + 1
            sizes.append(part.shape[-1])
    assert max(sizes) <= 64
    state = system.start()
    shapes = set()
    with torch.no_grad():
        for _ in range(50):
            state, _ = system.feed(state, sound(32)[None])
            shapes.add(tuple(part.shape for part in state if part is not None))
    assert len(shapes) <= 2


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_broken_sample_is_named(system, bad):
    chunks = [sound(100), sound(100)]
    chunks[1][0, 60] = bad
    with pytest.raises(StreamError, match=r"NaN or infinity, first in channel 0 at sample 160 \(0.010 s\)"):
        list(stream(system, chunks))


def test_what_cannot_stream_is_refused(monkeypatch, system):
    with pytest.raises(StreamError, match="one_voice cannot stream"):
        next(stream(architectures.create("one_voice", "tiny"), []))
    system.latency = None
    with pytest.raises(StreamError, match="causal cannot stream"):
        next(stream(system, []))


def test_a_wrong_chunk_is_refused_in_words(system):
    with pytest.raises(ValueError, match="C=2"):
        list(stream(system, [sound(10, C=2)]))


def test_timing_adds_up():
    timing = Timing(1000, 5)
    for number in range(100):
        timing.add(10, 0.5 if number == 7 else 0.002)
    assert (timing.samples, timing.chunk) == (1000, 10)
    assert timing.busy == pytest.approx(0.5 + 99 * 0.002)
    assert timing.real_time_factor == pytest.approx(timing.busy)
    assert timing.percentile(0.99) == pytest.approx(0.002, rel=0.01)
    assert timing.percentile(1.0) == pytest.approx(0.5, rel=0.01)
    text = str(timing)
    assert "real-time factor 0.698" in text and "latency 5 samples (5.0 ms), chunk 10 samples (10.0 ms)" in text


def test_a_percentile_needs_no_memory_of_every_chunk():
    timing = Timing(1000, 5)
    durations = torch.logspace(-5, 0, 20_000).tolist()
    for seconds in durations:
        timing.add(1, seconds)
    assert len(timing.counts) < 1300
    for share in (0.1, 0.5, 0.99):
        expected = durations[math.ceil(share * len(durations)) - 1]
        assert timing.percentile(share) == pytest.approx(expected, rel=0.011)
