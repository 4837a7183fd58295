"""The U-Net with a condition: counts, an independent computation of every form, conditions of every kind, pitch."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from sepbook import shapes
from sepbook.architectures import configure, create, presets, recipe_of, unet_conditioned
from sepbook.architectures._conditions import drawn
from sepbook.architectures._unets import HIGHEST, LABEL_RATE, LOWEST, at_frames, pitch_band
from sepbook.data import mixing, tasks
from sepbook.losses import spectrogram
from sepbook.training.loop import TrainConfig, train
from tests.systems import Synthetic

PAPER = {"simple_dense": 9_844_847, "complex_dense": 12_159_875, "simple_cnn": 9_834_703, "complex_cnn": 10_416_275}
NAMES = ("vocals", "drums", "bass", "other")
LITTLE = {"widths": (4, 6, 8), "n_fft": 128, "hop": 32, "sample_rate": 8000}
FORMS = {
    "simple_dense": {"control_widths": (3, 5, 7)},
    "complex_dense": {"control_widths": (3, 5), "film": "complex"},
    "simple_cnn": {"control": "cnn", "control_widths": (3, 5, 7)},
    "complex_cnn": {"control": "cnn", "control_widths": (5, 7), "film": "complex"},
    "one_layer_cnn": {"control": "cnn", "control_widths": (5,)},
    "residual": {"control_widths": (), "form": "residual", "film": "complex"},
    "residual_bottleneck": {"control_widths": (), "form": "residual", "film": "complex", "place": "bottleneck"},
    "residual_end": {"control_widths": (4,), "form": "residual", "film": "complex", "place": "end"},
    "multiply_bottleneck": {"control_widths": (), "form": "multiply", "film": "complex", "place": "bottleneck"},
    "multiply_end": {"control_widths": (), "form": "multiply", "place": "end", "last_norm": False},
    "stereo_deeper": {"control_widths": (4, 5), "channels": 2, "convolutions": 2, "last_norm": False},
}


def parameters(module):
    return sum(p.numel() for p in module.parameters())


def scrambled(seed=0, preset="paper", **changes):
    """A little system in evaluation mode whose statistics and knobs are as after training."""
    torch.manual_seed(seed)
    system = create("unet_conditioned", preset, **{**LITTLE, **changes}).eval()
    for name, tensor in system.state_dict().items():
        if name.endswith("running_var"):
            tensor.mul_(torch.rand_like(tensor) + 0.2)
        elif tensor.is_floating_point() and "stft" not in name:
            tensor.add_(0.3 * torch.randn_like(tensor))
    return system


def reference(system, x, condition):
    """The mask `(B, C, F, T)` once more, in float64, from the papers: every layer by its formula."""
    config = system.config
    weights = {k: v.double() for k, v in system.network.state_dict().items()}

    def norm(x, name):
        if f"{name}.running_var" not in weights:
            return x
        kept = ("running_mean", "running_var", "weight", "bias")
        mean, variance, scale, shift = (weights[f"{name}.{k}"].view(-1, *[1] * (x.dim() - 2)) for k in kept)
        return (x - mean) / (variance + config.norm_epsilon).sqrt() * scale + shift

    def layer(name):
        return weights[f"{name}.weight"], weights[f"{name}.bias"]

    z, count = condition.double(), len(config.control_widths)
    z = z[:, None] if config.control == "cnn" else z  # (B, 1, S)
    for i in range(count):
        place = 0 if i == 0 else 2 + 4 * (i - 1)  # dropout and batch norm follow all layers but the first
        if config.control == "cnn":
            S = z.shape[-1]
            z = functional.pad(z, ((S - 1) // 2, S // 2)) if i < count - 1 else z
            z = functional.conv1d(z, *layer(f"control.layers.{place}")).clamp_min(0)
        else:
            z = functional.linear(z, *layer(f"control.layers.{place}")).clamp_min(0)
        z = norm(z, f"control.layers.{place + 3}") if i else z
    z = z.flatten(1)
    scales = functional.linear(z, *layer("control.scale"))
    shifts = functional.linear(z, *layer("control.shift")) if config.form != "multiply" else torch.zeros_like(scales)
    used = 0

    def turn(x):
        nonlocal used
        size = x.shape[1] if config.film == "complex" else 1
        scale, shift = scales[:, used : used + size, None, None], shifts[:, used : used + size, None, None]
        used += size
        return x * (scale + 1 if config.form == "residual" else scale) + shift

    maps, L = [], len(config.widths)
    for i in range(L):
        turned = config.place == "encoder" or (config.place == "bottleneck" and i == L - 1)
        block = f"encoder.{i}.block" if turned else f"encoder.{i}"
        x = functional.conv2d(functional.pad(x, (1, 2, 1, 2)), *layer(f"{block}.conv"), stride=2)
        x = norm(x, f"{block}.norm")
        x = functional.leaky_relu(turn(x) if turned else x, 0.2)
        for more in range(config.convolutions - 1):
            x = functional.conv2d(x, *layer(f"{block}.more.{3 * more}"), padding=2)
            x = functional.leaky_relu(norm(x, f"{block}.more.{3 * more + 1}"), 0.2)
        maps.append(x)
    for i in range(L):
        x = torch.cat([x, maps[L - 1 - i]], 1) if i else x
        x = turn(x) if config.place == "end" and i == L - 1 else x
        F, T = x.shape[-2:]
        x = functional.conv_transpose2d(x, *layer(f"decoder.{i}.conv"), stride=2)[..., 1 : 2 * F + 1, 1 : 2 * T + 1]
        x = norm(x, f"decoder.{i}.finish.0").clamp_min(0) if i < L - 1 else norm(x, "last_norm")
    assert used == scales.shape[1]
    return torch.sigmoid(x)


@pytest.mark.parametrize("form", FORMS)
def test_equals_an_independent_computation(form):
    system = scrambled(3, **FORMS[form])
    x, condition = torch.rand(3, system.channels, 64, 16), torch.rand(3, 4)
    with torch.no_grad():
        found = system.network(x, condition[..., None])[:, 0]
    torch.testing.assert_close(found.double(), reference(system, x.double(), condition), atol=1e-5, rtol=0)


@pytest.mark.parametrize("preset", PAPER)
def test_counts(preset):
    with torch.device("meta"):
        assert parameters(create("unet_conditioned", preset)) == PAPER[preset]


def test_paper_is_the_simple_dense_form_and_small_is_small():
    assert configure("unet_conditioned", "paper") == configure("unet_conditioned", "simple_dense")
    assert set(PAPER) | {"paper", "small", "tiny", "residual", "pitch"} == set(presets("unet_conditioned"))
    with torch.device("meta"):
        assert 2 * parameters(create("unet_conditioned")) < 3.25e6  # bytes in half precision
    plain, ours = configure("unet", "paper"), configure("unet_conditioned", "paper")
    assert all(getattr(ours, field) == getattr(plain, field) for field in vars(plain) if field != "source_names")


def test_paper_shapes():
    """6 scales and 6 shifts, or 1008 of each, and the maps of Jansson's figure."""
    with torch.device("meta"):
        for preset, knobs in (("simple_dense", [1] * 6), ("complex_cnn", [16, 32, 64, 128, 256, 512])):
            network = create("unet_conditioned", preset).eval().network
            ledger = shapes.trace(network, torch.zeros(1, 1, 512, 128), condition=torch.zeros(1, 4, 1))
            assert network.knobs == knobs and network.control.scale.out_features == sum(knobs)
            sizes = [row.output[1:] for row in ledger.rows if row.kind in ("FilmBlock", "DecoderBlock")]
            down = [(16, 256, 64), (32, 128, 32), (64, 64, 16), (128, 32, 8), (256, 16, 4), (512, 8, 2)]
            assert sizes == down + [(256, 16, 4), *down[3::-1], (1, 512, 128)]
            assert ledger.calls[0].output == (1, 1, 1, 512, 128)


