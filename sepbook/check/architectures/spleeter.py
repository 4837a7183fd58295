"""Checks for the lab on Spleeter: sizes at the bottom, raw skips, shares of the mixture, and segments.

Taught on: book/architectures/spleeter
"""

import torch
from torch import Tensor
from torch.nn import functional

from sepbook.check import call, exercise, expect_gradient, expect_parts, expect_sizes, expect_values
from sepbook.check._inputs import near, noise


@exercise(
    "Exercise 1: what is left at the bottom",
    hints=(
        "How often is each axis halved, and what does the last block make?",
        "Four blocks: each axis is divided by 2 four times. H is the last width.",
        "256 / 16 = 16 bins, 96 / 16 = 6 frames, and 48 features.",
    ),
)
def exercise_1(prediction):
    """Check the predicted (H, F, T) after four blocks of widths 8, 16, 32, 48 on 2 channels, 256 bins, 96 frames."""
    known = {
        (48, 32, 12): "That is after three blocks. There are four widths, so four blocks.",
        (48, 8, 3): "That is after five blocks. There are four widths, so four blocks.",
        (48, 64, 24): "Each block halves once: four blocks divide by 16, not by 4.",
        (48, 256, 6): "Both axes are halved, bins too.",
        (48, 16, 96): "Both axes are halved, frames too.",
        (96, 16, 6): "Channels are not counted by themselves: the first convolution reads both, side by side.",
        (32, 16, 6): "The last block has the last width.",
        (2, 16, 6): "Channels are only at the entrance. The blocks have the widths.",
    }
    expect_sizes(prediction, (48, 16, 6), "H F T", known)
    return "Sixteen times smaller on both axes, and many more features."


def _way_down(convs, norms, activation, x, carried: str = "raw", order: str = "norm first") -> tuple[list, Tensor]:
    """Go down; `carried` says what is kept for the skips. Return them, and what comes out at the bottom."""
    maps, bottom = [], x
    for i, conv in enumerate(convs):
        raw = conv(bottom)
        after = norms[i](activation(raw)) if order == "bend first" else activation(norms[i](raw))
        if carried == "before":
            maps.append(bottom)
        else:
            maps.append({"raw": raw, "normed": norms[i](raw), "bent": after}[carried])
        bottom = raw if i == len(convs) - 1 else after
    return maps, bottom


def _parts(B: int, H: int, seed: int):
    """Three convolutions by two, two norms and one that nobody should hear, all random functions; an activation."""
    kernels, scales = [noise(H, H, seed=seed + i) for i in range(3)], 1 + noise(3, seed=seed + 5).abs()
    slope = near(10 + 5 * seed, seed) / 100  # below zero: the activation of another input is another one

    def conv(kernel):
        return lambda x: torch.einsum("hk,bkft->bhft", kernel, functional.avg_pool2d(x, 2))

    def norm(scale):
        return lambda x: scale * (x - 0.3)

    def activation(x):
        return functional.leaky_relu(x, slope)

    return [conv(kernel) for kernel in kernels], [norm(scale) for scale in scales], activation


@exercise(
    "Exercise 2: the way down, with raw skips",
    hints=(
        "What exactly is put into the list: the map before or after norm and activation?",
        "x = conv(x) is what the skip carries. Norm and activation belong to the way to the next convolution.",
        "for i, conv in enumerate(convs): x = conv(x if i == 0 else activation(norms[i - 1](x))); maps.append(x)",
    ),
)
def exercise_2(way_down):
    """Check a function of convs, norms, activation and x `(B, H, F, T)`: what each convolution gives, a list."""
    for seed, (B, H) in enumerate(((2, 3), (1, 4))):
        convs, norms, activation = _parts(B, H, 10 * seed)
        x = noise(B, H, 8, 16, seed=seed + 60).requires_grad_()
        right = _way_down(convs, norms, activation, x)[0]
        known = {
            "what the activation gives. A skip of Spleeter carries what the convolution gives": "bent",
            "what the norm gives. A skip of Spleeter carries what the convolution gives": "normed",
            "what goes into each convolution, not what comes out": "before",
        }
        names = {word: _way_down(convs, norms, activation, x, kind)[0] for word, kind in known.items()}
        names["on the way to the next convolution the activation stands before the norm"] = _way_down(
            convs, norms, activation, x, order="bend first"
        )[0]
        names["between two convolutions there is nothing: norm and activation are missing"] = _bare(convs, x)
        what = "The answer should be a list of three maps, one for each convolution."
        given = expect_parts(
            call(way_down, convs, norms[:2], activation, x), 3, what, "Append once for each convolution."
        )
        for level, (map_, expected) in enumerate(zip(given, right, strict=True)):
            mistakes = {word: maps[level].detach() for word, maps in names.items() if _differ(maps[level], expected)}
            where = f"It is map {level + 1} of three, B={B}, H={H}."
            expect_values(map_, expected.detach(), "B H F T", mistakes, where)
        expect_gradient(given[-1], x)
    return "The bottom goes up as raw as the skips: a norm there would never be heard."


def _bare(convs, x: Tensor) -> list[Tensor]:
    maps = []
    for conv in convs:
        x = conv(x)
        maps.append(x)
    return maps


