"""What a page depends on: all that its cells import, all that its text quotes, and the files that either of them names.

Found by reading, without running anything. Where a name can be read in two ways both are taken: a page that runs once
too often costs seconds, a page that shows stale numbers is wrong.

    imports         modules of sepbook, with what those import in turn (inside functions too)
    quotes          ``{literalinclude} {result} {ledger} {player} {explorer}``
    names of files  ``"unet"``, ``"stft.json"``: systems, weights, results and the JavaScript of a widget
"""

import ast
import hashlib
import os
import re
from functools import cached_property
from pathlib import Path

CELL = re.compile(r"^(?P<mark>`{3,})\{code-cell\}[^\n]*\n(?P<body>.*?)^(?P=mark)\s*$", re.DOTALL | re.MULTILINE)
QUOTE = re.compile(r"\{(literalinclude|result|ledger|player|explorer)\}\s*`?([^`\n]+)")
OPTIONS = re.compile(r"\A(?:---\n.*?\n---\n|(?::[\w-]+:[^\n]*\n)+)", re.DOTALL)
FILE = re.compile(r"[\w./-]*\.(?:json|safetensors|js|css)\b")
MODULE = re.compile(r"sepbook(?:\.\w+)+")
SCRIPT_IMPORT = re.compile(r"""(?:from|import)\s*\(?["'](\.{1,2}/[\w./-]+)["']|@import\s+["'](\.{1,2}/[\w./-]+)["']""")
FOLDER_OF = {"sepbook.data.corpus": "sepbook/assets/corpus"}  # all of it: a page shows songs by chance or by name
LONGEST = 100  # letters of a text that may be a name and not a sentence


def cells(text):
    """Yield the code of a page's cells as plain Python: options and lines of IPython's own taken out."""
    for match in CELL.finditer(text):
        body = OPTIONS.sub("", match["body"])
        yield re.sub(r"^(\s*)[%!].*$", r"\1pass", body, flags=re.MULTILINE)


def dotted(node):
    """Return ``a.b.c`` for a chain of attributes, or nothing."""
    names = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(names)]) if isinstance(node, ast.Name) else ""


def walk(node):
    """Yield the nodes below one, without docstrings and what only a type checker runs."""
    for child in ast.iter_child_nodes(node):
        words = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
        if not words and not (isinstance(child, ast.If) and dotted(child.test).endswith("TYPE_CHECKING")):
            yield child
            yield from walk(child)


def mentioned(tree, package=()):
    """Return (dotted names that are imported or used, short texts and names of files) of code in a package."""
    used, words = set(), set()
    for node in walk(tree):
        if isinstance(node, ast.Import):
            used |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = [*package[: len(package) + 1 - node.level], node.module] if node.level else [node.module]
            used |= {".".join([*filter(None, base), alias.name]) for alias in node.names}
        elif isinstance(node, ast.Attribute):
            used.add(dotted(node))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            used |= {node.value} if MODULE.fullmatch(node.value) else set()
            words |= set(FILE.findall(node.value))
            words |= {node.value} if len(node.value) <= LONGEST else set()
    return used - {""}, words