def test_paper_control():
    layers = create("unet_conditioned", "paper", widths=(4,)).network.control.layers
    kinds = [type(layer).__name__ for layer in layers]
    assert kinds == ["Linear", "ReLU"] + ["Linear", "ReLU", "Dropout", "BatchNorm1d"] * 2
    assert layers[4].p == 0.5 and layers[5].eps == 1e-3 and layers[5].momentum == 0.1
    assert abs(layers[6].weight.std().item() - 0.02) < 2e-3 and not layers[6].bias.any()
    kernels = [m.kernel_size for m in create("unet_conditioned", "simple_cnn", widths=(4,)).network.control.modules()
               if isinstance(m, nn.Conv1d)]  # fmt: skip
    assert kernels == [(4,)] * 3


@pytest.mark.parametrize("samples", [1, 700, 1501])
def test_every_condition_by_itself_and_all_at_once(samples):
    system, mixture = scrambled(), torch.randn(2, 1, samples)
    with torch.no_grad():
        every = system(mixture)
        for s, name in enumerate(NAMES):
            for condition in (s, name, torch.tensor(s), torch.eye(4)[s], torch.eye(4)[s].tolist()):
                found = system(mixture, condition=condition)
                assert found.shape == (2, 1, 1, samples)
                torch.testing.assert_close(found, every[:, s : s + 1], atol=5e-4, rtol=0)  # batches of 2 and 8
    assert samples == 1 or all((every[:, 0] - every[:, s]).abs().max() > 0.01 for s in (1, 2, 3))


