"""Separate audio of any rate, any number of channels and any length with a system that knows only one of each.

Rate: the audio is resampled to the system's rate, and the estimates back.

Channels: they go through the system in groups of as many as it takes. A mono system hears the left and the
right channel one after the other, so the estimates keep their place in the stereo image; a stereo system that
is given mono hears it twice, and the two answers are averaged.

Level: networks answer differently at another level. A constant offset is taken off, the whole song is brought to
the level that the system was trained at, and the estimates are brought back. A file is read once for that, before
it is read again to be separated. Losses for talkers, who have no order, mostly leave level and sign of the estimates
open. So these get one factor, with which their sum comes as near to the mixture as it can.

Band: what lies above half the system's rate is in no estimate. `missing_band` says where that begins.

Length: the audio is cut into chunks that overlap. A network knows nothing of what lies beyond the edge of its
chunk, so the edges are its worst estimates. The outer parts of each overlap are therefore thrown away, and in
its middle one chunk fades into the next; the two weights sum to one::

    chunk 1  ████████████████████▓▒░····            · computed, then thrown away
    chunk 2                 ····░▒▓█████████████    ░ fades in or out
                            |← overlap →|

Chunks start at multiples of the system's `stride` in samples, so that they meet the same grid of frames as one
pass over the whole would. If what is thrown away on each side is longer than half the
system's receptive field, the estimates are those of one pass; the usual 30 s do for fields of five seconds.
A system that measures the whole signal first (its loudest point, say), or that remembers all of it, still
answers a little differently in chunks.

Taught on: book/evaluation/separation
"""

import math
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional
from tqdm.auto import tqdm

from sepbook import audio
from sepbook._bars import progress_bar
from sepbook._locking import alone_in
from sepbook.architectures.base import check_source_names
from sepbook.evaluation._given import check_free, check_samples
from sepbook.evaluation._level import factor_of, measure
from sepbook.losses.permutation import best_permutation

EDGE = 0.4  # part of the overlap that is thrown away on each side; what is left fades
FADES = {"middle": EDGE, "triangle": 0.0}  # where one chunk fades into the next
BLOCK_SECONDS = 10.0  # how much of a file is read at a time


def separate(
    system,
    samples: Tensor,
    rate: int,
    chunk_seconds: float = 30.0,
    overlap: float = 0.25,
    progress: bool = False,
    fade: str = "middle",
    shifts: int = 1,
) -> Tensor:
    """Separate samples `(C, N)` at `rate` Hz into estimates `(S, C, N)` at the same rate and channels.

    `chunk_seconds` bounds the memory and `overlap` is the part of a chunk that the next one computes again; with the
    `fade` "triangle" one chunk fades into the next over all of it, as in published codes, and not in its middle alone.
    `shifts` above 1 separates that often, each time shifted by a few samples, and takes the mean (see `shift_offsets`).
    `progress` shows a bar after two seconds. The system is in eval mode meanwhile; no gradients.

    Raises ValueError when samples are not `(C, N)` with N of at least 1, or hold NaN or infinity, and for a fade or
    a number of shifts that does not exist. Taught on: book/evaluation/separation
    """
    samples = check_samples(samples, rate)
    if fade not in FADES:
        raise ValueError(f"fade is {fade!r}; choose one of {', '.join(FADES)}")
    (length, hop), offsets = chunk_sizes(system, chunk_seconds, overlap), shift_offsets(system, shifts)
    mixture = audio.resample(samples, rate, system.sample_rate)  # (C, N at the system's rate)
    level, total = measure(system, [mixture]), None
    with listening(system), _bar(samples.shape[-1] / rate, progress) as bar:
        for offset in offsets:
            late = functional.pad(level.apply(mixture), (offset, 0))
            found = _estimates(system, [late], length, hop, FADES[fade])
            parts = list(_counted(found, bar, system.sample_rate, len(offsets)))
            found = level.undo(torch.cat(parts, dim=-1)[..., offset:])  # (S, C, N)
            if total is not None and not system.ordered:
                _keep_order(found, total, system.channels)
            total = found if total is None else total + found
    estimates = audio.resample(total / len(offsets), system.sample_rate, rate)
    return estimates[..., : samples.shape[-1]]  # (S, C, N): resampling rounds lengths up


