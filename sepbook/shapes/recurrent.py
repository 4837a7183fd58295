"""Recurrent layers in a trace: what they cost, and their shapes without running them.

On a CPU a recurrent layer is one closed operation, so its costs are counted by formula. On the meta device PyTorch
would go through it frame by frame, for seconds; there only the shapes of its results are made.

Taught on: book/how_to_read
"""

from contextlib import contextmanager
from functools import partial

import torch
from torch import nn


def recurrent_macs(layer: nn.RNNBase, data) -> int:
    """Count the multiply-accumulates of an RNN, LSTM or GRU: weights * B * T. Taught on: book/how_to_read."""
    weights = sum(p.numel() for name, p in layer.named_parameters() if name.startswith("weight"))
    steps = data.data if isinstance(data, nn.utils.rnn.PackedSequence) else data
    return weights * (steps.numel() // steps.shape[-1])


def recurrent_field(layer: nn.RNNBase, field, data):
    """Return the field behind a recurrent layer: all of its steps are mixed, so time must lie on the batch axis.

    Taught on: book/how_to_read
    """
    steps = 1 if layer.batch_first else 0
    if data.dim() < 3 or field.axis != 1 - steps:
        return None
    return field.mixed([steps, 2])


def empty_results(layer: nn.RNNBase, input: torch.Tensor, hx=None):
    """Return what the layer would return for `input`, sizes only: outputs and last states.

    Taught on: book/how_to_read
    """
    if not isinstance(input, torch.Tensor):  # packed sequences go the long way
        return type(layer).forward(layer, input, hx)
    directions = 2 if layer.bidirectional else 1
    width = layer.proj_size or layer.hidden_size
    output = input.new_empty(*input.shape[:-1], directions * width)
    batch = input.shape[:-1][0 if layer.batch_first else 1 :][:1] if input.dim() == 3 else ()
    state = input.new_empty(layer.num_layers * directions, *batch, width)
    cell = input.new_empty(layer.num_layers * directions, *batch, layer.hidden_size)
    return output, (state, cell) if isinstance(layer, nn.LSTM) else state


@contextmanager
def sizes_only(model: nn.Module, mixture: torch.Tensor):
    """On the meta device, let recurrent layers return sizes only while this lasts. Taught on: book/how_to_read."""
    layers = [module for module in model.modules() if isinstance(module, nn.RNNBase) and mixture.is_meta]
    for layer in layers:
        layer.forward = partial(empty_results, layer)
    try:
        yield
    finally:
        for layer in layers:
            del layer.forward
