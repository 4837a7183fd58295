"""Chimera: its two losses, its two heads. Counts, silence and nussl's network: see test_mask_inference."""

import pytest
import torch

from sepbook.architectures import create, presets
from sepbook.building_blocks.stft import STFT
from sepbook.losses import clustering, spectrogram


def test_every_preset_but_the_papers_says_what_it_changes():
    assert presets("chimera") == ("paper", "plus_plus", "small", "tiny")
    plus = create("chimera", "plus_plus").config
    assert (plus.target, plus.weights, plus.clustering, plus.masking) == ("tpsa", "magnitude", 0.975, 0.025)


@pytest.mark.parametrize("loss", ["l1", "mse"])
def test_chimeras_loss_is_the_sum_of_its_heads(loss):
    torch.manual_seed(1)
    counts = {"clustering": 0.3, "masking": 7.0, "loss": loss}
    system = create("chimera", "tiny", ordered=True, weights="audible", **counts).eval()
    sources = torch.randn(2, 2, 1, 3000)
    terms = system.loss(sources.sum(1), sources)
    stft = STFT(512, 256, "sqrt_hann")
    bins, true = stft(sources.sum(1)), stft(sources[:, :, 0])[:, :, None]  # (B, C, F, T), (B, S, C, F, T)
    masks, embedding = system.network(bins.abs()[:, 0])
    error = masks[:, :, None] * bins.abs()[:, None] - spectrogram.tpsa(bins, true)
    masking = error.abs().mean() if loss == "l1" else error.square().mean()
    owner, weight = clustering.membership(true.abs()), clustering.audible(bins.abs())
    grouping = clustering.deep_clustering(embedding, owner, weight)
    torch.testing.assert_close(terms["masking"], masking)
    torch.testing.assert_close(terms["clustering"], grouping)
    torch.testing.assert_close(terms["loss"], 7 * masking + 0.3 * grouping)


def test_both_heads_of_chimera_can_be_heard():
    torch.manual_seed(1)
    sound = torch.randn(1, 1, 1500)
    masking = create("chimera", "tiny").eval()
    grouping = create("chimera", "tiny", estimate="clusters").eval()
    grouping.load_state_dict(masking.state_dict())
    with torch.no_grad():
        shares = [system.masks(torch.rand(1, 257, 9)) for system in (masking, grouping)]
        assert not torch.allclose(masking(sound), grouping(sound))
    assert set(shares[1].unique().tolist()) == {0.0, 1.0} and len(shares[0].unique()) > 2
