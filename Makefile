SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
# One more than the cores of a small machine: tests of a daemon wait more than they work.
WORKERS ?= 3

# Rewritten asserts and compiled modules are kept: collecting is half of the time of test-fast.
unexport PYTHONDONTWRITEBYTECODE

GOLDEN := tests/golden tests/report/comments

.PHONY: help setup demo test test-fast test-crash test-worlds check format bench bench-rollouts schemas docs golden verify image lock

help: ## What can be made here
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: $(BIN)/.ready ## The virtual environment with all that is pinned

$(BIN)/.ready: requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "needs Python 3.11 or newer (make PYTHON=python3.12 ...)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "installing pinned packages into .venv (a minute, once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup ## The whole story on an embedded AWS: merge, plan, rollout, drift, heal, a kill, a refusal
	@$(BIN)/reconciler demo

test: setup ## All tests but the full crash matrix
	@$(BIN)/pytest -m "not crash" -n $(WORKERS) --dist worksteal

test-fast: setup ## Half a minute: tests that need no emulator, host or process, with few examples for each property
	@N=5 $(BIN)/pytest -m "not wire and not slow and not crash" -n $(WORKERS) --dist worksteal

test-crash: setup ## A kill after every mutating call, for every strategy and kind of traffic
	@$(BIN)/pytest -m crash -n $(WORKERS) --dist worksteal

test-worlds: setup ## Rollouts in worlds that no run tried before, N for each strategy and kind of traffic (300)
	@SEARCH=1 N=$${N:-300} $(BIN)/pytest tests/strategies -n $(WORKERS) --dist worksteal --timeout 3600

check: setup ## Format, lint, types, import contracts, stale generated files, docs
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/codespell
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/reconciler schema --check
	@$(BIN)/python docs/aws_schemas.py --check
	@$(BIN)/python docs/generate.py --check
	@$(BIN)/hadolint Dockerfile

format: setup ## Write the one format
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

bench: setup ## Calls, CPU, wall time and memory of a pass, for 10, 100 and 500 fleets
	@$(BIN)/python -m benchmarks

bench-rollouts: setup ## How long rollouts take by the emulator's clock: the table of docs/rollouts.md
	@$(BIN)/python -m benchmarks.rollouts

schemas: setup ## schemas/*.json and the AWS models of `extra`, from code
	@$(BIN)/python docs/aws_schemas.py && $(BIN)/reconciler schema

docs: setup ## Reference pages, from code
	@$(BIN)/python docs/generate.py

golden: setup ## Write the golden plans and comments anew; look at the difference before you commit it
	@$(BIN)/pytest $(GOLDEN) -p no:randomly --golden; git --no-pager diff --stat -- $(GOLDEN)

verify: schemas docs ## Make all that is generated; fail if anything was stale
	@git diff --exit-code -- schemas docs reconciler/spec/aws

image: ## The container image, by docker, podman or buildah
	@docs/image.sh

lock: ## Pin dependencies anew, without index addresses (needs uv)
	@uv pip compile --quiet --upgrade --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --universal --python-version 3.11 pyproject.toml --output-file requirements.txt
	@uv pip compile --quiet --upgrade --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --universal --python-version 3.11 pyproject.toml --group dev --output-file requirements-dev.txt
