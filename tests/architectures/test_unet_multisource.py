"""The U-Net for all sources: counts, equality with the plain one, and the three ways to weigh its sources."""

import dataclasses
import math

import pytest
import torch

from sepbook.architectures import configure, create, presets, recipe_of
from sepbook.architectures._unets import NARROW
from sepbook.architectures.unet_multisource import Config
from sepbook.training.loop import TrainConfig, train
from tests.systems import Synthetic, batch

WIDTHS = (4, 8)


def parameters(module):
    return sum(p.numel() for p in module.parameters())


def make(weights, seed=0, preset="small", **changes):
    torch.manual_seed(seed)
    return create("unet_multisource", preset, weights=weights, **{"widths": WIDTHS, "n_fft": 256, "hop": 64, **changes})


def random_sources(levels=(1.0, 0.5, 0.1, 0.02), B=2, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(B, len(levels), 1, 3000, generator=generator) * torch.tensor(levels)[:, None, None]


def test_counts():
    for S, count in ((2, 9_824_114), (4, 9_825_716)):
        names = tuple(f"source_{i}" for i in range(S))
        with torch.device("meta"):
            assert parameters(create("unet_multisource", "paper", source_names=names)) == count
            small, plain = create("unet_multisource"), create("unet", **NARROW)
    assert parameters(small) == parameters(plain) and 2 * parameters(small) < 3.3e6  # bytes in half precision


@pytest.mark.parametrize("changes", [{}, {"scale": "peak", "masks": "sigmoid", "loss": "mse", "channels": 2}])
def test_with_equal_weights_it_is_the_u_net(changes):
    ours = make("unit", **changes)
    plain = create("unet", widths=WIDTHS, n_fft=256, hop=64, **changes)
    plain.load_state_dict(ours.state_dict(), strict=False)
    sources = random_sources().repeat(1, 1, ours.channels, 1)
    sources[:, :, -1] *= -0.3
    torch.testing.assert_close(ours.eval()(sources.sum(1)), plain.eval()(sources.sum(1)), rtol=0, atol=0)
    terms = []
    for system in (ours, plain):
        system.train().loss(sources.sum(1), sources)["loss"].backward()
        terms.append(system.network.encoder[0].conv.weight.grad)
    assert (ours.stride, ours.whole) == (plain.stride, plain.whole)
    torch.testing.assert_close(*terms)


def test_the_loss_is_the_weighed_mean_of_the_sources():
    system, sources = make("dynamic").train(), random_sources()
    weights = torch.tensor([0.0, 3.0, 0.5, 2.0])
    system.weighting.weights = weights
    terms = system.loss(sources.sum(1), sources)
    window, total = torch.hann_window(256), 0.0
    options = {"window": window, "return_complex": True, "pad_mode": "constant"}
    padded = torch.nn.functional.pad(sources, (0, -3000 % 64))
    magnitude = torch.stft(padded.sum(1)[:, 0], 256, 64, **options).abs()[:, None]
    masks = system.masks(magnitude)
    for s, name in enumerate(system.source_names):
        target = torch.stft(padded[:, s, 0], 256, 64, **options).abs()
        error = (masks[:, s] * magnitude - target[:, None]).abs().mean()
        torch.testing.assert_close(terms[f"loss_{name}"], error.detach())
        total = total + weights[s] * error / 4
    torch.testing.assert_close(terms["loss"], total)
    assert set(terms) == {"loss", "loss_vocals", "loss_drums", "loss_bass", "loss_other"}


def test_a_source_of_weight_zero_trains_nothing():
    """With sigmoid masks the last layer's channels belong to one source each."""
    system, sources = make("dynamic", masks="sigmoid").train(), random_sources()
    system.weighting.weights = torch.tensor([1.0, 0.0, 1.0, 1.0])
    system.loss(sources.sum(1), sources)["loss"].backward()
    slopes = system.network.decoder[-1].conv.weight.grad.abs().sum((0, 2, 3))  # (S,)
    assert [bool(s > 0) for s in slopes] == [True, False, True, True]


def test_validation_counts_all_alike():
    system, sources = make("dynamic").eval(), random_sources()
    system.weighting.weights = torch.tensor([0.0, 9.0, 0.0, 0.0])
    terms = system.loss(sources.sum(1), sources)
    mean = torch.stack([terms[f"loss_{name}"] for name in system.source_names]).mean()
    torch.testing.assert_close(terms["loss"], mean)


@pytest.mark.parametrize("parts", [[4], [1, 3], [1, 1, 1, 1]])
def test_energy_weights_are_those_of_the_whole_training_data(parts):
    system, sources = make("energy"), random_sources(B=4)
    sources[0, 2] = 0  # silent in one batch is not silent
    loader = [{"mixture": part.sum(1), "sources": part} for part in sources.split(parts)]
    system.prepare(loader)
    energies = [sources[:, s].double().square().sum().item() for s in range(4)]
    expected = torch.tensor([max(energies) / energy for energy in energies])
    torch.testing.assert_close(system.weighting.weights, expected, rtol=1e-5, atol=0)
    assert system.weighting.weights.dtype == torch.float32
    before = system.weighting.weights.clone()
    system.epoch_end({f"loss_{name}": 1.0 for name in system.source_names})
    assert torch.equal(system.weighting.weights, before)


def test_energy_needs_sound():
    system, sources = make("energy"), random_sources()
    sources[:, 1] = 0
    with pytest.raises(ValueError, match="'drums' is silent in all training data.*weights='dynamic'"):
        system.prepare([{"mixture": sources.sum(1), "sources": sources}])


@pytest.mark.parametrize("weights", ["unit", "dynamic"])
def test_the_others_do_not_look_before_the_first_step(weights):
    system = make(weights)
    system.prepare(iter(()))
    assert system.weighting.weights.tolist() == [1.0] * 4


def epochs(system, losses):
    for row in losses:
        system.epoch_end({f"loss_{name}": value for name, value in zip(system.source_names, row, strict=True)})
    return system.weighting.weights.tolist()


def test_dynamic_weights_follow_the_losses():
    """Kadandale 2020, equation of DWA: from the third epoch on, S softmax of the ratio of the last two, over T."""
    rows = [[1.0, 2.0, 3.0, 4.0], [0.9, 1.0, 3.0, 1.0], [0.5, 0.9, 3.3, 1.0]]
    system = make("dynamic", temperature=1.5)
    assert epochs(system, rows[:1]) == [1.0] * 4, "after one epoch there is nothing to compare"
    for before, last in ((rows[0], rows[1]), (rows[1], rows[2])):
        powers = [math.exp(b / a / 1.5) for a, b in zip(before, last, strict=True)]
        assert epochs(system, [last]) == pytest.approx([4 * p / sum(powers) for p in powers], rel=1e-5)
    assert epochs(make("unit"), rows) == [1.0] * 4


def test_a_source_that_is_always_silent_does_no_harm():
    weights = epochs(make("dynamic"), [[0.0, 1.0, 1.0, 1.0]] * 3)
    assert weights == pytest.approx([1.0] * 4)


def test_a_checkpoint_remembers_the_weights():
    one, two = make("dynamic"), make("dynamic", seed=5)
    epochs(one, [[1.0, 2.0, 3.0, 4.0]])
    two.load_state_dict(one.state_dict())
    last = [[0.5, 2.0, 3.0, 4.0]]
    assert epochs(one, last) == epochs(two, last) != [1.0] * 4


@pytest.mark.parametrize("weights", ["energy", "dynamic"])
def test_the_loop_weighs(weights):
    system = make(weights, preset="tiny")
    config = TrainConfig(steps=6, batch_size=2, device="cpu")
    history = train(system, Synthetic(system, items=4, samples=1500), config=config, progress=False)
    found = system.weighting.weights
    if weights == "energy":
        data = torch.cat([batch(system, B=4, samples=1500)["sources"]])
        energies = data.double().square().sum((0, 2, 3))
        torch.testing.assert_close(found.double(), energies.max() / energies, rtol=1e-4, atol=0)
    else:
        rows = [[row[f"loss_{name}"] for name in system.source_names] for row in history.rows[-2:]]
        ratios = torch.tensor(rows[1]) / torch.tensor(rows[0]) / 2.0
        torch.testing.assert_close(found, 4 * ratios.softmax(0), rtol=1e-4, atol=0)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"weights": "loud"}, "weights is 'loud'; choose 'unit' or 'energy' or 'dynamic'"),
        ({"temperature": 0.0}, "temperature"),
        ({"masks": "hard"}, "masks is 'hard'"),
        ({"scale": "cubic"}, "scale is 'cubic'"),
        ({"loss": "l3"}, "loss is 'l3'"),
    ],
)
def test_what_makes_no_sense_is_refused(changes, says):
    with pytest.raises(ValueError, match=says):
        create("unet_multisource", "tiny", **changes)


def test_presets_and_recipe():
    plain, ours = configure("unet", "paper"), configure("unet_multisource", "paper")
    own = {"source_names", "weights", "temperature"}
    same = {k: v for k, v in dataclasses.asdict(plain).items() if k not in own}
    assert {k: v for k, v in dataclasses.asdict(ours).items() if k not in own} == same
    assert ours == Config() and (ours.weights, ours.temperature) == ("dynamic", 2.0)
    kinds = [configure("unet_multisource", p).weights for p in presets("unet_multisource")]
    assert kinds == ["dynamic", "dynamic", "unit", "energy", "dynamic"]
    recipe = recipe_of("unet_multisource", "paper")
    assert (recipe.optimizer, recipe.learning_rate, recipe.batch_size) == ("sgd", 0.01, 16)
    assert recipe.optimizer_options == {"momentum": 0.9} and recipe.schedule_options == {"patience": 7}
