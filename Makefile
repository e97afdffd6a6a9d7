# Two commands are all a newcomer needs: `make demo` and `make test`.

PYTHON ?= python3
BIN := .venv/bin
export UV_PROJECT_ENVIRONMENT := .venv

.PHONY: demo test test-slow test-slurm test-orthanc lint format bench docs setup clean

demo: setup           ## the whole chain on invented patients, ending in a release
	@$(BIN)/radcurate demo

test: setup           ## the test suite, without what is marked slow
	@$(BIN)/pytest -n 2 --dist loadgroup -m "not slow"

test-slow: setup      ## what `make test` leaves out: real cohorts, faults, long property tests
	@$(BIN)/pytest -n 2 --dist loadgroup -m slow

test-slurm: setup     ## a real Slurm on this machine (as root, Debian's packages): the pipeline on it, with faults
	@sh tests/slurm/run.sh $(BIN)/pytest

test-orthanc: setup   ## from a real DICOMweb server to a release; first, as root: sh tests/orthanc/install.sh
	@$(BIN)/pytest -m slow tests/pipeline/test_orthanc.py

lint: setup           ## ruff, types, snakefmt, snakemake --lint, generated files
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/snakefmt --check --compact-diff Snakefile workflow/rules
	@$(BIN)/snakemake --lint
	@$(BIN)/python -m radcurate.reference --check

format: setup
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .
	@$(BIN)/snakefmt Snakefile workflow/rules

bench: setup          ## each promised figure against its goal
	@$(BIN)/python -m benchmarks

docs: setup           ## write config/README.md and workflow/schemas from src/radcurate/settings
	@$(BIN)/python -m radcurate.reference

setup: .venv/.ready

# EXTRA=slurm adds an optional dependency group.
.venv/.ready: pyproject.toml uv.lock envs/bootstrap.sh $(wildcard src/radcurate/features/kernels/*.[ch])
	@sh envs/bootstrap.sh "$(PYTHON)" $(EXTRA)
	@touch $@

clean:                ## remove what can be made again; releases stay
	rm -rf .venv demo build .pytest_cache .mypy_cache .ruff_cache .hypothesis
