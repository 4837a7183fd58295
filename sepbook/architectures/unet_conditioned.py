"""One U-Net that is told which source is wanted: a condition turns the knobs of its encoder.

::

    condition (B, D, T or 1) ── control network ── a scale and a shift for each place ─────┐
                                                                                           │
    magnitude (B, C, F, T) ── encoder block: convolution, batch norm, scale and shift (FiLM), leaky ReLU ── …
                                                                     … ── decoder ── mask (B, 1, C, F, T)

The weights are the same for every source; only the scales and shifts differ. A condition is one number for each source,
between 0 and 1: a 1 among zeros asks for that source alone, and what lies between asks for something between. It may
vary in time, and the fundamental frequency of the voice may be a part of it.

Source: Meseguer-Brocal and Peeters 2019, with FiLM of Perez et al. 2018; other forms of Slizovskaia et al. 2020; the
fundamental frequency after Petermann et al. 2020.
Taught on: book/architectures/unet_conditioned
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from sepbook.architectures import unet
from sepbook.architectures._conditions import asked_for, drawn, every
from sepbook.architectures._names import check_choices
from sepbook.architectures._unets import NARROW, RECIPE, MaskingUNet, at_frames, pitch_band
from sepbook.architectures.recipe import Recipe
from sepbook.building_blocks.convolution import SameConv1d

FORMS, PLACES = ("affine", "residual", "multiply"), ("encoder", "bottleneck", "end")


@dataclass(frozen=True)
class Config(unet.Config):
    """Everything that defines the network and its control. The defaults are those of Meseguer-Brocal and Peeters 2019.

    Taught on: book/architectures/unet_conditioned
    """

    source_names: tuple[str, ...] = ("vocals", "drums", "bass", "other")  # S conditions; one mask at a time
    control: str = "dense"  # layers of the control network: "dense", or "cnn" along the numbers of the condition
    control_widths: tuple[int, ...] = (16, 64, 256)  # H of these layers; none: scales and shifts at once
    control_dropout: float = 0.5  # after each of these layers but the first
    control_norm: bool = True  # batch norm there too
    film: str = "simple"  # one scale and shift for a whole map, or "complex": for each of its features
    form: str = "affine"  # scale·x + shift, "residual": (1 + scale)·x + shift, or "multiply": scale·x
    place: str = "encoder"  # each encoder block, or "bottleneck": the last, or "end": what the last decoder block gets
    last_norm: bool = True  # batch norm before the sigmoid
    between: float = 0.25  # part of the training items that ask for something between two sources
    pitch: int = 0  # bands of the fundamental frequency in the condition; 0: it is no part of it


PRESETS = {
    "paper": Config(),
    "simple_dense": Config(),
    "complex_dense": Config(control_widths=(16, 256, 1024), film="complex"),
    "simple_cnn": Config(control="cnn", control_widths=(16, 32, 64)),
    "complex_cnn": Config(control="cnn", control_widths=(32, 64, 256), film="complex"),
    "residual": Config(control_widths=(), film="complex", form="residual"),
    "pitch": Config(control_widths=(16, 256, 1024), film="complex", pitch=60),
}
SMALL = {"masks": "sigmoid", "control_widths": (32,), "control_dropout": 0.0, "control_norm": False, "film": "complex"}
SMALL |= {"form": "residual", "last_norm": False, "loss": "l1"}
PRESETS["small"] = Config(**asdict(unet.PRESETS["small"]) | SMALL | NARROW)
PRESETS["tiny"] = Config(**asdict(unet.PRESETS["tiny"]) | SMALL)

PUBLISHED = ("paper", "simple_dense", "complex_dense", "simple_cnn", "complex_cnn")
PAPER = replace(unet.RECIPES["paper"], task="songs")
RECIPES = {
    **dict.fromkeys(PUBLISHED, PAPER),
    "residual": Recipe(task="songs", seconds=6.0, batch_size=32, learning_rate=1e-4, weight_decay=5e-4),
    "pitch": replace(PAPER, mixing={"labels": ("f0",)}),
    "small": replace(RECIPE, steps=RECIPE.steps | {"shipped": 3000}),
}


class Control(nn.Module):
    """From a condition to scales and shifts: `(B, D, T)` -> `(B, H, T)` both, one of each for every knob.

    All frames go through the same layers, one by one. Taught on: book/architectures/unet_conditioned
    """

    dims = "B D T -> scale: B H T, shift: B H T"

    def __init__(self, config: Config, D: int, H: int):
        super().__init__()
        self.cnn, inputs, layers = config.control == "cnn", 1 if config.control == "cnn" else D, []
        for i, outputs in enumerate(config.control_widths):
            last = i == len(config.control_widths) - 1  # sees all D numbers at once, and leaves one value
            conv = nn.Conv1d if last else SameConv1d
            layers += [conv(inputs, outputs, D) if self.cnn else nn.Linear(inputs, outputs), nn.ReLU()]
            if i:
                norm = nn.BatchNorm1d(outputs, eps=config.norm_epsilon) if config.control_norm else nn.Identity()
                layers += [nn.Dropout(config.control_dropout), norm]
            inputs = outputs
        self.layers = nn.Sequential(*layers)
        self.scale = nn.Linear(inputs, H)
        self.shift = nn.Linear(inputs, H) if config.form != "multiply" else None
        self.normed = config.control_norm and len(config.control_widths) > 1

    def forward(self, condition: Tensor) -> tuple[Tensor, Tensor]:
        """Turn each frame of `(B, D, T)` into the positions of all knobs. ValueError: one item is too few to train."""
        B, _, T = condition.shape
        if self.training and self.normed and B * T == 1:
            raise ValueError("batch norm of the control network needs two items or more to train: raise batch_size")
        x = condition.mT.flatten(0, 1)  # (B·T, D)
        x = self.layers(x[:, None]).flatten(1) if self.cnn else self.layers(x)  # (B·T, H')
        scale = self.scale(x).unflatten(0, (B, T)).mT  # (B, H, T)
        shift = self.shift(x).unflatten(0, (B, T)).mT if self.shift else torch.zeros_like(scale)
        return scale, shift


class FiLM(nn.Module):
    """Scale and shift the features of a map: `(B, H, F, T)`, with `(B, H or 1, T or 1)` of each.

    Source: Perez et al. 2018. Taught on: book/architectures/unet_conditioned
    """

    dims = "x: B H F T, scale: B H' T', shift: B H' T' -> B H F T"

    def __init__(self, form: str):
        super().__init__()
        self.form = form

    def forward(self, x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """Turn the knobs of `x`; all bins F of a feature alike."""
        scale, shift = scale.unsqueeze(2), shift.unsqueeze(2)  # (B, H or 1, 1, T or 1)
        if self.form == "multiply":
            return scale * x
        return (scale + 1) * x + shift if self.form == "residual" else scale * x + shift


class FilmBlock(nn.Module):
    """An encoder block of the U-Net with FiLM between its batch norm and its activation.

    Taught on: book/architectures/unet_conditioned
    """

    dims = "x: B H F T, scale: B H' T', shift: B H' T' -> B H'' F' T''"

    def __init__(self, block: unet.EncoderBlock, form: str):
        super().__init__()
        self.block, self.film = block, FiLM(form)

    def forward(self, x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """Halve `(B, H, F, T)`, as the scales and shifts will have it."""
        x = self.film(self.block.norm(self.block.conv(x)), scale, shift)  # (B, H', F/2, T/2)
        return self.block.more(self.block.activation(x))


class ConditionedUNet(nn.Module):
    """Magnitudes and a condition in, one mask out: `(B, C, F, T), (B, D, T or 1) -> (B, 1, C, F, T)`.

    Source: Meseguer-Brocal and Peeters 2019. Taught on: book/architectures/unet_conditioned
    """

    dims = "magnitude: B C F T, condition: B D T' -> B 1 C F T"

    def __init__(self, config: Config):
        super().__init__()
        plain = unet.UNet(replace(config, source_names=("wanted",)))
        self.encoder, self.decoder, self.multiple = plain.encoder, plain.decoder, plain.multiple
        depth, self.at_end = len(config.widths), FiLM(config.form) if config.place == "end" else None
        first = {"encoder": 0, "bottleneck": depth - 1, "end": depth}[config.place]  # block that is turned
        for i in range(first, depth):
            self.encoder[i] = FilmBlock(self.encoder[i], config.form)
        features = config.widths[first:] or (self.decoder[-1].conv.in_channels,)
        self.knobs = [1] * len(features) if config.film == "simple" else list(features)  # at each place
        self.halvings = range(first + 1, depth + 1) if features == config.widths[first:] else (1,)  # of T, there
        self.control = Control(config, len(config.source_names) + config.pitch, sum(self.knobs))
        self.last_norm = nn.BatchNorm2d(config.channels, config.norm_epsilon) if config.last_norm else nn.Identity()
        if config.init_std:
            self._initialise(config.init_std)

    def forward(self, magnitude: Tensor, condition: Tensor) -> Tensor:
        """Estimate the mask of what is wanted."""
        F, T = magnitude.shape[-2:]
        x = functional.pad(magnitude, (0, -T % self.multiple, 0, -F % self.multiple))
        turned, maps = self.turned(condition, x.shape[-1]), []
        for block in self.encoder:
            x = block(x, *next(turned)) if isinstance(block, FilmBlock) else block(x)
            maps.append(x)
        x = maps.pop()
        for block in self.decoder:
            x = x if block is self.decoder[0] else torch.cat([x, maps.pop()], dim=1)  # H: from below, then the skip
            x = self.at_end(x, *next(turned)) if self.at_end and block is self.decoder[-1] else x
            x = block(x)
        return self.last_norm(x[..., :F, :T]).sigmoid().unsqueeze(1)  # (B, 1, C, F, T)

    def turned(self, condition: Tensor, T: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield scale and shift for each place in turn: `(B, H or 1, T or 1)`, of as many frames as the map has."""
        if condition.shape[-1] > 1:
            condition = functional.pad(condition, (0, T - condition.shape[-1]), mode="replicate")
        scales, shifts = self.control(condition)  # (B, H, T or 1), the knobs of all places
        for times, *both in zip(self.halvings, scales.split(self.knobs, 1), shifts.split(self.knobs, 1), strict=True):
            yield tuple(knob if knob.shape[-1] == 1 else functional.avg_pool1d(knob, 2**times) for knob in both)

    def _initialise(self, std: float) -> None:
        for layer in self.control.modules():
            if isinstance(layer, nn.Conv1d | nn.Linear):
                nn.init.normal_(layer.weight, std=std)
                nn.init.zeros_(layer.bias)


