"""Checks of the lab on separation: one level, the weights of a join, chunks, channels.

Taught on: book/evaluation/separation
"""

import torch
from torch import Tensor

from sepbook.check import CheckFailure, call, exercise, expect_values
from sepbook.check._inputs import case_seed, noise


@exercise(
    "Exercise 1: at the level of training",
    hints=(
        "One gain for the whole song before the system, and the same gain undone after it.",
        "The level is the root of the mean square over all channels and samples: samples.square().mean().sqrt().",
        "level = samples.square().mean().sqrt(); gain = wanted / level if level > 0 else 1; "
        "return system(samples * gain) / gain.",
    ),
)
def exercise_1(at_level):
    """Check a function (system, samples (C, N), wanted) -> estimates (S, C, N) at the level of the samples."""

    for C, N, wanted, seed, bend in ((2, 300, 0.5, 1, 1.0), (1, 200, 0.2, 2, 2.0)):

        def system(x: Tensor, bend=bend) -> Tensor:
            """Two estimates that depend on the level, as those of a network do."""
            return torch.stack([(bend * x).tanh(), x - (bend * x).tanh()])

        x = 0.02 * noise(C, N, seed=seed)
        x[0] *= 3
        level, each = x.square().mean().sqrt(), x.square().mean(1, keepdim=True).sqrt()
        right = system(x * wanted / level) * level / wanted

        def as_if(gain, x=x, system=system):
            return system(x * gain) / gain

        known = {
            "the gain was not undone: the estimates are too loud": system(x * wanted / level),
            "the gain was applied once more instead of being undone": system(x * wanted / level) * wanted / level,
            "nothing was done to the level": system(x),
            "the gain stands upside down: level / wanted": as_if(level / wanted),
            "each channel got a gain of its own, and the stereo image moved": as_if(wanted / each),
            "the peak was brought to the level. The root of the mean square is meant": as_if(wanted / x.abs().max()),
            "the mean of absolute values is not the root of the mean square": as_if(wanted / x.abs().mean()),
            "the root is missing: the mean square was used as a level": as_if(wanted / level.square()),
            "the sum of squares was used, not their mean: a long song would get a small gain": as_if(
                wanted / x.square().sum().sqrt()
            ),
            "the level is that of the first channel alone": as_if(wanted / each[0]),
            "the gain was undone before the system, which then hears the song as it was": system(x) * 1.0,
            "wanted is ignored: the song was brought to level 1": as_if(1 / level),
        }
        where = f"It is about {C} channel{'s' * (C > 1)}, and wanted={wanted}."
        expect_values(call(at_level, system, x, wanted), right, "S C N", known, where, "", 1e-4)
    silent = call(at_level, system, torch.zeros(1, 50), 0.5)
    where, how = "The song is silent, and has no level.", "Use a gain of 1 where the level is 0."
    expect_values(silent, torch.zeros(2, 1, 50), "S C N", None, where, how)
    return "What comes out no longer depends on how loud the song was recorded."


def ramp(overlap: int, edge: int) -> Tensor:
    """Weights of the new chunk: zeros, a rise, ones."""
    fade = overlap - 2 * edge
    return torch.cat([torch.zeros(edge), (torch.arange(fade) + 0.5) / fade, torch.ones(edge)])


@exercise(
    "Exercise 2: one chunk fades into the next",
    hints=(
        "Zeros where the new chunk is at its edge, ones where the old one is, and a straight rise between.",
        "The rise has overlap - 2 * edge values. The sum of the weights of both chunks is 1 at each sample.",
        "fade = overlap - 2 * edge; torch.cat([torch.zeros(edge), (torch.arange(fade) + 0.5) / fade, "
        "torch.ones(edge)]).",
    ),
)
def exercise_2(weights):
    """Check a function (overlap, edge) -> weights (overlap,) of the new chunk, from 0 to 1."""
    for overlap, edge in ((10, 3), (16, 4), (11 + case_seed() % 7, 2)):
        right, fade = ramp(overlap, edge), overlap - 2 * edge
        whole = torch.arange(overlap)

        def between(rise, edge=edge):
            return torch.cat([torch.zeros(edge), rise, torch.ones(edge)])

        known = {
            "these are the weights of the old chunk, which fades out": 1 - right,
            "it rises over the whole overlap: the edges of the chunks are heard": (whole + 0.5) / overlap,
            "it rises over the whole overlap, and the first sample is all old": whole / (overlap - 1),
            "the rise begins at exactly 0 and does not reach 1: one sample too early": between(
                torch.arange(fade) / fade
            ),
            "the rise begins at 0 and ends at 1, so two samples more are not faded": between(
                torch.linspace(0, 1, fade)
            ),
            "there is no rise: it jumps in the middle, and a jump clicks": (whole >= overlap / 2).float(),
            "both count for half in the middle: a mean, with two jumps": between(torch.full((fade,), 0.5)),
            "it rises like a root: the weights of both add up in energy, not in amplitude": between(
                ((torch.arange(fade) + 0.5) / fade).sqrt()
            ),
            "ones come first: the new chunk is used where it is worst": right.flip(0),
            "the edges are missing": (torch.arange(fade) + 0.5) / fade,
            "they are symmetric, as of a window: up and down again": torch.minimum(right, right.flip(0)),
        }
        where = f"It is about an overlap of {overlap} with edges of {edge}."
        expect_values(call(weights, overlap, edge), right, "N", known, where, "", 1e-5)
    return "Where both chunks agree, any weights of sum one would do. They differ at the edges: there one is not asked."


