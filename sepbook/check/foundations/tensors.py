"""Checks for the lab on tensors: ten shape puzzles. Taught on: book/foundations/tensors."""

import torch

from sepbook.check import call, exercise, expect_shape, expect_sizes, expect_values
from sepbook.check._inputs import about, noise


@exercise(
    "Puzzle 1: which axis is summed",
    hints=(
        "Count the axes of the stacked tensor from 0: B is 0, S is 1, C is 2, N is 3. Which one does dim=1 take away?",
        "Take S away from (B, S, C, N), and write the sizes of what is left.",
        "B, C and N are left. Two seconds have 2 * 16000 samples.",
    ),
)
def exercise_1(prediction):
    """Check the predicted (B, C, N) of three songs of two seconds, stacked, and summed over dim=1."""
    known = {
        (3, 4, 32000): "dim=1 is S, not C: axes are counted from 0.",
        (4, 1, 32000): "That is dim=0, which would add the three songs up.",
        (3, 1, 2): "N counts samples, and there are 16000 of them in each second.",
        (1, 1, 32000): "The songs are not added up: B stays.",
        (3, 4, 1): "That is dim=3: the sum ran over N.",
        (3, 2, 32000): "C is still the channels, and the songs are mono.",
        (3, 1, 16000): "That is one second. These songs are two seconds long.",
    }
    expect_sizes(prediction, (3, 1, 32000), "B C N", known)
    return "Summing over S is mixing, for all songs of the batch at once."


@exercise(
    "Puzzle 2: keepdim",
    hints=(
        "Aligned at the right, the peaks must stand under B and S: they need the shape (B, S, 1, 1).",
        "amax over the axes of C and N, with keepdim=True, has the shape (B, S, 1, 1).",
        "peaks = sources.abs().amax(dim=(2, 3), keepdim=True); return sources / peaks",
    ),
)
def exercise_2(to_full_scale):
    """Check a function sources (B, S, C, N) -> the same, each source with a peak of 1, its channels together."""
    for shape in ((2, 3, 2, 50), (3, 3, 1, 40)):
        x = noise(*shape, seed=shape[0])
        size = x.abs()
        known = {
            "each channel was divided by a peak of its own, and the balance of the channels is lost": x
            / size.amax(dim=3, keepdim=True),
            "each item was divided by one peak, and the sources keep their balance": x
            / size.amax(dim=(1, 2, 3), keepdim=True),
            "everything was divided by one peak": x / size.max(),
            "each source was divided by its peak in all songs, and the items keep their balance": x
            / size.amax(dim=(0, 2, 3), keepdim=True),
            "at each sample the loudest source was made 1: the sound itself is bent": x
            / size.amax(dim=1, keepdim=True),
            "that is the RMS. The peak is the largest size of all samples": x
            / x.square().mean(dim=(2, 3), keepdim=True).sqrt(),
            "it was multiplied by the peak": x * size.amax(dim=(2, 3), keepdim=True),
            "the samples have lost their sign: abs is for the peak alone": size / size.amax(dim=(2, 3), keepdim=True),
            "max looks at positive samples only. A peak may be negative: use abs": x / x.amax(dim=(2, 3), keepdim=True),
        }
        expected = x / size.amax(dim=(2, 3), keepdim=True)
        expect_values(call(to_full_scale, x), expected, "B S C N", known, about(("B S C N", shape)))
    return "keepdim leaves axes of size 1 behind, and these are what broadcasting needs."