def _differ(a: Tensor, b: Tensor) -> bool:
    return a.shape != b.shape or not torch.allclose(a, b, rtol=1e-4, atol=1e-4)


def _shares(v: Tensor, power: float, epsilon: float = 1e-10) -> Tensor:
    v = v**power
    return (v + epsilon / len(v)) / (v.sum(0) + epsilon)


@exercise(
    "Exercise 3: shares of the mixture",
    hints=(
        "Each stem's magnitude, to the power, over the sum of all. What is left where all are 0?",
        "Add epsilon to the sum, and to each stem its S-th part. Then the shares add up to 1, silence included.",
        "v = magnitudes**power; return (v + 1e-10 / len(v)) / (v.sum(0) + 1e-10)",
    ),
)
def exercise_3(shares):
    """Check a function of magnitudes `(S, F, T)` and a power: masks `(S, F, T)` that add up to one."""
    for seed, (S, F, T, power) in enumerate(((4, 3, 5, 2.0), (2, 4, 6, 1.0), (5, 3, 4, 3.0))):
        v = noise(S, F, T, seed=seed).abs() + 0.1
        v[:, :, -1] = 0  # the last frame is silent
        v.requires_grad_()
        right, d = _shares(v, power), v.detach()
        floor = (d**power).sum(0).clamp_min(1e-10)
        silent = _shares(d, power)
        silent[:, :, -1] = 0
        known = {
            "in silence the masks are 0. There each stem should get an equal share": silent,
            "in silence each stem gets all. Divide epsilon by S": (d**power + 1e-10) / (d**power + 1e-10 / S).sum(0),
            "a softmax of the magnitudes. The shares are those of powers": d.softmax(0),
            "the sum is over bins instead of stems": (d**power + 1e-10 / S) / ((d**power).sum(1, True) + 1e-10),
            "the sum is over frames instead of stems": (d**power + 1e-10 / S) / ((d**power).sum(2, True) + 1e-10),
            "each stem over the largest one, not over the sum": (d**power) / (d**power).amax(0).clamp_min(1e-10),
            "the power was taken of the sum, not of each stem": d**power / (d.sum(0) ** power).clamp_min(1e-10),
            "the powers themselves, without the sum": d**power,
        }
        for other in (1.0, 2.0):
            if other != power:
                known[f"the power is {other:g}, whatever is asked for"] = _shares(d, other)
        known["each stem twice over: the masks add up to 2"] = 2 * d**power / floor
        where = f"It is about S={S}, F={F}, T={T}, power {power:g}, and the last frame is silent."
        given = call(shares, v, power)
        expect_values(given, right.detach(), "S F T", known, where, tolerance=1e-4)
        expect_gradient(given.square(), v)  # the sum of the shares is 1 whatever v is, and has no slope
    return "A common factor of all stems cancels: only ratios count."


def _segments(network, x: Tensor, length: int, keep: int = 0, mode: str = "constant") -> Tensor:
    """Cut frames into segments, follow the last one by what `mode` says, join; `keep` frames more stay at the end."""
    T = x.shape[-1]
    padded = functional.pad(x, (0, -T % length), mode=mode)
    return torch.cat([network(part) for part in padded.split(length, -1)], -1)[..., : T + keep]


@exercise(
    "Exercise 4: segment by segment",
    hints=(
        "The network wants whole segments. What follows the last frames, and what is cut off in the end?",
        "functional.pad puts zeros behind; then x.split(length, -1), the network on each part, torch.cat, the first T.",
        "x = functional.pad(magnitude, (0, -T % length)); "
        "return torch.cat([network(part) for part in x.split(length, -1)], -1)[..., :T]",
    ),
)
def exercise_4(in_segments):
    """Check a function of a network, magnitudes `(B, F, T)` and a length: what the network says, `(B, F, T)`."""
    for seed, (B, F, T, length) in enumerate(((2, 3, 13, 4), (1, 2, 12, 6), (1, 3, 3, 5))):
        taps, x = noise(length, length, seed=seed), (noise(B, F, T, seed=seed + 9).abs() + 0.1).requires_grad_()

        def network(part, taps=taps, length=length):
            if part.shape[-1] != length:
                raise ValueError(f"the network wants segments of {length} frames, and was given {part.shape[-1]}")
            return torch.tanh(part @ taps) * part + 0.2  # each frame hears its segment, and no other

        right, d, left = _segments(network, x, length), x.detach(), -T % length
        known = {}
        if left:
            if whole := T - T % length:
                short = _segments(network, d[..., :whole], length)
                known["the last frames were dropped, because they fill no segment"] = short
            known["the zeros that were put behind are still there"] = _segments(network, d, length, left)
            known["the last frame was repeated. Silence should follow"] = _segments(
                network, d, length, mode="replicate"
            )
            front = functional.pad(d, (left, 0))
            known["the zeros stand before the song; they belong behind"] = _segments(network, front, length)[..., left:]
        where = f"It is about B={B}, F={F}, T={T} and segments of {length}."
        given = call(in_segments, network, x, length)
        expect_values(given, right.detach(), "B F T", known, where)
        expect_gradient(given, x)
    return "What a segment does not see, no stem of it can know."
