"""Weights of Conv-TasNet, Demucs and the denoiser, in files made here in the published layouts: read, and refused."""

import hashlib
import re

import pytest
import torch
from torch import nn

from sepbook.architectures import create, pretrained
from sepbook.architectures.published import PUBLISHED, Published, PublishedError, translated
from sepbook.evaluation._level import measure


def drawn(shapes):
    """Random weights of these shapes, each another one."""
    return {key: torch.rand(shape) + 0.1 for key, shape in shapes.items()}


def layer(name, *weight, bias=True, size=None):
    """The shapes of a layer: its weight, and a bias as long as the outputs."""
    return {f"{name}.weight": weight, **({f"{name}.bias": [size or weight[0]]} if bias else {})}


def music(S=4, C=2, K=256, L=20, B=256, H=512, P=3, X=10, R=4):
    """Conv-TasNet as Demucs' package names and shapes it."""

    def norm(name, width):
        return {f"{name}.{part}": (1, width, 1) for part in ("gamma", "beta")}

    shapes = {"encoder.conv1d_U.weight": (K, C, L), "decoder.basis_signals.weight": (C * L, K)}
    shapes |= norm("separator.network.0", K) | {"separator.network.1.weight": (B, K, 1)}
    for r in range(R):
        for x in range(X):
            net = f"separator.network.2.{r}.{x}.net"
            shapes |= {f"{net}.0.weight": (H, B, 1), f"{net}.1.weight": [1], **norm(f"{net}.2", H)}
            shapes |= {f"{net}.3.net.0.weight": (H, 1, P), f"{net}.3.net.1.weight": [1], **norm(f"{net}.3.net.2", H)}
            shapes |= {f"{net}.3.net.3.weight": (B, H, 1)}
    return shapes | {"separator.network.3.weight": (S * K, B, 1)}


def torchaudio(S=2, K=512, L=16, B=128, H=512, P=3, X=8, R=3):
    """Conv-TasNet as torchaudio does; the last block hands nothing on."""
    shapes = {"encoder.weight": (K, 1, L), "decoder.weight": (K, 1, L)}
    shapes |= layer("mask_generator.input_norm", K) | layer("mask_generator.input_conv", B, K, 1)
    for i in range(X * R):
        block = f"mask_generator.conv_layers.{i}"
        shapes |= layer(f"{block}.conv_layers.0", H, B, 1) | {f"{block}.conv_layers.1.weight": [1]}
        shapes |= layer(f"{block}.conv_layers.2", H) | layer(f"{block}.conv_layers.3", H, 1, P)
        shapes |= {f"{block}.conv_layers.4.weight": [1]} | layer(f"{block}.conv_layers.5", H)
        shapes |= layer(f"{block}.res_out", B, H, 1) if i < X * R - 1 else {}
        shapes |= layer(f"{block}.skip_out", B, H, 1)
    return shapes | {"mask_generator.output_prelu.weight": [1]} | layer("mask_generator.output_conv", S * K, B, 1)


def asteroid(S=2, K=512, L=32, B=128, H=512, Sc=128, P=3, X=8, R=3):
    """Conv-TasNet as Asteroid does."""

    def norm(name, width):
        return {f"{name}.{part}": [width] for part in ("gamma", "beta")}

    shapes = {f"{way}coder.filterbank._filters": (K, 1, L) for way in ("en", "de")}
    shapes |= norm("masker.bottleneck.0", K) | layer("masker.bottleneck.1", B, K, 1)
    for i in range(X * R):
        block = f"masker.TCN.{i}"
        shapes |= layer(f"{block}.shared_block.0", H, B, 1) | {f"{block}.shared_block.1.weight": [1]}
        shapes |= norm(f"{block}.shared_block.2", H) | layer(f"{block}.shared_block.3", H, 1, P)
        shapes |= {f"{block}.shared_block.4.weight": [1]} | norm(f"{block}.shared_block.5", H)
        shapes |= layer(f"{block}.res_conv", B, H, 1) | layer(f"{block}.skip_conv", Sc, H, 1)
    return shapes | {"masker.mask_net.0.weight": [1]} | layer("masker.mask_net.1", S * K, Sc, 1)