class ConditionedUNetSystem(MaskingUNet):
    """Waveforms in, waveforms out: one U-Net, and a condition that says what it shall let through.

    Without `condition` all sources come, each with its own: S runs of the same network. Trained on one condition for
    each item, drawn anew every time. Source: Meseguer-Brocal and Peeters 2019.
    Taught on: book/architectures/unet_conditioned
    """

    def __init__(self, config: Config):
        choices = {"control": ("dense", "cnn"), "film": ("simple", "complex"), "form": FORMS, "place": PLACES}
        check_choices(config, masks=("sigmoid",), **choices)
        if config.control == "cnn" and not config.control_widths:
            raise ValueError("control_widths is empty; control='cnn' needs at least one layer, such as (16,)")
        if not 0 <= config.between <= 1:
            raise ValueError(f"between is {config.between}; it is a part of the training items, 0 to 1")
        super().__init__(config, ConditionedUNet(config))

    def forward(self, mixture: Tensor, condition=None, f0: Tensor | None = None, **inputs: Tensor) -> Tensor:
        """Separate `(B, C, N) -> (B, S, C, N)`; with a condition, what it asks for: `(B, 1, C, N)`.

        `condition` is the place or the name of a source, or numbers from 0 to 1: `(S,)`, `(B, S)` for each item, or
        `(B, S, T)` with 100 frames a second. `f0` `(B, T)` is the fundamental frequency in Hz at 100 frames a second, 0
        where nobody sings; a network that has it in its condition takes it as 0 where it is not given. Raises
        ValueError for a condition that is out of range.
        """
        self.check_mixture(mixture)
        S, bins = len(self.source_names), self.stft(mixture)  # (B, C, F, T) complex
        wanted = every(S, mixture) if condition is None else asked_for(condition, self.source_names, mixture)
        masks = self.masks(bins.abs(), wanted, f0)
        return self.istft(self.masking(bins, masks), mixture.shape[-1])

    def masks(self, magnitude: Tensor, wanted: Tensor | None = None, f0: Tensor | None = None) -> Tensor:
        """Estimate a mask for each condition: `(B, C, F, T), (B or 1, Q, S, T or 1) -> (B, Q, C, F, T)`.

        Q is how many conditions each item has; without any, those that ask for one source each.
        """
        wanted = every(len(self.source_names), magnitude) if wanted is None else wanted
        B, _, _, T = magnitude.shape
        heard, conditions = self.heard(magnitude), self.condition(wanted.expand(B, -1, -1, -1), f0, T)
        masks = [self.network(heard, condition) for condition in conditions.unbind(1)]  # Q x (B, 1, C, F, T)
        return self.all_bins(torch.cat(masks, dim=1))

    def condition(self, wanted: Tensor, f0: Tensor | None, T: int) -> Tensor:
        """Bring a condition to the frames of the STFT, `(B, Q, S, T or 1) -> (B, Q, D, T or 1)`, with its pitch."""
        hop, rate, bands = self.config.hop, self.sample_rate, self.config.pitch
        if wanted.shape[-1] > 1:
            wanted = at_frames(wanted, T, hop, rate)
        if not bands:
            return wanted
        B, Q = wanted.shape[:2]
        pitch = wanted.new_zeros(B, bands, T)
        if f0 is not None:
            found = functional.one_hot(pitch_band(at_frames(f0, T, hop, rate), bands), bands + 1)  # (B, T, bands + 1)
            pitch = found[..., 1:].mT.to(wanted)
        return torch.cat([wanted.expand(-1, -1, -1, T), pitch.unsqueeze(1).expand(-1, Q, -1, -1)], dim=2)

    def loss(self, mixture: Tensor, sources: Tensor, f0: Tensor | None = None, **labels: Tensor) -> dict[str, Tensor]:
        """Distance between what the mask lets through and what was asked for.

        In training each item draws a condition; a point between two sources asks for their sum, each made as soft as
        its number says. In validation every source is asked for.
        """
        bins, true = self.bins(mixture, sources)  # (B, C, F, T) and (B, S, C, F, T), complex
        wanted = None
        if self.training:
            if self.config.pitch and f0 is None:
                raise ValueError('this network learns from the label "f0": give Mixtures(…, labels=("f0",))')
            wanted = drawn(len(mixture), len(self.source_names), self.config.between, mixture)  # (B, 1, S, 1)
            true = (true * wanted[:, 0, :, :, None, None]).sum(1, keepdim=True)  # (B, 1, C, F, T)
        magnitude = bins.abs()
        estimates = self.masking(magnitude, self.masks(magnitude, wanted, f0))
        return {"loss": self.compare(estimates, true.abs()).mean()}


SYSTEM = ConditionedUNetSystem
