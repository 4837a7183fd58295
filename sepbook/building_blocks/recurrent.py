"""Recurrent layers: a sequence is read frame by frame, and a state is carried from each frame to the next.

::

               y_1          y_2          y_3
                ↑            ↑            ↑
     h_0 ──> [ step ] ──> [ step ] ──> [ step ] ──> h_3       the same weights in every step
                ↑            ↑            ↑
               x_1          x_2          x_3

`rnn_step`, `lstm_step` and `gru_step` are one step each, to be read. `RecurrentStack` is what the systems use: some
layers, in one direction or two, as one fast module of PyTorch. `RecurrentMasks` is the smallest network around it that
separates. `gradient_by_lag` and `reach` measure how far back a layer can learn.

Taught on: book/building_blocks/recurrent
"""

import json
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor, nn

from sepbook._given import check_tensor
from sepbook.building_blocks._recurrent_checks import check_input, check_stack, check_state
from sepbook.building_blocks.linear import MaskHead

WEIGHTS = Path(__file__).parent.parent / "assets" / "weights" / "recurrent_masks.safetensors"
LAYERS = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
GATES = {"rnn": 1, "lstm": 4, "gru": 3}  # blocks of H rows that stand on top of each other in each weight


def rnn_step(x: Tensor, h: Tensor, w_x: Tensor, w_h: Tensor, b_x: Tensor, b_h: Tensor) -> Tensor:
    """One step of a plain RNN: frame `(B, H)` and state `(B, H')` to the next state `(B, H')`.

    Weights `(H', H)` and `(H', H')`, biases `(H',)`, in PyTorch's layout. Source: Elman 1990.
    Taught on: book/building_blocks/recurrent
    """
    return torch.tanh(x @ w_x.T + b_x + h @ w_h.T + b_h)


def lstm_step(x: Tensor, h: Tensor, c: Tensor, w_x: Tensor, w_h: Tensor, b_x: Tensor, b_h: Tensor):
    """One step of an LSTM: frame `(B, H)`, output h and cell c `(B, H')` to the next `(h, c)`.

    Weights `(4H', H)` and `(4H', H')`, biases `(4H',)`; PyTorch stacks input gate, forget gate, candidate, output gate.
    Source: Hochreiter and Schmidhuber 1997. Taught on: book/building_blocks/recurrent
    """
    i, f, g, o = (x @ w_x.T + b_x + h @ w_h.T + b_h).chunk(4, dim=-1)  # each (B, H')
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()  # keep some of the old, add some of the new
    return o.sigmoid() * c.tanh(), c


def gru_step(x: Tensor, h: Tensor, w_x: Tensor, w_h: Tensor, b_x: Tensor, b_h: Tensor) -> Tensor:
    """One step of a GRU, in the form "reset after": frame `(B, H)` and state `(B, H')` to the next state `(B, H')`.

    Weights `(3H', H)` and `(3H', H')`, biases `(3H',)`; PyTorch stacks reset gate, update gate, candidate. PyTorch's r
    comes after the matrix; in Cho 2014 it multiplies h before it. Taught on: book/building_blocks/recurrent
    """
    from_x, from_h = (x @ w_x.T + b_x).chunk(3, dim=-1), (h @ w_h.T + b_h).chunk(3, dim=-1)
    r, z = (from_x[0] + from_h[0]).sigmoid(), (from_x[1] + from_h[1]).sigmoid()
    n = torch.tanh(from_x[2] + r * from_h[2])  # the candidate; r chooses how much of the past it may use
    return z * h + (1 - z) * n  # keep z of the old


def parameter_count(H_in: int, H: int, L: int = 1, kind: str = "lstm", bidirectional: bool = False) -> int:
    """Count the weights and biases of a stack by its formula.

    Each direction of each layer has, for each of its gates, a matrix for what comes in, one for the state, and two
    biases. From the second layer on, what comes in is H wide, or 2H where there are two directions.
    Raises ValueError like `RecurrentStack`. Taught on: book/building_blocks/recurrent
    """
    check_stack(H_in, H, L, kind, bidirectional, 0.0, None)
    directions = 2 if bidirectional else 1
    widths = [H_in] + [directions * H] * (L - 1)  # what each layer is given
    return sum(directions * GATES[kind] * (H * width + H * H + 2 * H) for width in widths)


