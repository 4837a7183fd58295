"""Checks for the lab on the sketch: a shape, three mends, and freezing. Taught on: book/architectures/keras_sketch."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from sepbook.architectures import create
from sepbook.check import CheckFailure, call, exercise, expect_gradient, expect_shape, expect_sizes, expect_values
from sepbook.check._inputs import noise


@exercise(
    "Exercise 1: halved twice",
    hints=(
        "There are two steps, and each is the same sum: where does a window of 5 fit when it moves in steps of 2?",
        "Begin with F alone: how many places does a window of 5 have on 512 bins, when it starts at 0, 2, 4, …?",
        "Do (size - 5) // 2 + 1 for F and T, and then the same again with what came out. The pool keeps H.",
    ),
)
def exercise_1(prediction):
    """Check the predicted (H, F, T) of Conv2d(1, 16, 5, stride=2) and MaxPool2d(5, stride=2) on 256 bins, 64 frames."""
    known = {
        (16, 64, 16): "This is a quarter of each axis: right if there were zeros around the maps. There are none.",
        (16, 126, 30): "This is what the convolution returns. The pool comes after it.",
        (16, 128, 32): "This is what the sketch's author had in mind: one halving. There are two, and no zeros.",
        (16, 13, 61): "F and T are swapped: F comes before T.",
        (
            1,
            61,
            13,
        ): "That is the number of maps that go in. Each of the 16 kernels makes a map, and the pool keeps them.",
        (8, 61, 13): "The pool makes maps smaller, not fewer: H stays.",
        (16, 63, 15): "That is a pool of 2. This one has a window of 5, as large as the kernel.",
        (16, 122, 26): "The pool moves in steps of 2 as well; this is a stride of 1.",
        (16, 61, 14): "T: the convolution leaves 30 frames, and (30 - 5) // 2 rounds down before you add one.",
    }
    expect_sizes(prediction, (16, 61, 13), "H F T", known)
    return "A quarter and less in one block. The third block would have no room for its window."


def _join(up, below: Tensor, skip: Tensor, order=(0, 1), end: bool = True, axis: int = 1) -> Tensor:
    x = up(below)
    F, T = skip.shape[-2:]
    x = x[..., :F, :T] if end else x[..., x.shape[-2] - F :, x.shape[-1] - T :]
    pair = (x, skip)
    return torch.cat([pair[order[0]], pair[order[1]]], dim=axis)


def _added(up, below: Tensor, skip: Tensor) -> Tensor:
    F, T = skip.shape[-2:]
    return up(below)[..., :F, :T] + skip


def _filled_up(up, below: Tensor, skip: Tensor) -> Tensor:
    """Give the skip zeros instead of cropping what was enlarged."""
    x = up(below)
    more = x.shape[-1] - skip.shape[-1], x.shape[-2] - skip.shape[-2]
    return torch.cat([x, functional.pad(skip, (0, more[0], 0, more[1]))], dim=1)


@exercise(
    "Exercise 2: enlarge, then join",
    hints=(
        "Three things: what is enlarged, how large it is beside the skip, and along which axis the two are stacked.",
        "up(below) may be one row or column larger than the skip. Print both shapes, and crop before you join.",
        "x = up(below); then x[..., :F, :T] with F, T = skip.shape[-2:]; then torch.cat([x, skip], dim=1).",
    ),
)
def exercise_2(enlarge_and_join):
    """Check a function of up, below `(B, H, F, T)`, skip `(B, H', F', T')`: `(B, H'' + H', F', T')`, below first."""
    for sizes, mode in (((8, 6), "nearest"), ((15, 9), "nearest"), ((7, 12), "bilinear")):
        half = [-(-size // 2) for size in sizes]
        up = nn.Upsample(scale_factor=2, mode=mode)
        other = nn.Upsample(scale_factor=2, mode="bilinear" if mode == "nearest" else "nearest")
        below = noise(2, 4, *half, seed=1).requires_grad_()
        skip = noise(2, 4, *sizes, seed=2).requires_grad_()
        made = [2 * size for size in half]
        where = "It is about a skip of {} bins and {} frames; up returns {} and {}.".format(*sizes, *made)
        known = {
            "the skip stands before what comes from below": _join(up, below, skip, (1, 0)),
            "the crop takes from the beginning, but the spare bins and frames are at the end": _join(
                up, below, skip, end=False
            ),
            "the two maps are added. Joined means stacked along H": _added(up, below, skip),
            "they are stacked along F. The features of both belong beside each other, along H": _join(
                up, below, skip, axis=2
            ),
            "they are stacked along T. The features of both belong beside each other, along H": _join(
                up, below, skip, axis=3
            ),
            "the skip was filled up with zeros. Crop what was enlarged, so that no bin is made up": _filled_up(
                up, below, skip
            ),
            "zeros come in the place of the skip: nothing crosses": _join(up, below, torch.zeros_like(skip)),
            "it was enlarged in another way than by `up`, which is given": _join(other, below, skip),
        }
        result = call(enlarge_and_join, up, below, skip)
        expect_values(result, _join(up, below, skip), "B H F T", known, where)
        expect_gradient(result, below, skip)
    return "Every map meets its own size, whatever was rounded up on the way down."


@exercise(
    "Exercise 3: from logits to an estimate",
    hints=(
        "Ask two questions of the result. Is it anywhere louder than the mixture? Does it know the mixture at all?",
        "A share between 0 and 1 comes out of a sigmoid. What does a share have to be multiplied with to be sound?",
        "The mask is torch.sigmoid(logits(magnitude)), a share for each bin. Return mask * magnitude.",
    ),
)
def exercise_3(estimate):
    """Check a function of logits and magnitude `(B, C, F, T)`: the estimated magnitude of the source."""
    for seed, C, size in ((0, 1, (16, 12)), (1, 2, (9, 20))):
        layer = nn.Conv2d(C, C, 3, padding=1)
        layer.load_state_dict({"weight": noise(C, C, 3, 3, seed=3), "bias": 0.1 * torch.ones(C)})
        x = (3 * noise(2, C, *size, seed=seed).abs()).requires_grad_()
        y = layer(x)
        known = {
            "this is the mask. It was never multiplied with the mixture": torch.sigmoid(y),
            "this is the sketch as it was: ReLU, and no mixture": torch.relu(y),
            "the mask is made by a ReLU, so it is not a share": torch.relu(y) * x,
            "nothing keeps the mask between 0 and 1": y * x,
            "this is what the mask takes away, not what it leaves": (1 - torch.sigmoid(y)) * x,
            "the sigmoid is applied twice": torch.sigmoid(torch.sigmoid(y)) * x,
            "the sigmoid comes after the multiplication": torch.sigmoid(y * x),
            "a softmax over one source is 1 everywhere, so this is the mixture": x.detach().clone(),
            "the mask is made by a tanh, and a share is never negative": torch.tanh(y) * x,
            "the mask was added to the mixture. A share is multiplied": torch.sigmoid(y) + x,
            "the mixture was divided by the mask. A share is multiplied": x / torch.sigmoid(y),
            "the mask is squared, or multiplied on twice": torch.sigmoid(y).square() * x,
        }
        result = call(estimate, layer, x)
        expect_values(result, torch.sigmoid(y) * x, "B C F T", known)
        expect_gradient(result, x)
    return "A share of the mixture: never louder than it, and silent where it is silent."


def _step_up(up, norm, below: Tensor, training: bool) -> Tensor:
    return functional.dropout(torch.relu(norm(up(below))), 0.5, training)


def _layers():
    up, norm = nn.ConvTranspose2d(3, 4, 2, stride=2), nn.BatchNorm2d(4)
    up.load_state_dict({"weight": noise(3, 4, 2, 2, seed=4), "bias": noise(4, seed=5)})
    norm.running_mean.copy_(noise(4, seed=6))
    norm.running_var.copy_(noise(4, seed=7).abs() + 0.5)
    return up, norm.eval()


@exercise(
    "Exercise 4: a step up of which nothing is thrown away",
    hints=(
        "Follow the map that the transposed convolution has made. Is it still there at the end? What did it pass?",
        "The last line drops parts of another map, and x is forgotten. Let each line take what the line above gave, "
        "and write the four steps in order: up, norm, ReLU, dropout.",
        "x = torch.relu(norm(up(below))), and then functional.dropout(x, 0.5, training=training).",
    ),
)
def exercise_4(step_up):
    """Check a function of up, norm, below `(B, H, F, T)`, skip, training: `(B, H', 2F, 2T)` without the skip."""
    up, norm = _layers()
    below, skip = noise(2, 3, 5, 6, seed=8), noise(2, 4, 10, 12, seed=9)
    quiet = call(step_up, up, norm, below, skip, False)
    raw = up(below)
    known = {
        "dropout is given the skip. What the layer made is thrown away": skip,
        "the normalisation is missing": torch.relu(raw),
        "the normalisation comes after the ReLU": norm(torch.relu(raw)),
        "the ReLU is missing": norm(raw),
    }
    where = "It is about training=False, where dropout passes everything on."
    for source in (skip, _step_up(up, norm, below, False)):
        _refuse_dropping(quiet, source)
    expect_values(quiet, _step_up(up, norm, below, False), "B H F T", known, where)
    loud, full = call(step_up, up, norm, below, skip, True), _step_up(up, norm, below, False)
    expect_shape(loud, full.shape, "B H F T")
    _check_dropout(loud.detach(), full.detach())
    return "In training half of the values are 0 and the others doubled; afterwards dropout passes everything on."


def _refuse_dropping(quiet, source: Tensor) -> None:
    """Raise CheckFailure when values of `source` were dropped although nobody trains."""
    if isinstance(quiet, Tensor) and quiet.shape == source.shape and (quiet == 0).sum() > (source == 0).sum():
        if (torch.isclose(quiet, 2 * source, rtol=1e-4) | (quiet == 0)).all():
            raise CheckFailure(
                "With training=False values are dropped all the same.",
                "functional.dropout takes a third argument; it is True unless you say otherwise.",
                "functional.dropout(x, 0.5, training=training).",
                kind="always",
            )


def _check_dropout(loud: Tensor, full: Tensor) -> None:
    """Raise CheckFailure unless half of the positive values are gone and the others doubled."""
    positive = full > 0
    loud, full = loud.double(), full.double()
    if torch.allclose(loud, full):
        raise CheckFailure("With training=True nothing is dropped.", kind="no dropout")
    kept = torch.isclose(loud, 2 * full, rtol=1e-4)
    if not (kept | (loud == 0)).all():
        raise CheckFailure(
            "With training=True a value is either 0 or twice what it is otherwise; here some are neither.",
            "Look at what stands after the dropout, and at its rate.",
            kind="dropout values",
        )
    gone = (loud == 0) & positive
    if not any(0 < gone[b, h].sum() < positive[b, h].sum() for b in range(len(loud)) for h in range(loud.shape[1])):
        raise CheckFailure(
            "With training=True whole maps are dropped; each value should be drawn for itself.",
            "functional.dropout2d drops maps, functional.dropout drops values.",
            "functional.dropout(x, 0.5, training=training).",
            kind="maps",
        )
    share = gone[positive].double().mean().item()
    if not 0.35 < share < 0.65:
        raise CheckFailure(f"With training=True {share:.0%} of the values are dropped, and not half.", kind="rate")


@exercise(
    "Exercise 5: freeze all but the last layer",
    hints=(
        "There are three things to do: no gradient for the whole system, one for the last block, and the mode.",
        "First switch the gradient off for all weights; then find the last block in system.network.decoder.",
        "system.requires_grad_(False); last = system.network.decoder[-1]; last.requires_grad_(True); system.eval(); "
        "return list(last.parameters()).",
    ),
)
def exercise_5(prepare):
    """Check a function of a system: it freezes all but `network.decoder[-1]` and returns the weights that learn."""
    for widths in ((4, 6), (4, 5, 6)):
        _check_frozen(prepare, create("unet", "small", widths=widths).train())
    return "Bit for bit, nothing but the last kernel and its bias can change now."


def _check_frozen(prepare, system) -> None:
    before = {name: x.clone() for name, x in system.state_dict().items()}
    weights = call(prepare, system)
    if isinstance(weights, dict) or not hasattr(weights, "__iter__"):
        raise CheckFailure(
            f"The result is of type {type(weights).__name__}, but should be a list of weights.",
            how="Return list(system.network.decoder[-1].parameters()).",
            kind="type",
        )
    weights = list(weights)
    last = {id(p) for p in system.network.decoder[-1].parameters()}
    learning = {name: p for name, p in system.named_parameters() if p.requires_grad}
    extra = [name for name, p in learning.items() if id(p) not in last]
    if extra:
        raise CheckFailure(f"{len(extra)} weights of other blocks can still learn, such as {extra[0]}.", kind="more")
    still = [name for name, p in system.named_parameters() if id(p) in last and not p.requires_grad]
    if still:
        what = "The last block cannot learn: its weights ask for no gradient."
        if len(still) < len(last):
            what = f"The last block cannot learn whole: {still[0]} asks for no gradient."
        raise CheckFailure(what, kind="less")
    if any(not isinstance(w, Tensor) for w in weights):
        raise CheckFailure(
            "The list holds other things than weights: names, perhaps.",
            how="parameters() gives weights, named_parameters() pairs of name and weight.",
            kind="names",
        )
    if {id(w) for w in weights} != last:
        raise CheckFailure(
            f"The list holds {len(weights)} weights, but should hold the {len(last)} of the last block: "
            "its kernel and its bias.",
            "Look at the return: the optimiser is to be given what can learn, and nothing else.",
            kind="list",
        )
    if any(module.training for module in system.modules() if isinstance(module, nn.BatchNorm2d)):
        raise CheckFailure(
            "Batch norm is still in training mode: its averages will drift, frozen or not.",
            "They are no weights, so requires_grad_ does not reach them. What does?",
            "Call system.eval() before you return.",
            kind="mode",
        )
    changed = [name for name, x in system.state_dict().items() if not torch.equal(x, before[name])]
    if changed:
        raise CheckFailure(
            f"{changed[0]} has other values than before. What the system has learned should stay.",
            "Only requires_grad and the mode change here, no weight.",
            kind="changed",
            known=True,
        )
