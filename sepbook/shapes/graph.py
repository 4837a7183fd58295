"""Which part of a model reads from which: the plan behind a diagram, found in a trace.

Taught on: book/how_to_read
"""

from dataclasses import dataclass, field, replace

from sepbook.shapes.origins import Meeting
from sepbook.shapes.repeats import FEWEST, span
from sepbook.shapes.row import Row

MOST = 16  # boxes, before parts are no longer opened
WRAPPERS = ("Sequential", "ModuleList", "ModuleDict")


@dataclass(eq=False)
class Box:
    """One box of a diagram: an input, a part of the model, a place where paths meet, or an output.

    `sources` are the boxes that it reads from. `rows` are the calls that it stands for, one after the other. `how` is
    "+", "×", "cat" or "&" where paths meet. Taught on: book/how_to_read
    """

    role: str  # "input", "part", "meeting" or "output"
    name: str
    rows: list[Row] = field(default_factory=list)
    sources: list["Box"] = field(default_factory=list)
    how: str = ""
    shape: str = ""
    group: tuple[str, ...] = ()  # the names of networks of one kind that work side by side; one of them is drawn
    count: int = 0  # of a meeting: how many outputs of one box meet

    @property
    def row(self) -> Row:
        """A row that stands for all."""
        first, last = self.rows[0], self.rows[-1]
        return replace(first, path=span(first.path, last.path), outputs=last.outputs, times=len(self.rows))


class Plan:
    """Chooses the parts of a model that become boxes, and finds what each reads. Taught on: book/how_to_read."""

    def __init__(self, calls: list[Row], depth: int | None = None):
        self.calls = calls
        self.inside = {i: [] for i in range(len(calls))}
        for i, row in enumerate(calls[1:], 1):
            self.inside[row.parent].append(i)
        self.twins: dict[int, int] = {}  # calls that work beside another of their kind, and that other one
        self.parts = self._chosen(depth)
        self.boxes = {i: Box("part", calls[i].path, [calls[i]], group=self._group(i)) for i in self.parts}
        self.inputs: dict[str, Box] = {}
        self.meetings: dict[int, Box] = {}

    # which calls become boxes --------------------------------------------------------------------------------------

    def _leads(self, call: int) -> bool:
        row = self.calls[call]
        inside = self.inside[call]
        return row.leads or any(map(self._leads, inside)) or (not inside and len(_distinct(row.reads)) > 1)

    def _shown(self, call: int) -> list[int]:
        return [part for part in self.inside[call] if self._leads(part)]

    def _chosen(self, depth: int | None) -> list[int]:
        parts, level = [0], 0
        while level != depth:
            opened = [part for call in parts for part in (self._opened(call, parts, depth) or [call])]
            opened = self._without_twins(opened)
            if opened == parts:
                break
            if depth is None and level and self._drawn(opened) > MOST:
                break
            parts, level = opened, level + 1
        return parts

    def _opened(self, call: int, parts: list[int], depth: int | None) -> list[int]:
        """Return the parts of a call, if it is worth opening: it wraps others, or there is only one of its kind."""
        row, inside = self.calls[call], self._shown(call)
        alike = [one for one in parts if self.calls[one].kind == row.kind]
        few = len(inside) < 2 and call != 0 and row.kind not in WRAPPERS
        if not inside or (depth is None and (few or (len(alike) > 1 and row.kind not in WRAPPERS))):
            return []
        return inside

    def _without_twins(self, parts: list[int]) -> list[int]:
        """Keep one of several networks of one kind and shape that are given the same, side by side."""
        kept: list[int] = []
        for part in parts:
            row, other = self.calls[part], self.calls[kept[-1]] if kept else None
            same = other and _signature(row) == _signature(other) and row.reads == other.reads and row.reads
            if same and row.parent == other.parent and len(self._shown(part)) > 1:
                self.twins[part] = kept[-1]
            else:
                kept.append(part)
        return kept

    def _group(self, call: int | None) -> tuple[str, ...]:
        """Return the names of the networks side by side that a call belongs to."""
        while call is not None and call not in self.twins.values():
            call = self.calls[call].parent
        if call is None:
            return ()
        alike = [call, *(twin for twin, other in self.twins.items() if other == call)]
        return tuple(self.calls[one].path.split(".")[-1] for one in alike)

    def _drawn(self, parts: list[int]) -> int:
        signs = [_signature(self.calls[part]) for part in parts]
        return 1 + sum(a != b for a, b in zip(signs, signs[1:], strict=False))

    # what they read ------------------------------------------------------------------------------------------------

    def resolve(self, origin) -> list[Box]:
        """Return the boxes behind an origin: one, or none if it does not depend on the input."""
        if origin is None:
            return []
        if isinstance(origin, str):
            return [self.inputs.setdefault(origin, Box("input", origin))]
        if isinstance(origin, Meeting):
            return self._meeting(origin)
        call, output = self.twins.get(origin[0], origin[0]), origin[1]
        above = call
        while above is not None and above not in self.boxes:
            above = self.calls[above].parent
        if above is not None:
            return [self.boxes[above]]
        row = self.calls[call]
        if self.inside[call] and any(map(self._leads, self.inside[call])):
            return self.resolve(row.gives[output])
        return self._all(row.reads, "&")

    def _meeting(self, meeting: Meeting) -> list[Box]:
        if id(meeting) not in self.meetings:
            sources = [box for origin in meeting.origins for box in self.resolve(origin)]
            found = _met(meeting.how, sources)
            calls = {origin[0] for origin in meeting.origins if isinstance(origin, tuple)}
            if len(calls) > 1 and len({self.twins.get(call, call) for call in calls}) == 1:
                found = [Box("meeting", f"all {len(calls)}", sources=found, how=meeting.how, count=len(calls))]
            for box in found if len(found) == 1 and found[0].how == meeting.how else ():
                box.group = self._group(meeting.call)
            self.meetings[id(meeting)] = found
        return self.meetings[id(meeting)]

    def _all(self, origins, how: str) -> list[Box]:
        return _met(how, [box for origin in origins for box in self.resolve(origin)])

    def outputs(self) -> list[Box]:
        """Return one box for each output of the model, after all others have been joined."""
        root = self.calls[0]
        for part, box in self.boxes.items():
            found = [one for origin in self.calls[part].reads for one in self.resolve(origin)]
            box.sources = [one for one in _distinct(found) if one is not box]
        if self.parts == [0]:
            return [Box("output", shape.name, shape=str(shape), sources=[self.boxes[0]]) for shape in root.outputs]
        pairs = zip(root.outputs, root.gives, strict=False)  # what lies deeper in a result is no output of its own
        held = [(shape, origin) for shape, origin in pairs if 0 not in shape.sizes]  # a head left out returns nothing
        return [Box("output", shape.name, sources=self.resolve(origin), shape=str(shape)) for shape, origin in held]


