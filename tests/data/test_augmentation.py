"""Augmentation: each module does what it says, to all sources alike or to each by itself, and the seed decides."""

import pytest
import torch

from sepbook.data.augmentation import (
    KINDS,
    Augment,
    Equalise,
    FlipChannels,
    FlipSign,
    Remix,
    Repitch,
    Scale,
    Shift,
    check_names,
)


def random(seed=0):
    return torch.Generator().manual_seed(seed)


def sound(B=8, S=4, C=2, N=50, seed=0):
    return torch.randn(B, S, C, N, generator=random(seed))


def batch(**sizes):
    sources = sound(**sizes)
    return {"mixture": sources.sum(1), "sources": sources}


def test_signs_turn_source_by_source():
    sources = sound(B=40)
    ratio = FlipSign()(sources, random()) / sources
    assert set(ratio.unique().tolist()) == {-1.0, 1.0}
    sign = ratio[..., 0, 0]
    assert (ratio == sign[..., None, None]).all() and 0.35 < (sign > 0).float().mean() < 0.65
    assert len(sign.unique(dim=0)) > 10  # no two sources turn together


def test_left_and_right_change_places_source_by_source():
    sources = sound(B=40)
    flipped = FlipChannels()(sources, random())
    same = (flipped == sources).all(-1).all(-1)
    assert torch.equal(flipped[~same], sources.flip(2)[~same]) and 0.35 < same.float().mean() < 0.65
    mono = sound(C=1)
    assert torch.equal(FlipChannels()(mono, random()), mono)


def test_levels_lie_between_both_factors():
    sources = sound(B=200)
    factor = Scale(0.25, 1.25)(sources, random()) / sources
    torch.testing.assert_close(factor, factor[..., :1, :1].expand_as(factor))
    factor = factor[..., 0, 0]
    assert 0.25 <= factor.min() < 0.3 and 1.2 < factor.max() <= 1.25 and abs(factor.mean() - 0.75) < 0.05
    assert len(factor.unique()) > 700


def test_each_source_gets_a_tone_of_its_own():
    sources = sound(B=12, N=8000)
    made = Equalise(6.0, points=5)(sources, random())
    response = torch.fft.rfft(made) / torch.fft.rfft(sources)  # (B, S, C, F)
    assert response.imag.abs().max() < 1e-2 and response.real.min() > 0  # zero phase: nothing moves in time
    torch.testing.assert_close(response[:, :, 0], response[:, :, 1], rtol=0, atol=1e-2)  # both channels alike
    decibels = 20 * response.abs()[:, :, 0, 1:-1].log10()  # (B, S, F)
    assert 8 < decibels.max() - decibels.min() and (decibels.amax(-1) - decibels.amin(-1)).max() <= 12.1
    at = decibels[..., [999, 1249, 1499, 1999, 2249, 2999]]  # bins 1000, 1250 …: three points, and between them
    quarters = 0.75 * at[..., [0, 3]] + 0.25 * at[..., [3, 5]]
    torch.testing.assert_close(at[..., [1, 4]], quarters, rtol=0, atol=0.05)  # straight lines
    torch.testing.assert_close(at[..., 2], at[..., [0, 3]].mean(-1), rtol=0, atol=0.05)
    assert len({tuple(curve.round(decimals=1).tolist()) for curve in decibels.flatten(0, 1)[:, ::500]}) == 48
    torch.testing.assert_close(made.square().sum((2, 3)), sources.square().sum((2, 3)))  # as loud as before
    for kind in (torch.float32, torch.float64):
        odd = sound(N=4001).to(kind)
        torch.testing.assert_close(Equalise(0.0)(odd, random()), odd, rtol=0, atol=1e-5)


@pytest.mark.parametrize("same", [False, True])
def test_each_source_begins_at_a_place_of_its_own(same):
    sources = torch.arange(50.0).expand(30, 4, 2, 50)
    moved = Shift(10, seconds=1.0, same=same)(sources, random())
    assert moved.shape == (30, 4, 2, 40)
    first = moved[:, :, 0, 0]
    assert torch.equal(moved, first[..., None, None] + torch.arange(40.0).expand_as(moved))
    assert set(first.unique().tolist()) == set(range(11))
    assert ((first == first[:, :1]).all().item()) is same


def test_sources_meet_others_of_their_group():
    item, source = torch.arange(10.0)[:, None], 100 * torch.arange(4.0)
    sources = (item + source)[..., None, None].expand(10, 4, 2, 5)
    dealt = Remix(group=4, still=1)(sources, random())[..., 0, 0]
    assert torch.equal(dealt[:, 1], sources[:, 1, 0, 0])
    for s in range(4):
        items = (dealt[:, s] - 100 * s).long()
        for group in (slice(0, 4), slice(4, 8), slice(8, 10)):
            assert sorted(items[group].tolist()) == list(range(10))[group]
    orders = {tuple((Remix(4)(sources, random(seed))[:4, 2, 0, 0] - 200).tolist()) for seed in range(200)}
    assert len(orders) == 24  # every order of four comes


