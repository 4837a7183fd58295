"""Checks for the lab on Demucs: a shape, the gate, a valid length, the whole way, shifts. Taught on: demucs."""

import torch
from torch import Tensor
from torch.nn import functional

from sepbook.architectures.demucs import Config, Demucs, valid_length
from sepbook.building_blocks.convolution import middle
from sepbook.check import call, exercise, expect_gradient, expect_number, expect_sizes, expect_values
from sepbook.check._inputs import near, noise, seeded

TINY = Config(source_names=("voice", "band"), channels=1, width=3, depth=3, kernel=4, stride=2, layers=1)


@exercise(
    "Exercise 1: the shape after one block",
    hints=(
        "T comes from the strided convolution alone. H is what the gate leaves.",
        "Count the places of 8 taps in 1000 samples, 4 apart. And: the gate multiplies one half of H by the other.",
        "T = (1000 - 8) // 4 + 1. The second convolution makes twice the H of the first, and the gate halves it again.",
    ),
)
def exercise_1(prediction):
    """Check the predicted (H, T) after one block of width 16 on 1000 samples."""
    known = {
        (16, 250): "A quarter of 1000 is 250. But nothing was padded: the last kernel must stay inside.",
        (32, 249): "The second convolution makes 32 features, but the gate uses one half of them up.",
        (32, 250): "The gate uses one half of the 32 features up; and the last kernel must stay inside.",
        (8, 249): "The gate halves what the second convolution has made, and that is 32.",
        (16, 248): "Nearly: the first place of the kernel counts too, so add one.",
        (16, 993): "That is a stride of 1. With a stride of 4 three places of four are left out.",
        (249, 16): "H and T are swapped: H comes before T.",
        (1, 249): "That is the number of audio channels that go in. Each of the 16 kernels makes a feature.",
    }
    expect_sizes(prediction, (16, 249), "H T", known)
    return "A quarter of the samples, and sixteen times as many features: four times as many numbers as went in."


@exercise(
    "Exercise 2: the gated linear unit",
    hints=(
        "H stands on the second axis. Cut that axis into two halves of equal size.",
        "The first half is the signal, the second becomes the gate. Which function keeps a gate between 0 and 1?",
        "a, b = x.chunk(2, dim=1); return a * torch.sigmoid(b)",
    ),
)
def exercise_2(glu):
    """Check a function of x `(B, 2H, T)`: the first half times the sigmoid of the second, `(B, H, T)`."""
    for B, H, T in ((2, 3, 7), (1, 4, 8), (3, 1, 1)):
        x = noise(B, 2 * H, T, seed=H).requires_grad_()
        a, b = x.chunk(2, dim=1)
        known = {
            "the halves are exchanged: the first one is the signal": torch.sigmoid(a) * b,
            "every second feature is taken. The halves are the first H features and the last H": (
                x[:, ::2] * x[:, 1::2].sigmoid()
            ),
            "the gate is a tanh, and a gate is never negative": a * b.tanh(),
            "the gate is a ReLU, and a gate is never above 1": a * b.relu(),
            "the gate has no sigmoid: it is not kept between 0 and 1": a * b,
            "both halves went through the sigmoid. The signal stays as it is": a.sigmoid() * b.sigmoid(),
            "the halves are added. A gate multiplies": a + b.sigmoid(),
            "the gate is a softmax. Each gate opens by itself, from a sigmoid": a * b.softmax(1),
            "the gate is closed where it should be open": a * (1 - b.sigmoid()),
            "the signal went through a tanh. Here it stays as it is": a.tanh() * b.sigmoid(),
        }
        result = call(glu, x)
        where = f"It is about an input of {2 * H} features and {T} frames."
        expect_values(result, functional.glu(x, dim=1), "B H T", known, where)
        expect_gradient(result, x)
    return "One half says what, the other how much of it: a small mask on features that nobody has chosen."


