"""How long does a trace of a large convolutional network take, on the meta device?"""

from statistics import median

import torch
from torch import nn

from sepbook import shapes
from tools.bench._measure import seconds, threads

ROUNDS = 9
LIMIT = 5.0  # seconds
WIDTHS = (32, 64, 128, 256, 512, 1024, 2048, 2048)
DEEP = 8  # convolutions at each level of the way down


def network() -> nn.Sequential:
    """Return 600 million parameters: a way down of strided convolutions with more of them behind each, and up again."""
    layers, inputs = [], 2
    for outputs in WIDTHS:
        layers += [nn.Conv2d(inputs, outputs, 4, 2, 1), nn.BatchNorm2d(outputs), nn.LeakyReLU()]
        for _ in range(DEEP if outputs < WIDTHS[-1] else 4):
            layers += [nn.Conv2d(outputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.LeakyReLU()]
        inputs = outputs
    for outputs in (*WIDTHS[-2::-1], 2):
        layers += [nn.ConvTranspose2d(inputs, outputs, 4, 2, 1), nn.ReLU()]
        inputs = outputs
    return nn.Sequential(*layers)


@threads(1)
def run() -> dict:
    with torch.device("meta"):
        model, magnitude = network(), torch.zeros(1, 2, 1024, 512)
        first = seconds(lambda: shapes.trace(model, magnitude))  # PyTorch loads its rules for the meta device
        again = median(seconds(lambda: str(shapes.trace(model, magnitude))) for _ in range(ROUNDS))
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return {
        "parameters": parameters,
        "calls": len(shapes.trace(model, magnitude).calls),
        "first_seconds": first,
        "trace_seconds": again,
        "rounds": ROUNDS,
        "limit": LIMIT,
    }