@exercise(
    "Puzzle 3: a gain for each source",
    hints=(
        "Write (B, S) below (B, S, C, N), aligned at the right. Under which letters do B and S stand?",
        "Two new axes are missing at the right of (B, S). None in the brackets makes one.",
        "gain[:, :, None, None] has the shape (B, S, 1, 1). Multiply with that.",
    ),
)
def exercise_3(apply_gain):
    """Check a function sources (B, S, C, N), gain (B, S) -> sources, each times its gain."""
    for shape in ((2, 3, 2, 40), (1, 3, 1, 20), (3, 3, 3, 3)):
        x, gain = noise(*shape, seed=1), noise(*shape[:2], seed=2).abs()
        expected = x * gain[:, :, None, None]
        wide = gain[:, :, None, None]
        known = {
            "the gain of source 0 was given to all sources": x * wide[:, :1],
            "the gains of song 0 were given to all songs": x * wide[:1],
            "it was divided by the gain": x / wide,
            "the gain was added. A gain is a factor": x + wide,
            "the gain was used as if it were in decibels. It is a factor": x * 10 ** (wide / 20),
            "the gain was applied twice": x * wide.square(),
        }
        if len(set(shape)) == 1:
            known["the gain was aligned at the right, so it went to channels and samples"] = x * gain
            known["B and S of the gain are swapped"] = x * gain.T[:, :, None, None]
        expect_values(
            call(apply_gain, x, gain), expected, "B S C N", known, about(("B S C N", shape), ("B S", shape[:2]))
        )
    return "With all sizes equal to 3, the wrong line runs too. Test with sizes that all differ."


@exercise(
    "Puzzle 4: what comes out",
    hints=(
        "Write (6, 1) and (6) below each other, aligned at the right. The missing axis counts as 1.",
        "Start at the right: 1 against 6. Then one to the left: 6 against nothing.",
        "In the last column 1 meets 6, in the one before 6 meets nothing. Both become 6.",
    ),
)
def exercise_4(prediction):
    """Check the predicted shape of (B=6, C=1) minus (B=6)."""
    known = {
        (6, 1): "That would be so if the second tensor stood under B. But shapes are aligned at the right.",
        (1, 6): "The first tensor has six rows, and no rule makes them fewer.",
        (36, 1): "There are 36 numbers, but they stand along two axes of six.",
        (6, 0): "A size of 1 meets a size of 6. The smaller one is stretched, and none vanishes.",
        (1, 1): "Nothing shrinks: only axes of size 1 are stretched, and to the size that they meet.",
        (6, 7): "Sizes are not added: where a 1 meets a 6, it is stretched to 6.",
        (12, 1): "The two are not joined. Each number of one meets each number of the other.",
    }
    expect_sizes(prediction, (6, 6), "B B'", known)
    return "Thirty-six differences instead of six, and no error. Losses that are too large often come from here."


@exercise(
    "Puzzle 5: remove one axis",
    hints=(
        "squeeze() without a number removes every axis of size 1. Which ones are there when B or S is 1?",
        "squeeze takes the number of the axis. C is number 2.",
        "Name the axis: sources[:, :, 0], or sources.squeeze(2).",
    ),
)
def exercise_5(without_channel):
    """Check a function mono sources (B, S, C=1, N) -> (B, S, N), for any B and S."""
    for shape in ((2, 3, 1, 40), (1, 3, 1, 40), (2, 1, 1, 40), (1, 1, 1, 40)):
        x = noise(*shape, seed=3)
        where = about(("B S C N", shape))
        y = expect_shape(call(without_channel, x), (shape[0], shape[1], shape[3]), "B S N", where)
        right = x[:, :, 0]
        known = {
            "the sources were mixed. Take the axis of C away, not that of S": right.mean(1, keepdim=True).expand_as(
                right
            ),
            "source 0 stands in every place": right[:, :1].expand_as(right),
            "song 0 stands in every place": right[:1].expand_as(right),
            "B and S were exchanged on the way, and reshape only hid it": right.transpose(0, 1).reshape(right.shape),
        }
        expect_values(y, right, "B S N", known, where)
    return "A demonstration has B = 1. Training never has, which is why this bug waits for the demonstration."


