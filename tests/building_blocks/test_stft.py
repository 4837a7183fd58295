import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sepbook.building_blocks.stft import ISTFT, STFT, WINDOWS, Masking, leakage, make_window, resolution

GEOMETRIES = [(1024, 256), (1024, 768), (1022, 256), (1023, 256), (4096, 1024), (512, 128), (16, 4), (15, 7), (2, 1)]


@pytest.mark.parametrize(("n_fft", "hop"), GEOMETRIES)
@settings(max_examples=15, deadline=None)
@given(samples=st.integers(1, 9000), channels=st.integers(1, 2), seed=st.integers(0, 1000))
def test_reconstructs_every_sample(n_fft, hop, samples, channels, seed):
    mixture = torch.randn(2, channels, samples, generator=torch.Generator().manual_seed(seed))
    bins = STFT(n_fft, hop)(mixture)
    assert bins.shape == (2, channels, n_fft // 2 + 1, 1 + -(-samples // hop))
    assert (ISTFT(n_fft, hop)(bins, samples) - mixture).abs().max() < 1e-5


@pytest.mark.parametrize("window", ["hann", "hamming", "sqrt_hann", "rectangular"])
def test_agrees_with_numpy(window):
    n_fft, hop, N = 64, 16, 200
    x = np.random.default_rng(0).standard_normal(N)
    padded = np.pad(x, (n_fft // 2, n_fft // 2 + -N % hop))
    w = make_window(window, n_fft).double().numpy()
    frames = [padded[t : t + n_fft] * w for t in range(0, len(padded) - n_fft + 1, hop)]
    expected = np.fft.rfft(np.stack(frames), axis=1).T  # (F, T)
    bins = STFT(n_fft, hop, window)(torch.tensor(x, dtype=torch.float32)[None, None])[0, 0]
    np.testing.assert_allclose(bins.numpy(), expected, atol=2e-5)


# Harris 1978, table 1: width at -6 dB in bins, highest side lobe in dB; the length at half height follows by hand.
@pytest.mark.parametrize(
    ("name", "length", "bins", "lobe"),
    [
        ("hann", 0.5, 2.0, -32),
        ("hamming", 0.528, 1.81, -43),
        ("sqrt_hann", 0.667, 1.65, -23),
        ("rectangular", 1, 1.21, -13),
    ],
)
def test_resolution_and_leakage_are_those_of_the_tables(name, length, bins, lobe):
    window = make_window(name, 1024)
    seconds, hertz = resolution(window, 16000)
    assert seconds == pytest.approx(length * 1024 / 16000, rel=0.01)
    assert hertz == pytest.approx(bins * 16000 / 1024, rel=0.01)
    assert leakage(window) == pytest.approx(lobe, abs=0.7)
    assert set(WINDOWS) == {"hann", "hamming", "sqrt_hann", "rectangular"}


@pytest.mark.parametrize(
    ("n_fft", "hop", "window"), [(1024, 1024, "hann"), (1024, 1000, "hann"), (64, 48, "sqrt_hann")]
)
def test_refuses_what_cannot_be_inverted(n_fft, hop, window):
    if window == "sqrt_hann":  # this one can: its squares overlap enough
        STFT(n_fft, hop, window)
        return
    with pytest.raises(ValueError, match="smaller hop"):
        STFT(n_fft, hop, window)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((1024, 0), "hop"),
        ((1024, 2000), "hop"),
        ((1, 1), "n_fft"),
        ((1024, 256.0), "hop is 256.0.*n_fft // 4"),
        ((1024 / 2, 256), "n_fft is 512.0"),
        ((1024, True), "hop is True"),
    ],
)
def test_refuses_impossible_geometry(arguments, words):
    for transform in (STFT, ISTFT):
        with pytest.raises(ValueError, match=words):
            transform(*arguments)


def test_refuses_wrong_input():
    with pytest.raises(ValueError, match="window 'kaiser'"):
        STFT(64, 16, "kaiser")
    with pytest.raises(ValueError, match=r"\(B, C, N\)"):
        STFT(64, 16)(torch.zeros(100))
    with pytest.raises(ValueError, match="N of at least 1"):
        STFT(64, 16)(torch.zeros(1, 1, 0))
    with pytest.raises(ValueError, match="F=33"):
        ISTFT(64, 16)(torch.zeros(1, 32, 5, dtype=torch.complex64), 10)
    with pytest.raises(ValueError, match="frames"):
        ISTFT(64, 16)(torch.zeros(1, 33, 5, dtype=torch.complex64), 100)


@pytest.mark.parametrize(
    ("samples", "words"),
    [
        (torch.zeros(1, 1, 100, dtype=torch.int16), "divide 16-bit samples by 32768"),
        (torch.zeros(1, 1, 100, dtype=torch.complex64), r"samples\.real"),
        (torch.zeros(0, 1, 100), "B, C and N of at least 1"),
        (torch.zeros(2, 100), r"samples\[None\]"),
        (torch.zeros(1, 1000, 2), "C=1000 audio channels of N=2 samples.*swapped"),
    ],
)
def test_samples_of_the_wrong_kind_are_refused_with_a_mend(samples, words):
    with pytest.raises(ValueError, match=words):
        STFT(64, 16)(samples)


COMPLEX = torch.zeros(1, 33, 5, dtype=torch.complex64)


@pytest.mark.parametrize(
    ("bins", "length", "words"),
    [
        (COMPLEX.mT, 10, "F and T swapped"),
        (COMPLEX[0, :, 0], 10, r"\(…, F, T\)"),
        (COMPLEX.abs(), 10, "magnitudes have no phase.*torch.polar"),
        (COMPLEX[..., :1], 1, "T=1"),
        (COMPLEX, 0, "length=0 samples need 2 frames"),
        (COMPLEX, -5, "length=-5"),
        (COMPLEX, 10.0, "length is 10.0"),
        (COMPLEX[:0], 10, r"was given \(0, 33, 5\)"),
    ],
)
def test_bins_of_the_wrong_kind_are_refused_with_a_mend(bins, length, words):
    with pytest.raises(ValueError, match=words):
        ISTFT(64, 16)(bins, length)


def test_masks_with_swapped_axes_are_told_so():
    with pytest.raises(ValueError, match="F and T of the masks are swapped"):
        Masking()(COMPLEX[None], torch.ones(1, 4, 1, 5, 33))


def test_two_frames_are_enough_for_one_sample():
    one = torch.ones(1, 1, 1)
    bins = STFT(64, 16)(one)
    assert bins.shape == (1, 1, 33, 2)
    torch.testing.assert_close(ISTFT(64, 16)(bins, 1), one)
    assert ISTFT(64, 16)(bins, np.int64(1)).shape == one.shape


def test_gradient_passes_and_is_finite_on_silence():
    x = torch.zeros(1, 1, 500, requires_grad=True)
    STFT(64, 16)(x).abs().sum().backward()
    assert torch.equal(x.grad, torch.zeros_like(x))
    x = torch.randn(1, 1, 200, dtype=torch.float32, requires_grad=True)
    weight = torch.randn(1, 1, 33, 14)
    (STFT(64, 16)(x).abs() * weight).sum().backward()
    step = torch.zeros_like(x)
    step[0, 0, 77] = 1e-2
    with torch.no_grad():
        f = lambda y: (STFT(64, 16)(y).abs() * weight).sum()  # noqa: E731
        slope = (f(x + step) - f(x - step)) / 2e-2
    torch.testing.assert_close(x.grad[0, 0, 77], slope, rtol=2e-2, atol=2e-2)


def test_stays_in_float32_under_autocast():
    x = torch.randn(1, 1, 400)
    with torch.autocast("cpu", torch.bfloat16):
        bins = STFT(64, 16)(x.bfloat16())
        assert bins.dtype == torch.complex64
        assert ISTFT(64, 16)(bins, 400).dtype == torch.float32


def test_masks_that_sum_to_one_share_the_mixture():
    mixture = torch.randn(2, 1, 1000)
    bins = STFT(64, 16)(mixture)
    masks = torch.softmax(torch.randn(2, 3, *bins.shape[1:]), dim=1)
    estimates = ISTFT(64, 16)(Masking()(bins, masks), 1000)
    assert estimates.shape == (2, 3, 1, 1000)
    torch.testing.assert_close(estimates.sum(1), mixture, atol=1e-5, rtol=0)
    with pytest.raises(ValueError, match="masks"):
        Masking()(bins, masks[:, :, :, :-1])


def test_a_window_twice_as_long_doubles_tones_but_not_noise_or_clicks():
    click = torch.zeros(64000)
    click[63 * 512] = 1.0  # in the middle of a frame of either window
    noise = torch.randn(64000, generator=torch.Generator().manual_seed(0))
    sounds = {"tone": torch.cos(2 * torch.pi * 1000 / 16000 * torch.arange(64000)), "noise": noise, "click": click}
    grown = {}
    for name, x in sounds.items():
        short, long = (STFT(n, n // 4)(x[None, None]).abs() for n in (1024, 2048))
        size = (lambda m: m.square().mean().sqrt()) if name == "noise" else (lambda m: m.amax())
        grown[name] = float(size(long) / size(short))
    assert grown == pytest.approx({"tone": 2, "noise": 2**0.5, "click": 1}, rel=0.03)
