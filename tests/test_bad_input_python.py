"""Bad input, kind by kind, from Python: the second half of `test_bad_input`, which types a command line.

A row is a name, a call, and a pattern that its message must hold: what was given, and how to mend it. What comes out
is a ValueError of some kind, never an error of PyTorch, NumPy or Python that says nothing about sound. The second
table holds what looks bad and is taken: NumPy arrays, lists, other floating types.
"""

import warnings

import numpy as np
import pytest
import torch
from torch.nn.functional import mse_loss

from sepbook import architectures, audio, plots, shapes
from sepbook.architectures.base import System
from sepbook.audio import Writer
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
from sepbook.data.mixing import Mixtures
from sepbook.evaluation import metrics, oracles
from sepbook.evaluation.separation import separate
from sepbook.losses import clustering, permutation, silence, spectrogram, waveform, weighting
from sepbook.training import checkpoint

nan, inf = float("nan"), float("inf")


def x(*shape, dtype=torch.float32):
    """Samples or bins of this shape, the same each time."""
    made = torch.rand(*shape, generator=torch.Generator().manual_seed(0)) - 0.5
    return (10 * made).to(dtype) if not dtype.is_floating_point and not dtype.is_complex else made.to(dtype)


def holding(value, *shape):
    """Samples of which one is no number."""
    made = x(*shape)
    made.view(-1)[3] = value
    return made


def unet():
    return architectures.create("unet", widths=(4, 4), n_fft=64, hop=16)


WAVE = x(2, 2, 1, 400)  # (B, S, C, N)
SONG = x(1, 400)  # (C, N)
SOURCES = x(2, 1, 400)  # (S, C, N)
BINS = torch.polar(x(1, 2, 1, 9, 5).abs(), x(1, 2, 1, 9, 5))  # (B, S, C, F, T)
MIX = BINS.sum(1)  # (B, C, F, T)
V = x(1, 9, 5, 4)  # (B, F, T, D)
Y = clustering.membership(BINS.abs())  # (B, S, F, T)
W = clustering.magnitude_weight(MIX.abs())  # (B, F, T)
META = torch.zeros(2, 2, 1, 400, device="meta")
PIT = waveform.si_sdr_loss


def at(device, *shape):
    return torch.zeros(*shape, device=device)


