# equipoise: `make trial` and `make test` work on a machine that has only Python 3.11 and make.
# Run `make help` for the list.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory

# Without compiled modules every start reads all of SciPy's source again.
unexport PYTHONDONTWRITEBYTECODE
# A copy of the package elsewhere must not be tested in place of this one.
unexport PYTHONPATH
# One thread a process: the tests run side by side already, and sums do not depend on the machine.
export OPENBLAS_NUM_THREADS := 1
export OMP_NUM_THREADS := 1

BIN := .venv/bin
UV := $(BIN)/uv
INSTALLED := .venv/.installed
LOCK := requirements/lock.txt
LOCK_OPTIONS :=
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--custom-compile-command "make lock" $(LOCK_OPTIONS)
PYTEST := $(BIN)/python -m pytest -n 2 --dist worksteal
TRIAL := out/model-trial

.PHONY: help install trial verify verify-quick mutants bench test check quick lint ids imports types sabotage references lock clean

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

# ---- set-up: uv from a small hashed file, then the hashed lock, then this package; the stamp comes last

$(UV): requirements/uv.txt
	@python=; for name in python3.11 python3 python; do \
	  if "$$name" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$name; break; fi; \
	done; \
	if [ -z "$$python" ]; then echo "Python 3.11 or later, with its venv module, was not found." >&2; exit 1; fi; \
	echo "Setting up .venv (once)"; \
	"$$python" -m venv --clear .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/uv.txt
	@touch $(UV)

$(INSTALLED): $(UV) $(LOCK) pyproject.toml
	@rm -f $(INSTALLED)
	@$(UV) pip sync --quiet --python $(BIN)/python --compile-bytecode --require-hashes $(LOCK)
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $(INSTALLED)

install: $(INSTALLED)  ## set up .venv from the lock (every other command does it by itself)

# ---- what equipoise is for

trial: $(INSTALLED)  ## simulate, analyse and report the model trial; prints where the report is
	@$(BIN)/equipoise trial msc-t1d --seed 1 --format html --format pdf --format docx -o $(TRIAL)

verify: $(INSTALLED)  ## simulated people against real ones, and how often analyses reject by chance (half an hour)
	@$(BIN)/python -m verification

verify-quick: $(INSTALLED)  ## the same with fewer trials (ten minutes at most)
	@$(BIN)/python -m verification --quick

mutants: $(INSTALLED)  ## how many small changes of the code the tests notice; writes docs/mutants.md (an hour)
	@$(BIN)/python -m verification.mutants

bench: $(INSTALLED)  ## how long things take beside a peer; writes docs/benchmarks.md (minutes)
	@$(BIN)/python -m bench

# ---- checks, the fastest first; pytest last, so that its summary closes the output

test: check  ## run every check and every test

check: $(INSTALLED)  ## the same: lint, rooms, requirement ids, types, planted faults, tests
	@$(MAKE) lint
	@$(MAKE) imports
	@$(MAKE) ids
	@$(MAKE) -j 2 types sabotage
	@$(MAKE) quick

lint: $(INSTALLED)  ## ruff: rules and format
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@echo "lint: clean"

imports: $(INSTALLED)  ## which room may import which
	@$(BIN)/lint-imports --no-cache --no-logo

ids: $(INSTALLED)  ## every promise of tests/requirements.yaml has a test
	@$(BIN)/python tools/requirement_ids.py

types: $(INSTALLED)  ## pyright on src
	@$(BIN)/pyright --warnings

sabotage: $(INSTALLED)  ## every planted fault is caught by the test that it names
	@$(BIN)/python tools/sabotage.py

quick: $(INSTALLED)  ## the tests alone
	@$(PYTEST)

references: $(INSTALLED)  ## rerun the reference programs and compare (needs the programs)
	@$(BIN)/python reference/run

# ---- housekeeping

lock: $(UV)  ## write requirements/ anew from pyproject.toml
	@echo uv | $(COMPILE) --no-annotate --output-file requirements/uv.txt -
	@$(COMPILE) --all-extras --group dev --output-file $(LOCK) pyproject.toml

clean:  ## remove .venv, out and all caches
	rm -rf .venv out dist .hypothesis .pytest_cache .ruff_cache .import_linter_cache
	find src tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
