"""The exercises of the lab on complex numbers: usual mistakes are recognised, right answers pass, however written."""

import cmath
import math

import numpy as np
import torch

from tests.check.tables import *  # noqa: F403


def polar(z):
    return (z.real**2 + z.imag**2).sqrt(), torch.atan2(z.imag, z.real)


def polar_by_loops(z):
    pairs = [cmath.polar(complex(each)) for each in z]
    return torch.tensor([p[0] for p in pairs]), torch.tensor([p[1] for p in pairs])


def turn(z, degrees):
    return z * torch.exp(torch.tensor(1j * degrees * math.pi / 180))


def turn_by_parts(z, degrees):
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return torch.complex(c * z.real - s * z.imag, s * z.real + c * z.imag)


def phasor(frequency, rate, N, sign=1, first=0):
    n = torch.arange(first, N + first, dtype=torch.float64)
    return torch.exp(sign * 2j * torch.pi * frequency * n / rate)


def phasor_by_numpy(frequency, rate, N):
    return torch.from_numpy(np.exp(2j * np.pi * frequency / rate) ** np.arange(N))


def remove(sound, frequency, rate, twice=2, use=lambda arrow: arrow):
    back = phasor(frequency, rate, len(sound), -1)
    found = twice * (sound * back).mean()
    return sound - (use(found) * back.conj()).real


def remove_by_cosine_and_sine(sound, frequency, rate):
    angle = 2 * torch.pi * frequency * torch.arange(len(sound), dtype=torch.float64) / rate
    for wave in (angle.cos(), angle.sin()):
        sound = sound - 2 * (sound * wave).mean() * wave
    return sound


RIGHT = [
    (1, polar),
    (1, lambda z: (z.abs(), z.angle())),
    (1, polar_by_loops),
    (1, lambda z: tuple(torch.from_numpy(f(z.numpy())) for f in (np.abs, np.angle))),
    (2, turn),
    (2, turn_by_parts),
    (2, lambda z, d: torch.polar(z.abs(), z.angle() + math.radians(d))),
    (2, lambda z, d: z.to(torch.complex128) * cmath.exp(1j * math.radians(d))),
    (3, phasor),
    (3, phasor_by_numpy),
    (3, lambda f, r, N: torch.tensor([cmath.exp(2j * math.pi * f * n / r) for n in range(N)])),
    (3, lambda f, r, N: phasor(f, r, N).to(torch.complex64)),
    (4, 3**0.5),
    (4, 1.73),
    (4, 1.735),
    (4, abs(1 + cmath.exp(1j * math.pi / 3))),
    (5, remove),
    (5, remove_by_cosine_and_sine),
    (5, lambda x, f, r: remove(x.float(), f, r).float()),
    (5, lambda x, f, r: x - 2 * ((x * phasor(f, r, len(x)).conj()).mean() * phasor(f, r, len(x))).real),
]
WRONG = [
    (1, lambda z: (z.real.abs() + z.imag.abs(), z.angle()), "squares, and a root"),
    (1, lambda z: (z.real**2 + z.imag**2, z.angle()), "the root is missing"),
    (1, lambda z: (z.abs(), z.angle() * 180 / math.pi), "these are degrees"),
    (1, lambda z: (z.abs(), torch.atan(z.imag / z.real)), "Use torch.atan2"),
    (1, lambda z: (z.abs(), torch.atan2(z.real, z.imag)), "takes up first"),
    (1, lambda z: (z.abs(), z.angle() % (2 * math.pi)), "between -pi and pi"),
    (1, lambda z: (z.abs(), z.angle().abs()), "the sign is lost"),
    (2, lambda z, d: turn(z, d * 180 / math.pi), "degrees were taken for radians"),
    (2, lambda z, d: turn(z, -d), "it turns with the clock"),
    (2, lambda z, d: turn(z, d / 2), "half as far"),
    (2, lambda z, d: torch.polar(z.abs(), z.angle() * math.radians(d)), "Directions are added"),
    (2, lambda z, d: z * (1 + 1j * math.radians(d)), "must have length 1"),
    (2, lambda z, d: turn(z, d) / z.abs(), "leave their length"),
    (2, lambda z, d: turn(z, d).real, "only the real part"),
    (3, lambda f, r, N: phasor(f, r, N, -1), "it turns backwards"),
    (3, lambda f, r, N: phasor(f / 2 / math.pi, r, N), "here it is 1"),
    (3, lambda f, r, N: phasor(f / 2, r, N), "half as fast"),
    (3, lambda f, r, N: phasor(f * r, r, N), "divide it by the rate"),
    (3, lambda f, r, N: phasor(f, r, N).real, "the shadow alone"),
    (3, lambda f, r, N: phasor(f, r, N, first=1), "a sample late"),
    (3, lambda f, r, N: 1j * phasor(f, r, N, -1), "it points up at the start"),
    (4, 2, "only when both point the same way"),
    (4, 1, "at 120 degrees"),
    (4, 1.414, "right angle"),
    (4, 1.5, "It goes up as well"),
    (4, 3, "square of the length"),
    (4, 0.866, "to the right as well"),
    (5, lambda x, f, r: remove(x, f, r, 1), "half of the hum is left"),
    (5, lambda x, f, r: remove(x, f, r, 4), "twice the hum"),
    (5, lambda x, f, r: remove(x, f, r, -2), "added once more"),
    (5, lambda x, f, r: remove(x, f, r, use=abs), "its phase was not used"),
    (5, lambda x, f, r: remove(x, f, r, use=torch.conj), "wrong way round"),
    (5, lambda x, f, r: x, "nothing was removed"),
    (5, lambda x, f, r: x - remove(x, f, r), "that is the hum"),
    (5, lambda x, f, r: remove(x, f, r, 2 * len(x)), "the sum was taken"),
]
