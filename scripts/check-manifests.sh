#!/bin/sh
# Checks what is deployed without deploying it: renders every overlay and component of k8s/, validates strictly and offline, and
# holds manifests and compose file to what the binary says of itself. Installs its tools once, below target/tools.
#
#   scripts/check-manifests.sh          CODEMENTOR_BINARY: the binary to ask, default target/debug/codementor (built if missing)
set -eu
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-target}
tools=$target/tools
say() { printf 'check-manifests: %s\n' "$*" >&2; }

binary=${CODEMENTOR_BINARY:-$target/debug/codementor}
if [ ! -x "$binary" ]; then
    cargo build --locked --package codementor
fi

# kubectl has kustomize inside; else kustomize itself, from the Go proxy.
if command -v kustomize >/dev/null; then
    render='kustomize build'
elif command -v kubectl >/dev/null; then
    render='kubectl kustomize'
else
    if [ ! -x "$tools/bin/kustomize" ]; then
        command -v go >/dev/null || { say 'kubectl, kustomize or Go is needed: see https://kubectl.docs.kubernetes.io/installation/kustomize'; exit 1; }
        say 'building kustomize'
        mkdir -p "$tools/bin"
        GOBIN=$(cd "$tools/bin" && pwd) go install sigs.k8s.io/kustomize/kustomize/v5@v5.5.0
    fi
    render="$tools/bin/kustomize build"
fi

# Exactly these versions; a changed list is installed anew.
wanted=scripts/manifests/requirements.txt
venv=$tools/manifests
if ! cmp -s "$wanted" "$venv/installed.txt"; then
    say 'installing the validators'
    rm -rf "$venv"
    python3 -m venv "$venv" 2>/dev/null || { say 'python3 cannot make a virtual environment: apt-get install python3-venv'; exit 1; }
    "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$wanted"
    cp "$wanted" "$venv/installed.txt"
fi

# No caches of compiled Python among the sources.
PYTHONDONTWRITEBYTECODE=1 exec "$venv/bin/python" scripts/manifests "$binary" "$render"
