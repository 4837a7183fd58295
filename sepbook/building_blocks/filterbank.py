"""Filter banks: an encoder that compares sound with K waveforms, and a decoder that writes sound with K waveforms.

::

    samples (B, C, N) ──Encoder──> code (B, C, K, T) ──mask──> (B, S, C, K, T) ──Decoder──> samples (B, S, C, N)

         x ─┬──────┐  size samples     code[k, t] = ⟨x from sample t·hop - before on, waveform k⟩
            └──hop─┬──────┐
                   └──────┘            x̂ = sum of all waveforms, each as loud as its code says, at its place

The sound is padded with zeros, `before` of them at the front, so that its first and its last samples lie in as many
frames as all others. So any number of samples can be encoded, and comes back.

Taught on: book/building_blocks/filterbank
"""

from contextlib import nullcontext
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor, nn

from sepbook._given import check_place, check_tensor
from sepbook.building_blocks._analysis import bandwidths, centre_frequencies, inverse, needed, responses, two_axes
from sepbook.building_blocks._filters import Analytic, Bank, Fourier, Free, Gammatone, Sinc, analytic
from sepbook.building_blocks._samples import check_samples, full_precision
from sepbook.building_blocks._scales import Mel, erb, erb_to_hz, hz_to_erb, hz_to_mel, mel_matrix, mel_to_hz, spaced

__all__ = [
    "Analytic",
    "Bank",
    "Decoder",
    "Encoder",
    "Fixed",
    "Fourier",
    "Free",
    "Gammatone",
    "Mel",
    "Sinc",
    "analytic",
    "bandwidths",
    "centre_frequencies",
    "erb",
    "erb_to_hz",
    "hz_to_erb",
    "hz_to_mel",
    "inverse",
    "mel_matrix",
    "mel_to_hz",
    "needed",
    "responses",
    "spaced",
    "trained",
]

WEIGHTS = Path(__file__).parent.parent / "assets" / "weights" / "filterbanks.safetensors"


class Fixed(Bank):
    """Waveforms `(K, size)` that are given and stay, real or complex. Taught on: book/building_blocks/filterbank."""

    def __init__(self, waveforms: Tensor):
        super().__init__(*two_axes(waveforms).shape)
        self.register_buffer("values", waveforms.detach().clone())

    def waveforms(self) -> Tensor:
        """Return the waveforms."""
        return self.values


def _check_geometry(size: int, hop: int, before: int) -> None:
    for name, value in (("hop", hop), ("before", before)):
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(
                f"{name} is {value!r}, but must be a whole number of samples; divide with //, as in size // 2"
            )
    if not 1 <= hop <= size:
        raise ValueError(
            f"hop is {hop} and the filters have {size} samples; hop must lie between 1 and {size}, "
            f"or samples fall between frames. Half the size, {max(1, size // 2)}, is common"
        )
    if not 0 <= before < size:
        raise ValueError(
            f"before is {before}, but must lie between 0 and {size - 1}, one less than the filters' size: "
            f"a frame of zeros alone says nothing. The default is size - hop = {size - hop}"
        )


class _Coder(nn.Module):
    """What encoder and decoder share: a bank, and where its frames lie."""

    def __init__(self, bank: Bank, hop: int, before: int | None = None):
        super().__init__()
        before = bank.size - hop if before is None else before
        _check_geometry(bank.size, hop, before)
        self.bank, self.hop, self.before = bank, hop, before

    def frames(self, samples: int) -> int:
        """Return T, the number of frames that hold this many samples and leave none out."""
        return (samples - 1 + self.before) // self.hop + 1

    def extra_repr(self) -> str:
        """Show the geometry when the module is printed."""
        return f"hop={self.hop}, before={self.before}"


class Encoder(_Coder):
    """Compare every frame with every waveform: samples `(B, C, N)` to code `(B, C, K, T)`, T = `frames(N)`.

    A convolution with K kernels and a stride of `hop`, of each channel by itself. The code is real where the bank is,
    else complex; complex codes are computed in float32, also under autocast. There is no activation: TasNet's is
    `encoder(x).relu()`. `before` zeros stand in front of the first sample (default: size - hop, so that it lies in
    as many frames as the others).

    Raises ValueError when hop lies beyond the filters, or the input is empty, integer, complex or not `(B, C, N)`.
    Source: Luo and Mesgarani 2018. Taught on: book/building_blocks/filterbank
    """

    dims = "B C N -> B C K T"

    def forward(self, samples: Tensor) -> Tensor:
        """Encode `(B, C, N)` samples."""
        kernels = self.bank.waveforms()
        check_samples(samples, kernels, "Encoder", "encode")
        B, C, N = samples.shape
        T = self.frames(N)
        behind = (T - 1) * self.hop + self.bank.size - self.before - N  # zeros, until the last frame is full
        flat = nn.functional.pad(samples.reshape(B * C, 1, N), (self.before, behind))  # (B·C, 1, N')
        if kernels.is_complex():
            return _complex_code(flat, kernels, self.hop).view(B, C, -1, T)  # (B, C, K, T)
        code = nn.functional.conv1d(flat, kernels.to(flat.dtype).unsqueeze(1), stride=self.hop)  # (B·C, K, T)
        return code.view(B, C, -1, T)  # (B, C, K, T)