class Sources:
    """The repository's files, each read once."""

    def __init__(self, root):
        self.root = Path(root).resolve()
        self.read, self.digests, self.known = {}, {}, {}

    def below(self, folder, suffix=""):
        """Return the files below a folder, with one suffix where it is given."""
        if folder not in self.known:
            self.known[folder] = [path for path in (self.root / folder).rglob("*") if path.is_file()]
        return [path for path in self.known[folder] if path.suffix == suffix or not suffix]

    @cached_property
    def systems(self):
        """Names of the files in ``architectures``."""
        return {path.stem for path in (self.root / "sepbook/architectures").glob("[a-z]*.py")}

    def modules(self, name):
        """Return the files that importing a dotted name runs: packages on the way and, if it is one, the module."""
        if name not in self.known:
            path, found = self.root, []
            for part in name.split("."):
                path = path / part
                if (path / "__init__.py").is_file():
                    found.append(path / "__init__.py")
                    continue
                found += [path.with_suffix(".py")] if path.with_suffix(".py").is_file() else []
                break
            self.known[name] = found
        return self.known[name]

    def parsed(self, path):
        """Return what a module of the package mentions."""
        if path not in self.read:
            package = path.relative_to(self.root).parts[:-1]
            self.read[path] = mentioned(ast.parse(path.read_text(encoding="utf-8")), package)
        return self.read[path]

    def reached(self, used, words):
        """Return (files of the package, words) that are reached from dotted names and words, to the end."""
        asked = {name for name in self.systems if any(starts(word, name) for word in words)}  # "unet_small" too
        files, words, waiting = set(), set(words), set(used)
        shelf = self.root / "sepbook/architectures"
        while waiting:
            new = {path for name in waiting if name.startswith("sepbook") for path in self.modules(name)} - files
            files |= new
            waiting = set()
            for path in new:
                more, texts = self.parsed(path)
                waiting |= more
                words |= texts
            if shelf / "__init__.py" in files:  # a system that is created by its name
                left = {name for name in self.systems if shelf / f"{name}.py" not in files}
                waiting |= {f"sepbook.architectures.{name}" for name in left & (asked | words)}
        return files, words

    def named(self, words, files):
        """Return the results, weights and scripts that words name; the scripts of widgets among the files too."""
        stems = {word.rpartition("/")[2].strip("_-") for word in words} - {""}
        found = {p for p in self.below("sepbook/assets/weights") if any(starts(p.name, stem) for stem in stems)}
        names = {word.lstrip("/") for word in words if word.endswith(".json")}
        found |= {p for p in self.below("results", ".json") if any(p.as_posix().endswith(f"/{n}") for n in names)}
        widgets = {path.stem for path in files if "widgets" in path.parts}
        scripts = [p for kind in (".js", ".css") for p in self.below("sepbook/widgets", kind)]
        asked = {word.rpartition("/")[2] for word in words}
        return found | self.with_imports(p for p in scripts if p.stem in widgets or p.name in asked)

    def with_imports(self, scripts):
        """Return scripts and style sheets with those that they import."""
        found, waiting = set(), list(scripts)
        while waiting:
            path = waiting.pop()
            if path not in found and path.is_file():
                found.add(path)
                names = ("".join(pair) for pair in SCRIPT_IMPORT.findall(path.read_text(encoding="utf-8")))
                waiting += [(path.parent / name).resolve() for name in names]
        return found

    def files(self, path, text):
        """Return all files that a page of this path and text depends on, besides itself."""
        used, words, quoted = set(), set(), {self.root / "requirements.txt"}
        try:
            for cell in cells(text):
                more, texts = mentioned(ast.parse(cell))
                used, words = used | more, words.union(*map(str.split, texts))
        except SyntaxError:  # what cannot be read may depend on anything
            quoted |= {*self.below("sepbook", ".py"), *self.below("results")}
        if any(word.removesuffix(".json") != word and not word[:-5].strip("/") for word in words):
            quoted |= {*self.below("results")}  # a name put together at run time: any of them
        if {"architectures.names", "sepbook.architectures.names"} & used:
            used |= {f"sepbook.architectures.{name}" for name in self.systems}
        for kind, what in QUOTE.findall(text):
            quoted |= self.quote(kind, what.strip(), path, used, words)
        reached, words = self.reached(used, words)
        for name, folder in FOLDER_OF.items():
            quoted |= {*self.below(folder)} if set(self.modules(name)[-1:]) & reached else set()
        return {p for p in quoted | reached | self.named(words, reached) if p.is_file()}

    def quote(self, kind, what, path, used, words):
        """Add what a directive imports and names; return the files that it shows."""
        if kind == "literalinclude":
            return {(path.parent / what).resolve()}
        if kind == "result":
            return {self.root / "results" / what.partition(":")[0]}
        if kind == "ledger":
            used |= {"sepbook.architectures", "sepbook.shapes"}
            words |= set(what.split())
        elif kind == "player":
            used |= {"sepbook.data.corpus", "sepbook.widgets.player"}
        else:
            words |= {f"{what}.js", f"{what}.css"}
        return set()

    def key(self, path, text):
        """Return one sha256 over the names and contents of all files that the page depends on."""
        total = hashlib.sha256()
        for file in sorted(self.files(path, text)):
            if file not in self.digests:
                self.digests[file] = hashlib.sha256(file.read_bytes()).hexdigest()
            total.update(f"{os.path.relpath(file, self.root)}\0{self.digests[file]}\n".encode())
        return total.hexdigest()


def starts(word, name):
    """Say whether a word is a name, or begins with it: ``unet``, ``unet_small``, ``unet-small.safetensors``."""
    return word.startswith(name) and not word[len(name) : len(name) + 1].isalnum()
