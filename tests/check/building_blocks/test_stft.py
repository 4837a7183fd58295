"""The checks on the STFT inside a network: right answers pass however written, usual mistakes get their own hint."""

import numpy as np
import torch

from sepbook.building_blocks.compression import Power
from tests.check.tables import *  # noqa: F403

EXACT = 1025 * 44100 / 512 * 2 * 36000 * 5 / 1e9


def system(
    masks=lambda network, bins: network(bins.abs()),
    join=lambda m, b: m * b[:, None],
    cut=lambda x, istft, N: istft(x, N),
):
    """Return an answer to exercise 2, with some of its steps replaced."""

    def separate(mixture, network, stft, istft):
        bins = stft(mixture)
        return cut(join(masks(network, bins), bins), istft, mixture.shape[-1])

    return separate


def separate_by_source(mixture, network, stft, istft):
    bins = stft(mixture)
    masks = network(bins.abs())
    return torch.stack([istft(mask * bins, mixture.shape[-1]) for mask in masks.unbind(1)], dim=1)


def only_the_first_channel(mixture, network, stft, istft):
    return system()(mixture[:, :1], network, stft, istft)


def by_root(bins, exponent, floor):
    return ((bins.real**2 + bins.imag**2).sqrt() + floor) ** exponent - floor**exponent


def power_of(size, take_off=lambda p, floor: floor**p):
    """Return an answer to exercise 3 from what is raised to the power, and what is taken off."""
    return lambda z, p, floor: size(z, floor) ** p - take_off(p, floor)


def magnitude_and_floor(z, floor):
    return z.abs() + floor


def repair(
    size=lambda wanted, bins: wanted,
    length=lambda N, T, istft: N,
    more=0,
    start=lambda phase: phase,
    turn=lambda bins, phase: bins.angle(),
):
    """Return an answer to exercise 5, with some of its bugs."""

    def griffin_lim(magnitude, phase, rounds, stft, istft, N):
        n = length(N, magnitude.shape[-1], istft)
        sound = istft(torch.polar(magnitude, start(phase)), n)
        for _ in range(rounds + more):
            bins = stft(sound)
            sound = istft(torch.polar(size(magnitude, bins), turn(bins, phase)), n)
        return sound

    return griffin_lim


def by_division(magnitude, phase, rounds, stft, istft, N):
    bins = magnitude * torch.exp(1j * phase)
    for _ in range(rounds):
        bins = magnitude * stft(istft(bins, N)).sgn()
    return istft(bins, N)


def phases_by_numpy(magnitude, phase, rounds, stft, istft, N):
    phase = phase.numpy()
    for _ in range(rounds):
        bins = magnitude.numpy() * np.exp(1j * phase)
        phase = np.angle(stft(istft(torch.from_numpy(bins), N)).numpy())
    return istft(torch.from_numpy(magnitude.numpy() * np.exp(1j * phase)), N).numpy()


def again_and_again(magnitude, phase, rounds, stft, istft, N):
    sound = istft(torch.polar(magnitude, phase), N)
    return sound if not rounds else again_and_again(magnitude, stft(sound).angle(), rounds - 1, stft, istft, N)


