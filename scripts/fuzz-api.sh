#!/bin/sh
# Sends the running product what its own description (openapi.json) allows and what it does not, as learner, teacher and admin,
# and compares the answers with the description: schemathesis, all its checks, a fixed seed, a bound on time.
#
#   scripts/fuzz-api.sh [SECONDS A ROLE]        needs target/debug/codementor
set -eu
cd "$(dirname "$0")/.."
root=$PWD
target=${CARGO_TARGET_DIR:-$PWD/target}
case $target in /*) ;; *) target=$PWD/$target ;; esac
version=4.32.5
tool=$target/tools/schemathesis-$version
seconds=${1:-25}

say() { printf 'fuzz-api: %s\n' "$*" >&2; }
if [ ! -f "$tool/complete" ]; then
    rm -rf "$tool"
    python3 -m venv "$tool"
    if ! "$tool/bin/pip" install --quiet --disable-pip-version-check "schemathesis==$version"; then
        say "cannot install schemathesis $version: it comes from PyPI, which must be reached once"
        exit 1
    fi
    touch "$tool/complete"
fi

folder=$(mktemp -d)
chmod 0755 "$folder"
# The tool keeps its notes where it is started.
cd "$folder"
up=
end() {
    if [ -n "$up" ]; then kill "$up" 2>/dev/null || true; wait "$up" 2>/dev/null || true; fi
    rm -rf "$folder"
}
trap end EXIT
trap 'exit 130' INT TERM
# Nobody is slowed down: what is to be found are wrong answers.
many=1000000
CODEMENTOR_REQUESTS_PER_MINUTE=$many CODEMENTOR_SUBMISSIONS_PER_MINUTE=$many CODEMENTOR_STREAMS_PER_ACCOUNT=$many \
    CODEMENTOR_WAITING_PER_ACCOUNT=$many CODEMENTOR_WAITING_MOST=$many \
    "$target/debug/codementor" up --data "$folder/data" --listen 127.0.0.1:0 >"$folder/log" 2>&1 &
up=$!
waited=0
until [ -f "$folder/data/up.json" ]; do
    if ! kill -0 "$up" 2>/dev/null || [ "$waited" -ge 120 ]; then
        tail -n 20 "$folder/log" >&2
        say "the product did not start"
        exit 1
    fi
    sleep 1
    waited=$((waited + 1))
done
url=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["url"])' "$folder/data/up.json")
failed=
for role in learner teacher admin; do
    token=$("$target/debug/codementor" token --role "$role" --data "$folder/data")
    say "as $role, $seconds s"
    # Signing in and out would end the token that asks; a closed intake answers 503, as it should; packages and lists are no JSON.
    if ! "$tool/bin/schemathesis" --config-file "$root/scripts/fuzz-api.toml" run "$root/openapi.json" --url "$url" \
        --header "Authorization: Bearer $token" --checks all --seed 7 --max-time "$seconds" --max-examples 10 --request-timeout 30 \
        --exclude-path-regex '/auth/|/intake|/import$|/feed$|/events$' --suppress-health-check all --no-color >"$folder/$role.log" 2>&1; then
        cat "$folder/$role.log" >&2
        failed="$failed $role"
    fi
done
if [ -n "$failed" ]; then
    say "findings as$failed: see above"
    exit 1
fi
say "no finding"
