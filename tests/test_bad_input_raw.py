"""Every function and layer that takes samples or bins, given everything: an answer, or a ValueError of our own.

No error of PyTorch, NumPy or Python comes through, which would say nothing about sound, and none of them is a
ValueError by chance: it is raised in this package.
"""

import traceback
import warnings
from pathlib import Path

import matplotlib
import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt

import sepbook
from sepbook import architectures, audio, plots, shapes
from sepbook.building_blocks import (
    activation,
    compression,
    convolution,
    dropout,
    filterbank,
    linear,
    normalization,
    recurrent,
    stft,
)
from sepbook.evaluation import metrics, oracles
from sepbook.evaluation.separation import separate
from sepbook.losses import clustering, permutation, silence, spectrogram, waveform, weighting

PACKAGE = Path(sepbook.__file__).parent
UNET = architectures.create("unet", widths=(4, 4), n_fft=64, hop=16)
FREE = filterbank.Free(4, 8)

TAKES = {  # what takes one, two or three of them
    "waveform.l1": (waveform.l1, 2),
    "waveform.mse": (waveform.mse, 2),
    "waveform.sdr": (waveform.sdr, 2),
    "waveform.si_sdr": (waveform.si_sdr, 2),
    "waveform.si_sdr_loss": (waveform.si_sdr_loss, 2),
    "spectrogram.l1": (spectrogram.l1, 2),
    "spectrogram.log_magnitude": (spectrogram.log_magnitude, 2),
    "spectrogram.spectral_convergence": (spectrogram.spectral_convergence, 2),
    "spectrogram.multi_resolution": (spectrogram.multi_resolution, 2),
    "spectrogram.magnitudes": (lambda a: spectrogram.magnitudes(a, 64, 16), 1),
    "spectrogram.psa": (spectrogram.psa, 2),
    "permutation_invariant": (lambda a, b: permutation.permutation_invariant(waveform.l1, a, b), 2),
    "mixture_invariant": (lambda a, b: permutation.mixture_invariant(waveform.l1, a, b), 2),
    "best_permutation": (permutation.best_permutation, 1),
    "reorder": (permutation.reorder, 2),
    "remix of estimates": (permutation.remix, 2),
    "is_silent": (silence.is_silent, 1),
    "membership": (clustering.membership, 1),
    "audible": (clustering.audible, 1),
    "magnitude_weight": (clustering.magnitude_weight, 1),
    "deep_clustering": (clustering.deep_clustering, 3),
    "attractors": (clustering.attractors, 3),
    "attractor_masks": (clustering.attractor_masks, 2),
    "kmeans": (lambda a: clustering.kmeans(a, 2), 1),
    "kmeans_masks": (lambda a, b: clustering.kmeans_masks(a, 2, b), 2),
    "energies": (weighting.energies, 1),
    "energy_weights": (weighting.energy_weights, 1),
    "over_sources": (weighting.over_sources, 2),
    "metrics.si_sdr": (metrics.si_sdr, 2),
    "si_sdr_improvement": (metrics.si_sdr_improvement, 3),
    "match": (metrics.match, 2),
    "ideal_masks": (lambda a: oracles.ideal_masks(a, n_fft=64, hop=16), 1),
    "binary_mask": (oracles.binary_mask, 1),
    "ratio_mask": (oracles.ratio_mask, 1),
    "phase_sensitive_mask": (oracles.phase_sensitive_mask, 1),
    "separate_ideal": (lambda a: oracles.separate_ideal(a, n_fft=64, hop=16), 1),
    "equal_shares": (lambda a: oracles.equal_shares(a, 2), 1),
    "separate": (lambda a: separate(UNET, a, 16000), 1),
    "resample": (lambda a: audio.resample(a, 8000, 16000), 1),
    "remix": (lambda a: audio.remix(a, 2), 1),
    "loudness": (lambda a: audio.loudness(a, 8000), 1),
    "mp3_bytes": (lambda a: audio.mp3_bytes(a, 8000), 1),
    "STFT": (stft.STFT(64, 16), 1),
    "ISTFT": (lambda a: stft.ISTFT(64, 16)(a, 32), 1),
    "Masking": (stft.Masking(), 2),
    "Encoder": (filterbank.Encoder(FREE, 4), 1),
    "Decoder": (lambda a: filterbank.Decoder(FREE, 4)(a, 9), 1),
    "Mel": (filterbank.Mel(4, 64, 16000), 1),
    "responses": (lambda a: filterbank.responses(a, 16000), 1),
    "bandwidths": (lambda a: filterbank.bandwidths(a, 16000), 1),
    "inverse": (lambda a: filterbank.inverse(a, 4), 1),
    "analytic": (filterbank.analytic, 1),
    "Fixed": (filterbank.Fixed, 1),
    "Log": (compression.Log(), 1),
    "Power": (compression.Power(), 1),
    "SameConv1d": (convolution.SameConv1d(1, 1, 3), 1),
    "SameConv2d": (convolution.SameConv2d(1, 1, 3), 1),
    "SameConvTranspose1d": (convolution.SameConvTranspose1d(1, 1, 3), 1),
    "Upsample1d": (convolution.Upsample1d(), 1),
    "GlobalLayerNorm": (normalization.GlobalLayerNorm(4), 1),
    "normalize": (lambda a: normalization.normalize(a, (0,)), 1),
    "group_norm": (lambda a: normalization.group_norm(a, 2), 1),
    "standardise": (normalization.standardise, 1),
    "whiten": (normalization.whiten, 1),
    "sigmoid": (activation.sigmoid, 1),
    "prelu": (activation.prelu, 2),
    "softmax": (lambda a: activation.softmax(a, 0), 1),
    "glu": (activation.glu, 1),
    "drop": (lambda a: dropout.drop(a, 0.5), 1),
    "MaskHead": (linear.MaskHead(4, S=2, F=3), 1),
    "split_sources": (lambda a: linear.split_sources(a, 2), 1),
    "RecurrentStack": (recurrent.RecurrentStack(4, 4), 1),
    "frames": (recurrent.frames, 1),
    "a system": (UNET, 1),
    "a system's loss": (UNET.loss, 2),
    "trace": (lambda a: shapes.trace(UNET, a), 1),
    "show": (lambda a: shapes.show(a, "B C N"), 1),
    "a spectrogram": (lambda a: plots.spectrogram(a, 8000), 1),
    "a waveform": (lambda a: plots.waveform(a, 8000), 1),
    "stems": (lambda a: plots.stems({"a": a}, 8000), 1),
    "masks": (plots.masks, 1),
}


