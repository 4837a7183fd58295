"""The U-Net with further heads: with and without them, what each loss reaches, labels of the score, the gate."""

import math

import pytest
import torch
from torch.nn import functional

from sepbook import shapes
from sepbook.architectures import configure, create, presets, recipe_of
from sepbook.architectures._unets import HIGHEST, LOWEST, NARROW, at_frames, band_middles, pitch_band
from sepbook.architectures.unet_joint import GATE, JointUNet, sings
from sepbook.data import corpus, tasks
from sepbook.losses.weighting import shared_slopes
from sepbook.training.loop import TrainConfig, train
from sepbook.training.recipes import by_recipe
from tests.systems import batch

LITTLE = {"widths": (4, 6, 8), "n_fft": 128, "hop": 32, "sample_rate": 8000}
HEADS = {"both": {}, "voice": {"pitch": 0.0}, "pitch": {"voice": 0.0}, "none": {"voice": 0.0, "pitch": 0.0}}


def parameters(module):
    return sum(p.numel() for p in module.parameters())


def make(seed=0, **changes):
    torch.manual_seed(seed)
    return create("unet_joint", **{**LITTLE, **changes})


def items(system, B=2, samples=3000):
    """A batch with labels that differ from frame to frame."""
    found = batch(system, B=B, samples=samples)
    frames = found["f0"].shape[-1]
    generator = torch.Generator().manual_seed(4)
    f0 = LOWEST * (HIGHEST / LOWEST) ** torch.rand(B, frames, generator=generator)
    return found | {"f0": f0 * found["vocal_activity"]}


def test_counts():
    with torch.device("meta"):
        voice, pitch = 32 * 4 + 4 + 4 * 256 + 1, 32 * 4 + 4 + (4 * 256 + 1) * 49
        assert parameters(create("unet_joint", "paper")) == 9_825_716 + voice + pitch
        small = {preset: parameters(create("unet_joint", preset)) for preset in presets("unet_joint")}
        plain = parameters(create("unet", **NARROW))
    assert small["small_alone"] == plain
    assert (small["small_voice"], small["small_pitch"]) == (plain + voice, plain + pitch)
    assert small["small"] == plain + voice + pitch and 2 * small["small"] < 3.25e6  # bytes in half precision


@pytest.mark.parametrize("changes", [{}, {"scale": "peak", "masks": "sigmoid", "loss": "mse", "channels": 2}])
@pytest.mark.parametrize("heads", HEADS)
def test_heads_leave_the_masks_as_they_are(heads, changes):
    """With the U-Net's weights the estimates are the U-Net's; without heads the loss is too."""
    ours, plain = make(**HEADS[heads], **changes), create("unet", **LITTLE, **changes)
    missing = plain.load_state_dict(ours.state_dict(), strict=False).unexpected_keys
    assert all(key.startswith(("network.voice", "network.pitch")) for key in missing) and bool(missing) != (
        heads == "none"
    )
    found = items(ours)
    with torch.no_grad():
        assert torch.equal(ours.eval()(found["mixture"]), plain.eval()(found["mixture"]))
        separation = plain.loss(found["mixture"], found["sources"])["loss"]
        terms = ours.loss(**found)
    torch.testing.assert_close(terms["separation"], separation)
    assert (terms["loss"] > separation * 1.001) == (heads != "none")
    assert (ours.stride, ours.whole) == (plain.stride, plain.whole)


