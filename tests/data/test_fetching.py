"""A download from a server on this machine: whole, broken off, gone on with, of a wrong size, and none at all."""

import io
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest

from sepbook.data import _fetching, musdb
from sepbook.data.musdb import DownloadError


def archive(names=("train/A - B.stem.mp4", "test/C - D.stem.mp4")):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        for name in names:
            packed.writestr(name, bytes(range(256)) * 1000)
    return buffer.getvalue()


class Server:
    """Serves `body`; `stop` breaks off after so many bytes, `promise` is a false length, `ranges` goes on."""

    def __init__(self):
        self.body, self.stop, self.promise, self.ranges, self.asked = archive(), None, None, True, []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                server.answer(self)

            def log_message(self, *_):
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}/sample.zip"
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()

    def answer(self, handler):
        asked = handler.headers.get("Range")
        self.asked.append(asked)
        at = int(asked[6:-1]) if asked and self.ranges else 0
        if "missing" in handler.path or at and at >= len(self.body):
            return handler.send_error(404 if "missing" in handler.path else 416)
        rest = self.body[at:]
        handler.send_response(206 if at else 200)
        handler.send_header("Content-Length", str(self.promise or len(rest)))
        handler.end_headers()
        handler.wfile.write(rest[: self.stop])
        handler.close_connection = True

    def close(self):
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture
def server(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    found = Server()
    yield found
    found.close()


def get(server, folder):
    return musdb.download(folder, server.url, progress=False)


def test_whole_and_not_twice(server, tmp_path, capsys):
    root = get(server, tmp_path / "sample")
    assert sorted(p.name for p in root.iterdir()) == ["test", "train"]
    assert (root / "train" / "A - B.stem.mp4").stat().st_size == 256_000
    said = capsys.readouterr().out
    assert "academic purposes only" in said and f"{len(server.body) / 1e6:.1f} MB from http" in said
    get(server, root)
    assert server.asked == [None]


def test_progress_is_shown(server, tmp_path, capsys):
    musdb.download(tmp_path / "sample", server.url)
    assert "sample.zip" in capsys.readouterr().err


@pytest.mark.parametrize("ranges", [True, False], ids=["goes on", "begins again"])
def test_what_broke_off_is_gone_on_with(server, tmp_path, ranges):
    server.stop, server.ranges = 100_000, ranges
    with pytest.raises(DownloadError, match="broke off"):
        get(server, tmp_path / "sample")
    assert not (tmp_path / "sample" / "train").exists()
    server.stop = None
    root = get(server, tmp_path / "sample")
    assert server.asked == [None, "bytes=100000-"]
    assert (root / "test" / "C - D.stem.mp4").read_bytes() == bytes(range(256)) * 1000
    assert sorted(p.name for p in root.iterdir()) == ["test", "train"]


def test_all_had_arrived_but_was_not_unpacked(server, tmp_path):
    (tmp_path / "sample").mkdir()
    (tmp_path / "sample" / "sample.zip.part").write_bytes(server.body)
    assert (get(server, tmp_path / "sample") / "train").is_dir()


def test_bytes_that_are_no_archive_are_removed(server, tmp_path):
    server.body = b"<html>log in first</html>"
    with pytest.raises(DownloadError, match="is no whole zip archive"):
        get(server, tmp_path / "sample")
    assert not list((tmp_path / "sample").iterdir())


def test_a_damaged_archive_is_removed(server, tmp_path):
    body = bytearray(server.body)
    body[5000] ^= 255
    server.body = bytes(body)
    with pytest.raises(DownloadError, match="is no whole zip archive"):
        get(server, tmp_path / "sample")
    assert not list((tmp_path / "sample").iterdir())


def test_another_part_than_the_server_has_is_found_out(server, tmp_path):
    (tmp_path / "sample").mkdir()
    (tmp_path / "sample" / "sample.zip.part").write_bytes(b"x" * 50_000)
    with pytest.raises(DownloadError, match="is no whole zip archive"):
        get(server, tmp_path / "sample")
    assert (get(server, tmp_path / "sample") / "train").is_dir()


@pytest.mark.parametrize("size, said", [(9_999_999, "broke off"), (1000, "no whole zip archive")])
def test_another_size_than_was_promised(server, tmp_path, size, said):
    server.promise = size
    with pytest.raises(DownloadError, match=said):
        get(server, tmp_path / "sample")
    assert not (tmp_path / "sample" / "train").exists()


def test_more_than_was_promised_is_thrown_away(tmp_path):
    (tmp_path / "a.part").write_bytes(b"12345")
    with pytest.raises(DownloadError, match="5 bytes arrived instead of 4"):
        _fetching._check_size(tmp_path / "a.part", 4, "http://somewhere")
    assert not (tmp_path / "a.part").exists()


def test_names_that_lead_out_of_the_folder_stay_inside(server, tmp_path):
    server.body = archive(("../../out.txt", "train/A - B.stem.mp4"))
    get(server, tmp_path / "deep" / "sample")
    assert not list(tmp_path.glob("out.txt")) and not list(tmp_path.glob("deep/out.txt"))


def test_no_network_no_server_no_file_no_room(server, tmp_path, monkeypatch):
    with pytest.raises(DownloadError, match="the server says 404"):
        musdb.download(tmp_path / "a", server.url + "/missing", progress=False)
    with pytest.raises(DownloadError, match="Is there a network"):
        musdb.download(tmp_path / "a", "http://127.0.0.1:9/sample.zip", progress=False)
    with pytest.raises(DownloadError, match="begins with https"):
        musdb.download(tmp_path / "a", "file:///etc/passwd", progress=False)
    monkeypatch.setattr(_fetching.shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    with pytest.raises(DownloadError, match="Make room"):
        get(server, tmp_path / "a")
