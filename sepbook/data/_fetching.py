"""Files from the network: told in size, shown in progress, resumed where they broke off, and never half unpacked.

Taught on: book/data/musdb
"""

import shutil
import tempfile
import zipfile
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from tqdm import tqdm

WAIT = 30.0  # seconds without an answer
BLOCK = 1 << 16  # bytes that are read at once


class DownloadError(OSError):
    """A file that cannot be had. The message says what has arrived and what to do. Taught on: book/data/musdb."""


def fetch(url, path, progress=True):
    """Download to `path`, by way of `path.part`, and return it. Goes on where an earlier call stopped."""
    if not url.startswith(("http://", "https://")):
        raise DownloadError(f"{url}: expected an address that begins with https://")
    part = path.with_name(path.name + ".part")
    at = part.stat().st_size if part.exists() else 0
    try:
        with _open(url, at) as answer:
            resumed = answer.status == 206
            at = at if resumed else 0
            rest = answer.headers.get("Content-Length")
            total = at + int(rest) if rest else None
            _check_room(path.parent, total and total - at)
            _receive(answer, part, at, total, progress)
    except HTTPError as error:
        if error.code == 416 and at:  # nothing is left to send: an earlier call got it all
            return part.replace(path)
        raise DownloadError(f"{url}: the server says {error.code} {error.reason}. Is the address right?") from None
    except (URLError, TimeoutError, ConnectionError, HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise DownloadError(
            f"{url}: cannot be reached, or broke off ({reason}); {_megabytes(part)} have arrived. Is there a network? "
            f"Call again to go on, or load the file elsewhere and unpack it in {path.parent}."
        ) from None
    _check_size(part, total, url)
    return part.replace(path)


def _open(url, at):
    headers = {"User-Agent": "sepbook"} | ({"Range": f"bytes={at}-"} if at else {})
    return urlopen(Request(url, headers=headers), timeout=WAIT)


def _receive(answer, part, at, total, progress):
    """Write what arrives behind the first `at` bytes of a file."""
    if total:
        print(f"{total / 1e6:.1f} MB from {answer.url}" + (f", {at / 1e6:.1f} MB are here already" if at else ""))
    scale = {"unit": "B", "unit_scale": True, "desc": part.stem}
    with open(part, "ab" if at else "wb") as file, tqdm(total=total, initial=at, disable=not progress, **scale) as bar:
        while block := answer.read(BLOCK):
            file.write(block)
            bar.update(len(block))


def _check_room(folder, needed):
    free = shutil.disk_usage(folder).free
    if needed and 2 * needed > free:  # the archive, and what is in it
        raise DownloadError(
            f"{folder}: {2 * needed / 1e6:.0f} MB are needed, but {free / 1e6:.0f} MB are free. Make room, or choose "
            "another folder."
        )


def _check_size(part, total, url):
    size = part.stat().st_size
    if total is None or size == total:
        return
    if size > total:
        part.unlink()
        raise DownloadError(f"{url}: {size} bytes arrived instead of {total}; they are thrown away. Call again.")
    raise DownloadError(f"{url}: broke off at {size} of {total} bytes. They are kept: call again to go on.")


def _megabytes(path):
    return f"{path.stat().st_size / 1e6 if path.exists() else 0:.1f} MB"


def unpack(archive, folder):
    """Unpack a zip beside itself, test it on the way, move what is in it to `folder`, and remove the archive."""
    with tempfile.TemporaryDirectory(dir=folder, prefix=".unpacking-") as there:
        try:
            with zipfile.ZipFile(archive) as packed:
                packed.extractall(there)  # compares each file with its checksum, and never leaves the folder
        except (zipfile.BadZipFile, EOFError, OSError) as error:
            archive.unlink()
            raise DownloadError(f"{archive}: is no whole zip archive ({error}); it is removed. Call again.") from None
        for entry in sorted(Path(there).iterdir()):
            entry.rename(folder / entry.name)
    archive.unlink()
