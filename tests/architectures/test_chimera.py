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


@pytest.mark.parametrize("loss", ["l1", "mse", "si_snr"])
def test_chimeras_loss_is_the_sum_of_its_heads(loss):
    torch.manual_seed(1)
    counts = {"clustering": 0.3, "masking": 7.0, "loss": loss, "target": "tpsa"}
    system = create("chimera", "tiny", ordered=True, weights="audible", **counts).eval()
    sources = torch.randn(2, 2, 1, 3000)
    terms = system.loss(sources.sum(1), sources)
    stft = STFT(512, 256, "sqrt_hann")
    bins, true = stft(sources.sum(1)), stft(sources[:, :, 0])[:, :, None]  # (B, C, F, T), (B, S, C, F, T)
    masks, embedding = system.network(bins.abs()[:, 0])
    error = masks[:, :, None] * bins.abs()[:, None] - spectrogram.tpsa(bins, true)
    estimates = system(sources.sum(1))
    masking = {
        "l1": error.abs().mean(),
        "mse": error.square().mean(),
        "si_snr": -torch.stack([snr(estimates[:, s, 0], sources[:, s, 0]) for s in range(2)]).mean(),
    }[loss]
    owner, weight = clustering.membership(true.abs()), clustering.audible(bins.abs())
    grouping = clustering.deep_clustering(embedding, owner, weight)
    torch.testing.assert_close(terms["masking"], masking.detach())
    torch.testing.assert_close(terms["clustering"], grouping.detach())
    torch.testing.assert_close(terms["loss"], 7 * masking + 0.3 * grouping)
    assert terms["loss"].requires_grad and not terms["masking"].requires_grad


def snr(estimate, source):  # (B, N), (B, N) -> (B,) in dB, without mean and in any loudness: by hand
    x_hat, x = (each - each.mean(-1, keepdim=True) for each in (estimate, source))
    target = (x_hat * x).sum(-1, keepdim=True) / x.square().sum(-1, keepdim=True) * x
    return 10 * (target.square().sum(-1) / (x_hat - target).square().sum(-1)).log10()


@pytest.mark.parametrize("loss", ["mse", "si_snr"])
def test_the_order_of_the_sources_does_not_matter(loss):
    torch.manual_seed(1)
    system = create("chimera", "tiny", loss=loss).eval()
    sources = torch.randn(2, 2, 1, 3000)
    one, other = (system.loss(sources.sum(1), each) for each in (sources, sources.flip(1)))
    for name in one:
        torch.testing.assert_close(one[name], other[name])


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
