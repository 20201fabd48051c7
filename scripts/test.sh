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
# Before anything is compiled: the gateway lays the built page into the program.
scripts/page.sh build
cargo fmt --all --check
scripts/lint-deps.sh
cargo clippy --locked --workspace --all-targets -- -D warnings
# All programs and tests with one set of features, so that nothing is built twice; the end-to-end tests start `codementor`.
cargo build --locked --workspace --lib --bins --tests
CARGO_TARGET_DIR=$target scripts/check-manifests.sh
scripts/with-cgroups.sh scripts/page.sh test
scripts/with-cgroups.sh scripts/fuzz-api.sh

# The sandbox's tests take the parts of root and of plain users, so the test programs run as root; all was built as who we are.
as_root=
if [ "$(id -u)" -ne 0 ]; then
    as_root="sudo -E env PATH=$PATH HOME=$HOME"
    host=$(rustc -vV | sed -n 's/^host: //p' | tr 'a-z-' 'A-Z_')
    export "CARGO_TARGET_${host}_RUNNER=$as_root"
fi
end() {
    $as_root "$target/debug/devkit" stop
    if [ -n "$as_root" ]; then sudo chown -R "$(id -u):$(id -g)" "$target/tmp"; fi
}
trap end EXIT
trap 'exit 130' INT TERM
$as_root "$target/debug/devkit" stop
$as_root "$target/debug/devkit" start >/dev/null
cargo test --locked --workspace --no-fail-fast "$@"
