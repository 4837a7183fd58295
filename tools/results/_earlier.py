"""What small presets and their recipes were before: the fields that are others today. Some courses began from there."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Earlier:
    """Fields of a small preset and of its recipe, and how many steps the shipped weights had."""

    config: dict
    recipe: dict
    steps: int


PIECES = {"seconds": 1.0, "augment": ("repitch",)}
CHIMERA = Earlier({"target": "tpsa", "loss": "mse", "clustering": 1.0, "masking": 1.0}, {"augment": ()}, 16000)
DANET = Earlier(
    {"n_fft": 256, "hop": 64, "units": 96, "embedding": 20, "dropout": 0.3},
    {**PIECES, "batch_size": 8, "mixing": {"far_first": 1600}},
    5000,
)
DEEP_CLUSTERING = Earlier(
    {"n_fft": 256, "hop": 64, "embedding": 10, "dropout": 0.0}, {**PIECES, "mixing": {"far_first": 3200}}, 4500
)
DEMUCS = Earlier({"loss": "mse"}, {}, 9000)
DENOISER = Earlier({}, {"mixing": {}, "augment": ()}, 5000)
TASNET = Earlier(
    {"size": 32, "filters": 160, "units": 128, "dropout": 0.0},
    {
        "seconds": 2.3,
        "batch_size": 4,
        "mixing": {"far_first": 4000},
        "augment": ("repitch", "flip_sign"),
        "learning_rate": 2e-3,
    },
    16000,
)
