# Everything here works on a fresh machine with Python >= 3.11, Rust and make; all that is installed goes into .venv.
# Stamp files in .venv remember what is done: a second run starts at once.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet
RUST   := $(shell find rust -name '*.rs' -o -name Cargo.toml) Cargo.toml Cargo.lock
# What pytest is given on top of pyproject.toml, e.g. make test ARGS='-k verify -x', or ARGS='-n 0 --pdb' for one process;
# or the benches, ARGS=--quick
ARGS ?=
# What `make bench-against` compares the working tree with
COMMIT ?= HEAD
# Which interpreters `make test-versions` tries
PYTHONS ?= $(PYTHON)

export PYO3_PYTHON := $(abspath $(BIN)/python)
# What maturin sets too: a module finds Python's symbols where it is loaded and is not linked to libpython.
export PYO3_BUILD_EXTENSION_MODULE := 1
export RUSTDOCFLAGS := -D warnings

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test test-rust test-portable test-python test-long test-versions lint bench bench-against dropin scaling valgrind clean

help:  ## show this list
	@echo 'usage: make TARGET'
	@awk -F ':.*  ## ' '/^[a-z-]+:.*  ## / { printf "  %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/native  ## train on handwritten digits, verify the gradients, compare with scikit-learn
	@$(BIN)/chainrule demo

# Files go to one process each: a test may use random numbers that the ones before it left.
PYTEST  := $(BIN)/python -m pytest -n auto --dist loadfile
# Without the examples: tests/seam.rs builds its own.
CARGO_TEST := cargo test --workspace --tests

test: test-rust test-portable test-python  ## run the tests of Rust and Python but for long sweeps

test-rust: $(VENV)/native  ## run cargo test but for long sweeps
	$(CARGO_TEST) -- --skip have_the_bits_of_layers
	cargo test --workspace --doc

test-python: $(VENV)/native $(VENV)/test  ## run pytest, with few examples a property
	HYPOTHESIS_PROFILE=fast $(PYTEST) $(ARGS)

test-portable: $(VENV)/native $(VENV)/test  ## run the properties and the published examples without the CPU's vectors
	CHAINRULE_TARGET=portable HYPOTHESIS_PROFILE=fast $(PYTEST) tests/test_properties.py tests/test_examples.py

test-long: $(VENV)/native $(VENV)/test  ## run all tests of Rust and Python, with five times as many examples a property
	$(CARGO_TEST)
	cargo test -p chainrule-core --test seam -- --ignored
	cargo test --workspace --doc
	HYPOTHESIS_PROFILE=ci $(PYTEST) $(ARGS)

test-versions: $(VENV)/native  ## test the wheel with the oldest and the newest NumPy and scikit-learn (PYTHONS="python3.11 python3.13")
	.ci/test-versions $(PYTHONS)

lint: $(VENV)/native $(VENV)/test $(VENV)/lint  ## run every formatter, linter and type checker
	rustfmt --edition 2024 --check $(filter %.rs,$(RUST))  # cargo fmt does not see the files that a registry declares
	cargo clippy --workspace --all-targets -- -D warnings
	cargo doc --workspace --no-deps --document-private-items --quiet
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy python tests/test_names.py
	$(BIN)/python -m mypy.stubtest chainrule._native

bench: $(VENV)/native $(VENV)/bench  ## time the kernels, and steps and calls beside other libraries (TORCH=1 installs torch; ARGS=--help)
	$(if $(TORCH),$(PIP) install --group bench-torch)
	@$(BIN)/maturin build --release --quiet --compression-level 9 --out $(VENV)/wheels
	$(BIN)/python -m benches.peers --wheel $(VENV)/wheels $(ARGS)

bench-against: $(VENV)/bench  ## time every row of the tables beside a commit, fail where one is slower (COMMIT=HEAD; ARGS=--help)
	$(BIN)/python -m benches.against $(COMMIT) $(ARGS)

# valgrind knows no AVX-512: AVX2 and the portable kernels are run. The sweeps over floats would take hours.
valgrind: export CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER = valgrind -q --error-exitcode=9
valgrind: export CARGO_PROFILE_RELEASE_LTO = off
valgrind:  ## run the tests of the kernels under valgrind, 15 minutes (needs valgrind, x86-64 Linux)
	cargo test --release -p chainrule-kernels --lib --tests -- --skip error_is_bounded --test-threads=1
	cargo test --release -p chainrule-core --lib small

dropin: $(VENV)/native $(VENV)/bench  ## time fits and predictions of chainrule.sklearn beside scikit-learn's
	$(BIN)/python -m benches.dropin $(ARGS)

scaling: $(VENV)/native $(VENV)/test  ## time a step over batch sizes and widths, draw docs/scaling.png and list cliffs
	$(BIN)/python -m benches.scaling $(ARGS)

clean:  ## remove everything that was built or installed here
	rm -rf $(VENV) target dist .hypothesis .pytest_cache .mypy_cache .ruff_cache
	rm -f python/chainrule/_native*.so python/chainrule/_native*.pyd
	find python tests benches -name __pycache__ -prune -exec rm -rf {} +

$(VENV)/made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "chainrule needs Python 3.11 or newer; choose one with: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@cargo --version >/dev/null 2>&1 || \
		{ echo "chainrule needs Rust: no cargo was found on PATH (see https://rustup.rs)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --upgrade 'pip>=25.1' 'maturin>=1.13.2,<2'
	@touch $@

# maturin takes one environment only: a conda that happens to be active must not get in its way.
$(VENV)/native: $(VENV)/made $(RUST) pyproject.toml
	env -u CONDA_PREFIX PIP_QUIET=1 VIRTUAL_ENV='$(abspath $(VENV))' $(BIN)/maturin develop --release --extras demo
	@touch $@

$(VENV)/test $(VENV)/lint $(VENV)/bench: $(VENV)/made pyproject.toml
	$(PIP) install --group $(@F)
	@touch $@
