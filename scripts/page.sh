#!/bin/sh
# The page: `build` makes web/dist, which the gateway lays into the program; `test` checks, tests and builds it, and then drives
# it in Chromium against a stack of its own; `bench` measures it there and fails where a figure misses its limit. Repeats only
# what is needed. Without Node it says so: `build` goes on without the page, the others fail.
set -eu
cd "$(dirname "$0")/.."
root=$PWD
target=${CARGO_TARGET_DIR:-$root/target}
case $target in /*) ;; *) target=$root/$target ;; esac
what=${1:-build}
case $what in
build) ;;
test) run=e2e ;;
bench) run=bench ;;
*)
    echo "scripts/page.sh build | test | bench" >&2
    exit 2
    ;;
esac

if ! command -v npm >/dev/null || ! node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)'; then
    echo "the page wants Node 20.19 or later, which is not here: the program is built without it" >&2
    [ "$what" = build ] && exit 0
    exit 1
fi

# Packages anew only when package-lock.json has changed.
install() {
    stamp=web/node_modules/.installed
    sum=$(sha256sum web/package-lock.json | cut -d ' ' -f 1)
    [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$sum" ] && return
    (cd web && npm ci --no-audit --no-fund --loglevel=error) || return 1
    echo "$sum" >"$stamp"
}

# dist anew only when something that it is made of has changed.
build() {
    sum=$(cd web && find src public scripts *.html package-lock.json package.json *.config.* -type f | LC_ALL=C sort | xargs sha256sum | sha256sum | cut -d ' ' -f 1)
    stamp=web/node_modules/.built
    [ -f web/dist/index.html ] && [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$sum" ] && return
    (cd web && npm run --silent build)
    echo "$sum" >"$stamp"
}

if ! install; then
    echo "the page's packages could not be installed (is the network up?): going on with the page that is there, or without one" >&2
    [ "$what" = build ] && exit 0
    exit 1
fi
build
[ "$what" = build ] && exit 0

if [ "$what" = test ]; then (cd web && npm run --silent check && npm test --silent); fi
[ -x "${CHROMIUM:-/usr/bin/chromium}" ] || {
    echo "there is no Chromium to test the page in: run scripts/setup.sh --for test, or set CHROMIUM" >&2
    exit 1
}
cargo build --locked --quiet -p codementor

data=$(mktemp -d)
"$target/debug/codementor" up --data "$data" --listen 127.0.0.1:0 >"$data/up.log" 2>&1 &
stack=$!
end() {
    kill -INT "$stack" 2>/dev/null || true
    wait "$stack" 2>/dev/null || true
    rm -rf "$data"
}
trap end EXIT
trap 'exit 130' INT TERM
waited=0
until [ -f "$data/up.json" ]; do
    waited=$((waited + 1))
    if [ "$waited" -gt 240 ] || ! kill -0 "$stack" 2>/dev/null; then
        echo "codementor up did not become ready:" >&2
        tail -n 20 "$data/up.log" >&2
        exit 1
    fi
    sleep 0.5
done
(cd web && CODEMENTOR_UP="$data/up.json" CODEMENTOR_PROGRAM="$target/debug/codementor" npm run --silent "$run")
