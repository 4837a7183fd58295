"""Patients 1 and 2: a loss with the wrong sign, and an order chosen too often.

Taught on: book/training/bug_clinic
"""

import torch
from torch import Tensor

from sepbook.check import CheckFailure, call, exercise, expect_gradient, expect_tensor
from sepbook.check._inputs import dice


def expect_loss(result, expected: Tensor, known: dict[str, Tensor], where: str = "", how: str = "") -> None:
    """Check that a loss is one number, the right one; `known` maps usual mistakes to their values.

    Raises CheckFailure. Taught on: book/training/bug_clinic
    """
    if isinstance(result, float):
        what = "The result is a plain number. It has no gradient, so nothing can be trained with it."
        raise CheckFailure(what, "Look for .item() and float(...).", "Return the tensor itself.", kind="number")
    result = expect_tensor(result)
    if result.numel() != 1:
        what = f"The result has shape {tuple(result.shape)}, but a loss is one number."
        raise CheckFailure(what, where, "Average what is left: end with .mean().", kind="shape")
    value, expected = float(result.detach()), float(expected.detach())
    if _close(value, expected):
        return
    what = f"The loss is {value:.3f} where it should be {expected:.3f}."
    for mistake, wrong in known.items():
        if _close(value, wrong):
            recognised = f"This is exactly what comes out of a common mistake: {mistake}."
            raise CheckFailure(what, recognised, how, kind=mistake, known=True)
    ratio = value / expected
    near = f"It is {ratio:.3g} times what it should be. " if 0.01 < abs(ratio) < 100 else ""
    raise CheckFailure(what, near + where, how, kind="value")


def _close(value: float, expected) -> bool:
    expected = float(torch.as_tensor(expected).detach())
    return abs(value - expected) <= 1e-3 * max(1e-3, abs(expected))


def _snr(e: Tensor, s: Tensor, means=("e", "s"), over=(-1,), end=torch.mean) -> Tensor:
    """SI-SNR in dB, averaged; `means` says which of the two is centred, `over` along which axes."""
    e = e - e.mean(over, keepdim=True) if "e" in means else e
    s = s - s.mean(over, keepdim=True) if "s" in means else s
    target = (e * s).sum(-1, keepdim=True) / s.square().sum(-1, keepdim=True) * s
    return end(10 * torch.log10(target.square().sum(-1) / (e - target).square().sum(-1)))


@exercise(
    "Patient 1: it gets better and better at being wrong",
    hints=(
        "A loss is made smaller. Should SI-SNR become smaller? And what does SI-SNR do with the mean of each channel, "
        "before anything else?",
        "Take the means away first, along the samples: estimates.mean(-1, keepdim=True). Then think about the sign.",
        "First estimates = estimates - estimates.mean(-1, keepdim=True), and the same for the sources. Then "
        "return -10 * torch.log10(...).mean().",
    ),
)
def exercise_1(si_snr_loss):
    """Check a function (estimates, sources, both `(B, S, C, N)`) -> the negative SI-SNR in dB, one number."""
    for seed in (0, 1):
        random = dice(seed)
        s = torch.randn(3, 2, 2, 400, generator=random) + torch.tensor([0.5, -0.2]).view(2, 1, 1)
        e = 0.7 * s + 0.5 * torch.randn(s.shape, generator=random) + 0.3 * (seed + 1)
        e = e + 0.4 * torch.arange(2.0).view(2, 1)  # each channel has an offset of its own
        e.requires_grad_()
        known = {
            "the sign is still that of a score, and the means are not subtracted": _snr(e, s, ()),
            "the sign is right, but the means are not subtracted. With an offset the loss is about the offset": -_snr(
                e, s, ()
            ),
            "the means are subtracted, but the sign is still that of a score": _snr(e, s),
            "the mean is subtracted from the estimates only": -_snr(e, s, ("e",)),
            "the mean is subtracted from the sources only": -_snr(e, s, ("s",)),
            "one mean is taken over all channels, sources and items. Each channel has its own": -_snr(
                e, s, over=(0, 1, 2, 3)
            ),
            "one mean is taken over the channels together. Each has its own": -_snr(e, s, over=(-2, -1)),
            "20 log10 belongs to amplitudes. These are energies": -2 * _snr(e, s),
            "it is the worst of all, where their mean is asked for": -_snr(e, s, end=torch.min),
            "it is the best of all, where their mean is asked for": -_snr(e, s, end=torch.max),
            "the logarithm is the natural one; decibels want torch.log10": -_snr(e, s) * torch.tensor(10.0).log(),
        }
        loss = call(si_snr_loss, e, s)
        expect_loss(loss, -_snr(e, s), known)
        expect_gradient(loss, e)
    return "Smaller is better now, and an offset changes nothing."


