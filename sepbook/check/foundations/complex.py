"""Checks for the lab on complex numbers: an arrow, a turn, an arrow that turns, a sum, a hum that is found and removed.

Taught on: book/foundations/complex
"""

import math

import torch
from torch import Tensor

from sepbook.check import call, exercise, expect_number, expect_parts, expect_values
from sepbook.check._inputs import near, noise


def _arrows(count: int, seed: int) -> Tensor:
    """Return arrows of any direction, none of them short: `(count,)` complex."""
    angles = torch.linspace(-3, 3, count) + 0.1 * noise(count, seed=seed)
    return torch.polar(1.5 + noise(count, seed=seed + 1).abs(), angles)


@exercise(
    "Exercise 1: length and direction",
    hints=(
        "The length is that of the long side of a right triangle; the direction is an angle whose tangent is up over "
        "right.",
        "Where right is negative the tangent alone cannot tell: which function takes up and right separately?",
        "(z.real**2 + z.imag**2).sqrt() and torch.atan2(z.imag, z.real).",
    ),
)
def exercise_1(length_and_direction):
    """Check a function: complex `(N,)` -> length `(N,)` and direction in radians, between -pi and pi, `(N,)`."""
    z = _arrows(9, 0)
    length, direction = expect_parts(call(length_and_direction, z), 2, "the lengths and the directions")
    right, up = z.real, z.imag
    known = {
        "right and up were added. It takes their squares, and a root": right.abs() + up.abs(),
        "the root is missing": z.abs().square(),
        "that is how far it goes to the right": right,
    }
    expect_values(length, z.abs(), "N", known, "It is about the lengths.")
    known = {
        "these are degrees. Radians are asked for: half a turn is pi": z.angle() * 180 / math.pi,
        "an arrow to the left and one to the right have the same up over right. Use torch.atan2": torch.atan(
            up / right
        ),
        "up and right changed places: torch.atan2 takes up first": torch.atan2(right, up),
        "it counts from 0 to 2 pi; between -pi and pi is asked for": z.angle() % (2 * math.pi),
        "the sign is lost: up is counted against the clock, down with it": z.angle().abs(),
    }
    expect_values(direction, z.angle(), "N", known, "It is about the directions.", tolerance=1e-4)
    return "These are .abs() and .angle(). From now on you may use them."


@exercise(
    "Exercise 2: turn it",
    hints=(
        "Turning is multiplying by an arrow of length 1.",
        "What is an arrow of length 1 with this direction? Its right is a cosine, its up a sine.",
        "z * torch.polar(torch.tensor(1.0), torch.tensor(degrees * torch.pi / 180)).",
    ),
)
def exercise_2(turn):
    """Check a function (complex `(N,)`, degrees) -> the arrows, turned against the clock, `(N,)`."""
    z = _arrows(5, 3)
    for degrees in (90.0, -30.0, 200.0):
        by = degrees * math.pi / 180

        def turned(angle, z=z):
            return z * complex(math.cos(angle), math.sin(angle))

        known = {
            "degrees were taken for radians: half a turn is 180 degrees, and pi": turned(degrees),
            "it turns with the clock. Positive is against it": turned(-by),
            "it turns half as far: a whole turn is 2 pi": turned(by / 2),
            "the direction was multiplied. Directions are added": torch.polar(z.abs(), z.angle() * by),
            "the arrows are longer: what it is multiplied with must have length 1": z * (1 + 1j * by),
            "all arrows have length 1 now: turn them, and leave their length": turned(by) / z.abs(),
            "only the real part is left": turned(by).real,
        }
        expect_values(
            call(turn, z, degrees), turned(by), "N", known, f"It is about {degrees:g} degrees.", tolerance=1e-4
        )
    return "A turn is a product. Two turns are a product too, and their angles add up."


