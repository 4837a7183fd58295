"""What `sepbook stream` does: sound from a file or a pipe, through a causal system, into stems or another pipe."""

import math
import re
import signal
import sys
import threading
import warnings
from contextlib import ExitStack
from pathlib import Path

import torch

from sepbook import architectures, audio
from sepbook._locking import alone_in
from sepbook.architectures.streaming import Streaming, can_stream
from sepbook.cli._loading import load_system
from sepbook.cli._raw import RawOutput, raw_chunks, raw_input
from sepbook.evaluation.streaming import MEMORY, StreamError, Timing, stream

PIPE = Path("-")
USUAL = 0.032  # seconds of a chunk unless one is asked for, in whole strides
LONGEST = 60.0  # seconds
INTERRUPTED = 130
ENDINGS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


class Interruptible:
    """Chunks until the sound ends or the user does: ctrl-C counts as an end of the sound, so nothing heard is lost.

    A second ctrl-C stops at once.
    """

    def __init__(self, chunks):
        self.chunks, self.asked, self.waiting, self.before = iter(chunks), False, False, {}

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():
            self.before = {number: signal.signal(number, self._note) for number in ENDINGS}
        return self

    def __exit__(self, *_):
        for number, handler in self.before.items():
            signal.signal(number, handler)

    def _note(self, number, frame):
        again, self.asked = self.asked, True
        if again or self.waiting:  # between chunks there is work to finish, while waiting there is none
            raise KeyboardInterrupt

    def __iter__(self):
        while not self.asked:
            try:
                self.waiting = True
                chunk = next(self.chunks, None)
            except KeyboardInterrupt:
                chunk = None
            finally:
                self.waiting = False
            if chunk is None:
                return
            yield chunk


def run_stream(source, out, name, preset, weights, raw, rate, channels, chunk, only, overwrite, device, quiet) -> int:
    """Stream, print the paths of the stems and, on stderr, the timing; return the exit code."""
    if raw is None and source != PIPE:
        audio.info(source)  # a file that cannot be read is told before anything is loaded
    system = load_streaming(name, preset, weights, device)
    size = chunk_size(chunk, system)
    timing = Timing(system.sample_rate, system.latency)
    with ExitStack() as stack:
        chunks = stack.enter_context(Interruptible(open_source(stack, source, raw, rate, channels, size, system)))
        write, paths = open_sink(stack, source, out, raw, only, overwrite, system)
        try:
            for estimates in stream(system, chunks, timing):  # (S, C, m)
                write(estimates)
        except BrokenPipeError:
            seconds = timing.samples / system.sample_rate
            warnings.warn(f"who took the output has gone after {seconds:.2f} s: stopped there", stacklevel=1)
        if timing.samples == 0:
            if chunks.asked:
                raise KeyboardInterrupt
            raise StreamError(f"{'the pipe' if source == PIPE else source}: no sound came: nothing to separate")
    if not quiet:
        report(system, timing)
    for path in paths:
        print(path)
    return INTERRUPTED if chunks.asked else 0


def report(system, timing: Timing) -> None:
    """Say on stderr how long it took, and whether that is fast enough."""
    for line in str(timing).splitlines():
        print(f"sepbook: {system.name}: {line}", file=sys.stderr)
    print(
        f"sepbook: {system.name}: the system heard the sound at the level of its training: the gain followed the last "
        f"{MEMORY:g} s, and is undone in the estimates",
        file=sys.stderr,
    )
    if timing.percentile() > timing.chunk / timing.sample_rate:
        warnings.warn("some chunks took longer than they last: for real time take longer ones (--chunk)", stacklevel=1)


def load_streaming(name, preset, weights, device):
    """A system that can stream: the one that is asked for, or the first there is."""
    able = streaming_presets()
    if not able and weights is None:
        raise StreamError(
            f"none of the systems here can stream ({', '.join(architectures.names())}): they need sound that is still "
            "to come. `sepbook separate` takes whole files"
        )
    if weights is None:
        name = name or next(iter(able))
        architectures.module(name)  # an unknown name gets its own error
        if name not in able or preset not in (None, *able[name]):
            raise StreamError(_cannot(name if name not in able else f"{name}, preset {preset},", able))
        preset = preset or ("small" if "small" in able[name] else able[name][0])
    system = load_system(name, preset, weights, device)
    if not can_stream(system):
        raise StreamError(_cannot(f"{system.name}, preset {system.preset},", able))
    return system


def _cannot(what: str, able: dict) -> str:
    those = "; ".join(f"{name} ({', '.join(presets)})" for name, presets in able.items()) or "none of this version"
    return f"{what} cannot stream: it needs sound that is still to come. Those that can: {those}"


