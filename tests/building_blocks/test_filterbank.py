"""Filter banks: equal to the STFT and to librosa where they should be, exact inverses, and errors that help."""

import math

import librosa
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import hilbert

from sepbook import shapes
from sepbook.building_blocks import filterbank as fb
from sepbook.building_blocks.stft import STFT, make_window

RATE = 16000


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def free():
    """An encoder and a decoder with as many random filters as PyTorch would make, and their exact inverse."""
    torch.manual_seed(0)
    return fb.Free(64, 80)


@pytest.mark.parametrize(
    ("n_fft", "hop", "window"), [(1024, 256, "hann"), (1024, 512, "sqrt_hann"), (63, 16, "hamming")]
)
def test_fourier_bank_is_the_stft(n_fft, hop, window):
    x = 0.1 * noise(2, 2, 5001)
    code = fb.Encoder(fb.Fourier(n_fft, window), hop, before=n_fft // 2)(x)
    ours = STFT(n_fft, hop, window)(x) if n_fft % 2 == 0 else None
    padded = torch.nn.functional.pad(x.view(4, -1), (n_fft // 2, n_fft))
    theirs = torch.stft(padded, n_fft, hop, window=make_window(window, n_fft), center=False, return_complex=True)
    theirs = theirs.view(2, 2, *theirs.shape[1:])
    T = min(code.shape[-1], theirs.shape[-1])
    assert T >= 5001 // hop and (code[..., :T] - theirs[..., :T]).abs().max() < 1e-5
    if ours is not None:
        assert (code[..., : ours.shape[-1]] - ours).abs().max() < 1e-5


@pytest.mark.parametrize("size, hop", [(80, 40), (81, 40), (80, 30), (20, 10), (16, 4), (7, 7)])
@settings(max_examples=12, deadline=None)
@given(samples=st.integers(1, 900), channels=st.integers(1, 2))
def test_any_number_of_samples_comes_back(size, hop, samples, channels):
    bank = fb.Free(max(hop + 8, size), size, start=noise(max(hop + 8, size), size))
    encoder = fb.Encoder(bank, hop)
    decoder = fb.Decoder(fb.Fixed(fb.inverse(bank.waveforms(), hop)), hop)
    x = noise(2, channels, samples, seed=samples)
    code = encoder(x)
    assert code.shape == (2, channels, bank.K, encoder.frames(samples))
    assert (decoder(code, samples) - x).abs().max() < 1e-3


@pytest.mark.parametrize(
    "bank, hop",
    [
        (fb.Fourier(64), 16),
        (fb.Fourier(65), 24),
        (fb.Analytic(fb.Free(40, 80, start=noise(40, 80))), 40),
        (fb.Gammatone(128, 80, RATE, phases=2), 20),
    ],
)
def test_complex_and_overcomplete_banks_come_back(bank, hop):
    x = noise(1, 1, 501)
    back = fb.Decoder(fb.Fixed(fb.inverse(bank.waveforms(), hop)), hop)(fb.Encoder(bank, hop)(x), 501)
    assert (back - x).abs().max() < 1e-3


def test_what_cannot_be_undone_is_refused():
    with pytest.raises(ValueError, match="K=30 filters of 80 samples with hop=40 cannot be undone"):
        fb.inverse(noise(30, 80), 40)
    with pytest.raises(ValueError, match="some frequencies get hardly any answer"):
        fb.inverse(fb.Sinc(64, 81, RATE).waveforms(), 20)


@pytest.mark.parametrize("size, hop, least", [(80, 40, 60), (80, 20, 35), (40, 40, 40), (24, 8, 14)])
def test_random_filters_need_as_many_numbers_as_said(size, hop, least):
    assert fb.needed(size, hop) == least
    fb.inverse(noise(least, size), hop)
    says = f"there are {least - 1} real numbers per frame. It takes {hop} at least, and {least} unless"
    with pytest.raises(ValueError, match=says):
        fb.inverse(noise(least - 1, size), hop)


@pytest.mark.parametrize("hop", [8, 40])
def test_an_mdct_is_undone_with_one_number_for_each_new_sample(hop):
    bank = mdct(hop)
    assert bank.shape == (hop, 2 * hop) and hop < fb.needed(2 * hop, hop)
    torch.testing.assert_close(fb.inverse(bank, hop), bank, rtol=0, atol=1e-4)  # it is its own inverse
    with pytest.raises(ValueError, match="cannot be undone"):
        fb.inverse(bank[1:], hop)  # one number less than new samples


def mdct(hop):
    n, k = torch.arange(2 * hop, dtype=torch.float64), torch.arange(hop)[:, None]
    window = torch.sin(math.pi * (n + 0.5) / (2 * hop))
    return (math.sqrt(2 / hop) * window * torch.cos(math.pi / hop * (n + 0.5 + hop / 2) * (k + 0.5))).float()


def test_white_noise_is_a_quarter_of_the_rate_wide_and_never_near_a_half():
    widths = fb.bandwidths(noise(500, 80), RATE) / RATE
    assert 0.2 < widths.median() < 0.25 and widths.max() < 0.4


def test_the_code_is_an_inner_product_and_the_decoder_is_its_adjoint(free):
    encoder, decoder = fb.Encoder(free, 40), fb.Decoder(free, 40)
    x, y = noise(1, 1, 333), noise(1, 1, 64, encoder.frames(333), seed=1)
    padded = torch.nn.functional.pad(x[0, 0], (40, 80))
    expected = torch.stack([free.values @ padded[t * 40 : t * 40 + 80] for t in range(encoder.frames(333))], dim=1)
    torch.testing.assert_close(encoder(x)[0, 0], expected, rtol=0, atol=1e-5)
    torch.testing.assert_close((encoder(x) * y).sum(), (x * decoder(y, 333)).sum(), rtol=1e-4, atol=1e-4)


def test_a_complex_decoder_is_an_adjoint_too():
    bank = fb.Fourier(64)
    encoder, decoder = fb.Encoder(bank, 16), fb.Decoder(bank, 16)
    x, y = noise(1, 1, 333), torch.complex(noise(1, 1, 33, encoder.frames(333)), noise(1, 1, 33, encoder.frames(333)))
    torch.testing.assert_close((encoder(x) * y.conj()).sum().real, (x * decoder(y, 333)).sum(), rtol=1e-4, atol=1e-3)


def test_a_sample_of_the_output_needs_no_later_frame_than_one_filter(free):
    encoder, decoder = fb.Encoder(free, 40), fb.Decoder(free, 40)
    x = noise(1, 1, 800)
    changed = x.clone()
    changed[..., 400:] += 1
    with torch.no_grad():
        differs = (decoder(encoder(x), 800) != decoder(encoder(changed), 800))[0, 0].nonzero()
        codes = (encoder(x) != encoder(changed)).any(2)[0, 0].nonzero()
    assert differs.min() >= 400 - 79  # the delay of a filter bank is one filter
    assert codes.min() == 400 // 40  # frame t ends with sample (t + 1) hop - 1


@pytest.mark.parametrize("K, low, high", [(40, 0.0, None), (23, 100.0, 7000.0)])
def test_mel_is_librosas(K, low, high):
    expected = librosa.filters.mel(sr=RATE, n_fft=1024, n_mels=K, fmin=low, fmax=high, htk=True, norm=None)
    np.testing.assert_allclose(fb.mel_matrix(K, 1024, RATE, low, high).numpy(), expected, atol=1e-6)
    magnitude = noise(2, 1, 513, 7).abs()
    torch.testing.assert_close(fb.Mel(K, 1024, RATE, low, high)(magnitude), torch.tensor(expected) @ magnitude)


def test_scales_are_where_they_should_be():
    assert fb.hz_to_mel(1000).item() == pytest.approx(1000, abs=0.05)
    assert fb.erb(1000).item() == pytest.approx(24.7 * (4.37 + 1), rel=2e-3)  # Glasberg and Moore's own way to write it
    f = torch.linspace(0, 8000, 50, dtype=torch.float64)
    for there, back in ((fb.hz_to_mel, fb.mel_to_hz), (fb.hz_to_erb, fb.erb_to_hz)):
        torch.testing.assert_close(back(there(f)), f)
    assert fb.spaced(5, 0, 8000, "linear").tolist() == [0, 2000, 4000, 6000, 8000]


@pytest.mark.parametrize("size", [16, 17, 80])
def test_analytic_is_scipys(size):
    w = noise(3, size)
    np.testing.assert_allclose(fb.analytic(w).numpy(), hilbert(w.numpy()), atol=1e-6)


def test_the_envelope_hardly_moves_with_the_phase():
    bank = fb.Gammatone(16, 400, RATE)
    time = torch.arange(4000) / RATE
    waves = [torch.cos(2 * torch.pi * 1061 * time + phase)[None, None] for phase in (0.0, 0.8, 1.6)]

    def spread(bank):
        codes = torch.stack([fb.Encoder(bank, 40)(w)[0, 0, 7, 20:-20].abs() for w in waves])
        return (codes.std(0) / codes.mean(0).clamp(min=1e-3)).mean()

    assert spread(fb.Analytic(bank)) < 0.01 < 0.2 < spread(bank)


def test_sinc_has_two_parameters_per_filter_and_passes_its_band():
    bank = fb.Sinc(16, 251, RATE)
    assert sum(p.numel() for p in bank.parameters()) == 32
    lower, upper = bank.edges()
    centre = fb.centre_frequencies(bank.waveforms(), RATE)
    assert ((centre > lower - 50) & (centre < upper + 50)).all() and (upper <= RATE / 2).all()
    frequencies, magnitude = fb.responses(bank.waveforms(), RATE)
    wide = upper - lower > 200
    assert (magnitude.max(1).values[wide] - 1).abs().max() < 0.1
    bank.waveforms().square().sum().backward()
    assert bank.lower.grad.abs().sum() > 0 and bank.width.grad.isfinite().all()


def test_sinc_stays_a_band_wherever_training_takes_it():
    bank = fb.Sinc(4, 80, RATE)
    with torch.no_grad():
        bank.lower.copy_(torch.tensor([-50.0, 9000.0, 100.0, 7990.0]))
        bank.width.copy_(torch.tensor([-500.0, 9000.0, 0.0, 300.0]))
    lower, upper = bank.edges()
    assert (lower >= 0).all() and (upper <= 8000).all() and (upper > lower).all()
    assert bank.waveforms().isfinite().all()


def test_gammatones_sit_on_the_erb_scale_with_the_ears_width():
    bank = fb.Gammatone(16, 1600, RATE)
    centres = fb.spaced(16, 50, 7200, "erb")
    shift = (fb.centre_frequencies(bank.waveforms(), RATE) - centres).abs()
    assert shift[:15].max() < 3 and shift[15] < 50  # the highest one meets its own mirror image at half the rate
    torch.testing.assert_close(bank.waveforms().norm(dim=1), torch.ones(16))
    _, magnitude = fb.responses(bank.waveforms(), RATE, 32000)
    width = magnitude.square().sum(1) / magnitude.square().max(1).values / 2  # Hz, as 32000 bins are 0.5 Hz apart
    np.testing.assert_allclose(width[4:14], fb.erb(centres)[4:14], rtol=0.02)


def test_looks_of_known_waveforms():
    time = torch.arange(400) / RATE
    waves = torch.stack([torch.hann_window(400) * torch.sin(2 * torch.pi * f * time) for f in (300, 4000, 7000)])
    assert (fb.centre_frequencies(waves, RATE) - torch.tensor([300.0, 4000, 7000])).abs().max() < 5
    assert (fb.bandwidths(waves, RATE) < 60).all()
    assert fb.bandwidths(noise(20, 400), RATE).median() > 2000


def test_trained_banks_come_with_the_book():
    encoder, decoder = fb.trained("talkers")
    assert encoder.bank.values.shape == decoder.bank.values.shape
    code = encoder(noise(1, 1, 999)).relu()
    assert decoder(code, 999).shape == (1, 1, 999)
    with pytest.raises(ValueError, match="no trained filter bank 'birds'; there are: .*music.*talkers"):
        fb.trained("birds")


def test_gradients_reach_every_learned_bank():
    for bank in (fb.Free(12, 16), fb.Sinc(12, 16, RATE), fb.Analytic(fb.Free(12, 16))):
        fb.Encoder(bank, 8)(noise(1, 1, 99)).abs().sum().backward()
        assert all(p.grad.abs().sum() > 0 for p in bank.parameters())


def test_other_kinds_of_numbers_and_devices(free):
    x = noise(1, 1, 99).double()
    assert fb.Encoder(free, 40)(x).dtype == torch.float64
    assert fb.Encoder(fb.Fourier(16), 8)(x.float()).dtype == torch.complex64
    with torch.autocast("cpu", torch.bfloat16):
        assert fb.Encoder(free, 40)(x.float()).dtype == torch.bfloat16
        assert fb.Encoder(fb.Fourier(16), 8)(x.float()).dtype == torch.complex64
    meta = fb.Encoder(free, 40).to("meta")(torch.zeros(2, 1, 99, device="meta"))
    assert meta.shape == (2, 1, 64, 4)


def test_the_ledger_reads_it():
    encoder = fb.Encoder(fb.Free(64, 80), 40)
    assert "(B=2, C=1, K=64, T=26)" in str(shapes.trace(encoder, torch.zeros(2, 1, 1000)))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: fb.Encoder(fb.Free(4, 16), 17), "hop is 17 and the filters have 16 samples"),
        (lambda: fb.Encoder(fb.Free(4, 16), 0), "hop is 0"),
        (lambda: fb.Encoder(fb.Free(4, 16), 16 / 2), "hop is 8.0, but must be a whole number"),
        (lambda: fb.Decoder(fb.Free(4, 16), 8, before=16), "before is 16"),
        (lambda: fb.Encoder(fb.Free(4, 16), 8, before=-1), "before is -1"),
        (lambda: fb.Encoder(fb.Free(4, 1), 2), "Half the size, 1"),
        (lambda: fb.Free(0, 16), "K is 0"),
        (lambda: fb.Free(4, 1.5), "size is 1.5"),
        (lambda: fb.Free(4, 16, start=torch.zeros(16, 4)), r"start must be \(K, size\) = \(4, 16\)"),
        (lambda: fb.Fourier(16, "kaiser"), "window 'kaiser'"),
        (lambda: fb.Sinc(4, 16, 100, low=60), "50 Hz"),
        (lambda: fb.Gammatone(5, 16, RATE, phases=2), "K=5"),
        (lambda: fb.Gammatone(4, 16, RATE, high=9000), "aliased"),
        (lambda: fb.Analytic(fb.Fourier(16)), "complex already"),
        (lambda: fb.analytic(torch.zeros(2, 4, dtype=torch.complex64)), "real waveforms"),
        (lambda: fb.Fixed(torch.zeros(4, 1, 16)), r"weight.squeeze\(1\)"),
        (lambda: fb.responses(torch.zeros(16), RATE), r"\(K, size\)"),
        (lambda: fb.mel_matrix(128, 512, RATE), "lies between two bins"),
        (lambda: fb.spaced(4, 100, 100), "low must lie below high"),
        (lambda: fb.spaced(4, 0, 100, "bark"), "scale 'bark'"),
    ],
)
def test_impossible_banks_are_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (torch.zeros(99), r"\(B, C, N\)"),
        (torch.zeros(1, 99), r"samples\[None\]"),
        (torch.zeros(1, 1, 0), "N of at least 1"),
        (torch.zeros(0, 1, 9), "B, C and N"),
        (torch.zeros(1, 99, 1), r"are C and N swapped\? Then samples.transpose"),
        (torch.zeros(1, 1, 99, dtype=torch.int16), "divide 16-bit samples by 32768"),
        (torch.zeros(1, 1, 99, dtype=torch.complex64), "samples.real"),
    ],
)
def test_an_encoder_refuses_what_is_no_sound(free, x, words):
    with pytest.raises(ValueError, match=words):
        fb.Encoder(free, 40)(x)


def test_a_decoder_says_which_axis_is_wrong(free):
    decoder = fb.Decoder(free, 40)
    with pytest.raises(ValueError, match=r"are K and T swapped\? Then code.transpose"):
        decoder(torch.zeros(1, 5, 64), 99)
    with pytest.raises(ValueError, match="K=64"):
        decoder(torch.zeros(1, 63, 5), 99)
    with pytest.raises(ValueError, match="length=999 samples need 26 frames, but was given T=5"):
        decoder(torch.zeros(1, 64, 5), 999)
    with pytest.raises(ValueError, match="length=0"):
        decoder(torch.zeros(1, 64, 5), 0)
    with pytest.raises(ValueError, match="the code is complex, but the decoder's waveforms are real"):
        decoder(torch.zeros(1, 64, 5, dtype=torch.complex64), 99)


def test_mel_refuses_other_bins():
    with pytest.raises(ValueError, match="F=513"):
        fb.Mel(40, 1024, RATE)(torch.zeros(1, 1, 512, 3))
    with pytest.raises(ValueError, match=r"bins.abs\(\)"):
        fb.Mel(40, 1024, RATE)(torch.zeros(1, 1, 513, 3, dtype=torch.complex64))