@exercise(
    "Exercise 3: an arrow that turns steadily",
    hints=(
        "At sample n the arrow has made frequency * n / rate turns, and a turn is 2 pi.",
        "Make the sample numbers with torch.arange, the angles from them, and then arrows of length 1.",
        "n = torch.arange(N, dtype=torch.float64); then torch.exp(2j * torch.pi * frequency * n / rate).",
    ),
)
def exercise_3(phasor):
    """Check a function (frequency, rate, N) -> arrows of length 1 that turn against the clock from 0, `(N,)`."""
    for frequency, rate, N in ((near(50), 8000, 40), (near(400, 1), 16000, 25)):
        n = torch.arange(N, dtype=torch.float64)
        angle = 2 * math.pi * frequency * n / rate

        def arrow(angle):
            return torch.polar(torch.ones_like(angle), angle)

        known = {
            "it turns backwards": arrow(-angle),
            "a turn is 2 pi, and here it is 1": arrow(angle / (2 * math.pi)),
            "it turns half as fast: a turn is 2 pi, not pi": arrow(angle / 2),
            "n counts samples, not seconds: divide it by the rate": arrow(angle * rate),
            "that is the shadow alone. The arrow has an imaginary part, too": angle.cos(),
            "it begins a sample late: the first sample has the number 0": arrow(angle + 2 * math.pi * frequency / rate),
            "it points up at the start: the cosine belongs to the right": 1j * arrow(-angle),
        }
        what = f"It is about {frequency:g} Hz at {rate} samples per second."
        expect_values(call(phasor, frequency, rate, N), arrow(angle), "N", known, what, tolerance=1e-4)
    return "Its real part is a cosine, its imaginary part a sine. The arrow is both."


@exercise(
    "Exercise 4: how strong is the sum?",
    hints=(
        "Draw the two arrows one behind the other. How long is the third side?",
        "At 0 degrees it is 2, at 180 it is 0. At 60 degrees the first goes 1 to the right. And the second?",
        "The sum goes 1 + cos(60 degrees) to the right and sin(60 degrees) up.",
    ),
)
def exercise_4(prediction):
    """Check the predicted length of the sum of two arrows of length 1 that are 60 degrees apart; 0.01 off is right."""
    known = {
        2.0: "Lengths add up only when both point the same way.",
        1.0: "That is the sum at 120 degrees: there the two arrows and their sum make a triangle of three equal sides.",
        math.sqrt(2): "That is for a right angle, where energies add.",
        1.5: "That is how far it goes to the right. It goes up as well.",
        3.0: "That is the square of the length.",
        math.sqrt(3) / 2: "That is how far it goes up. It goes to the right as well.",
    }
    expect_number(prediction, math.sqrt(3), known, tolerance=0.01 / math.sqrt(3))
    return "1.5 to the right and 0.87 up: the root of 3."


@exercise(
    "Exercise 5: find the hum, and take it out",
    hints=(
        "First find its arrow: multiply the sound by one that turns backwards at this frequency. Then make the hum.",
        "The mean of the product is half of the hum's arrow: a cosine is half an arrow forwards, half one backwards.",
        "back = torch.exp(-2j * torch.pi * frequency * n / rate); found = 2 * (sound * back).mean(), then "
        "sound - (found * back.conj()).real.",
    ),
)
def exercise_5(remove_hum):
    """Check a function (samples `(N,)`, frequency, rate) -> the samples without the tone of that frequency, `(N,)`."""
    N = 800  # whole swings of each hum
    n = torch.arange(N, dtype=torch.float64)
    for seed, (frequency, rate, strength, start) in enumerate(((50.0, 4000, 0.5, 0.7), (120.0, 8000, 0.2, -2.0))):
        turning = torch.polar(torch.ones_like(n), 2 * math.pi * frequency * n / rate)
        voice = 0.1 * noise(N, seed=seed).double()
        sound = voice + strength * (turning * complex(math.cos(start), math.sin(start))).real

        def without(arrow, sound=sound, turning=turning):
            return sound - (arrow * turning).real

        found = 2 * (sound * turning.conj()).mean()
        known = {
            "half of the hum is left: a cosine is only half an arrow forwards, so take twice": without(found / 2),
            "twice the hum was taken away": without(2 * found),
            "the hum was added once more": without(-found),
            "its phase was not used: the hum need not begin at the top of its swing": without(found.abs()),
            "its phase was turned the wrong way round": without(found.conj()),
            "nothing was removed": sound,
            "that is the hum. Take it from the sound": (found * turning).real,
            "the sum was taken and not the mean": without(found * N),
        }
        what = f"It is about a hum of {frequency:g} Hz in {N} samples at {rate} per second."
        expect_values(call(remove_hum, sound, frequency, rate), without(found), "N", known, what, tolerance=1e-4)
    return "One complex number was all there was to know about the hum."
