"""Every layer of torch.nn that multiplies, against a formula by hand: nothing is 0 in silence."""

import inspect

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.nn.modules.lazy import LazyModuleMixin

from sepbook import shapes

x, plane, cube = (2, 8, 20), (2, 8, 12, 20), (2, 8, 6, 7, 9)
rows = (2, 20, 8)  # (B, T, H)
WIDE = 16  # hidden features of a feed-forward part


def attention(T, M, E):
    """Queries from T frames, keys and values from M: four projections, and the two products."""
    return 2 * (2 * T * E * E + 2 * M * E * E + 2 * T * M * E)


def encoder(T, E):
    return attention(T, T, E) + 2 * T * 2 * E * WIDE


def decoder(T, M, E):
    return attention(T, T, E) + attention(T, M, E) + 2 * T * 2 * E * WIDE


heads = {"nhead": 2, "dim_feedforward": WIDE, "batch_first": True}
LAYERS = {  # class: arguments, shapes of the inputs, MACs by hand
    nn.Linear: [((8, 5), [rows], 2 * 20 * 8 * 5)],
    nn.modules.linear.NonDynamicallyQuantizableLinear: [((8, 5), [rows], 2 * 20 * 8 * 5)],
    nn.Bilinear: [((8, 4, 5), [rows, (2, 20, 4)], 2 * 20 * (5 * 8 * 4 + 5 * 4))],
    nn.Conv1d: [((8, 6, 3), [x], 2 * 18 * 6 * 8 * 3), ((8, 16, 5, 2, 2, 1, 8), [x], 2 * 10 * 16 * 5)],
    nn.Conv2d: [
        ((8, 6, (3, 5)), [plane], 2 * 10 * 16 * 6 * 8 * 15),
        ((8, 8, 3, 1, 1, 1, 4), [plane], 2 * 240 * 8 * 18),
    ],
    nn.Conv3d: [((8, 2, 3), [cube], 2 * 4 * 5 * 7 * 2 * 8 * 27)],
    nn.ConvTranspose1d: [((8, 6, 4, 2), [x], 2 * 20 * 8 * 6 * 4), ((8, 6, 4, 2, 0, 0, 2), [x], 2 * 20 * 8 * 3 * 4)],
    nn.ConvTranspose2d: [((8, 6, 4, 2), [plane], 2 * 240 * 8 * 6 * 16)],
    nn.ConvTranspose3d: [((8, 6, 2, 2), [cube], 2 * 378 * 8 * 6 * 8)],
    nn.RNN: [((8, 6), [rows], 40 * 6 * 14)],
    nn.LSTM: [((8, 6), [rows], 40 * 4 * 6 * 14)],
    nn.GRU: [((8, 6), [rows], 40 * 3 * 6 * 14)],
    nn.RNNCell: [((8, 6), [(5, 8)], 5 * 6 * 14)],
    nn.LSTMCell: [((8, 6), [(5, 8)], 5 * 4 * 6 * 14)],
    nn.GRUCell: [((8, 6), [(5, 8)], 5 * 3 * 6 * 14)],
    nn.MultiheadAttention: [(("8", 2), [rows, (2, 7, 8), (2, 7, 8)], attention(20, 7, 8))],
    nn.TransformerEncoderLayer: [((8, heads), [rows], encoder(20, 8))],
    nn.TransformerDecoderLayer: [((8, heads), [rows, (2, 7, 8)], decoder(20, 7, 8))],
    nn.Upsample: [((40, None, "linear"), [x], 2 * 8 * 40 * 2), ((40, None, "nearest"), [x], 0)],
    nn.UpsamplingBilinear2d: [(((24, 40),), [plane], 2 * 8 * 24 * 40 * 4)],
    nn.PReLU: [((8,), [x], 0)],
}
# By convention without MACs: element-wise, norms, pooling, look-ups, moves, losses, containers.
WITHOUT = set(
    """
    Module Identity Sequential ModuleList ModuleDict ParameterList ParameterDict Container Flatten Unflatten
    Embedding EmbeddingBag PixelShuffle PixelUnshuffle ChannelShuffle Fold Unfold Softmax Softmax2d Softmin
    LogSoftmax CosineSimilarity PairwiseDistance UpsamplingNearest2d LocalResponseNorm CrossMapLRN2d GroupNorm
    LayerNorm RMSNorm SyncBatchNorm Transformer TransformerEncoder TransformerDecoder RNNBase RNNCellBase
    AdaptiveLogSoftmaxWithLoss LinearCrossEntropyLoss NLLLoss2d DataParallel
    """.split()
)
ENDINGS = ("Loss", "Pool1d", "Pool2d", "Pool3d", "Norm1d", "Norm2d", "Norm3d", "Pad1d", "Pad2d", "Pad3d")
ACTIVATIONS = {name for name, kind in inspect.getmembers(nn.modules.activation, inspect.isclass)}
DROPOUTS = {name for name, kind in inspect.getmembers(nn.modules.dropout, inspect.isclass)}


