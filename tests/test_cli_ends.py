"""How a command ends when somebody or something stops it, and what it prints of names that hold anything."""

import io
import os
import signal
import subprocess
import sys
import time

import pytest
import torch

from sepbook import architectures, audio
from sepbook.cli import CLOSED, main
from sepbook.cli._words import escaped, looks_like_a_file
from sepbook.training import checkpoint

TINY = {"sample_rate": 8000, "n_fft": 64, "hop": 16, "widths": (4, 4)}
unix = pytest.mark.skipif(os.name == "nt", reason="signals and pipes of this kind are Unix's")


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with a song and the weights of a tiny U-Net."""
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    audio.save("song.wav", 0.1 * torch.randn(1, 8000), 8000)
    checkpoint.save_weights("tiny.safetensors", architectures.create("unet", **TINY))
    return tmp_path


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("song.wav", "song.wav"),
        ("Lied für Élise 歌.wav", "Lied für Élise 歌.wav"),
        ("a\nb", r"a\nb"),
        ("a\r\tb", r"a\r\tb"),
        ("\x1b[2J\x1b[31m", r"\x1b[2J\x1b[31m"),
        ("\x9b31m", r"\x9b31m"),
        ("a\u202egnp", r"a\u202egnp"),
        ("a\u2028b", r"a\u2028b"),
        ("caf\udce9", r"caf\udce9"),
        ("\0", r"\x00"),
        (r"C:\new", r"C:\new"),
    ],
)
def test_a_name_neither_ends_a_line_nor_moves_the_cursor(name, shown):
    assert escaped(name) == shown and escaped(name).isprintable()


NAMES = {
    "a line": "so\nng.wav", "an escape": "\x1b[2Jsong.wav", "a bell": "\asong.wav", "a return": "ok\rsong.wav",
    "backwards": "song\u202evaw.", "no text": os.fsdecode(b"s\xf6ng.wav"),
}  # fmt: skip


@unix
@pytest.mark.parametrize("kind", NAMES)
@pytest.mark.parametrize("words", [["separate"], ["separate", "song.wav", "--weights"], ["evaluate", "--data"]])
def test_messages_escape_what_is_in_a_name(place, capsys, kind, words):
    assert main([*words, NAMES[kind]]) == 2
    out, err = capsys.readouterr()
    assert out == "" and len(err.splitlines()) == 1 and err[:-1].isprintable()


@unix
@pytest.mark.parametrize("kind", NAMES)
def test_an_unknown_command_or_option_is_escaped_too(place, capsys, kind):
    for words in ([NAMES[kind]], ["separate", "song.wav", f"--{NAMES[kind]}"]):
        assert main(words) == 2
        assert capsys.readouterr().err.replace("\n", "").isprintable()


@unix
@pytest.mark.parametrize("kind", [kind for kind in NAMES if kind != "no text"])
def test_such_a_file_is_separated_all_the_same(place, capsys, kind):
    os.rename("song.wav", NAMES[kind])
    words = ["separate", NAMES[kind], "--weights", "tiny.safetensors", "-q", "-o", f"out of {NAMES[kind]}"]
    assert main(words) == 0, capsys.readouterr().err
    assert len(os.listdir(words[-1])) == 4


@unix
@pytest.mark.slow
def test_a_name_that_is_no_text_is_printed_as_it_came(place):
    folder = b"out of s\xf6ng"
    words = ["separate", "song.wav", "--weights", "tiny.safetensors", "-q", "-o", os.fsdecode(folder)]
    done = subprocess.run([sys.executable, "-m", "sepbook.cli", *words], capture_output=True, check=True)
    assert done.stdout.splitlines() == [folder + b"/%b.wav" % name for name in (b"vocals", b"drums", b"bass", b"other")]


@pytest.mark.parametrize("word", ["-x.wav", "-song.mp3", "-o.flac", "-1.ogg"])
def test_a_file_with_a_dash_in_front_is_explained(place, capsys, word):
    os.rename("song.wav", word)
    assert main(["separate", word, "--weights", "tiny.safetensors"]) == 2
    assert f"If it is a file, write ./{word}" in capsys.readouterr().err
    assert main(["separate", f"./{word}", "--weights", "tiny.safetensors", "-q"]) == 0
    assert main(["separate", "--weights", "tiny.safetensors", "-q", "--overwrite", "--", word]) == 0


@pytest.mark.parametrize("word", ["-o", "--out", "--fromat", "-", "--", "song.wav", "-0.25", "--device=cpu.x"])
def test_options_are_no_files(word, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert not looks_like_a_file(word) or word.startswith("--")


class Closed(io.StringIO):
    """A stream that nobody reads."""

    def write(self, text):
        raise BrokenPipeError(32, "Broken pipe")

    flush = write_through = lambda self: (_ for _ in ()).throw(BrokenPipeError(32, "Broken pipe"))


def test_a_reader_that_has_gone_is_no_mistake_of_ours(place, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdout", Closed())
    assert main(["shapes", "unet"]) == CLOSED
    assert capsys.readouterr().err == ""


def test_another_broken_pipe_is_not_taken_for_it(monkeypatch, capsys):
    def fail(*_, **__):
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr(architectures, "plan", fail)
    monkeypatch.setattr("sepbook.cli._shapes.create_system", fail)
    assert main(["shapes", "unet"]) in (1, 2, CLOSED)


@unix
@pytest.mark.slow
@pytest.mark.parametrize("words", ["shapes unet", "shapes unet --json", "--help", "separate --help"])
def test_head_ends_a_command_quietly(words):
    """A real pipe whose reader goes before a word was written."""
    read, write = os.pipe()
    with subprocess.Popen(
        [sys.executable, "-m", "sepbook.cli", *words.split()], stdout=write, stderr=subprocess.PIPE
    ) as p:
        os.close(write)
        os.close(read)
        assert p.communicate()[1] == b""
    assert p.returncode == CLOSED


@unix
@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)])
def test_a_signal_tidies_up(place, number, code):
    audio.save("long.wav", 0.1 * torch.randn(1, 8000).repeat(1, 600), 8000)
    words = ["separate", "long.wav", "--weights", "tiny.safetensors", "-q", "-o", "out", "--chunk-seconds", "2"]
    with subprocess.Popen([sys.executable, "-m", "sepbook.cli", *words], stderr=subprocess.PIPE, text=True) as process:
        while process.poll() is None and not list(place.glob("out/.sepbook-*")):
            time.sleep(0.02)
        process.send_signal(number)
        err = process.communicate()[1]
    assert process.returncode == code, err
    assert err == "sepbook: stopped. No half-written file is left.\n"
    assert list(place.glob("out/*")) + list(place.glob("out/.*")) == []


@unix
def test_an_ignored_signal_stays_ignored_and_the_rest_is_put_back(place, monkeypatch):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        seen = []
        monkeypatch.setattr(audio, "info", lambda _: seen.append(signal.getsignal(signal.SIGHUP)) or 1 / 0)
        main(["separate", "song.wav"])
        assert seen == [signal.SIG_IGN] and signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