def test_equals_an_independent_computation():
    """Every bin's features, one sum over all bins; two frames share their answer."""
    system = make(3).eval()
    seen = []
    system.network.decoder[-1].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    mixture = torch.randn(2, 1, 3001)
    with torch.no_grad():
        masks, voice, pitch = system.network(system.heard(system.stft(mixture).abs()))
        x, T = seen[0].double(), voice.shape[-1]  # (B, H, F, T/2)
        assert x.shape[1:3] == (8, 32) and T == 95
        for head, found in ((system.network.voice, voice), (system.network.pitch, pitch)):
            weights = {name: value.double() for name, value in head.state_dict().items()}
            narrow = torch.einsum("bhft,kh->bkft", x, weights["narrow.weight"][:, :, 0, 0])
            narrow = (narrow + weights["narrow.bias"][:, None, None]).clamp_min(0)
            table = weights["linear.weight"].view(-1, 4, 32)  # (H', features, F)
            expected = torch.einsum("bkft,okf->bot", narrow, table) + weights["linear.bias"][:, None]
            expected = torch.stack([expected[..., t // 2] for t in range(T)], -1)
            torch.testing.assert_close(found.double(), expected, atol=1e-5, rtol=1e-5)
    assert masks.shape == (2, 4, 1, 64, 95) and pitch.shape == (2, 49, 95)


def test_the_losses_by_hand():
    system = make(1).eval()
    found = items(system)
    with torch.no_grad():
        terms = system.loss(**found)
        _, voice, pitch = system.network(system.heard(system.stft(found["mixture"]).abs()))
    B, T = len(voice), voice.shape[-1]
    active = at_frames(found["vocal_activity"], T, 32, 8000)
    bands = pitch_band(at_frames(found["f0"], T, 32, 8000), 48)
    entropy, surprise = 0.0, 0.0
    for b in range(B):
        for t in range(T):
            p = 1 / (1 + math.exp(-voice[b, 0, t].item()))
            entropy -= math.log(p if active[b, t] else 1 - p) / (B * T)
            surprise -= pitch[b, :, t].double().log_softmax(0)[bands[b, t]].item() / (B * T)
    assert terms["voice"].item() == pytest.approx(entropy, rel=1e-4)
    assert terms["pitch"].item() == pytest.approx(surprise, rel=1e-4)
    total = terms["separation"] + system.config.voice * terms["voice"] + system.config.pitch * terms["pitch"]
    torch.testing.assert_close(terms["loss"], total)
    assert active.min() == 0 and active.max() == 1 and len(bands.unique()) > 10


def test_each_loss_reaches_every_block_of_the_shared_encoder():
    system = make().train()
    terms = system.terms(**items(system))
    assert set(terms) == {"separation", "voice", "pitch"}
    for block in system.network.encoder:
        slopes = shared_slopes(terms, [block.conv.weight])
        assert all(slope > 1e-8 for slope in slopes.values()), slopes
    for own, others in (("voice", ("separation", "pitch")), ("pitch", ("separation", "voice"))):
        slopes = shared_slopes(terms, getattr(system.network, own).parameters())
        assert slopes[own] > 0 and all(slopes[other] == 0 for other in others)


@pytest.mark.parametrize("heads", HEADS)
def test_the_encoder_feels_the_heads_that_are_there(heads):
    """The gradient of the sum is that of separation alone exactly where there is no head."""
    system = make(**HEADS[heads]).train()
    found, encoder = items(system), list(system.network.encoder.parameters())
    alone = torch.autograd.grad(system.terms(**found)["separation"], encoder, retain_graph=True)
    together = torch.autograd.grad(system.loss(**found)["loss"], encoder)
    moved = max((a - b).abs().max() / a.abs().max().clamp_min(1e-9) for a, b in zip(alone, together, strict=True))
    assert (moved > 0.01) == (heads != "none")


def test_labels_come_from_the_score_through_the_batch():
    """One step on the built-in corpus; the labels say where the vocals sound."""
    system = create("unet_joint", **LITTLE)
    data, valid, _ = by_recipe(system, steps=1, seconds=2.0)
    item = data[0]
    assert item["vocal_activity"].shape == item["f0"].shape == (200,)
    assert {"vocal_activity", "f0"} <= set(valid[0])
    config = TrainConfig(steps=1, batch_size=2, device="cpu")
    history = train(system, tasks.task("songs").training(8000, 1, 1.0, 2, 0, recipe_of("unet_joint").mixing),
                    config=config, progress=False)  # fmt: skip
    assert {"separation", "voice", "pitch"} <= set(history.rows[0])


def test_the_score_says_where_the_vocals_sound():
    data = tasks.task("songs").training(16_000, 1, 3.0, 8, 0, {"labels": ("vocal_activity", "f0"), "incoherent": 1.0})
    levels = {0: [], 1: []}
    vocals = corpus.SOURCES.index("vocals")
    for item in (data[i] for i in range(6)):
        energy = item["sources"][vocals, 0].view(-1, 160).square().mean(1)  # one value for each label
        assert energy.shape == item["vocal_activity"].shape
        for active in levels:
            levels[active].append(energy[item["vocal_activity"] == active])
        assert ((item["f0"] > 0) <= (item["vocal_activity"] > 0)).all()
    quiet, loud = (torch.cat(levels[active]).mean() for active in (0, 1))
    assert loud > 30 * quiet


def test_a_missing_label_is_named():
    system = make().train()
    found = items(system)
    f0 = found.pop("f0")
    with pytest.raises(ValueError, match=r"f0 is missing: give Mixtures\(…, labels=\['f0'\]\)"):
        system.loss(**found)
    assert set(system.eval().loss(**found)) == {"loss", "separation", "voice"}
    del found["vocal_activity"]
    with pytest.raises(ValueError, match="vocal_activity, f0 is missing"):
        system.train().loss(**found)
    assert make(voice=0.0).train().loss(**found, f0=f0)["loss"].isfinite()
    assert make(**HEADS["none"]).train().loss(**found)["loss"].isfinite()


def test_answers():
    system = make().eval()
    mixture = torch.randn(2, 1, 3000)
    with torch.no_grad():
        found = system.answers(mixture)
        assert found["voice"].shape == found["f0"].shape == (2, 95)
        assert found["voice"].min() >= 0 and found["voice"].max() <= 1
        for band, hertz in ((0, 0.0), (1, 60 * (1000 / 60) ** (0.5 / 48)), (48, 60 * (1000 / 60) ** (47.5 / 48))):
            system.network.pitch.linear.bias.fill_(0.0)[band] = 1e4
            torch.testing.assert_close(system.answers(mixture)["f0"], torch.full((2, 95), hertz))
    assert set(make(voice=0.0).answers(mixture)) == {"f0"} and not make(**HEADS["none"]).answers(mixture)


def test_a_band_and_its_middle_belong_together():
    middles = band_middles(48)
    assert pitch_band(middles, 48).tolist() == list(range(49))
    semitones = 12 * (middles[2:] / middles[1:-1]).log2()
    torch.testing.assert_close(semitones, torch.full((47,), 12 * math.log2(1000 / 60) / 48))
    assert abs(semitones[0] - 1) < 0.02


def test_the_gate_takes_the_vocals_where_nobody_sings():
    system, plain = make(gate=True).eval(), make().eval()
    mixture = torch.randn(1, 1, 3000)
    with torch.no_grad():
        for bias, silent in ((-1e4, True), (1e4, False)):
            for each in (system, plain):
                each.network.voice.linear.bias.fill_(bias)
            found, open_ = system(mixture), plain(mixture)
            torch.testing.assert_close(found[:, 1:], open_[:, 1:], rtol=0, atol=0)
            assert bool(found[:, 0].any()) != silent
            assert silent or torch.equal(found, open_)
        assert open_[:, 0].any(), "without a gate the vocals stay"


def test_the_gate_follows_the_majority():
    heard = torch.full((1, 1, 100), -1.0)
    heard[..., 20 : 20 + GATE // 2] = 1.0  # shorter than half the filter: nobody sings
    heard[..., 60:90] = 1.0
    heard[..., 73:76] = -1.0  # a short break is none
    found = sings(heard)[0, 0]
    assert found.nonzero()[:, 0].tolist() == list(range(60, 90))
    median = functional.pad(heard, (10, 10), mode="replicate").unfold(-1, GATE, 1).median(-1).values
    assert torch.equal(found, median[0, 0] > 0)
    assert sings(torch.ones(2, 1, 1)).all()


def test_shapes():
    with torch.device("meta"):
        network = JointUNet(configure("unet_joint", "paper")).eval()
        ledger = shapes.trace(network, torch.zeros(1, 1, 512, 128))
    heads = {row.path: row.output for row in ledger.rows if row.kind == "Head"}
    assert heads == {"voice": (1, 1, 128), "pitch": (1, 49, 128)}
    assert ledger.parameters == parameters(network)
    one = create("unet_joint", widths=(4,), n_fft=62, hop=16)  # a single level, an odd number of bins
    assert one.eval()(torch.randn(1, 1, 500)).shape == (1, 4, 1, 500)


@pytest.mark.parametrize("heads", HEADS)
@pytest.mark.parametrize("samples", [1, 31, 100])
def test_silence_and_short_clips(heads, samples):
    system = make(**HEADS[heads]).eval()
    with torch.no_grad():
        assert not system(torch.zeros(1, 1, samples)).any()
        assert system(torch.randn(1, 1, samples)).isfinite().all()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"gate": True, "voice": 0.0}, "gate=True needs the source 'vocals' and a voice head"),
        ({"gate": True, "source_names": ("drums", "bass")}, "gate=True needs the source 'vocals'"),
        ({"voice": -0.1}, "field voice is -0.1"),
        ({"bands": 0}, "field bands is 0"),
        ({"masks": "hard"}, "masks is 'hard'"),
    ],
)
def test_what_makes_no_sense_is_refused(changes, says):
    with pytest.raises(ValueError, match=says):
        create("unet_joint", "tiny", **changes)