SHAPE = (6, 3, 2, 257, 252)
RIGHT = [
    (1, SHAPE),
    (1, list(SHAPE)),
    (1, torch.Size(SHAPE)),
    (1, np.array(SHAPE)),
    (1, (6.0, 3, 2, np.int64(257), 252.0)),
    (2, system()),
    (2, separate_by_source),
    (2, system(join=lambda m, b: torch.einsum("bscft,bcft->bscft", m + 0j, b))),
    (2, system(join=lambda m, b: torch.polar(m * b.abs()[:, None], b.angle()[:, None].expand_as(m)))),
    (2, system(cut=lambda x, istft, N: istft(x, N).double())),
    (3, power_of(magnitude_and_floor)),
    (3, lambda z, p, floor: Power(p, floor)(z.abs())),
    (3, lambda z, p, floor: (p * (z.abs() + floor).log()).exp() - floor**p),
    (3, lambda z, p, floor: power_of(magnitude_and_floor)(z.to(torch.complex128), p, floor)),
    (3, power_of(lambda z, floor: torch.view_as_real(z).norm(dim=-1) + floor)),
    (4, EXACT),
    (4, round(EXACT)),
    (4, 31.75),
    (4, torch.tensor(EXACT)),
    (4, np.float32(EXACT)),
    (5, repair()),
    (5, by_division),
    (5, phases_by_numpy),
    (5, again_and_again),
]
WRONG = [
    (1, (6, 3, 2, 257, 251), "begins another"),
    (1, (6, 3, 2, 257, 250), "A frame stands at the very first sample"),
    (1, (6, 3, 2, 256, 252), "both ends count"),
    (1, (6, 3, 2, 512, 252), "mirrors the lower one"),
    (1, (6, 3, 2, 252, 257), "before time"),
    (1, (6, 2, 3, 257, 252), "The source comes before the audio channel"),
    (1, (6, 3, 257, 252), "There are 4 sizes, but 5 axes"),
    (2, system(join=lambda m, b: m * b.abs()[:, None] + 0j), "the phase is lost"),
    (2, system(join=lambda m, b: m * b.abs()[:, None]), "magnitudes have no phase"),
    (2, system(join=lambda m, b: m + b[:, None]), "added to the bins"),
    (2, system(join=lambda m, b: m + 0j), "without the mixture"),
    (2, system(join=lambda m, b: (1 - m) * b[:, None]), "the inverse masks"),
    (2, system(join=lambda m, b: m**2 * b[:, None]), "the masks are used twice"),
    (2, system(join=lambda m, b: m * b.conj()[:, None]), "the bins are conjugated"),
    (2, system(join=lambda m, b: m * b.real[:, None] + 0j), "only the real part"),
    (2, system(join=lambda m, b: m / m.sum(1, keepdim=True) * b[:, None]), "divided by their sum"),
    (2, system(masks=lambda network, bins: network(bins.abs() ** 2)), "the network was given the power"),
    (2, system(masks=lambda network, bins: network(bins)), "complex bins"),
    (2, system(masks=lambda network, bins: network(bins.abs()).detach()), "gradient is cut off"),
    (2, system(join=lambda m, b: m * b), "stops in line"),
    (2, system(cut=lambda x, istft, N: istft(x, N)[..., :-1]), "N (sample) is 332 instead of 333"),
    (2, only_the_first_channel, "C (audio channel) is 1 instead of 2"),
    (3, lambda z, p, floor: z.abs() ** p, "floor is missing"),
    (3, lambda z, p, floor: z.abs() ** p + floor, "after the power"),
    (3, power_of(magnitude_and_floor, lambda p, floor: 0), "silence does not become 0"),
    (3, power_of(magnitude_and_floor, lambda p, floor: floor), "the floor itself is taken off"),
    (3, power_of(lambda z, floor: z.abs().clamp_min(floor)), "a lower limit here"),
    (3, power_of(lambda z, floor: z.abs() ** 2 + floor), "the power is taken of the energy"),
    (3, lambda z, p, floor: (z.abs() ** 2 + floor) ** (p / 2) - floor ** (p / 2), "the floor is added to the energy"),
    (3, lambda z, p, floor: power_of(magnitude_and_floor)(z, 1 / p, floor), "1 / exponent"),
    (3, lambda z, p, floor: power_of(magnitude_and_floor)(z, 0.3, floor), "an exponent of 0.5"),
    (3, by_root, "gradient is NaN or infinite"),
    (3, lambda z, p, floor: Power(p, floor)(z.abs().detach()), "gradient is cut off"),
    (3, lambda z, p, floor: (z + floor) ** p - floor**p, "complex"),
    (4, EXACT / 5, "one sound"),
    (4, 0.8 * EXACT, "the four stems"),
    (4, EXACT * 1e9 / 2**30, "in GiB"),
    (4, 1000 * EXACT, "in megabytes"),
    (4, 2 * EXACT, "four bytes"),
    (4, 4 * EXACT, "complex bins"),
    (4, 8 * EXACT, "16 bits are two bytes"),
    (4, 15.9, "That is the samples"),
    (4, EXACT / 60, "not 600"),
    (4, EXACT / 10, "one hour"),
    (4, 1e6, "too large"),
    (5, repair(size=lambda wanted, bins: bins.abs()), "never restored"),
    (5, repair(size=lambda wanted, bins: (wanted + bins.abs()) / 2), "are averaged"),
    (5, repair(turn=lambda bins, phase: phase), "the first phases are kept"),
    (5, repair(turn=lambda bins, phase: -bins.angle()), "the angle has the other sign"),
    (5, repair(start=lambda phase: 0 * phase), "not those that were given"),
    (5, repair(more=-1), "one round too few"),
    (5, repair(more=1), "one round too many"),
    (5, repair(length=lambda N, T, istft: (T - 1) * istft.hop), "instead of 300"),
    (5, repair(length=lambda N, T, istft: T * istft.hop), "need 21 frames"),
    (5, lambda magnitude, phase, *rest: repair()(magnitude[:1, :1], phase[:1, :1], *rest), "C (audio channel) is 1"),
]
