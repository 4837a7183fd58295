"""How long an MP3 is when its header does not say so: the frames are counted.

An MP3 is a row of frames of 1152 or 576 samples. Most files begin with a frame that holds no sound but the number
of all others (Xing, Info or VBRI). Where it is missing, decoders guess the length from the size of the file and the
bit rate of the first frame. That guess is wrong where the bit rate varies.
"""

RATES = (44_100, 48_000, 32_000)  # Hz of MPEG 1; MPEG 2 has half of them, MPEG 2.5 a quarter
KBPS_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
KBPS_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)


def mp3_length(file):
    """Number of samples in an open MP3 file, by counting its frames; None where its header states it.

    Counting ends where a frame is not followed by another, so what comes after the sound does not matter.
    """
    file.seek(0)
    data = file.read()
    at = _after_tag(data)
    if any(name in data[at : at + 512] for name in (b"Xing", b"Info", b"VBRI")):
        return None
    samples = 0
    while frame := _frame(data, at):
        samples, at = samples + frame[0], at + frame[1]
    return samples


def _after_tag(data):
    """Where the first frame begins: after the ID3 tag, whose size is four bytes of seven bits."""
    if data[:3] != b"ID3":
        return 0
    return 10 + sum((byte & 127) << shift for byte, shift in zip(data[6:10], (21, 14, 7, 0), strict=False))


def _frame(data, at):
    """Samples and bytes of the frame at a place; None where there is none."""
    if len(data) < at + 4 or data[at] != 255 or data[at + 1] & 0b1110_0110 != 0b1110_0010:
        return None  # no frame, or not layer III
    version = data[at + 1] >> 3 & 3  # 3: MPEG 1, 2: MPEG 2, 0: MPEG 2.5
    bits, rate = data[at + 2] >> 4, data[at + 2] >> 2 & 3
    if version == 1 or bits in (0, 15) or rate == 3:
        return None
    kbps = (KBPS_1 if version == 3 else KBPS_2)[bits]
    hertz = RATES[rate] // {3: 1, 2: 2, 0: 4}[version]
    samples = 1152 if version == 3 else 576
    return samples, samples // 8 * kbps * 1000 // hertz + (data[at + 2] >> 1 & 1)
