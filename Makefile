# `make demo` and `make test` need Python 3.11 or newer and make, nothing else: they set up one virtual environment in the checkout, once.
# Other targets: lint, fuzz (long), train (minutes), bench, clean.

VENV ?= .venv
# Processes of the test run.
JOBS ?= 2
# The first that answers, not the first name that exists: a version manager's shim may be there and refuse, and Debian splits venv off.
PYTHON ?= $(shell for p in python3.11 python3 python3.12 python3.13 python3.14 python; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$p && break; done)
BIN := $(VENV)/bin
# `make bench FULL=1` measures at full size; WRITE=1 puts what it finds into docs/benchmarks.md and the README.
FULL ?=
WRITE ?=
ROUNDS ?= 5

.DEFAULT_GOAL := demo
.PHONY: demo test lint fuzz train bench clean

demo: $(VENV)/.ready
	$(BIN)/detloss compute sample_data/vegetables/data.yaml --hyp configs/hyp.scratch-low.yaml --model yolov5s

test: $(VENV)/.ready
	$(BIN)/python -m pytest -n $(JOBS) -rs

lint: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

fuzz: $(VENV)/.ready
	$(BIN)/python -m pytest -m fuzz

train: $(VENV)/.ready
	$(BIN)/python -m pytest -m train

bench: $(VENV)/.ready
	$(BIN)/python benchmarks/run.py --rounds $(ROUNDS) $(if $(FULL),--full) $(if $(WRITE),--write)

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# torch first and alone, from the constraints, so that nothing that follows pulls in another build.
$(VENV)/.torch: constraints.txt
	@test -n "$(PYTHON)" || { echo "detloss needs Python 3.11 or newer with its venv module (Debian: python3-venv);" \
		"install it, or call make PYTHON=/path/to/python" >&2; exit 1; }
	@echo "setting up $(VENV): once, a few minutes" >&2
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt torch
	@touch $@

$(VENV)/.ready: pyproject.toml $(VENV)/.torch
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
	@touch $@
