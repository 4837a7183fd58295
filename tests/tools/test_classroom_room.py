"""The archive for a room without internet: whole, signed, and its two commands do what its README says."""

import re
import subprocess
import sys
import urllib.request
import zipfile

import pytest

from tools.classroom import labs, room
from tools.classroom.__main__ import main

LAB = "foundations/masks"


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    """Make an archive of a book of one page, one lab and one wheel, and unpack it."""
    folder = tmp_path_factory.mktemp("room")
    book = folder / "html"
    (book / "book").mkdir(parents=True)
    (book / "index.html").write_text("<p>the book</p>")
    (book / "tool.mjs").write_text("export {}")
    (folder / "wheels").mkdir()
    (folder / "wheels" / "other-1-py3-none-any.whl").write_bytes(b"a wheel")
    archive = room.make(folder / "dist", book, folder / "wheels", [LAB])
    with zipfile.ZipFile(archive) as file:
        file.extractall(folder / "there")
    (root,) = (folder / "there").iterdir()
    return root


pytestmark = pytest.mark.slow  # our own wheel is built


def test_book_labs_and_wheels_are_in_it(unpacked):
    files = {path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*") if path.is_file()}
    own = {name for name in files if re.fullmatch(r"wheels/sepbook-[\d.]+-py3-none-any\.whl", name)}
    assert len(own) == 1
    rest = {"README.md", "start.py", "SHA256SUMS", "book/index.html", "book/tool.mjs", f"labs/{LAB}.ipynb"}
    assert files == own | rest | {"wheels/other-1-py3-none-any.whl"}
    lab = (unpacked / "labs" / f"{LAB}.ipynb").read_text(encoding="utf-8")
    assert "](http://localhost:8000/book/how_to_read.html)" in lab and "Solution to" not in lab


def test_every_file_is_signed(unpacked):
    done = subprocess.run(
        ["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=unpacked, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    signed = {line.split("  ")[1] for line in (unpacked / "SHA256SUMS").read_text().splitlines()}
    assert len(signed) == sum(path.is_file() for path in unpacked.rglob("*")) - 1


def test_the_readme_has_two_commands_and_the_first_finds_the_package_without_an_index(unpacked):
    (block,) = re.findall(r"```bash\n(.*?)```", (unpacked / "README.md").read_text(encoding="utf-8"), re.S)
    install, start = block.strip().splitlines()
    assert start == "python3 start.py"
    words = [sys.executable, *install.split()[1:-1], "--no-deps", "--ignore-installed", "--target", "site"]
    done = subprocess.run(words, cwd=unpacked, capture_output=True, text=True)
    assert done.returncode == 0 and (unpacked / "site" / "sepbook" / "__init__.py").is_file(), done.stderr


def test_the_second_shows_the_book(unpacked):
    command = [sys.executable, "start.py", "--book", "--port", "0"]
    process = subprocess.Popen(command, cwd=unpacked, stdout=subprocess.PIPE, text=True)
    try:
        address = re.search(r"http://localhost:\d+", process.stdout.readline())[0].replace("localhost", "127.0.0.1")
        assert urllib.request.urlopen(address, timeout=600).read() == b"<p>the book</p>"
        reply = urllib.request.urlopen(f"{address}/tool.mjs", timeout=600)
        assert reply.headers.get_content_type() == "text/javascript"
    finally:
        process.kill()
        process.wait()


def test_without_a_book_it_says_what_is_to_be_done(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(labs, "ROOT", tmp_path)
    monkeypatch.setattr(labs, "names", list)
    assert main(["room", "--out", str(tmp_path / "dist")]) == 2
    assert "make book" in capsys.readouterr().err and not (tmp_path / "dist").exists()


def test_pip_is_asked_for_the_versions_that_the_tests_have_and_for_torch_without_cuda(tmp_path):
    words = [str(word) for word in room.download(tmp_path / "own.whl", tmp_path)]
    pins = labs.ROOT / "requirements.txt"
    assert words[words.index("--constraint") + 1] == str(pins) and "torch==" in pins.read_text()
    assert words[words.index("--extra-index-url") + 1] == room.INDEX
    assert f"ARG INDEX={room.INDEX}\n" in (labs.ROOT / "Containerfile").read_text(), "the same one as there"
    assert "--extra-index-url" not in room.download(tmp_path / "own.whl", tmp_path, index="")


def test_what_pip_says_is_wrong_is_told_and_not_its_last_warning(tmp_path, monkeypatch):
    said = "ERROR: No matching distribution found for absent\nWARNING: Retrying (Retry(total=1))\n"
    assert room.reason(said) == "ERROR: No matching distribution found for absent"
    assert room.reason("it broke\n") == "it broke" and room.reason("") == "it gave no reason"
    monkeypatch.setattr(room, "build_wheel", lambda folder: tmp_path / "own.whl")
    (tmp_path / "own.whl").write_bytes(b"no wheel")
    with pytest.raises(RuntimeError, match="could not load the wheels: ERROR"):
        room._add_wheels(tmp_path / "wheels", None, tmp_path / "build", "")
