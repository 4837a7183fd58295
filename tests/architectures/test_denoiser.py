"""The denoiser: counts and lengths of the paper, an independent computation, stream, latency, what is refused."""

import dataclasses

import numpy as np
import pytest
import torch

from sepbook import shapes
from sepbook.architectures import create, recipe_of
from sepbook.architectures.denoiser import FLOOR, PRESETS, RESOLUTIONS, Config
from sepbook.architectures.streaming import can_stream
from sepbook.losses.spectrogram import multi_resolution
from sepbook.training import checkpoint
from tests.architectures.by_hand import compare, convolved, enlarged, gated, lstm
from tests.contracts.contract import streams_like_forward

LITTLE = {"width": 3, "depth": 3, "kernel": 4, "stride": 2, "layers": 1}


def parameters(module):
    return sum(p.numel() for p in module.parameters())


def bare(preset, **changes):
    """A system that has shapes and no memory."""
    with torch.device("meta"):
        return create("denoiser", preset, **changes)


def scrambled(preset="paper", dtype=torch.float64, **changes):
    """A little system whose biases do something."""
    torch.manual_seed(3)
    system = create("denoiser", preset, **{**LITTLE, **changes}).to(dtype).eval()
    with torch.no_grad():
        for name, weight in system.named_parameters():
            if name.endswith("bias"):
                weight.add_(0.3 * torch.randn_like(weight))
    return system


def network(system, x):
    """Encoder, LSTM and decoder once more, `(C, N) -> (S·C, N)`, in NumPy."""
    config, weights = system.config, {k.removeprefix("network."): v.numpy() for k, v in system.state_dict().items()}

    def gate(x, name):
        w, b = weights[f"{name}.gate.0.weight"], weights[f"{name}.gate.0.bias"]
        return gated(x, w, b) if config.glu else np.maximum(convolved(x, w, b), 0)

    maps = []
    for i in range(config.depth):
        w, b = weights[f"encoder.{i}.conv.weight"], weights[f"encoder.{i}.conv.bias"]
        x = gate(np.maximum(convolved(x, w, b, config.stride), 0), f"encoder.{i}")
        maps.append(x)
    for layer in range(config.layers):
        x = lstm(x, weights, f"recurrent.layers.*_l{layer}")
    for i in range(config.depth):
        x = gate(x + maps.pop()[:, : x.shape[1]], f"decoder.{i}")
        x = enlarged(x, weights[f"decoder.{i}.conv.weight"], weights[f"decoder.{i}.conv.bias"], config.stride)
        x = x if i == config.depth - 1 else np.maximum(x, 0)
    return x


def at(x, times, step):
    """A sound `(…, N)` at other times, in samples: a sinc of `step` samples under a Hann window; zeros around."""
    t = (np.asarray(times)[:, None] - np.arange(x.shape[-1])) / step  # (outputs, inputs)
    kernel = np.sinc(t) * np.where(abs(t) < 56, 0.5 + 0.5 * np.cos(np.pi * t / 56), 0) / step
    return x @ kernel.T


def levels(system, mixture):
    """The level of each sample: deviation of all that was heard when its hop ended."""
    mono, N, hop, first = mixture.mean(0), mixture.shape[1], system.stride, system.first
    if system.config.normalize == "none":
        return np.ones(N), 0.0
    if system.config.normalize == "whole":
        return np.full(N, mono.std(ddof=1) if N > 1 else 0.0), FLOOR
    ends = [next(end for end in range(first % hop, N + hop, hop) if end > n) for n in range(N)]
    return np.array([np.sqrt((mono[:end] ** 2).mean()) for end in ends]), FLOOR