@exercise(
    "Puzzle 6: shares of what?",
    hints=(
        "Which axis must add up to one: masks.sum(dim=…) should be 1 for every item, channel, bin and frame.",
        "Count B S C F T from 0, and put the number of S into softmax.",
        "The sources stand along S, which is axis 1: logits.softmax(dim=1).",
    ),
)
def exercise_6(masks_from):
    """Check a function logits (B, S, C, F, T) -> masks of the same shape that share each point among the sources."""
    logits = noise(2, 3, 2, 5, 4, seed=4)
    axes = {0: "B, the items of the batch", 2: "C, the channels", 3: "F, the bins", 4: "T, the frames"}
    known = {f"the softmax runs over {name}": logits.softmax(dim=axis) for axis, name in axes.items()}
    known["a sigmoid gives each source what it asks for; nothing makes the shares add up to one"] = logits.sigmoid()
    largest = (logits == logits.amax(1, keepdim=True)).float()
    known["these are the logarithms of the masks: log_softmax"] = logits.log_softmax(dim=1)
    known["the logits were divided by their sum. They may be negative: exp comes first"] = logits / logits.sum(
        1, keepdim=True
    )
    known["the largest logit gets all of it. Shares are wanted"] = largest
    known["the smallest logit gets most of it"] = (-logits).softmax(dim=1)
    expect_values(call(masks_from, logits), logits.softmax(dim=1), "B S C F T", known)
    return "The shape could not tell you. The sum over S could."


@exercise(
    "Puzzle 7: one row per frame",
    hints=(
        "T has to move before C and F. Does reshape move anything?",
        "permute moves axes, reshape does not. Bring T to the second place first.",
        'rearrange(magnitude, "b c f t -> b t (c f)"), or magnitude.permute(0, 3, 1, 2).flatten(2).',
    ),
)
def exercise_7(rows):
    """Check a function magnitude (B, C, F, T) -> (B, T, C F): channel after channel, each with all its bins."""
    for shape in ((2, 2, 5, 4), (1, 1, 3, 7)):
        x = noise(*shape, seed=5).abs()
        B, C, F, T = shape
        known = {
            "reshape cut the numbers at other places and moved none of them": x.reshape(B, T, C * F),
            "the bins come first and the channels alternate: (f c) instead of (c f)": x.permute(0, 3, 2, 1).flatten(2),
        }
        others = {
            "the last channel stands first": x.flip(1),
            "the highest bin stands first": x.flip(2),
            "the channels were averaged": x.mean(1, keepdim=True).expand_as(x),
            "the first channel stands in every place": x[:, :1].expand_as(x),
        }
        known |= {name: changed.permute(0, 3, 1, 2).flatten(2) for name, changed in others.items()}
        expected = x.permute(0, 3, 1, 2).flatten(2)
        expect_values(call(rows, x), expected, "B T (C F)", known, about(("B C F T", shape)))
    return "A recurrent network reads such rows, one frame after the other."


@exercise(
    "Puzzle 8: unflatten",
    hints=(
        "The first F numbers of a frame belong to source 0, the next F to source 1. So S changes slowest: (S, F).",
        "Cut the last axis into (S, F) first. Then move S and F to where they belong.",
        'rearrange(y, "b t (s f) -> b s f t", s=count), or y.unflatten(-1, (count, -1)).permute(0, 2, 3, 1).',
    ),
)
def exercise_8(split_sources):
    """Check a function y (B, T, S F), S -> masks (B, S, F, T); the bins of one source lie side by side."""
    for B, S, F, T in ((2, 3, 5, 4), (1, 2, 6, 6), (2, 4, 4, 4)):
        y = noise(B, T, S * F, seed=6)
        blocks, woven = y.view(B, T, S, F), y.view(B, T, F, S)
        expected = blocks.permute(0, 2, 3, 1)
        known = {
            "unflatten(-1, (F, S)) gives the first source every S-th number": woven.permute(0, 3, 2, 1),
            "reshape moved nothing: the frames are spread over sources and bins": y.reshape(B, S, F, T),
            "the last source stands first": expected.flip(1),
            "the highest bin stands first": expected.flip(2),
            "source 0 stands in every place": expected[:, :1].expand_as(expected),
            "no softmax is asked for here, only other axes": expected.softmax(1),
        }
        if F == T:
            known["F and T are swapped; here both have the same size"] = blocks.permute(0, 2, 1, 3)
        where = about(("B T (S F)", y.shape)).rstrip(".") + f" with S={S}."
        expect_values(call(split_sources, y, S), expected, "B S F T", known, where)
    return "Either layout can be learned. But weights trained with one are nonsense in the other."


