"""The voices of the corpus: who speaks in which split, and what happens between an engine and a sung line.

No engine is needed here: not flite, not Festival, not the environment of Kokoro.
"""

import itertools
import re
import subprocess
import tomllib
from pathlib import Path

import numpy as np
import pytest

from tools.corpus import engines, licenses, noise, palette, phones, samples, sentences, speakers, talkers, voice
from tools.corpus.engines import cache, environment, errors, festival, flite, ipa, kokoro, quiet, recorded
from tools.corpus.phones import PAUSE, Phone
from tools.corpus.speakers import CROWD, MORE, SAME, SPEAKERS, SPLITS

pytestmark = pytest.mark.filterwarnings("ignore:pkg_resources is deprecated")


def test_a_base_voice_is_in_one_split():
    names = [(s.engine, s.voice) for s in SPEAKERS.values()]
    assert len(set(names)) == len(names), "two speakers use one voice"
    assert {s.split for s in SPEAKERS.values()} == {*SPLITS, MORE, CROWD}
    split_of = {f"{s.engine} {s.voice}": s.split for s in SPEAKERS.values()}
    for one, other in SAME:
        assert one not in split_of or other not in split_of or split_of[one] == split_of[other], (one, other)


def test_singers_and_talkers_use_the_speakers_of_their_split():
    for split in SPLITS:
        singing = {row[0] for row in palette.SINGERS[split].values()}
        talking = {t.voice for t in talkers.talkers(split)}
        assert singing <= set(speakers.of_split(split, sings=True))
        assert talking == set(speakers.of_split(split))
    assert {row[0] for row in palette.SINGERS["test"].values()} == {"rms", "onyx", "bella", "isabella"}
    assert len({SPEAKERS[t.voice].engine for t in talkers.talkers("test")}) == 3


def test_each_split_has_a_low_man_and_no_singer_leaves_a_singers_range():
    for split in SPLITS:
        rows = palette.SINGERS[split]
        assert min(row[3] for row in rows.values()) <= 43, split
        for name, (base, scale, _, low, top, _, breath) in rows.items():
            spoken = 69 + 12 * np.log2(SPEAKERS[base].f0 * scale / 440)
            assert 40 <= low < top <= 79 and 15 <= top - low <= 19, name
            assert low - 9 <= spoken <= top - 6, f"{name}: speaks at MIDI {spoken:.0f}, sings {low} to {top}"
            assert 0.85 <= scale <= 1.2 and 0 <= breath < 0.2, name


def test_most_test_identities_are_as_they_are():
    test = talkers.talkers("test")
    assert sum(t.natural for t in test) > len(test) / 2
    for split in talkers.PARTS:
        made = talkers.talkers(split)
        assert len(made) == talkers.COUNTS[split] == len({t.name for t in made})
        assert len({(t.voice, t.scale) for t in made}) == len(made), "two mouths alike"
        for index, talker in enumerate(made):
            assert talker.engine != "recorded" or (talker.natural and talker.pace == 1)
            said = talkers.texts(split, index)
            assert len(set(said)) == talkers.UTTERANCES[split]


def test_more_talkers_have_voices_of_their_own_and_the_sentences_of_training():
    more = talkers.talkers(MORE)
    assert {t.voice for t in more} == set(speakers.of_split(MORE)) and len({t.voice for t in more}) > 30
    assert not any(row[0] in speakers.of_split(MORE) for rows in palette.SINGERS.values() for row in rows.values())
    said = {text for index in range(len(more)) for text in talkers.texts(MORE, index)}
    assert said <= set(sentences.SENTENCES["train"]) and len(said) > 40


@pytest.mark.parametrize(
    "tokens, expected",
    [
        ("ɹˈɪŋ ˈaʊt", "r stress ih ng space stress aw t"),
        ("hˈɑːɹbɚ, bˈɛl", "hh stress aa r b er pau space b stress eh l"),
        ("dʒˈʌdʒ tʃˈɜːtʃ", "jh stress ah jh space ch stress er ch"),
        ("fˈaɪə ɹˈəʊ", "f stress ay ax space r stress ow"),
        ("ðə nˈɪɹɚ vjˈuː", "dh ax space n stress ih r er space v y stress uw"),
        ("θɹˈuː bˈɔɪz, ʃˈeɪp jˈɛs", "th r stress uw space b stress oy z pau space sh stress ey p space y stress eh s"),
        ("ʒ ɡ ŋ ɾ ᵻ ɐ ɒ æ", "zh space g space ng space dx space ih space ax space aa space ae"),
    ],
)
def test_ipa_becomes_arpabet(tokens, expected):
    pieces = ipa.split(tokens)
    assert " ".join(kind for *_, kind in pieces) == expected
    assert sum(size for _, size, _ in pieces) == len(tokens)


