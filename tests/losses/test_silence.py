"""One definition of silence: for losses, weights, validation and scores alike."""

import pytest
import torch

from sepbook.evaluation import metrics
from sepbook.losses.silence import SILENCE, SILENCE_DB, is_silent
from sepbook.losses.waveform import sdr_loss
from sepbook.losses.weighting import energies
from sepbook.training.validation import improvement


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex64])
def test_all_samples_of_a_source_count_together(dtype):
    sources = torch.zeros(2, 3, 1, 4, 5, dtype=dtype)
    sources[0, 1, 0, 3, 4] = 0.01
    assert is_silent(sources).tolist() == [[True, False, True], [True, True, True]]
    assert SILENCE_DB == -90 and SILENCE == pytest.approx(1e-9)


def test_silence_is_one_level_for_all():
    edge = torch.full((1, 1, 1, 100), SILENCE**0.5)
    for factor, silent in ((0.99, True), (1.01, False)):
        sources = factor * edge
        assert is_silent(sources).item() is silent
        assert metrics.si_sdr(sources[0], sources[0]).isnan().item() is silent
        assert improvement(sources, sources, sources[:, 0] + torch.arange(100)).isnan().item() is silent
        assert (sdr_loss(sources, sources, skip_silent=True).item() == 0) is silent
        if silent:
            with pytest.raises(ValueError, match="silent in the whole batch"):
                energies(sources)
        else:
            assert energies(sources) > 0