def _complex_code(flat: Tensor, waveforms: Tensor, hop: int) -> Tensor:
    """Compare `(B·C, 1, N)` with complex waveforms; two real convolutions in one."""
    with full_precision(flat):
        parts = torch.cat([waveforms.real, -waveforms.imag]).unsqueeze(1)  # (2 K, 1, size): the conjugate
        code = nn.functional.conv1d(flat.to(parts.dtype), parts, stride=hop)  # (B·C, 2 K, T)
        return torch.complex(*code.chunk(2, dim=1))


class Decoder(_Coder):
    """Add up all waveforms, each as loud as its code says: code `(…, K, T)` to samples `(…, N)`.

    A transposed convolution, cut to exactly `length` samples. It undoes an encoder only if its waveforms are made (see
    `inverse`) or have learned to do so. Of a complex code and complex waveforms it takes the real part of the product.

    Raises ValueError when K does not fit the bank, code and bank are not both real or both complex, or `length` needs
    more frames than there are. Source: Luo and Mesgarani 2018. Taught on: book/building_blocks/filterbank
    """

    dims = "B S C K T -> B S C N"

    def forward(self, code: Tensor, length: int) -> Tensor:
        """Return `length` samples of `(…, K, T)` code."""
        waveforms = self.bank.waveforms()
        self._check(code, length, waveforms)
        *batch, K, T = code.shape
        flat = code.reshape(-1, K, T)  # (B·C, K, T)
        if code.is_complex():
            flat = torch.cat([flat.real, flat.imag], dim=1)  # (B·C, 2K, T)
            waveforms = torch.cat([waveforms.real, -waveforms.imag])  # (2K, size)
        with full_precision(flat) if code.is_complex() else nullcontext():
            kernels = waveforms.to(flat.dtype).unsqueeze(1)  # (K, 1, size)
            samples = nn.functional.conv_transpose1d(flat, kernels, stride=self.hop)  # (…, 1, before + N + behind)
        return samples[:, 0, self.before : self.before + length].reshape(*batch, length)

    def _check(self, code: Tensor, length: int, waveforms: Tensor) -> None:
        check_tensor(code, "Decoder")
        if code.dim() < 2 or code.shape[-2] != self.bank.K:
            hint = ""
            if code.dim() >= 2 and code.shape[-1] == self.bank.K:
                hint = "; its last axis has that size: are K and T swapped? Then code.transpose(-1, -2)"
            raise ValueError(f"Decoder expects (…, K={self.bank.K}, T), but was given {tuple(code.shape)}{hint}")
        if code.is_complex() != waveforms.is_complex():
            kinds = ["complex" if x.is_complex() else "real" for x in (code, waveforms)]
            raise ValueError(f"the code is {kinds[0]}, but the decoder's waveforms are {kinds[1]}; both must be alike")
        if isinstance(length, bool) or not isinstance(length, int):
            raise ValueError(f"length is {length!r}, but must be a whole number of samples")
        if length < 1 or self.frames(length) > code.shape[-1]:
            raise ValueError(
                f"length={length} samples need {self.frames(max(length, 1))} frames, but was given T={code.shape[-1]}; "
                "pass the length of the sound that was encoded"
            )
        check_place(code, "Decoder", waveforms)


def trained(name: str = "talkers") -> tuple[Encoder, Decoder]:
    """Return the encoder and the decoder of a small separation network that was trained for the book.

    Names: "talkers" and "music", each also with "_causal" (the network between them sees no future); "bright" (talkers
    with raised high frequencies), "start" (before training) and "autoencoder" (no network between them). For 16 kHz.
    Raises ValueError for another name.
    Taught on: book/building_blocks/filterbank
    """
    with safe_open(WEIGHTS, framework="pt") as file:
        names = sorted({key.rpartition(".")[0] for key in file.keys()})  # noqa: SIM118
        if name not in names:
            raise ValueError(f"no trained filter bank {name!r}; there are: {', '.join(names)}")
        found = [file.get_tensor(f"{name}.{part}").float() for part in ("encoder", "decoder")]
    K, size = found[0].shape
    encoder, decoder = (Free(K, size, start=waveforms) for waveforms in found)
    return Encoder(encoder, size // 2), Decoder(decoder, size // 2)
