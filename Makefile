# Everything on a fresh machine with Rust, Python 3 and a C++ compiler:
#   make run    set up, build, run the demo search on the embedded images
#   make test   set up, run every check
#   make test-kill   1,000 kills (KILLS=N) of runs at every step of changing files: each resumes to the same end
#   make test-slurm  searches on a real Slurm on this machine (installed if missing; as root), with nodes that are killed
#   make fuzz   fuzz what reads files and messages, without libtorch; SECONDS=60 for each target (600), TARGET=npy for only one
# Set LIBTORCH to use your own libtorch 2.11.0. Otherwise one is installed: with CUDA if there is an NVIDIA driver, or as
# KIND says (cuda, cuda12 or cpu). KIND is not remembered: give it to every call (make setup KIND=cpu; make build KIND=cpu; ...), or
# export NAS_TUI_LIBTORCH_KIND=cpu.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.PHONY: help setup build run test test-kill test-slurm fmt scripts lint unit docs viewer fuzz install clean

# Found (or installed) once per call of make; torch-sys rebuilds when this path changes.
TORCH = LIBTORCH="$$(python3 scripts/libtorch.py $(KIND))"; export LIBTORCH

# Python with onnx and onnxruntime, which run the exported networks in the tests. Found (or installed) as well.
PYTHON = NAS_TUI_PYTHON="$$(python3 scripts/python.py)"; export NAS_TUI_PYTHON

help:
	@grep -E '^#   ' Makefile

setup:
	@$(TORCH); echo "libtorch: $$LIBTORCH"

build:
	@$(TORCH)
	cargo build --release --locked

run:
	@$(TORCH)
	cargo build --release --locked
	exec "$${CARGO_TARGET_DIR:-target}/release/nas-tui" $(ARGS)

install:
	@$(TORCH)
	cargo install --path . --locked

test: fmt scripts lint unit docs viewer

fmt:
	cargo fmt --check

scripts:
	python3 -B -m unittest discover --start-directory tests/scripts

# One profile for everything: torch-sys takes minutes to compile per profile.
lint:
	@$(TORCH)
	cargo clippy --release --locked --all-targets -- -D warnings

unit:
	@$(TORCH)
	$(PYTHON)
	export INSTA_UPDATE=no
	if cargo nextest --version >/dev/null 2>&1; then
	  cargo nextest run --release --locked --no-fail-fast
	else
	  echo "cargo-nextest is not installed: using cargo test (cargo install cargo-nextest --locked gives the faster runner)"
	  cargo test --release --locked --lib --bins --tests
	fi

docs:
	@$(TORCH)
	cargo test --release --locked --doc
	RUSTDOCFLAGS="-D warnings" cargo doc --release --locked --no-deps --quiet

# The viewer must build without libtorch.
viewer:
	cargo clippy --locked --no-default-features -- -D warnings

# `make test` makes a few of these kills. CASE=table:17 repeats one case.
KILLS = 1000
test-kill:
	@$(TORCH)
	export NAS_TUI_KILLS=$(KILLS) $(if $(CASE),NAS_TUI_KILL_CASE=$(CASE))
	cargo test --release --locked --test it kills:: -- --nocapture

# Not part of `make test`: it takes minutes, and installs Slurm.
test-slurm:
	@$(TORCH)
	trap 'scripts/slurm.sh stop' EXIT
	started="$$(scripts/slurm.sh start 4)"; eval "$$started"
	cargo test --release --locked --test it slurm:: -- --nocapture --test-threads 1

fuzz:
	fuzz/run.sh $(or $(SECONDS),600) $(TARGET)

clean:
	cargo clean
