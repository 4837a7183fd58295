"""The player's Python side: what it accepts, what it writes, and what it hands to its two hosts."""

import gzip
import html
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

import sepbook.widgets
from sepbook import audio
from sepbook.plots import COLOURS
from sepbook.widgets._content import build, encode
from sepbook.widgets._picture import power_spectrogram
from sepbook.widgets._versions import CEILING, Version, headroom
from sepbook.widgets.player import PlayerError, player, player_html

RATE = 16000
WIDGET = "application/vnd.jupyter.widget-view+json"
WIDGETS = Path(sepbook.widgets.__file__).parent
NOISE = torch.rand(1, RATE, generator=torch.Generator().manual_seed(0)) - 0.5


def decoded(data):
    """Return samples `(C, N)` of the bytes of a sound file."""
    return soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)[0].T


def data_of(element):
    """Return what ``host.js`` reads from the element."""
    return json.loads(html.unescape(re.search(r'data-player="([^"]*)"', element)[1]))


def test_importing_the_player_loads_nothing_heavy():
    code = (
        "import sys, sepbook.widgets.player; print([m for m in ('torch', 'anywidget', 'librosa') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_sounds_survive_the_way_into_the_files(slow, song):
    spec, files = slow.content
    for version in spec["versions"]:
        for clip in version["clips"]:
            content = song[version["name"]]
            given = (content if version["whole"] else content[clip["row"]]).numpy()
            heard = decoded(files[clip["audio"]])
            assert heard.shape == given.shape  # no delay, no padding
            scale = (heard * given).sum() / (given**2).sum()
            assert np.abs(heard - scale * given)[:, 2000:-2000].max() < 0.02 * np.abs(given).max()


def test_rows_put_whole_sounds_first_and_keep_the_order_of_stems(song):
    spec, _ = player({}, RATE, groups={name: song[name] for name in ("estimates", "true stems", "mixture")}).content
    assert [row["name"] for row in spec["rows"]] == ["mixture", "vocals", "drums", "bass", "other"]
    assert [version["name"] for version in spec["versions"]] == ["estimates", "true stems", "mixture"]
    assert spec["seconds"] == 20.0 and spec["rows"][0]["whole"] and not spec["rows"][1]["whole"]


def test_rows_have_the_colours_of_the_figures(song):
    spec, _ = player({**song["true stems"], "mixture": song["mixture"]}, RATE).content
    assert {row["name"]: row["colour"] for row in spec["rows"]} == COLOURS


def test_the_scripts_of_a_page_stay_small():
    sources = [
        path.read_bytes()
        for path in WIDGETS.glob("*")
        if path.suffix in (".js", ".css") and path.name.startswith(("player", "host"))
    ]
    assert len(gzip.compress(b"".join(sources))) < 12_000


def test_stems_are_a_version_beside_the_groups(song):
    made = player(song["estimates"], RATE, groups={"true stems": song["true stems"]}, name="estimates")
    assert [version.name for version in made.versions] == ["estimates", "true stems"]


def test_a_mixture_among_stems_does_not_sound_on_top_of_them(song):
    made = player({"mixture": song["mixture"], **song["true stems"]}, RATE)
    assert [(version.name, version.whole) for version in made.versions] == [("mixture", True), ("stems", False)]
    assert not player({"mixture": song["mixture"]}, RATE).versions[0].whole


def test_loudness_is_measured_on_what_is_played(slow):
    spec, files = slow.content
    differences = []
    for version in spec["versions"]:
        heard = [torch.from_numpy(decoded(files[clip["audio"]])) for clip in version["clips"]]
        differences += [c["loudness"] - audio.loudness(x, RATE) for c, x in zip(version["clips"], heard, strict=True)]
        differences.append(version["loudness"] - audio.loudness(sum(heard), RATE))
    assert np.ptp(differences) < 0.2  # the encoder may turn all of them down alike, and then the match holds
    assert abs(np.mean(differences)) < 0.6


@settings(max_examples=50, deadline=None)
@given(arrays(np.float32, (4, 1, 8), elements=st.floats(-4, 4, width=32)), st.integers(1, 15))
def test_no_choice_of_stems_can_clip(stems, chosen):
    clips = {str(index): stem for index, stem in enumerate(stems)}
    factor = headroom([Version("stems", False, clips)])
    subset = [stem for index, stem in enumerate(stems) if chosen >> index & 1]
    assert np.abs(factor * sum(subset)).max() <= CEILING + 1e-5
    assert factor <= 1


def test_loud_stems_come_down_together():
    stems = {"a": 3 * NOISE, "b": -2 * NOISE.flip(1)}
    spec, files = player(stems, RATE).content
    heard = [spec["gain"] * decoded(files[clip["audio"]]) for clip in spec["versions"][0]["clips"]]
    assert spec["gain"] < 1  # noise leaves the encoder with higher peaks
    assert max(np.abs(sound).max() for sound in [*heard, sum(heard)]) <= 1.00001
    assert np.linalg.norm(heard[0]) / np.linalg.norm(heard[1]) == pytest.approx(1.5, rel=0.01)


def test_quiet_stems_are_not_turned_up_or_down():
    assert headroom([Version("stems", False, {"a": np.full((1, 5), 0.1), "b": np.full((1, 5), -0.5)})]) == 1


def test_mono_and_stereo_play_together():
    stereo = torch.cat([NOISE, -NOISE])
    spec, files = player({"mono": NOISE, "stereo": stereo}, RATE).content
    assert [decoded(files[clip["audio"]]).shape for clip in spec["versions"][0]["clips"]] == [(1, RATE), (2, RATE)]


@pytest.mark.parametrize("rate", [8000, 11025, 44100, 192_000, np.int64(16000), 16000.0])
def test_common_and_uncommon_rates(rate):
    spec, files = player({"a": NOISE[:, :4000]}, rate).content
    assert spec["rate"] == int(rate) and spec["seconds"] == pytest.approx(4000 / rate)
    assert json.loads(json.dumps(spec)) == spec
    data = next(data for name, data in files.items() if name.endswith(".mp3"))
    assert soundfile.info(io.BytesIO(data)).duration == pytest.approx(4000 / rate, abs=1e-3)


@pytest.mark.parametrize("samples", [torch.zeros(1, RATE), torch.full((1, 1), 0.5), torch.zeros(2, 1)])
def test_silence_and_single_samples_are_played(samples):
    spec, files = player({"vocals": samples}, RATE).content
    clip = spec["versions"][0]["clips"][0]
    assert spec["seconds"] == samples.shape[1] / RATE and len(decoded(files[clip["audio"]])[0]) == samples.shape[1]
    if not samples.any():
        assert clip["loudness"] is None
        assert np.asarray(Image.open(io.BytesIO(files[clip["picture"]])).convert("RGBA"))[..., 3].max() == 0


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_and_gradients(kind):
    samples = NOISE.to(kind).requires_grad_()
    assert player({"a": samples, "b": NOISE[0].numpy()}, RATE).versions[0].clips["a"].dtype == np.float32


@pytest.mark.parametrize("seconds, stems", [(20, 4), (40, 2), (5, 4), (20, 1)])
def test_the_first_play_is_light_and_short_sounds_keep_all_bits(seconds, stems):
    noise = torch.randn(1, seconds * RATE, generator=torch.Generator().manual_seed(1)) / 8
    spec, files = player({str(stem): noise.roll(stem) for stem in range(stems)}, RATE).content
    sizes = [len(files[clip["audio"]]) for clip in spec["versions"][0]["clips"]]
    assert sum(sizes) <= 400_000
    if seconds * stems <= 40:
        assert min(sizes) > 0.9 * seconds * 64_000 / 8


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 96000])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_long_piece_of_any_kind_is_encoded(rate, channels):
    samples = np.zeros((channels, 1000), np.float32)
    assert encode(samples, rate, together=10_000)[1] == "mp3"


