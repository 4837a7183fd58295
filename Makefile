# `make` alone prints what there is. `make book` and `make test` prepare everything that they need.

SHELL := /bin/bash
PYTHON ?= $(shell bash tools/setup.sh python)
BIN := .venv/bin
KEY := $(shell cat requirements.txt pyproject.toml | cksum | cut -d ' ' -f 1)
VENV := .venv/.installed-$(KEY)
PORT ?= 8000
BUILD = $(BIN)/jupyter-book build . -W -n --keep-going
PYTEST = $(BIN)/python -m pytest --junitxml=_build/junit/$@.xml
TWO = OMP_NUM_THREADS=1 $(PYTEST) -n 2 --dist loadfile

# Waiting OpenMP threads that spin slow two busy cores a hundredfold.
export GOMP_SPINCOUNT := 0
export PYDEVD_DISABLE_FILE_VALIDATION := 1
# Labs that a test runs keep no progress of a reader.
export SEPBOOK_PROGRESS := off

.PHONY: help book site serve check test lint unit strict-book labs solutions browser results corpus bench bench-public format clean quick \
	plan colab mutants package release release-check room pdf
.DEFAULT_GOAL := help

help:
	@echo "make book       build the book (first time: makes .venv and installs what is needed)"
	@echo "make serve      read it at http://localhost:$(PORT)"
	@echo "make site       the book with every lab run and its outputs shown: what is published (hours)"
	@echo "make check      lint and the quick unit tests: three minutes, for daily use"
	@echo "make test       everything: lint, unit, strict-book, labs, solutions, browser"
	@echo "make results    train and measure again: the numbers that the pages quote"
	@echo "make plan       say first how many core-hours that takes, and what is done already"
	@echo "make corpus     render the built-in songs and talkers again, from seeds"
	@echo "make bench      measure speed and memory, on an idle machine"
	@echo "make bench-public   our networks beside those of other packages, in an environment of its own"
	@echo "make mutants    plant faults one at a time, and list those that no test notices (an hour or more)"
	@echo "make colab      the quick tests and all labs with Colab's Python and versions (several GB)"
	@echo "make package    the quick tests and all labs with the newest versions, on any system and Python"
	@echo "make release    build wheel and sdist into dist/, with their hashes"
	@echo "make room       pack book, labs and all wheels into one archive, for a room without internet"
	@echo "make pdf        print the built book: a file for each part, and one for the whole, into _build/pdf/"
	@echo "make release-check   say what stands in the way of a release"
	@echo "make format     let ruff format the code"
	@echo "make clean      remove _build; .venv stays"

# The stamp carries a checksum of both files, so a change in either installs anew.
$(VENV): requirements.txt pyproject.toml
	@bash tools/setup.sh apt $(if $(filter test check unit browser,$(MAKECMDGOALS)),test,book)
	@bash tools/setup.sh venv "$(PYTHON)"
	@rm -f .venv/.installed-*
	@touch $@

book: $(VENV)
	$(BUILD)
	@echo "The book is at _build/html/index.html. Read it with \`make serve\`: players need a local server."

# On a clean clone: what a lab showed before is kept as long as its own cells are the same.
site: $(VENV)
	SEPBOOK_SITE=1 $(BUILD)

pdf: $(VENV)
	@bash tools/setup.sh browser
	$(BIN)/python -m tools.pdf

serve:
	@$(BIN)/python tools/serve.py $(PORT)

check: $(VENV)
	@$(BIN)/python tools/times.py lint quick

test: $(VENV)
	@bash tools/setup.sh apt test && bash tools/setup.sh browser || true
	@bash tools/setup.sh firefox || echo "Firefox cannot be installed here; its tests will be skipped"
	@bash tools/setup.sh nbgrader || echo "nbgrader cannot be installed here; its test will be skipped"
	@$(BIN)/python tools/times.py lint unit strict-book labs solutions browser

lint: $(VENV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@bash tools/javascript/lint.sh
	@bash tools/lint_workflows.sh

UNIT := tests --ignore=tests/book --ignore=tests/browser --ignore=tests/labs
unit: $(VENV)
	$(TWO) $(UNIT)

# Without what waits for real processes, a browser or the package index.
quick: $(VENV)
	$(TWO) $(UNIT) -m "not slow and not network"

# A rebuild after a warning would pass: the pages go first. The cache of executed cells stays.
strict-book: $(VENV)
	rm -rf _build/html _build/.doctrees
	$(BUILD)
	$(TWO) tests/book

# The first lab trains for its full time: it comes first, and the other process does the rest meanwhile.
FIRST := notebooks/first_separation.ipynb
LABS = $(FIRST) $(filter-out $(FIRST),$(wildcard notebooks/*.ipynb notebooks/*/*.ipynb))
labs: $(VENV)
	$(TWO) --nbval-lax --no-loadscope-reorder --timeout=1800 $(LABS)

# Labs differ in weight: whoever is free takes the next one, whole.
solutions: $(VENV)
	$(TWO) --dist loadgroup tests/labs

# Pages differ much in weight: whoever is free takes the next ones.
browser: $(VENV)
	$(TWO) --dist worksteal tests/browser

results: $(VENV)
	$(BIN)/python -m tools.results

plan: $(VENV)
	$(BIN)/python -m tools.results --plan

corpus: $(VENV)
	bash tools/setup.sh apt corpus
	$(BIN)/python -m tools.corpus

bench: $(VENV)
	$(BIN)/python -m tools.bench

# Other packages, some of them old, beside the book's own torch.
bench-public: $(VENV)
	$(BIN)/python -m tools.bench_public

mutants: $(VENV)
	$(BIN)/python -m tools.mutants

colab: $(VENV)
	$(BIN)/python -m tools.colab

# On macOS, Windows and other Pythons too: an environment of its own, with the newest version of everything.
package:
	$(PYTHON) -m tools.package

release: $(VENV)
	$(BIN)/python -m tools.release build

room: book
	$(BIN)/python -m tools.classroom room

release-check: $(VENV)
	$(BIN)/python -m tools.release check

format: $(VENV)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf _build