def demucs(width=64, depth=6, outputs=8, C=2, context=3, ways=("", "_reverse")):
    """Demucs, both versions; with one way through the LSTM and a context of 1, the denoiser."""
    shapes, inputs = {}, C
    for i in range(depth):
        up = depth - 1 - i
        shapes |= layer(f"encoder.{i}.0", width, inputs, 8) | layer(f"encoder.{i}.2", 2 * width, width, 1)
        shapes |= layer(f"decoder.{up}.0", 2 * width, width, context)
        out = inputs if i else outputs
        shapes |= layer(f"decoder.{up}.2", width, out, 8, size=out)
        inputs, width = width, 2 * width
    for n in range(2):
        for way in ways:
            read = inputs * (len(ways) if n else 1)
            shapes |= {f"lstm.lstm.weight_{k}_l{n}{way}": (4 * inputs, h) for k, h in (("ih", read), ("hh", inputs))}
            shapes |= {f"lstm.lstm.bias_{k}_l{n}{way}": [4 * inputs] for k in ("ih", "hh")}
    return shapes | (layer("lstm.linear", inputs, 2 * inputs) if len(ways) == 2 else {})


DENOISER = {"depth": 5, "outputs": 1, "C": 1, "context": 1, "ways": ("",)}
REAL = {  # each set, and what its file holds
    ("conv_tasnet", "music"): music(),
    ("conv_tasnet", "music_extra"): music(),
    ("conv_tasnet", "libri2mix"): torchaudio(),
    ("conv_tasnet", "asteroid"): asteroid(),
    ("demucs", "v2"): demucs(),
    ("demucs", "v2_extra"): demucs(),
    ("demucs", "v2_48"): demucs(48),
    ("demucs", "v1"): demucs(100),
    ("demucs", "v1_light"): demucs(),
    ("denoiser", "dns48"): demucs(48, **DENOISER),
    ("denoiser", "dns64"): demucs(64, **DENOISER),
    ("denoiser", "master64"): demucs(64, **DENOISER),
}
COUNTS = {("conv_tasnet", "libri2mix"): 4_984_881, ("demucs", "v2"): 265_679_496, ("denoiser", "dns64"): 33_533_569}


def test_all_sets_are_here():
    there = {(name, which) for name in ("conv_tasnet", "demucs", "denoiser") for which in PUBLISHED[name]}
    assert there == set(REAL)


@pytest.mark.parametrize(("name", "which"), REAL)
def test_every_weight_of_a_published_file_has_its_place(name, which):
    entry = PUBLISHED[name][which]
    with torch.device("meta"):
        own = create(name, entry.preset, **entry.changes).state_dict()
        made = drawn(REAL[name, which])
        found = translated(made, entry.layout)
    assert {k: tuple(v.shape) for k, v in found.items()} == {k: tuple(v.shape) for k, v in own.items()}
    if (name, which) in COUNTS:
        assert sum(value.numel() for value in made.values()) == COUNTS[name, which]


def test_every_file_has_a_hash_but_those_that_nobody_published():
    without = set()
    for name, which in REAL:
        entry = PUBLISHED[name][which]
        (address,) = entry.files.values()
        if not (entry.sha256 or re.search(r"-[0-9a-f]{8,16}\.th$", address)):
            without.add((name, which))
        assert re.fullmatch("([0-9a-f]{64})?", entry.sha256)
        assert (entry.level == 0.0) is (name == "demucs" or which.startswith("music")), "divided by the deviation"
    assert without == {("conv_tasnet", "libri2mix"), ("conv_tasnet", "asteroid")}


# ---------------------------------------------------------------- little files, read for real