def reference(system, mixture):
    """The whole system once more for a mixture `(C, N)`: `(S, C, N)`."""
    N = mixture.shape[1]
    level, floor = levels(system, mixture)
    x = np.pad(mixture / (level + floor), ((0, 0), (0, system.valid_length(N) - N)))
    doublings = system.config.resample.bit_length() - 1
    for _ in range(doublings):
        x = at(x, np.arange(2 * x.shape[1]) / 2, 1)
    x = network(system, x)
    for _ in range(doublings):
        x = at(x, np.arange((x.shape[1] + 1) // 2) * 2, 2)
    return (x[:, :N] * level).reshape(len(system.source_names), -1, N)


VARIANTS = {
    "paper": {},
    "whole": {"normalize": "whole"},
    "twice the rate, stereo, two sources": {"resample": 2, "channels": 2, "source_names": ("a", "b")},
    "small": {"preset": "small", "layers": 2},
    "kernels as published": {"kernel": 8, "stride": 4, "depth": 2, "resample": 1},
    "no gates": {"glu": False, "kernel": 5, "growth": 1.5, "resample": 1},
    "kernels that do not overlap": {"kernel": 2, "resample": 2, "normalize": "none"},
}


@pytest.mark.parametrize("samples", [1, 50, 83])
@pytest.mark.parametrize("variant", VARIANTS)
def test_equals_an_independent_computation(variant, samples):
    compare(scrambled(**VARIANTS[variant]), reference, samples)


def test_paper_counts_and_shapes():
    """Both published widths; four seconds on their way down and up; 16 ms from one step to the next."""
    assert [parameters(bare("paper", width=w)) for w in (48, 64)] == [18_867_937, 33_533_569]
    system = bare("paper")
    with torch.device("meta"):
        ledger = shapes.trace(system, torch.zeros(1, 1, 64_000), unfold=True)
    down = [row.output[1:] for row in ledger.calls if row.kind == "EncoderBlock"]
    assert down == [(48, 64_084), (96, 16_020), (192, 4004), (384, 1000), (768, 249)]
    up = [row.output[1:] for row in ledger.calls if row.kind == "DecoderBlock"]
    assert up[:-1] == down[-2::-1] and up[-1] == (1, 4 * system.valid_length(64_000))
    assert system.valid_length(1) == 597 and system.stride == 256


def test_latency_of_the_presets():
    """The paper's 597 samples of one step, and what its two filters need before and after; small: a step alone."""
    paper, small = bare("paper"), bare("small")
    ahead = 56 + 28  # samples that doubling twice looks ahead, at the rate of the sound; halving twice as many
    assert paper.first == 597 + ahead
    assert paper.latency == 597 - 1 + 2 * ahead - 1
    assert small.latency == 596 - 1 and small.stride == 256
    assert bare("paper", normalize="none").latency == paper.latency, "the running level costs no time"


STREAMS = {
    "paper": {"preset": "paper"},
    "twice the rate": {"preset": "tiny", "resample": 2, "normalize": "running"},
    "a level": {"preset": "tiny", "normalize": "running", "channels": 2, "source_names": ("a", "b", "c")},
    "music": {"preset": "music"},
    "kernels that do not overlap": {"preset": "tiny", "kernel": 4},
}


@pytest.mark.parametrize("variant", STREAMS)
def test_a_stream_of_any_length_is_one_pass(variant):
    system = scrambled(**{"dtype": torch.float32, "kernel": 8, "stride": 4, "depth": 3, **STREAMS[variant]})
    hop = system.stride
    for samples in (1, hop, system.first - 1, system.first, system.valid_length(1), system.first + 3 * hop + 1, 2000):
        for sizes in ([], [0, 5, 0, hop, 1, 2 * hop + 1], [1] * min(samples, 40)):
            streams_like_forward(system, 0.3 * torch.randn(2, system.channels, samples), sizes)


def test_a_stream_follows_a_level_that_changes():
    system = scrambled(dtype=torch.float32, preset="tiny", normalize="running")
    mixture = torch.randn(1, 1, 3000) * torch.logspace(-4, 0, 3000)
    mixture[..., :700] = 0
    streams_like_forward(system, mixture, [100] * 20)


@pytest.mark.parametrize("variant", ["paper", "a level", "music"])
def test_no_estimate_waits_for_more_than_the_latency(variant):
    """Measured: what changes after a sample leaves all estimates alone that lie a latency before it, and no others."""
    system = scrambled(**{"kernel": 8, "stride": 4, "depth": 3, **STREAMS[variant]})
    hop, latency = system.stride, system.latency
    N = 3 * latency + 4 * hop
    mixture, earliest = torch.randn(1, system.channels, N, dtype=torch.float64), []
    with torch.no_grad():
        for at_sample in range(2 * latency, 2 * latency + hop):
            changed = mixture.clone()
            changed[..., at_sample:] = 1.0
            moved = (system(changed) - system(mixture)).abs().amax((0, 1, 2)) > 1e-9
            earliest.append(at_sample - int(moved.nonzero()[0]))
            assert moved[at_sample:].any() and earliest[-1] <= latency
    filters = system.config.resample > 1  # whose last taps are too small to be seen
    assert max(earliest) > (system.valid_length(1) if filters else latency - hop), "the latency is not far above"


def test_the_state_does_not_grow():
    system = scrambled(dtype=torch.float32, kernel=8, stride=4)

    def size(state):
        parts = state if isinstance(state, tuple | list) else ()
        return state.numel() if isinstance(state, torch.Tensor) else sum(map(size, parts))

    with torch.no_grad():
        state, sizes = system.start(2), []
        for _ in range(30):
            state, _ = system.feed(state, torch.randn(2, 1, 3 * system.stride))
            sizes.append(size(state))
    assert len(set(sizes[-20:])) == 1 and sizes[-1] > 0


def test_what_needs_the_whole_sound_cannot_stream():
    system = create("denoiser", "tiny", normalize="whole")
    assert not can_stream(system) and system.whole
    with pytest.raises(ValueError, match="normalize='running' can"):
        system.start()
    assert can_stream(create("denoiser", "tiny")) and not create("denoiser", "tiny", normalize="none").whole


@pytest.mark.parametrize("normalize", ["running", "whole", "none"])
@pytest.mark.parametrize("samples", [1, 2, 255, 900])
def test_silence_and_short_clips(normalize, samples):
    system = scrambled(dtype=torch.float32, normalize=normalize)
    with torch.no_grad():
        silent, loud = system(torch.zeros(1, 1, samples)), system(torch.randn(1, 1, samples))
    assert silent.shape == loud.shape == (1, 1, 1, samples)
    assert silent.isfinite().all() and loud.isfinite().all()
    assert normalize == "none" or not silent.any(), "no level, no sound"


@pytest.mark.parametrize("normalize", ["running", "whole"])
def test_a_louder_sound_gives_louder_estimates(normalize):
    system, mixture = scrambled(normalize=normalize), torch.randn(1, 1, 500, dtype=torch.float64)
    with torch.no_grad():
        torch.testing.assert_close(system(1000 * mixture), 1000 * system(mixture), rtol=0.02, atol=20.0)


def test_the_loss_compares_samples_and_magnitudes():
    sources = torch.randn(2, 1, 1, 1500)
    mixture = sources.sum(1) + 0.1
    system = scrambled(dtype=torch.float32)
    terms = system.loss(mixture, sources)
    error = (system(mixture) - sources).abs().mean()
    magnitudes = multi_resolution(system(mixture), sources, resolutions=RESOLUTIONS)
    torch.testing.assert_close(terms["loss"], error + 0.1 * magnitudes)
    torch.testing.assert_close((terms["samples"], terms["magnitudes"]), (error.detach(), magnitudes.detach()))
    alone = scrambled(dtype=torch.float32, stft_weight=0.0).loss(mixture, sources)
    torch.testing.assert_close(alone, {"loss": error})


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"normalize": "peak"}, "normalize is 'peak'"),
        ({"resample": 3}, "resample is 3"),
        ({"kernel": 3}, "kernel is 3, stride 4"),
        ({"stride": 1, "resample": 2}, "is no multiple of resample"),
        ({"context": 3}, "field 'context' is unknown"),
    ],
)
def test_what_makes_no_sense_is_refused(changes, says):
    with pytest.raises(ValueError, match=says):
        create("denoiser", "tiny", **changes)


@pytest.mark.parametrize("preset", ["small", "music"])
def test_what_is_shipped_fits_its_limit(preset, tmp_path):
    path = tmp_path / "weights.safetensors"
    checkpoint.save_weights(path, create("denoiser", preset), half=True)
    assert path.stat().st_size <= 3.3e6


def test_a_network_that_says_nothing_is_the_papers():
    assert dataclasses.asdict(PRESETS["paper"]) == dataclasses.asdict(Config())
    assert recipe_of("denoiser", "paper").seconds == 4.5
    assert create("denoiser", "music").task == "songs" and create("denoiser", "small").task == "speech_noise"
    assert create("denoiser", "music").source_names == ("vocals", "drums", "bass", "other")