def _valid(N: int, depth: int, kernel: int, stride: int, context: int, mistake: str = "") -> int:
    """Return the valid length, or what a usual mistake makes of it."""
    for _ in range(depth):
        rest = N - kernel
        N = max((rest // stride if mistake == "down" else -(-rest // stride)) + (mistake != "one"), 1)
        N += 0 if mistake == "context" else context - 1
    for _ in range(depth):
        N = N * stride if mistake == "kernel" else (N - 1) * stride + kernel
    return N


@exercise(
    "Exercise 3: a valid length",
    hints=(
        "Go down and up as the network does: `depth` steps down, each with its context, and as many steps up.",
        "Down: how many places has the kernel, if a last one may reach beyond the end? Then add what the gate on the "
        "way up takes away. Up: how many samples do so many kernels cover?",
        "Down: N = -(-(N - kernel) // stride) + 1, at least 1, and then N += context - 1. Up: N = (N - 1) * stride + "
        "kernel.",
    ),
)
def exercise_3(length_for):
    """Check a function of N, depth, kernel, stride, context: the smallest valid length that is enough for N."""
    for case in (
        (1000, 2, 8, 4, 5),
        (16001, 5, 8, 4, 3),
        (1001, 1, 8, 4, 1),
        (1000, 1, 8, 4, 1),
        (777, 3, 5, 2, 5),
        (1, 2, 8, 4, 1),
        (int(near(3000)), 3, 8, 4, 3),
    ):
        right = valid_length(*case)
        mistakes = {
            "down": "The frames are rounded down, so the end is lost. Round up: -(-a // b).",
            "context": "The gate on the way up takes context - 1 frames away. They are needed too.",
            "one": "The first place of the kernel counts too, so add one on the way down.",
            "kernel": "The last kernel covers `kernel` samples, not `stride`: (frames - 1) * stride + kernel.",
        }
        known = {_valid(*case, mistake): reason for mistake, reason in mistakes.items()}
        known = {length: reason for length, reason in known.items() if length != right}
        where = "It is about {} samples, depth {}, kernel {}, stride {} and context {}.".format(*case)
        expect_number(call(length_for, *case), right, known, where)
    return "The network is given that many samples, the mixture in their middle, and no sample is lost on the way."


def _waveforms(network: Demucs, x: Tensor, cut=middle, join=torch.add, first=False, inside=True) -> Tensor:
    """The forward pass, and with other arguments the usual ways to get it wrong."""
    maps = []
    for block in network.encoder:
        x = block(x)
        maps.append(x)
    x = network.middle(x) if inside else x
    for block in network.decoder:
        skip = maps.pop()
        x = block(join(x, cut(skip, x.shape[-1])))
        x = x.relu() if first else x
    return x


def _network(seed: int, depth: int) -> Demucs:
    """A small Demucs in eval mode."""
    with seeded(seed):
        return Demucs(Config(**{**vars(TINY), "depth": depth})).eval()


@exercise(
    "Exercise 4: down, through the middle, and up",
    hints=(
        "Keep what each block on the way down has made. The last of them is needed first.",
        "What comes up is a little shorter than its skip. Take the middle of the skip, and add it before the block.",
        "x = middle(x); then for each block: skip = maps.pop(); first = (skip.shape[-1] - x.shape[-1]) // 2; "
        "x = block(x + skip[..., first : first + x.shape[-1]]).",
    ),
)
def exercise_4(demucs):
    """Check a function of encoder, middle, decoder, mixture `(B, C, N)`: `(B, S·C, N')`, with added skips."""
    for seed, depth, N in ((0, 3, 100), (1, 2, 61)):
        network = _network(seed, depth)
        given = valid_length(N, depth, TINY.kernel, TINY.stride, TINY.context)
        x = noise(2, 1, given, seed=seed).requires_grad_()
        with torch.no_grad():
            known = {
                "the first values of each skip are taken. What came up lies in its middle": (
                    _waveforms(network, x, cut=lambda skip, T: skip[..., :T])
                ),
                "the last values of each skip are taken. What came up lies in its middle": (
                    _waveforms(network, x, cut=lambda skip, T: skip[..., skip.shape[-1] - T :])
                ),
                "nothing comes across: the skips are missing": _waveforms(network, x, join=lambda x, skip: x),
                "what comes up from below is thrown away": _waveforms(network, x, join=lambda x, skip: skip),
                "the skips are taken away instead of added": _waveforms(network, x, join=torch.sub),
                "the skips are multiplied instead of added": _waveforms(network, x, join=torch.mul),
                "the mean of both is taken instead of the sum": _waveforms(network, x, join=lambda x, y: (x + y) / 2),
                "the LSTM in the middle is missing": _waveforms(network, x, inside=False),
                "there is a ReLU at the end. Samples may be negative": _waveforms(network, x, first=True),
            }
        made = call(demucs, list(network.encoder), network.middle, list(network.decoder), x)
        expect_values(made, _waveforms(network, x), "B H N", known, f"It is about a network of {depth} blocks.")
        expect_gradient(made, x)
    return "Added skips keep the width; the middle of each keeps what belongs to the same samples."


def _moved(separate, x: Tensor, shifts, back=True, together=None, roll=False) -> Tensor:
    N, made = x.shape[-1], []
    for shift in shifts:
        late = x.roll(shift, -1) if roll else functional.pad(x, (shift, 0))
        y = separate(late)
        made.append(y[..., shift:] if back and not roll else y.roll(-shift, -1) if roll else y[..., :N])
    made = torch.stack(made)
    return made.mean(0) if together is None else together(made)


@exercise(
    "Exercise 5: the mean over shifts",
    hints=(
        "For each shift: put so many zeros before the mixture, separate, and take away what belongs to the zeros.",
        "What comes out is longer by the shift, and its first samples are those of the zeros. All versions then line "
        "up, and their mean has the length of the mixture.",
        "estimates = [separate(functional.pad(mixture, (s, 0)))[..., s:] for s in shifts]; return "
        "torch.stack(estimates).mean(0)",
    ),
)
def exercise_5(averaged):
    """Check a function of separate, mixture `(C, N)`, shifts: the mean of the estimates `(S, C, N)`, moved back."""

    for shifts, N, period in (((2,), 9, 3), ((0, 1, 3), 20, 4), ((5, 0), 33, 7)):

        def separate(x: Tensor, period: int = period) -> Tensor:
            """A stand-in that, like Demucs, minds where the grid lies: one sample of each period is louder."""
            grid = 1 + (torch.arange(x.shape[-1]) % period == 0)
            return torch.stack([x * grid, 0.5 * x + 0.1])

        x = noise(2, N, seed=N)
        known = {
            "the estimates are not moved back": _moved(separate, x, shifts, back=False),
            "they are added. Their mean is asked for": _moved(separate, x, shifts, together=lambda y: y.sum(0)),
            "only the last shift is used": _moved(separate, x, shifts[-1:]),
            "only the first shift is used": _moved(separate, x, shifts[:1]),
            "the median is taken. The mean is asked for": _moved(
                separate, x, shifts, together=lambda y: y.median(0).values
            ),
            "the end of the mixture is rolled to its beginning. Zeros come before it": _moved(
                separate, x, shifts, roll=True
            ),
            "the shifts change nothing: the mixture itself was separated": separate(x),
        }
        right = _moved(separate, x, shifts)
        known = {name: wrong for name, wrong in known.items() if not torch.allclose(wrong, right)}
        where = f"It is about {len(shifts)} {'shift' if len(shifts) == 1 else 'shifts'} and {N} samples."
        expect_values(call(averaged, separate, x, list(shifts)), right, "S C N", known, where)
    return "Errors that depend on the grid differ from shift to shift, so their mean is smaller."