def test_every_ipa_entry_is_a_phone_that_the_singers_know():
    known = phones.VOWELS | phones.SONORANTS | phones.OBSTRUENTS
    assert set(ipa.IPA.values()) <= known
    assert known - set(ipa.IPA.values()) <= {"axr", "ix", "em", "en", "el", "hv"}, "nothing spells these in IPA"
    for spelled in ipa.IPA:
        assert ipa.split(spelled) == [(0, len(spelled), ipa.IPA[spelled])], spelled


def test_an_unknown_token_is_named():
    with pytest.raises(ValueError, match=r"no ARPAbet name for 'ɮ' \(U\+026E\)"):
        ipa.split("aɮ")


def test_times_are_sums_of_frames():
    tokens = f"{ipa.EDGE}ɹˈɪŋ, bˈɛl mˈiː{ipa.EDGE}"
    frames = [10, 2, 1, 3, 4, 5, 2, 3, 1, 4, 6, 2, 2, 1, 3, 2, 8]
    made = ipa.phones(tokens, frames, 0.025)
    assert [p.name for p in made] == [PAUSE, "r", "ih", "ng", PAUSE, "b", "eh", "l", "m", "iy", PAUSE]
    lengths = [round((p.end - p.start) / 0.025) for p in made]
    assert lengths == [10, 2, 4, 4, 7, 3, 5, 7, 3, 6, 8]  # stress goes on, half of a short space goes either way
    assert made[-1].end == pytest.approx(0.025 * sum(frames))
    assert all(a.end == pytest.approx(b.start) for a, b in itertools.pairwise(made))


def test_phones_come_earlier_by_the_lead_and_the_end_stays():
    tokens = f"{ipa.EDGE}mˈiː{ipa.EDGE}"
    frames = [4, 2, 1, 3, 2, 6]
    plain, early = ipa.phones(tokens, frames, 0.025), ipa.phones(tokens, frames, 0.025, lead=0.045)
    assert early[1].start == pytest.approx(plain[1].start - 0.045)
    assert early[0].start == 0 and early[-1].end == plain[-1].end


def test_a_long_space_is_a_pause():
    made = ipa.phones("ɑː ɑː", [2, 2, ipa.LONGEST_SPACE + 1, 2, 2], 0.025)
    assert [p.name for p in made] == ["aa", PAUSE, "aa"]


def test_counts_must_fit_the_tokens():
    with pytest.raises(ValueError, match="3 tokens and 2 frame counts"):
        ipa.phones("mɑː", [1, 2], 0.025)


def test_festival_segments_become_phones():
    made = festival.read("#\n0.25 100 pau\n0.31 100 r\n0.37 100 ih\n0.44 100 ng\n0.60 100 h#\n")
    assert made[1] == Phone("r", 0.25, 0.31)
    assert [p.name for p in made] == [PAUSE, "r", "ih", "ng", PAUSE]


@pytest.mark.parametrize(
    "names, onsets, codas",
    [
        ("r ih ng aw t", ["r", ""], ["ng", "t"]),
        ("hh aa r b er b eh l", ["hh", "b", "b"], ["r", "", "l"]),
        ("eh k s t r ax", ["", "t r"], ["k s", ""]),
        ("pau m iy pau", ["m"], [""]),
    ],
)
def test_syllables(names, onsets, codas):
    groups = phones.syllables([Phone(n, k / 10, (k + 1) / 10) for k, n in enumerate(names.split())])
    assert [" ".join(p.name for p in onset) for onset, _, _ in groups] == onsets
    assert [" ".join(p.name for p in coda) for _, _, coda in groups] == codas


def test_who_has_no_phone_times_cannot_sing():
    with pytest.raises(ValueError, match="speaker pico has no phones with times: it can talk, and cannot sing"):
        voice.count_syllables("pico", "la la")


def test_unknown_speakers_are_told_who_there_is():
    with pytest.raises(ValueError, match="no speaker 'heart'.*slt, awb"):
        engines.speak("heart", "hello")


def test_the_spoken_part_is_found():
    samples = np.zeros(16000)
    samples[4800:11200] = np.sin(np.arange(6400) / 5)
    pause, speech, end = quiet.spoken_part(samples)
    assert (speech.start, speech.end) == (0.3, 0.7) and pause.start == 0 and end.end == 1
    with pytest.raises(ValueError, match="silent"):
        quiet.spoken_part(np.zeros(16000))


