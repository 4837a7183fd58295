"""A network of ours beside that of another package: the same weights, the same input, the same arithmetic.

Each function of `PAIRS` returns a `Pair`. Sizes are the published ones where a line does not say otherwise.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sepbook.architectures import create
from sepbook.architectures.published import EvenConvTasNet, fill, translated
from tools.bench import _packages as packages


@dataclass
class Pair:
    """Two networks, an input, and what makes the second one's answer have the form of the first one's."""

    ours: nn.Module
    theirs: nn.Module
    mixture: Tensor
    what: str  # is compared, in words
    seconds: float  # of sound
    answer: Callable[[Tensor], Tensor] = lambda found: found
    ask: Callable[[nn.Module, Tensor], Tensor] = lambda network, x: network(x)

    def run_ours(self) -> Tensor:
        return self.ours(self.mixture)

    def run_theirs(self) -> Tensor:
        return self.answer(self.ask(self.theirs, self.mixture))


def noise(C: int, seconds: float, rate: int, extra: int = 0) -> Tensor:
    return 0.1 * torch.randn(1, C, round(seconds * rate) + extra)


def copied(ours: nn.Module, theirs: nn.Module, layout: str) -> None:
    """Give ours the weights of theirs, by the names of the published files."""
    found = theirs.state_dict()
    fill(ours, translated(found, layout), "the package", found)


def shaken(network: nn.Module) -> nn.Module:
    """Move what starts at 0 or 1, so that an exchange of weights shows."""
    with torch.no_grad():
        for weight in network.parameters():
            if weight.ndim == 1 or weight.shape[::2] == (1, 1):
                weight.add_(0.1 * torch.randn_like(weight))
    return network


def open_unmix(seconds: float = 2.0) -> Pair:
    theirs = shaken(packages.open_unmix()(nb_bins=2049, nb_channels=2, hidden_size=512, max_bin=1487))
    ours = create("open_unmix", "paper", source_names=("vocals",)).networks["vocals"]
    ours.load_state_dict(theirs.state_dict())
    return Pair(ours, theirs, torch.rand(1, 2, 2049, round(seconds * 44100 / 1024)), "one target", seconds)


def conv_tasnet_torchaudio(seconds: float = 0.25) -> Pair:
    theirs = shaken(packages.conv_tasnet_torchaudio()(msk_activate="relu"))
    ours = create("conv_tasnet", "paper", masks="relu")
    ours.__class__ = EvenConvTasNet
    copied(ours, theirs, "torchaudio")
    return Pair(ours, theirs, noise(1, seconds, 8000), "paper, ReLU masks", seconds, lambda found: found[:, :, None])


def conv_tasnet_asteroid(seconds: float = 0.25) -> Pair:
    theirs = shaken(packages.conv_tasnet_asteroid()(n_src=2))
    ours = create("conv_tasnet", "paper", pad=False)
    copied(ours, theirs, "asteroid")
    return Pair(ours, theirs, noise(1, seconds, 8000, 3), "paper", seconds, lambda found: found[:, :, None])


def conv_tasnet_music(seconds: float = 0.04) -> Pair:
    ours = create("conv_tasnet", "music")
    theirs = shaken(packages.conv_tasnet_music()(sources=list(ours.source_names), X=10))
    copied(ours, theirs, "music")
    return Pair(ours, theirs, noise(2, seconds, 44100, 3), "music", seconds)


def demucs(version: int, width: int, seconds: float) -> Pair:
    ours = create("demucs", "paper" if version == 1 else "paper_v2", width=width)
    theirs = packages.demucs()(sources=list(ours.source_names), channels=width, resample=version == 2)
    copied(ours, theirs, "demucs")
    N = round(seconds * 44100) + 1
    zeros = ours.valid_length(N) - N
    mixture = noise(2, seconds, 44100, 1)
    if version == 1:  # that package's class divides by 1 + 1e-5 in both versions
        ours.config = type(ours.config)(**{**vars(ours.config), "shrink": 1e-5})

    def ask(network, x):
        return network(nn.functional.pad(x, (zeros // 2, zeros - zeros // 2)))

    def answer(found):
        more = found.shape[-1] - N
        return found[..., more // 2 : more // 2 + N]

    return Pair(ours, theirs, mixture, f"version {version}, {width} channels", seconds, answer, ask)


def demucs_v1(width: int = 24, seconds: float = 0.5) -> Pair:
    return demucs(1, width, seconds)


def demucs_v2(width: int = 24, seconds: float = 0.25) -> Pair:
    return demucs(2, width, seconds)


def denoiser(seconds: float = 0.5) -> Pair:
    theirs = packages.denoiser()(sample_rate=16_000)
    ours = create("denoiser", "paper", normalize="whole")
    copied(ours, theirs, "denoiser")
    return Pair(ours, theirs, noise(1, seconds, 16000, 1), "paper", seconds, lambda found: found[:, None])


def nussl(name: str, frames: int) -> tuple[nn.Module, nn.Module, Tensor, Callable]:
    """Return our network, nussl's of the same kind, magnitudes, and how to ask nussl's."""
    build = packages.nussl().builders
    trunk, masks, points = (129, 600, 4, True, 0.3), ["sigmoid"], ["sigmoid", "unit_norm"]
    if name == "mask_inference":
        config = build.build_recurrent_mask_inference(*trunk, 2, masks, normalization_args={})
    elif name == "deep_clustering":
        config = build.build_recurrent_dpcl(*trunk, 20, points, normalization_args={})
    else:
        config = build.build_recurrent_chimera(*trunk, 20, points, 2, masks, normalization_args={})
    theirs = packages.nussl().SeparationModel(config)
    made = {  # by their names, so that a change of one of them is noticed here
        "mask_inference": lambda: create("mask_inference", "paper"),
        "deep_clustering": lambda: create("deep_clustering", "paper"),
        "chimera": lambda: create("chimera", "paper"),
    }
    ours, layers = made[name]().network, theirs.layers
    heads = {"mask": getattr(ours, "mask_head", getattr(ours, "head", None))}
    heads["embedding"] = getattr(ours, "embedding_head", heads["mask"])
    ours.trunk.norm.load_state_dict(layers["normalization"].batch_norm.state_dict())
    ours.trunk.recurrent.layers.load_state_dict(layers["recurrent_stack"].rnn.state_dict())
    for head in ("mask", "embedding"):
        if head in layers:
            heads[head].linear.load_state_dict(layers[head].linear.state_dict())
    return ours, theirs, torch.rand(1, 129, frames), lambda network, x: network({"mix_magnitude": x.mT[..., None]})


def mask_inference(seconds: float = 0.5) -> Pair:
    ours, theirs, x, ask = nussl("mask_inference", round(seconds * 125))
    return Pair(ours, theirs, x, "network", seconds, lambda found: found["mask"][:, :, :, 0].permute(0, 3, 2, 1), ask)


def deep_clustering(seconds: float = 0.5) -> Pair:
    ours, theirs, x, ask = nussl("deep_clustering", round(seconds * 125))
    shape = (1, -1, 129, 20)  # (B, T, F, D)
    return Pair(ours, theirs, x, "network", seconds, lambda y: y["embedding"].reshape(shape).transpose(1, 2), ask)


def chimera(seconds: float = 0.5) -> Pair:
    """Compare both heads, flattened and joined."""
    ours, theirs, x, ask = nussl("chimera", round(seconds * 125))
    ours.register_forward_hook(lambda network, given, found: torch.cat([part.flatten() for part in found]))

    def answer(found):
        masks, points = found["mask"][:, :, :, 0].permute(0, 3, 2, 1), found["embedding"].reshape(1, -1, 129, 20)
        return torch.cat([masks.flatten(), points.transpose(1, 2).flatten()])

    return Pair(ours, theirs, x, "network", seconds, answer, ask)


PAIRS = {
    "open_unmix": open_unmix,
    "conv_tasnet_torchaudio": conv_tasnet_torchaudio,
    "conv_tasnet_asteroid": conv_tasnet_asteroid,
    "conv_tasnet_music": conv_tasnet_music,
    "demucs_v1": demucs_v1,
    "demucs_v2": demucs_v2,
    "denoiser": denoiser,
    "mask_inference": mask_inference,
    "deep_clustering": deep_clustering,
    "chimera": chimera,
}


def difference(pair: Pair) -> float:
    """Return the largest difference between the two answers, in evaluation mode."""
    pair.ours.eval(), pair.theirs.eval()
    with torch.no_grad():
        return float((pair.run_ours() - pair.run_theirs()).abs().max())