class RecurrentStack(nn.Module):
    """Recurrent layers on top of each other: `(B, T, H)` to `(B, T, H')`, one output for every frame.

    ``H`` units *per direction* in each of ``L`` layers; H' = ``H_out`` is H, or 2H when ``bidirectional`` (forward
    first). ``kind`` is "lstm", "gru" or "rnn". ``dropout`` acts between layers, in training. ``forget_bias`` is what an
    LSTM's forget gates start with, half in each of PyTorch's two biases: 2 puts 1 into both, as nussl's recipes do.

    One module of PyTorch holds all layers, so that a GPU runs them as one operation (cuDNN). `stream` reads chunk by
    chunk. Raises ValueError (a ShapeError where an axis is wrong) for what it cannot read: wrong axes, no frame,
    integers, complex numbers. Source: Hochreiter and Schmidhuber 1997; Schuster and Paliwal 1997.
    Taught on: book/building_blocks/recurrent
    """

    dims = "B T H -> B T H'"

    def __init__(
        self,
        H_in: int,
        H: int,
        L: int = 1,
        kind: str = "lstm",
        bidirectional: bool = False,
        dropout: float = 0.0,
        forget_bias: float | None = None,
    ):
        super().__init__()
        check_stack(H_in, H, L, kind, bidirectional, dropout, forget_bias)
        self.H_in, self.H, self.L, self.kind = H_in, H, L, kind
        self.H_out = 2 * H if bidirectional else H
        between = dropout if L > 1 else 0.0  # a single layer has nothing between layers
        self.layers = LAYERS[kind](H_in, H, L, batch_first=True, bidirectional=bidirectional, dropout=between)
        if forget_bias is not None:
            self._start_forget_gates(forget_bias)

    @property
    def bidirectional(self) -> bool:
        """Whether the layers also read from the end to the beginning."""
        return self.layers.bidirectional

    def _start_forget_gates(self, value: float) -> None:
        """Let every forget gate start with this bias; PyTorch adds two biases, and each is given half."""
        for name, parameter in self.layers.named_parameters():
            if name.startswith("bias"):
                nn.init.constant_(parameter[self.H : 2 * self.H], value / 2)  # the second of the four gates

    def forward(self, x: Tensor) -> Tensor:
        """Read whole sequences `(B, T, H)`, each from a state of zeros."""
        check_input(x, self.H_in, self.layers.weight_ih_l0.dtype)
        return self.layers(x)[0]  # (B, T, H')

    def stream(self, x: Tensor, state=None):
        """Read the next chunk `(B, T, H)` of one direction, and return `(output, state)`; pass the state on.

        ``state`` None begins. It is `(L, B, H)`; a pair (h, c) of these for an LSTM. Chunks of any lengths give what
        `forward` gives on the whole. Raises ValueError for two directions, or a state that does not fit.
        """
        if self.bidirectional:
            raise ValueError(
                "a bidirectional stack cannot stream: its second direction begins at the end of the sound. "
                "Build it with bidirectional=False, or give forward the whole"
            )
        check_input(x, self.H_in, self.layers.weight_ih_l0.dtype)
        if state is not None:
            check_state(state, self.kind, (self.L, len(x), self.H), self.layers.weight_ih_l0.dtype)
        return self.layers(x, state)


