"""Run the steps of the Containerfile where there is no container: in a folder that stands for the root of its disk.

    python -m tools.classroom.containerfile FOLDER

The steps are read from the file itself, none is written down twice. Its paths (/usr/src, /opt, /srv) lie in FOLDER;
`apt-get` and `useradd`, which change the machine itself, are only printed. All else is done: packages are installed.
"""

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

from tools.classroom.labs import ROOT

INSIDE = re.compile(r"(?<![\w.:/-])/(usr/src|opt|srv|var/lib/apt)(?=/)")
MACHINE = ("apt-get", "useradd")  # commands that a step may call and that change the machine


def instructions(text: str) -> list[tuple[str, str]]:
    """Return (word, rest) of each instruction: lines that go on are joined, comments left out."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [tuple(line.split(maxsplit=1)) for line in joined.splitlines()]


def copy(source: Path, target: Path) -> None:
    """Copy a tree as COPY does: without what .dockerignore names."""
    ignored = set((source / ".dockerignore").read_text(encoding="utf-8").split())
    shutil.copytree(
        source,
        target,
        dirs_exist_ok=True,
        ignore=lambda folder, names: ignored & set(names) if Path(folder) == source else (),
    )


def only_print(folder: Path, names=MACHINE) -> None:
    """Write commands that print how they were called, and do nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_text(f'#!/bin/sh\necho "not run: {name} $*"\n')
        (folder / name).chmod(0o755)


def run(folder: Path, source: Path = ROOT, commands: Path | None = None) -> dict:
    """Run all steps in `folder`; commands of the folder `commands` come before those of the machine.

    Returns {"environment": …, "said": str, "user": str, "at": Path, "command": list[str], "seconds": float}.
    Raises RuntimeError where a step fails, ValueError for an instruction that is not known here.
    """
    folder = folder.resolve()
    commands = commands or folder / "commands"
    only_print(folder / "machine")
    paths = os.pathsep.join([str(commands), str(folder / "machine"), os.environ["PATH"]])
    found = {"environment": {}, "said": "", "user": "root", "at": folder, "command": []}
    environment, start = os.environ | {"PATH": paths}, time.perf_counter()
    for word, rest in instructions((source / "Containerfile").read_text(encoding="utf-8")):
        rest = INSIDE.sub(rf"{folder}/\1", rest)
        if word in ("ARG", "ENV"):
            found["environment"] |= dict(pair.split("=", 1) for pair in shlex.split(rest))
        elif word == "COPY":
            copy(source / rest.split()[0], Path(rest.split()[1]))
            lists = Path(rest.split()[1]) / "tools" / "classroom" / "container.sh"
            lists.write_text(INSIDE.sub(rf"{folder}/\1", lists.read_text(encoding="utf-8")), encoding="utf-8")
        elif word == "RUN":
            found["said"] += step(rest, environment | found["environment"], found["at"])
        elif word in ("USER", "WORKDIR", "CMD"):
            found[{"USER": "user", "WORKDIR": "at", "CMD": "command"}[word]] = rest
        elif word not in ("FROM", "EXPOSE"):
            raise ValueError(f"the Containerfile has an instruction {word}, which cannot be run here")
    return found | {
        "at": Path(found["at"]),
        "command": [part.strip('"') for part in found["command"].strip("[]").split(", ")],
        "seconds": time.perf_counter() - start,
    }


def step(command: str, environment: dict, at: Path) -> str:
    """Run the command of a RUN with a shell, as a container does; return what it printed."""
    done = subprocess.run(["sh", "-c", command], env=environment, cwd=at, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"a step of the Containerfile failed:\n{done.stdout[-1000:]}{done.stderr[-3000:]}")
    return done.stdout


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args(arguments).folder
    if folder.exists() and any(folder.iterdir()):
        print(f"{folder} is not empty. Name another folder.", file=sys.stderr)
        return 2
    folder.mkdir(parents=True, exist_ok=True)
    found = run(folder)
    print(f"{found['said']}{found['seconds']:.0f} s. As {found['user']} it starts {shlex.join(found['command'])}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