def test_each_item_has_its_own_condition():
    system, mixture = scrambled(), torch.randn(3, 1, 900)
    conditions = torch.rand(3, 4)
    with torch.no_grad():
        together = system(mixture, condition=conditions)
        alone = [system(mixture[i : i + 1], condition=conditions[i]) for i in range(3)]
    torch.testing.assert_close(together, torch.cat(alone), atol=5e-4, rtol=0)


def test_half_way_turns_the_knobs_half_way():
    """Without a hidden layer scales and shifts are linear in the condition, the estimate is not."""
    system, mixture = scrambled(**FORMS["residual"]), torch.randn(2, 1, 900)
    conditions = torch.tensor([[1.0, 0, 0, 0], [0, 1, 0, 0], [0.5, 0.5, 0, 0]])
    with torch.no_grad():
        for knob in system.network.control(conditions[..., None]):
            torch.testing.assert_close(knob[2], (knob[0] + knob[1]) / 2)
        one, two, half = (system(mixture, condition=c) for c in conditions)
    assert half.isfinite().all()
    assert not torch.allclose(half, one) and not torch.allclose(half, two)


def test_a_condition_that_does_not_change_in_time_is_one_that_has_none():
    system, mixture, condition = scrambled(**FORMS["complex_dense"]), torch.randn(2, 1, 3000), torch.rand(2, 4)
    with torch.no_grad():
        plain = system(mixture, condition=condition)
        for frames in (1, 37, 38, 60):  # short labels go on, long ones are cut
            held = system(mixture, condition=condition[..., None].expand(-1, -1, frames))
            torch.testing.assert_close(held, plain, atol=5e-4, rtol=0)


@pytest.mark.parametrize("form", ["simple_dense", "complex_cnn", "residual_bottleneck", "residual_end"])
def test_a_condition_that_changes_acts_from_then_on(form):
    system, mixture = scrambled(**FORMS[form], scale="log"), torch.randn(1, 1, 16_000)  # 2 s
    condition = torch.zeros(1, 4, 200)
    condition[:, 0, :100] = condition[:, 2, 100:] = 1  # vocals, then bass
    with torch.no_grad():
        found, vocals, bass = (system(mixture, condition=c)[0, 0, 0] for c in (condition, 0, 2))
    torch.testing.assert_close(found[:4000], vocals[:4000], atol=2e-4, rtol=0)
    torch.testing.assert_close(found[-4000:], bass[-4000:], atol=2e-4, rtol=0)
    assert (vocals - bass)[-4000:].abs().max() > 1e-3


def test_labels_are_looked_up_at_the_middle_of_a_frame():
    label = torch.arange(30.0)  # 0.3 s
    expected = [int(t * 64 / 8000 * 100) for t in range(30)]
    assert at_frames(label, 30, 64, 8000).tolist() == [min(place, 29) for place in expected]
    assert at_frames(label, 40, 640, 8000)[-1] == 29
    assert LABEL_RATE == mixing.LABEL_RATE
    with pytest.raises(ValueError, match="no frames"):
        at_frames(torch.zeros(2, 0), 3, 64, 8000)


def test_drawn_conditions():
    torch.manual_seed(0)
    like = torch.zeros(1)
    pure = drawn(400, 4, 0.0, like)
    assert pure.shape == (400, 1, 4, 1) and (pure.sum(2) == 1).all() and set(pure.unique().tolist()) == {0.0, 1.0}
    assert all(60 < count < 140 for count in pure.sum((0, 1, 3)).tolist())
    mixed = drawn(400, 4, 1.0, like)
    assert ((mixed > 0).sum(2) == 2).all() and mixed.min() >= 0 and mixed.max() <= 1
    some = drawn(2000, 4, 0.25, like)
    assert 0.2 < ((some > 0) & (some < 1)).any(2).float().mean() < 0.3
    alone = drawn(50, 1, 1.0, like)
    assert 0 < alone.min() and alone.max() < 1 and (drawn(50, 1, 0.0, like) == 1).all()


