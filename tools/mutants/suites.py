"""Which tests can see a fault in which file: those of its own name first, then its chapter's, then what uses it."""

from pathlib import Path

CHAPTERS = ("training", "cli", "evaluation", "data", "shapes", "architectures")
# Patterns below tests/, so that a new file of tests is found by its name.
OF_CHAPTER = {
    "training": ["training/test_*.py", "test_contracts.py", "contracts/test_*.py", "test_cli*.py"],
    "cli": ["cli/test_*.py", "test_cli*.py", "test_bad_input*.py", "bad_input/test_*.py"],
    "evaluation": ["evaluation/test_*.py", "test_cli*.py", "test_bad_input*.py"],
    "data": ["data/test_*.py", "test_cli*.py", "test_bad_input*.py"],
    "shapes": ["test_shapes_*.py", "shapes/test_*.py", "test_plots_diagram.py", "building_blocks/test_recurrent.py"],
    "architectures": [
        "architectures/test_*.py",
        "test_contracts.py",
        "contracts/test_*.py",
        "training/test_recipes.py",
    ],
}
# Real processes, minutes each: they look for what a signal leaves behind, and a wrong number shows elsewhere first.
LAST = ("kill", "long", "signals")


def files_for(root: Path, file: str) -> list[str]:
    """Return the files of tests for a file such as ``sepbook/training/loop.py``, the likeliest to notice first."""
    chapter, name = Path(file).parts[1], Path(file).stem.strip("_")
    found = [path for pattern in OF_CHAPTER[chapter] for path in sorted((root / "tests").glob(pattern))]

    def rank(path):
        slow = any(word in path.stem for word in LAST)
        return (slow, name not in path.stem, found.index(path))

    return [path.relative_to(root).as_posix() for path in sorted(dict.fromkeys(found), key=rank)]
