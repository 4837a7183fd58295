"""Published weights: read from files that are made here in the published layout, and refused when they are others."""

import hashlib
import re

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch.nn import functional

from sepbook import architectures
from sepbook.architectures import create, pretrained, published
from sepbook.architectures.published import PUBLISHED, Published, PublishedError, convert_spleeter, spleeter_names

LITTLE = {"n_fft": 64, "hop": 16, "sample_rate": 8000, "bandwidth": 3000, "hidden": 6, "layers": 2}
NAMES = ("vocals", "bass")


def target(crop=25, F=33, C=2, H=6, layers=2):
    """One target of Open-Unmix as its package names and shapes it, with what older files hold beside the weights."""
    shapes = {"input_mean": [crop], "input_scale": [crop], "output_scale": [F], "output_mean": [F]}
    shapes |= {"fc1.weight": [H, C * crop], "fc2.weight": [H, 2 * H], "fc3.weight": [C * F, H]}
    for name, size in (("bn1", H), ("bn2", H), ("bn3", C * F)):
        shapes |= {f"{name}.{k}": [size] for k in ("weight", "bias", "running_mean", "running_var")}
    for layer in range(layers):
        for way in ("", "_reverse"):
            shapes |= {f"lstm.weight_{k}_l{layer}{way}": [2 * H, n] for k, n in (("ih", H), ("hh", H // 2))}
            shapes |= {f"lstm.bias_{k}_l{layer}{way}": [2 * H] for k in ("ih", "hh")}
    weights = {key: torch.rand(shape) + 0.1 for key, shape in shapes.items()}
    return {**weights, "sample_rate": torch.tensor(8000), "stft.window": torch.hann_window(64)}


def written(folder, weights, name="vocals", digits=None):
    """Save a file whose name ends in the first digits of its hash, as published ones do; return its address."""
    path = folder / "new.pth"
    torch.save(weights, path)
    digits = digits or hashlib.sha256(path.read_bytes()).hexdigest()[:8]
    return path.rename(folder / f"{name}-{digits}.pth").as_uri()


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """A place where "published" files lie, and a way to add a set of them."""
    there = tmp_path / "there"
    there.mkdir()

    def add(weights, digits=None):
        files = {name: written(there, state, name, digits) for name, state in weights.items()}
        monkeypatch.setitem(
            PUBLISHED["open_unmix"], "little", Published("paper", {**LITTLE, "source_names": tuple(weights)}, files)
        )
        return tmp_path / "here"

    return add


def read(folder):
    return pretrained("open_unmix", "little", folder, progress=False)


def test_a_published_open_unmix_is_downloaded_and_read(shelf, monkeypatch):
    weights = {name: target() for name in NAMES}
    folder = shelf(weights)
    system = read(folder)
    assert not system.training and system.source_names == NAMES and len(list(folder.iterdir())) == 2
    for name in NAMES:
        own = system.networks[name].state_dict()
        assert set(weights[name]) - set(own) == {"sample_rate", "stft.window"}
        assert all(torch.equal(own[key], weights[name][key]) for key in own if key in weights[name])
    monkeypatch.setattr(torch.hub, "download_url_to_file", None)  # the files are here now
    mixture = torch.randn(1, 2, 900)
    with torch.no_grad():
        assert torch.equal(read(folder)(mixture), system(mixture))


def test_the_layout_made_here_is_that_of_the_papers_network():
    with torch.device("meta"):
        own = create("open_unmix", "paper", source_names=("vocals",)).networks["vocals"].state_dict()
        made = target(crop=1487, F=2049, H=512, layers=3)
    shapes = {key: value.shape for key, value in made.items() if key not in published.LEFT_OVER}
    assert shapes == {key: value.shape for key, value in own.items() if not key.endswith("tracked")}


def test_the_sets_are_those_that_were_published():
    sets = PUBLISHED["open_unmix"]
    assert list(sets) == ["umxhq", "umx", "umxl", "umxse"]
    assert list(PUBLISHED["spleeter"]) == ["4stems", "2stems", "5stems"]
    for entry in sets.values():
        with torch.device("meta"):
            system = create("open_unmix", entry.preset, **entry.changes)
        assert tuple(entry.files) == system.source_names
        for address in entry.files.values():
            assert re.fullmatch(r"https://zenodo\.org/records/\d+/files/[a-z]+[-_][0-9a-f]{8}\.pth", address)


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ({"encoder.0.0.weight": torch.zeros(2)}, r"not the published weights of Target.*no weight.*looks like Demucs"),
        ({"separator.network.0.gamma": torch.zeros(2)}, "looks like Conv-TasNet"),
        ({**target(), "more": torch.zeros(1)}, "has a weight 'more' that Target does not have"),
        (target(H=8), r"weight 'fc1.weight' is \(8, 50\), but this Target expects \(6, 50\).*another size"),
        ({**target(), "fc2.weight": torch.full((6, 12), torch.nan)}, "'fc2.weight' holds NaN"),
        ({**target(), "bn2.running_var": torch.full((6,), -0.1)}, "'bn2.running_var' holds .* a variance below 0"),
        ({"state_dict": target(), "epoch": 3}, "expected named weights of one network, but it holds state_dict, epoch"),
        ([1, 2], "it holds list"),
        (torch.nn.Linear(2, 2), "holds more than numbers, or is damaged, and is not opened"),
    ],
)
def test_another_file_is_refused_in_words(shelf, state, says):
    with pytest.raises(PublishedError, match=says):
        read(shelf({"vocals": state}))


def test_a_file_that_is_not_the_published_one_is_refused(shelf):
    folder = shelf({"vocals": target()}, digits="0123abcd")
    with pytest.raises(PublishedError, match="its SHA-256 begins with .*, not 0123abcd.*remove it"):
        read(folder)
    next(folder.iterdir()).unlink()
    read(shelf({"vocals": target()}))
    path = next(folder.iterdir())
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(PublishedError, match="damaged or another one"):
        read(folder)


def test_without_a_network_it_says_what_to_do(tmp_path, monkeypatch):
    address = {"vocals": "file:///no/where/vocals-0123abcd.pth"}
    entry = Published("paper", {**LITTLE, "source_names": ("vocals",)}, address)
    monkeypatch.setitem(PUBLISHED["open_unmix"], "little", entry)
    with pytest.raises(PublishedError, match=r"cannot be downloaded .* put it into"):
        read(tmp_path)


@pytest.mark.parametrize(("name", "which"), [("unet", ""), ("open_unmix", "umxhp"), ("nothing", "")])
def test_a_set_that_is_not_known_is_refused(name, which):
    with pytest.raises(ValueError, match="open_unmix: umxhq, umx, umxl, umxse; spleeter: 4stems"):
        pretrained(name, which)


# ---------------------------------------------------------------- Spleeter

SIZES = {"n_fft": 64, "hop": 16, "sample_rate": 8000, "bins": 32, "segment": 16, "widths": (3, 4)}
STEMS = ("vocals", "accompaniment")


class Checkpoint:
    """TensorFlow's reader of checkpoints, as far as it is asked."""

    def __init__(self, tensors):
        self.tensors = tensors

    def get_variable_to_shape_map(self):
        return {name: list(value.shape) for name, value in self.tensors.items()}

    def get_tensor(self, name):
        return self.tensors[name]


def tensorflow(stems, widths, C=2, seed=0):
    """The variables that Keras makes for these stems, in its order and with its numbers and shapes."""
    random, made, counts = np.random.default_rng(seed), {}, {}

    def layer(kind, **shapes):
        number = counts[kind] = counts.get(kind, -1) + 1
        for part, shape in shapes.items():
            made[f"{kind}_{number}/{part}" if number else f"{kind}/{part}"] = random.uniform(0.1, 1, shape)

    def norm(H):
        layer("batch_normalization", gamma=H, beta=H, moving_mean=H, moving_variance=H)

    for _ in range(stems):
        below = C
        for H in widths:
            layer("conv2d", kernel=(5, 5, below, H), bias=H)
            norm(H)
            below = H
        for H in (*widths[-2::-1], 1):
            layer("conv2d_transpose", kernel=(5, 5, H, below), bias=H)
            norm(H)
            below = 2 * H
        layer("conv2d", kernel=(4, 4, 1, C), bias=C)
    made["conv2d/kernel/Adam"], made["global_step"] = made["conv2d/kernel"], np.array(7)  # of training
    return {name: value.astype(np.float32) for name, value in made.items()}


def masks_of(made, x):
    """The first and second stem's masks of `(1, C, F, T)`, in the order in which Keras calls its layers; two blocks."""

    def named(kind, number):
        name = f"{kind}_{number}" if number else kind
        return {k.rpartition("/")[2]: torch.tensor(v) for k, v in made.items() if k.rpartition("/")[0] == name}

    def conv(x, number, pad, **options):
        layer = named("conv2d", number)
        kernel = layer["kernel"].permute(3, 2, 1, 0)  # (T, F, inputs, outputs) -> (outputs, inputs, F, T)
        return functional.conv2d(functional.pad(x, (*pad, *pad)), kernel, layer["bias"], **options)

    def upward(x, number):
        layer = named("conv2d_transpose", number)
        wide = functional.conv_transpose2d(x, layer["kernel"].permute(3, 2, 1, 0), layer["bias"], stride=2)
        return wide[..., 1:-2, 1:-2]

    def norm(x, number):
        g, b, m, v = (
            named("batch_normalization", number)[k].view(1, -1, 1, 1)
            for k in ("gamma", "beta", "moving_mean", "moving_variance")
        )
        return (x - m) / (v + 1e-3).sqrt() * g + b

    found = []
    for s in range(2):
        first = conv(x, 3 * s, (1, 2), stride=2)
        bottom = conv(functional.leaky_relu(norm(first, 4 * s), 0.2), 3 * s + 1, (1, 2), stride=2)
        up = norm(upward(bottom, 2 * s).relu(), 4 * s + 2)
        up = norm(upward(torch.cat([first, up], 1), 2 * s + 1).relu(), 4 * s + 3)
        found.append(conv(up, 3 * s + 2, (3, 3), dilation=2).sigmoid())
    return torch.stack(found, 1)


@pytest.fixture
def little(monkeypatch):
    monkeypatch.setitem(PUBLISHED["spleeter"], "little", Published("2stems", SIZES))


def test_a_converted_spleeter_computes_what_the_checkpoint_says(little, tmp_path):
    made = tensorflow(2, SIZES["widths"])
    path = convert_spleeter(Checkpoint(made), tmp_path / "little.safetensors", "little")
    system = pretrained("spleeter", "little", path)
    assert not system.training and system.source_names == STEMS
    x = torch.rand(1, 2, 32, 16)
    with torch.no_grad():
        torch.testing.assert_close(system.magnitudes(x), masks_of(made, x) * x[:, None], atol=1e-5, rtol=0)


@pytest.mark.parametrize("preset", ["2stems", "4stems", "5stems"])
def test_every_weight_has_its_name_and_its_shape(preset):
    with torch.device("meta"):
        system = create("spleeter", preset)
    own = {k: tuple(v.shape) for k, v in system.state_dict().items() if not k.endswith("num_batches_tracked")}
    names = spleeter_names(system.source_names)
    assert set(names) == set(own) and len(set(names.values())) == len(own)
    S = len(system.source_names)
    assert names["networks.other.last.weight" if S > 2 else "networks.accompaniment.last.weight"] == (
        f"conv2d_{7 * S - 1}/kernel"
    )
    assert names["networks.vocals.down.1.norm.running_var"] == "batch_normalization/moving_variance"
    dead = {f"batch_normalization_{12 * s + 5}" for s in range(S)}
    norms = {name.partition("/")[0] for name in names.values() if name.startswith("batch")}
    assert not norms & dead and len(norms | dead) == 12 * S


def test_another_checkpoint_is_refused_in_words(little, tmp_path):
    def convert(made, name="little"):
        return convert_spleeter(Checkpoint(made), tmp_path / "x.safetensors", name)

    with pytest.raises(PublishedError, match="not the published 'little'.*the layers of 3 stems"):
        convert(tensorflow(3, SIZES["widths"]))
    with pytest.raises(PublishedError, match="not the published 'little'.*it has no 'conv2d_3/kernel'"):
        convert(tensorflow(1, SIZES["widths"]))
    with pytest.raises(PublishedError, match="no published weights 'six' of 'spleeter'"):
        convert({}, "six")
    with pytest.raises(PublishedError, match="it has no 'conv2d/kernel'"):
        convert({"dense/kernel": np.zeros((2, 2))})
    wide = convert(tensorflow(2, (3, 5)))
    with pytest.raises(PublishedError, match=r"vocals.*but this Spleeter expects .*another size"):
        pretrained("spleeter", "little", wide)


def test_a_file_that_is_no_converted_spleeter_is_refused_in_words(little, tmp_path):
    with pytest.raises(PublishedError, match="no path was given.*convert_spleeter"):
        pretrained("spleeter")
    with pytest.raises(PublishedError, match="is no file.*load_checkpoint"):
        pretrained("spleeter", "little", tmp_path)
    torch.save({"a": torch.zeros(1)}, tmp_path / "x.pth")
    with pytest.raises(PublishedError, match="not a converted Spleeter"):
        pretrained("spleeter", "little", tmp_path / "x.pth")
    save_file(target(), tmp_path / "y.safetensors")
    with pytest.raises(PublishedError, match="looks like a target of Open-Unmix"):
        pretrained("spleeter", "little", tmp_path / "y.safetensors")
    made = convert_spleeter(Checkpoint(tensorflow(2, SIZES["widths"])), tmp_path / "z.safetensors", "little")
    with pytest.raises(PublishedError, match="holds the weights 'little' of Spleeter, but '2stems' was asked for"):
        pretrained("spleeter", "2stems", made)


def test_published_weights_are_no_system():
    assert "published" not in architectures.names() and callable(architectures.pretrained)
