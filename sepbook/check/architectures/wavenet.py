"""Checks for the lab on WaveNet: the reach of a stack, the gate, taps that lie apart, the mu-law, one sample at a time.

Taught on: book/architectures/wavenet
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

from sepbook.check import call, exercise, expect_gradient, expect_number, expect_values
from sepbook.check._compare import told_apart
from sepbook.check._inputs import about, noise


@exercise(
    "Exercise 1: how far a stack sees",
    hints=(
        "How much further does one block see than the one before it, and on how many sides?",
        "A block with dilation d adds d samples before and d after. Add that up over all nine.",
        "1 + 2 · (1 + 2 + 4 + … + 256). The sum in brackets is 511.",
    ),
)
def exercise_1(prediction):
    """Check how many samples one output of nine blocks with three taps and doubling dilation depends on."""
    known = {
        19: "That is nine blocks without dilation. Here the taps move apart from block to block.",
        513: "That is the span of the last block alone. The blocks before it widen each of its taps.",
        512: "Two taps, one of them looking back, would give 512. Here there are three, and they look both ways.",
        511: "That is how far it sees to one side. There are two sides, and the sample itself.",
        1022: "The sample itself counts too, so add one.",
        1024: "Nearly: the sample itself is counted once, not for both sides.",
        27: "Three taps in nine blocks are 27 weights. But they overlap, and they lie apart.",
        2047: "That would be ten blocks: their last dilation is 512. The ninth has 256.",
    }
    expect_number(prediction, 1023, known)
    return "Nine blocks, a thousand samples: each block doubles the reach and costs the same."


@exercise(
    "Exercise 2: the gate",
    hints=(
        "H stands on the second axis. Cut it into two halves of equal size: which one is the wave?",
        "The wave goes through tanh, between -1 and 1. The gate goes through a sigmoid, between 0 and 1.",
        "wave, gate = x.chunk(2, dim=1); return wave.tanh() * gate.sigmoid()",
    ),
)
def exercise_2(gated):
    """Check a function of x `(B, 2H, T)`: tanh of the first half times sigmoid of the second."""
    for B, H, T in ((2, 3, 5), (1, 4, 8), (3, 1, 1)):
        x = noise(B, 2 * H, T, seed=H).requires_grad_()
        a, b = x.chunk(2, dim=1)
        right = a.tanh() * b.sigmoid()
        known = {
            "the halves are exchanged: the first one is the wave": b.tanh() * a.sigmoid(),
            "every second feature is taken. The halves are the first H features and the last H": (
                x[:, ::2].tanh() * x[:, 1::2].sigmoid()
            ),
            "the wave has no tanh. That is the GLU of Demucs": a * b.sigmoid(),
            "the gate has no sigmoid: it is not kept between 0 and 1": a.tanh() * b,
            "both halves went through tanh, and a gate is never negative": a.tanh() * b.tanh(),
            "both halves went through the sigmoid, and a wave has two signs": a.sigmoid() * b.sigmoid(),
            "the halves are added. A gate multiplies": a.tanh() + b.sigmoid(),
            "the gate is closed where it should be open": a.tanh() * (1 - b.sigmoid()),
        }
        result = call(gated, x)
        expect_values(result, right, "B H T", told_apart(known, right), about(x=("B 2H T", x.shape)))
        expect_gradient(result, x)
    return "One half is the wave, the other says how much of it passes."


def _moved(x: Tensor, by: int) -> Tensor:
    """Return x[t + by] at place t, zeros where there is none."""
    T = x.shape[-1]
    return functional.pad(x, (abs(by), abs(by)))[..., abs(by) + by :][..., :T]


def _apart(x: Tensor, weight: Tensor, d: int, places=(-1, 0, 1), move=_moved) -> Tensor:
    """A dilated convolution as a sum of moved copies, and the usual ways to get it wrong."""
    return sum(torch.einsum("oh,bht->bot", weight[..., k], move(x, d * place)) for k, place in enumerate(places))


@exercise(
    "Exercise 3: taps that lie apart",
    hints=(
        "One output is a sum of three terms, one for each tap. Which sample does each tap look at?",
        "Tap 0 looks d samples back, tap 1 at the sample itself, tap 2 d samples ahead. Pad with d zeros on both "
        "sides; then tap k sees padded[..., k * d : k * d + T].",
        "padded = functional.pad(x, (d, d)); return sum(weight[:, :, k] @ padded[..., k * d : k * d + T] for k in "
        "range(3))",
    ),
)
def exercise_3(dilated):
    """Check a function of x `(B, H, T)`, weight `(H', H, 3)`, d: three taps, d apart, zeros outside, `(B, H', T)`."""
    for B, H, T, out, d in ((2, 3, 12, 4, 2), (1, 1, 9, 1, 1), (1, 2, 5, 3, 8)):
        x = noise(B, H, T, seed=T).requires_grad_()
        weight = noise(out, H, 3, seed=T + 1).requires_grad_()
        right = functional.conv1d(x, weight, padding=d, dilation=d)
        known = {
            "the taps lie one apart, not d": functional.conv1d(x, weight, padding=1),
            "the taps are turned round: tap 0 looks back": _apart(x, weight, d, (1, 0, -1)),
            "all taps look back. The last one looks ahead": _apart(x, weight, d, (-2, -1, 0)),
            "all taps look ahead. The first one looks back": _apart(x, weight, d, (0, 1, 2)),
            "the end is rolled to the beginning. Outside there are zeros": (
                _apart(x, weight, d, move=lambda x, by: x.roll(-by, -1))
            ),
            "the taps lie 2d apart": _apart(x, weight, 2 * d),
        }
        if 2 * d < T:
            known["the ends are missing: zeros stand outside"] = functional.conv1d(x, weight, dilation=d)
        result = call(dilated, x, weight, d)
        where = f"{about(x=('B H T', x.shape))} It has a dilation of {d}."
        expect_values(result, right, "B H T", told_apart(known, right), where)
        expect_gradient(result, x, weight)
    return "No more work than with taps side by side, and a reach of 2d + 1."


@exercise(
    "Exercise 4: the mu-law",
    hints=(
        "The sign stays. What happens to the absolute value, and which values must 0 and 1 keep?",
        "ln(1 + 255 |x|) is 0 at 0, and ln 256 at 1. Divide by that.",
        "return x.sign() * torch.log1p(255 * x.abs()) / math.log(256)",
    ),
)
def exercise_4(bent):
    """Check a function of samples `(C, N)` between -1 and 1: the mu-law with 255, -1 … 1."""
    for C, N in ((2, 9), (1, 30)):
        x = noise(C, N, seed=N).tanh()
        x[0, 0], x[0, 1] = 0.0, -1.0
        size = x.abs()
        law = torch.log1p(255 * size) / math.log(256)
        right = x.sign() * law
        known = {
            "the sign is lost": law,
            "nothing was divided by ln 256: 1 has to stay 1": x.sign() * torch.log1p(255 * size),
            "it is divided by ln 255. ln(1 + 255) is needed": x.sign() * torch.log1p(255 * size) / math.log(255),
            "there is a 256 where 255 belongs": x.sign() * torch.log1p(256 * size) / math.log(257),
            "this is the way back, from levels to samples": x.sign() * torch.expm1(size * math.log(256)) / 255,
            "nothing was bent": x,
            "the logarithm to base 10 was divided by a natural one": x.sign() * law / math.log(10),
        }
        expect_values(call(bent, x), right, "C N", told_apart(known, right), about(x=("C N", x.shape)))
    return "Soft samples get most of the levels: half of them lie below a sixteenth of full scale."


def _continued(chances, past: Tensor, count: int, choose=torch.argmax, grow=True, whole=False) -> Tensor:
    """The likeliest level, again and again, and the usual ways to get it wrong."""
    codes = past
    for _ in range(count):
        new = choose(chances(codes if grow else past), dim=-1)
        codes = torch.cat([codes, new[:, None]], dim=-1)
    return codes if whole else codes[:, past.shape[-1] :]


@exercise(
    "Exercise 5: one sample after the other",
    hints=(
        "Ask for the chances of the next sample, choose one level, and then? What is the past of the sample after it?",
        "The new level belongs to the past from now on: put it behind the others before you ask again.",
        "for _ in range(count): new = chances(past).argmax(-1); past = torch.cat([past, new[:, None]], 1). Return the "
        "last `count` of them.",
    ),
)
def exercise_5(invent):
    """Check a function of chances, past `(B, n)`, count: the likeliest next levels one by one, `(B, count)`."""
    for B, n, count, K in ((2, 3, 6, 7), (1, 1, 9, 5), (3, 4, 1, 8)):
        mix = noise(K, K, seed=n + K)

        def chances(codes: Tensor, K: int = K, mix: Tensor = mix) -> Tensor:
            """A stand-in for a network: levels (B, n) -> chances (B, K), which depend on the last two and on n."""
            last = functional.one_hot(codes[:, -2:], K).float().sum(1)  # (B, K)
            return (last @ mix + mix[codes.shape[-1] % K]).softmax(-1)

        past = (noise(B, n, seed=K).abs() * K).long() % K
        right = _continued(chances, past, count)
        known = {
            "the new level was not put behind the past: each sample is drawn from the same chances": (
                _continued(chances, past, count, grow=False)
            ),
            "the least likely level is chosen": _continued(chances, past, count, choose=torch.argmin),
            "the past is returned too. Only what is new is asked for": _continued(chances, past, count, whole=True),
            "the samples come in the wrong order": right.flip(-1),
            "one sample is missing: the last one": _continued(chances, past, count - 1) if count > 1 else right,
        }
        known = {
            name: wrong.float() for name, wrong in known.items() if wrong.shape != right.shape or (wrong != right).any()
        }
        where = f"It is about {n} levels that are known and {count} that are not."
        expect_values(call(invent, chances, past, count), right.float(), "B N", known, where)
    return "A choice becomes part of the past of the next one: that is why it cannot be done at once."
