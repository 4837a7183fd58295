"""A newcomer's two commands: what they install, what they ask for, and what they say when they cannot go on."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from tools import hashes

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LINES = [line for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines() if line[:1].isalnum()]
REQUIREMENTS = {re.sub(r"[-_.]+", "-", r.name).lower(): r for r in map(Requirement, LINES)}
EXTRAS = [line for lines in PROJECT["optional-dependencies"].values() for line in lines]


def test_each_requirement_is_pinned_once():
    assert len(REQUIREMENTS) == len(LINES) > 50
    loose = [str(r) for r in REQUIREMENTS.values() if [s.operator for s in r.specifier] != ["=="]]
    assert not loose


@pytest.mark.parametrize("line", PROJECT["dependencies"] + EXTRAS)
def test_the_pinned_environment_has_what_the_package_names(line):
    need = Requirement(line)
    have = REQUIREMENTS[re.sub(r"[-_.]+", "-", need.name).lower()]
    (pin,) = have.specifier
    assert need.specifier.contains(pin.version), f"requirements.txt has {have}, pyproject.toml asks for {line}"


def test_what_ci_installs_is_pinned_alike_and_has_hashes():
    blocks = re.split(r"\n(?=\w)", (ROOT / "requirements-ci.txt").read_text(encoding="utf-8"))[1:]
    hashed = {Requirement(block.partition("\\")[0].strip()) for block in blocks}
    versions = {re.sub(r"[-_.]+", "-", r.name).lower(): str(r.specifier) for r in hashed}
    wanted = {name: str(r.specifier) for name, r in REQUIREMENTS.items() if name != hashes.WITHOUT_HASH}
    assert versions == wanted, "run `python -m tools.hashes`"
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}\b", block) for block in blocks)


# A machine is a folder of commands: those that every system has, and those that the test puts there.
ALWAYS = ("bash", "cat", "env", "grep", "uname")


@pytest.fixture
def machine(tmp_path):
    """Return run(*arguments, **commands): setup.sh on a machine that has these commands and few others."""
    commands = tmp_path / "bin"
    commands.mkdir()

    def add(name, script):
        # Files, never links: writing to a link would change the machine that runs the tests.
        file = commands / name
        file.write_text(f"#!{shutil.which('bash')}\n{script}\n")
        file.chmod(0o755)

    add("python3", f'exec "{sys.executable}" "$@"')
    for name in ALWAYS:
        add(name, f'exec "{shutil.which(name)}" "$@"')

    def run(*arguments, environment=None, **scripts):
        for name, script in scripts.items():
            add(name.replace("_", "-"), script)
        environment = {"PATH": str(commands), "HOME": str(tmp_path), **(environment or {})}
        command = [shutil.which("bash"), run.script, *arguments]
        return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path)

    run.folder, run.script = tmp_path, ROOT / "tools" / "setup.sh"
    return run


APT = 'echo "$@" >> "$HOME/apt.log"'
STUDENT = {"id": "echo 1000", "apt_get": APT}
ROOT_USER = {"id": "echo 0", "apt_get": APT}


def apt_log(machine):
    log = machine.folder / "apt.log"
    return log.read_text() if log.exists() else ""


def test_root_gets_what_is_missing(machine):
    done = machine("apt", "corpus", **ROOT_USER)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^install -y .*fluidsynth.*flite", apt_log(machine), re.MULTILINE)


def test_sudo_without_a_password_is_used(machine):
    done = machine("apt", "corpus", **STUDENT, sudo='[ "$1" = -n ] && exit 0; "$@"')
    assert done.returncode == 0, done.stderr
    assert "fluidsynth" in apt_log(machine)


def test_a_student_without_sudo_gets_one_message_with_the_command(machine):
    done = machine("apt", "corpus", **STUDENT, sudo="exit 1")
    assert done.returncode == 1
    assert re.search(r"^    sudo apt-get update && sudo apt-get install -y .*fluidsynth", done.stderr, re.MULTILINE)
    assert done.stderr.count("Please run this") == 1 and not apt_log(machine)


def test_what_is_there_is_not_asked_for(machine):
    done = machine("apt", "corpus", **STUDENT, fluidsynth=":", flite=":")
    assert "fluidsynth" not in done.stderr.replace("fluid-soundfont", "")
    assert "flite" not in done.stderr


def test_the_book_does_not_ask_for_chromium_and_the_tests_do(machine):
    book, test = (machine("apt", target, **STUDENT).stderr for target in ("book", "test"))
    assert "ffmpeg" in book and "chromium" not in book
    if "ID=ubuntu" not in Path("/etc/os-release").read_text():
        assert "ffmpeg" in test and "chromium" in test


def test_lacking_chromium_alone_does_not_stop_the_tests(machine):
    script = machine.script.read_text()
    machine.script = machine.folder / "setup.sh"
    machine.script.write_text(
        script.replace("missing_packages() {\n", "missing_packages() {\n    echo chromium; return\n")
    )
    done = machine("apt", "test", **STUDENT)
    assert done.returncode == 0 and "install -y chromium" in done.stderr


def test_firefox_and_its_sound_card_come_where_they_can(machine):
    done = machine("firefox", **ROOT_USER)
    asked = apt_log(machine)
    if "ID=ubuntu" not in Path("/etc/os-release").read_text():
        assert done.returncode == 0
        assert re.search(r"^install -y .*firefox-esr pulseaudio$", asked, re.MULTILINE)
    done = machine("firefox", **ROOT_USER, firefox_esr="exit 0", pulseaudio="exit 0")
    assert done.returncode == 0 and apt_log(machine) == asked


@pytest.mark.parametrize("lacks", [{"id": "echo 501", "sudo": "exit 1"}, {"uname": "echo Darwin"}])
def test_where_firefox_cannot_come_nothing_is_asked_for(machine, lacks):
    done = machine("firefox", **{**ROOT_USER, **lacks})
    assert done.returncode and not apt_log(machine)


def test_a_mac_gets_the_line_for_homebrew(machine):
    done = machine("apt", "book", uname="echo Darwin", id="echo 501")
    assert done.returncode == 1 and "brew install sox ffmpeg" in done.stderr


def test_apt_that_fails_is_reported(machine):
    done = machine("apt", "corpus", id="echo 0", apt_get="echo no network >&2; exit 100")
    assert done.returncode == 1
    assert "no network" in done.stderr and "could not install: fluidsynth" in done.stderr


def test_too_old_a_python_is_explained(machine):
    done = machine("python", python3="exit 1")
    assert done.returncode == 1 and "Python 3.11 or newer" in done.stderr and "PYTHON=" in done.stderr


@pytest.mark.parametrize("arguments", [(), ("nonsense",), ("apt", "nonsense")])
def test_a_wrong_call_says_what_is_right(machine, arguments):
    done = machine(*arguments)
    assert done.returncode == 2 and "corpus" in done.stderr


@pytest.mark.parametrize("ci", ["true", ""])
def test_hashes_are_asked_for_in_continuous_integration_only(machine, ci):
    write = machine.folder / ".venv" / "bin"
    write.mkdir(parents=True)
    for name in ("python", "pip"):
        (write / name).write_text(f'#!{shutil.which("bash")}\necho "$@" >> "$HOME/pip.log"\n')
        (write / name).chmod(0o755)
    (machine.folder / "requirements.txt").write_text("numpy==1.0\ntorch==2.0\n")
    done = machine("venv", "python3", environment={"CI": ci})
    assert done.returncode == 0, done.stderr
    first, *rest = [line for line in (machine.folder / "pip.log").read_text().splitlines() if "pip install" in line]
    if ci:
        assert first.endswith("--no-deps --require-hashes -r requirements-ci.txt")
        assert rest[0].endswith("-c requirements.txt torch==2.0")
    else:
        assert first.endswith("-r requirements.txt") and "hash" not in first and len(rest) == 1


def make(*arguments):
    return subprocess.run(["make", "--no-print-directory", *arguments], cwd=ROOT, capture_output=True, text=True)


@pytest.mark.skipif(not shutil.which("make"), reason="there is no make here")
def test_make_alone_prints_the_commands():
    done = make()
    assert done.returncode == 0
    assert [line.split()[1] for line in done.stdout.splitlines()][:2] == ["book", "serve"]


@pytest.mark.skipif(not shutil.which("make"), reason="there is no make here")
def test_all_stages_run_in_their_order_and_every_command_can_be_planned():
    plan = make("--dry-run", "test")
    assert "lint unit strict-book labs solutions browser" in plan.stdout
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"^\.PHONY:((?:.*\\\n)*.*)", makefile, re.MULTILINE)[1].replace("\\\n", " ").split()
    assert {"book", "colab", "mutants", "release-check", "plan"} <= set(phony)
    for target in phony:
        assert make("--dry-run", target).returncode == 0, target


def test_continuous_integration_runs_everything_within_its_time():
    script = (ROOT / ".ci" / "run").read_text()
    assert re.search(r"^timeout .*80m make test", script, re.MULTILINE)
    assert subprocess.run(["bash", "-n", ROOT / ".ci" / "run"]).returncode == 0


def test_the_version_stands_in_one_place_and_the_citation_agrees():
    import sepbook

    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert PROJECT["dynamic"] == ["version"]
    assert citation["version"] == sepbook.__version__
    assert citation["repository-code"] == PROJECT["urls"]["Source"]
