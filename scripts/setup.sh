#!/bin/sh
# Makes sure that what the build and the servers need is on this machine, and installs from Debian's archive what is not.
# Looks first and is quick when all is there. Says in one sentence what to do when it cannot.
#
#   scripts/setup.sh --for up      what `make up` needs
#   scripts/setup.sh --for test    and what `make test` needs besides
set -eu

rust_wanted=95 # 1.95
java_wanted=17
node_wanted=20.19
postgres_wanted=15

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }
need() { have "$1" || missing="$missing $2"; }

purpose=
if [ "${1:-}" = --for ]; then purpose=${2:-}; fi
case $purpose in
    up | test) ;;
    *) fail "usage: scripts/setup.sh --for up|test" ;;
esac
cd "$(dirname "$0")/.."

# The major version of the Java that runs, from its release file: asking Java itself takes longer than all the rest.
java_version() {
    home=$(readlink -f "$(command -v java)")
    sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "${home%/bin/java}/release" 2>/dev/null || true
}

has_postgres() {
    for programs in /usr/lib/postgresql/*/bin; do
        version=${programs#/usr/lib/postgresql/}
        version=${version%/bin}
        if [ -x "$programs/initdb" ] && [ "$version" -ge "$postgres_wanted" ]; then return 0; fi
    done
    return 1
}

find_missing() {
    missing=
    need gcc gcc
    need g++ g++
    need make make
    need python3 python3
    need node nodejs
    need pkg-config pkg-config
    need curl curl
    need setpriv util-linux
    need javac openjdk-17-jdk-headless
    need mvn maven
    [ -e /usr/include/stdio.h ] || missing="$missing libc6-dev"
    [ -e /usr/include/zlib.h ] || missing="$missing zlib1g-dev"
    [ -e /etc/ssl/certs/ca-certificates.crt ] || missing="$missing ca-certificates"
    # With an address given, nothing is started and no server is needed. Tests of the starting itself need it all the same.
    if [ -z "${DATABASE_URL:-}" ] || [ "$purpose" = test ]; then
        has_postgres || missing="$missing postgresql-$postgres_wanted"
    fi
    # The page is tested in a real browser, in Korean too.
    if [ "$purpose" = test ]; then
        [ -x "${CHROMIUM:-/usr/bin/chromium}" ] || missing="$missing chromium"
        [ -e /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc ] || missing="$missing fonts-noto-cjk"
        # Checks of manifests and of the API are Python's, in environments of their own.
        python3 -c 'import ensurepip' 2>/dev/null || missing="$missing python3-venv"
    fi
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        env DEBIAN_FRONTEND=noninteractive "$@"
    else
        sudo env DEBIAN_FRONTEND=noninteractive "$@"
    fi
}

# Only the programs are wanted: Debian's package would also make and start a cluster of its own.
no_cluster=/etc/postgresql-common/createcluster.d/codementor-setup.conf
forbid_cluster() {
    as_root mkdir -p "${no_cluster%/*}"
    echo 'create_main_cluster = false' | as_root tee "$no_cluster" >/dev/null
    trap 'as_root rm -f "$no_cluster"' EXIT
    # A signal alone would end the shell without it.
    trap 'exit 130' INT TERM HUP
}

install_missing() {
    by_hand="install them as root: apt-get install$missing"
    have apt-get || fail "missing here:$missing; this is not Debian, so install what corresponds to these packages"
    if [ "$(id -u)" -ne 0 ]; then
        have sudo || fail "missing here:$missing; you are not root and there is no sudo: $by_hand"
        if ! sudo -n true 2>/dev/null && [ ! -t 0 ]; then
            fail "missing here:$missing; sudo wants a password and there is no terminal: $by_hand"
        fi
    fi
    say "installing$missing"
    log=$(mktemp)
    as_root apt-get -o DPkg::Lock::Timeout=120 update >"$log" 2>&1 || fail "apt-get update failed (is the network up?): $(tail -n 1 "$log")"
    case $missing in *postgresql-*) forbid_cluster ;; esac
    # shellcheck disable=SC2086 # one word a package
    as_root apt-get -o DPkg::Lock::Timeout=120 install --yes --no-install-recommends $missing >"$log" 2>&1 ||
        fail "apt-get could not install$missing (is the network up, is the disk full?): $(grep '^E:' "$log" | head -n 1)"
    rm -f "$log"
}

check_rust() {
    rustup='https://rustup.rs'
    if ! have rustc || ! have cargo; then
        fail "Rust 1.$rust_wanted is not installed, or not on the PATH: install it from $rustup and try again"
    fi
    version=$(rustc --version 2>/dev/null) || fail "rustc does not run: repair it with 'rustup default stable'"
    minor=${version#rustc 1.}
    minor=${minor%%.*}
    [ "$minor" -ge "$rust_wanted" ] ||
        fail "$version is too old, 1.$rust_wanted is needed: run 'rustup update stable' and try again"
    if [ "$purpose" = test ] && { ! have cargo-clippy || ! have cargo-fmt; }; then
        fail "clippy or rustfmt is missing: run 'rustup component add clippy rustfmt' and try again"
    fi
}

check_java() {
    version=$(java_version)
    if [ -n "$version" ] && [ "$version" -lt "$java_wanted" ]; then
        fail "the Java on the PATH is $version, and Kafka needs $java_wanted: choose a newer one with 'update-alternatives --config java'"
    fi
}

check_node() {
    [ -f web/package.json ] || return 0
    if have node; then
        version=$(node --version)
        version=${version#v}
        older=$(printf '%s\n' "$node_wanted" "$version" | sort -V | head -n 1)
        if [ "$older" = "$node_wanted" ]; then return 0; fi
        found="Node $version is too old"
    else
        found='Node is not installed'
    fi
    hint="$found: install Node $node_wanted from https://nodejs.org to build the web page"
    if [ "$purpose" = test ]; then fail "$hint"; fi
    say "$hint; going on without the page"
}

# A first build writes about 5 GB; what comes after it needs room for the servers' data.
check_disk() {
    target=${CARGO_TARGET_DIR:-target}
    profile=debug
    if [ "$purpose" = up ]; then profile=release; fi
    wanted_gb=6
    if [ -x "$target/$profile/codementor" ]; then wanted_gb=1; fi
    place=$target
    while [ ! -e "$place" ]; do place=$(dirname "$place"); done
    free_kb=$(df -Pk "$place" | awk 'NR == 2 { print $4 }')
    [ "$free_kb" -ge $((wanted_gb * 1000 * 1000)) ] ||
        fail "the disk that holds $target has $((free_kb / 1000000)) GB free, and $wanted_gb GB are needed: free some, or set CARGO_TARGET_DIR to a folder on another disk"
}

check_rust
check_disk
find_missing
if [ -n "$missing" ]; then
    install_missing
    find_missing
    [ -z "$missing" ] || fail "still missing after the installation:$missing"
fi
check_java
check_node
# The other languages: none of them is needed to start.
scripts/toolchains.sh