LITTLE = {
    "music": (
        (
            "conv_tasnet",
            Published("music", {"filters": 6, "size": 4, "narrow": 5, "width": 7, "blocks": 2, "stacks": 2}),
        ),
        music(K=6, L=4, B=5, H=7, X=2, R=2),
    ),
    "torchaudio": (
        ("conv_tasnet", Published("paper", {"filters": 6, "size": 4, "narrow": 5, "skip": 5, "width": 7, "stacks": 1})),
        torchaudio(K=6, L=4, B=5, H=7, X=8, R=1),
    ),
    "asteroid": (
        ("conv_tasnet", Published("paper", {"filters": 6, "size": 4, "narrow": 5, "skip": 3, "width": 7, "stacks": 1})),
        asteroid(K=6, L=4, B=5, Sc=3, H=7, X=8, R=1),
    ),
    "demucs": (("demucs", Published("paper_v2", {"width": 3, "depth": 2}, level=0.0)), demucs(3, 2)),
    "denoiser": (("denoiser", Published("paper", {"width": 3, "depth": 2})), demucs(3, **{**DENOISER, "depth": 2})),
}
SAME = {  # a weight of the file, and where it must lie
    "music": {
        "separator.network.2.1.0.net.3.net.3.weight": "network.blocks.2.out.weight",
        "separator.network.2.0.1.net.1.weight": "network.blocks.1.widen.1.slope",
        "separator.network.2.1.1.net.3.net.2.beta": "network.blocks.3.along.2.bias",
        "separator.network.0.gamma": "network.norm.weight",
    },
    "torchaudio": {
        "mask_generator.conv_layers.3.conv_layers.3.weight": "network.blocks.3.along.0.weight",
        "mask_generator.conv_layers.3.conv_layers.4.weight": "network.blocks.3.along.1.slope",
        "mask_generator.conv_layers.7.skip_out.bias": "network.blocks.7.skip.bias",
        "mask_generator.output_prelu.weight": "network.bend.slope",
    },
    "asteroid": {
        "masker.TCN.6.shared_block.5.gamma": "network.blocks.6.along.2.weight",
        "masker.TCN.6.res_conv.weight": "network.blocks.6.out.weight",
        "decoder.filterbank._filters": "decoder.weight",
        "masker.mask_net.0.weight": "network.bend.slope",
    },
    "demucs": {
        "encoder.1.2.weight": "network.encoder.1.gate.0.weight",
        "decoder.0.0.weight": "network.decoder.0.gate.0.weight",
        "decoder.1.2.bias": "network.decoder.1.conv.bias",
        "lstm.lstm.weight_hh_l1_reverse": "network.middle.layers.layers.weight_hh_l1_reverse",
    },
    "denoiser": {
        "encoder.0.0.bias": "network.encoder.0.conv.bias",
        "lstm.lstm.bias_hh_l1": "network.recurrent.layers.bias_hh_l1",
    },
}


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """Put a file into a place from where it is "published", under the name "little"; return where it is to go."""

    def add(layout, saved, inside="", hashed=True):
        (name, entry), _ = LITTLE[layout]
        path = tmp_path / "new.th"
        torch.save(saved, path)
        digits = hashlib.sha256(path.read_bytes()).hexdigest()
        path = path.rename(tmp_path / (f"little-{digits[:8]}.th" if hashed else "little.pt"))
        entry = Published(entry.preset, entry.changes, {"": path.as_uri()}, layout, inside, entry.level)
        monkeypatch.setitem(PUBLISHED[name], "little", entry)
        return name, digits, tmp_path / "here"

    return add


@pytest.mark.parametrize("layout", LITTLE)
def test_a_published_file_is_downloaded_and_read(layout, shelf):
    weights = drawn(LITTLE[layout][1])
    name, _, folder = shelf(layout, weights)
    system = pretrained(name, "little", folder, progress=False)
    own = system.state_dict()
    assert not system.training and len(list(folder.iterdir())) == 1
    for theirs, ours in SAME[layout].items():
        assert torch.equal(own[ours].flatten(), weights[theirs].flatten()), theirs
    with torch.no_grad():
        assert system(torch.randn(1, system.channels, 301)).isfinite().all()
    again = pretrained(name, "little", next(folder.iterdir()))  # the file itself
    assert all(torch.equal(value, own[key]) for key, value in again.state_dict().items())


def test_a_decoder_that_is_a_linear_layer_becomes_a_convolution(shelf):
    weights = drawn(LITTLE["music"][1])
    name, _, folder = shelf("music", weights)
    found = pretrained(name, "little", folder, progress=False).decoder.weight  # (K, C, size)
    linear = weights["decoder.basis_signals.weight"]  # (C·size, K)
    assert all(found[k, c, n] == linear[4 * c + n, k] for k in range(6) for c in range(2) for n in range(4))


def test_weights_beside_plain_values(shelf):
    weights = drawn(LITTLE["asteroid"][1])
    saved = {"model_name": "ConvTasNet", "state_dict": weights, "model_args": {"n_src": 2, "mask_act": "relu"}}
    name, _, folder = shelf("asteroid", saved, inside="state_dict")
    assert torch.equal(pretrained(name, "little", folder).encoder.weight, weights["encoder.filterbank._filters"])
    name, _, folder = shelf("asteroid", weights, inside="state_dict")
    with pytest.raises(PublishedError, match="expected named weights under 'state_dict', but it holds encoder"):
        pretrained(name, "little", folder)


def test_a_hash_that_nobody_published_has_to_be_given(shelf):
    weights = drawn(LITTLE["torchaudio"][1])
    name, digits, folder = shelf("torchaudio", weights, hashed=False)
    with pytest.raises(PublishedError, match="no hash of this file is published.*whom you trust.*sha256="):
        pretrained(name, "little", folder)
    assert not folder.exists(), "nothing is downloaded before"
    with pytest.raises(PublishedError, match="not the file that was published"):
        pretrained(name, "little", folder, sha256="0" * 64)
    assert not pretrained(name, "little", folder, sha256=digits).training
    with pytest.raises(PublishedError, match="4 files, whose names end in their hashes"):
        pretrained("open_unmix", sha256=digits)


