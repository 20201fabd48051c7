#!/bin/sh
# The sandbox's tests where cgroups are pure version 2, whatever this machine has: in a guest that QEMU emulates in software, with
# Debian's kernel and this machine's file system, read-only. Needs no /dev/kvm and no rights besides installing packages.
#
#   scripts/test-cgroup2.sh [FILTER…]     a quarter of an hour on two cores; FILTERs as `cargo test` takes them
set -eu
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-$PWD/target}
case $target in /*) ;; *) target=$PWD/$target ;; esac
home=$target/cgroup2
# A program costs about ten times as much as outside; whoever needs longer hangs.
patience=${CODEMENTOR_CGROUP2_SECONDS:-2400}

say() { printf 'test-cgroup2: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }
[ "$(uname -m)" = x86_64 ] || fail 'only for x86-64: the kernel of the guest is'

packages=
command -v qemu-system-x86_64 >/dev/null || packages="$packages qemu-system-x86"
{ [ -x /bin/busybox ] && /bin/busybox --list | grep -qx insmod; } || packages="$packages busybox-static"
command -v cpio >/dev/null || packages="$packages cpio"
if [ -n "$packages" ]; then
    command -v apt-get >/dev/null || fail "missing here:$packages; this is not Debian, so install what corresponds to these packages"
    as_root=
    if [ "$(id -u)" -ne 0 ]; then as_root=sudo; fi
    say "installing$packages"
    $as_root apt-get -o DPkg::Lock::Timeout=120 update >/dev/null
    # shellcheck disable=SC2086 # one word a package
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 install --yes --no-install-recommends $packages >/dev/null ||
        fail "could not install$packages (is the network up?)"
fi

# Debian's kernel, unpacked and not installed.
if [ ! -e "$home/kernel/complete" ]; then
    rm -rf "$home/kernel"
    mkdir -p "$home/kernel"
    package=$(apt-cache depends linux-image-amd64 | sed -n 's/.*Depends: \(linux-image-[^ ]*\)$/\1/p' | head -n 1)
    [ -n "$package" ] || fail 'the package lists know no kernel: apt-get update, and try again'
    say "unpacking $package"
    (cd "$home/kernel" && apt-get download "$package" >/dev/null && dpkg-deb --extract "$package"_*.deb . && rm "$package"_*.deb) ||
        fail "cannot fetch $package (is the network up?)"
    touch "$home/kernel/complete"
fi
version=$(ls "$home/kernel/lib/modules")
modules=$home/kernel/lib/modules/$version
[ -s "$modules/modules.dep" ] || /bin/busybox depmod -b "$home/kernel" "$version"

cargo test --locked --package sandbox --no-run --message-format=json-render-diagnostics >"$home/build.json"
python3 - "$home/build.json" >"$home/programs" <<'PYTHON'
import json, sys
for line in open(sys.argv[1]):
    built = json.loads(line)
    if built.get("executable") and built.get("profile", {}).get("test"):
        print(built["executable"])
PYTHON

# What brings the guest up to this machine's file system: a shell, and the modules that its kernel lacks for that.
rm -rf "$home/init"
mkdir -p "$home/init/bin" "$home/init/modules" "$home/init/host"
cp /bin/busybox "$home/init/bin/busybox"
cp scripts/cgroup2/init "$home/init/init"
chmod 0755 "$home/init/init"
count=10
for wanted in virtio_pci 9pnet_virtio 9p; do
    # Its own line: the module, and all that it needs, the deepest last.
    line=$(grep "/$wanted\.ko:" "$modules/modules.dep") || fail "Debian's kernel has no module $wanted"
    for module in $(printf '%s\n' "$line" | tr -d ':' | tr ' ' '\n' | tac); do
        name=${module##*/}
        if ! ls "$home/init/modules" | grep -q -- "-$name\$"; then
            cp "$home/kernel/lib/modules/$version/${module#/lib/modules/"$version"/}" "$home/init/modules/$count-$name"
            count=$((count + 1))
        fi
    done
done
(cd "$home/init" && find . | cpio --create --format=newc --quiet) >"$home/initrd"
{
    printf '#!/bin/sh\nset -u\nfailed=0\ncd %s\n' "'$PWD/crates/sandbox'"
    while read -r program; do
        # One after the other: the emulator has no time to spare.
        printf "'%s' --test-threads=1" "$program"
        for filter; do printf " '%s'" "$filter"; done
        printf ' || failed=1\n'
    done <"$home/programs"
    printf 'exit $failed\n'
} >"$home/job"
chmod 0755 "$home/job"

say "starting $version; its console follows"
: >"$home/console"
tail -n +1 -f "$home/console" &
shown=$!
end() { kill "$shown" 2>/dev/null || true; }
trap end EXIT
trap 'exit 130' INT TERM
timeout "$patience" qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot -nic none \
    -machine pc,graphics=off,usb=off -accel tcg,thread=multi -cpu max -smp 2 -m 2048 \
    -kernel "$home/kernel/boot/vmlinuz-$version" -initrd "$home/initrd" \
    -append "console=ttyS0 quiet loglevel=1 panic=-1 oops=panic mitigations=off nokaslr tsc=reliable random.trust_cpu=on apparmor=0 audit=0 nowatchdog cgroup_no_v1=all job=$home/job" \
    -virtfs local,path=/,mount_tag=host,security_model=none,multidevs=remap,readonly=on \
    -serial "file:$home/console" </dev/null || fail "the guest did not end within $patience s: CODEMENTOR_CGROUP2_SECONDS gives it longer"
ended=$(tr -d '\r' <"$home/console" | sed -n 's/^guest: the tests ended with \([0-9]*\)$/\1/p')
[ -n "$ended" ] || fail 'the guest ended before its tests did: see above'
[ "$ended" -eq 0 ] || fail 'tests failed: see above'
say 'all passed on cgroup v2'
