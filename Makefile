# make app    installs what is pinned, then serves the dashboard
# make test   installs what is pinned, then runs every check and test
# Each works alone in a fresh clone; what has been installed is not installed again.

PORT ?= 8501
HOST ?= 127.0.0.1
PYTHON ?=
BIN := .venv/bin
export PYTHON
export TF_CPP_MIN_LOG_LEVEL ?= 3

.PHONY: app test machine suite check lint types messages lock setup setup-dev

app: setup
	@exec $(BIN)/python -m medcore app --host $(HOST) --port $(PORT)

# What takes seconds is said first; the types, which one processor takes a minute for, are checked beside the tests, and
# what the system's package manager installs comes beside Python's packages.
test:
	@$(MAKE) --no-print-directory --jobs 2 lint machine
	@$(MAKE) --no-print-directory --jobs 2 types suite

machine:
	@.ci/browser
	@.ci/database

check: lint types

lint: setup-dev
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/lint-imports
	$(BIN)/python assets/locale/update.py --check

types: setup-dev
	$(BIN)/mypy

suite: setup-dev
	$(BIN)/pytest -q -n 3 --dist loadfile --no-loadscope-reorder --max-worker-restart 0 --durations=40 --durations-min=5

messages: setup-dev
	$(BIN)/python assets/locale/update.py

# After a change of requirements.txt or requirements-dev.txt: lock files, installed again, then SBOM and NOTICE.
lock: setup-dev
	.ci/lock
	@.ci/setup dev
	$(BIN)/python .ci/materials

setup:
	@.ci/setup app

setup-dev:
	@.ci/setup dev
