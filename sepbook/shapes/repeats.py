"""Fold repeats: blocks of one kind and one shape that follow each other become one row.

Taught on: book/how_to_read
"""

from dataclasses import dataclass, replace

from sepbook.shapes.row import Row

FEWEST = 3  # calls that follow each other before they are folded


@dataclass
class Node:
    """A call and the calls inside it; `number` is its place in the order of calls. Taught on: book/how_to_read."""

    row: Row
    number: int
    parts: list["Node"]

    def signature(self) -> tuple:
        """What must be equal in repeats: kind and shapes, here and inside. Sizes of kernels may differ."""
        shapes = [shape.sizes for shape in (*self.row.inputs, *self.row.outputs)]
        return self.row.kind, self.row.times, *shapes, *(part.signature() for part in self.parts)

    def rows(self):
        """Yield the rows of this call and of all inside it."""
        yield self.row
        for part in self.parts:
            yield from part.rows()


def tree(calls: list[Row]) -> Node:
    """Return the calls as a tree. Taught on: book/how_to_read."""
    nodes = [Node(row, i, []) for i, row in enumerate(calls)]
    for node in nodes[1:]:
        nodes[node.row.parent].parts.append(node)
    return nodes[0]


def folded(calls: list[Row]) -> list[Row]:
    """Return the calls with repeats folded: one row for all, with the sums of their costs.

    Its receptive field and output are those of the last, and its path names the first and the last:
    `blocks.0…7 (8 times)`. Taught on: book/how_to_read
    """
    root = tree(calls)
    _fold(root)
    found = []
    _list(root, None, found)
    return found


def _fold(node: Node) -> None:
    for part in node.parts:
        _fold(part)
    node.parts = _merge(node.parts)


def _merge(parts: list[Node]) -> list[Node]:
    """Fold runs of units; a unit is one call or, where none fits, several in a row."""
    signs, found, i = [part.signature() for part in parts], [], 0
    while i < len(parts):
        size, times = _longest(signs, i)
        paths = {part.row.path for part in parts[i : i + size * times]}
        if times < FEWEST or len(paths) not in (size, size * times):  # one module again and again, or each its own
            found.append(parts[i])
            i += 1
            continue
        found += [_one([parts[i + k * size + j] for k in range(times)]) for j in range(size)]
        i += size * times
    return found


def _longest(signs, start: int) -> tuple[int, int]:
    """Return the unit at `start` that covers most calls: how many calls it has, and how often it comes."""
    best = (1, 1)
    for size in range(1, (len(signs) - start) // FEWEST + 1):
        unit, times = signs[start : start + size], 1
        while signs[start + times * size : start + (times + 1) * size] == unit:
            times += 1
        if times >= FEWEST and size * times > best[0] * best[1]:
            best = (size, times)
    return best


def _one(nodes: list[Node]) -> Node:
    """Make one call of several: what is inside is added to it and hidden."""
    inside = [row for node in nodes for row in node.rows()]
    first, last = nodes[0].row, nodes[-1].row
    leading = [row for row in nodes[0].rows() if row.leads]
    shown = leading[0] if len(leading) == 1 and not first.leads else first  # a block that only wraps one layer
    last_shown = [row for row in nodes[-1].rows() if row.leads][0] if shown is not first else last
    row = replace(
        shown,
        path=span(shown.path, last_shown.path),
        outputs=last_shown.outputs,
        receptive_field=last_shown.receptive_field,
        parameters=sum(row.parameters for row in inside),
        macs=sum(row.macs for row in inside),
        milliseconds=sum(node.row.milliseconds for node in nodes) if first.milliseconds is not None else None,
        leads=bool(leading),
        parent=first.parent,
        times=shown.times * len(nodes),
    )
    return Node(row, nodes[0].number, [])


def span(first: str, last: str) -> str:
    """Write two paths as one: `blocks.0.conv` and `blocks.7.conv` become `blocks.0…7.conv`.

    Taught on: book/how_to_read
    """
    one, other = first.split("."), last.split(".")
    if len(one) != len(other):
        return f"{first}…{last}"
    pairs = [(a.split("…")[0], b.split("…")[-1]) for a, b in zip(one, other, strict=True)]
    return ".".join(a if a == b else f"{a}…{b}" for a, b in pairs)


def _list(node: Node, parent: int | None, found: list[Row]) -> None:
    found.append(replace(node.row, parent=parent))
    here = len(found) - 1
    for part in node.parts:
        _list(part, here, found)
