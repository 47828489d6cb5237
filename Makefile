# The task runner. A fresh machine needs only Python 3.11 or newer (with its venv module) and make.
#
#   make test                      the tests, on all cores
#   make stress ARGS="--help"      the stress runner; ARGS goes to the program that is run
#   make test PYTHON=python3.13 VENV=.venv-3.13     another interpreter, in an environment of its own

PYTHON ?= python3
VENV ?= .venv
ARGS ?=

bin := $(VENV)/bin
pip := $(bin)/python -m pip --disable-pip-version-check --quiet
# Stamps: what is installed already is not installed again, until pyproject.toml changes.
made := $(VENV)/.arenas-made
with_test := $(VENV)/.arenas-with-test
with_stress := $(VENV)/.arenas-with-stress
with_dev := $(VENV)/.arenas-with-dev

# An environment is made anew when its interpreter is gone, or when the checkout was moved or copied: it holds the old path, and
# would run the code that lies there.
ifneq ($(shell test -x "$(bin)/python" && cat "$(made)" 2>/dev/null),$(CURDIR))
.PHONY: $(made)
endif

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# Two installs into one environment must not overlap.
.NOTPARALLEL:
.PHONY: help test mutants stress lint type format build check clean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

test: $(with_test)  ## Run the tests and doctests (ARGS= for pytest)
	$(bin)/python -m pytest -n auto $(ARGS)

mutants: $(with_test)  ## Take out each lock, drain, claim and re-check: the tests must notice (ARGS= for the program)
	$(bin)/python -m tests.mutants $(ARGS)

stress: $(with_stress)  ## Run the stress runner's quick run (ARGS= for the runner)
	$(bin)/python -m stress $(ARGS)

lint: $(with_dev)  ## Run ruff: every rule, and the formatter's opinion
	$(bin)/python -m ruff check
	$(bin)/python -m ruff format --check

type: $(with_dev)  ## Run mypy, strict
	$(bin)/python -m mypy

format: $(with_dev)  ## Let ruff fix and format what it can
	$(bin)/python -m ruff check --fix
	$(bin)/python -m ruff format

build: $(with_dev)  ## Build the sdist, and from it the wheel, into dist/
	$(bin)/python -m build

check:  ## Everything CI does: tests, mutants, linters, types, the wheel on every Python found, stress
	.ci/run

clean:  ## Remove the environment and everything built
	rm -rf $(VENV) build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache *.egg-info
	find arenas stress tests tools -name __pycache__ -prune -exec rm -rf {} +

$(made):
	@command -v "$(PYTHON)" >/dev/null || { \
	  echo "error: $(PYTHON) not found: install Python 3.11 or newer, or name one: make PYTHON=/path/to/python3" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "error: arenas needs Python 3.11 or newer; $(PYTHON) is older or does not run" \
	    "($$("$(PYTHON)" --version 2>&1 | head -n 1)). Name another: make PYTHON=/path/to/python3" >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null && "$(PYTHON)" -m venv $$(test ! -e $@ || echo --clear) "$(VENV)" || { \
	  echo "error: $(PYTHON) cannot make a virtual environment: its venv or ensurepip module is missing or broken." \
	    "On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	$(pip) install --upgrade "pip>=25.1"
	@printf '%s' "$(CURDIR)" >$@

$(with_test): pyproject.toml $(made)
	$(pip) install --editable . --group test $$($(bin)/python -c \
	  'import sysconfig; print("" if sysconfig.get_config_var("Py_GIL_DISABLED") else "--group record")')
	@touch $@

$(with_stress): pyproject.toml $(made)
	$(pip) install --editable ".[stress]"
	@touch $@

$(with_dev): pyproject.toml $(made)
	$(pip) install --editable ".[all]" --group dev
	@touch $@
