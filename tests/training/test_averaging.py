"""The moving average of weights: against PyTorch's own, against the sum written out, and back again."""

import copy

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from sepbook.training.averaging import WeightAverage


def network(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))


def walk(module, steps, *observers):
    """Let Adam take some steps; each observer is called after each one."""
    optimizer = torch.optim.Adam(module.parameters(), 0.1)
    for _ in range(steps):
        optimizer.zero_grad()
        module(torch.randn(8, 3)).square().mean().backward()
        optimizer.step()
        for observe in observers:
            observe()


def test_after_its_first_steps_it_is_pytorchs_own():
    module = network()
    average = WeightAverage(module, decay=0.5)  # from the eighth step on, the smaller decays are over
    walk(module, 8, average.update)
    theirs = AveragedModel(module, multi_avg_fn=get_ema_multi_avg_fn(0.5), use_buffers=True)
    for name, value in average.weights.items():
        theirs.module.state_dict()[name].copy_(value)
    theirs.n_averaged += 1
    walk(module, 5, average.update, lambda: theirs.update_parameters(module))
    for name, value in theirs.module.state_dict().items():
        if value.is_floating_point():  # PyTorch's average of a count is rounded
            torch.testing.assert_close(average.weights[name], value)


def test_it_is_the_weighted_sum_of_all_weights():
    module = nn.Linear(1, 1, bias=False)
    average = WeightAverage(module, decay=0.9)
    expected = module.weight.detach().clone()
    for k, value in enumerate((1.0, -2.0, 5.0), 1):
        with torch.no_grad():
            module.weight.fill_(value)
        average.update()
        decay = min(0.9, (1 + k) / (10 + k))
        expected = decay * expected + (1 - decay) * value
    torch.testing.assert_close(average.weights["weight"], expected)


def test_it_forgets_the_untrained_weights():
    module = nn.Linear(1, 1, bias=False)
    nn.init.constant_(module.weight, 1000.0)
    average = WeightAverage(module, decay=0.999)
    with torch.no_grad():
        module.weight.fill_(1.0)
    for _ in range(100):
        average.update()
    assert average.weights["weight"].item() == pytest.approx(1.0, abs=0.01)


def test_counts_are_copied_and_statistics_are_averaged():
    module = network()
    average = WeightAverage(module, decay=0.99)
    walk(module, 6, average.update)
    assert average.weights["1.num_batches_tracked"] == 6
    assert not torch.equal(average.weights["1.running_mean"], module[1].running_mean)


def test_the_weights_come_back_even_after_an_error():
    module = network()
    average = WeightAverage(module)
    walk(module, 4, average.update)
    before = copy.deepcopy(module.state_dict())
    with pytest.raises(KeyError), average.in_use() as averaged:
        assert averaged is module
        torch.testing.assert_close(module.state_dict(), average.weights)
        raise KeyError
    torch.testing.assert_close(module.state_dict(), before)


def test_training_is_not_disturbed():
    plain, observed = network(), network()
    average = WeightAverage(observed)
    torch.manual_seed(1)
    walk(plain, 5)
    torch.manual_seed(1)
    walk(observed, 5, average.update)
    torch.testing.assert_close(plain.state_dict(), observed.state_dict(), rtol=0, atol=0)


@pytest.mark.parametrize("decay", [-0.1, 1.0, 2])
def test_a_decay_that_makes_no_sense_is_refused(decay):
    with pytest.raises(ValueError, match="decay is"):
        WeightAverage(network(), decay)
