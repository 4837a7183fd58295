"""Long audio goes through in chunks: they change nothing, or as much as is said."""

import torch

from tests.contracts import contract
from tests.contracts.test_forward import scramble


def test_a_chunk_may_begin_at_every_stride(system):
    scramble(system)
    contract.means_its_stride(system)


def test_chunks_equal_one_pass(system, record_property, capsys):
    scramble(system)
    reached = contract.equals_its_chunks(system)
    record_property("chunks_differ_by_db", -reached)
    if system.whole:
        with capsys.disabled():
            print(f"\n{system.name}: needs the whole signal; chunks differ by {-reached:.0f} dB", end=" ")


def test_chunks_of_silence_are_silent_enough(system):
    system.eval()
    found = contract.separate(system, torch.zeros(system.channels, 3 * system.stride + 1), system.sample_rate, 0.05)
    assert found.isfinite().all()
