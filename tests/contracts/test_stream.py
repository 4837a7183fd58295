"""A stream gives what one pass gives, whatever its chunks."""

import pytest
import torch

from sepbook import architectures
from sepbook.architectures.streaming import Streaming, can_stream
from tests.contracts import contract
from tests.contracts.test_forward import scramble
from tests.systems import ALL, module

STREAMING = [name for name in ALL if issubclass(module(name).SYSTEM, Streaming)]


@pytest.fixture(params=STREAMING)
def streaming(request, shelf):
    """Each system that can stream in one of its presets, in the first of them."""
    for preset in (contract.behaving(request.param), *architectures.presets(request.param)):
        torch.manual_seed(0)
        system = architectures.create(request.param, preset)
        if can_stream(system):
            scramble(system)
            return system
    raise AssertionError(f"{request.param} is a Streaming system, but none of its presets says a latency")


def sound(system, samples, batch=2, seed=0):
    return 0.3 * torch.randn(batch, system.channels, samples, generator=torch.Generator().manual_seed(seed))


def chunks(kind, stride):
    """Sizes of chunks, as many as nearly use up 1500 samples."""
    random = torch.randint(0, 2 * stride + 3, (40,), generator=torch.Generator().manual_seed(7)).tolist()
    return {
        "one by one": [1] * (4 * stride + 3),
        "none between": [0, 1, 0, 0, stride, 0, stride - 1, 0],
        "odd": [2 * stride + 1] * 5 + [3] * 9,
        "random": random,
        "a stride": [stride] * 8,
        "all at once": [],
    }[kind]


@pytest.mark.parametrize("kind", ["one by one", "none between", "odd", "random", "a stride", "all at once"])
def test_stream_equals_forward(streaming, kind):
    sizes = chunks(kind, streaming.stride)
    contract.streams_like_forward(streaming, sound(streaming, sum(sizes) + 5 * streaming.stride + 3), sizes)


def test_stream_equals_forward_after_silence(streaming):
    silence = 20 * streaming.stride
    mixture = sound(streaming, silence + 1001)
    mixture[..., :silence] = 0
    contract.streams_like_forward(streaming, mixture, [7] * 100)
    contract.streams_like_forward(streaming, torch.zeros_like(mixture), [64] * 10)


@pytest.mark.parametrize("samples", [1, 2, 3, 17])
def test_short_streams(streaming, samples):
    contract.streams_like_forward(streaming, sound(streaming, samples), [])
    contract.streams_like_forward(streaming, sound(streaming, samples), [1] * samples)


def test_latency_is_what_it_says(streaming):
    sizes = [1] * (4 * streaming.stride + 2 * streaming.latency)
    longest = contract.streams_like_forward(streaming, sound(streaming, len(sizes), batch=1), sizes)
    assert longest == streaming.latency, "the estimates come sooner than the latency says: make it smaller"


def test_a_state_may_be_fed_twice_and_nothing_gives_nothing(streaming):
    streaming.eval()
    with torch.no_grad():
        state, _ = streaming.feed(streaming.start(), sound(streaming, 700, batch=1))
        _, first = streaming.feed(state, sound(streaming, 333, batch=1, seed=1))
        _, again = streaming.feed(state, sound(streaming, 333, batch=1, seed=1))
        assert torch.equal(first, again)
        assert streaming.flush(streaming.start(3)).shape == (3, len(streaming.source_names), streaming.channels, 0)


def test_wrong_chunks_are_refused_in_words(streaming):
    C = streaming.channels
    state = streaming.start(1)
    for chunk, words in {
        (1, C + 1, 10): f"C={C + 1}",
        (1, C + 1, 0): f"C={C + 1}",
        (C, 10): r"\(B, C, N\)",
        (2, C, 10): "B=2",
        (2, C, 0): "B=2",
    }.items():
        with pytest.raises(ValueError, match=words):
            streaming.feed(state, torch.zeros(chunk))


@pytest.mark.parametrize("name", STREAMING)
def test_every_preset_that_streams_says_its_latency_and_streams(name, shelf):
    for preset in architectures.presets(name):
        system = architectures.create(name, preset)
        if can_stream(system):
            assert type(system.latency) is int and system.latency >= 0
            assert 0 < system.tolerance < 0.1
            mixture = sound(system, system.latency + 5 * system.stride, batch=1)
            contract.streams_like_forward(system, mixture, [system.stride, 1])
