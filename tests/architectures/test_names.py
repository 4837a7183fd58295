"""Where names that become files, and formats that a sound can have, end."""

import pytest

from sepbook.architectures._names import check_format, check_source_names


@pytest.mark.parametrize(("rate", "channels"), [(100, 1), (768_000, 1), (16_000, 64)])
def test_the_last_formats_that_a_sound_can_have(rate, channels):
    check_format(rate, channels)


@pytest.mark.parametrize(
    ("rate", "channels", "words"),
    [
        (99, 1, "sample_rate is 99; expected 100 to 768000 Hz"),
        (768_001, 1, "sample_rate is 768001"),
        (float("nan"), 1, "sample_rate is nan"),
        (16_000, 0, "channels is 0; expected 1 to 64"),
        (16_000, 65, "channels is 65"),
    ],
)
def test_the_first_formats_that_it_cannot_have(rate, channels, words):
    with pytest.raises(ValueError, match=words):
        check_format(rate, channels)


DEVICES = ["con", "prn", "aux", "nul", "conin$", "conout$"]
DEVICES += [f"{port}{number}" for port in ("com", "lpt") for number in range(10)]


@pytest.mark.parametrize("name", DEVICES)
def test_every_device_of_windows_is_kept(name):
    for form in (name, name.upper(), f"{name}.x", f"{name} .x"):
        with pytest.raises(ValueError, match="is kept for a device by Windows"):
            check_source_names(["vocals", form])


def test_what_only_begins_like_a_device_is_free():
    names = ("com", "lpt", "com10", "lpt10", "con1", "console", "x.con", "null")
    assert check_source_names(names) == names