def test_the_picture_says_its_frequencies():
    assert player({"a": NOISE}, RATE).content[0]["hertz"] == [60, 8000]
    assert player({"a": NOISE[:, :999]}, 1000).content[0]["hertz"] == [60, 500]


BAD = {
    "nothing": ({}, "nothing to play"),
    "no dictionary": (torch.zeros(4, 1, 8), r"stems must be a dictionary.*\(4, 1, 8\).*dict\(zip"),
    "a batch": ({"vocals": torch.zeros(1, 1, 8)}, r"\(C, N\).*'vocals'.*\(1, 1, 8\)"),
    "no samples": ({"vocals": torch.zeros(1, 0)}, r"\(C, N\).*'vocals'"),
    "many channels": ({"bass": torch.zeros(8, 100)}, r"'bass'.*\(8, 100\).*remix"),
    "turned": ({"bass": torch.zeros(100, 2)}, r"'bass'.*\(N, C\).*\.T"),
    "integers": ({"bass": np.zeros((1, 9), np.int16)}, "'bass'.*int16.*32768"),
    "integer tensor": ({"bass": torch.zeros(1, 9, dtype=torch.int16)}, "'bass'.*int16"),
    "a word": ({"bass": "loud"}, "'bass'.*str"),
    "not a number": ({"drums": torch.tensor([[0.0, float("nan"), 1]])}, "'drums'.*1 value.*sample 1.*nan"),
    "infinite": ({"drums": torch.tensor([[0.0, 1, float("-inf")]])}, "'drums'.*sample 2.*-inf"),
    "two lengths": ({"vocals": torch.zeros(1, 8), "drums": torch.zeros(1, 9)}, "vocals has 8.*drums has 9"),
    "too long": ({"vocals": torch.zeros(1, 400 * RATE)}, "400 s.*at most 300 s.*excerpt"),
}


