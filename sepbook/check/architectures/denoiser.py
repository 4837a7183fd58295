"""Checks for the lab on the denoiser: its latency, and streams by hand. Taught on: book/architectures/denoiser."""

import torch
from torch import Tensor
from torch.nn import functional

from sepbook.check import CheckFailure, call, exercise, expect_number, expect_parts, expect_shape, expect_values
from sepbook.check._inputs import noise


@exercise(
    "Exercise 1: the latency of three blocks",
    hints=(
        "Begin with one frame in the middle, and go up block by block: how many samples does it cover?",
        "One frame covers 8 values of the block above, 8 values cover 36. And 36? Then think of the worst moment: how "
        "many samples are there just before the step can be taken?",
        "(36 - 1) * 4 + 8 samples make one frame. Just before the last of them, one less is there and none is final.",
    ),
)
def exercise_1(prediction):
    """Check the predicted latency in samples of three blocks with kernels of 8 and strides of 4."""
    known = {
        148: "So many samples complete the frame, and then its hop is final. The wait is longest one sample before.",
        64: "That is the hop: how many samples become final at each step. How many are needed for the first one?",
        63: "That is how long a hop may be incomplete. But a frame covers more than its hop.",
        24: "Kernels of deeper blocks are counted in frames, not in samples. Go up block by block.",
        36: "That is what two blocks cover.",
        35: "That is the latency of two blocks.",
        512: "Kernels overlap: 8 values, 4 apart, cover less than 8 times as much.",
        595: "That is the latency of four blocks.",
        211: "A frame and a hop, less one. But when the first frame is complete, a hop of estimates is final at once.",
    }
    expect_number(prediction, 147, known)
    return "The estimates may be that far behind, and no sample later than that may change them."


def _chunks(x: Tensor, sizes) -> list[Tensor]:
    return list(x.split(list(sizes), dim=-1))