def test_wrong_labels_are_refused():
    system = make().train()
    found = items(system)
    with pytest.raises(ValueError, match="f0 holds NaN"):
        system.loss(**found | {"f0": found["f0"] - 1e4})
    with pytest.raises(ValueError, match="no frames"):
        system.loss(**found | {"vocal_activity": torch.zeros(2, 0)})


class Singer:
    """Endless items: a voice that sings one of three notes or rests, beside noise."""

    endless, source_names, sample_rate, channels = True, ("vocals", "other"), 8000, 1

    def __len__(self):
        return 800

    def __getitem__(self, i):
        generator = torch.Generator().manual_seed(i)
        notes = torch.tensor([0.0, 150.0, 300.0, 600.0])[torch.randint(0, 4, (4,), generator=generator)]
        f0 = notes.repeat_interleave(20)  # four notes of 0.2 s
        phase = (f0.repeat_interleave(80) / 8000).cumsum(0)
        vocals = sum(torch.sin(2 * math.pi * k * phase) / k for k in (1, 2, 3)) * 0.3
        sources = torch.stack([vocals, 0.02 * torch.randn(vocals.shape, generator=generator)])[:, None]
        return {"mixture": sources.sum(0), "sources": sources, "f0": f0, "vocal_activity": (f0 > 0).float()}


