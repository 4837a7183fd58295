"""A U-Net as an ONNX graph: magnitudes in, masks out, with a gate on each map and each skip.

::

    magnitude (1, 1, F, T) ── log(1 + x) ── encoder.0 ──·down.0── encoder.1 ── … ── decoder ── masks (1, S, F - 1, T)
                                               └─────── ·skip.0 ──────────────────────┘

T must be a multiple of 2^L; the highest bin is dropped, as `UNetSystem.masks` does, and the masks lack it. A gate is
`(H, 1, 1)`: ones let everything pass, a zero takes one map away. The outputs `encoder.l` are the maps before their
gates. Kernels are stored in half precision and become 32-bit floats when the file is loaded.
"""

import numpy as np
from torch import nn

from sepbook.architectures.unet import UNetSystem
from sepbook.building_blocks.convolution import same_padding
from tools.own_song import protobuf as pb


class Graph:
    """Nodes and constants as they come."""

    def __init__(self):
        self.nodes, self.constants, self.inputs, self.outputs = [], [], [], []

    def add(self, kind: str, inputs, output: str, **attributes) -> str:
        self.nodes.append(pb.node(kind, inputs, output, **attributes))
        return output

    def constant(self, name: str, values, dtype=np.float32) -> str:
        self.constants.append(pb.tensor(name, np.asarray(values, dtype)))
        return name

    def weights(self, name: str, values) -> str:
        """Store in 16 bits, use in 32."""
        self.constant(f"{name}.half", values.detach().numpy(), np.float16)
        return self.add("Cast", [f"{name}.half"], name, to=pb.FLOAT)

    def gate(self, x: str, name: str, H: int) -> str:
        self.inputs.append(pb.value(name, (H, 1, 1)))
        return self.add("Mul", [x, name], f"{name}.passed")


def build(system: UNetSystem) -> bytes:
    """Return the ONNX file of a U-Net. Raises ValueError for a variant that the page cannot run."""
    config, network = system.config, system.network
    if config.scale != "log" or config.convolutions != 1 or config.channels != 1:
        raise ValueError("only a U-Net of scale='log', one convolution per block and one audio channel runs in a page")
    graph, S, F = Graph(), len(config.source_names), config.n_fft // 2 + 1
    graph.inputs.append(pb.value("magnitude", (1, 1, F, "T")))
    x = _scaled(graph, F)
    skips = []
    for level, (block, H) in enumerate(zip(network.encoder, config.widths, strict=True)):
        x = _encoder(graph, x, f"encoder.{level}", block)
        graph.outputs.append(pb.value(x, (1, H, F // 2 ** (level + 1), f"T{level + 1}")))
        if level < len(config.widths) - 1:
            skips.append(graph.gate(x, f"skip.{level}", H))
        x = graph.gate(x, f"down.{level}", H)
    for i, block in enumerate(network.decoder):
        if i:
            x = graph.add("Concat", [x, skips.pop()], f"decoder.{i}.input", axis=1)
        x = _decoder(graph, x, f"decoder.{i}", block)
    last = ("Softmax", {"axis": 1}) if config.masks == "softmax" else ("Sigmoid", {})
    graph.add(last[0], [x], "masks", **last[1])
    graph.outputs.insert(0, pb.value("masks", (1, S, F - 1, "T")))
    return pb.model("unet", graph.nodes, graph.constants, graph.inputs, graph.outputs)


def _scaled(graph: Graph, F: int) -> str:
    one = graph.constant("one", 1.0)
    x = graph.add("Log", [graph.add("Add", ["magnitude", one], "plus_one")], "log")
    ends = [graph.constant(name, [at], np.int64) for name, at in (("from", 0), ("to", F - 1), ("axis", 2))]
    return graph.add("Slice", [x, *ends], "network_input")


def _pads(conv: nn.Module) -> list[int]:
    """Zeros before F and T, then after: those of an even length."""
    pairs = [same_padding(1024, size, step) for size, step in zip(conv.kernel_size, conv.stride, strict=True)]
    return [before for before, _ in pairs] + [after for _, after in pairs]


def _convolved(graph: Graph, x: str, name: str, conv: nn.Module, kind: str) -> str:
    weight = graph.weights(f"{name}.weight", conv.weight)
    inputs = [x, weight, graph.weights(f"{name}.bias", conv.bias)]
    return graph.add(kind, inputs, f"{name}.conv", strides=list(conv.stride), pads=_pads(conv))


def _normed(graph: Graph, x: str, name: str, norm: nn.BatchNorm2d) -> str:
    values = (norm.weight, norm.bias, norm.running_mean, norm.running_var)
    named = zip(("scale", "shift", "mean", "var"), values, strict=True)
    constants = [graph.constant(f"{name}.{part}", each.detach().numpy()) for part, each in named]
    return graph.add("BatchNormalization", [x, *constants], f"{name}.norm", epsilon=float(norm.eps))


def _encoder(graph: Graph, x: str, name: str, block: nn.Module) -> str:
    x = _normed(graph, _convolved(graph, x, name, block.conv, "Conv"), name, block.norm)
    return graph.add("LeakyRelu", [x], name, alpha=float(block.activation.negative_slope))


def _decoder(graph: Graph, x: str, name: str, block: nn.Module) -> str:
    x = _convolved(graph, x, name, block.conv, "ConvTranspose")
    if isinstance(block.finish, nn.Identity):
        return x
    return graph.add("Relu", [_normed(graph, x, name, block.finish[0])], name)
