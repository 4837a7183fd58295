"""What students' own progress files say: tries and hints. It is a report, and earns no marks."""

import json
import re
from contextlib import suppress

from sepbook.grading.submissions import Submission

NAME = "sepbook_progress.json"


def reported(found: list[Submission]) -> dict[tuple[str, int], tuple[int, str]]:
    """Return {(lab, exercise): (tries, kinds of mistakes)} from the progress files beside a student's notebooks."""
    rows = {}
    for folder in {one.path.parent for one in found}:
        path = folder / NAME
        with suppress(OSError, ValueError, AttributeError, TypeError, RecursionError):
            if path.is_symlink() or path.stat().st_size > 2**20:
                continue
            for name, row in json.loads(path.read_text(encoding="utf-8")).items():
                if match := re.fullmatch(r"([\w.]+)\.exercise_(\d{1,2})", name):
                    hints = "; ".join(f"{kind} ({count})" for kind, count in row.get("hints", {}).items())
                    rows[match[1].replace(".", "/"), int(match[2])] = (int(row.get("tries", 0)), hints[:300])
    return rows
