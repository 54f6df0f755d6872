# Everything sets itself up: `make demo` and `make test` need nothing before them but Python 3.11 or newer.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo $$p; break; }; done)
BIN := .venv/bin
RUN := $(BIN)/python
# Our own modules are compiled once, and not once for each process that a test starts.
unexport PYTHONDONTWRITEBYTECODE
XDIST := -n 2 --dist worksteal

.PHONY: help demo demo-reset demo-import test test-fast check format mutants knockouts faults eligibility bench pictures lock

help:
	@echo "make demo        a clinic to look at, with everything it needs; Ctrl-C stops it"
	@echo "make demo-reset  the same, afresh"
	@echo "make demo-import FILE=samples/lab-export.csv  a lab export into the running demo"
	@echo "make test        all tests: unit, database, faults, browser"
	@echo "make test-fast   without browser and faults"
	@echo "make check       lint, format, types, import contracts, Django's checks, migrations"
	@echo "make knockouts   removes each safety control in turn; a named test must turn red"
	@echo "make mutants     mutation tests of the clinical rules"
	@echo "make faults      kill -9 at random moments, ROUNDS=200"
	@echo "make eligibility supplies while others write, STEPS=1000000"
	@echo "make bench       all benchmarks"
	@echo "make pictures    takes the guides' pictures anew"

.venv/ready: requirements-dev.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer with its venv module is needed (Debian: apt-get install python3 python3-venv)"; exit 1; }
	@echo "Setting up .venv with $(PYTHON)"
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv 2>/dev/null || echo "uv is not to be had, pip does it more slowly"
	@if test -x $(BIN)/uv; then $(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes -r requirements-dev.txt; \
	else $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt; fi
	@touch $@

demo: .venv/ready
	@$(RUN) -m clozatrack.demo

demo-reset: .venv/ready
	@$(RUN) -m clozatrack.demo --reset

# The running demo writes its environment where this finds it.
demo-import: .venv/ready
	@$(RUN) -m clozatrack.demo --import "$(FILE)"

test: .venv/ready
	$(RUN) -m pytest $(XDIST) -m "not faults and not browser"
	$(RUN) -m pytest $(XDIST) -m browser tests/journeys
	$(RUN) -m pytest -m faults tests/faults

test-fast: .venv/ready
	$(RUN) -m pytest $(XDIST) -m "not faults and not browser and not slow"

# A production-like environment, so that `check --deploy` sees what production would.
DEPLOY := CLOZATRACK_ENV=production CLOZATRACK_HOSTS=clozatrack.example CLOZATRACK_BASE_URL=https://clozatrack.example \
	CLOZATRACK_SECRET_KEY=$(shell head -c 48 /dev/urandom | od -An -tx1 | tr -d ' \n')

check: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports --no-logo
	$(DEPLOY) $(RUN) manage.py check --deploy --fail-level WARNING
	$(RUN) -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run

format: .venv/ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

mutants: .venv/ready
	$(RUN) -m tests.mutants

knockouts: .venv/ready
	$(RUN) -m tests.knockouts

ROUNDS ?= 200
faults: .venv/ready
	CLOZATRACK_ROUNDS=$(ROUNDS) $(RUN) -m pytest -m faults --timeout=7200 -s

STEPS ?= 1000000
eligibility: .venv/ready
	CLOZATRACK_STEPS=$(STEPS) $(RUN) -m pytest -s tests/eligibility

bench: .venv/ready
	@for one in assess sweep eligibility record_result import_csv reports pages protocol_change drain reminders; do $(RUN) -m benchmarks.$$one || exit 1; done

pictures: .venv/ready
	CLOZATRACK_PICTURES=1 $(RUN) -m pytest -q tests/journeys/test_guides.py

lock: .venv/ready
	$(BIN)/uv pip compile -q --generate-hashes --universal --python-version 3.11 --no-emit-index-url --no-emit-find-links --no-header pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile -q --generate-hashes --universal --python-version 3.11 --no-emit-index-url --no-emit-find-links --no-header pyproject.toml --group dev -o requirements-dev.txt
