"""Validation keeps the rules of the metric: what is left out, what is subtracted, and which estimate is whose."""

import pytest
import torch

from sepbook.evaluation import metrics
from sepbook.losses.permutation import permutation_invariant
from sepbook.losses.waveform import mse, si_sdr_loss
from sepbook.training.device import choose
from sepbook.training.validation import improvement, validate
from tests.systems import Talkers, TalkersConfig

CPU = choose("cpu")


def noise(*shape, level=0.1, seed=0):
    return level * torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def cases():
    """Return {name: (estimates, sources)}, each `(2, 1, 800)`."""
    a, b, hum = (noise(1, 800, seed=seed) for seed in (1, 2, 3))
    quiet = 3e-4 * a  # -90.5 dB
    return {
        "two sources": ([a + 0.1 * b, b + 0.5 * a], [a, b]),
        "one is silent": ([a + 0.1 * hum, 0.1 * hum], [a, 0 * b]),
        "one is below -90 dB": ([b + 0.1 * hum, hum], [b, quiet]),
        "one is above -90 dB": ([b + 0.1 * hum, hum], [b, 3 * quiet]),
        "the estimate is silent": ([0 * a, b], [a, b]),
        "perfect": ([a, b], [a, b]),
        "worse than the mixture": ([hum, hum], [a, b]),
        "all silent": ([hum, hum], [0 * a, 0 * b]),
        "a constant beside a voice": ([a, b], [a, torch.full_like(b, 0.05)]),
        "louder than full scale": ([300 * a + b, 9 * b], [100 * a, 100 * b]),
    }


@pytest.mark.parametrize("name", cases())
def test_the_improvement_is_the_metrics(name):
    estimates, sources = (torch.stack(tensors) for tensors in cases()[name])
    mixture = sources.sum(0)
    ours = improvement(estimates[None], sources[None], mixture[None])[0]
    theirs = metrics.si_sdr_improvement(estimates, sources, mixture)
    torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=0, equal_nan=True)


class Items:
    """A data set of given sources; their sum is the mixture."""

    def __init__(self, every, names=("talker_1", "talker_2")):
        self.every, self.source_names = every, names

    def __len__(self):
        return len(self.every)

    def __getitem__(self, i):
        return {"mixture": self.every[i].sum(0), "sources": self.every[i]}


class Answers(Talkers):
    """Answers the mixtures in turn with what it was given."""

    def __init__(self, answers, ordered=False, losses=None, names=TalkersConfig.source_names):
        super().__init__(TalkersConfig(source_names=tuple(names)))
        self.answers, self.ordered, self.at, self.losses = answers, ordered, 0, losses

    def forward(self, mixture, **inputs):
        found = self.answers[self.at : self.at + len(mixture)]
        self.at += len(mixture)
        return torch.stack(found)

    def loss(self, mixture, sources, **labels):
        given = self.losses[self.at : self.at + len(mixture)] if self.losses else [1.0]
        return {"loss": torch.tensor(given).mean()}


@pytest.mark.parametrize("ordered", [True, False])
@pytest.mark.parametrize("batch_size", [1, 2, 4, 64])
def test_the_mean_is_over_what_has_a_score(ordered, batch_size):
    pairs = [tuple(torch.stack(t) for t in case) for case in cases().values()]
    if not ordered:
        pairs = [(estimates.flip(0), sources) for estimates, sources in pairs]
    answers = [estimates for estimates, _ in pairs]
    found = validate(Answers(answers, ordered), Items([s for _, s in pairs]), CPU, batch_size)
    scores = []
    for estimates, sources in pairs:
        best = estimates if ordered else estimates[metrics.match(estimates, sources)]
        scores.append(metrics.si_sdr_improvement(best, sources, sources.sum(0)))
    expected = torch.stack(scores).nanmean().item()
    assert found["valid_si_sdr_improvement"] == pytest.approx(expected, abs=1e-4)


def test_the_loss_counts_items_whatever_the_batches():
    sources = [noise(2, 1, 100, seed=seed) for seed in range(5)]
    for batch_size in (1, 4, 64):
        found = validate(Answers(sources, losses=[1.0, 2.0, 3.0, 4.0, 10.0]), Items(sources), CPU, batch_size)
        assert found["valid_loss"] == pytest.approx(4.0)


def test_where_nothing_has_a_score_there_is_none():
    silent = [torch.zeros(2, 1, 100)] * 2
    assert validate(Answers(silent), Items(silent), CPU, 2) == {"valid_loss": 1.0}
    alone = [torch.stack([noise(1, 100), torch.zeros(1, 100)])]
    assert validate(Answers(alone), Items(alone), CPU, 2) == {"valid_loss": 1.0}, "the mixture is the source"


@pytest.mark.parametrize("silence", [0.0, 1e-5])
@pytest.mark.parametrize("place", [0, 1, 2, 3])
@pytest.mark.parametrize("level", [1.0, 0.1, 1e-2])
def test_a_silent_source_takes_what_is_left_for_all_of_them(level, place, silence):
    """An estimate that is good but quiet is nearest to silence as well: training must not give it away."""
    sources = noise(4, 1, 400, seed=1)
    sources[place] *= silence
    estimates = sources + 0.01 * noise(4, 1, 400, seed=2)
    estimates[place] = noise(1, 400, level=0.3, seed=3)
    estimates = (level * estimates).roll(1, dims=0)
    value, permutation = permutation_invariant(si_sdr_loss, estimates[None], sources[None])
    expected = [(s + 1) % 4 for s in range(4)]
    assert permutation[0].tolist() == metrics.match(estimates, sources).tolist() == expected
    assert value.item() == pytest.approx(si_sdr_loss(estimates[None, expected], sources[None]).item(), rel=1e-5)
    found = validate(Answers([estimates], names="abcd"), Items([sources], "abcd"), CPU, 2)
    assert found["valid_si_sdr_improvement"] > 10


def test_a_quiet_estimate_is_not_silences_own_under_a_distance_either():
    voice, hum = noise(1, 400, seed=1), noise(1, 400, level=0.2, seed=2)
    sources, estimates = torch.stack([voice, 0 * voice]), torch.stack([hum, 0.5 * voice])
    assert mse(estimates[:1], sources[1:]) > mse(estimates[1:], sources[1:])
    assert permutation_invariant(mse, estimates[None], sources[None])[1].tolist() == [[1, 0]]