def _pit(e: Tensor, s: Tensor, keep: tuple[int, ...], choose=torch.minimum) -> Tensor:
    """Squared error of two sources in the better order; one order for each entry of the axes in `keep`."""
    others = [axis for axis in range(e.dim()) if axis not in keep]
    errors = ((x - s).square() for x in (e, e.flip(1)))
    straight, crossed = (error.mean(others) if others else error for error in errors)
    return choose(straight, crossed).mean()


def _four_conversations() -> tuple[Tensor, Tensor]:
    """Estimates and sources (B=4, S=2, C=2, F=3, T=4) for which every wrong way to choose gives another loss."""
    random = dice(125)
    s = torch.rand(4, 2, 2, 3, 4, generator=random)
    e = 0.7 * s + 0.3 * torch.rand(s.shape, generator=random)
    s[0, :, 1], e[0, :, 1] = 0.5 * s[0, :, 1], 0.5 * e[0, :, 1].flip(0)  # a soft channel has the other order
    straight, e[1] = e[1].clone(), e[1].flip(0)
    e[1, :, :, 0] = straight[:, :, 0]  # a frequency has another order than the rest
    e[2, 0], e[2, 1] = 0.7 * s[2, 0] + 0.3 * s[2, 1], 1.5 * s[2, 0] - 0.5 * s[2, 1]  # the first is nearer to both
    straight, e[3] = e[3].clone(), e[3].flip(0)
    e[3, ..., 0] = straight[..., 0]  # a frame has another order than the rest
    return e.requires_grad_(), s


@exercise(
    "Patient 2: everything and nothing",
    hints=(
        "How many times does this line decide who is who? How often should it, for one conversation?",
        "Both errors have the shape (B, S, C, F, T) when minimum is called. Which axis alone should be left?",
        "Average each of the two errors over all axes but B, for instance with .flatten(1).mean(1), and take the "
        "minimum of what is left, one number for each item. Then average over the items.",
    ),
)
def exercise_2(pit_loss):
    """Check a function (estimates, sources `(B, S=2, C, F, T)`) -> the squared error in the better order per item."""
    e, s = _four_conversations()
    known = {
        "there is an order for every bin, every frame and every estimate": _pit(e, s, (0, 1, 2, 3, 4)),
        "there is an order for every bin of every frame": _pit(e, s, (0, 2, 3, 4)),
        "there is an order for every frame. From frame to frame the talkers may still jump": _pit(e, s, (0, 4)),
        "there is an order for every frequency": _pit(e, s, (0, 3)),
        "there is an order for every channel": _pit(e, s, (0, 2)),
        "there is an order for each estimate, so that both may be given the same source": _pit(e, s, (0, 1)),
        "there is one order for the whole batch. Each item of it is a conversation of its own": _pit(e, s, ()),
        "it takes the worse of the two orders": _pit(e, s, (0,), torch.maximum),
        "only the given order is ever tried": (e - s).square().mean(),
    }
    loss = call(pit_loss, e, s)
    expect_loss(loss, _pit(e, s, (0,)), known)
    expect_gradient(loss, e)
    return "One decision for each conversation: an estimate that is everybody for a moment each does not pay any more."
