"""What `forward` and `loss` do: any length, silence, items by themselves, errors in words."""

import pytest
import torch

from sepbook import architectures, shapes
from sepbook.training import checkpoint
from tests.contracts import contract
from tests.systems import ALL, batch, module

EACH = [(name, preset) for name in ALL for preset in ("tiny", "small") if preset in module(name).PRESETS]
PAPER = [name for name in ALL if "paper" in module(name).PRESETS]


@pytest.fixture(params=EACH, ids="-".join)
def each(request, shelf):
    """The preset that is tested in behaviour, and the small one."""
    torch.manual_seed(0)
    return architectures.create(*request.param)


def scramble(system):
    """Give running statistics and weights values that differ from their defaults."""
    torch.manual_seed(1)
    for tensor in system.state_dict().values():
        if tensor.is_floating_point():
            tensor.add_(0.05 * torch.rand_like(tensor))


@pytest.mark.parametrize("samples", [1, 2, 255, 1000, 16001])
def test_any_length(each, samples):
    each.eval()
    S, C = len(each.source_names), each.channels
    with torch.no_grad():
        estimates = each(torch.randn(2, C, samples))
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
    twice = torch.cat([items["sources"], items["sources"]], dim=1)  # (B, 2·S, C, N)
    with pytest.raises(ValueError, match=r"S \(source\)"):
        system.loss(items["mixture"], twice)


def test_checkpoint_round_trip(each, tmp_path):
    scramble(each)
    path = tmp_path / "weights.safetensors"
    checkpoint.save_weights(path, each, steps=3)
    again = checkpoint.load_weights(path, expect=each.name)
    assert again.config == each.config and (again.name, again.preset) == (each.name, each.preset)
    mixture = torch.randn(1, each.channels, 5000)
    with torch.no_grad():
        assert torch.equal(again(mixture), each.eval()(mixture))


def test_trace_counts_every_parameter(system):
    ledger = shapes.trace(system, torch.zeros(2, system.channels, 8000))
    assert ledger.parameters == sum(p.numel() for p in system.parameters())
    assert ledger.macs > 0
    assert len(ledger.rows) >= 3
    assert "B=2" in str(ledger)


def test_parts_hold_the_costliest_layer(system):
    parts = system.parts()
    assert parts and all(isinstance(part, torch.nn.Module) for part in parts.values())
    contract.parts_hold_the_work(system)


@pytest.mark.slow
@pytest.mark.parametrize("name", PAPER)
def test_paper_configuration_runs(name):
    with torch.device("meta"):
        size = sum(p.numel() for p in architectures.create(name, "paper").parameters())
    if size > 50e6:
        pytest.skip(f"{size:,} parameters are too many for this test")
    system = architectures.create(name, "paper").eval()
    mixture = torch.randn(1, system.channels, system.sample_rate)
    with torch.no_grad():
        assert system(mixture).shape == (1, len(system.source_names), *mixture.shape[1:])