def _distinct(values) -> list:
    found = []
    for value in values:
        if not any(value is one or (isinstance(value, tuple | str) and value == one) for one in found):
            found.append(value)
    return found


def _met(how: str, sources: list[Box]) -> list[Box]:
    sources = _distinct(sources)
    return sources if len(sources) < 2 else [Box("meeting", how, sources=sources, how=how)]


def _signature(row: Row) -> tuple:
    return row.kind, *(shape.sizes for shape in (*row.inputs, *row.outputs))


def _all_of(box: Box, members: list[Box]) -> bool:
    """Whether the outputs of several folded boxes meet: then the meeting stays, as the sum of all."""
    (whole,) = box.sources
    count = sum(any(member.rows[0] is row for row in whole.rows) for member in members if member.role == "part")
    box.name, box.count = f"all {count}", count
    return count > 1 and count == len(whole.rows)


def graph(trace, depth: int | None = None) -> list[Box]:
    """Return the boxes of a trace from the inputs to the outputs, repeats folded.

    `depth` says how deep to look; by default parts are opened as long as the picture stays small.
    Taught on: book/how_to_read
    """
    plan = Plan(trace.calls, depth)
    outputs = plan.outputs()
    folds = _folds([plan.boxes[part] for part in plan.parts])
    root = trace.calls[0]
    for name, box in plan.inputs.items():
        given = next((s for s in root.inputs if s.name == name), root.inputs[0])
        box.name, box.shape = given.name, str(given)
    return _ordered(outputs, folds)


def _folds(boxes: list[Box]) -> dict[Box, Box]:
    """Return for each box that is folded the one that stands for it."""
    folds, i = {}, 0
    while i < len(boxes):
        last = i + 1
        while last < len(boxes) and _signature(boxes[last].rows[0]) == _signature(boxes[i].rows[0]):
            last += 1
        if last - i >= FEWEST:
            run = boxes[i:last]
            whole = Box("part", "", [box.rows[0] for box in run], [*run[0].sources], group=run[0].group)
            folds |= dict.fromkeys(run, whole)
        i = last
    return folds


def _ordered(outputs: list[Box], folds: dict[Box, Box]) -> list[Box]:
    """List all boxes behind the outputs, sources first, with folded ones replaced."""
    done: dict[Box, Box | list[Box]] = {}
    order: list[Box] = []

    def visit(box: Box) -> Box:
        box = folds.get(box, box)
        if box not in done:
            done[box] = box  # a path that comes back to a folded box ends here
            before = box.sources
            sources = _distinct([visit(source) for source in before])
            box.sources = [source for source in sources if source is not box]
            if box.role == "meeting" and len(box.sources) == 1 and not (box.count or _all_of(box, before)):
                done[box] = box.sources[0]
            else:
                order.append(box)
        return done[box]

    for output in outputs:
        visit(output)
    return order