def test_every_augmentation_rests_in_eval_mode():
    names = [name for name in KINDS if name not in ("shift", "repitch")]
    augment = Augment(names, 8000).eval()
    given = batch()
    assert torch.equal(augment(given, 3)["sources"], given["sources"])
    assert torch.equal(Shift(10).eval()(sound(), random()), sound()[..., :40])
    assert torch.equal(Repitch(800, tempo=0.25).eval()(sound(), random()), sound()[..., :40])


def test_the_number_of_the_batch_decides():
    given = batch(N=9000)
    augment = Augment(tuple(KINDS), 8000, seed=3)
    first = augment(given, 7)
    assert torch.equal(first["sources"], Augment(tuple(KINDS), 8000, seed=3)(given, 7)["sources"])
    for other in (augment(given, 8), Augment(tuple(KINDS), 8000, seed=4)(given, 7)):
        assert not torch.equal(first["sources"], other["sources"])
    assert torch.equal(first["mixture"], first["sources"].sum(1)) and first["sources"].shape[:3] == (8, 4, 2)
    assert first["sources"].isfinite().all()
    torch.manual_seed(0)
    state = torch.get_rng_state()
    augment(given, 9)
    assert torch.equal(torch.get_rng_state(), state), "the random numbers of the training are left alone"


def test_nothing_is_changed_in_place():
    given = batch(N=9000)
    before = {name: value.clone() for name, value in given.items()}
    Augment(tuple(KINDS), 8000)(given, 0)
    assert all(torch.equal(given[name], before[name]) for name in given)


def test_silence_stays_silent_and_short_numbers_stay_short():
    sources = torch.zeros(4, 4, 1, 9000)
    made = Augment(tuple(KINDS), 8000)({"mixture": sources.sum(1), "sources": sources}, 0)
    assert not made["sources"].any()
    halves = sound().to(torch.bfloat16)
    for kind in (FlipSign(), FlipChannels(), Scale(), Shift(10), Equalise(), Remix()):
        assert kind(halves, random()).dtype == torch.bfloat16


def test_labels_stay_with_the_vocals():
    sources = (torch.arange(8.0)[:, None] + 100 * torch.arange(4.0))[..., None, None].expand(8, 4, 1, 5)
    given = {"mixture": sources.sum(1), "sources": sources, "f0": torch.arange(8.0)}
    made = Augment(("remix",), 8000, ("drums", "bass", "vocals", "other"))(given, 0)
    assert torch.equal(made["sources"][:, 2], sources[:, 2]) and torch.equal(made["f0"], given["f0"])
    assert not torch.equal(made["sources"][:, 0], sources[:, 0])
    for name in ("shift", "repitch"):
        with pytest.raises(ValueError, match=rf"{name} moves sources in time, away from their labels \(f0\)"):
            Augment(("flip_sign", name), 8000)(given, 0)


def peak(samples, rate=8000):
    """The strongest frequency in Hz, and the place of the loudest sample."""
    middle = samples[len(samples) // 4 : -len(samples) // 4]
    bins = torch.fft.rfft(middle * torch.hann_window(len(middle)))
    return bins.abs().argmax().item() * rate / len(middle)


def test_some_items_are_repitched_and_all_their_sources_alike():
    time = torch.arange(16_000) / 8000
    tones = torch.stack([torch.sin(2 * torch.pi * hertz * time) for hertz in (300, 500, 900)])  # (S, N)
    sources = tones[None, :, None].expand(40, 3, 1, 16_000)
    made = Repitch(8000, semitones=2, tempo=0.12, chance=0.5)(sources, random(1))
    assert made.shape == (40, 3, 1, int(16_000 / 1.12))
    rest = (made == sources[..., : made.shape[-1]]).flatten(1).all(1)
    assert 10 < rest.sum() < 30
    ratios = torch.tensor([[peak(made[i, s, 0]) / f for s, f in enumerate((300, 500, 900))] for i in range(40)])[~rest]
    assert (ratios - ratios.mean(1, keepdim=True)).abs().max() < 0.012  # of tones that lie bins apart
    assert ratios.min() > 0.885 and ratios.max() < 1.127 and ratios.std() > 0.03
    calm = Repitch(8000, semitones=0, tempo=0, chance=1.0)(sources[:1], random())
    assert (calm - sources[:1])[..., 500:-500].abs().max() < 0.01  # nothing asked for, nothing changed


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: check_names(["flipsign"]), "augmentation 'flipsign' is unknown; did you mean 'flip_sign'"),
        (lambda: Augment(("remix",), 8000, ("talker_1", "talker_2")), "remix would let a talker meet himself"),
        (lambda: Scale(1.0, 0.5), "scale between 1.0 and 0.5"),
        (lambda: Scale(0.0, 0.5), "scale between 0.0"),
        (lambda: Equalise(-1.0), "equalise: -1.0 dB at 8 points"),
        (lambda: Equalise(points=1), "equalise: 6.0 dB at 1 points"),
        (lambda: Remix(group=1), "group is 1; expected 2 items or more"),
        (lambda: Shift(8000, seconds=0.0), "shift: seconds is 0.0"),
        (lambda: Shift(50)(sound(N=50), random()), "shift leaves nothing of items of 50 samples"),
        (lambda: Repitch(8000, semitones=13), "repitch by 13 semitones"),
        (lambda: Repitch(8000, chance=1.5), "chance 1.5"),
    ],
)
def test_what_makes_no_sense_is_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()