def shift_offsets(system, shifts: int) -> list[int]:
    """Spread shifts evenly over one stride of a system, in samples; after a stride the same grid comes again.

    A system of stride 1 meets the same grid everywhere, so it gets one. Raises ValueError below 1.
    Source: the averaged shifts of Défossez et al. 2019, there at random. Taught on: book/evaluation/separation
    """
    if isinstance(shifts, bool) or not isinstance(shifts, int) or shifts < 1:
        raise ValueError(f"shifts is {shifts!r}; choose a whole number of 1 or more: how often a song is separated")
    return sorted({i * system.stride // shifts for i in range(shifts)})


def separate_file(
    system,
    path: str | Path,
    folder: str | Path,
    suffix: str = ".wav",
    chunk_seconds: float = 30.0,
    overlap: float = 0.25,
    overwrite: bool = False,
    progress: bool = True,
) -> dict[str, Path]:
    """Separate an audio file of any length into one file per source; return their paths by source name.

    Reading, separating and writing go chunk by chunk: memory does not grow with the file. A stem takes its
    name only when all of it is written, so an error, a full disk or ctrl-C leaves no half of one.

    Raises AudioError when the file cannot be read, a stem cannot be written, one is there already and
    `overwrite` is off, or another run is writing into the same folder. Taught on: book/evaluation/separation
    """
    about = audio.info(path)
    length, hop = chunk_sizes(system, chunk_seconds, overlap)
    paths = {name: Path(folder) / f"{name}{suffix}" for name in check_source_names(system.source_names)}
    with ExitStack() as stack:
        stack.enter_context(alone_in(folder, audio.AudioError))
        audio.sweep(folder)
        check_free(paths.values(), path, overwrite)
        open_stem = [audio.Writer(stem, about.sample_rate, about.channels) for stem in paths.values()]
        writers = [stack.enter_context(writer) for writer in open_stem]
        stack.enter_context(listening(system))
        bar = stack.enter_context(_bar(about.seconds, progress))
        for stems in _streamed(system, path, about.sample_rate, length, hop, bar):  # (S, C, n)
            for writer, stem in zip(writers, stems, strict=True):
                writer.write(stem)
    return paths


def missing_band(system, rate: int) -> str | None:
    """A sentence on what a system of a lower rate than a song leaves out; None where it leaves out nothing.

    Taught on: book/evaluation/separation
    """
    if rate <= system.sample_rate:
        return None
    half = system.sample_rate // 2
    return (
        f"nothing above {half} Hz is in the stems: {system.name} works at {system.sample_rate} Hz, the song has "
        f"{rate} Hz"
    )


def chunk_sizes(system, chunk_seconds: float, overlap: float) -> tuple[int, int]:
    """Choose the length of a chunk and the hop to the next, in samples at the system's rate.

    The hop is a multiple of the system's `stride`. Raises ValueError for an overlap outside 0 to 0.5, chunks of no
    length, and a system that says no stride. Taught on: book/evaluation/separation
    """
    if not 0 <= overlap <= 0.5:
        raise ValueError(f"overlap is {overlap}; choose 0 to 0.5: the part of a chunk that is computed twice")
    if not 0 < chunk_seconds < math.inf:
        raise ValueError(f"chunk_seconds is {chunk_seconds}; choose a length above 0, for example 30")
    stride = getattr(system, "stride", None)
    if not stride:
        raise ValueError(
            f"{type(system).__name__} says no stride: set system.stride to the samples by which a chunk may be shifted "
            "without changing the answer, for example the hop of its STFT"
        )
    hop = max(1, round(chunk_seconds * system.sample_rate * (1 - overlap) / stride)) * stride
    return round(hop / (1 - overlap)), hop


def _streamed(system, path, rate: int, length: int, hop: int, bar) -> Iterator[Tensor]:
    """Estimates `(S, C, n)` of a file at its own rate, piece by piece, as many samples as the file has."""
    level = measure(system, _at_rate(audio.blocks(path, BLOCK_SECONDS), rate, system.sample_rate))
    file, done = _Counted(audio.blocks(path, BLOCK_SECONDS)), 0
    blocks = (level.apply(block) for block in _at_rate(file, rate, system.sample_rate))
    estimates = map(level.undo, _estimates(system, blocks, length, hop))
    S = len(system.source_names)
    flat = (part.flatten(0, 1) for part in _counted(estimates, bar, system.sample_rate))  # (S·C, n)
    for part in _at_rate(flat, system.sample_rate, rate):
        part = part[:, : file.count - done]  # resampling rounds lengths up
        done += part.shape[-1]
        yield part.unflatten(0, (S, -1))


def _estimates(system, blocks: Iterable[Tensor], length: int, hop: int, edge: float = EDGE) -> Iterator[Tensor]:
    """Separate a stream of blocks `(C, any n)` at the system's rate: yield finished estimates `(S, C, n)`."""
    overlap, tail, ramp, factor = length - hop, None, None, None
    for chunk, last in _chunks(blocks, length, hop):
        found = _run(system, chunk)  # (S, C, n)
        if not system.ordered:
            _keep_order(found, tail, system.channels)
            factor = factor or factor_of(found, chunk)  # one for all chunks: others would be heard at the joins
            found *= factor or 1.0
        if tail is not None:
            ramp = (
                _ramp(overlap, edge) if ramp is None else ramp
            )  # a song of one chunk needs none, however long a chunk is
            found[..., :overlap] = torch.lerp(tail, found[..., :overlap], ramp)
        ready = found.shape[-1] - (0 if last else overlap)
        yield found[..., :ready]
        tail = found[..., ready:]


def _chunks(blocks: Iterable[Tensor], length: int, hop: int) -> Iterator[tuple[Tensor, bool]]:
    """Cut a stream into overlapping chunks `(C, length)`, the last one shorter: yield (chunk, is it the last)."""
    waiting = None
    for block in blocks:
        waiting = block if waiting is None else torch.cat([waiting, block], dim=-1)
        while waiting.shape[-1] > length:
            yield waiting[:, :length], False
            waiting = waiting[:, hop:]
    yield waiting, True


def _ramp(overlap: int, edge: float = EDGE) -> Tensor:
    """Weights of the new chunk over an overlap: 0, then rising, then 1."""
    edge = int(edge * overlap)
    fade = overlap - 2 * edge
    rising = (torch.arange(fade) + 0.5) / max(fade, 1)
    return torch.cat([torch.zeros(edge), rising, torch.ones(edge)])


@torch.no_grad()
def _run(system, chunk: Tensor) -> Tensor:
    """Separate one chunk `(C, n)` of any C: its channels are batch items of as many as the system takes."""
    C, size = len(chunk), system.channels
    groups = -(-C // size)
    index = torch.arange(groups * size).clamp(max=C - 1)  # the last channel fills up the last group
    device = next((p.device for p in system.parameters()), torch.device("cpu"))
    batch = chunk[index].unflatten(0, (groups, size)).to(device)  # (groups, size, n)
    found = system(batch).float().cpu().transpose(0, 1).flatten(1, 2)  # (S, groups · size, n)
    last = found[:, C - 1 :].mean(1, keepdim=True)  # and its copies
    return torch.cat([found[:, : C - 1], last], dim=1)  # (S, C, n)


def _keep_order(found: Tensor, tail: Tensor | None, size: int) -> None:
    """Let estimates `(S, C, n)` that came in any order follow the chunk before, in each group of channels.

    Which estimate is which is told by the overlap: the products with `tail` sum up to most for the same source.
    In the first chunk the groups follow the first group.
    """
    if tail is None:
        tail = found[:, :size].mean(1, keepdim=True).expand_as(found)
    for start in range(0, found.shape[1], size):
        group = slice(start, start + size)
        likeness = torch.einsum("icn,jcn->ij", found[:, group, : tail.shape[-1]], tail[:, group])
        found[:, group] = found[best_permutation(-likeness.abs()[None])[0], group]


@contextmanager
def listening(system):
    """Put a system into eval mode, and each of its modules back into its own mode afterwards.

    Taught on: book/evaluation/separation
    """
    modes = [(module, module.training) for module in system.modules()]
    system.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


class _Counted:
    """A stream of blocks `(C, n)` that knows how many samples went by."""

    def __init__(self, blocks: Iterable[Tensor]):
        self.blocks, self.count = blocks, 0

    def __iter__(self):
        for block in self.blocks:
            self.count += block.shape[-1]
            yield block


def _at_rate(blocks: Iterable[Tensor], from_rate: int, to_rate: int) -> Iterable[Tensor]:
    return blocks if from_rate == to_rate else audio.resampled(blocks, from_rate, to_rate)


def _bar(seconds: float, progress: bool) -> tqdm:
    shape = "{l_bar}{bar}| {n:.0f} of {total:.0f} s [{elapsed}<{remaining}]"
    return progress_bar(total=seconds, desc="Separating", progress=progress, bar_format=shape)


def _counted(parts: Iterable[Tensor], bar: tqdm, rate: int, runs: int = 1) -> Iterator[Tensor]:
    """Pass parts on and move the bar, by what is one of so many runs."""
    end = bar.n + bar.total / runs
    for part in parts:
        bar.update(min(part.shape[-1] / rate / runs, end - bar.n))
        yield part
    bar.update(end - bar.n)
