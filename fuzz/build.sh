#!/usr/bin/env bash
# Builds the fuzzer with the compiler of the project: LLVM's coverage counters are ordinary code generation options, so neither a nightly
# toolchain nor cargo-fuzz is needed. Prints the path of the program. Further arguments go to cargo.
set -euo pipefail
cd "$(dirname "$0")"
coverage=(-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
  -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares -Clink-dead-code)
export RUSTFLAGS="${coverage[*]}"
host=$(rustc -vV | sed -n 's/^host: //p')
# --target keeps the options away from build scripts.
"${CARGO:-cargo}" build --release --locked --target "$host" --message-format json-render-diagnostics "$@" |
  sed -n 's/.*"executable":"\([^"]*\)".*/\1/p'
