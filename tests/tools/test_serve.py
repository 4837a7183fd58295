"""The book's own server: gzip where it helps and is understood, parts of sounds as they are, nothing from outside."""

import functools
import gzip
import http.client
import http.server
import os
import re
import signal
import subprocess
import sys
import threading
import urllib.request

import pytest

from tools import serve

PAGE, SOUND = b"<p>mask</p>" * 500, bytes(range(256)) * 40


class Quiet(serve.Handler):
    def log_message(self, *words):
        """Stay silent."""


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "html"
    (root / "sub").mkdir(parents=True)
    (root / "index.html").write_bytes(PAGE)
    (root / "sub/index.html").write_bytes(PAGE[::-1])
    (root / "audio.mp3").write_bytes(SOUND)
    (root / "code.js").write_bytes(PAGE)
    (root / "empty.html").write_bytes(b"")
    (root / "odd name ä.json").write_bytes(PAGE)
    (tmp_path / "secret.txt").write_text("secret")
    return root


@pytest.fixture
def ask(folder):
    """A function that asks for a file: (status, headers, body)."""
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()

        def ask(path, method="GET", **headers):
            link = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=600)
            link.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
            answer = link.getresponse()
            found = answer.status, answer.headers, answer.read()
            link.close()
            return found

        yield ask
        server.shutdown()


@pytest.mark.parametrize(
    ("path", "kind", "content"),
    [
        ("/index.html", "text/html", PAGE),
        ("/", "text/html", PAGE),
        ("/?a=b", "text/html", PAGE),
        ("/sub/", "text/html", PAGE[::-1]),
        ("/code.js?v=3", "text/javascript", PAGE),
        ("/odd%20name%20%C3%A4.json", "application/json", PAGE),
    ],
)
def test_what_shrinks_is_sent_gzipped(ask, path, kind, content):
    status, headers, body = ask(path, Accept_Encoding="br, gzip, deflate")
    assert (status, headers["Content-Encoding"], headers["Content-Type"]) == (200, "gzip", kind)
    assert headers["Vary"] == "Accept-Encoding" and int(headers["Content-Length"]) == len(body) < len(content) / 10
    assert gzip.decompress(body) == content


@pytest.mark.parametrize("accepted", ["", "identity", "br", "gzip;q=0", "gzip; q=0.0, *", "gzip;q=x"])
def test_who_does_not_take_gzip_gets_the_file(ask, accepted):
    status, headers, body = ask("/index.html", Accept_Encoding=accepted)
    assert (status, body, headers["Content-Encoding"], headers["Vary"]) == (200, PAGE, None, "Accept-Encoding")


def test_sounds_are_never_packed(ask):
    status, headers, body = ask("/audio.mp3", Accept_Encoding="gzip")
    assert (status, body, headers["Content-Encoding"]) == (200, SOUND, None)
    assert headers["Accept-Ranges"] == "bytes" and headers["Content-Type"] == "audio/mpeg"


N = len(SOUND)


@pytest.mark.parametrize(
    ("asked", "first", "end"),
    [
        ("bytes=0-", 0, N),
        ("bytes=0-0", 0, 1),
        ("bytes=100-199", 100, 200),
        (f"bytes={N - 1}-", N - 1, N),
        ("bytes=-10", N - 10, N),
        (f"bytes=-{2 * N}", 0, N),
        (f"bytes=5-{10 * N}", 5, N),
    ],
)
def test_a_part_of_a_sound_is_that_part(ask, asked, first, end):
    status, headers, body = ask("/audio.mp3", Range=asked, Accept_Encoding="gzip")
    assert (status, body) == (206, SOUND[first:end])
    assert headers["Content-Range"] == f"bytes {first}-{end - 1}/{N}" and headers["Content-Encoding"] is None
    assert int(headers["Content-Length"]) == end - first


def test_a_part_of_a_page_is_a_part_of_the_page_itself(ask):
    status, headers, body = ask("/index.html", Range="bytes=3-6", Accept_Encoding="gzip")
    assert (status, body, headers["Content-Encoding"]) == (206, PAGE[3:7], None)


@pytest.mark.parametrize("asked", ["bytes=0-1,4-5", "bytes=-", "bytes=9-3", "items=0-1", "bytes=a-b", ""])
def test_what_cannot_be_a_part_is_answered_with_the_whole(ask, asked):
    assert ask("/audio.mp3", Range=asked)[::2] == (200, SOUND)


@pytest.mark.parametrize(("path", "asked"), [("/audio.mp3", f"bytes={N}-"), ("/empty.html", "bytes=0-")])
def test_a_part_beyond_the_end_is_refused(ask, path, asked):
    status, headers, body = ask(path, Range=asked)
    assert (status, body) == (416, b"") and headers["Content-Range"].startswith("bytes */")


def test_a_packed_file_beside_it_is_taken_if_it_is_as_new(ask, folder):
    ready = folder / "code.js.gz"
    ready.write_bytes(gzip.compress(b"ready"))
    os.utime(folder / "code.js", (1000, 1000))
    assert gzip.decompress(ask("/code.js", Accept_Encoding="gzip")[2]) == b"ready"
    assert ask("/code.js")[2] == PAGE
    os.utime(ready, (900, 900))
    assert gzip.decompress(ask("/code.js", Accept_Encoding="gzip")[2]) == PAGE


def test_a_file_that_has_changed_is_packed_anew(ask, folder):
    ask("/index.html", Accept_Encoding="gzip")
    (folder / "index.html").write_bytes(b"new")
    assert gzip.decompress(ask("/index.html", Accept_Encoding="gzip")[2]) == b"new"


def test_the_head_alone_says_the_same(ask):
    for extra in ({"Accept_Encoding": "gzip"}, {}):
        _, asked, _ = ask("/index.html", **extra)
        status, headers, body = ask("/index.html", "HEAD", **extra)
        assert (status, body, headers["Content-Length"]) == (200, b"", asked["Content-Length"])


def test_what_the_browser_has_is_not_sent_again(ask):
    changed = ask("/index.html")[1]["Last-Modified"]
    assert ask("/index.html", If_Modified_Since=changed)[::2] == (304, b"")
    for since in ("Thu, 01 Jan 1970 00:00:00 GMT", "nonsense"):
        assert ask("/index.html", If_Modified_Since=since)[::2] == (200, PAGE)


@pytest.mark.parametrize(
    "path", ["/missing.html", "/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/code.js/"]
)
def test_what_is_not_in_the_folder_is_not_found(ask, path):
    status, _, body = ask(path, Accept_Encoding="gzip")
    assert status == 404 and b"secret\n" not in body and body != b"secret"


def test_a_folder_without_its_slash_is_led_to_its_page(ask):
    status, headers, _ = ask("/sub")
    assert (status, headers["Location"]) == (301, "/sub/")


def test_from_a_shell(folder):
    command = [sys.executable, serve.__file__, "0", "--folder", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            address = re.match(r"(http://localhost:\d+)   \(ctrl-C ends it\)", process.stdout.readline())[1]
            with urllib.request.urlopen(address.replace("localhost", "127.0.0.1") + "/index.html") as answer:
                assert answer.read() == PAGE
        finally:
            process.send_signal(signal.SIGINT)
        assert process.wait(600) == 0


def test_without_a_book_it_says_how_to_build_one(tmp_path):
    done = subprocess.run([sys.executable, serve.__file__, "--folder", str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 1 and "make book" in done.stderr
