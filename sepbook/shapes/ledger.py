"""Print a trace: as aligned text for a terminal, as an HTML table for a page or a notebook.

Taught on: book/how_to_read
"""

from html import escape

PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def amount(number: float) -> str:
    """Round to three digits with a prefix: 1234567 becomes `1.23 M`. Taught on: book/how_to_read."""
    for size, prefix in PREFIXES:
        if number >= 0.9995 * size:
            return f"{_three_digits(number / size)} {prefix}"
    return f"{number:.3g}"


def _three_digits(number: float) -> str:
    if number >= 999.5:
        return f"{number:,.0f}"
    return f"{number:.{2 if number < 9.995 else 1 if number < 99.95 else 0}f}"


def span(steps: int | None, trace) -> str:
    """Write a receptive field: `1,024 (64 ms)`. Taught on: book/how_to_read."""
    if steps is None:
        return ""
    if trace.unit != "samples" or not trace.sample_rate:
        return f"{steps:,} {trace.unit}"
    return f"{steps:,} ({_three_digits(1000 * steps / trace.sample_rate)} ms)"


def columns(trace) -> list[tuple[str, bool, list[str]]]:
    """Return the columns as (heading, whether it holds numbers, one cell per row); empty columns are left out.

    A cell may have several lines, one for each tensor. Taught on: book/how_to_read
    """
    rows = trace.rows
    found = [
        ("module", False, [row.title for row in rows]),
        ("kind", False, [row.kind for row in rows]),
        ("input", False, [_shapes(row.inputs) for row in rows]),
        ("output", False, [_shapes(row.outputs) for row in rows]),
        ("parameters", True, [f"{row.parameters:,}" if row.parameters else "" for row in rows]),
        ("MACs", True, [amount(row.macs) if row.macs else "" for row in rows]),
        ("receptive field", True, [span(row.receptive_field, trace) for row in rows]),
        ("ms", True, ["" if row.milliseconds is None else f"{row.milliseconds:.2f}" for row in rows]),
    ]
    return [column for column in found if any(column[2])]


def _shapes(shapes) -> str:
    named = len(shapes) > 1
    return "\n".join(f"{shape.name} {shape}" if named else str(shape) for shape in shapes)


def summary(trace) -> str:
    """Return one sentence on the whole model. Taught on: book/how_to_read."""
    root = trace.calls[0]
    parts = [f"{trace.parameters:,} parameters", f"{amount(trace.macs)} MACs for an input {_shapes(root.inputs[:1])}"]
    if trace.unit == "samples" and trace.sample_rate:
        parts.append(f"{amount(trace.macs_per_second())} MACs per second of audio")
    if trace.idle:
        idle = ", ".join(f"{path or '(model)'} ({count:,})" for path, count in trace.idle.items())
        parts.append(f"not used: {idle}")
    if trace.uncounted:
        parts.append(f"not counted: {', '.join(sorted(trace.uncounted))}")
    hint = " Repeats are folded: trace(…, unfold=True) shows each." if any(row.times > 1 for row in trace.rows) else ""
    return f"{root.kind}: {'; '.join(parts)}.{hint}"


def text(trace) -> str:
    """Print a trace as aligned columns, with the summary below. Taught on: book/how_to_read."""
    lines = [[] for _ in range(1 + len(trace.rows))]  # per row: its columns, each a list of lines
    widths, numeric = [], []
    for heading, is_number, cells in columns(trace):
        column = [cell.split("\n") for cell in (heading, *cells)]
        widths.append(max(len(line) for cell in column for line in cell))
        numeric.append(is_number)
        for line, cell in zip(lines, column, strict=True):
            line.append(cell)
    printed = []
    for row in lines:
        for i in range(max(map(len, row))):
            parts = [cell[i] if i < len(cell) else "" for cell in row]
            padded = [p.rjust(w) if n else p.ljust(w) for p, w, n in zip(parts, widths, numeric, strict=True)]
            printed.append("  ".join(padded).rstrip())
    return "\n".join([*printed, summary(trace)])


def html(trace) -> str:
    """Print a trace as a table that scrolls inside its own box. Taught on: book/how_to_read."""
    table = columns(trace)
    head = "".join(f'<th scope="col"{_align(number)}>{escape(name)}</th>' for name, number, _ in table)
    body = "\n".join(_html_row(table, i) for i in range(len(trace.rows)))
    label = escape(f"Shapes of {trace.calls[0].kind}")
    return (
        f'<div class="sepbook-ledger" role="group" aria-label="{label}" tabindex="0" '
        'style="overflow-x:auto;max-width:100%">\n<table style="white-space:nowrap">'
        '<caption style="text-align:left"><div style="white-space:normal;max-width:min(40em,85vw)">'
        f"{escape(summary(trace))}</div></caption>\n"
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>"
    )


def _html_row(table, i: int) -> str:
    (_, _, paths), *others = table
    cells = [f"<td{_align(number)}>{_html_cell(column[i])}</td>" for _, number, column in others]
    return f'<tr><th scope="row"{_align(False)}>{_html_cell(paths[i])}</th>{"".join(cells)}</tr>'


def _html_cell(cell: str) -> str:
    return escape(cell).replace("\n", "<br>")


def _align(is_number: bool) -> str:
    return ' style="text-align:right"' if is_number else ' style="text-align:left;font-weight:normal"'
