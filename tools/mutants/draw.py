"""Draw faults by a seed. Runs in an environment of its own, which has cosmic-ray and nothing of ours.

    python draw.py ROOT SEED EACH CHAPTER … > drawn.json

A place in the code is drawn first, each alike, and then one of the faults that are possible there: otherwise nearly all
would be a `+` that became something else. Besides cosmic-ray's operators there is one of ours, a statement left out.
"""

import difflib
import hashlib
import json
import sys
from pathlib import Path

import cosmic_ray.plugins
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.operator import Operator
from parso.python.tree import Keyword

# `is` for `==` changes nothing with small numbers; bits of a float, or a class without its decorator, end at once.
LEFT_OUT = ("NoOp", "Variable", "RemoveDecorator", "ExceptionReplacer")
ENDS_LEFT_OUT = ("_Is", "_IsNot", "_BitAnd", "_BitOr", "_BitXor", "_LShift", "_RShift")
LONGEST_STATEMENT = 12  # lines of a statement that may be left out


class LeaveOut(Operator):
    """Put `pass` in the place of a call, a `raise`, a `+=`, or what is written into an object or a list."""

    def mutation_positions(self, node):
        """Yield where such a statement stands."""
        if node.parent is not None and node.parent.type == "simple_stmt" and self.counts(node):
            if node.end_pos[0] - node.start_pos[0] < LONGEST_STATEMENT:
                yield node.start_pos, node.end_pos

    @staticmethod
    def counts(node):
        """Say whether leaving out a statement is a fault that does not announce itself."""
        if node.type == "expr_stmt":
            first, sign = node.children[:2]
            return first.type in ("atom_expr", "power") or sign.get_first_leaf().value not in ("=", ":")
        return node.type in ("atom_expr", "raise_stmt")

    def mutate(self, node, index):
        """Return `pass` with what stood before the statement."""
        return Keyword("pass", node.start_pos, prefix=node.get_first_leaf().prefix)

    @classmethod
    def examples(cls):
        """cosmic-ray asks every operator for examples; ours has its own tests."""
        return ()


def operators():
    """Return {name: operator} of all that plant faults worth a look."""
    found = {"sepbook/LeaveOut": LeaveOut()}
    for name in sorted(cosmic_ray.plugins.operator_names()):
        if not (name.removeprefix("core/").startswith(LEFT_OUT) or name.endswith(ENDS_LEFT_OUT)):
            found[name] = cosmic_ray.plugins.get_operator(name)()
    return found


def in_annotation(node):
    """Say whether a piece of code is a type, which nothing runs."""
    while node.parent is not None:
        parent = node.parent
        if parent.type in ("param", "funcdef") and getattr(parent, "annotation", None) is node:
            return True
        if parent.type == "tfpdef" or (parent.type == "annassign" and node is parent.children[1]):
            return True
        node = parent
    return False


def places(path, kinds):
    """Return {(line, column): [(operator, its number in the file)]} of a file."""
    nodes, found = list(ast_nodes(get_ast(path.read_text(encoding="utf-8")))), {}
    for name, operator in kinds.items():
        number = 0
        for node in nodes:
            for start, _ in operator.mutation_positions(node):
                if not in_annotation(node):
                    found.setdefault(start, []).append((name, number))
                number += 1
    return found


def fault(root, path, name, operator, number):
    """Return one fault: what changes, and the whole file with it. None where the code stays as it was."""
    before = path.read_text(encoding="utf-8")
    after = mutate_code(before, operator, number)
    if after is None or after == before:
        return None
    lines = list(difflib.unified_diff(before.splitlines(), after.splitlines(), n=2, lineterm=""))[2:]
    file = path.relative_to(root).as_posix()
    changed = [line for line in lines if line[0] in "+-"]
    return {
        "key": hashlib.sha256("\n".join([file, *changed]).encode()).hexdigest()[:12],  # not by line: code moves
        "file": file,
        "line": int(lines[0].split()[1].lstrip("-").split(",")[0]) + 2,
        "operator": name,
        "diff": lines[1:],
        "source": after,
    }


def lots(root, seed, path, kinds):
    """Return [(lot, path, operator, its number)] of each place in a file, one operator each.

    A lot hangs on the seed, the file and the text of the line, so that a change elsewhere leaves the others drawn.
    """
    lines, seen, found = path.read_text(encoding="utf-8").splitlines(), {}, []
    for (line, column), ways in sorted(places(path, kinds).items()):
        place = (lines[line - 1], column)
        seen[place] = seen.get(place, 0) + 1
        name = f"{seed} {path.relative_to(root).as_posix()} {place} {seen[place]}"
        lot = hashlib.sha256(name.encode()).hexdigest()
        found.append((lot, path, *ways[int(lot, 16) % len(ways)]))
    return found


def draw(root, seed, each, chapters):
    """Return `each` different faults of each chapter."""
    kinds, drawn = operators(), []
    for chapter in chapters:
        found, files = {}, (root / "sepbook" / chapter).rglob("*.py")
        for _, path, name, number in sorted(lot for file in files for lot in lots(root, seed, file, kinds)):
            if len(found) == each:
                break
            if one := fault(root, path, name, kinds[name], number):
                found.setdefault(one["key"], {"chapter": chapter, **one})
        drawn += found.values()
    return drawn


if __name__ == "__main__":
    place, seed, each, *chapters = sys.argv[1:]
    json.dump(draw(Path(place).resolve(), int(seed), int(each), chapters), sys.stdout)
