"""What every system must do. A new system passes by existing; two tiny ones prove that the tests are general."""

import dataclasses
import json

import pytest
import torch

from sepbook import architectures, shapes
from sepbook.training import checkpoint
from sepbook.training.loop import TrainConfig, train
from tests.systems import ALL, Synthetic, batch, register


@pytest.fixture(params=ALL)
def system(request, monkeypatch):
    register(monkeypatch)
    torch.manual_seed(0)
    return architectures.create(request.param, "small")


def scramble(system):
    """Give running statistics and weights values that differ from their defaults."""
    torch.manual_seed(1)
    for name, tensor in system.state_dict().items():
        if tensor.is_floating_point():
            tensor.add_(0.05 * torch.rand_like(tensor))
        assert name


def test_attributes(system):
    assert system.name in architectures.names()
    assert system.preset == "small"
    assert all(isinstance(name, str) for name in system.source_names)
    assert system.sample_rate > 0
    assert system.channels in (1, 2)
    assert isinstance(system.ordered, bool)
    assert dataclasses.is_dataclass(system.config) and type(system.config).__dataclass_params__.frozen


def test_presets_build(system):
    for preset in architectures.presets(system.name):
        with torch.device("meta"):
            built = architectures.create(system.name, preset)
        assert sum(p.numel() for p in built.parameters()) > 0


def test_config_survives_json(system):
    config = json.loads(json.dumps(dataclasses.asdict(system.config)))
    assert architectures.create(system.name, "small", **config).config == system.config


@pytest.mark.parametrize("samples", [1, 2, 255, 1000, 16001])
def test_any_length(system, samples):
    system.eval()
    S, C = len(system.source_names), system.channels
    with torch.no_grad():
        estimates = system(torch.randn(2, C, samples))
    assert estimates.shape == (2, S, C, samples)
    assert estimates.dtype == torch.float32
    assert estimates.isfinite().all()


def test_forward_takes_what_a_batch_holds(system):
    items = batch(system)
    sources = items.pop("sources")
    assert system.eval()(**items).shape == sources.shape


def test_items_of_a_batch_do_not_mix(system):
    scramble(system)
    system.eval()
    mixture = torch.randn(3, system.channels, 9000)
    with torch.no_grad():
        together = system(mixture)
        alone = torch.cat([system(item[None]) for item in mixture])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-4)


def test_loss_is_a_scalar_with_detached_terms(system):
    terms = system.loss(**batch(system))
    assert terms["loss"].shape == () and terms["loss"].requires_grad
    assert all(not value.requires_grad for name, value in terms.items() if name != "loss")
    terms["loss"].backward()
    gradients = [p.grad for p in system.parameters() if p.grad is not None]
    assert gradients and all(g.isfinite().all() for g in gradients)
    assert sum(g.abs().sum() for g in gradients) > 0


def test_silence_stays_finite(system):
    items = {name: torch.zeros_like(value) for name, value in batch(system).items()}
    loss = system.loss(**items)["loss"]
    loss.backward()
    assert loss.isfinite()
    assert all(p.grad.isfinite().all() for p in system.parameters() if p.grad is not None)
    with torch.no_grad():
        assert system.eval()(items["mixture"]).isfinite().all()


def test_wrong_input_is_refused_in_words(system):
    C = system.channels
    with pytest.raises(ValueError, match="C=3"):
        system(torch.zeros(1, 3, 100))
    with pytest.raises(ValueError, match="N=0"):
        system(torch.zeros(1, C, 0))
    with pytest.raises(ValueError, match=r"\(B, C, N\)"):
        system(torch.zeros(C, 100))
    with pytest.raises(ValueError, match="real"):
        system(torch.zeros(1, C, 100, dtype=torch.complex64))
    items = batch(system)
    with pytest.raises(ValueError, match=r"S \(source\)"):
        system.loss(items["mixture"], items["sources"][:, :1])


def test_checkpoint_round_trip(system, tmp_path):
    scramble(system)
    path = tmp_path / "weights.safetensors"
    checkpoint.save_weights(path, system, steps=3)
    again = checkpoint.load_weights(path, expect=system.name)
    assert again.config == system.config and again.name == system.name
    mixture = torch.randn(1, system.channels, 5000)
    with torch.no_grad():
        assert torch.equal(again(mixture), system.eval()(mixture))


def test_trace_counts_every_parameter(system):
    ledger = shapes.trace(system, torch.zeros(2, system.channels, 8000))
    assert ledger.parameters == sum(p.numel() for p in system.parameters())
    assert ledger.macs > 0
    assert len(ledger.rows) >= 3
    assert "B=2" in str(ledger)


def test_loss_falls_in_twenty_steps(system):
    data = Synthetic(system, items=40)
    config = TrainConfig(steps=20, batch_size=4, schedule="constant", device="cpu")
    history = train(system, data, config=config, progress=False)
    first, last = sum(history.losses[:3]), sum(history.losses[-3:])
    assert last < first - 0.05 * abs(first), history.losses


def test_training_is_a_function_of_the_seed(system, monkeypatch):
    def run():
        torch.manual_seed(3)
        fresh = architectures.create(system.name, "small")
        config = TrainConfig(steps=3, batch_size=2, device="cpu")
        train(fresh, Synthetic(fresh, items=4, samples=4000), config=config, progress=False)
        return fresh.state_dict()

    first, second = run(), run()
    assert all(torch.equal(first[key], second[key]) for key in first)
