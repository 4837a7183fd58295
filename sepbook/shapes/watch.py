"""Watch one forward pass: every call of every module becomes a row.

Taught on: book/how_to_read
"""

from contextlib import contextmanager, nullcontext
from time import perf_counter

import torch
from torch import nn

from sepbook.shapes.binding import Binding
from sepbook.shapes.calls import all_tensors, match_inputs, match_outputs
from sepbook.shapes.dims import Dims, ShapeError, parse
from sepbook.shapes.flow import Flow
from sepbook.shapes.letters import Letters
from sepbook.shapes.recurrent import recurrent_field, recurrent_macs, sizes_only
from sepbook.shapes.row import Row, Shape

ROUNDS = 3  # passes that are timed; the fastest counts
SHAPE_WORDS = ("size", "shape", "dimension", "channels", "length", "kernel")  # of PyTorch's own complaints


@contextmanager
def evaluating(model: nn.Module):
    """Run in eval mode, without gradients, uncompiled; put modes and random state back. Taught on: book/how_to_read."""
    modes = {module: module.training for module in model.modules()}
    compiled = any(module._compiled_call_impl is not None for module in modes)
    stance = torch.compiler.set_stance("force_eager") if compiled else nullcontext()
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[]), stance:
            yield model.eval()
    finally:
        for module, mode in modes.items():
            module.training = mode


@contextmanager
def hooked(model: nn.Module, enter, leave):
    """Call `enter` before and `leave` after every module, while it lasts. Taught on: book/how_to_read."""
    handles = []
    for module in model.modules():
        handles.append(module.register_forward_pre_hook(enter, with_kwargs=True))
        handles.append(module.register_forward_hook(leave, with_kwargs=True))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