def test_fields_that_touch_no_weight_may_be_changed(shelf):
    name, _, folder = shelf("denoiser", drawn(LITTLE["denoiser"][1]))
    assert pretrained(name, "little", folder, normalize="running").latency > 0
    with pytest.raises(PublishedError, match="another size"):
        pretrained(name, "little", folder, width=4)
    with pytest.raises(ValueError, match="'normalise' is unknown"):
        pretrained(name, "little", folder, normalise="running")


@pytest.mark.parametrize("layout", ["demucs", "denoiser"])
def test_a_song_is_brought_to_the_level_of_their_training(layout, shelf):
    """Demucs heard songs of deviation 1; the denoiser divides by itself, so the book's level for speech will do."""
    name, _, folder = shelf(layout, drawn(LITTLE[layout][1]))
    system = pretrained(name, "little", folder)
    song = 0.01 * torch.randn(system.channels, 10_000)
    heard = measure(system, [song]).apply(song).square().mean()
    assert 10 * heard.log10() == pytest.approx(0.0 if layout == "demucs" else -24.0, abs=0.01)


OTHERS = [
    ("demucs", "denoiser", "no weight .*|has a weight.*"),
    ("denoiser", "demucs", "looks like Demucs"),
    ("music", "asteroid", "as Asteroid names it"),
    ("asteroid", "torchaudio", "as torchaudio names it"),
    ("torchaudio", "music", "as Demucs' package names it"),
    ("demucs", "music", "looks like Conv-TasNet for music"),
]


@pytest.mark.parametrize(("wanted", "given", "says"), OTHERS)
def test_a_file_of_another_system_is_refused_in_words(wanted, given, says, shelf):
    name, _, folder = shelf(wanted, drawn(LITTLE[given][1]))
    with pytest.raises(PublishedError, match=f"not the published weights of .*{says}"):
        pretrained(name, "little", folder)


def test_a_file_of_another_size_or_with_nan_is_refused(shelf):
    name, _, folder = shelf("demucs", drawn(demucs(4, 2)))
    with pytest.raises(PublishedError, match="published weights of another size"):
        pretrained(name, "little", folder)
    weights = drawn(LITTLE["demucs"][1])
    weights["lstm.linear.bias"][0] = torch.nan
    name, _, folder = shelf("demucs", weights)
    with pytest.raises(PublishedError, match="'network.middle.linear.bias' holds NaN"):
        pretrained(name, "little", folder)


def test_the_first_version_of_demucs_is_written_anew_first(tmp_path, monkeypatch):
    """Its file holds a class beside the numbers: never opened as it is, read once only the numbers are left."""
    with pytest.raises(PublishedError, match=r"holds a class .*no path was given.*sha256sum demucs\.th.*f6c4148"):
        pretrained("demucs", "v1")
    with pytest.raises(PublishedError, match="is no file"):
        pretrained("demucs", "v1_light", tmp_path / "nothing.pt")
    weights, path = drawn(LITTLE["demucs"][1]), tmp_path / "demucs.th"
    torch.save((nn.Linear, (), {"channels": 3}, weights), path, _use_new_zipfile_serialization=False)
    old = PUBLISHED["demucs"]["v1"]
    entry = Published("paper", {"width": 3, "depth": 2}, old.files, "demucs", sha256=old.sha256)
    monkeypatch.setitem(PUBLISHED["demucs"], "v1", entry)
    with pytest.raises(PublishedError, match="holds more than numbers"):
        pretrained("demucs", "v1", path)
    torch.save(torch.load(path, "cpu", weights_only=False)[3], tmp_path / "demucs_v1.pt")  # as the error tells
    system = pretrained("demucs", "v1", tmp_path / "demucs_v1.pt")
    assert torch.equal(system.network.encoder[0].conv.weight, weights["encoder.0.0.weight"])


def test_frames_of_zeros_are_torchaudios(shelf):
    """Half a filter at both ends, and up to whole frames; the authors' code adds at least one sample more."""
    name, _, folder = shelf("torchaudio", drawn(LITTLE["torchaudio"][1]))
    system = pretrained(name, "little", folder)  # filters of 4 samples, 2 apart
    frames = {N: system.encode(torch.ones(1, 1, N)).shape[-1] for N in (1, 2, 3, 4, 5, 100)}
    assert frames == {1: 2, 2: 2, 3: 3, 4: 3, 5: 4, 100: 51}
    for N in frames:
        assert system(torch.ones(1, 1, N)).shape == (1, 2, 1, N)
