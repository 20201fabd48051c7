#!/bin/sh
# Runs a command that limits programs by cgroups. Root needs nothing; for a plain user, root (by sudo) hands over a cgroup of
# each hierarchy, starts the command in it as that user, and removes the cgroups after it. Nothing else runs as root.
#
#   scripts/with-cgroups.sh COMMAND [ARGUMENT…]
set -eu

if [ "$(id -u)" -eq 0 ]; then exec "$@"; fi

say() { printf 'with-cgroups: %s\n' "$*" >&2; }
by_hand='or run this as root'
if ! command -v sudo >/dev/null; then
    say "a plain user needs sudo once, to be given cgroups for the sandbox, and there is none: install sudo, $by_hand"
    exit 1
fi
if ! sudo -n true 2>/dev/null && [ ! -t 0 ]; then
    say "sudo wants a password and there is no terminal to ask on: run 'sudo -v' before, $by_hand"
    exit 1
fi

# Runs as root. The shell that it starts enters the cgroups and gives up its rights for good; the one that stays cleans up.
supervise='
set -eu
user=$1 uid=$2 gid=$3
shift 3
name=codementor-$uid

hand_over() {
    mkdir -p "$1"
    for one in "$1" "$1/cgroup.procs" "$1/cgroup.threads" "$1/cgroup.subtree_control" "$1/tasks"; do
        if [ -e "$one" ]; then chown "$uid:$gid" "$one"; fi
    done
}

point() { awk -v want="$1" "\$0 ~ \" - cgroup .*[ ,]\" want \"(,|\$)\" { print \$5; exit }" /proc/self/mountinfo; }
unified=$(awk "/ - cgroup2 / { print \$5; exit }" /proc/self/mountinfo)
memory=$(point memory) pids=$(point pids)
if [ -n "$memory" ] && [ -n "$pids" ]; then
    groups="$memory/$name $pids/$name $unified/$name"
    leaf=/owner
else
    echo "+memory +pids" >"$unified/cgroup.subtree_control"
    groups=$unified/$name
    leaf=
fi
entrances=
for group in $groups; do
    hand_over "$group"
    if [ -n "$leaf" ]; then hand_over "$group$leaf"; fi
    entrances="$entrances $group$leaf/cgroup.procs"
done

# A signal from the terminal reaches the command too; one sent to this process is passed on.
trap : INT
CODEMENTOR_CGROUP_NAME=$name ENTRANCES=$entrances sh -c '\''
    for entrance in $ENTRANCES; do echo $$ >"$entrance"; done
    unset ENTRANCES
    user=$1 gid=$2
    shift 2
    # The shell ignores the interrupts of what it runs beside itself.
    exec env --default-signal=INT,QUIT setpriv --reuid "$user" --regid "$gid" --init-groups "$@"
'\'' sh "$user" "$gid" "$@" <&0 &
child=$!
trap "kill -TERM $child 2>/dev/null || true" TERM HUP
code=0
wait "$child" || code=$?
while kill -0 "$child" 2>/dev/null; do
    code=0
    wait "$child" || code=$?
done
# What somebody else of this user still runs in is busy, and stays.
for group in $groups; do find "$group" -depth -type d -exec rmdir {} \; 2>/dev/null || true; done
exit "$code"
'
exec sudo -E env "PATH=$PATH" "HOME=$HOME" "USER=$(id -un)" "LOGNAME=$(id -un)" \
    sh -c "$supervise" with-cgroups "$(id -un)" "$(id -u)" "$(id -g)" "$@"
