"""Pictures of sound: spectrograms, waveforms, stems and masks.

Taught on: book/foundations/spectrograms
"""

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.ticker import MaxNLocator

from sepbook.plots.style import LEVELS, SHARES, WIDTH, axes, colour, numbers

RANGE = 80  # dB between the loudest and the darkest colour
STEPS = 32  # colours of a scale: 2.5 dB each; more are hardly told apart and make files heavy
CELLS = (128, 280)  # most rows and columns that are drawn in a picture; finer ones would be smaller than a pixel
SMALL_CELLS = (80, 220)  # in one panel of several
MOST_CHANNELS = 8  # of a two-dimensional array: up to here its first axis is C, beyond it is F


def spectrogram(
    samples_or_magnitude,
    rate: float,
    ax=None,
    n_fft: int | None = None,
    hop: int | None = None,
    title: str = "",
    top: float | None = None,
    loudest: float | None = None,
    colorbar: bool = True,
    cells: tuple[int, int] = CELLS,
):
    """Draw levels in dB over time and frequency; returns the axes.

    Takes samples `(N,)` or `(C, N)`, or a spectrogram `(F, T)` or `(C, F, T)`, magnitudes or complex; channels are
    averaged. `rate` is the sample rate in Hz. `n_fft` and `hop` are in samples; by default a window lasts about 50 ms
    and moves by a quarter. `top` is the highest frequency shown, in Hz. 0 dB is the loudest bin, or the magnitude
    `loudest` when several pictures are to be compared.
    Raises ValueError for an array with other axes. Taught on: book/foundations/spectrograms
    """
    magnitude, hop = magnitudes(samples_or_magnitude, rate, n_fft, hop)
    seconds = (magnitude.shape[1] - 1) * hop / rate
    if top:
        magnitude = magnitude[: max(2, round(top / (rate / 2) * len(magnitude)))]
    ax = axes(ax)
    image = ax.imshow(
        levels(magnitude, loudest, cells),
        origin="lower",
        aspect="auto",
        extent=(0, max(seconds, 1 / rate), 0, top or rate / 2),
        cmap=plt.get_cmap(LEVELS, STEPS),
        vmin=-RANGE,
        vmax=0,
        interpolation="nearest",
    )
    ax.set(xlabel="time (s)", ylabel="frequency (Hz)", title=title)
    ax.grid(False)
    if colorbar:
        _colorbar(image, ax, "level (dB)")
    return ax