REFUSED = {
    # losses on waveforms
    "l1 of int16": (lambda: waveform.l1(x(2, 2, 1, 9, dtype=torch.int16), x(2, 2, 1, 9)), "int16.*divide 16-bit"),
    "l1 of int array": (lambda: waveform.l1(np.ones((1, 1, 1, 9), int), np.ones((1, 1, 1, 9))), "int64.*x.float"),
    "l1 of bool": (lambda: waveform.l1(WAVE > 0, WAVE), "bool.*x.float"),
    "mse of complex": (lambda: waveform.mse(WAVE.cfloat(), WAVE), "complex64.*x.real"),
    "l1 of meta": (lambda: waveform.l1(META, META), "estimates.*meta device.*real data"),
    "l1 of meta and cpu": (lambda: waveform.l1(WAVE, META), "sources.*meta device"),
    "l1 of sparse": (lambda: waveform.l1(WAVE.to_sparse(), WAVE), r"sparse.*to_dense"),
    "l1 of None": (lambda: waveform.l1(None, WAVE), "estimates: a NoneType.*expected a tensor"),
    "l1 of a word": (lambda: waveform.l1("estimates.wav", WAVE), "a str was given; expected a tensor"),
    "l1 of a list of tensors": (lambda: waveform.l1([WAVE, WAVE], WAVE), r"torch\.stack"),
    "l1 of a ragged list": (lambda: waveform.l1([[1.0], [1.0, 2.0]], WAVE), "unequal length"),
    "l1 of objects": (lambda: waveform.l1(np.array([{}]), WAVE), "a ndarray was given; expected"),
    "l1 of a masked array": (lambda: waveform.l1(np.ma.masked_invalid(WAVE.numpy()), WAVE), r"x\.filled"),
    "l1 of (C, N)": (lambda: waveform.l1(SONG, SONG), r"of \(B, S, C, N\).*sources\[None\]"),
    "si_sdr_loss of (C, N)": (lambda: waveform.si_sdr_loss(SONG, SONG), r"of \(B, S, C, N\).*sources\[None\]"),
    "sdr_loss of (C, N)": (lambda: waveform.sdr_loss(SONG, SONG), r"of \(B, S, C, N\).*sources\[None\]"),
    "si_snr_loss of (N,)": (lambda: waveform.si_snr_loss(SONG[0], SONG[0]), r"along \(…, C, N\)"),
    "si_sdr of (N,)": (lambda: waveform.si_sdr(SONG[0], SONG[0]), r"along \(…, C, N\)"),
    "l1 of (B, S, N, C)": (lambda: waveform.l1(WAVE.mT, WAVE.mT), r"C=400.*are C and N swapped\? Then x.transpose"),
    "l1 of other lengths": (lambda: waveform.l1(WAVE, WAVE[..., 1:]), r"N \(sample\) is 400 and 399.*Crop or pad"),
    "l1 of nothing": (lambda: waveform.l1(WAVE[..., :0], WAVE[..., :0]), "N=0"),
    "l1 of NaN": (lambda: waveform.l1(holding(nan, 1, 1, 1, 9), x(1, 1, 1, 9)), "estimates hold 1 samples.*N=3"),
    "another reduction": (lambda: waveform.l1(WAVE, WAVE, "sum"), "'sum'; choose one of mean, none"),
    # losses on spectrograms
    "magnitudes of int": (lambda: spectrogram.l1(x(1, 2, dtype=torch.int32), x(1, 2)), "int32.*floating point"),
    "complex magnitudes": (lambda: spectrogram.mse(BINS, BINS), r"complex64.*\.abs\(\)"),
    "magnitudes on meta": (lambda: spectrogram.l1(META, META), "meta device"),
    "one axis": (lambda: spectrogram.l1(x(9), x(9)), r"of \(B, S, C, F, T\).*sources\[None\]"),
    "convergence of two axes": (lambda: spectrogram.spectral_convergence(x(2, 9).abs(), x(2, 9).abs()), "missing axes"),
    "a floor below zero": (lambda: spectrogram.log_magnitude(WAVE.abs(), WAVE.abs(), floor=-1.0), "floor is -1.0"),
    "a floor of NaN": (lambda: spectrogram.log_magnitude(WAVE.abs(), WAVE.abs(), floor=nan), "floor is nan.*above 0"),
    "a convergence floor below zero": (
        lambda: spectrogram.spectral_convergence(BINS.abs(), BINS.abs(), floor=-0.1),
        "floor is -0.1.*above 0",
    ),
    "msa of (F, T)": (lambda: spectrogram.msa(MIX[0, 0], BINS), r"must be \(B, C, F, T\)"),
    "psa without phase": (lambda: spectrogram.psa(MIX.abs(), BINS.abs()), "no phase.*complex bins"),
    "tpsa on meta": (lambda: spectrogram.tpsa(MIX.to("meta"), BINS), "mixture.*meta device"),
    "masks as a word": (lambda: spectrogram.spectrum_approximation("ones", MIX, BINS), "masks: a str was given"),
    "no hop": (lambda: spectrogram.magnitudes(SONG, 64, 0), "hop is 0.*from 1"),
    "a hop beyond the window": (lambda: spectrogram.magnitudes(SONG, 64, 65), "n_fft is 64 and hop is 65"),
    "a resolution without hop": (
        lambda: spectrogram.multi_resolution(WAVE, WAVE, resolutions=((64, 0),)),
        "n_fft is 64 and hop is 0",
    ),
    # permutations
    "PIT of (S, N)": (lambda: permutation.permutation_invariant(PIT, x(2, 9), x(2, 9)), r"\(B, S, …\).*x\[None\]"),
    "PIT of arrays of int": (
        lambda: permutation.permutation_invariant(PIT, np.ones((1, 2, 1, 9), int), np.ones((1, 2, 1, 9), int)),
        "int64",
    ),
    "PIT with torch's loss": (
        lambda: permutation.permutation_invariant(mse_loss, WAVE, WAVE),
        r"gave \(8, 1, 1, 400\).*flatten\(1\).mean\(1\)",
    ),
    "PIT with a loss of one number": (
        lambda: permutation.permutation_invariant(lambda e, s, reduction: mse_loss(e, s), WAVE, WAVE),
        r"gave \(\).*one number per item",
    ),
    "PIT with a loss without reduction": (
        lambda: permutation.permutation_invariant(lambda e, s: mse_loss(e, s), WAVE, WAVE),
        "reduction='none'.*mse_loss",
    ),
    "PIT with no loss": (lambda: permutation.permutation_invariant("si_sdr", WAVE, WAVE), "cannot be called"),
    "PIT of no source": (lambda: permutation.permutation_invariant(PIT, WAVE[:, :0], WAVE[:, :0]), "an axis of 0"),
    "PIT of infinity": (lambda: permutation.permutation_invariant(PIT, holding(inf, 1, 2, 1, 9), x(1, 2, 1, 9)), "N=3"),
    "PIT on meta": (lambda: permutation.permutation_invariant(PIT, META, META), "meta device"),
    "costs that are not square": (
        lambda: permutation.best_permutation(x(1, 2, 3)),
        r"\(1, 2, 3\).*must be \(B, S, S\)",
    ),
    "costs of one item": (lambda: permutation.best_permutation(x(3, 3)), r"must be \(B, S, S\)"),
    "no costs": (lambda: permutation.best_permutation(x(0, 2, 2)), r"\(0, 2, 2\)"),
    "infinite costs": (lambda: permutation.best_permutation(holding(inf, 1, 2, 2)), "hold infinity.*loss with a floor"),
    "costs of NaN": (lambda: permutation.best_permutation(holding(nan, 1, 4, 4)), "hold NaN"),
    "costs of int": (lambda: permutation.best_permutation(x(1, 2, 2, dtype=torch.int64)), "costs.*int64.*x.float"),
    "an order beyond": (
        lambda: permutation.reorder(WAVE, torch.tensor([[0, 2], [0, 1]])),
        "holds 2, but counts from 0 to 1",
    ),
    "an order below": (
        lambda: permutation.reorder(WAVE, torch.tensor([[0, -1], [0, 1]])),
        "holds -1, but counts from 0",
    ),
    "an order of one item": (lambda: permutation.reorder(WAVE, torch.tensor([0, 1])), r"must be \(B, S\)"),
    "an order of fractions": (lambda: permutation.reorder(WAVE, torch.ones(2, 2)), r"float32.*\.long\(\)"),
    "an assignment beyond": (lambda: permutation.remix(WAVE, torch.tensor([[0, 2], [0, 1]])), "holds 2, but counts"),
    "MixIT of (S, N)": (lambda: permutation.mixture_invariant(PIT, x(3, 9), x(2, 9)), r"\(B, S, …\)"),
    "silence of (S, N)": (lambda: silence.is_silent(x(2, 9)), r"must be \(B, S, …\)"),
    # clustering
    "an embedding of int": (lambda: clustering.deep_clustering(V.long(), Y, W), "int64.*floating point"),
    "an embedding on meta": (lambda: clustering.deep_clustering(V.to("meta"), Y, W), "embedding.*meta device"),
    "attractors of NaN": (lambda: clustering.attractors(holding(nan, 1, 9, 5, 4), Y, W), "embedding holds 1 values"),
    "masks by attractors of NaN": (lambda: clustering.attractor_masks(V, holding(nan, 1, 2, 4)), "attractors hold NaN"),
    "masks of an embedding of NaN": (
        lambda: clustering.attractor_masks(holding(nan, 1, 9, 5, 4), x(1, 2, 4)),
        "embedding hold NaN",
    ),
    "attractors of another D": (lambda: clustering.attractor_masks(V, x(1, 2, 3)), "the same B and D"),
    "complex magnitudes for attractors": (
        lambda: clustering.deep_attractor(V, Y, W, MIX, BINS),
        r"mixture magnitudes.*complex64.*x.abs\(\)",
    ),
    "points that are complex": (lambda: clustering.kmeans(x(9, 2).cfloat(), 2), "points.*complex64"),
    "half a cluster": (lambda: clustering.kmeans(x(9, 2), 2.5), "2.5 clusters; expected a whole number"),
    "negative decibels": (lambda: clustering.audible(MIX.abs(), -3.0), "below is -3.0.*such as 40"),
    # weights
    "energies of int": (lambda: weighting.energies(np.ones((1, 2, 9), int)), "int64"),
    "energies of NaN": (lambda: weighting.energy_weights(torch.tensor([1.0, nan])), "one positive number per source"),
    "infinite energies": (lambda: weighting.energy_weights(torch.tensor([1.0, inf])), "one positive number per source"),
    "weights of NaN": (lambda: weighting.over_sources(x(2, 2), [1.0, nan]), "a number of 0 or more"),
    "losses as one number": (lambda: weighting.over_sources(torch.tensor(1.0)), r"one per source, \(B, S\)"),
    # scores
    "scores of int16": (lambda: metrics.si_sdr(SOURCES.short(), SOURCES.short()), "int16.*divide 16-bit samples"),
    "scores of complex": (lambda: metrics.si_sdr(SOURCES.cfloat(), SOURCES.cfloat()), "complex64.*x.real"),
    "scores of (S, N, C)": (lambda: metrics.si_sdr(SOURCES.mT, SOURCES.mT), r"\(S, C, N\).*are C and N swapped"),
    "scores of (N,)": (lambda: metrics.si_sdr(SONG[0], SONG[0]), r"both must be \(S, C, N\)"),
    "scores of infinity": (lambda: metrics.si_sdr(holding(inf, 1, 1, 9), x(1, 1, 9)), "estimates hold NaN or infinite"),
    "scores on meta": (lambda: metrics.match(META[0], META[0]), "meta device"),
    "improvement over a word": (lambda: metrics.si_sdr_improvement(SOURCES, SOURCES, "mix"), "mixture: a str"),
    "improvement over sources": (lambda: metrics.si_sdr_improvement(SOURCES, SOURCES, SOURCES), r"mixture as \(C, N\)"),
    # ideal masks
    "ideal masks of NaN": (
        lambda: oracles.ideal_masks(holding(nan, 2, 1, 99), n_fft=64, hop=16),
        r"sources hold NaN.*3\)",
    ),
    "ideal masks of int": (lambda: oracles.ideal_masks(SOURCES.short()), "int16.*32768"),
    "ideal masks of (S, N, C)": (lambda: oracles.ideal_masks(SOURCES.mT), "are C and N swapped"),
    "a ratio of NaN": (lambda: oracles.ratio_mask(holding(nan, 2, 1, 9, 5)), "bins hold NaN"),
    "a binary mask of NaN": (lambda: oracles.binary_mask(holding(nan, 2, 1, 9, 5)), "bins hold NaN"),
    "a power of NaN": (lambda: oracles.ratio_mask(BINS[0], p=nan), "p is nan.*1 for magnitudes"),
    "a negative power": (lambda: oracles.ratio_mask(BINS[0], p=-1), "p is -1.*above 0"),
    "masks of one bin": (lambda: oracles.complex_mask(x(9)), r"must be \(S, C, F, T\)"),
    "no shares": (lambda: oracles.equal_shares(SONG, 0), "count is 0.*at least 1"),
    "another mixture": (lambda: oracles.separate_ideal(SOURCES, mixture=SONG[:, 1:]), r"mixture as \(C, N\)"),
    # separation
    "separate (N, C)": (
        lambda: separate(unet(), x(44100, 2), 44100),
        r"C=44100.*are C and N swapped\?.*x.T of an array",
    ),
    "separate an array (N, C)": (lambda: separate(unet(), x(900, 2).numpy(), 44100), r"are C and N swapped"),
    "separate int16": (lambda: separate(unet(), x(2, 900, dtype=torch.int16), 44100), "int16.*divide 16-bit"),
    "separate complex": (lambda: separate(unet(), x(2, 900).cfloat(), 44100), "complex64.*x.real"),
    "separate meta": (lambda: separate(unet(), at("meta", 1, 900), 16000), "meta device"),
    "separate sparse": (lambda: separate(unet(), SONG.to_sparse(), 16000), "to_dense"),
    "separate a name": (lambda: separate(unet(), "song.wav", 16000), "a str was given"),
    "separate (B, C, N)": (lambda: separate(unet(), SOURCES, 16000), r"must be \(C, N\)"),
    "separate at no rate": (lambda: separate(unet(), SONG, 0), "rate is 0.*for example 44100"),
    "separate at rate NaN": (lambda: separate(unet(), SONG, nan), "rate is nan.*for example 44100"),
    "separate at a word": (lambda: separate(unet(), SONG, "44100"), "rate is 44100.*in Hz"),
    # sound
    "resample beyond all": (lambda: audio.resample(SONG, 1, 10**7), "more than 1000 times.*order of size"),
    "resample to nothing": (lambda: audio.resample(SONG, 10**7, 1), "1000 times"),
    "resample beyond memory": (
        lambda: audio.resample(torch.zeros(1).expand(1, 1 << 31), 8000, 48000),
        "more than the memory.*audio.resampled",
    ),
    "resample to minus": (lambda: audio.resample(SONG, 8000, -16000), "-16000 Hz; expected a positive whole number"),
    "resample to NaN": (lambda: audio.resample(SONG, 8000, nan), "nan Hz; expected a positive"),
    "resample to a half": (lambda: audio.resample(SONG, 8000, 16000.5), "16000.5 Hz.*such as 16000"),
    "resample to a word": (lambda: audio.resample(SONG, 8000, "16000"), "16000 Hz; expected a positive whole number"),
    "resample int16": (lambda: audio.resample(SONG.short(), 8000, 16000), "int16.*32768"),
    "resample complex": (lambda: audio.resample(SONG.cfloat(), 8000, 16000), "complex64"),
    "resample (N, C)": (lambda: audio.resample(x(900, 2), 8000, 16000), "are C and N swapped"),
    "resample a list of tensors": (lambda: audio.resample([SONG, SONG], 8000, 16000), r"torch\.stack"),
    "remix of (N,)": (lambda: audio.remix(SONG[0], 2), r"must be \(…, C, N\).*samples\[None\]"),
    "remix to many": (lambda: audio.remix(SONG, 10**9), "1000000000 channels wanted"),
    "remix to minus": (lambda: audio.remix(SONG, -1), "-1 wanted"),
    "remix to a half": (lambda: audio.remix(SONG, 1.5), "1.5 channels wanted"),
    "loudness of complex": (lambda: audio.loudness(SONG.cfloat(), 8000), "complex64"),
    "loudness of int16": (lambda: audio.loudness(SONG.short(), 8000), "int16.*32768"),
    "loudness at no rate": (lambda: audio.loudness(SONG, 0), "0 Hz; expected a number above 0"),
    "save (N, C)": (lambda: audio.save("x.flac", x(900, 2), 8000), "x.flac.*are C and N swapped"),
    "save int16": (lambda: audio.save("x.wav", SONG.short(), 8000), "x.wav.*int16.*32768"),
    "save complex": (lambda: audio.save("x.wav", SONG.cfloat(), 8000), "x.wav.*complex64"),
    "save at no rate": (lambda: audio.save("x.wav", SONG, 0), "0 Hz given"),
    "save at minus": (lambda: Writer("x.wav", -1, 1).__enter__(), "-1 Hz given"),
    "mp3 of NaN": (lambda: audio.mp3_bytes(holding(nan, 1, 99), 8000), "hold NaN or infinity"),
    # layers
    "STFT of an array": (lambda: stft.STFT()(SOURCES.numpy()), r"STFT takes a torch tensor.*ndarray.*torch.as_tensor"),
    "STFT of a list": (lambda: stft.STFT()([[[0.0]]]), "STFT takes a torch tensor.*list"),
    "STFT of sparse": (lambda: stft.STFT()(SOURCES.to_sparse()), "STFT takes a dense tensor.*to_dense"),
    "STFT of meta": (
        lambda: stft.STFT()(at("meta", 1, 1, 9)),
        r"input is on 'meta' and the layer on 'cpu'.*x.to\('cpu'\)",
    ),
    "STFT of (N, C)": (lambda: stft.STFT()(x(1, 900, 2)), "are C and N swapped"),
    "STFT without hop": (lambda: stft.STFT(64, 0), "hop is 0"),
    "STFT with a hop beyond": (lambda: stft.STFT(64, 65), "hop must lie between 1 and n_fft"),
    "STFT with half a hop": (lambda: stft.STFT(64, 12.5), "hop is 12.5.*divide with //"),
    "STFT of millions": (lambda: stft.STFT(1 << 30, 1 << 28), "n_fft is 1073741824.*for example 1024"),
    "ISTFT of an array": (lambda: stft.ISTFT()(BINS.numpy(), 9), "ISTFT takes a torch tensor"),
    "masking an array": (lambda: stft.Masking()(MIX, BINS.abs().numpy()), "Masking takes a torch tensor"),
    "masking on meta": (lambda: stft.Masking()(MIX, BINS.abs().to("meta")), "'meta'.*'cpu'"),
    "encode an array": (lambda: filterbank.Encoder(filterbank.Free(4, 8), 4)(SOURCES.numpy()), "Encoder takes a torch"),
    "encode on meta": (lambda: filterbank.Encoder(filterbank.Free(4, 8), 4)(at("meta", 1, 1, 9)), "'meta'.*'cpu'"),
    "decode an array": (
        lambda: filterbank.Decoder(filterbank.Free(4, 8), 4)(np.ones((1, 4, 9)), 9),
        "Decoder takes a torch",
    ),
    "decode half a sample": (lambda: filterbank.Decoder(filterbank.Free(4, 8), 4)(x(1, 4, 9), 9.5), "length is 9.5"),
    "a bank of millions": (lambda: filterbank.Fourier(1 << 20), "filters of size=1048576.*use fewer"),
    "mel bands of millions": (lambda: filterbank.mel_matrix(1 << 20, 1 << 20, 16000), "a matrix of at most"),
    "no mel bands": (lambda: filterbank.mel_matrix(0, 64, 16000), "K=0 bands.*such as K=40"),
    "mel of an array": (lambda: filterbank.Mel(4, 64, 16000)(np.ones((1, 33, 9))), "Mel takes a torch tensor"),
    "log of an array": (lambda: compression.Log()(np.ones(3)), "Log takes a torch tensor"),
    "log of complex": (lambda: compression.Log()(MIX), r"\.abs\(\)"),
    "an infinite scale": (lambda: compression.Log(inf), "scale is inf"),
    "a floor of nothing": (lambda: compression.Power(floor=-1e-3), "floor is -0.001"),
    "convolve an array": (lambda: convolution.SameConv1d(1, 1, 3)(np.ones((1, 1, 9))), "takes a torch tensor.*ndarray"),
    "convolve float64": (lambda: convolution.SameConv1d(1, 1, 3)(x(1, 1, 9).double()), r"float64.*x.float\(\)"),
    "convolve int": (lambda: convolution.SameConv1d(1, 1, 3)(x(1, 1, 9).long()), "int64.*32768"),
    "convolve meta": (lambda: convolution.SameConv1d(1, 1, 3)(at("meta", 1, 1, 9)), "'meta'.*'cpu'"),
    "a norm of an array": (lambda: normalization.GlobalLayerNorm(4)(np.ones((1, 4, 9))), "takes a torch tensor"),
    "sigmoid of an array": (lambda: activation.sigmoid(np.ones(3)), "takes a torch tensor"),
    "dropout of an array": (lambda: dropout.drop(np.ones(3), 0.5), "dropout takes a torch tensor"),
    "a head of an array": (lambda: linear.MaskHead(4, S=2, F=3)(np.ones((1, 9, 4))), "takes a torch tensor"),
    "recurrent array": (lambda: recurrent.RecurrentStack(4, 4)(np.ones((1, 9, 4))), "ndarray; expected a tensor"),
    # systems
    "a system of an array": (lambda: unet()(np.ones((1, 1, 900), np.float32)), "UNetSystem takes a torch tensor"),
    "a system of meta": (lambda: unet()(at("meta", 1, 1, 900)), "'meta'.*'cpu'"),
    "a system of (C, N)": (lambda: unet()(SONG), r"must be \(B, C, N\).*mixture\[None\]"),
    "a system of complex": (lambda: unet()(SOURCES.cfloat()), "real numbers"),
    "sources as an array": (lambda: unet().loss(x(1, 1, 900), np.ones((1, 4, 1, 900))), "takes a torch tensor"),
    "create by number": (lambda: architectures.create(5), "system 5 is unknown"),
    "create with a preset of nothing": (lambda: architectures.create("unet", None), "preset None is unknown"),
    "create with a word": (lambda: architectures.create("unet", hop="256"), "hop is '256', but must be a whole number"),
    "create with minus": (lambda: architectures.create("unet", convolutions=-3), "convolutions is -3"),
    "create beyond memory": (lambda: architectures.create("unet", widths=(10**9,)), "more than .* weights"),
    "a system without names": (lambda: System(type("C", (), {"source_names": "vocals"})()), "list of names"),
    "weights of a folder": (lambda: checkpoint.load_weights("."), "no such file"),
    "weights of nothing": (lambda: checkpoint.load_weights("nothing.safetensors"), "nothing.safetensors.*no such file"),
    "shipped by a number": (lambda: checkpoint.shipped("unte"), "did you mean 'unet'"),
    # shapes and data
    "trace an array": (lambda: shapes.trace(unet(), np.ones((1, 1, 900))), "trace needs a tensor"),
    "show of other axes": (lambda: shapes.show(SONG, "B C N"), "has 2 axes"),
    "a picture of a batch": (lambda: plots.spectrogram(WAVE, 8000), r"Take one item of a batch first: x\[0\]"),
    "mixtures of nothing": (lambda: Mixtures([]), "tracks is empty"),
}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Nothing is written, and nowhere near the repository."""
    monkeypatch.chdir(tmp_path)
    yield
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", REFUSED)
def test_refused_in_words(kind):
    call, words = REFUSED[kind]
    with warnings.catch_warnings(), pytest.raises(ValueError, match=f"(?s){words}") as error:
        warnings.simplefilter("error")  # nothing is lost with a mere warning either
        call()
    assert type(error.value).__module__.startswith(("sepbook", "builtins")) and len(str(error.value)) < 600


def test_there_are_enough_kinds():
    assert len(REFUSED) >= 60


def others(y):
    """The same numbers in other forms: an array, one that may not be written to, and backwards in memory."""
    array = y.numpy()
    fixed = array.copy()
    fixed.flags.writeable = False
    return {
        "array": array,
        "fixed": fixed,
        "big-endian": array.astype(">f4"),
        "backwards": array[..., ::-1].copy()[..., ::-1],
    }


TAKEN = {
    "l1": lambda y: waveform.l1(y, 0.5 * np.asarray(y)),
    "mse": lambda y: waveform.mse(y, 0.5 * np.asarray(y)),
    "si_sdr": lambda y: waveform.si_sdr(y, np.asarray(y) ** 3),
    "si_sdr_loss": lambda y: waveform.si_sdr_loss(y, np.asarray(y) ** 3),
    "spectrogram l1": lambda y: spectrogram.l1(y, 0.5 * np.asarray(y)),
    "magnitudes": lambda y: spectrogram.magnitudes(y, 64, 16),
    "multi_resolution": lambda y: spectrogram.multi_resolution(y, 0.5 * np.asarray(y), resolutions=((64, 16),)),
    "permutation_invariant": lambda y: permutation.permutation_invariant(PIT, y, np.asarray(y) ** 3)[0],
    "best_permutation": lambda y: permutation.best_permutation(y[..., 0, :2]),
    "is_silent": lambda y: silence.is_silent(y),
    "energies": lambda y: weighting.energies(y),
    "scores": lambda y: metrics.si_sdr(y, np.asarray(y) ** 3),
    "match": lambda y: metrics.match(y[0], y[0][::-1].copy() if isinstance(y, np.ndarray) else y[0].flip(0)),
    "ideal masks": lambda y: oracles.ideal_masks(y[0], n_fft=64, hop=16),
    "equal shares": lambda y: oracles.equal_shares(y[0, 0], 2),
    "resample": lambda y: audio.resample(y, 8000, 16000),
    "remix": lambda y: audio.remix(y, 2),
    "separate": lambda y: separate(torch_system(), y[0, 0], 16000),
}


def torch_system():
    torch.manual_seed(0)
    return unet()


@pytest.mark.parametrize("kind", TAKEN)
def test_arrays_are_taken_where_a_function_means_a_tensor(kind):
    expected = TAKEN[kind](WAVE)
    for form, y in others(WAVE).items():
        found = TAKEN[kind](y)
        assert isinstance(found, torch.Tensor), form
        torch.testing.assert_close(found, expected, msg=form)


def test_lists_are_taken_and_count_as_float32():
    found = waveform.l1([[[[0.0, 1.0]]]], [[[[1.0, 1.0]]]])
    assert found.dtype == torch.float32 and found.item() == 0.5


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_floating_types_are_computed_in_float32_or_better(dtype):
    y = WAVE.to(dtype)
    wanted = torch.float64 if dtype == torch.float64 else torch.float32
    for loss in (waveform.l1, waveform.si_sdr_loss, spectrogram.l1):
        assert loss(y, y).dtype == wanted
    assert metrics.si_sdr(y, y).dtype == torch.float64
    assert audio.resample(y, 8000, 16000).dtype == torch.float32


def test_what_carries_a_gradient_is_scored_without_one():
    y = WAVE.clone().requires_grad_()
    assert not metrics.si_sdr(y, WAVE).requires_grad
    assert not audio.resample(y, 8000, 16000).requires_grad
    assert waveform.l1(y, WAVE).requires_grad
    (slope,) = torch.autograd.grad(permutation.permutation_invariant(PIT, y, WAVE)[0].sum(), y)
    assert slope.isfinite().all()