@pytest.mark.slow
def test_the_heads_learn():
    torch.manual_seed(0)
    system = create("unet_joint", "tiny", source_names=("vocals", "other"), n_fft=512, hop=80, voice=0.3, pitch=0.1)
    config = TrainConfig(steps=60, batch_size=8, learning_rate=1e-2, device="cpu")
    train(system, Singer(), config=config, progress=False)
    unseen = torch.utils.data.default_collate([Singer()[i] for i in range(5000, 5008)])
    with torch.no_grad():
        found = system.answers(unseen["mixture"])
    T = found["f0"].shape[-1]
    active, f0 = (at_frames(unseen[label], T, 80, 8000) for label in ("vocal_activity", "f0"))
    assert ((found["voice"] > 0.5) == (active > 0)).float().mean() > 0.9
    near = (12 * (found["f0"].clamp_min(1) / f0.clamp_min(1)).log2()).abs() < 1  # a semitone
    assert near.float().mean() > 0.85


def test_presets_and_recipes():
    assert presets("unet_joint") == ("paper", "small", "small_alone", "small_voice", "small_pitch", "tiny")
    for preset in ("paper", "small", "tiny"):
        recipe = recipe_of("unet_joint", preset)
        assert recipe.mixing["labels"] == recipe.at(10).mixing["labels"] == ("vocal_activity", "f0")
    small, plain = recipe_of("unet_joint"), recipe_of("unet")
    assert {**small.mixing, "labels": ()} == {**plain.mixing, "labels": ()}
