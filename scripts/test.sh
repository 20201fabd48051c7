#!/bin/sh
# Everything that must hold before a change goes in: format, dependencies, clippy, manifests, all tests against real servers.
# The servers are started once for all test programs and ended here, whatever happened.
set -eu
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-$PWD/target}
case $target in /*) ;; *) target=$PWD/$target ;; esac
# Servers of this run's own: a `cargo test` beside it keeps the ones it uses.
export CODEMENTOR_TEST_STACK="$target/devkit-test"

scripts/setup.sh --for test
cargo fmt --all --check
scripts/lint-deps.sh
cargo clippy --locked --workspace --all-targets -- -D warnings
# All programs and tests with one set of features, so that nothing is built twice; the end-to-end tests start `codementor`.
cargo build --locked --workspace --lib --bins --tests
CARGO_TARGET_DIR=$target scripts/check-manifests.sh

trap '"$target/debug/devkit" stop' EXIT
trap 'exit 130' INT TERM
"$target/debug/devkit" stop
"$target/debug/devkit" start >/dev/null
cargo test --locked --workspace --no-fail-fast "$@"