@pytest.mark.parametrize(
    "engine, voice_name, package",
    [(flite, "slt", "flite"), (festival, "ked_diphone", "festvox-kdlpc16k"), (kokoro, "am_onyx", "espeak-ng")],
)
def test_a_missing_program_says_what_to_install(engine, voice_name, package, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(festival, "VOICES", tmp_path / "no" / "voices")
    with pytest.raises(errors.EngineError, match=r"(?s)is missing.*setup.sh apt corpus.*" + package):
        engine.speak(voice_name, "hello", 1.0)


def test_missing_recordings_and_voices_say_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr(recorded, "FOLDER", tmp_path)
    text = talkers.texts("test", 4)[0]
    with pytest.raises(errors.EngineError, match="asterisk-core-sounds-it-g722"):
        recorded.speak("it_IT_m_Carlo", text, 1.0)
    with pytest.raises(ValueError, match="never said"):
        recorded.speak("it_IT_m_Carlo", "buona sera", 1.0)
    monkeypatch.setattr(festival, "VOICES", tmp_path / "voices")
    with pytest.raises(errors.EngineError, match="Festival's voice ked_diphone is missing"):
        festival.speak("ked_diphone", "hello", 1.0)


def test_a_program_that_fails_is_quoted(monkeypatch):
    def fail(command, **_):
        raise subprocess.CalledProcessError(1, command, "", "no such voice")

    monkeypatch.setattr(subprocess, "run", fail)
    with pytest.raises(errors.EngineError, match="flite -voice nobody.*It said: no such voice"):
        flite.speak("nobody", "hello", 1.0)


def test_an_environment_that_cannot_be_made_says_why(monkeypatch, tmp_path):
    monkeypatch.setattr(environment, "ROOT", tmp_path / "env")
    monkeypatch.setattr(environment.sys, "executable", "/bin/false")
    with pytest.raises(errors.EngineError, match=r"(?s)could not be made in .*needs a network"):
        environment.ask([])


def test_what_was_said_is_not_said_again(monkeypatch, tmp_path):
    monkeypatch.setenv("SEPBOOK_SPEECH_CACHE", str(tmp_path))
    said = []

    def speak(name, text, stretch):
        said.append(text)
        return np.linspace(-0.5, 0.5, 1600), (Phone(PAUSE, 0.0, 0.04), Phone("aa", 0.04, 0.1))

    monkeypatch.setattr(flite, "speak", speak)
    first, again = engines.speak("slt", "ah"), engines.speak("slt", "ah")
    assert said == ["ah"] and first[1] == again[1] and np.array_equal(first[0], again[0])
    assert np.abs(first[0] - np.linspace(-0.5, 0.5, 1600)).max() < 1e-4
    engines.speak("slt", "ah", 1.25)
    engines.speak("awb", "ah")
    assert len(said) == 3 and len(list(tmp_path.glob("*.wav"))) == 3
    assert not list(tmp_path.glob("*.tmp")) and cache.folder() == tmp_path


def test_every_voice_of_kokoro_has_a_known_checksum():
    names = {name for _, name in environment.known_checksums()}
    assert names == {f"{s.voice}.bin" for s in SPEAKERS.values() if s.engine == "kokoro"}


def test_the_licences_name_every_speaker_and_every_author():
    text = licenses.text()
    assert "{" not in text
    for name, who in SPEAKERS.items():
        assert f"| {name} | {who.split} | {who.engine} {who.voice} | {who.licence} | {who.source} |" in text
    for needed in ("Carnegie Mellon University", "University of Edinburgh", "hexgrad", "SVOX AG", "Carlo Flora",
                   "Maxim Topal", "creativecommons.org/licenses/by/3.0", "Frank Wen", "synthetic speech"):  # fmt: skip
        assert needed in text, needed
    for author in [*samples.CREDITS, *(each.author for split in noise.RECORDINGS.values() for each in split)]:
        assert f"- {author}" in text, author
    written = Path(__file__).parents[2] / "sepbook/assets/corpus/LICENSES.md"
    assert written.read_text(encoding="utf-8") == text, "make corpus would write another LICENSES.md"


def test_what_rendering_needs_is_pinned_and_is_no_part_of_the_package():
    rows = environment.REQUIREMENTS.read_text(encoding="utf-8").splitlines()
    pins = [row for row in rows if row and not row.startswith("#")]
    assert all(row.count("==") == 1 for row in pins)
    about = tomllib.loads((environment.REQUIREMENTS.parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    of_readers = re.findall(r"[\w-]+", " ".join(about["project"]["dependencies"]))
    engines = [row.split("==")[0] for row in pins]
    assert not [
        name for name in engines if name.startswith(("kokoro", "py-nanotts", "onnxruntime")) and name in of_readers
    ]
    assert not [name for name in engines if name.startswith(("kokoro", "py-nanotts")) and name in str(about)]
