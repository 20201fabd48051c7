#!/bin/sh
# The compose file for real: builds the image, starts everything with secrets of its own, submits, kills every container under
# load, stops and starts again, and takes all of it away. What is installed on this host stays as it is: the test works on a
# copy of the checkout, under a name and on a port of its own. Images and the build's cache remain.
#
#   scripts/compose-test.sh               builds first: half an hour on two cores, then it is cached
#   scripts/compose-test.sh --no-build    with the images that are there
set -eu
cd "$(dirname "$0")/.."

say() { printf 'compose-test: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

build=--build
case ${1:-} in
'') ;;
--no-build) build= ;;
*) fail 'usage: scripts/compose-test.sh [--no-build]' ;;
esac
install='https://docs.docker.com/engine/install tells how'
for program in git openssl python3 curl tar; do
    command -v "$program" >/dev/null || fail "$program is missing: install it and try again"
done
command -v docker >/dev/null || fail "Docker is not installed, and 25 or later is needed: $install"
engine=$(docker version --format '{{.Server.Version}}' 2>/dev/null) ||
    fail "no Docker engine answers: start it (systemctl start docker), or join the group docker, or set DOCKER_HOST"
[ "${engine%%.*}" -ge 25 ] || fail "the Docker engine is $engine, and 25 or later is needed: $install"
compose=$(docker compose version --short 2>/dev/null) || fail "Docker has no compose plugin, and 2.20.2 or later is needed: $install"
compose=${compose#v}
[ "$(printf '%s\n' 2.20.2 "$compose" | sort -V | head -n 1)" = 2.20.2 ] ||
    fail "Docker's compose plugin is $compose, and 2.20.2 or later is needed: $install"

folder=$(mktemp -d)
# Not the containers, volumes and port of an installation on this host.
export COMPOSE_PROJECT_NAME="codementor-test-$$"
unset COMPOSE_FILE COMPOSE_PROFILES COMPOSE_ENV_FILES POSTGRES_PASSWORD CODEMENTOR_REVIEW_URL CODEMENTOR_REGISTRATION
end() {
    code=$?
    trap - EXIT INT TERM HUP
    cd "$folder"
    if [ -e .env ]; then
        if [ "$code" -ne 0 ]; then
            docker compose ps --all >&2 || true
            docker compose logs --no-color --tail 15 >&2 || true
        fi
        docker compose down --volumes --remove-orphans --timeout 5 >/dev/null 2>&1 || say 'could not take the containers away: docker ps -a'
    fi
    cd /
    rm -rf "$folder"
    exit "$code"
}
trap end EXIT
trap 'exit 130' INT TERM HUP

# What a clone would hold, with what has been changed since.
git ls-files --cached --others --exclude-standard -z | tar --create --null --ignore-failed-read --files-from=- 2>/dev/null | tar --extract --directory "$folder"
say "Docker $engine, compose $compose, in $folder"
PYTHONDONTWRITEBYTECODE=1 python3 "$folder/scripts/deployment/compose.py" "$folder" $build
