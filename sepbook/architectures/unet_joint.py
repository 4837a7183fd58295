"""One U-Net, several questions: which part of the mixture is whose, does somebody sing, and how high?

::

    magnitude (B, C, F, T) ── encoder ── decoder ──┬── last block ── masks (B, S, C, F, T)
                                                   ├── voice head ── does somebody sing? (B, 1, T)
                                                   └── pitch head ── how high? (B, bands + 1, T)

All heads read the same maps, the finest of the decoder and, through its skip, of the encoder. So each loss reaches the
encoder, and what helps one question may help the others. The labels are those of the score. Without heads the network
is that of `unet`.

Source: Stoller et al. 2018 (voice activity), Jansson et al. 2019 (fundamental frequency), Hung and Lerch 2020
(instrument activity, and its use as a gate). None of these networks is copied: the heads are this book's own.
Taught on: book/architectures/unet_joint
"""

from dataclasses import asdict, dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from sepbook.architectures import unet
from sepbook.architectures._unets import NARROW, RECIPE, MaskingUNet, at_frames, band_middles, pitch_band
from sepbook.losses.weighting import over_tasks

LABELS = {"voice": "vocal_activity", "pitch": "f0"}  # head: what it learns from
GATE = 21  # frames over which the voice's activity is smoothed before it opens and shuts the gate


@dataclass(frozen=True)
class Config(unet.Config):
    """Everything that defines the U-Net and its heads. Taught on: book/architectures/unet_joint."""

    source_names: tuple[str, ...] = ("vocals", "drums", "bass", "other")  # S masks
    voice: float = 0.1  # weight of the loss of the voice head; 0: there is no such head
    pitch: float = 0.02  # weight of the loss of the pitch head; 0: there is no such head
    bands: int = 48  # that the pitch head tells apart, about a semitone wide
    features: int = 4  # H of a head, for each bin that it reads
    gate: bool = False  # no vocals where the voice head hears none


LABELLED = {"labels": tuple(LABELS.values())}
PRESETS = {"paper": Config(), "small": Config(**asdict(unet.PRESETS["small"]) | NARROW)}
PRESETS["small_alone"] = replace(PRESETS["small"], voice=0.0, pitch=0.0)
PRESETS["small_voice"] = replace(PRESETS["small"], pitch=0.0)
PRESETS["small_pitch"] = replace(PRESETS["small"], voice=0.0)
PRESETS["tiny"] = Config(**asdict(unet.PRESETS["tiny"]))

RECIPES = {
    "paper": replace(unet.RECIPES["paper"], task="songs", mixing=LABELLED),
    "small": replace(RECIPE, mixing=RECIPE.mixing | LABELLED, steps=RECIPE.steps | {"shipped": 3000}),
}