def test_the_loss_compares_with_what_was_asked_for(monkeypatch):
    system, sources = scrambled(**FORMS["residual"]), torch.randn(3, 4, 1, 1500)
    wanted = torch.tensor([[1.0, 0, 0, 0], [0.3, 0, 0.8, 0], [0, 0, 0, 0.5]])
    monkeypatch.setattr(unet_conditioned, "drawn", lambda *_: wanted[:, None, :, None])
    target = system.stft((sources * wanted[:, :, None, None]).sum(1)).abs()
    magnitude = system.stft(sources.sum(1)).abs()
    system.training = True  # the system alone: its layers stay as they are
    masks = system.masks(magnitude, wanted[:, None, :, None])[:, 0]
    expected = spectrogram.l1(masks * magnitude, target)
    torch.testing.assert_close(system.loss(sources.sum(1), sources)["loss"], expected)


def test_validation_asks_for_every_source_and_draws_nothing():
    system, sources = scrambled(), torch.randn(2, 4, 1, 1500)
    state = torch.get_rng_state()
    loss = system.loss(sources.sum(1), sources)["loss"]
    assert torch.equal(torch.get_rng_state(), state)
    magnitude = system.stft(sources.sum(1)).abs()
    each = [
        spectrogram.l1(system.masks(magnitude, torch.eye(4)[None, s : s + 1, :, None])[:, 0] * magnitude,
                       system.stft(sources[:, s]).abs())
        for s in range(4)
    ]  # fmt: skip
    torch.testing.assert_close(loss, torch.stack(each).mean())


@pytest.mark.parametrize("form", FORMS)
def test_the_loss_reaches_control_and_encoder(form):
    torch.manual_seed(0)
    system = create("unet_conditioned", "paper", **{**LITTLE, **FORMS[form], "init_std": 0.0}).train()
    sources = torch.randn(4, 4, system.channels, 1500)
    system.loss(sources.sum(1), sources)["loss"].backward()
    silent = [name for name, p in system.named_parameters() if p.grad is None or not p.grad.any()]
    silent = [name for name in silent if not name.endswith("conv.bias")]  # a batch norm follows
    assert not silent


@pytest.mark.slow
def test_one_network_learns_to_tell_what_is_wanted():
    """After some steps on four tones each condition brings its own source, and not the others."""
    torch.manual_seed(0)
    system = create("unet_conditioned", "tiny")
    config = TrainConfig(steps=200, batch_size=8, learning_rate=1e-2, device="cpu")
    train(system, Synthetic(system, items=400, samples=1600), config=config, progress=False)
    item = Synthetic(system, samples=4000, seed=7)[0]
    with torch.no_grad():
        found = system(item["mixture"][None])[0, :, 0]  # (S, N)
    likeness = functional.normalize(found, dim=1) @ functional.normalize(item["sources"][:, 0], dim=1).T
    assert likeness.argmax(1).tolist() == [0, 1, 2, 3]
    assert likeness.diagonal().min() > 0.8


def with_pitch(**changes):
    return scrambled(**{"control_widths": (5,), "film": "complex", "pitch": 12, **changes})


def test_pitch_is_a_part_of_the_condition():
    system, mixture = with_pitch(), torch.randn(2, 1, 4000)
    f0 = torch.full((2, 50), 220.0)
    with torch.no_grad():
        without, silent, sung = system(mixture), system(mixture, f0=0 * f0), system(mixture, f0=f0)
        named = system(mixture, condition="vocals", f0=f0)
    torch.testing.assert_close(without, silent)
    assert (silent - sung).abs().max() > 0.01
    torch.testing.assert_close(named, sung[:, :1], atol=5e-4, rtol=0)
    plain = scrambled(control_widths=(5,), film="complex")
    torch.testing.assert_close(plain(mixture, f0=f0), plain(mixture))  # a network without it takes no notice


def test_pitch_reaches_the_network_frame_by_frame():
    system = with_pitch()
    f0 = torch.tensor([[0.0] * 20 + [LOWEST] * 10 + [HIGHEST] * 30])
    wanted = torch.eye(4)[None, :1, :, None]  # vocals
    D = system.condition(wanted, f0, 100)  # (B, Q, D, T): 32 samples a frame, 80 a label
    assert D.shape == (1, 1, 16, 100)
    assert (D[0, 0, :4] == torch.tensor([1.0, 0, 0, 0])[:, None]).all()
    bands = D[0, 0, 4:]
    assert not bands[:, :50].any() and (bands[0, 50:75] == 1).all() and (bands[11, 75:] == 1).all()
    assert (bands.sum(0)[50:] == 1).all()