def test_every_layer_of_torch_is_in_one_of_the_lists():
    kinds = {
        name
        for name, kind in inspect.getmembers(nn, inspect.isclass)
        if issubclass(kind, nn.Module) and not issubclass(kind, LazyModuleMixin)
    }
    known = {kind.__name__ for kind in LAYERS} | WITHOUT | ACTIVATIONS | DROPOUTS
    unknown = {name for name in kinds - known if not name.endswith((*ENDINGS, "Unpool1d", "Unpool2d", "Unpool3d"))}
    assert not {name for name in unknown if not name.startswith(("MaxPool", "AvgPool", "Adaptive"))}


def make(kind, arguments):
    options = {"batch_first": True} if kind in (nn.RNN, nn.LSTM, nn.GRU, nn.MultiheadAttention) else {}
    plain = []
    for one in arguments:
        if isinstance(one, dict):
            options |= one
        else:
            plain.append(int(one) if isinstance(one, str) and one.isdigit() else one)
    return kind(*plain, **options).eval()


class Call(nn.Module):
    """Hands further inputs to a layer."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, first, **others):
        return self.layer(first, *others.values())


@pytest.mark.parametrize("device", ["cpu", "meta"])
@pytest.mark.parametrize(
    ("kind", "arguments", "given", "macs"), [(kind, *case) for kind, cases in LAYERS.items() for case in cases]
)
def test_macs_of_every_layer_by_hand(kind, arguments, given, macs, device):
    layer = make(kind, arguments).to(device)
    first, *others = (torch.rand(shape, device=device) for shape in given)
    trace = shapes.trace(Call(layer), first, **{f"input_{i}": other for i, other in enumerate(others)})
    assert trace.macs == macs and not trace.uncounted and not trace.idle
    assert trace.parameters == sum(row.parameters for row in trace.unfolded().rows)


class Apply(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


a, b = torch.rand(20, 6), torch.rand(2, 8, 8)
q = (2, 4, 20, 6)
complex_weight = torch.rand(20, 6, dtype=torch.complex64)
OPERATIONS = {  # the input is x (2, 8, 20)
    "matmul": (lambda x: x @ a, 2 * 8 * 20 * 6),
    "matmul with a vector": (lambda x: x @ a[:, 0], 2 * 8 * 20),
    "dot": (lambda x: x[0, 0].dot(x[0, 1]), 20),
    "outer: element by element": (lambda x: torch.outer(x[0, 0], x[0, 1]), 0),
    "addcmul: element by element": (lambda x: torch.addcmul(x, x, x), 0),
    "baddbmm": (lambda x: torch.baddbmm(x, b, x), 2 * 8 * 8 * 20),
    "addbmm": (lambda x: torch.addbmm(x[0], b, x), 2 * 8 * 8 * 20),
    "einsum": (lambda x: torch.einsum("bht,bgt->bhg", x, x), 2 * 8 * 8 * 20),
    "einsum of two vectors per item": (lambda x: torch.einsum("bht,bht->bh", x, x), 2 * 8 * 20),
    "tensordot": (lambda x: torch.tensordot(x, a, 1), 2 * 8 * 20 * 6),
    "complex": (lambda x: x.to(torch.complex64) @ complex_weight, 4 * 2 * 8 * 20 * 6),
    "complex convolution": (lambda x: functional.conv1d(x + 0j, torch.rand(3, 8, 5) + 0j), 3 * 2 * 16 * 3 * 8 * 5),
    "attention": (lambda x: functional.scaled_dot_product_attention(x, x, x[..., :6]), 2 * (8 * 8 * 20 + 8 * 8 * 6)),
    "attention, causal": (lambda x: functional.scaled_dot_product_attention(x, x, x, is_causal=True), 4 * 8 * 8 * 20),
    "attention of heads": (
        lambda x: functional.scaled_dot_product_attention(x[:, None], x[:, None], x[:, None]),
        4 * 8 * 8 * 20,
    ),
    "linear resampling": (lambda x: functional.interpolate(x, size=50, mode="linear"), 2 * 8 * 50 * 2),
    "nearest resampling": (lambda x: functional.interpolate(x, size=50), 0),
    "bicubic": (lambda x: functional.interpolate(x[:, None], size=(9, 9), mode="bicubic"), 2 * 81 * 16),
    "grid sample": (
        lambda x: functional.grid_sample(x[:, None], torch.zeros(2, 5, 5, 2), align_corners=False),
        2 * 25 * 4,
    ),
    "running sums": (lambda x: x.cumsum(-1), 0),
    "bilinear": (lambda x: functional.bilinear(x, x, torch.rand(3, 20, 20)), 2 * 8 * (3 * 400 + 3 * 20)),
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_macs_of_every_operation_by_hand(operation):
    function, macs = OPERATIONS[operation]
    trace = shapes.trace(Apply(function), torch.rand(x))
    assert trace.macs == macs and not trace.uncounted


UNCOUNTED = {
    "Fourier transform": lambda x: torch.fft.irfft(torch.fft.rfft(x)),
    "cdist_forward": lambda x: torch.cdist(x, x),
    "linalg_inv_ex": lambda x: torch.linalg.inv(x[..., :8] + torch.eye(8)),
    "linalg_svd": lambda x: torch.linalg.svd(x)[1],
}


@pytest.mark.parametrize("name", UNCOUNTED)
def test_what_nobody_has_counted_is_named(name):
    trace = shapes.trace(Apply(UNCOUNTED[name]), torch.rand(x))
    assert trace.macs == 0 and set(trace.uncounted) == {name}
    assert f"not counted: {name}" in str(trace) and f"not counted: {name}" in trace._repr_html_()


@pytest.mark.parametrize("fused", [True, False])
def test_the_fused_layers_of_attention_cost_the_same(fused):
    """PyTorch's fast path is one operation for a whole layer; hooks keep it off, a call without hooks does not."""
    from sepbook.shapes.flow import Flow

    layer = nn.TransformerEncoderLayer(8, **heads).eval()
    data = torch.rand(rows)
    with torch.no_grad(), Flow(data) as flow:
        layer(data, src_mask=None if fused else torch.zeros(20, 20))
    assert flow.macs == encoder(20, 8) and not flow.uncounted


def test_the_formula_of_the_fused_attention():
    from sepbook.shapes import costs

    weights = (torch.rand(24, 8), torch.rand(24), torch.rand(8, 8), torch.rand(8))
    data = torch.rand(rows)
    args = (data, data, data, 8, 2, *weights)
    out = torch.ops.aten._native_multi_head_attention(*args)
    assert costs.macs(torch.ops.aten._native_multi_head_attention.default, args, out[0]) == attention(20, 20, 8)


def test_the_weights_of_a_layer_that_is_never_called_belong_to_the_one_that_uses_them():
    layer = nn.MultiheadAttention(8, 2, batch_first=True)
    trace = shapes.trace(Call(layer), torch.rand(rows), key=torch.rand(rows), value=torch.rand(rows))
    assert trace.idle == {} and [row.parameters for row in trace.rows] == [0, 4 * 8 * 8 + 4 * 8]