class Watch:
    """Hooks that write one row per call, check `dims`, and share out costs. Taught on: book/how_to_read."""

    def __init__(self, model: nn.Module, mixture: torch.Tensor):
        self.paths = {module: path for path, module in model.named_modules()}
        self.flow = Flow(mixture)
        self.letters = Letters(self.flow.names)
        self.batch = None  # known once the model's own input is bound
        self.rows: list[Row] = []
        self.stack: list[tuple[int, nn.Module, Binding, Dims]] = []
        self.counted = set()  # parameters that have been counted
        self.mark = 0  # MACs that have been shared out

    def where(self, row: Row) -> str:
        """Name a module in an error."""
        return f"{row.path} ({row.kind})" if row.path else row.kind

    def enter(self, module, args, kwargs) -> None:
        """Open a row: what is given."""
        self._settle()
        declared = getattr(module, "dims", None)
        row = Row(self.paths[module], type(module).__name__, parent=self.stack[-1][0] if self.stack else None)
        row.leads = not row.path or declared is not None or bool(module._parameters) or is_transform(module)
        row.parameters = self._count(module._parameters.values())
        binding, dims = Binding(self.where(row), self.batch), parse(declared) if declared else Dims((), ())
        self.rows.append(row)
        index = len(self.rows) - 1
        self.stack.append((index, module, binding, dims))
        pairs = match_inputs(binding, dims.inputs, module, args, kwargs)
        row.inputs = [Shape(name, tuple(x.shape), item) for item, name, x in pairs]
        if index == 0:
            self.batch = binding.sizes.get("B", row.input[0]) if row.input else None
            self.flow.begin(pairs)
        self.flow.origins.here = index
        row.reads = [self.flow.origins.of(x) for _, _, x in pairs]
        self.letters.given(index, module, pairs)

    def leave(self, module, args, kwargs, result) -> None:
        """Close a row: what is returned, and what it cost."""
        index, _, binding, dims = self.stack[-1]
        row = self.rows[index]
        self._settle()
        pairs = match_outputs(binding, dims.outputs, result)
        row.outputs = [Shape(name, tuple(x.shape), item) for item, name, x in pairs]
        results = [x for _, _, x in pairs]
        results += [x for x in all_tensors(result) if not any(x is one for one in results)]  # as the state of an LSTM
        data = args[0] if args else next(iter(kwargs.values()), None)
        if isinstance(module, nn.RNNBase):
            row.macs = recurrent_macs(module, data)
            self.flow.made(results, data)
        if pairs:
            row.receptive_field = self._receptive_field(module, data, pairs[0][2])
            self.letters.returned(index, module, data, pairs, binding.sizes)
        row.gives = self.flow.origins.leave(index, results, [*args, *kwargs.values()])
        self.stack.pop()
        self.flow.origins.here = self.stack[-1][0] if self.stack else 0

    def _settle(self) -> None:
        """Charge the module that is running with what has happened since the last time."""
        if self.stack:
            index, module, *_ = self.stack[-1]
            row = self.rows[index]
            row.macs += self.flow.macs - self.mark
            row.parameters += self._count(self.flow.used.values())  # of modules that are never called themselves
            if not isinstance(module, nn.RNNBase):
                row.uncounted.update(self.flow.uncounted)
        self.mark = self.flow.macs
        self.flow.uncounted.clear()
        self.flow.used.clear()

    def _count(self, parameters) -> int:
        new = {id(p): p.numel() for p in parameters if p is not None and id(p) not in self.counted}
        self.counted |= set(new)
        return sum(new.values())

    def _receptive_field(self, module, data, output) -> int | None:
        source = self.flow.fields.get(data) if isinstance(data, torch.Tensor) else None
        if source and isinstance(module, nn.RNNBase):
            self.flow.fields[output] = recurrent_field(module, source, data)
        elif source and is_transform(module) and source.axis == data.dim() - 1:
            through = source.transposed if data.is_complex() else source.convolved
            self.flow.fields[output] = through(module.n_fft, module.hop, module.n_fft // 2).alone(output.dim())
        found = self.flow.fields.get(output)
        return found.samples if found else None


def is_transform(module) -> bool:
    """Whether a module is a short-time Fourier transform or its inverse: a leaf with `n_fft` and `hop`.

    Taught on: book/how_to_read
    """
    return hasattr(module, "n_fft") and hasattr(module, "hop") and not module._modules


def watch(model: nn.Module, mixture: torch.Tensor, inputs: dict) -> tuple[list[Row], dict[str, int]]:
    """Run one pass and return its calls in order, and the parameters that took no part, by module.

    Raises ShapeError where `dims` or PyTorch's own layers refuse a shape: it names the module, and `.rows` holds the
    calls up to there. Taught on: book/how_to_read
    """
    seen = Watch(model, mixture)
    try:
        with evaluating(model), sizes_only(model, mixture), hooked(model, seen.enter, seen.leave), seen.flow:
            model(mixture, **inputs)
    except ShapeError as error:
        error.rows = seen.rows
        raise
    except RuntimeError as error:
        if type(error) is not RuntimeError or not any(word in str(error) for word in SHAPE_WORDS) or not seen.stack:
            raise
        raise refused(seen, error) from error
    seen.letters.write(seen.rows)
    return seen.rows, idle(model, seen.counted)


def idle(model: nn.Module, counted: set[int]) -> dict[str, int]:
    """Return how many parameters of each module the pass never used. Taught on: book/how_to_read."""
    found = {}
    for path, module in model.named_modules():
        count = sum(p.numel() for p in module.parameters(False) if id(p) not in counted)
        if count:
            found[path] = count
    return found


def refused(seen: Watch, error: RuntimeError) -> ShapeError:
    """Say in which module PyTorch refused a shape, and what that module was given. Taught on: book/how_to_read."""
    index, module, *_ = seen.stack[-1]
    row = seen.rows[index]
    given = ", ".join(f"{shape.name} {shape}" for shape in row.inputs)
    lines = [f"{seen.where(row)} cannot work with this shape.", f"  given     {given}"]
    lines += [f"  built as  {row.kind}({module.extra_repr()})"] if module.extra_repr() else []
    done = [one for one in seen.rows if one.outputs and one.leads]
    lines += [f"  before    {done[-1].path} ({done[-1].kind}) returned {done[-1].outputs[0]}"] if done else []
    told = ShapeError("\n".join([*lines, f"  PyTorch   {str(error).splitlines()[0]}"]))
    told.rows = seen.rows
    return told


def measure(model: nn.Module, mixture: torch.Tensor, inputs: dict) -> list[float]:
    """Time every call in milliseconds, in the order of `watch`: the fastest of a few passes, nothing else watching.

    Taught on: book/how_to_read
    """
    wait = {"cuda": torch.cuda.synchronize, "mps": torch.mps.synchronize}.get(mixture.device.type, lambda: None)
    rounds = []
    for _ in range(ROUNDS):
        started, spent, stack = [], {}, []

        def enter(module, args, kwargs, started=started, stack=stack):
            wait()
            stack.append(len(started))
            started.append(perf_counter())

        def leave(module, args, kwargs, result, started=started, spent=spent, stack=stack):
            wait()
            index = stack.pop()
            spent[index] = 1000 * (perf_counter() - started[index])

        with evaluating(model), hooked(model, enter, leave):
            model(mixture, **inputs)
        rounds.append([spent[i] for i in range(len(started))])
    return [min(times) for times in zip(*rounds, strict=True)]