@pytest.mark.parametrize("stems, message", BAD.values(), ids=BAD)
def test_errors_say_what_and_how_to_mend_it(stems, message):
    with pytest.raises(PlayerError, match="(?s)" + message):
        player(stems, RATE)


@pytest.mark.parametrize("rate", [0, -1, None, "16000", True, float("nan")])
def test_errors_name_the_rate(rate):
    with pytest.raises(PlayerError, match="rate is the number of samples per second"):
        player({"a": NOISE}, rate)


def test_errors_in_groups_name_the_group(song):
    with pytest.raises(PlayerError, match="true stems: vocals has 5"):
        player(song["estimates"], RATE, groups={"true stems": {"vocals": torch.zeros(1, 5)}})
    with pytest.raises(PlayerError, match="The group 'true stems' is empty"):
        player(song["estimates"], RATE, groups={"true stems": {}})
    with pytest.raises(PlayerError, match="same name"):
        player(song["estimates"], RATE, groups={"stems": song["true stems"]})


def test_a_tone_lies_where_its_frequency_is():
    time = np.arange(4 * RATE) / RATE
    rows = [power_spectrogram(np.sin(2 * np.pi * hertz * time), RATE).mean(1).argmax() for hertz in (120, 1000, 6000)]
    assert rows == [37, 18, 2]  # 44 rows from 60 Hz to 8 kHz, evenly spaced in octaves, the highest on top


def test_pictures_are_small_even_for_noise(song):
    spec, files = build(player({"a": NOISE.repeat(1, 20)}, RATE).versions, RATE, "")
    assert len(files[spec["versions"][0]["clips"][0]["picture"]]) < 15_000


def test_the_book_gets_files_and_an_element(song, tmp_path, monkeypatch):
    monkeypatch.setenv("SEPBOOK_BOOK", "1")
    monkeypatch.setenv("SEPBOOK_BOOK_AUDIO", str(tmp_path / "audio"))
    monkeypatch.setenv("SEPBOOK_BOOK_FIGURES", str(tmp_path / "figures"))
    bundle = player({}, RATE, title="<Slow> & “low”", groups=song)._repr_mimebundle_()
    assert list(bundle) == ["text/html"]
    element = bundle["text/html"]
    data = data_of(element)
    assert data["spec"]["title"] == "<Slow> & “low”" and "<Slow>" not in element
    for name, address in data["files"].items():
        kind = "audio" if name.endswith("mp3") else "figures"
        assert address == f"{{{{SEPBOOK_STATIC}}}}/{kind}/{name}" and (tmp_path / kind / name).stat().st_size
    assert element.count('<audio controls preload="none"') == 9 and "base64" not in element
    assert 'aria-label="vocals (estimates)"' in element and 'aria-label="mixture"' in element


def test_equal_sounds_give_equal_files_and_keep_no_halves(song, tmp_path):
    pages = [player_html(song["true stems"], RATE, audio=tmp_path, figures=tmp_path) for _ in range(2)]
    assert pages[0] == pages[1]
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".mp3"] * 4 + [".png"] * 4


def test_without_folders_the_book_is_told(monkeypatch):
    monkeypatch.delenv("SEPBOOK_BOOK_AUDIO", raising=False)
    with pytest.raises(RuntimeError, match="SEPBOOK_BOOK_AUDIO"):
        player_html({"a": NOISE}, RATE)


def test_a_notebook_gets_a_widget_with_the_same_data(song, tmp_path, monkeypatch):
    monkeypatch.delenv("SEPBOOK_BOOK", raising=False)
    made = player({}, RATE, groups=song)
    assert "content" not in vars(made)  # nothing is encoded before it is shown
    bundle = made._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert data[WIDGET]["model_id"] == made.widget.model_id and "text/html" not in data
    spec, files = made.content
    assert made.widget.spec == spec and made.widget.files == files
    on_page = data_of(made.html(tmp_path, tmp_path))
    assert on_page["spec"] == spec and set(on_page["files"]) == set(files)


def test_where_mp3_is_missing_wav_is_used(monkeypatch):
    formats = {name: text for name, text in soundfile.available_formats().items() if name != "MP3"}
    monkeypatch.setattr(soundfile, "available_formats", lambda: formats)
    spec, files = player({"a": NOISE}, RATE).content
    name = spec["versions"][0]["clips"][0]["audio"]
    assert name.endswith(".wav") and np.abs(decoded(files[name]) - NOISE.numpy()).max() < 1e-4


def test_repr_says_what_it_holds(slow):
    text = repr(slow)
    assert "Slow" in text and "estimates: vocals, drums, bass, other" in text
