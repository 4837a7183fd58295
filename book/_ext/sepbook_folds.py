"""``{fold-start} title`` … ``{fold-end}``: a fold that may hold code cells, which no directive can have inside itself.

Between the two stands whatever a page may hold but headings: a fold ends in the section in which it starts. It becomes
the dropdown of sphinx-design, so that it looks like one, prints like one and opens by the keyboard like one. A title
with inline code needs colons for its fence, ``:::{fold-start}``: Markdown allows no backticks behind backticks.
"""

from docutils import nodes
from sphinx.transforms import SphinxTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx_design.dropdown import DropdownDirective

logger = logging.getLogger(__name__)
LOST = "{%s} without its {%s} in the same section: a fold holds no headings"


class fold_end(nodes.Element):  # noqa: N801 (docutils names its nodes so)
    """Where a fold ends; gone when the document has been read."""


class FoldStart(DropdownDirective):
    """Begin a fold; its title is what is seen of it while it is closed."""

    required_arguments, optional_arguments, has_content = 1, 0, False

    def run_with_defaults(self):
        """Return an empty dropdown that waits for what follows."""
        found = super().run_with_defaults()
        found[0]["waits"] = True
        return found


class FoldEnd(SphinxDirective):
    """End the fold that was begun last."""

    def run(self):
        """Return the mark."""
        end = fold_end()
        self.set_source_info(end)
        return [end]


class Gather(SphinxTransform):
    """Move what stands between the two marks into the dropdown."""

    default_priority = 10  # as early as sphinx-exercise does it: identifiers and links are not yet resolved

    def apply(self):
        """Close each fold; say so where one of its two marks is missing."""
        for end in list(self.document.findall(fold_end)):
            parent, last = end.parent, end.parent.index(end)
            first = max((i for i, node in enumerate(parent[:last]) if waits(node)), default=None)
            if first is None:
                logger.error(LOST, "fold-end", "fold-start", location=end)
                parent.remove(end)
                continue
            start, inside = parent[first], parent[first + 1 : last]
            del parent[first + 1 : last + 1]
            start += inside
            del start["waits"]
        for start in filter(waits, list(self.document.findall(nodes.container))):
            logger.error(LOST, "fold-start", "fold-end", location=start)


def waits(node):
    """Say whether this is a fold that has begun and not yet ended."""
    return isinstance(node, nodes.container) and "waits" in node


def setup(app):
    """Add both directives, and what joins them."""
    app.add_directive("fold-start", FoldStart)
    app.add_directive("fold-end", FoldEnd)
    app.add_transform(Gather)