@exercise(
    "Puzzle 9: masks times mixture",
    hints=(
        "Write (B, C, F, T) below (B, S, C, F, T), aligned at the right. What stands under S?",
        "bins needs an axis of size 1 where S is. None makes one: at which place?",
        "bins[:, None] * masks, or einsum with 'b c f t, b s c f t -> b s c f t'.",
    ),
)
def exercise_9(apply_masks):
    """Check a function bins (B, C, F, T), masks (B, S, C, F, T) -> masked bins (B, S, C, F, T)."""
    for B, S, C, F, T in ((2, 3, 1, 5, 4), (3, 3, 2, 5, 4)):
        bins = torch.complex(noise(B, C, F, T, seed=7), noise(B, C, F, T, seed=8))
        masks = noise(B, S, C, F, T, seed=9).sigmoid()
        expected = bins[:, None] * masks
        known = {
            "only the magnitudes were masked; the phase is lost": bins.abs()[:, None] * masks,
            "the mask of channel 0 was used for all channels": bins[:, None] * masks[:, :, :1],
            "channel 0 of the mixture was used for all channels": bins[:, None, :1] * masks,
            "song 0 of the mixture was used for all songs": bins[:1, None] * masks,
            "that is what is removed, and not what is kept: 1 - masks": bins[:, None] * (1 - masks),
            "it was masked twice": bins[:, None] * masks**2,
            "the masks were changed first, so that they add up to one. Use them as they are": bins[:, None]
            * masks
            / masks.sum(1, keepdim=True),
        }
        if B == S:
            known["B of the mixture met S of the masks: source s was cut out of song s"] = bins * masks
        where = about(("B C F T", bins.shape), ("B S C F T", masks.shape))
        expect_values(call(apply_masks, bins, masks), expected, "B S C F T", known, where)
    return "This product is the last line of every system with masks."


@exercise(
    "Puzzle 10: a view bites",
    hints=(
        "`band = sources` is a second name for the same numbers, and so is a slice. Whoever writes into it …",
        "Write down which line changes the numbers that `sources` has as well. Sum without writing.",
        "Do not write at all: return sources[1:].sum(dim=0). Or begin with band = sources.clone().",
    ),
)
def exercise_10(karaoke):
    """Check a function sources (S, C, N) -> the mixture (C, N) without source 0; the input stays as it is."""
    for S in (4, 5):
        sources = noise(S, 2, 30, seed=10)
        known = {
            "the vocals are still in it": sources.sum(dim=0),
            "these are the vocals alone": sources[0],
            "these are one of the others alone": sources[1],
            "the last source is missing, and the vocals are still there": sources[:-1].sum(dim=0),
            "only sources 1 and 2 were added. There may be any number of sources": sources[1] + sources[2],
            "source 1 is missing as well": sources[2:].sum(dim=0),
            "the band has the wrong polarity, and the vocals are still there": sources[0] - sources[1:].sum(dim=0),
            "the channels were mixed: C stays": sources[1:].sum(dim=0).mean(0, keepdim=True).expand(2, -1),
            "mean divides by the number of sources; mixing is adding": sources[1:].mean(dim=0),
        }
        expect_values(call(karaoke, sources), sources[1:].sum(dim=0), "C N", known, about(("S C N", sources.shape)))
    return "And the singer can still be heard next time."