def test_bands_are_equally_wide_in_semitones():
    edges = LOWEST * (HIGHEST / LOWEST) ** (torch.arange(13) / 12)
    assert pitch_band(edges[:-1] * 1.001, 12).tolist() == list(range(1, 13))
    assert pitch_band(edges[1:] * 0.999, 12).tolist() == list(range(1, 13))
    assert pitch_band(torch.tensor([0.0, 20.0, 5000.0]), 12).tolist() == [0, 1, 12]
    for wrong in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="f0 holds NaN"):
            pitch_band(torch.tensor([100.0, wrong]), 12)


def test_pitch_comes_from_the_score_through_the_batch():
    recipe = recipe_of("unet_conditioned", "pitch")
    system = create("unet_conditioned", "pitch", **{**LITTLE, "control_widths": (4,), "pitch": 12})
    data = tasks.task("songs").training(8000, 1, seconds=0.5, length=4, mixing=recipe.mixing)
    assert data[0]["f0"].shape == (50,)
    assert train(system, data, config=TrainConfig(steps=1, batch_size=2, device="cpu"), progress=False).steps == 1
    sources = torch.randn(2, 4, 1, 900)
    with pytest.raises(ValueError, match=r'label "f0": give Mixtures\(…, labels=\("f0",\)\)'):
        system.train().loss(sources.sum(1), sources)


WRONG = [
    (4, r"condition is 4; the sources are 0 \(vocals\), 1 \(drums\)"),
    (-1, "condition is -1"),
    ("voice", "condition is 'voice'; the sources are 0"),
    (torch.tensor([1.0, 0.0, 0.0]), r"shape \(3,\); expected a number for each source"),
    (torch.zeros(2, 3), r"shape \(2, 3\)"),
    (torch.zeros(2, 4, 0), r"shape \(2, 4, 0\)"),
    (torch.zeros(1, 1, 4, 1), r"shape \(1, 1, 4, 1\)"),
    (0.5, r"shape \(\)"),
    (torch.zeros(3, 4), "given for 3 items, but the mixture has B=2"),
    ([0.5, 1.5, 0, 0], "condition holds 1.5; expected numbers from 0"),
    ([0.5, -0.25, 0, 0], "condition holds -0.25"),
    ([float("nan"), 0, 0, 0], "condition holds nan"),
]


@pytest.mark.parametrize(("condition", "says"), WRONG)
def test_a_condition_out_of_range_is_refused(condition, says):
    with pytest.raises(ValueError, match=says):
        scrambled()(torch.randn(2, 1, 400), condition=condition)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"control": "rnn"}, "control is 'rnn'"),
        ({"film": "both"}, "film is 'both'"),
        ({"form": "add"}, "form is 'add'"),
        ({"place": "decoder"}, "place is 'decoder'"),
        ({"masks": "softmax"}, "masks is 'softmax'"),
        ({"control": "cnn", "control_widths": ()}, "control_widths is empty"),
        ({"between": 1.5}, "between is 1.5"),
    ],
)
def test_what_makes_no_sense_is_refused(changes, says):
    with pytest.raises(ValueError, match=says):
        create("unet_conditioned", "tiny", **changes)


def test_batch_norm_of_the_control_needs_two_items():
    sources = torch.randn(1, 4, 1, 1500)
    with pytest.raises(ValueError, match="two items or more"):
        create("unet_conditioned", "paper", **LITTLE).train().loss(sources.sum(1), sources)
    assert create("unet_conditioned", "tiny").train().loss(sources.sum(1), sources)["loss"].isfinite()


def test_recipes():
    recipe = recipe_of("unet_conditioned", "paper")
    assert (recipe.batch_size, recipe.learning_rate, recipe.optimizer_options["betas"][0]) == (64, 1e-3, 0.5)
    assert (recipe.task, recipe.schedule_options) == ("songs", {"patience": 15})
    assert all(recipe_of("unet_conditioned", preset) == recipe for preset in PAPER)
    residual = recipe_of("unet_conditioned", "residual")
    assert (residual.learning_rate, residual.weight_decay, residual.batch_size) == (1e-4, 5e-4, 32)
    assert recipe_of("unet_conditioned", "pitch").mixing == {"labels": ("f0",)}
