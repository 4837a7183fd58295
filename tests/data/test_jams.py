"""JAMS files are read without Scaper, and what is broken in one is said in words; Scaper makes their sound again."""

import copy
import json
from pathlib import Path

import pytest
import torch

from sepbook import audio, compat
from sepbook.data import jams
from sepbook.data.jams import JamsError

EVENT = {
    "label": "dog",
    "source_file": "/far/away/dog/rex.wav",
    "source_time": 1.5,
    "event_time": 0.25,
    "event_duration": 2.0,
    "snr": -3,
    "role": "foreground",
    "pitch_shift": None,
    "time_stretch": 0.5,
}
SCAPER = {"duration": 4.0, "sr": 16000, "n_channels": 1, "ref_db": -20}
CONTENT = {
    "annotations": [
        {"namespace": "beat", "data": []},
        {
            "namespace": "scaper",
            "data": [{"time": 0.25, "duration": 1.0, "value": EVENT, "confidence": 1.0}],
            "sandbox": {"scaper": SCAPER},
        },
    ]
}


def write(path, content=CONTENT):
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_an_annotation_is_read(tmp_path):
    found = jams.read(write(tmp_path / "a.jams"))
    (event,) = found.events
    assert (found.seconds, found.sample_rate, found.channels, found.reference) == (4.0, 16000, 1, -20.0)
    assert (event.label, event.role, event.source_file) == ("dog", "foreground", Path("/far/away/dog/rex.wav"))
    assert (event.start, event.seconds, event.end) == (0.25, 1.0, 1.25)
    assert (event.source_time, event.source_seconds, event.snr) == (1.5, 2.0, -3.0)
    assert event.pitch_shift is None and event.time_stretch == 0.5


def without(*keys):
    content = copy.deepcopy(CONTENT)
    place = content["annotations"][1]
    for key in keys[:-1]:
        place = place[key]
    del place[keys[-1]]
    return content


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (json.dumps(CONTENT)[:200], "not valid JSON.*Copy the file again"),
        ("", "not valid JSON"),
        ("[1, 2]", "no list 'annotations'"),
        ('{"annotations": 7}', "no list 'annotations'"),
        ({"annotations": []}, "no soundscape by Scaper, but nothing"),
        ({"annotations": CONTENT["annotations"][:1]}, "no soundscape by Scaper, but beat"),
        (without("sandbox"), "incomplete.*'sandbox'"),
        (without("sandbox", "scaper", "sr"), "incomplete.*'sr'"),
        (without("data", 0, "time"), "incomplete.*'time'"),
        (without("data", 0, "value"), "incomplete.*'value'"),
        (without("data", 0, "value", "source_file"), "event 0 lacks the field 'source_file'"),
        (without("data", 0, "value", "snr"), "event 0 lacks the field 'snr'"),
    ],
)
def test_a_broken_file_is_explained(tmp_path, content, words):
    with pytest.raises(JamsError, match=rf"(?s)a\.jams.*{words}"):
        jams.read(write(tmp_path / "a.jams", content))


def test_a_file_that_is_not_there_or_no_text_is_explained(tmp_path):
    with pytest.raises(JamsError, match=r"b\.jams: cannot be read"):
        jams.read(tmp_path / "b.jams")
    (tmp_path / "c.jams").write_bytes(b"\xff\xfe\x00RIFF")
    with pytest.raises(JamsError, match="not valid JSON"):
        jams.read(tmp_path / "c.jams")


def test_a_sound_that_is_gone_is_named_before_scaper_is_asked(tmp_path):
    with pytest.raises(JamsError, match="event 0, /far/away/dog/rex.wav, is not there.*foreground="):
        jams.replay(write(tmp_path / "a.jams"))
    with pytest.raises(JamsError, match="event 0, .*dog.rex.wav, is not there"):
        jams.replay(tmp_path / "a.jams", foreground=tmp_path)


def test_a_soundscape_without_events_is_explained(tmp_path):
    with pytest.raises(JamsError, match="holds no events"):
        jams.replay(write(tmp_path / "a.jams", without("data", 0)))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # those of pandas and others
def test_what_scaper_cannot_make_is_said_in_one_line(tmp_path):
    audio.save(tmp_path / "dog" / "rex.wav", torch.zeros(1, 64000), 16000)
    with pytest.raises(JamsError, match=r"a\.jams: Scaper cannot make its sound \(SchemaError: [^\n]+\)\.$"):
        jams.replay(write(tmp_path / "a.jams"), foreground=tmp_path)


def scene(folder):
    """A soundscape by Scaper itself, of two events over a background, written to a JAMS file; its mixture and parts."""
    generator = torch.Generator().manual_seed(0)
    for name in ("fg/dog/rex", "fg/cat/tom", "bg/rain/long"):
        audio.save(folder / f"{name}.wav", 0.1 * torch.randn(1, 64000, generator=generator), 16000)
    maker = compat.scaper().Scaper(3.0, str(folder / "fg"), str(folder / "bg"), random_state=0)
    maker.sr, maker.ref_db = 16000, -30
    maker.add_background(("const", "rain"), ("choose", []), ("uniform", 0, 1))
    for name in ("dog", "cat"):
        place = ("const", name), ("choose", []), ("uniform", 0, 2), ("uniform", 0, 2), ("uniform", 0.5, 1)
        maker.add_event(*place, ("normal", 6, 1), ("uniform", -2, 2), ("uniform", 0.8, 1.2))
    mixture, _, _, parts = maker.generate(jams_path=str(folder / "a.jams"))
    return jams.samples(mixture), torch.stack([jams.samples(part) for part in parts])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_soundscape_is_made_again_and_is_the_sum_of_its_parts(tmp_path):
    mixture, parts = scene(tmp_path)
    again, sources, found = jams.replay(tmp_path / "a.jams")
    torch.testing.assert_close(again, mixture, atol=1e-6, rtol=0)
    torch.testing.assert_close(sources, parts, atol=1e-6, rtol=0)
    torch.testing.assert_close(sources.sum(0), mixture, atol=1e-6, rtol=0)
    assert [event.role for event in found.events] == ["background", "foreground", "foreground"]
    for event, source in zip(found.events, sources, strict=True):
        heard = source[0].abs() > 1e-3
        assert abs(int(heard.nonzero()[0]) / 16000 - event.start) < 0.02, "it begins where the annotation says"
        assert abs(int(heard.nonzero()[-1]) / 16000 - min(event.end, 3.0)) < 0.05, "and ends there"
        loudness = audio.loudness(source[:, heard], 16000)
        assert abs(loudness - found.reference - event.snr) < 1, "its SNR is its loudness above the reference"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_soundscape_is_made_again_where_its_sounds_have_moved(tmp_path):
    mixture, _ = scene(tmp_path)
    (tmp_path / "fg").rename(tmp_path / "front")
    (tmp_path / "bg").rename(tmp_path / "back")
    with pytest.raises(JamsError, match="event 0, .*is not there"):
        jams.replay(tmp_path / "a.jams")
    again, _, _ = jams.replay(tmp_path / "a.jams", tmp_path / "front", tmp_path / "back")
    torch.testing.assert_close(again, mixture, atol=1e-6, rtol=0)
