"""Mask inference, deep clustering, Chimera and DANet: counts, equality with nussl's networks, losses, silence."""

import pytest
import torch

from sepbook import compat
from sepbook.architectures import create

COUNTS = {  # of the public recipes' networks; danet: of the paper's
    ("mask_inference", "paper"): 29_767_460,
    ("deep_clustering", "paper"): 32_556_182,
    ("deep_clustering", "hershey"): 18_355_560,
    ("chimera", "paper"): 32_866_040,
    ("danet", "paper"): 9_079_380,
}
SMALL = {"n_fft": 32, "hop": 8, "units": 6, "layers": 2}
NAMES = ("mask_inference", "deep_clustering", "chimera", "danet")


def parameters(module):
    return sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize(("name", "preset"), COUNTS)
def test_counts(name, preset):
    assert parameters(create(name, preset)) == COUNTS[name, preset]


def nussl_model(embedding):
    """The Chimera of nussl with the sizes of `SMALL`, in evaluation mode, its batch norm as after training."""
    torch.manual_seed(5)
    networks = compat.nussl().ml.networks
    config = networks.builders.build_recurrent_chimera(
        17, 6, 2, True, 0.3, embedding, ["sigmoid", "unit_norm"], 2, ["sigmoid"], normalization_args={}
    )
    model = networks.SeparationModel(config).eval()
    norm = model.layers["normalization"].batch_norm
    with torch.no_grad():
        for tensor in (norm.weight, norm.bias, norm.running_mean, norm.running_var):
            tensor.copy_(torch.rand(1) + 0.5)
    return model


def copied(model, embedding):
    """Our Chimera with the weights of nussl's: the published layout, name by name."""
    network = create("chimera", "paper", embedding=embedding, **SMALL).eval().network
    theirs = model.layers
    network.trunk.norm.load_state_dict(theirs["normalization"].batch_norm.state_dict())
    network.trunk.recurrent.layers.load_state_dict(theirs["recurrent_stack"].rnn.state_dict())
    network.embedding_head.linear.load_state_dict(theirs["embedding"].linear.state_dict())
    network.mask_head.linear.load_state_dict(theirs["mask"].linear.state_dict())
    return network


@pytest.mark.parametrize("frames", [1, 2, 7, 20])
def test_equals_nussls_network(frames):
    model = nussl_model(5)
    magnitude = torch.rand(3, 17, frames) * torch.logspace(-5, 1, 17)[:, None]  # also below the floor
    with torch.no_grad():
        masks, embedding = copied(model, 5)(magnitude)
        theirs = model({"mix_magnitude": magnitude.mT[..., None]})  # (B, T, F, C=1)
    torch.testing.assert_close(masks.permute(0, 3, 2, 1), theirs["mask"][:, :, :, 0], atol=1e-5, rtol=0)
    torch.testing.assert_close(embedding.transpose(1, 2), theirs["embedding"].view(3, frames, 17, 5), atol=1e-5, rtol=0)


def test_the_start_is_that_of_the_recipe():
    recurrent = create("mask_inference", "paper", **SMALL).network.trunk.recurrent.layers
    for name, bias in recurrent.named_parameters():
        if name.startswith("bias"):
            assert bias.view(4, 6).tolist() == [[0.0] * 6, [1.0] * 6, [0.0] * 6, [0.0] * 6]
    wide = create("mask_inference", "paper", units=100, layers=1).network.trunk.recurrent.layers.weight_ih_l0
    assert abs(wide.std().item() / (2 / (129 + 400)) ** 0.5 - 1) < 0.05  # Glorot's, of the whole matrix


@pytest.mark.parametrize("name", NAMES)
def test_two_channels_share_their_masks(name):
    torch.manual_seed(0)
    one = create(name, "tiny").eval()
    two = create(name, "tiny", channels=2).eval()
    two.load_state_dict(one.state_dict())
    sound = torch.randn(2, 1, 3000)
    with torch.no_grad():
        alone, both = one(sound), two(sound.repeat(1, 2, 1))
    torch.testing.assert_close(both[:, :, :1], alone)
    torch.testing.assert_close(both[:, :, 1:], alone)


@pytest.mark.parametrize("name", NAMES)
def test_silence_gives_silence_beside_a_loud_item(name):
    system = create(name, "tiny").eval()
    with torch.no_grad():
        estimates = system(torch.stack([torch.zeros(1, 700), torch.randn(1, 700)]))
    assert not estimates[0].any() and estimates[1].any() and torch.isfinite(estimates).all()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("silent", [(0,), (0, 1)])
