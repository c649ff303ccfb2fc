# The two commands of the README: `make demo` and `make test`. The first of them creates .venv from the lock file.
PYTHON ?= python3
BIN := .venv/bin
export DO_NOT_TRACK = 1

.PHONY: demo test lint bench lock clean

.venv/.ready: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("goldsmith needs Python 3.11 or newer, this is " + sys.version) if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

# The example files go through the real thing, in this project. Delete goldsmith.duckdb to see it again from the start.
demo: .venv/.ready
	mkdir -p landing
	cp -R examples/landing/. landing/
	$(BIN)/goldsmith run

test: .venv/.ready lint
	$(BIN)/python -m pytest -n 2

lint: .venv/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/sqlfluff lint --processes 1 --disable-progress-bar --nocolor -q models

bench: .venv/.ready
	$(BIN)/python tests/bench.py

clean:
	rm -rf .venv landing archive target goldsmith.duckdb*

# Pin the newest versions that pyproject.toml allows, with hashes, for all Python versions and systems.
lock: .venv/.ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv>=0.13"
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --all-extras --upgrade --generate-hashes \
		--no-emit-index-url --no-strip-extras --no-annotate --custom-compile-command "make lock" pyproject.toml -o requirements.lock
