# The same words on a laptop and in CI. Nothing is needed but Python 3.11+ and make.
PYTHON ?= python3
BIN := .venv/bin
WORKERS ?= 2

.PHONY: demo test quick check format imports screenshots bench bench-engine clean

demo: .venv/users.stamp
	$(BIN)/rmo demo

test: .venv/dev.stamp
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile

quick: .venv/dev.stamp
	$(BIN)/python -m pytest -q -n $(WORKERS) -m "not browser"

check: .venv/dev.stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/rmo check
	$(MAKE) test

format: .venv/dev.stamp
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

imports: .venv/dev.stamp
	$(BIN)/lint-imports

screenshots: .venv/dev.stamp
	$(BIN)/python -m tests.tools.screenshots

bench: .venv/dev.stamp
	$(BIN)/python -m tests.bench

# The engine beside the libraries that people use; they are many and large, so they get a folder of their own.
bench-engine: .venv-bench/stamp
	OPENBLAS_NUM_THREADS=1 .venv-bench/bin/python -W ignore -m tests.bench.engine $(ARGS)

.venv-bench/stamp: requirements-bench.txt
	test -x .venv-bench/bin/python || $(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install -q --disable-pip-version-check -r requirements-bench.txt
	touch $@

# A stamp depends on the lock, so that a changed lock is installed again.
.venv/users.stamp: requirements.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("rmo needs Python 3.11 or newer; run: make PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

.venv/dev.stamp: .venv/users.stamp requirements-dev.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.txt
	touch $@

clean:
	rm -rf .venv dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