CASES = (1000, 300, 60), (980, 300, 100), (780, 300, 60), (40, 300, 150), (801, 400, 150)  # N, length, overlap


def _whole(answer) -> float:
    """A number of chunks; CheckFailure for what is no number."""
    try:
        return float("text" if isinstance(answer, str | bool) else answer)
    except (TypeError, ValueError, RuntimeError):
        raise CheckFailure(f"The answer should be one number, but is {answer!r:.80}.", kind="type") from None


@exercise(
    "Exercise 3: how many chunks?",
    hints=(
        "The first chunk covers its whole length. Each further one adds one hop.",
        "What remains after the first chunk, divided by the hop, and rounded up. Never less than one chunk.",
        "return 1 + max(0, math.ceil((N - length) / hop)), with hop = length - overlap.",
    ),
)
def exercise_3(count):
    """Check a function (N, length, overlap), all in samples -> how many chunks a song of N samples takes."""
    cases = (*CASES, (1500 + 250 * (case_seed() % 7), 300, 60))
    found = [_whole(call(count, *case)) for case in cases]

    def of_all(rule) -> Tensor:
        return torch.tensor([float(rule(N, length, length - overlap)) for N, length, overlap in cases])

    known = {
        "the chunks overlap: each further one adds a hop, which is less than its length": of_all(
            lambda N, length, hop: -(-N // length)
        ),
        "the first chunk covers its whole length, not a hop only": of_all(lambda N, length, hop: -(-N // hop)),
        "rounded down, and the first chunk covers its whole length": of_all(lambda N, length, hop: N // hop),
        "rounded down: what is left at the end needs a chunk, too": of_all(
            lambda N, length, hop: 1 + max(0, (N - length) // hop)
        ),
        "when the chunks fit exactly, there is one too many": of_all(
            lambda N, length, hop: 1 + max(0, (N - length) // hop + 1)
        ),
        "the overlap was taken for the hop. The hop is what is new": of_all(
            lambda N, length, hop: 1 + max(0, -(-(N - length) // (length - hop)))
        ),
        "the first chunk is missing": of_all(lambda N, length, hop: max(0, -(-(N - length) // hop))),
        "a song that is shorter than a chunk still takes one": of_all(
            lambda N, length, hop: 1 - (length - N) // hop if N < length else 1 + -(-(N - length) // hop)
        ),
        "chunks are counted in whole numbers: round up": of_all(
            lambda N, length, hop: max(1.0, 1 + (N - length) / hop)
        ),
    }
    right = of_all(lambda N, length, hop: 1 + max(0, -(-(N - length) // hop)))
    said = "; ".join(f"N={N}, length={length}, overlap={overlap}" for N, length, overlap in cases)
    expect_values(torch.tensor(found), right, "B", known, f"The cases in order: {said}.")
    return "The work grows by length / hop: an overlap of a half costs twice as much."


@exercise(
    "Exercise 4: channels in groups",
    hints=(
        "The channels of the song become items of the batch, and the estimates find their way back to them.",
        "samples[:, None] is (C, 1, N): a batch of C mono songs. The system returns (C, S, 1, N).",
        "return mono(samples[:, None])[:, :, 0].transpose(0, 1).",
    ),
)
def exercise_4(by_channel):
    """Check a function (mono system, samples (C, N)) -> estimates (S, C, N): each channel separated by itself."""

    for C, N, seed, late in ((2, 40, 5, 1), (5, 30, 6, 2)):

        def mono(x: Tensor, late=late) -> Tensor:
            """Three estimates (B, S, 1, N) of mixtures (B, 1, N); any other number of channels is an error."""
            if x.dim() != 3 or x.shape[1] != 1:
                raise ValueError(f"a mono system takes (B, C=1, N); given was {tuple(x.shape)}")
            return torch.stack([x.tanh(), x * x.abs(), x.roll(late, -1)], dim=1)

        x = noise(C, N, seed=seed)
        found = mono(x[:, None])[:, :, 0]  # (C, S, N)
        right = found.transpose(0, 1)
        middle = mono(x.mean(0)[None, None])[0]  # (S, 1, N)
        known = {
            "channels come first: S and C are to be swapped": found,
            "all channels were averaged before: the image is lost": middle.expand(3, C, N),
            "the channels were averaged and are no longer there": middle,
            "the estimates were averaged over channels": right.mean(1, keepdim=True).expand(3, C, N),
            "only the first channel was separated, and used for all": right[:, :1].expand(3, C, N),
            "the channels are in the reverse order": right.flip(1),
            "reshape does not swap axes: it cuts the numbers elsewhere. Transpose": found.reshape(3, C, N),
            "only the first channel is there": right[:, :1],
            "the sources are in the reverse order": right.flip(0),
            "the axis of one channel is still there": right[:, :, None],
        }
        where = f"It is about {C} channels and three sources."
        expect_values(call(by_channel, mono, x), right, "S C N", known, where, "", 1e-5)
    return "Left stays left. But a mono system never sees what lies between the channels."