def test_a_silent_source_trains_without_nan(name, silent):
    system, sources = create(name, "tiny"), torch.randn(2, 2, 1, 1500)
    sources[0, list(silent)] = 0
    loss = system.loss(sources.sum(1), sources)["loss"]
    loss.backward()
    assert torch.isfinite(loss)
    assert all(torch.isfinite(p.grad).all() for p in system.parameters() if p.grad is not None)


@pytest.mark.parametrize("name", NAMES)
def test_the_order_of_the_talkers_does_not_matter(name):
    torch.manual_seed(2)
    system, sources = create(name, "tiny").eval(), torch.randn(2, 2, 1, 1500)
    there, back = (system.loss(sources.sum(1), s)["loss"] for s in (sources, sources.flip(1)))
    torch.testing.assert_close(there, back)


@pytest.mark.parametrize("loss", ["l1", "mse"])
def test_the_error_is_that_of_the_masked_magnitudes(loss):
    torch.manual_seed(2)
    system, sources = create("mask_inference", "tiny", loss=loss, target="msa").eval(), torch.randn(1, 2, 1, 1500)
    bins, true = system.bins(sources.sum(1), sources)
    estimates = system.masks(bins.abs()[:, 0]).unsqueeze(2) * bins.abs().unsqueeze(1)  # (B, S, C, F, T)
    errors = torch.stack([estimates - order for order in (true.abs(), true.flip(1).abs())])
    size = errors.abs() if loss == "l1" else errors.square()
    torch.testing.assert_close(system.loss(sources.sum(1), sources)["loss"], size.flatten(1).mean(1).min())


def si_snr(estimate, source):
    """Return the SI-SNR in dB of two signals, by its definition."""
    estimate, source = estimate - estimate.mean(), source - source.mean()
    target = (estimate @ source) / (source @ source) * source
    return 10 * torch.log10(target.square().sum() / (estimate - target).square().sum())


def test_the_small_preset_learns_from_the_waveforms_that_are_heard():
    torch.manual_seed(2)
    assert create("mask_inference", "small").config.loss == create("mask_inference", "tiny").config.loss == "si_snr"
    system, sources = create("mask_inference", "tiny").eval(), torch.randn(3, 2, 1, 1500)
    estimates, orders = system(sources.sum(1)), ((0, 1), (1, 0))
    gains = [
        max(torch.stack([si_snr(e[slot, 0], s[k, 0]) for k, slot in enumerate(order)]).mean() for order in orders)
        for e, s in zip(estimates, sources, strict=True)
    ]
    loss = system.loss(sources.sum(1), sources)["loss"]
    torch.testing.assert_close(loss, -torch.stack(gains).mean(), atol=1e-3, rtol=1e-4)
    loss.backward()
    assert all(p.grad.abs().sum() > 0 for p in system.network.parameters())


def test_the_same_masks_without_a_search_cost_more():
    torch.manual_seed(2)
    free, sources = create("mask_inference", "tiny").eval(), torch.randn(8, 2, 1, 1500)
    held = create("mask_inference", "tiny", ordered=True).eval()
    held.load_state_dict(free.state_dict())
    costs = [system.loss(sources.sum(1), sources)["loss"] for system in (free, held)]
    assert costs[0] < costs[1] and held.ordered and not free.ordered


@pytest.mark.parametrize(
    ("name", "changes", "says"),
    [
        ("mask_inference", {"target": "phase"}, "target is 'phase'"),
        ("mask_inference", {"loss": "l2"}, "loss is 'l2'"),
        ("deep_clustering", {"bend": "relu"}, "bend is 'relu'"),
        ("deep_clustering", {"weights": "loud"}, "weights is 'loud'"),
        ("chimera", {"estimate": "both"}, "estimate is 'both'"),
        ("chimera", {"target": "x"}, "target is 'x'"),
        ("danet", {"kind": "max"}, "kind is 'max'"),
        ("danet", {"loudest": 0.0}, "loudest is 0.0"),
        ("danet", {"loudest": 1.5}, "loudest is 1.5"),
    ],
)
def test_what_makes_no_sense_is_refused(name, changes, says):
    with pytest.raises(ValueError, match=says):
        create(name, "tiny", **changes)
