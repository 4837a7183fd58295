"""``{result}``: measured numbers, read from ``results/**/*.json`` so that nobody types them.

As a role it prints one number; ``|`` is followed by a Python format and a unit::

    {result}`unet/small.json:test.improvement.mean|.1f dB`

As a directive it prints a table of a mapping or of a list of mappings::

    ```{result} unet/small.json:test.improvement.per_source
    :format: .1f
    :unit: dB
    :head: source, improvement
    ```
"""

import json
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

THIN = "\N{NO-BREAK SPACE}"
logger = logging.getLogger(__name__)


class ResultError(ValueError):
    """The file, the key or the format of a ``{result}`` is wrong; the text says which."""


def look_up(root, reference):
    """Return the value behind ``file.json:key.key.0`` below ``root/results``."""
    name, colon, key = reference.strip().partition(":")
    path = root / "results" / name
    if not colon or not key:
        raise ResultError(f"{reference!r} needs a file and a key, as in unet/small.json:test.mean")
    if not path.is_file():
        raise ResultError(f"there is no file results/{name}")
    value = json.loads(path.read_text(encoding="utf-8"))
    seen = []
    for part in key.strip().split("."):
        try:
            value = value[int(part)] if isinstance(value, list) else value[part]
        except (KeyError, IndexError, ValueError, TypeError):
            choices = ", ".join(value) if isinstance(value, dict) else f"a {type(value).__name__}"
            where = ".".join(seen) or "the top"
            raise ResultError(f"results/{name} has no {part!r} at {where}; there is: {choices}") from None
        seen.append(part)
    return value


def printed(value, form):
    """Print ``value`` by ``form``: a Python format, then a unit, as in ``.1f dB``."""
    spec, _, unit = form.strip().partition(" ")
    try:
        text = format(value, spec)
    except (ValueError, TypeError) as error:
        raise ResultError(f"cannot print {value!r} as {spec!r}: {error}") from None
    text = text.replace("-", "\N{MINUS SIGN}", 1) if text.startswith("-") else text
    return f"{text}{THIN}{unit}" if unit else text


def note_dependency(env, reference):
    """Read the page again when the file changes."""
    env.note_dependency(str(Path(env.srcdir) / "results" / reference.strip().partition(":")[0]))


def result_role(name, rawtext, text, lineno, inliner, options=None, content=None):
    """Print one measured number."""
    env = inliner.document.settings.env
    reference, _, form = text.partition("|")
    note_dependency(env, reference)
    try:
        number = printed(look_up(Path(env.srcdir), reference), form)
    except ResultError as error:
        logger.warning("{result}: %s", error, location=(env.docname, lineno))
        return [nodes.problematic(rawtext, rawtext)], []
    return [nodes.inline(rawtext, number, classes=["sepbook-result"])], []


def table(rows, head):
    """Build a docutils table from rows of strings; the first column names the row."""
    group = nodes.tgroup(cols=len(rows[0]))
    group += [nodes.colspec(colwidth=1) for _ in rows[0]]
    for part, lines in ((nodes.thead, [head] if head else []), (nodes.tbody, rows)):
        if lines:
            block = part()
            for line in lines:
                entries = [nodes.entry("", nodes.paragraph(text=cell)) for cell in line]
                block += nodes.row("", *entries)
            group += block
    return nodes.table("", group, classes=["sepbook-results"])


class ResultTable(SphinxDirective):
    """Print a mapping (name, number) or a list of mappings as a table."""

    required_arguments = 1
    final_argument_whitespace = True
    option_spec = {
        "format": directives.unchanged,
        "unit": directives.unchanged,
        "head": directives.unchanged,
        "columns": directives.unchanged,
    }

    def rows(self, value, form):
        """Return rows of strings: one per key of a mapping, or one per mapping of a list."""
        if isinstance(value, dict) and value and all(isinstance(item, dict) for item in value.values()):
            value = [{"": name, **item} for name, item in value.items()]
        if isinstance(value, dict) and value:
            return [[name, self.cell(item, form)] for name, item in value.items()], None
        if not (isinstance(value, list) and value and all(isinstance(item, dict) for item in value)):
            raise ResultError(f"a table needs a mapping or a list of mappings, not {value!r:.60}")
        columns = [c.strip() for c in self.options.get("columns", "").split(",") if c.strip()] or list(value[0])
        missing = [c for c in columns if any(c not in item for item in value)]
        if missing:
            raise ResultError(f"no column {missing[0]!r}; there is: {', '.join(value[0])}")
        return [[self.cell(item[c], form) for c in columns] for item in value], columns

    @staticmethod
    def cell(item, form):
        """Print one cell: words stay as they are."""
        return item if isinstance(item, str) else printed(item, form)

    def run(self):
        """Build the table, or warn."""
        note_dependency(self.env, self.arguments[0])
        form = f"{self.options.get('format', '')} {self.options.get('unit', '')}".strip(" ")
        form = f" {form}" if "format" not in self.options and form else form
        try:
            rows, head = self.rows(look_up(Path(self.env.srcdir), self.arguments[0]), form)
            if "head" in self.options:
                head = [cell.strip() for cell in self.options["head"].split(",")]
            if head and len(head) != len(rows[0]):
                raise ResultError(f":head: has {len(head)} columns, the table has {len(rows[0])}")
        except ResultError as error:
            logger.warning("{result}: %s", error, location=self.get_location())
            return []
        return [table(rows, head)]