def _feed_down(held: Tensor, chunk: Tensor, weight: Tensor, stride: int, keep=None) -> tuple[Tensor, Tensor]:
    """Feed a convolution; `keep` says from where on samples are kept, given the number of frames."""
    x = torch.cat([held, chunk], dim=-1)
    kernel = weight.shape[-1]
    T = max((x.shape[-1] - kernel) // stride + 1, 0)
    y = functional.conv1d(x, weight, stride=stride) if T else x.new_zeros(len(x), len(weight), 0)
    return x[..., keep(T, x.shape[-1]) if keep else T * stride :], y


def _joined(feed, start: Tensor, chunks, *settings) -> Tensor:
    """Run a stream by one of our own functions."""
    made, state = [], start
    for chunk in chunks:
        state, y = feed(state, chunk, *settings)
        made.append(y)
    return torch.cat(made, dim=-1)


def _theirs(feed, start: Tensor, chunks, *settings) -> Tensor:
    """Run a stream by a student's function, and look at what it returns each time."""
    made, state = [], start
    for chunk in chunks:
        what = "The function has to return two things: what is kept, and what is ready."
        state, y = expect_parts(call(feed, state, chunk, *settings), 2, what, "Look at its last line.")
        for name, part in (("what is kept", state), ("what is ready", y)):
            if not isinstance(part, Tensor) or part.dim() != 3:
                raise CheckFailure(f"{name} has to be a tensor with three axes, but is {part!r:.60}.", kind="type")
        made.append(y)
    try:
        return torch.cat(made, dim=-1)
    except RuntimeError:
        shapes = ", ".join(str(tuple(y.shape)) for y in made)
        raise CheckFailure(f"What is ready does not fit together: {shapes}.", "B and H stay.", kind="shape") from None


@exercise(
    "Exercise 2: a convolution, chunk by chunk",
    hints=(
        "Put what was kept before the chunk. How often does the kernel fit into that?",
        "After T frames the next kernel begins at T * stride. All from there on is still needed. If T is 0, nothing is "
        "ready and all is kept.",
        "x = torch.cat([held, chunk], -1); T = max((x.shape[-1] - K) // stride + 1, 0); return x[..., T * stride:], "
        "functional.conv1d(x, weight, stride=stride) if T else x.new_zeros(len(x), len(weight), 0)",
    ),
)
def exercise_2(feed_down):
    """Check a function of held, chunk `(B, C, n)`, weight `(H, C, K)`, stride: what is kept, and the frames."""
    for K, stride, sizes in ((8, 4, (16, 10, 1, 30)), (5, 2, (3, 1, 7, 12)), (4, 4, (9, 9, 9))):
        x, weight = noise(2, 3, sum(sizes), seed=K), noise(4, 3, K, seed=stride)
        start, chunks = x[..., :0], _chunks(x, sizes)

        def mistaken(keep, start=start, chunks=chunks, weight=weight, stride=stride):
            return _joined(lambda *given: _feed_down(*given, keep=keep), start, chunks, weight, stride)

        right = functional.conv1d(x, weight, stride=stride)
        known = {
            "nothing is kept: each chunk begins anew": mistaken(lambda T, n: n),
            "too much is kept: the next kernel begins after T * stride samples": (
                mistaken(lambda T, n, stride=stride: max(T - 1, 0) * stride)
            ),
            "a kernel less one is kept, always. That is right for a stride of 1": (
                mistaken(lambda T, n, K=K: max(n - K + 1, 0))
            ),
            "what the last kernel covered is thrown away. The next one overlaps it": (
                mistaken(lambda T, n, K=K, stride=stride: min((T - 1) * stride + K, n) if T else 0)
            ),
        }
        known = {name: wrong for name, wrong in known.items() if wrong.shape != right.shape or (wrong != right).any()}
        where = f"It is about a kernel of {K}, a stride of {stride} and chunks of {sizes} samples."
        expect_values(_theirs(feed_down, start, chunks, weight, stride), right, "B H T", known, where)
    return "No sample is read twice by a kernel that has passed, and none is missed."


def _feed_up(tail: Tensor, frames: Tensor, weight: Tensor, stride: int, add=1, cut=None) -> tuple[Tensor, Tensor]:
    """Feed a transposed convolution; `add` times the tail, and of so many frames and values `cut` are final."""
    painted = functional.conv_transpose1d(frames, weight, stride=stride)
    painted = painted + add * functional.pad(tail, (0, painted.shape[-1] - tail.shape[-1]))
    final = cut(frames.shape[-1], painted.shape[-1]) if cut else frames.shape[-1] * stride
    return painted[..., final:], painted[..., :final]


@exercise(
    "Exercise 3: a transposed convolution, chunk by chunk",
    hints=(
        "Each frame paints K values, `stride` apart. Which of them will the next frame paint over?",
        "The first T * stride values are final. The others wait, and are added to the beginning of what the next "
        "frames paint.",
        "y = functional.conv_transpose1d(frames, weight, stride=stride); y = y + functional.pad(tail, (0, "
        "y.shape[-1] - tail.shape[-1])); n = T * stride; return y[..., n:], y[..., :n]",
    ),
)
def exercise_3(feed_up):
    """Check a function of tail, frames `(B, H, T)`, weight `(H, C, K)`, stride: what waits, and what is final."""
    for K, stride, sizes in ((8, 4, (3, 1, 4)), (5, 2, (1, 1, 2)), (6, 3, (2, 5))):
        h, weight = noise(2, 4, sum(sizes), seed=K), noise(4, 1, K, seed=stride)
        start, chunks, over = h.new_zeros(2, 1, 0), _chunks(h, sizes), K - stride

        def mistaken(start=start, chunks=chunks, weight=weight, stride=stride, **how):
            return _joined(lambda *given: _feed_up(*given, **how), start, chunks, weight, stride)

        right = functional.conv_transpose1d(h, weight, stride=stride)[..., : h.shape[-1] * stride]
        known = {
            "nothing is added from before: what the last frames painted over is lost": mistaken(add=0),
            "all that is painted is given out at once. The last values are not final": (
                mistaken(cut=lambda T, n: n, add=0)
            ),
            "too little is final: a frame less than there could be": (
                mistaken(cut=lambda T, n, stride=stride: max(T - 1, 0) * stride, add=0)
            ),
            "what waited is taken away. It has to be added": mistaken(add=-1),
            "as many values wait as the stride has. What kernels overlap by waits: K - stride": (
                mistaken(cut=lambda T, n, stride=stride: n - stride)
            ),
            "the first values wait and the last go out. It is the other way round: the first are final": (
                _joined(lambda *given: _feed_up(*given, add=0)[::-1], start, chunks, weight, stride)
            ),
        }
        known = {name: wrong for name, wrong in known.items() if wrong.shape != right.shape or (wrong != right).any()}
        where = (
            f"It is about a kernel of {K}, a stride of {stride} and chunks of {sizes} frames: {over} values overlap."
        )
        expect_values(_theirs(feed_up, start, chunks, weight, stride), right, "B C N", known, where)
    return "Final values go out, the others wait for the next frame: overlap and add, in a stream."


class _Echo:
    """A stand-in for a system with a stream: each estimate adds what came before, and waits for three samples."""

    def __init__(self):
        self.fed = []  # the sizes of the chunks

    def start(self, batch: int = 1):
        """Nothing was heard."""
        return torch.zeros(batch, 1, 0), 0

    def feed(self, state, chunk: Tensor):
        """Give all but the last three samples; the sum of all before is in each."""
        waiting, total = state
        self.fed += [chunk.shape[-1]] * (chunk.shape[-1] > 0)
        x = torch.cat([waiting, chunk], dim=-1)
        ready = max(x.shape[-1] - 3, 0)
        return self._made(x[..., :ready], x[..., ready:], total)

    def flush(self, state) -> Tensor:
        """Give what waits."""
        return self._made(state[0], state[0][..., :0], state[1])[1]

    def _made(self, x: Tensor, waiting: Tensor, total):
        y = x.cumsum(-1) + total
        total = y[..., -1:] if y.shape[-1] else total
        return (waiting, total), torch.stack([y, -0.5 * x], dim=1)


def _run(mixture: Tensor, size: int, flush=True, fresh=False, last=True, twice=False) -> Tensor:
    system = _Echo()
    state, made = system.start(), []
    for chunk in mixture.split(size, dim=-1):
        if chunk.shape[-1] < size and not last:
            break
        state = system.start() if fresh else state
        old = state
        state, estimates = system.feed(state, chunk[None])
        state = old if twice else state
        made.append(estimates)
    return torch.cat([*made, system.flush(state)] if flush else made, dim=-1)[0]


@exercise(
    "Exercise 4: a whole stream",
    hints=(
        "start once, feed each chunk, flush at the end. What does feed want to be given each time?",
        "feed returns a new state. Give it back with the next chunk. Chunks are (B, C, n): add the first axis.",
        "state, made = system.start(), []; for each chunk: state, y = system.feed(state, chunk[None]); made.append(y); "
        "then made.append(system.flush(state)) and torch.cat(made, -1)[0]",
    ),
)
def exercise_4(stream):
    """Check a function of system, mixture `(C, N)`, size: feed chunks of this size, return `(S, C, N)`."""
    for size, N in ((7, 40), (1, 9), (16, 16), (50, 20)):
        x = noise(1, N, seed=N)
        right = _run(x, size)
        known = {
            "flush is missing: what the delay held back does not come out": _run(x, size, flush=False),
            "each chunk begins with a new state. Give back the one that feed has returned": _run(x, size, fresh=True),
            "the state is always the first one. Keep the new one that feed returns": _run(x, size, twice=True),
        }
        if N % size and N > size:
            known["the last chunk, which is shorter, is left out"] = _run(x, size, last=False)
        known = {name: y for name, y in known.items() if y.shape != right.shape or not torch.allclose(y, right)}
        where = f"It is about {N} samples in chunks of {size}."
        system = _Echo()
        made = expect_shape_of(call(stream, system, x, size), right, where)
        expect_values(made, right, "S C N", known, where)
        _expect_chunks(system.fed, [len(part) for part in x[0].split(size)], where)
    return "A state in, a new state out. That is all that a stream is."


def _expect_chunks(fed: list[int], right: list[int], where: str) -> None:
    """Raise CheckFailure where the estimates are right, but the chunks had other sizes than were asked for."""
    if not fed:
        raise CheckFailure(f"The estimates are right, but the system that was given has not heard a chunk. {where}")
    if fed != right:
        sizes = ", ".join(map(str, fed[:4])) + (", …" if len(fed) > 4 else "")
        raise CheckFailure(f"The estimates are right, but the chunks had other sizes: {sizes} samples. {where}")


def expect_shape_of(given, right: Tensor, where: str):
    """Return an answer unless it still has its first axis, which a listener does not want."""
    if isinstance(given, Tensor) and given.dim() == 4 and len(given) == 1:
        expect_shape(given, right.shape, "S C N", where, "Take the only item of the batch: [0].")
    return given
