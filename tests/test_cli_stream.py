"""`sepbook stream`: files and pipes through a causal system, and everything that a pipe may bring instead of sound."""

import io
import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from sepbook import architectures, audio
from sepbook.cli import main
from sepbook.cli._stream import load_streaming, streaming_presets
from sepbook.evaluation._running import RunningLevel
from sepbook.evaluation.streaming import stream
from sepbook.training import checkpoint
from tests.systems import register

RATE = 16000
RAW = ("--raw", "f32le", "--rate", RATE, "--weights", "causal.safetensors")
INTEGERS = ("--raw", "s16le", "--rate", RATE, "--weights", "causal.safetensors")
PROGRAM = """
import sys, pytest
from sepbook.cli import main
from tests.systems import register
with pytest.MonkeyPatch.context() as patch:
    register(patch)
    code = main(sys.argv[1:])
sys.exit(code)
"""


def noise(N, C=1):
    return 0.3 * torch.randn(C, N, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with noisy.wav (as the causal system hears), song.wav (44.1 kHz, stereo) and weights."""
    monkeypatch.chdir(tmp_path)
    register(monkeypatch)
    torch.manual_seed(0)
    for name in ("causal", "one_voice"):
        checkpoint.save_weights(f"{name}.safetensors", architectures.create(name, "tiny"))
    audio.save("noisy.wav", noise(5001), RATE)
    audio.save("song.wav", noise(9000, C=2), 44100)
    return tmp_path


@pytest.fixture
def call(place, capfdbinary, monkeypatch):
    """Run `sepbook stream` in this process on bytes as standard input: (exit code, stdout in bytes, stderr)."""

    def run(*arguments, given=b""):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
        code = main(["stream", *map(str, arguments)])
        sys.stdout.flush()
        out, err = capfdbinary.readouterr()
        return code, out, err.decode()

    return run


def expected(samples):
    system = checkpoint.load_weights("causal.safetensors")
    return torch.cat(list(stream(system, [samples])), dim=-1)  # (S, C, N)


def floats(samples):
    return samples.numpy().T.astype("<f4").tobytes()


@pytest.mark.parametrize("chunk", [(), ("--chunk", 1), ("--chunk", 333), ("--chunk", "10ms"), ("--chunk", "60000ms")])
def test_a_file_becomes_stems(call, chunk):
    code, out, err = call("noisy.wav", "--weights", "causal.safetensors", *chunk)
    assert code == 0 and out.decode().split() == [
        str(p) for p in map(os.path.normpath, ("stems/speech.wav", "stems/noise.wav"))
    ]
    for stem, name in zip(expected(noise(5001)), ("speech", "noise"), strict=True):
        found, rate = audio.load(f"stems/{name}.wav")
        assert rate == RATE
        torch.testing.assert_close(found, stem, atol=1e-6, rtol=0)
    assert "real-time factor" in err and "latency 63 samples (3.9 ms)" in err and "99 %" in err
    assert "become" not in err


def test_a_file_of_another_rate_is_resampled_and_that_is_said(call):
    code, _, err = call("song.wav", "--weights", "causal.safetensors", "-o", "out")
    assert code == 0
    assert "song.wav: 44100 Hz and 2 channels become 16000 Hz and 1, as causal hears; so do the stems" in err
    heard, _ = audio.load("song.wav", RATE, 1)
    found, rate = audio.load("out/speech.wav")
    assert rate == RATE
    torch.testing.assert_close(found, expected(heard)[0], atol=1e-6, rtol=0)


@pytest.mark.parametrize("preset", ["tiny", "music"])
def test_the_denoiser_takes_a_file_and_a_pipe(call, preset):
    """The same estimates as one pass of `forward` over the sound at the level that the stream gives it."""
    system = architectures.create("denoiser", preset).eval()
    checkpoint.save_weights("denoiser.safetensors", system)
    weights, names, mixture = ("--weights", "denoiser.safetensors"), system.source_names, noise(5001)
    level = RunningLevel(system)
    with torch.no_grad():
        estimates = level.undo(system(level.apply(mixture)[None])[0])  # (S, C, N)
    code, out, err = call("noisy.wav", "--chunk", "16ms", *weights)
    assert code == 0 and [os.path.basename(path) for path in out.decode().split()] == [f"{name}.wav" for name in names]
    assert f"latency {system.latency} samples" in err and "chunk 256 samples (16.0 ms)" in err
    for name, stem in zip(names, estimates, strict=True):
        torch.testing.assert_close(audio.load(f"stems/{name}.wav")[0], stem, atol=1e-5, rtol=0)
    raw = ("--raw", "f32le", "--rate", RATE)
    code, out, _ = call("-", "-o", "-", "--only", names[-1], "--chunk", 77, *raw, *weights, given=floats(mixture))
    found = torch.from_numpy(np.frombuffer(out, "<f4").copy())
    torch.testing.assert_close(found, estimates[-1, 0], atol=1e-5, rtol=0)


def test_unless_told_the_first_system_that_streams_is_taken_in_its_small_preset(place, monkeypatch):
    asked = []

    def create(name, preset, *rest):
        asked.append((name, preset))
        return architectures.create(name, preset)

    monkeypatch.setattr("sepbook.cli._stream.load_system", create)
    assert load_streaming(None, None, None, "cpu").name == "denoiser"
    assert asked == [("denoiser", "small")]
    assert streaming_presets()["denoiser"] == ["paper", "small", "tiny", "music"]


@pytest.mark.parametrize(("only", "row"), [((), 0), (("--only", "noise"), 1)])
def test_a_pipe_becomes_a_pipe(call, only, row):
    mixture = noise(3000)
    code, out, err = call("-", "-o", "-", *RAW, *only, given=floats(mixture))
    assert code == 0 and "real-time factor" in err
    torch.testing.assert_close(
        torch.from_numpy(np.frombuffer(out, "<f4").copy()), expected(mixture)[row, 0], atol=1e-6, rtol=0
    )


def test_integers_in_and_out(call):
    numbers = (noise(3000)[0].clamp(-1, 0.99) * 32768).round()
    code, out, _ = call("-", "-o", "-", *INTEGERS, given=numbers.numpy().astype("<i2").tobytes())
    assert code == 0
    found = torch.from_numpy(np.frombuffer(out, "<i2").astype(np.float32))
    assert (found - expected(numbers[None] / 32768)[0, 0] * 32768).abs().max() <= 0.51


def test_integers_that_do_not_hold_the_estimates_are_counted(call):
    system = checkpoint.load_weights("causal.safetensors")
    system.decoder.weight.data.mul_(1000)
    checkpoint.save_weights("causal.safetensors", system)
    numbers = (noise(1000)[0].clamp(-1, 0.99) * 32768).numpy().astype("<i2")
    code, out, err = call("-", "-o", "-", *INTEGERS, given=numbers.tobytes())
    assert code == 0 and len(out) == 2000
    assert "samples beyond -1 … 1 were clipped: f32le holds them" in err
    values = np.frombuffer(out, "<i2")
    assert values.max() == 32767 and values.min() == -32768


def test_raw_samples_in_a_file_and_one_stem_alone(call, place):
    (place / "noisy.raw").write_bytes(floats(noise(500)))
    code, out, _ = call("noisy.raw", "-o", "out", "--only", "speech", "--quiet", *RAW)
    assert code == 0 and [p.name for p in (place / "out").glob("*.wav")] == ["speech.wav"]


@pytest.mark.parametrize("extra", [1, 2, 3])
def test_a_stream_that_ends_within_a_number(call, extra):
    code, out, err = call("-", "-o", "-", *RAW, given=floats(noise(100)) + b"\1" * extra)
    assert code == 0 and len(out) == 400
    assert f"ended in the middle of a frame: {extra} of 4 bytes were left out" in err and "f32le" in err


def test_an_odd_number_of_bytes(call):
    code, out, err = call("-", "-o", "-", *INTEGERS, given=b"\1" * 201)
    assert code == 0 and len(out) == 200
    assert "1 of 2 bytes" in err and "s16le" in err


WITH = ("--weights", "causal.safetensors")
REFUSED = {  # arguments, standard input, words
    "nothing": (("-", *RAW), b"", "the pipe: no sound came"),
    "less than a frame": (("-", *RAW), b"abc", "no sound came"),
    "NaN": (("-", *RAW), floats(torch.full((1, 9), torch.nan)), "NaN or infinity, first in channel 0 at sample 0"),
    "infinity": (("-", "-o", "-", *RAW), floats(torch.full((1, 9), torch.inf)), "NaN or infinity"),
    "a pipe without a format": (("-", *WITH), b"RIFF", "--raw f32le --rate 16000 --channels 1"),
    "raw without a rate": (("-", *WITH, "--raw", "f32le"), b"", "add its sample rate. causal hears --rate 16000"),
    "another rate": (("-", *WITH, "--raw", "f32le", "--rate", 44100), b"", "-ar 16000 -ac 1 - | sepbook stream -"),
    "a rate of 0": (("-", *WITH, "--raw", "f32le", "--rate", 0), b"", "--rate 0: causal hears 16000"),
    "stereo": (("-", *RAW, "--channels", 2), b"", "--channels 2: causal hears 1"),
    "a rate for a file": (("noisy.wav", *WITH, "--rate", 16000), b"", "a file says them itself"),
    "chunks of 0": (("noisy.wav", *WITH, "--chunk", 0), b"", "--chunk 0: expected whole samples or milliseconds"),
    "chunks of 0 ms": (("noisy.wav", *WITH, "--chunk", "0ms"), b"", "--chunk 0ms"),
    "half a sample": (("noisy.wav", *WITH, "--chunk", "0.5"), b"", "--chunk 0.5"),
    "a negative chunk": (("noisy.wav", *WITH, "--chunk=-5"), b"", "--chunk -5"),
    "a chunk of hours": (("noisy.wav", *WITH, "--chunk", "1" * 30), b"", "1 sample to 60 s"),
    "a chunk in words": (("noisy.wav", *WITH, "--chunk", "short"), b"", "--chunk short"),
    "a source that is none": (("noisy.wav", *WITH, "--only", "drums"), b"", "--only drums: causal gives speech, noise"),
    "no such file": (("nosy.wav", *WITH), b"", "Did you mean noisy.wav"),
    "no such raw file": (("nosy.raw", *RAW), b"", "nosy.raw: cannot be opened"),
    "a folder as raw": ((".", *RAW), b"", ".: cannot be opened"),
    "a system that cannot": (
        ("noisy.wav", "--weights", "one_voice.safetensors"), b"",
        "one_voice, preset tiny, cannot stream: it needs sound that is still to come. Those that can: denoiser (",
    ),
    "a name that cannot": (("noisy.wav", "--system", "unet"), b"", "unet cannot stream"),
    "a preset that is none": (("noisy.wav", "--system", "causal", "--preset", "huge"), b"", "causal (small, tiny)"),
    "no such system": (("noisy.wav", "--system", "casual"), b"", "'casual' is unknown"),
    "no weights": (("noisy.wav", "--system", "causal"), b"", "weights"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_used_is_refused(call, place, case):
    arguments, given, words = REFUSED[case]
    code, out, err = call(*arguments, given=given)
    assert code == 2 and words in err.replace("\n", " "), err
    assert out == b"" and len(err.strip().splitlines()) <= 3 and "Traceback" not in err
    assert not list(place.rglob("stems/*.wav")) and not list(place.rglob("*.part"))


def test_without_a_system_that_streams_it_says_so(call, monkeypatch):
    monkeypatch.setattr(architectures, "names", lambda: ("unet", "one_voice"))
    code, _, err = call("noisy.wav")
    assert code == 2 and "none of the systems here can stream (unet, one_voice)" in err and "sepbook separate" in err


@pytest.mark.parametrize("end", ["stdin", "stdout"])
def test_a_terminal_or_nothing_at_an_end_is_refused(place, capsys, monkeypatch, end):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(floats(noise(10)))))
    for gone in (None, SimpleNamespace(isatty=lambda: True, flush=lambda: None, write=lambda text: None)):
        monkeypatch.setattr(sys, end, gone)
        assert main(["stream", "-", "-o", "-", *map(str, RAW)]) == 2
        err = capsys.readouterr().err
        assert {"stdin": "nothing comes through a pipe", "stdout": "nothing for a terminal"}[end] in err


def test_stems_are_not_replaced_unless_asked_to(call):
    assert call("noisy.wav", *WITH)[0] == 0
    code, _, err = call("noisy.wav", *WITH)
    assert code == 2 and "speech.wav: exists already" in err
    assert call("noisy.wav", *WITH, "--overwrite")[0] == 0
    audio.save("stems/speech.wav", noise(100), RATE)
    code, _, err = call("stems/speech.wav", *WITH, "--overwrite")
    assert code == 2 and "speech.wav: " in err
    assert audio.info("stems/speech.wav").frames == 100, "the file that is read stays"


def started(place, *arguments):
    """The command in a process of its own, with pipes at both ends."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONUNBUFFERED": "1"}
    arguments = [sys.executable, "-c", PROGRAM, "stream", *map(str, arguments)]
    pipe = subprocess.PIPE
    return subprocess.Popen(arguments, cwd=place, env=environment, stdin=pipe, stdout=pipe, stderr=pipe)


