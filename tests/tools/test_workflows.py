"""The workflows call make targets that there are, and the issue forms are such as GitHub takes."""

import os
import re
import shutil
import subprocess

import pytest
import yaml

from tools.release import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FORMS = sorted(path for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml") if path.stem != "config")
OWN = ROOT / "_build" / "linters" / "bin" / "actionlint"  # `make lint` puts it there
ACTIONLINT = os.environ.get("SEPBOOK_ACTIONLINT") or shutil.which("actionlint") or (OWN if OWN.exists() else None)
TARGETS = set(re.findall(r"^([a-z][\w-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
KINDS = {"markdown", "textarea", "input", "dropdown", "checkboxes"}


def load(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def jobs():
    for path in WORKFLOWS:
        for name, job in load(path)["jobs"].items():
            yield pytest.param(job, id=f"{path.stem}-{name}")


def test_there_are_workflows_for_tests_pages_the_week_and_releases():
    assert [path.stem for path in WORKFLOWS] == ["pages", "release", "tests", "weekly"]


@pytest.mark.parametrize("job", list(jobs()))
def test_a_job_has_an_end_and_calls_make_targets_that_there_are(job):
    assert 0 < job["timeout-minutes"] <= 240
    commands = [step["run"] for step in job["steps"] if "run" in step]
    for command in commands:
        words = command.split()
        if words[0] == "make":
            assert {word for word in words[1:] if "=" not in word} <= TARGETS
        else:
            assert command.startswith(("choco install", "gh release create")), "call a make target"
    publishes = any("deploy-pages" in step.get("uses", "") for step in job["steps"])
    assert publishes or any(command.startswith("make ") for command in commands)
    assert all(re.fullmatch(r"actions/[\w-]+@v\d+", step["uses"]) for step in job["steps"] if "uses" in step)


def test_what_is_published_is_the_site_with_the_labs_run():
    steps = load(WORKFLOWS[0])["jobs"]["build"]["steps"]
    assert [step["run"] for step in steps if "run" in step] == ["make site"]
    (kept,) = (step["with"]["path"] for step in steps if "cache@" in step.get("uses", ""))
    written = {"_build/.jupyter_cache", "_build/audio", "_build/figures"}
    assert set(kept.split()) == written, "cells that do not run again write no sounds and pictures again"


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_may_only_read_unless_a_job_says_otherwise(path):
    assert load(path)["permissions"] == {"contents": "read"}


@pytest.mark.skipif(not ACTIONLINT, reason="actionlint is not installed; SEPBOOK_ACTIONLINT may name one elsewhere")
def test_actionlint_finds_nothing():
    done = subprocess.run([ACTIONLINT, "-no-color", *WORKFLOWS], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr


def test_there_is_a_form_for_a_mistake_a_sound_and_an_exercise():
    assert [path.stem for path in FORMS] == ["exercise", "mistake", "sound"]


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_a_form_asks_where_and_has_fields_with_names(path):
    form = load(path)
    assert set(form) == {"name", "description", "title", "labels", "body"} and form["labels"] == [path.stem]
    fields = [field for field in form["body"] if field["type"] != "markdown"]
    assert {field["type"] for field in form["body"]} <= KINDS
    ids, labels = ([field[k] if k == "id" else field["attributes"][k] for field in fields] for k in ("id", "label"))
    assert len(set(ids)) == len(set(labels)) == len(fields)
    assert all(re.fullmatch(r"[\w-]+", one) for one in ids)
    assert form["body"][0]["validations"]["required"], "where it is, or which one, is asked first"
    for field in fields:
        options = field["attributes"].get("options", ["none are needed"])
        assert options and (field["type"] in ("dropdown", "checkboxes")) == ("options" in field["attributes"])
