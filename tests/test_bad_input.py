"""Bad input, kind by kind: each is refused in one line that names the culprit and the mend, and nothing is lost.

A row is a name, what prepares the place and returns the words of a command line, and what its message must hold.
The second table holds what looks bad but is handled.
"""

import json
import os
import pickle
import shutil
import struct

import pytest
import soundfile
import torch
from safetensors.torch import save_file

from sepbook import architectures, audio
from sepbook.cli import main
from sepbook.data import corpus
from sepbook.training import checkpoint
from tests.systems import register

RATE = 8000
TINY = {"sample_rate": RATE, "n_fft": 64, "hop": 16, "widths": (4, 4)}
STEMS = ("vocals", "drums", "bass", "other")
MISSING_DEVICE = "mps" if torch.cuda.is_available() else "cuda"


def sound(C=1, N=RATE, seed=0):
    return 0.2 * (torch.rand(C, N, generator=torch.Generator().manual_seed(seed)) - 0.5)


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder to work in: a song, a data set of two splits, and the weights of a tiny U-Net."""
    monkeypatch.chdir(tmp_path)
    audio.save("song.wav", sound(2), RATE)
    for split in ("train", "test"):
        for i, stem in enumerate(STEMS):
            audio.save(f"data/{split}/tune/{stem}.wav", sound(seed=i), RATE)
    torch.manual_seed(0)
    checkpoint.save_weights("tiny.safetensors", architectures.create("unet", **TINY))
    return tmp_path


# What prepares a place. Each function makes one thing wrong and returns the words to type.


def typed(words):
    """Nothing has to be prepared."""
    return lambda place: words.split()


def file(name, content):
    """A file with these bytes, to be separated."""

    def prepare(place):
        (place / name).write_bytes(content)
        return ["separate", name]

    return prepare


def cut(suffix, keep=0.6):
    """A good file of which a part is missing."""

    def prepare(place):
        audio.save(f"cut{suffix}", sound(1, 5 * RATE), RATE)
        whole = (place / f"cut{suffix}").read_bytes()
        (place / f"cut{suffix}").write_bytes(whole[: int(keep * len(whole))])
        return separate(f"cut{suffix}")

    return prepare


def holds(value):
    """A file in which one sample is no number."""

    def prepare(place):
        samples = sound()
        samples[0, 4000] = value
        soundfile.write("odd.wav", samples.T.numpy(), RATE, subtype="FLOAT")
        return separate("odd.wav")

    return prepare


def separate(*words):
    """A separation with the tiny weights."""
    return ["separate", *words, "--weights", "tiny.safetensors", "-o", "out"]


def odd_rate(place):
    header = bytearray((place / "song.wav").read_bytes())
    at = header.find(b"fmt ") + 12
    header[at : at + 4] = struct.pack("<I", 7)
    (place / "song.wav").write_bytes(header)
    return ["separate", "song.wav"]


def no_frames(place):
    soundfile.write("none.wav", torch.zeros(0, 1).numpy(), RATE)
    return separate("none.wav")


def link(target):
    def prepare(place):
        os.symlink(target, "link.wav")
        return ["separate", "link.wav"]

    return prepare


def existing_stem(place):
    audio.save("out/drums.wav", sound(), RATE)
    return separate("song.wav")


def stem_is_folder(place):
    (place / "out" / "bass.wav").mkdir(parents=True)
    return [*separate("song.wav"), "--overwrite"]


def song_is_stem(place):
    shutil.move("song.wav", "vocals.wav")
    return ["separate", "vocals.wav", "--weights", "tiny.safetensors", "-o", ".", "--overwrite"]


def many_channels_as_mp3(place):
    audio.save("wide.wav", sound(8), RATE)
    return [*separate("wide.wav"), "--format", "mp3"]


def high_rate_as_mp3(place):
    audio.save("high.wav", sound(1), 96_000)
    return [*separate("high.wav"), "--format", "mp3"]


def weights(content):
    """A file that is given as weights."""

    def prepare(place):
        (place / "bad.safetensors").write_bytes(content)
        return ["separate", "song.wav", "--weights", "bad.safetensors"]

    return prepare


def half_weights(place):
    whole = (place / "tiny.safetensors").read_bytes()
    return weights(whole[: len(whole) // 2])(place)


def torch_pickle(place):
    torch.save({"weight": torch.ones(3)}, "bad.safetensors")
    return ["separate", "song.wav", "--weights", "bad.safetensors"]


def foreign_weights(place):
    save_file({"weight": torch.ones(3)}, "bad.safetensors")
    return ["separate", "song.wav", "--weights", "bad.safetensors"]


def changed(tensors=None, **header):
    """Our own weights, in which something was changed."""

    def prepare(place):
        own, about = checkpoint.read("tiny.safetensors")
        own = {**own, **(tensors or {})}
        checkpoint.write("bad.safetensors", {k: v for k, v in own.items() if v is not None}, {**about, **header})
        return ["evaluate", "--data", "data", "--weights", "bad.safetensors"]

    return prepare


def other_system(place):
    monkeypatch = pytest.MonkeyPatch()
    with monkeypatch.context() as patch:
        register(patch)
        checkpoint.save_weights("talkers.safetensors", architectures.create("talkers"))
    return ["separate", "song.wav", "--system", "unet", "--weights", "talkers.safetensors"]


def train(*words):
    """A training run of one step."""
    small = ["--steps", "1", "--batch-size", "1", "--seconds", "0.2", "--quiet"]
    fields = [part for name, value in TINY.items() for part in ("--set", f"{name}={json.dumps(value)}")]
    return ["train", "unet", "--data", "data", *small, *fields, *words]


def data(change):
    """A data set in which something was changed."""

    def prepare(place):
        change(place / "data" / "train" / "tune")
        return train()

    return prepare


def with_nan(track):
    samples = sound()
    samples[0, 4000] = torch.nan
    soundfile.write(track / "bass.wav", samples.T.numpy(), RATE, subtype="FLOAT")


def flat(place):
    (place / "data" / "train").rename("flat")
    return train("--data", "flat")


def used_run(place):
    assert main(train("--out", "run")) == 0
    return train("--out", "run")


def resumed_with(*words):
    def prepare(place):
        assert main(train("--out", "run")) == 0
        return train("--out", "run", "--resume", *words)

    return prepare


def damaged_run(place):
    assert main(train("--out", "run")) == 0
    path = place / "run" / "last.safetensors"
    path.write_bytes(path.read_bytes()[:100])
    return train("--out", "run", "--resume")


def no_corpus(place):
    return ["evaluate", "--weights", "tiny.safetensors"]


TEXT = b"This is a text, whatever its name says.\n" * 20
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8
BYTES = bytes((37 * i * i + 11 * i) % 256 for i in range(4000))

REFUSED = {
    # the song
    "missing file": (typed("separate nothing.wav"), "nothing.wav: there is no such file", "Check the spelling"),
    "misspelt file": (typed("separate sonng.wav"), "sonng.wav", "Did you mean song.wav?"),
    "missing folder": (typed("separate a/b/song.wav"), "a/b/song.wav", "Its folder does not exist"),
    "a folder": (typed("separate data"), "data: this is a folder", "expected one audio file"),
    "empty": (file("song.mp3", b""), "song.mp3: the file is empty", "Copy or download it again"),
    "text named wav": (file("text.wav", TEXT), "text.wav: not a readable audio file", "ffmpeg"),
    "text named mp3": (file("text.mp3", TEXT), "text.mp3: not a readable audio file", "ffmpeg"),
    "text named ogg": (file("text.ogg", TEXT), "text.ogg: not a readable audio file", "ffmpeg"),
    "picture named flac": (file("cover.flac", PNG), "cover.flac: not a readable audio file", "wav, flac, ogg and mp3"),
    "chance bytes": (file("noise.wav", BYTES), "noise.wav: not a readable audio file", "ffmpeg"),
    "another format": (file("song.m4a", b"\0\0\0 ftypM4A " + BYTES), "song.m4a: not a readable", "ffmpeg -i"),
    "half a header": (file("song.wav", b"RIFF\x10"), "song.wav", "not a readable audio file"),
    "truncated wav": (cut(".wav"), "cut.wav: the file is truncated", "Copy or export it again"),
    "truncated flac": (cut(".flac"), "cut.flac: ", "truncated"),
    "truncated ogg": (cut(".ogg"), "cut.ogg: the file is truncated", "Copy or export it again"),
    "truncated mp3": (cut(".mp3"), "cut.mp3: the file is truncated", "Copy or export it again"),
    "no samples": (no_frames, "none.wav", "no samples"),
    "NaN": (holds(torch.nan), "odd.wav: holds NaN or infinity, first at 0.500 s", "replace them by zero"),
    "infinity": (holds(-torch.inf), "odd.wav: holds NaN or infinity, first at 0.500 s", "export the file again"),
    "impossible rate": (odd_rate, "song.wav: its header says 7 samples per second", "export the file again"),
    "a device": (typed("separate /dev/null"), "/dev/null: this is a device", "expected an audio file"),
    "a link to nowhere": (link("gone.wav"), "link.wav: this link leads to gone.wav", "Mend or remove it"),
    "a link in a circle": (link("link.wav"), "link.wav: cannot be opened", ""),
    "a name too long": (typed(f"separate {'x' * 300}.wav"), "xxx.wav: cannot be opened", "name too long"),
    # how and where
    "no song": (typed("separate"), "Missing argument 'song'", "Try 'sepbook separate -h'"),
    "two songs": (typed("separate song.wav song.wav"), "song.wav", "unexpected extra argument"),
    "unknown command": (typed("seperate song.wav"), "seperate", "No such command"),
    "unknown option": (typed("separate song.wav --fromat mp3"), "--fromat", "No such option"),
    "unknown format": (typed("separate song.wav --format aac"), "'aac' is not one of", "'wav', 'flac', 'ogg', 'mp3'"),
    "unknown system": (typed("separate song.wav --system unte"), "'unte'", "did you mean 'unet'"),
    "unknown trained preset": (typed("separate song.wav --preset big"), "preset 'big'", "Choose one of: paper"),
    "unknown device": (typed("separate song.wav --device tpu"), "'tpu' is unknown", "choose one of auto, cpu"),
    "a device not here": (
        typed(f"separate song.wav --device {MISSING_DEVICE}"), f"'{MISSING_DEVICE}' is not available", "there is: ",
    ),
    "too much overlap": (lambda p: separate("song.wav", "--overlap", "0.9"), "overlap is 0.9", "choose 0 to 0.5"),
    "negative overlap": (lambda p: separate("song.wav", "--overlap", "-1"), "overlap is -1.0", "choose 0 to 0.5"),
    "no chunk": (lambda p: separate("song.wav", "--chunk-seconds", "0"), "chunk_seconds is 0.0", "for example 30"),
    "NaN chunk": (lambda p: separate("song.wav", "--chunk-seconds", "nan"), "chunk_seconds is nan", "for example 30"),
    "a word for a number": (typed("separate song.wav --overlap much"), "--overlap", "Invalid value"),
    "out below a file": (lambda p: [*separate("song.wav"), "-o", "song.wav/out"], "song.wav/out", "another place"),
    "out is a file": (lambda p: [*separate("song.wav"), "-o", "song.wav"], "song.wav: no folder", "(this is a file)"),
    "a stem is there": (existing_stem, "out/drums.wav: exists already", "--overwrite"),
    "a stem is a folder": (stem_is_folder, "out/bass.wav: this is a folder", "expected the name of a file"),
    "the song is a stem": (song_is_stem, "vocals.wav: this is the file to separate", "choose another folder"),
    "eight channels as mp3": (many_channels_as_mp3, ".mp3 holds 1 to 2", "save as .wav"),
    "96 kHz as mp3": (high_rate_as_mp3, "vocals.mp3: MP3 has no rate of 96000 Hz", "Save as .flac"),
    # weights
    "missing weights": (typed("separate song.wav --weights no.safetensors"), "no.safetensors: there is no", "end in"),
    "weights are a folder": (typed("separate song.wav --weights data"), "data: there is no such file", ".safetensors"),
    "empty weights": (weights(b""), "bad.safetensors: not a readable", "truncated"),
    "truncated weights": (half_weights, "bad.safetensors: not a readable", "truncated"),
    "weights are text": (weights(TEXT), "bad.safetensors: not a readable", "damaged"),
    "weights are audio": (typed("separate song.wav --weights song.wav"), "song.wav: not a readable", "damaged"),
    "weights are a pickle": (weights(pickle.dumps({"w": 1})), "bad.safetensors", "a pickle"),
    "weights are torch.save": (torch_pickle, "bad.safetensors", "could run code when opened"),
    "foreign weights": (foreign_weights, "bad.safetensors", "not written by sepbook"),
    "weights of another system": (other_system, "talkers.safetensors: holds the weights of system 'talkers'", "'unet'"),
    "weights of an unknown system": (changed(system="ufo"), "bad.safetensors: its header", "'ufo' is unknown"),
    "weights of an unknown preset": (changed(preset="ufo"), "bad.safetensors: its header", "'ufo' is unknown"),
    "weights with an unknown field": (changed(config={"ufo": 1}), "bad.safetensors: its header", "'ufo' is unknown"),
    "weights of a future format": (changed(format=99), "bad.safetensors", "not written by sepbook"),
    "a weight is missing": (
        changed({"network.encoder.0.conv.bias": None}), "bad.safetensors", "'network.encoder.0.conv.bias'",
    ),
    "a weight is too much": (changed({"extra": torch.ones(1)}), "bad.safetensors: holds a weight 'extra'", "not have"),
    "a weight has another shape": (
        changed({"network.encoder.0.conv.bias": torch.ones(5)}), "encoder.0.conv.bias' is (5,)", "expects (4,)",
    ),
    "a weight is NaN": (
        changed({"network.encoder.0.conv.bias": torch.full((4,), torch.nan)}), "encoder.0.conv.bias' holds NaN", "run",
    ),
    # data
    "missing data": (lambda p: train("--data", "dta"), "dta: there is no such folder", "Expected: ROOT/train/TRACK"),
    "data is a file": (lambda p: train("--data", "song.wav"), "song.wav: this is a file", "Expected: ROOT/train"),
    "no such split": (typed("evaluate --data data --split best"), "no folder for the split 'best'", "found: test"),
    "no splits": (flat, "flat: has no folder for the split 'train'", "songs lie there directly"),
    "an empty track": (data(lambda t: [f.unlink() for f in t.iterdir()]), "data/train: no track", "Expected: ROOT"),
    "a missing stem": (lambda p: shutil.copytree("data/train/tune", "data/train/two") and
                       (p / "data/train/two/bass.wav").unlink() or train(),
                       "data/train/two: the stem 'bass' is missing", "Add the file"),
    "a stem twice": (data(lambda t: shutil.copy(t / "bass.wav", t / "bass.flac")), "two files for one stem", "Remove"),
    "a stem is text": (data(lambda t: (t / "bass.wav").write_bytes(TEXT)), "bass.wav: not a readable", "ffmpeg"),
    "a stem is empty": (data(lambda t: (t / "bass.wav").write_bytes(b"")), "bass.wav: the file is empty", "again"),
    "a stem holds NaN": (data(with_nan), "bass.wav: holds NaN", "export the file again"),
    "a stem links nowhere": (
        data(lambda t: ((t / "bass.wav").unlink(), os.symlink("no", t / "bass.wav"))), "bass.wav: this link", "Mend",
    ),
    "a source that no track has": (
        lambda p: train("--set", 'source_names=["vocals","flute"]'), "missing: flute", "data has only",
    ),
    "an unknown split of the corpus": (typed("evaluate --split best"), "no split 'best'", "choose from train"),
    # training
    "unknown system to train": (typed("train wavenet2"), "'wavenet2' is unknown", "Choose one of"),
    "unknown preset": (lambda p: train("--preset", "large"), "'large' is unknown", "Choose one of"),
    "unknown field": (lambda p: train("--set", "hops=3"), "'hops' is unknown", "did you mean 'hop'"),
    "a field without value": (lambda p: train("--set", "hop"), "--set hop: expected FIELD=VALUE", "--set hop=512"),
    "a word for a field": (lambda p: train("--set", "hop=few"), "--set hop=few", "'hop=256'"),
    "a list that is a word": (
        lambda p: train("--set", "source_names=vocals"), "--set source_names=vocals", '=["vocals","drums"',
    ),
    "an impossible field": (lambda p: train("--set", "hop=4096"), "hop is 4096", "hop must lie between"),
    "a negative kernel": (lambda p: train("--set", "kernel=-2"), "kernel=-2", "1 or more, like 5"),
    "no layers": (lambda p: train("--set", "widths=[]"), "widths=[]", "at least one entry"),
    "an attribute of all objects": (lambda p: train("--set", "__class__=1"), "'__class__' is unknown", "Choose one of"),
    "a field of our own code": (lambda p: train("--set", "preset=x"), "'preset' is unknown", "Choose one of"),
    "no convolutions": (lambda p: train("--set", "convolutions=-3"), "convolutions=-3", "1 or more, like 1"),
    "endless convolutions": (lambda p: train("--set", "convolutions=10000000"), "convolutions=10000000", "too large"),
    "a width beyond memory": (lambda p: train("--set", "widths=[1000000000]"), "weights", "too large"),
    "a window beyond memory": (lambda p: train("--set", "n_fft=1000000000"), "n_fft is 1000000000", "for example 1024"),
    "a share that is none": (lambda p: train("--set", "dropout=NaN"), "dropout=NaN", "a number, like 0"),
    "a name that is a way": (lambda p: train("--set", 'source_names=["../x"]'), "'../x'", "choose one like 'vocals'"),
    "two names that are one": (lambda p: train("--set", 'source_names=["a","A"]'), "'A' cannot be told", "a file"),
    "no steps": (lambda p: train("--steps", "0"), "--steps", "Invalid value"),
    "no batch": (lambda p: train("--batch-size", "0"), "--batch-size", "Invalid value"),
    "negative seed": (lambda p: train("--seed", "-1"), "--seed", "Invalid value"),
    "no seconds": (lambda p: train("--seconds", "0"), "seconds=0.0", "expected a positive number"),
    "NaN seconds": (lambda p: train("--seconds", "nan"), "seconds=nan", "expected a positive number"),
    "no learning rate": (lambda p: train("--learning-rate", "0"), "--learning-rate 0.0", "for example 0.002"),
    "NaN learning rate": (lambda p: train("--learning-rate", "nan"), "--learning-rate nan", "for example 0.002"),
    "run below a file": (lambda p: train("--out", "song.wav/run"), "song.wav/run: no folder", "another place"),
    "a run is there": (used_run, "run: already holds a training run", "resume it"),
    "resumed with another seed": (resumed_with("--seed", "7"), "seed=0, but now seed=7", "another folder"),
    "resumed as another network": (resumed_with("--set", "hop=8"), "hop=16, but now hop=8", "another folder"),
    "resumed from a damaged file": (damaged_run, "run/last.safetensors: not a readable", "truncated"),
    # shapes
    "unknown system to trace": (typed("shapes unte"), "'unte' is unknown", "did you mean 'unet'"),
    "nothing to trace": (typed("shapes unet --seconds 0"), "--seconds 0.0", "for example 3"),
    "infinite length": (typed("shapes unet --seconds inf"), "--seconds inf", "for example 3"),
    "negative depth": (typed("shapes unet --depth -1"), "--depth", "Invalid value"),
}  # fmt: skip


def tree(place):
    """Every file with its content, to see that nothing came, went or changed."""
    return {p: p.read_bytes() for p in sorted(place.rglob("*")) if p.is_file()}


@pytest.mark.parametrize("kind", REFUSED)
def test_refused(place, capsys, kind):
    prepare, culprit, mend = REFUSED[kind]
    words = prepare(place)
    before = tree(place)
    capsys.readouterr()
    code = main(words)
    out, err = capsys.readouterr()
    assert code == 2, err
    assert culprit in err and mend in err
    assert out == "" and "Traceback" not in err
    lines = [line for line in err.splitlines() if not line.startswith("sepbook: note: ")]
    assert len(lines) == 1 or lines[0].startswith("Usage: "), "one line, or the usage and one line"
    assert tree(place) == before, "nothing is left and nothing is lost"


def test_there_are_enough_kinds():
    assert len(REFUSED) >= 60


def test_the_corpus_may_be_missing(place, capsys, monkeypatch):
    monkeypatch.setattr(corpus, "ROOT", place / "nowhere")
    assert main(["evaluate", "--weights", "tiny.safetensors"]) == 2
    err = capsys.readouterr().err
    assert "built-in corpus is not at" in err and "Install sepbook again" in err


HANDLED = {
    "silent": (torch.zeros(1, RATE), RATE),
    "one sample": (torch.full((1, 1), 0.5), RATE),
    "eight channels": (sound(8), RATE),
    "8 kHz": (sound(2), 8000),
    "192 kHz": (sound(1, 50_000), 192_000),
    "louder than full scale": (10 * sound(1), RATE),
    "a constant": (torch.ones(1, RATE), RATE),
}


@pytest.mark.parametrize("kind", HANDLED)
@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_handled(place, capsys, kind, suffix):
    samples, rate = HANDLED[kind]
    audio.save("odd.wav", samples, rate)
    assert main([*separate("odd.wav"), "--format", suffix]) == 0, capsys.readouterr().err
    for stem in STEMS:
        found, found_rate = audio.load(f"out/{stem}.{suffix}")
        assert found_rate == rate and found.shape == samples.shape
        assert found.isfinite().all()
        if kind == "silent":
            assert (found == 0).all()


def test_handled_names(place, capsys):
    """Spaces, letters of other alphabets, a name as long as the disk allows, a dash in front."""
    for name in ("mein schönes Lied.wav", "歌.wav", "x" * 251 + ".wav", "-song.wav"):
        shutil.copy("song.wav", name)
        assert main([*separate(), "-o", f"out of {name[:9]}", "--", name]) == 0, capsys.readouterr().err