class Head(nn.Module):
    """Answer a question for each frame from a map of half as many: `(B, H, F, T/2) -> (B, H', T)`, before softmax.

    A few features of each bin, then one linear layer over all bins. Taught on: book/architectures/unet_joint
    """

    dims = "B H F T -> B H' T'"

    def __init__(self, inputs: int, F: int, features: int, outputs: int):
        super().__init__()
        self.narrow = nn.Conv2d(inputs, features, 1)
        self.linear = nn.Conv1d(features * F, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Read `(B, H, F, T/2)`; two frames in a row get one answer."""
        x = self.narrow(x).relu().flatten(1, 2)  # (B, H'·F, T/2)
        return self.linear(x).repeat_interleave(2, dim=-1)


class JointUNet(unet.UNet):
    """Magnitudes in, masks and answers out: `(B, C, F, T)` -> `(B, S, C, F, T)`, `(B, 1, T)`, `(B, bands + 1, T)`.

    The answer of a head that is not there is empty, `(B, 0, T)`. Taught on: book/architectures/unet_joint
    """

    dims = "B C F T -> masks: B S C F T, voice: B H T, pitch: B H' T"

    def __init__(self, config: Config):
        super().__init__(config)
        half = -(-(config.n_fft // 2) // self.multiple) * self.multiple // 2  # F of the maps that the heads read
        shape = self.decoder[-1].conv.in_channels, half, config.features
        self.voice = Head(*shape, 1) if config.voice else None
        self.pitch = Head(*shape, config.bands + 1) if config.pitch else None

    def forward(self, magnitude: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Estimate the masks of `(B, C, F, T)` magnitudes, and answer for each frame."""
        F, T = magnitude.shape[-2:]
        x = functional.pad(magnitude, (0, -T % self.multiple, 0, -F % self.multiple))
        maps = []
        for block in self.encoder:
            x = block(x)
            maps.append(x)
        x = maps.pop()
        for block in self.decoder[:-1]:
            x = torch.cat([block(x), maps.pop()], dim=1)  # H: from below, then the skip
        nothing = x.new_zeros(len(x), 0, T)
        voice, pitch = (head(x)[..., :T] if head else nothing for head in (self.voice, self.pitch))
        masks = self.decoder[-1](x)[..., :F, :T].unflatten(1, (-1, self.channels))  # (B, S, C, F, T)
        return self.activation(masks), voice, pitch


class JointUNetSystem(MaskingUNet):
    """Waveforms in, waveforms out, and what was learned beside it from `answers`.

    Taught on: book/architectures/unet_joint
    """

    def __init__(self, config: Config):
        super().__init__(config, JointUNet(config))
        if config.gate and not (config.voice and "vocals" in self.source_names):
            raise ValueError("gate=True needs the source 'vocals' and a voice head: a weight `voice` above 0")

    def masks(self, magnitude: Tensor) -> Tensor:
        """Estimate one mask per source: `(B, C, F, T) -> (B, S, C, F, T)`, with the gate where there is one."""
        masks, voice, _ = self.network(self.heard(magnitude))
        if self.config.gate:
            vocals = torch.tensor([name == "vocals" for name in self.source_names], device=masks.device)
            shut = vocals[:, None] & ~sings(voice)  # (B, S, T)
            masks = masks.masked_fill(shut[:, :, None, None], 0.0)
        return self.all_bins(masks)

    def answers(self, mixture: Tensor) -> dict[str, Tensor]:
        """Say what the heads hear in `(B, C, N)`, frame by frame.

        "voice" is the probability that somebody sings, "f0" the fundamental frequency in Hz, 0 where nobody does:
        `(B, T)` both, of the heads that are there.
        """
        self.check_mixture(mixture)
        _, voice, pitch = self.network(self.heard(self.stft(mixture).abs()))
        found = {"voice": voice[:, 0].sigmoid()} if self.config.voice else {}
        if self.config.pitch:
            found["f0"] = band_middles(self.config.bands).to(pitch)[pitch.argmax(1)]
        return found

    def terms(self, mixture: Tensor, sources: Tensor, **labels: Tensor) -> dict[str, Tensor]:
        """Return the loss of each task, with gradients: "separation", and those of the heads whose labels are there."""
        bins, true = self.bins(mixture, sources)
        self._check_labels(labels)
        masks, voice, pitch = self.network(self.heard(bins.abs()))
        estimates = self.masking(bins.abs(), self.all_bins(masks))
        terms = {"separation": self.compare(estimates, true.abs()).mean()}
        T, hop, rate = voice.shape[-1], self.config.hop, self.sample_rate
        if self.config.voice and "vocal_activity" in labels:
            target = at_frames(labels["vocal_activity"], T, hop, rate).float()  # (B, T)
            terms["voice"] = functional.binary_cross_entropy_with_logits(voice[:, 0].float(), target)
        if self.config.pitch and "f0" in labels:
            target = pitch_band(at_frames(labels["f0"], T, hop, rate), self.config.bands)  # (B, T)
            terms["pitch"] = functional.cross_entropy(pitch.float(), target)
        return terms

    def loss(self, mixture: Tensor, sources: Tensor, **labels: Tensor) -> dict[str, Tensor]:
        """Add the losses of all tasks, weighed; each is returned by name too.

        `vocal_activity` (0 or 1) and `f0` (Hz, 0 where nobody sings) are `(B, T)` with 100 frames a second. Raises
        ValueError in training where a head misses its label; in validation its loss is left out.
        """
        terms = self.terms(mixture, sources, **labels)
        weights = {"separation": 1.0, "voice": self.config.voice, "pitch": self.config.pitch}
        return over_tasks(terms, {name: weights[name] for name in terms})

    def _check_labels(self, labels) -> None:
        heads = [head for head in LABELS if getattr(self.config, head)]
        missing = [LABELS[head] for head in heads if LABELS[head] not in labels]
        if self.training and missing:
            raise ValueError(
                f"the heads learn from labels, and {', '.join(missing)} is missing: give Mixtures(…, labels={missing}) "
                "or build the system without that head (a weight of 0)"
            )


def sings(voice: Tensor) -> Tensor:
    """Tell for each frame of a voice head's answer `(B, 1, T)` whether somebody sings, by the majority around it.

    A median filter of GATE frames over yes and no. Source: Hung and Lerch 2020.
    Taught on: book/architectures/unet_joint
    """
    heard = functional.pad((voice > 0).float(), (GATE // 2, GATE // 2), mode="replicate")
    return functional.avg_pool1d(heard, GATE, stride=1) > 0.5  # (B, 1, T)


SYSTEM = JointUNetSystem
