"""How long do the STFT and filter banks take, forward and backward, against plain PyTorch? One thread."""

import torch
from torch import nn
from torch.nn import functional

from sepbook.building_blocks.filterbank import Decoder, Encoder, Fourier, Free, Mel, Sinc
from sepbook.building_blocks.stft import ISTFT, STFT
from tools.bench._measure import compare_all, largest_ratio, threads

SHAPE = (4, 1, 64000)  # (B, C, N): four seconds at 16 kHz
K, SIZE, HOP = 256, 80, 40
N_FFT, STEP = 1024, 256
PAIRS = 31
LIMIT = 1.10


def both_ways(function, *inputs):
    """Return a function that computes `function(*inputs)` and the gradients of its squared sum."""

    def once():
        for x in inputs:
            x.grad = None
        out = function(*inputs)
        (out.abs().square() if out.is_complex() else out.square()).sum().backward()

    return once


def plain_stft(x, window):
    padded = functional.pad(x[:, 0], (0, -x.shape[-1] % STEP))
    return torch.stft(padded, N_FFT, STEP, window=window, pad_mode="constant", return_complex=True)


def plain_istft(bins, window):
    return torch.istft(bins[:, 0, 0], N_FFT, STEP, window=window, length=SHAPE[-1])


def rivals(random) -> dict:
    """Name each comparison: ours, theirs, and what both are given."""
    x = (0.1 * torch.randn(SHAPE, generator=random)).requires_grad_()
    behind = (Encoder(Free(1, SIZE), HOP).frames(SHAPE[-1]) - 1) * HOP + SIZE - (SIZE - HOP) - SHAPE[-1]
    window = torch.hann_window(N_FFT)
    bins = STFT(N_FFT, STEP)(x.detach())[:, None].requires_grad_()  # (B, S=1, C, F, T)
    free, fourier, sinc = Free(K, SIZE), Fourier(SIZE), Sinc(K, SIZE, 16000)
    conv, deconv = nn.Conv1d(1, K, SIZE, HOP, bias=False), nn.ConvTranspose1d(K, 1, SIZE, HOP, bias=False)
    parts = torch.cat([fourier.values.real, -fourier.values.imag])[:, None].contiguous()
    encoder, decoder, waves, bands = Encoder(free, HOP), Decoder(free, HOP), Encoder(fourier, HOP), Encoder(sinc, HOP)
    code = encoder(x).detach().requires_grad_()  # (B, C, K, T)
    mel, magnitude = Mel(64, N_FFT, 16000), bins.detach()[:, 0].abs().requires_grad_()

    def padded(x):
        return functional.pad(x, (SIZE - HOP, behind))

    def complex_waves(x):
        return torch.complex(*functional.conv1d(padded(x), parts, stride=HOP).chunk(2, dim=1))

    return {
        "stft": (STFT(N_FFT, STEP), lambda x: plain_stft(x, window), x),
        "istft": (lambda b: ISTFT(N_FFT, STEP)(b, SHAPE[-1]), lambda b: plain_istft(b, window), bins),
        "encoder_free": (encoder, lambda x: conv(padded(x)), x),
        "encoder_fourier": (waves, complex_waves, x),
        "encoder_sinc": (bands, lambda x: functional.conv1d(padded(x), sinc.waveforms()[:, None], stride=HOP), x),
        "decoder_free": (
            lambda c: decoder(c, SHAPE[-1]),
            lambda c: deconv(c[:, 0])[..., SIZE - HOP : SIZE - HOP + SHAPE[-1]],
            code,
        ),
        "mel": (mel, lambda m: functional.linear(m.transpose(-1, -2), mel.matrix), magnitude),
    }


@threads(1)
def run() -> dict:
    steps = {
        name: (both_ways(ours, given), both_ways(theirs, given))
        for name, (ours, theirs, given) in rivals(torch.Generator().manual_seed(0)).items()
    }
    found = compare_all(steps, PAIRS)
    return found | {"largest_ratio": largest_ratio(found), "pairs": PAIRS, "threads": 1, "limit": LIMIT}