def rand(*shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0))


GIVEN = {
    "an array": rand(1, 2, 1, 99).numpy(),
    "an array of one axis": rand(99).numpy(),
    "an array of whole numbers": np.ones((1, 2, 1, 99), int),
    "a list": [[[[0.1] * 9]]],
    "whole numbers": torch.ones(1, 2, 1, 99, dtype=torch.int16),
    "truth values": torch.ones(1, 2, 1, 99) > 0,
    "complex numbers": rand(1, 2, 1, 99).cfloat(),
    "no values": torch.zeros(1, 2, 1, 99, device="meta"),
    "a sparse tensor": rand(1, 2, 1, 99).to_sparse(),
    "nothing at all": torch.zeros(0),
    "one number": torch.tensor(1.0),
    "(N,)": rand(99),
    "(C, N)": rand(2, 99),
    "(B, C, N)": rand(1, 2, 99),
    "no channels": rand(1, 0, 99),
    "no samples": rand(1, 2, 1, 0),
    "(B, S, C, F, T)": rand(1, 2, 1, 9, 5),
    "six axes": rand(1, 1, 1, 1, 1, 1),
    "NaN": torch.full((1, 2, 1, 99), torch.nan),
    "NaN of three axes": torch.full((1, 2, 99), torch.nan),
    "infinity": torch.full((1, 2, 99), torch.inf),
    "None": None,
    "a word": "song.wav",
    "a number": 1.0,
    "a dict": {},
    "half precision": rand(1, 2, 1, 99).half(),
    "half precision of three axes": rand(1, 2, 99).half(),
    "double precision": rand(1, 2, 1, 99).double(),
    "double precision of three axes": rand(1, 2, 99).double(),
    "(C, N) swapped": rand(1, 2, 900, 1),
    "an object": object(),
    "a function": len,
}


@pytest.fixture(autouse=True)
def out_of_sight(tmp_path, monkeypatch):
    """No picture opens, no file is left, and warnings do not matter here."""
    matplotlib.use("Agg")
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
    plt.close("all")


@pytest.mark.parametrize("name", TAKES)
def test_an_answer_or_an_error_of_ours(name):
    call, count = TAKES[name]
    raw = {}
    for kind, given in GIVEN.items():
        try:
            call(*[given] * count)
        except ValueError as error:
            raised = Path(traceback.extract_tb(error.__traceback__)[-1].filename)
            if not raised.is_relative_to(PACKAGE):
                raw[kind] = f"{type(error).__name__} of {raised.name}: {error}"
        except Exception as error:
            raw[kind] = f"{type(error).__name__}: {error}"
    assert not raw