def streaming_presets() -> dict[str, list[str]]:
    """Name the systems that can stream, each with the presets that do; built without memory."""
    found = {}
    for name in architectures.names():
        if issubclass(architectures.module(name).SYSTEM, Streaming):
            with torch.device("meta"):
                able = [p for p in architectures.presets(name) if can_stream(architectures.create(name, p))]
            found |= {name: able} if able else {}
    return found


def chunk_size(text: str | None, system) -> int:
    """Read `256` (samples) or `16ms`; unless given, about 32 ms in whole strides."""
    rate = system.sample_rate
    if text is None:
        return system.stride * max(1, round(USUAL * rate / system.stride))
    number = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms)?", text.strip())
    samples = float(number[1]) * (rate / 1000 if number[2] else 1) if number else math.nan
    size = round(samples) if math.isfinite(samples) else 0
    if not 1 <= size <= LONGEST * rate or not (number[2] or samples == size):
        raise StreamError(
            f"--chunk {text}: expected whole samples or milliseconds, 1 sample to {LONGEST:.0f} s, for example 256 or "
            "16ms"
        )
    return size


def open_source(stack, source, raw, rate, channels, size, system):
    """Chunks `(C, size)` at the system's rate, from a file or from numbers without a header."""
    if raw is not None:
        _check_raw(raw, rate, channels, system)
        return raw_chunks(stack.enter_context(raw_input(source)), raw, channels or system.channels, size)
    if source == PIPE:
        raise StreamError(
            "what comes through a pipe has no header to read: say what it is, for example "
            f"--raw f32le --rate {system.sample_rate} --channels {system.channels}"
        )
    if rate is not None or channels is not None:
        raise StreamError("--rate and --channels describe numbers without a header (--raw); a file says them itself")
    about = audio.info(source)
    if (about.sample_rate, about.channels) != (system.sample_rate, system.channels):
        warnings.warn(
            f"{source}: {about.sample_rate} Hz and {about.channels} channel{'s' * (about.channels > 1)} become "
            f"{system.sample_rate} Hz and {system.channels}, as {system.name} hears; so do the stems",
            stacklevel=1,
        )
    return audio.blocks(source, size / system.sample_rate, system.sample_rate, system.channels)


def _check_raw(raw, rate, channels, system) -> None:
    wanted = system.sample_rate, system.channels
    mend = (
        f"Let the source give it: ffmpeg -i INPUT -f {raw} -ar {wanted[0]} -ac {wanted[1]} - | sepbook stream - "
        f"--raw {raw} --rate {wanted[0]} --channels {wanted[1]}"
    )
    if rate is None:
        raise StreamError(f"--raw {raw} has no header: add its sample rate. {system.name} hears --rate {wanted[0]}")
    if rate != wanted[0]:
        raise StreamError(f"--rate {rate}: {system.name} hears {wanted[0]} samples per second. {mend}")
    if (channels or wanted[1]) != wanted[1]:
        raise StreamError(f"--channels {channels}: {system.name} hears {wanted[1]}. {mend}")


def open_sink(stack, source, out, raw, only, overwrite, system):
    """A function that takes estimates `(S, C, m)`, and the paths of the stems that it writes."""
    names = system.source_names
    if only is not None and only not in names:
        raise StreamError(f"--only {only}: {system.name} gives {', '.join(names)}")
    if out == PIPE:
        if sys.stdout is None or sys.stdout.isatty():
            raise StreamError(
                "-o -: raw samples are nothing for a terminal; send them on with | or write stems: -o FOLDER"
            )
        pipe, row = RawOutput(raw or "f32le"), names.index(only or names[0])
        stack.callback(_tell_clipped, pipe)
        return lambda estimates: pipe.write(estimates[row]), []
    stack.enter_context(alone_in(out, audio.AudioError))
    kept = [name for name in names if only in (None, name)]
    paths = [out / f"{name}.wav" for name in kept]
    for path in paths:
        if path.exists() and (not overwrite or (source != PIPE and path.samefile(source))):
            raise audio.AudioError(f"{path}: exists already. Choose another folder, or replace it with --overwrite.")
    stems = [stack.enter_context(audio.Writer(path, system.sample_rate, system.channels)) for path in paths]

    def write(estimates):
        for name, stem in zip(kept, stems, strict=True):
            stem.write(estimates[names.index(name)])

    return write, paths


def _tell_clipped(pipe: RawOutput) -> None:
    if pipe.clipped:
        warnings.warn(f"{pipe.clipped} samples beyond -1 … 1 were clipped: f32le holds them", stacklevel=1)
