import pytest
import torch

from sepbook.architectures.streaming import Streaming, can_stream
from tests.systems import causal, one_voice


def tiny(file):
    return file.SYSTEM(file.PRESETS["tiny"])


def test_the_mixin_itself_does_nothing():
    with pytest.raises(NotImplementedError):
        Streaming().start()
    with pytest.raises(NotImplementedError):
        Streaming().feed(None, torch.zeros(1, 1, 1))
    with pytest.raises(NotImplementedError):
        Streaming().flush(None)


def test_a_system_streams_where_its_configuration_has_a_latency():
    system = tiny(causal)
    assert can_stream(system) and not can_stream(tiny(one_voice))
    system.latency = 0
    assert can_stream(system)
    system.latency = None
    assert not can_stream(system)


@pytest.mark.parametrize("n", [0, 1, 7])
def test_a_chunk_of_any_length_fits(n):
    tiny(causal).check_chunk(torch.zeros(3, 1, n), batch=3)


@pytest.mark.parametrize(
    ("chunk", "words"),
    [
        (torch.zeros(1, 2, 5), "C=2"),
        (torch.zeros(1, 2, 0), "C=2"),
        (torch.zeros(1, 5), r"\(B, C, N\)"),
        (torch.zeros(5), r"\(B, C, N\)"),
        (torch.zeros(1, 1, 5, dtype=torch.int64), "real numbers"),
        (torch.zeros(1, 1, 0, dtype=torch.int64), "real numbers"),
        (torch.zeros(2, 1, 5), r"B=2 streams, but the state was started for B=1; use start\(batch=2\)"),
        (torch.zeros(0, 1, 5), "B=0"),
    ],
)
def test_a_chunk_that_does_not_fit_is_refused_in_words(chunk, words):
    with pytest.raises(ValueError, match=words):
        tiny(causal).check_chunk(chunk, batch=1)
