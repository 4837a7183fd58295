"""Look at waveforms as filters: response, centre frequency, bandwidth; and find the decoder that undoes an encoder."""

import math

import torch
from torch import Tensor

from sepbook._given import check_bins, check_tensor

EXACT = 1e-3  # largest error, relative to the sample, of a decoder that still counts as an inverse


def responses(waveforms: Tensor, rate: float, n_fft: int = 1024) -> tuple[Tensor, Tensor]:
    """Return frequencies `(F,)` in Hz and how strongly each waveform answers to them, `(K, F)` magnitudes.

    F = n_fft // 2 + 1; n_fft grows to the size of the waveforms where it has to. Of complex waveforms the answer to
    positive frequencies is given. Raises ValueError unless waveforms are `(K, size)`.
    Taught on: book/building_blocks/filterbank
    """
    waveforms = two_axes(waveforms)
    n_fft = max(n_fft, waveforms.shape[1])
    F = n_fft // 2 + 1
    spectrum = torch.fft.fft(waveforms.detach(), n_fft)[:, :F]
    return torch.arange(F, device=waveforms.device) * rate / n_fft, spectrum.abs()


def centre_frequencies(waveforms: Tensor, rate: float) -> Tensor:
    """Return the frequency in Hz to which each waveform `(K, size)` answers most strongly: `(K,)`.

    `centre_frequencies(w, rate).argsort()` is the order from low to high. Taught on: book/building_blocks/filterbank
    """
    frequencies, magnitude = responses(waveforms, rate, 4096)
    return frequencies[magnitude.argmax(1)]


def bandwidths(waveforms: Tensor, rate: float, share: float = 0.5) -> Tensor:
    """Return the width in Hz of the band around its peak that holds a share of each waveform's energy: `(K,)`.

    The band grows evenly to both sides, and stops at 0 Hz and at half the rate. White noise has about a quarter of
    the rate, a long wave nearly nothing: this tells filters that have learned from those that have not.
    Taught on: book/building_blocks/filterbank
    """
    frequencies, magnitude = responses(waveforms, rate, 4096)
    power = magnitude.square()
    peak = frequencies[power.argmax(1)]
    distance = (frequencies - peak[:, None]).abs()  # (K, F)
    order = distance.argsort(dim=1)
    held = power.gather(1, order).cumsum(1) / power.sum(1, keepdim=True)
    reach = distance.gather(1, order).gather(1, (held < share).sum(1, keepdim=True).clamp(max=len(frequencies) - 1))
    reach = reach.squeeze(1)
    return torch.minimum(peak + reach, frequencies[-1]) - (peak - reach).clamp(min=0)


def inverse(waveforms: Tensor, hop: int) -> Tensor:
    """Return the waveforms `(K, size)` of a linear decoder that undoes an encoder with these waveforms and this hop.

    Each frame brings `hop` new samples, so nothing less than `hop` real numbers per frame can hold them. A bank that is
    made for it gets by with that (the MDCT does); one of no special form takes `needed` of them (1.5 hop at half
    overlap); and no frequency may be missed. It is a set of linear equations; the solution with the smallest numbers is
    returned. Raises ValueError when there is none. Source: Pariente 2020 for the question; least squares.
    Taught on: book/building_blocks/filterbank
    """
    waveforms = two_axes(waveforms).detach()
    K, size = waveforms.shape
    rows = torch.view_as_real(waveforms.conj().resolve_conj()) if waveforms.is_complex() else waveforms[..., None]
    rows = rows.double().permute(0, 2, 1).reshape(-1, size)  # (K or 2K, size): what real numbers a frame gives
    found = torch.zeros(len(rows), size, dtype=torch.float64)
    worst = 0.0
    for count, first, last in _groups(size, hop):  # samples at places first … last - 1 of their newest frame
        wide = size + (count - 1) * hop
        codes = torch.zeros(count, len(rows), wide, dtype=torch.float64)
        for j in range(count):  # frame j began j hops earlier than the newest
            begin = (count - 1 - j) * hop
            codes[j, :, begin : begin + size] = rows.cpu()
        places = torch.arange(first, last) + (count - 1) * hop
        target = torch.zeros(wide, last - first, dtype=torch.float64)
        target[places, torch.arange(last - first)] = 1
        table = codes.reshape(-1, wide).T  # (wide, count · rows)
        answer = torch.linalg.pinv(table, rtol=1e-6) @ target
        worst = max(worst, float((table @ answer - target).norm(dim=0).max()))
        for j in range(count):
            found[:, torch.arange(first, last) + j * hop] = answer.view(count, len(rows), -1)[j]
    if worst > EXACT:
        mend = "some frequencies get hardly any answer; use filters that miss none"
        if len(rows) < needed(size, hop):
            mend = f"there are {len(rows)} real numbers per frame. It takes {hop} at least, and {needed(size, hop)} "
            mend += "unless the filters are made for each other, as those of an MDCT are; use more filters"
        raise ValueError(
            f"K={K} filters of {size} samples with hop={hop} cannot be undone: at best, a sample comes back with an "
            f"error of {worst:.0%}, because {mend} or a smaller hop"
        )
    if not waveforms.is_complex():
        return found.to(waveforms)
    real, imaginary = found.view(K, 2, size).unbind(1)
    return torch.complex(real, -imaginary).to(waveforms)


def needed(size: int, hop: int) -> int:
    """Return how many real numbers per frame undo an encoder of no special form (random filters, say) exactly.

    `(size + (J - 1) hop) / J` with J = size / hop frames for each sample, rounded up: J frames together hold
    `size + (J - 1) hop` samples, and one is to be found among them. Filters that are made for each other need fewer,
    though never fewer than `hop`: the MDCT has just that. Taught on: book/building_blocks/filterbank
    """
    J = math.ceil(size / hop)
    return math.ceil((size + (J - 1) * hop) / J)


def _groups(size: int, hop: int):
    """Yield (number of frames that hold a sample, first place, last place + 1) for places within one hop."""
    most, rest = math.ceil(size / hop), size % hop or hop
    yield most, 0, rest
    if rest < hop:
        yield most - 1, rest, hop


def two_axes(waveforms: Tensor) -> Tensor:
    check_tensor(waveforms, "a filter bank")
    check_bins(waveforms, "waveforms")
    if waveforms.dim() != 2 or not waveforms.numel():
        raise ValueError(
            f"waveforms must be (K, size), one row per filter, but are {tuple(waveforms.shape)}; "
            "a convolution's weight (K, 1, size) needs weight.squeeze(1)"
        )
    return waveforms
