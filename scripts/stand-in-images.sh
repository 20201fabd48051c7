#!/bin/sh
# Makes images under the names that k8s/ and docker-compose.yml use, without a registry: Debian's packages by debootstrap, this
# checkout's binary, and the Kafka of `make up`. For trying a deployment; the Dockerfile makes the images that are deployed.
#
#   scripts/stand-in-images.sh FOLDER          images.tar there, as `docker save` writes it; what is there already is kept
#
# Needs root, debootstrap, Node 20.19 and 4 GB. CODEMENTOR_BINARY: the binary to put in, default target/debug/codementor (built if missing).
set -eu
folder=${1:?say where: scripts/stand-in-images.sh FOLDER}
root=$(cd "$(dirname "$0")/.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
binary=${CODEMENTOR_BINARY:-$target/debug/codementor}
say() { printf 'stand-in-images: %s\n' "$*" >&2; }
[ "$(id -u)" -eq 0 ] || { say 'must run as root: debootstrap makes a root file system'; exit 1; }
command -v node >/dev/null || { say 'node is missing: Node 20.19 or later, which goes into the image'; exit 1; }
command -v debootstrap >/dev/null || { say 'debootstrap is missing: apt-get install debootstrap'; exit 1; }
[ -x "$binary" ] || (cd "$root" && cargo build --locked --package codementor)
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)

# One root file system for all: what an image may not hold, only the real ones can show.
if [ ! -f "$folder/rootfs.done" ]; then
    say 'making a root file system: some minutes'
    rm -rf "$folder/rootfs"
    mkdir -p "$folder/rootfs/etc/postgresql-common/createcluster.d"
    debootstrap --variant=minbase --include=ca-certificates,curl,zlib1g bookworm "$folder/rootfs" >"$folder/debootstrap.log" 2>&1 ||
        { say "debootstrap failed: $(tail -n 1 "$folder/debootstrap.log")"; exit 1; }
    echo 'create_main_cluster = false' >"$folder/rootfs/etc/postgresql-common/createcluster.d/none.conf"
    cp /etc/resolv.conf "$folder/rootfs/etc/resolv.conf"
    # Java's package wants /proc; it goes with the mount namespace.
    unshare --mount sh -ec '
        mount -t proc proc "$1/proc"
        chroot "$1" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 sh -ec "
            mkdir -p /usr/share/man/man1
            apt-get update
            apt-get install --yes --no-install-recommends gcc g++ libc6-dev openjdk-17-jdk-headless python3 postgresql-15
            apt-get clean
            rm -rf /var/lib/apt/lists/*"
    ' sh "$folder/rootfs" >>"$folder/debootstrap.log" 2>&1 ||
        { say "installing packages failed: $(tail -n 1 "$folder/debootstrap.log")"; exit 1; }
    touch "$folder/rootfs.done"
fi

# The jars that devkit has checked and keeps.
jars=$(find "${CODEMENTOR_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/codementor}" -maxdepth 1 -name 'kafka-*' -type d 2>/dev/null | sort | tail -n 1)
if [ -z "$jars" ]; then
    jars=$(cd "$root" && cargo run --locked --quiet --package devkit -- jars | tail -n 1)
fi
python3 "$root/scripts/deployment/images.py" "$folder" "$binary" "$jars" "$(readlink -f "$(command -v node)")"