def magnitudes(sound, rate: float, n_fft: int | None = None, hop: int | None = None) -> tuple[np.ndarray, int]:
    """Return magnitudes `(F, T)` and the hop in samples, from samples or from a spectrogram.

    Taught on: book/foundations/spectrograms
    """
    sound = numbers(sound)
    if not sound.size:
        raise ValueError(f"A picture needs samples or bins, but was given none: {sound.shape}.")
    if sound.ndim == 1:
        sound = sound[None]
    if sound.ndim == 2 and len(sound) <= MOST_CHANNELS:
        n_fft = n_fft or 2 ** max(4, round(np.log2(rate / 20)))
        hop = hop or n_fft // 4
        padded = np.pad(sound, ((0, 0), (n_fft // 2, n_fft // 2 + -sound.shape[1] % hop)))
        frames = np.lib.stride_tricks.sliding_window_view(padded, n_fft, axis=-1)[:, ::hop]  # (C, T, n_fft)
        bins = np.fft.rfft(frames * np.hanning(n_fft + 1)[:-1])  # (C, T, F)
        return np.abs(bins).mean(0).T, hop
    if sound.ndim not in (2, 3):
        raise ValueError(
            f"A picture needs samples (N) or (C, N), or a spectrogram (F, T) or (C, F, T), but was given "
            f"{sound.shape}. Take one item of a batch first: x[0]."
        )
    magnitude = np.abs(sound)
    magnitude = magnitude.mean(0) if sound.ndim == 3 else magnitude
    return magnitude, hop or (len(magnitude) - 1) // 2


def levels(magnitude, loudest: float | None = None, cells: tuple[int, int] = CELLS) -> np.ndarray:
    """Return levels in dB below `loudest` (default: below the largest), `(F, T)`, in at most `cells` cells.

    Taught on: book/foundations/spectrograms
    """
    power = shrink(np.square(magnitude, dtype=np.float64), cells)
    reference = max(power.max() if loudest is None else loudest**2, 1e-200)  # of silence too
    return 10 * np.log10(np.maximum(power / reference, 10 ** (-RANGE / 10)))


def shrink(values: np.ndarray, cells: tuple[int, int] = CELLS) -> np.ndarray:
    """Average neighbours until at most `cells` (rows, columns) are left.

    Taught on: book/foundations/spectrograms
    """
    for axis, most in enumerate(cells):
        if values.shape[axis] > most:
            edges = np.linspace(0, values.shape[axis], most + 1).round().astype(int)
            counts = np.diff(edges).reshape((-1, 1) if axis == 0 else (1, -1))
            values = np.add.reduceat(values, edges[:-1], axis=axis) / counts
    return values


def waveform(samples, rate: float, ax=None, name: str = "", columns: int = 700):
    """Draw samples `(N,)` or `(C, N)` over time; returns the axes.

    Channels are averaged. A long sound is drawn as its envelope, from the smallest to the largest sample of each
    column. `name` gives a source its colour. Raises ValueError for other axes or no samples.
    Taught on: book/foundations/spectrograms
    """
    samples = np.atleast_2d(numbers(samples))
    if np.iscomplexobj(samples):
        raise ValueError("A waveform has real samples, but complex numbers were given. Draw bins with spectrogram.")
    if samples.ndim != 2 or not samples.size:
        raise ValueError(f"A waveform needs samples (N) or (C, N) with N of at least 1, but was given {samples.shape}.")
    samples = samples.mean(0)
    ax, seconds = axes(ax, 2.2), np.arange(len(samples)) / rate
    paint = colour(name or "mixture")
    if len(samples) <= 2 * columns:
        ax.plot(seconds, samples, color=paint, linewidth=1.4, label=name)
    else:
        edges = np.linspace(0, len(samples), columns + 1).astype(int)[:-1]
        low, high = np.minimum.reduceat(samples, edges), np.maximum.reduceat(samples, edges)
        ax.fill_between(seconds[edges], low, high, color=paint, linewidth=0.6, label=name)
    reach = 1.08 * np.abs(samples).max() or 1.0
    ax.set(xlabel="time (s)", ylabel="amplitude", xlim=(0, max(seconds[-1], 1 / rate)), ylim=(-reach, reach))
    return ax


def stems(sounds: dict, rate: float, kind: str = "waveform", top: float | None = None):
    """Draw several sounds, one panel each, on one time axis and one scale; returns the figure.

    `sounds` maps names to samples `(N,)` or `(C, N)`; `kind` is waveform or spectrogram, `top` the highest frequency
    shown, in Hz. Raises ValueError for another kind or no sounds. Taught on: book/foundations/spectrograms
    """
    if kind not in ("waveform", "spectrogram") or not sounds:
        raise ValueError(f"stems needs at least one sound, and a kind of waveform or spectrogram, not {kind!r}.")
    fill, height, label = {
        "waveform": (_waveforms, 0.95, "amplitude"),
        "spectrogram": (_spectrograms, 1.35, "frequency (Hz)"),
    }[kind]
    size = (WIDTH, 0.6 + height * len(sounds))
    figure, panels = plt.subplots(len(sounds), 1, sharex=True, sharey=True, squeeze=False, figsize=size)
    fill(sounds, rate, panels[:, 0], top)
    for ax, name in zip(panels[:, 0], sounds, strict=True):
        ax.set(xlabel="", ylabel="", title=name)
        ax.yaxis.set_major_locator(MaxNLocator(2, steps=[1, 2, 4, 5, 10]))
    panels[-1, 0].set_xlabel("time (s)")
    figure.supylabel(label, fontsize="medium")
    return figure


def _waveforms(sounds: dict, rate: float, panels, _) -> None:
    reaches = []
    for ax, (name, sound) in zip(panels, sounds.items(), strict=True):
        waveform(sound, rate, ax, name)
        reaches.append(ax.get_ylim()[1])
    panels[0].set_ylim(-max(reaches), max(reaches))


def _spectrograms(sounds: dict, rate: float, panels, top) -> None:
    loudest = max(magnitudes(sound, rate)[0].max() for sound in sounds.values())
    for ax, sound in zip(panels, sounds.values(), strict=True):
        spectrogram(sound, rate, ax, top=top, loudest=loudest, colorbar=False, cells=SMALL_CELLS)
    _colorbar(panels[0].images[0], panels, "level (dB)")


def masks(shares, rate: float | None = None, hop: int | None = None, names=()):
    """Draw masks, one panel each, from 0 (dark) to 1 (bright); returns the figure.

    `shares` maps names to masks `(F, T)` or `(C, F, T)`, or is an array `(S, F, T)` or `(S, C, F, T)` with `names`.
    With `rate` in Hz and `hop` in samples the axes are in Hz and s, else in bins and frames. Raises ValueError for
    other axes. Taught on: book/foundations/masks
    """
    if not isinstance(shares, dict):
        shares = numbers(shares)
        if shares.ndim not in (3, 4) or not shares.size:
            raise ValueError(f"Masks have the axes (S, F, T) or (S, C, F, T), but were given {shares.shape}.")
        shares = dict(zip(names or [f"source {i + 1}" for i in range(len(shares))], shares, strict=True))
    if not shares:
        raise ValueError("Masks were given as an empty dict; expected one entry for each source.")
    columns = 1 if len(shares) == 1 else 2
    rows = -(-len(shares) // columns)
    figure, panels = plt.subplots(
        rows, columns, sharex=True, sharey=True, squeeze=False, figsize=(WIDTH, 0.7 + 1.75 * rows)
    )
    for ax in panels.flat[len(shares) :]:
        ax.axis("off")
    for ax, (name, share) in zip(panels.flat, shares.items(), strict=False):
        image = _mask(ax, numbers(share), rate, hop)
        ax.set_title(name)
    figure.supxlabel("time (s)" if rate and hop else "frame", fontsize="medium")
    figure.supylabel("frequency (Hz)" if rate and hop else "frequency bin", fontsize="medium")
    _colorbar(image, panels, "mask")
    return figure


def _mask(ax, share: np.ndarray, rate, hop):
    if share.ndim not in (2, 3):
        raise ValueError(f"A mask has the axes (F, T) or (C, F, T), but was given {share.shape}. Take one item: m[0].")
    if np.iscomplexobj(share):
        raise ValueError("A picture of a mask needs real numbers, but it is complex. Draw its magnitude, m.abs().")
    share = share.mean(0) if share.ndim == 3 else share
    F, T = share.shape
    extent = (0, (T - 1) * hop / rate, 0, rate / 2) if rate and hop else (0, T, 0, F)
    ax.grid(False)
    return ax.imshow(
        shrink(share, SMALL_CELLS),
        origin="lower",
        aspect="auto",
        extent=extent,
        cmap=plt.get_cmap(SHARES, STEPS),
        vmin=0,
        vmax=1,
        interpolation="nearest",
    )


def _colorbar(image, ax, label: str) -> None:
    bar = plt.colorbar(image, ax=ax, label=label, pad=0.02, fraction=0.06, aspect=25)
    bar.outline.set_visible(False)
