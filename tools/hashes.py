"""Write requirements-ci.txt: what requirements.txt pins, with the sha256 of every file that the index has for it.

    python -m tools.hashes        after a change of requirements.txt; asks the package index

uv does the work, in an environment of its own in _build. The file is for all systems, since it names every wheel.
torch is left out: it comes from PyPI, from PyTorch's own index or from a folder, each with other bytes, so no list of
hashes would be right everywhere. Continuous integration installs this file (tools/setup.sh); `make` on a person's
machine does not.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "_build" / "hashes"
HASHED = ROOT / "requirements-ci.txt"
NEEDS = "uv==0.13.9"
PYTHON = "3.11.7"
WITHOUT_HASH = "torch"
HEAD = f"""# The pins of requirements.txt with the hashes of their files, made by `python -m tools.hashes`; not by hand.
# {WITHOUT_HASH} is not here: its files differ from place to place.
"""


def main() -> int:
    python = WORK / "env" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", WORK / "env"], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", NEEDS], check=True)
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pins = WORK / "pins.txt"
    pins.write_text("\n".join(line for line in lines if not line.startswith(f"{WITHOUT_HASH}==")) + "\n")
    command = [python.with_name("uv"), "pip", "compile", "-q", "--generate-hashes", "--no-deps", "--no-annotate"]
    environment = {**os.environ, **({"SSL_CERT_FILE": os.environ["PIP_CERT"]} if "PIP_CERT" in os.environ else {})}
    done = subprocess.run(
        [*command, "--no-header", "--python-version", PYTHON, pins], capture_output=True, text=True, env=environment
    )
    if done.returncode:
        sys.exit(done.stderr)
    HASHED.write_text(HEAD + done.stdout, encoding="utf-8")
    print(f"{done.stdout.count('==')} packages with {done.stdout.count('sha256:')} hashes in {HASHED.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
