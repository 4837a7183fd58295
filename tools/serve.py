"""`python tools/serve.py [PORT]`: show the built book at http://localhost:8000, sent as a site on the internet would.

What shrinks (pages, styles, scripts, JSON, pictures made of words) is sent gzipped to browsers that understand it: the
`.gz` that lies beside a file, if it is as new, else the file packed once and kept. A part of a file, which players of
sound ask for, is a part of the file as it is, never of a packed one.
"""

import argparse
import email.utils
import functools
import gzip
import http.server
import io
import re
import sys
from http import HTTPStatus
from pathlib import Path

HTML = Path(__file__).resolve().parents[1] / "_build" / "html"
SHRINKS = re.compile(r"text/.*|image/svg\+xml|application/(?:javascript|json|manifest\+json|wasm|xml|xhtml\+xml)")
RANGE = re.compile(r"bytes=(\d*)-(\d*)")


@functools.lru_cache(maxsize=1024)
def packed(path: Path, changed: int, size: int) -> bytes:
    """Return the bytes of a file as gzip; a file that has changed since is another one."""
    return gzip.compress(path.read_bytes(), compresslevel=9, mtime=0)


def takes_gzip(header: str) -> bool:
    """Tell whether a header Accept-Encoding allows gzip."""
    qualities = {}
    for part in header.lower().replace(" ", "").split(","):
        name, _, options = part.partition(";")
        try:
            qualities[name] = float(options.removeprefix("q=") or 1)
        except ValueError:
            qualities[name] = 0.0
    return qualities.get("gzip", qualities.get("*", 0.0)) > 0


def span(header: str, size: int) -> tuple[int, int] | None:
    """Return (first byte, the one after the last) that a header Range asks for; None where all is to be sent.

    Several parts at once, other units and nonsense are answered with the whole. Raises ValueError where nothing of what
    is asked for is there.
    """
    match = RANGE.fullmatch(header.strip().replace(" ", ""))
    if not match or not (match[1] or match[2]):
        return None
    if not match[1]:  # the last so many bytes
        first, end = max(0, size - int(match[2])), size
    else:
        first, end = int(match[1]), min(size, int(match[2]) + 1) if match[2] else size
        if match[2] and int(match[2]) < first:
            return None
    if first >= size:
        raise ValueError(header)
    return first, end


class Handler(http.server.SimpleHTTPRequestHandler):
    """Sends files of a folder, packed where that helps, or in part where that is asked for."""

    protocol_version = "HTTP/1.1"  # one connection for many files, as sites do
    timeout = 60  # seconds without a question, then the connection ends

    extensions_map = {
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        ".js": "text/javascript",
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
        ".svg": "image/svg+xml",
        ".ipynb": "application/json",
    }

    def send_head(self):
        """Send the head of an answer, and return its body as an open file; None where the head is all."""
        asked = self.translate_path(self.path)
        path = Path(asked, "index.html") if asked.endswith("/") else Path(asked)
        if not path.is_file():
            return super().send_head()  # not there, or a folder without a page or without its slash
        try:
            return self._answer(path)
        except OSError:
            self.send_error(HTTPStatus.NOT_FOUND, "File not found")

    def _answer(self, path: Path):
        """Answer with a file that is there."""
        about, kind = path.stat(), self.guess_type(str(path))
        if self._known(about.st_mtime):
            self.send_response(HTTPStatus.NOT_MODIFIED)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return None
        shrinks, part = bool(SHRINKS.fullmatch(kind)), None
        if "Range" in self.headers:
            try:
                part = span(self.headers["Range"], about.st_size)
            except ValueError:
                return self._beyond(about.st_size)
        if shrinks and part is None and takes_gzip(self.headers.get("Accept-Encoding", "")):
            body, extra = self._gzip(path, about), {"Content-Encoding": "gzip"}
        else:
            first, end = part or (0, about.st_size)
            with path.open("rb") as file:
                file.seek(first)
                body = file.read(end - first)
            extra = {"Content-Range": f"bytes {first}-{end - 1}/{about.st_size}"} if part else {}
        self.send_response(HTTPStatus.PARTIAL_CONTENT if part else HTTPStatus.OK)
        extra |= {"Vary": "Accept-Encoding"} if shrinks else {"Accept-Ranges": "bytes"}
        extra |= {"Content-Type": kind, "Content-Length": str(len(body))}
        for name, value in {**extra, "Last-Modified": self.date_time_string(int(about.st_mtime))}.items():
            self.send_header(name, value)
        self.end_headers()
        return io.BytesIO(body)

    def _gzip(self, path: Path, about) -> bytes:
        """Return a file as gzip: the one beside it, if it is as new."""
        ready = path.with_name(f"{path.name}.gz")
        if ready.is_file() and ready.stat().st_mtime >= about.st_mtime:
            return ready.read_bytes()
        return packed(path, about.st_mtime_ns, about.st_size)

    def _known(self, changed: float) -> bool:
        """Tell whether the browser has this very file already."""
        try:
            since = email.utils.parsedate_to_datetime(self.headers.get("If-Modified-Since", ""))
            return int(changed) <= since.timestamp()
        except (TypeError, ValueError, OverflowError, IndexError):
            return False

    def _beyond(self, size: int) -> None:
        self.send_response(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
        self.send_header("Content-Range", f"bytes */{size}")
        self.send_header("Content-Length", "0")
        self.end_headers()


def main() -> int:
    """Serve the book until ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("port", type=int, nargs="?", default=8000)
    parser.add_argument("--folder", type=Path, default=HTML)
    given = parser.parse_args()
    if not (given.folder / "index.html").is_file():
        print("There is no book yet. Build it with `make book`.", file=sys.stderr)
        return 1
    handler = functools.partial(Handler, directory=str(given.folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", given.port), handler) as server:
        print(f"http://localhost:{server.server_port}   (ctrl-C ends it)", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
