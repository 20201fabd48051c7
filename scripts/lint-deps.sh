#!/bin/sh
# Licences, bans and sources of all dependencies. cargo-deny takes minutes to build, so what was checked is remembered in
# .ci/deny.stamp (committed): as long as neither Cargo.lock nor deny.toml has changed, there is nothing to check.
set -eu
cd "$(dirname "$0")/.."

stamp=.ci/deny.stamp
now=$(cat Cargo.lock deny.toml | sha256sum | cut -d ' ' -f 1)
tools=${CARGO_TARGET_DIR:-target}/tools
PATH=$PATH:$tools/bin

if [ "$(cat "$stamp" 2>/dev/null)" = "$now" ]; then exit 0; fi
if ! command -v cargo-deny >/dev/null; then
    echo 'lint-deps: dependencies have changed since they were last checked; building cargo-deny' >&2
    cargo install cargo-deny --version 0.20.2 --locked --quiet --root "$tools"
fi
cargo-deny --workspace --locked check --hide-inclusion-graph bans licenses sources
echo "$now" >"$stamp"