@pytest.mark.slow
def test_sound_leaves_before_the_input_ends(place):
    with started(place, "-", "-o", "-", "--chunk", 64, *RAW) as process:
        process.stdin.write(floats(noise(1000)))
        process.stdin.flush()
        found = process.stdout.read(4 * 800)  # more than the latency and a chunk behind nothing is held
        assert len(found) == 3200
        process.stdin.close()
        assert len(process.stdout.read()) == 800
        assert process.wait() == 0


@pytest.mark.slow
def test_an_output_that_is_closed_ends_the_stream_quietly(place):
    with started(place, "-", "-o", "-", "--chunk", 64, *RAW) as process:
        process.stdin.write(floats(noise(1000)))
        process.stdin.flush()
        process.stdout.read(100)
        process.stdout.close()
        try:
            while process.poll() is None:
                process.stdin.write(floats(noise(1000)))
                process.stdin.flush()
                time.sleep(0.01)
        except BrokenPipeError:
            pass
        err = process.stderr.read().decode()
        try:
            process.stdin.close()
        except BrokenPipeError:
            pass
        assert process.wait() == 0
    assert "who took the output has gone after" in err and "Traceback" not in err and "Exception" not in err


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals to other processes")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_sound_and_the_stems_are_whole(place, number):
    mixture = noise(1000)
    with started(place, "-", "-o", "out", "--chunk", 50, *RAW) as process:
        process.stdin.write(floats(mixture))
        process.stdin.flush()
        deadline = time.monotonic() + 200
        while not list((place / "out").glob("*.part")) and time.monotonic() < deadline:
            time.sleep(0.05)
        while _unread(process.stdin) and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(3)  # what was taken from the pipe is separated and written
        process.send_signal(number)
        err = process.stderr.read().decode()
        assert process.wait() == 130, err
    assert "stopped. No half-written file is left" in err and "real-time factor" in err
    found, _ = audio.load(place / "out" / "speech.wav")
    assert 900 <= found.shape[-1] <= 1000
    torch.testing.assert_close(found, expected(mixture[:, : found.shape[-1]])[0], atol=1e-6, rtol=0)
    assert not list(place.rglob("*.part"))


def _unread(pipe):
    """How many bytes of a pipe nobody has taken yet."""
    import fcntl
    import struct
    import termios

    return struct.unpack("i", fcntl.ioctl(pipe.fileno(), termios.FIONREAD, struct.pack("i", 0)))[0]


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="the peak of memory is read where Linux tells it")
def test_memory_does_not_grow_with_the_sound(place):
    """A hundred times as much sound takes no more memory at its peak, but for the noise of a process."""
    told = "print(re.search('VmHWM:(.*) kB', open('/proc/self/status').read())[1])"
    peaks = []
    for seconds in (2, 200):
        arguments = ["stream", "-", "-o", f"out{seconds}", "--chunk", "1000ms", "--quiet", *map(str, RAW)]
        done = subprocess.run(
            [sys.executable, "-c", f"import re{PROGRAM.replace('sys.exit(code)', told)}", *arguments],
            cwd=place,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            input=floats(noise(seconds * RATE)),
            capture_output=True,
        )
        assert done.returncode == 0 and audio.info(f"out{seconds}/speech.wav").seconds == seconds, done.stderr
        peaks.append(int(done.stdout.split()[-1]))  # kB
    assert peaks[1] - peaks[0] < 8_000, peaks  # the sound alone has 13,000, its stems twice that
