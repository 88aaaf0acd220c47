# The front door. Needs a Rust toolchain, a C and a C++ compiler, Python 3; takes what else it wants
# (NumPy, pytest, CMake) into .venv by itself.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
export CARGO_TARGET_DIR := $(abspath $(or $(CARGO_TARGET_DIR),target))
export ATOLL_LIBRARY := $(CARGO_TARGET_DIR)/release/libatoll.so
export PYTHONPATH := $(CURDIR)/python
export PYTHONDONTWRITEBYTECODE := 1

.PHONY: help build demo test crash models soak compare-kills bench instructions docs bless tools

help:
	@echo 'make demo [INPUT=path] [KILLS=20]    four processes in three languages, killed while they work'
	@echo 'make test [PYTHONS="3.9 3.13"]       everything that has to hold, in less than half an hour'
	@echo 'make crash [OPS=lock,unlock] [FULL=1] SIGKILL at every instruction, every state recovered on a copy, all mutants'
	@echo 'make models                          the models of locks, waits and rings, logs and the heap, by spin'
	@echo 'make soak [MINUTES=10]               random kills for as long as you like'
	@echo 'make compare-kills [KILLS=50]         what a kill does to locks of multiprocessing, and to ours'
	@echo 'make bench [ROWS=mutex_contended]     figures against peers, to target/bench/results.json and chart.svg'
	@echo 'make instructions [BLESS=1]          instructions per operation beside those written down; or write them down'
	@echo 'make build                           target/release/libatoll.so, and what accelerates the Python package'
	@echo 'make docs                            the Rust interface as pages, in target/doc'
	@echo 'make bless                           renew what is generated or golden, after a change of ABI or layout'

# --- tools -----------------------------------------------------------------------------------

# $(call need,a command that works where it is installed,what it is,how to get it)
define need
	@$(1) >/dev/null 2>&1 || { echo 'atoll needs $(2): $(3)' >&2; exit 1; }
endef

tools:
	$(call need,cargo --version,a Rust toolchain,install Rust 1.95 or newer with cargo)
	$(call need,cc --version,a C compiler,install gcc (on Debian: build-essential))
	$(call need,c++ --version,a C++ compiler,install g++ (on Debian: build-essential))
	$(call need,$(PYTHON) -c "import ensurepip",Python 3.9 or newer with venv,install it (on Debian: python3-venv))

VENV := .venv/has-cmake-mypy-numpy-pytest
$(VENV): | tools
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check cmake mypy numpy pytest
	@touch $@

# --- what is built ---------------------------------------------------------------------------

build: tools
	cargo build --release --lib
	@ln -sf libatoll.so $(ATOLL_LIBRARY).0
	@$(or $(wildcard .venv/bin/python),$(PYTHON)) python/accelerator/build.py || [ $$? = 77 ]

DEMO := $(CARGO_TARGET_DIR)/demo
LINK := -Iinclude -L$(CARGO_TARGET_DIR)/release -latoll -Wl,-rpath,$(CARGO_TARGET_DIR)/release
WARN := -Wall -Wextra -Wpedantic

$(DEMO)/worker-c: demo/worker.c demo/layout.h include/atoll.h | build
	@mkdir -p $(@D)
	cc -std=c11 -O2 $(WARN) $< -o $@ $(LINK)

$(DEMO)/worker-cpp: demo/worker.cpp demo/layout.h $(wildcard include/*.* include/*/*.*) | build
	@mkdir -p $(@D)
	c++ -std=c++17 -O2 $(WARN) $< -o $@ $(LINK)

# --- what is run -----------------------------------------------------------------------------

# Both go through the environment, so that no character of a path means anything to the shell.
export KILLS INPUT
demo: build $(VENV) $(DEMO)/worker-c $(DEMO)/worker-cpp
	@.venv/bin/python demo/run.py --workers $(DEMO) --kills "$${KILLS:-20}" -- $${INPUT:+"$$INPUT"}

PYTHONS ?= 3.9 3.13
export PYTHONS
test: build $(VENV) $(DEMO)/worker-c $(DEMO)/worker-cpp
	@.venv/bin/python tests/run.py

crash: build
	$(if $(OPS),,tests/mutants/run)
	cargo test --release --test crash -- every

models:
	models/run

soak: build $(VENV)
	cargo test --release --test soak -- minutes=$(or $(MINUTES),10)
	.venv/bin/python tests/storm/run minutes=$(or $(MINUTES),10)

compare-kills: build
	@$(or $(wildcard .venv/bin/python),$(PYTHON)) tests/compare_kills/run.py $(or $(KILLS),50)

# A crate of its own: nothing else builds the peers.
bench: build
	@cargo run --release --quiet --manifest-path benches/compare/Cargo.toml -- $(ROWS)

# Counted by callgrind: a slow-down is seen without a clock.
instructions: build $(VENV)
	@BLESS=$(BLESS) .venv/bin/python benches/instructions/count.py

docs:
	cargo doc --no-deps

bless:
	BLESS=1 cargo test --quiet --lib --test bindings