class RecurrentMasks(nn.Module):
    """The smallest recurrent separator: magnitudes `(B, C, F, T)`, mono, to masks `(B, S, C, F, T)` that add up to one.

    A frame's F bins are the features that the recurrent layers read, each bin normalised over the batch; a `MaskHead`
    turns what they say into S masks. The fields after ``S`` are those of `RecurrentStack`. Raises ValueError unless C
    is 1. Source: Hershey et al. 2016. Taught on: book/building_blocks/recurrent
    """

    dims = "B C F T -> B S C F T"

    def __init__(self, F: int = 257, H: int = 64, L: int = 2, S: int = 4, **fields):
        super().__init__()
        self.norm = nn.BatchNorm1d(F)
        self.recurrent = RecurrentStack(F, H, L, **fields)
        self.head = MaskHead(self.recurrent.H_out, S, F=F, activation="softmax")

    def rows(self, magnitude: Tensor) -> Tensor:
        """Return what the recurrent layers read: `(B, C, F, T)` to `(B, T, H=F)`."""
        return self.norm(frames(magnitude).mT).mT

    def forward(self, magnitude: Tensor) -> Tensor:
        """Make the masks of whole sounds."""
        return self.head(self.recurrent(self.rows(magnitude)))

    def stream(self, magnitude: Tensor, state=None):
        """Make the masks of the next chunk, in eval mode, and return `(masks, state)`; pass the state on."""
        features, state = self.recurrent.stream(self.rows(magnitude), state)
        return self.head(features), state


def frames(magnitude: Tensor) -> Tensor:
    """Turn a spectrogram around, so that each frame is a row of features: `(B, C=1, F, T)` to `(B, T, H=F)`.

    Magnitudes are taken as log(1 + magnitude). Raises ValueError unless they are `(B, C, F, T)` with one channel.
    Taught on: book/building_blocks/recurrent
    """
    check_tensor(magnitude, "frames")
    if magnitude.dim() != 4 or magnitude.shape[1] != 1:
        raise ValueError(
            f"magnitudes must be (B, C, F, T) with C=1, but were given as {tuple(magnitude.shape)}; add a missing axis "
            "with unsqueeze, or take the channels one by one"
        )
    return magnitude.log1p()[:, 0].mT  # (B, T, F)


def shipped_masks(name: str) -> RecurrentMasks:
    """Return a trained `RecurrentMasks`: "both ways" or "causal", for 16 kHz, n_fft 512, hop 256, four stems.

    They have as many parameters and were trained alike (tools/results/recurrent.py). Raises ValueError for another
    name. Taught on: book/building_blocks/recurrent
    """
    with safe_open(WEIGHTS, framework="pt") as file:
        fields = {key: json.loads(value) for key, value in file.metadata().items() if key != "licence"}
        if name not in fields:
            raise ValueError(f"name {name!r} is unknown; choose one of {', '.join(sorted(fields))}")
        network = RecurrentMasks(**fields[name])
        prefix = f"{name}."
        weights = {key.removeprefix(prefix): file.get_tensor(key) for key in file.keys() if key.startswith(prefix)}  # noqa: SIM118
    network.load_state_dict({k: w.float() if w.is_floating_point() else w for k, w in weights.items()})
    return network.eval()


def gradient_by_lag(layer: nn.Module, x: Tensor, seed: int = 0) -> Tensor:
    """Measure how much the output at the last frame depends on each frame before it: `(T,)`, lag 0 first.

    ``layer`` maps `(B, T, H)` to `(B, T, H')`. Each item of the batch asks with a random direction of H'; the answer is
    the root mean square of the gradient over B and H. Taught on: book/building_blocks/recurrent
    """
    x = x.detach().clone().requires_grad_()
    last = layer(x)[:, -1]  # (B, H')
    direction = torch.randn(last.shape, generator=torch.Generator().manual_seed(seed)).to(last)
    (gradient,) = torch.autograd.grad((last * direction).sum(), x)  # (B, T, H)
    return gradient.square().mean((0, 2)).sqrt().flip(0)  # (T,)


def reach(by_lag: Tensor, share: float = 0.01) -> int:
    """Return the largest lag whose gradient is at least this share of the largest, in frames.

    The answer is T - 1 where the whole excerpt is within reach. Taught on: book/building_blocks/recurrent
    """
    return int((by_lag >= share * by_lag.max()).nonzero().max())
