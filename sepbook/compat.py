"""Libraries of other years: `nussl`, `scaper` and `museval` on today's NumPy and SciPy, `librosa` before and after 1.0.

nussl (classical separation), scaper (soundscapes) and museval (BSS Eval) still ask for a few names that NumPy 2 and
SciPy 1.13 took away. `nussl()`, `scaper()` and `museval()` put these names back where the library looks for them, then
import it:

    from sepbook import compat
    nussl = compat.nussl()
    harmonic, percussive = nussl.separation.primitive.HPSS(signal)()

Only names are mended, and only those in `RESTORED`; and a warning is kept quiet that misses the program `sox`, as
`soxbindings` stands in for it. A function whose arguments have changed stays broken: in nussl 1.1.9 these are
`AudioSignal.rms(win_len=…)`, `AudioSignal.resample`, `OverlapAdd` with its default window, and `visualize_waveform`,
which librosa has changed underneath. The rest of this package imports none of the three: what needs one, such as
`sepbook.data.scaper`, asks here.

`griffin_lim(…)` gives the same sound with every librosa from 0.11 on.

Taught on: book/foundations/classical
"""

import logging
from importlib import import_module
from importlib.util import find_spec
from inspect import signature

# The old name, and the name under which the same thing is found today.
RESTORED = {
    "nussl": {
        "scipy.signal.hamming": "scipy.signal.windows.hamming",  # these three are asked for while nussl is imported
        "scipy.signal.hann": "scipy.signal.windows.hann",
        "scipy.signal.blackman": "scipy.signal.windows.blackman",
        "numpy.mat": "numpy.asmatrix",  # by Duet
    },
    "scaper": {
        "numpy.Inf": "numpy.inf",  # by Scaper.generate
    },
    "museval": {
        "numpy.linalg.linalg": "numpy.linalg",  # where channels are alike, and the equations have no one solution
    },
}
EXTRA = {"museval": "musdb"}  # the extra of the package that brings a library, where its name is another
NEEDS_SOX = ("nussl", "scaper")


class CompatError(ImportError):
    """The library is not installed, or something that it needs is not; the text says how to install it."""


def nussl():
    """Return the module `nussl`, usable on the NumPy and SciPy of today.

    Raises CompatError when it is not installed. Source: Manilow, Seetharaman and Pardo 2018.
    Taught on: book/foundations/classical
    """
    return _load("nussl")


def scaper():
    """Return the module `scaper`, usable on the NumPy of today.

    Raises CompatError when it is not installed. Source: Salamon et al. 2017. Taught on: book/foundations/classical
    """
    return _load("scaper")


def museval():
    """Return the module `museval`, usable on the NumPy of today.

    Raises CompatError when it is not installed. Source: Stöter, Liutkus and Ito 2018.
    Taught on: book/evaluation/metrics
    """
    return _load("museval")


def griffin_lim(magnitude, seed=0, **options):
    """Return samples whose magnitudes come near `magnitude` `(…, F, T)`, by `librosa.griffinlim` with its options.

    librosa 1.0 renamed `random_state` to `rng`, and lets the same integer begin elsewhere; with a generator of
    NumPy's older kind, both begin alike. Source: Griffin and Lim 1984. Taught on: book/building_blocks/stft
    """
    import librosa
    import numpy as np

    asks_for = "rng" if "rng" in signature(librosa.griffinlim).parameters else "random_state"
    start = np.random.RandomState(seed)  # noqa: NPY002
    return librosa.griffinlim(magnitude, **{asks_for: start}, **options)


def _load(library):
    """Restore the names that an installed library needs, and import it."""
    if find_spec(library) is None:
        raise _missing(f"{library} is not installed", library)
    for old, new in RESTORED[library].items():
        _restore(old, new)
    if library in NEEDS_SOX:
        logging.getLogger("sox").setLevel(logging.ERROR)
    try:
        return import_module(library)
    except ModuleNotFoundError as error:
        raise _missing(f"{library} needs '{error.name}', which is not installed", library) from error


def _missing(what, library):
    """Return the error that says what is missing and how to install it."""
    extra = EXTRA.get(library, library)
    sox = "It compiles soxbindings, so on Debian, Ubuntu and Colab first run: apt-get install libsox-dev"
    return CompatError(
        f'{what}. Install it with: pip install "sepbook[{extra}]" (in a clone of the book: make book). '
        + (sox if library in NEEDS_SOX else "")
    )


def _restore(old, new):
    """Let `old` name what `new` names, unless there still is something of that name."""
    where, _, name = old.rpartition(".")
    module = import_module(where)
    if not hasattr(module, name):
        source, _, today = new.rpartition(".")
        setattr(module, name, getattr(import_module(source), today))
