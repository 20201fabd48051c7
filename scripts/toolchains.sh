#!/bin/sh
# Puts the toolchains that Debian's packages do not bring into one folder, where the runner looks for them: TypeScript by
# npm, Kotlin by Maven, Go's and Rust's own with the standard library compiled once. Looks first and is quick when all is
# there. None of them is needed to start: for each that cannot be had the reason is left beside, and the runner shows it.
#
#   scripts/toolchains.sh [FOLDER]     default: toolchains in the cache folder
set -eu

typescript=7.0.2
node_types=20.9.5
kotlin=2.2.20
# Packages of Go that programs here may import, with all that they import themselves.
go_packages='bufio bytes cmp compress/gzip container/heap container/list container/ring context crypto/md5 crypto/sha1
    crypto/sha256 embed encoding/base64 encoding/binary encoding/hex encoding/json errors flag fmt hash/crc32 hash/fnv
    hash/maphash io io/fs iter log maps math math/big math/bits math/cmplx math/rand math/rand/v2 os os/signal path
    path/filepath reflect regexp runtime runtime/debug slices sort strconv strings structs sync sync/atomic syscall testing
    text/tabwriter text/template time unicode unicode/utf16 unicode/utf8 unique unsafe weak'
# What could not be had is not asked for again before so many minutes.
patience=60

say() { printf 'toolchains: %s\n' "$*" >&2; }
have() { command -v "$1" >/dev/null 2>&1; }

cache=${CODEMENTOR_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/codementor}
folder=${1:-${CODEMENTOR_TOOLCHAINS:-$cache/toolchains}}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd -P)
chmod 755 "$folder"
cd "$(dirname "$0")/.."

# Two of us would fetch everything twice.
if have flock; then
    exec 9>"$folder/.lock"
    flock 9
fi

# Whether this one, in this version, is there, or was not to be had a moment ago.
settled() {
    if [ "$(cat "$folder/$1/stamp" 2>/dev/null)" = "$2" ]; then return 0; fi
    [ -n "$(find "$folder/$1.absent" -mmin "-$patience" 2>/dev/null)" ]
}

absent() {
    printf '%s\n' "$2" >"$folder/$1.absent"
    say "$1: $2; going on without it"
}

# Puts what was made in place, whole.
place() {
    printf '%s' "$2" >"$new/stamp"
    chmod -R a+rX "$new"
    rm -rf "${folder:?}/$1" "$folder/$1.absent"
    mv "$new" "$folder/$1"
}

begin() {
    new=$folder/.new-$1
    log=$folder/.log
    rm -rf "$new"
    mkdir -p "$new"
    say "preparing $1"
}

last_line() { grep -v '^ *$' "$log" | tail -n 1 | cut -c 1-200; }

install_typescript() {
    stamp="$typescript $node_types"
    settled typescript "$stamp" && return
    if ! have npm; then absent typescript 'npm is not installed'; return; fi
    begin typescript
    printf '{"private":true}\n' >"$new/package.json"
    if ! npm --prefix "$new" install --silent --no-audit --no-fund --ignore-scripts \
        "typescript@$typescript" "@types/node@$node_types" >"$log" 2>&1; then
        absent typescript "npm could not fetch it: $(last_line)"
        return
    fi
    for native in "$new"/node_modules/@typescript/typescript-linux-*; do
        ln -s "${native#"$new"/}" "$new/native"
    done
    if ! "$new/native/lib/tsc" --version >"$log" 2>&1; then
        absent typescript "its compiler does not run here: $(last_line)"
        return
    fi
    place typescript "$stamp"
}

install_kotlin() {
    if ! have mvn || ! have java; then absent kotlin 'Maven or Java is not installed'; return; fi
    java=$(readlink -f "$(command -v java)")
    stamp="$kotlin $java $(stat -c %Y "$java")"
    settled kotlin "$stamp" && return
    begin kotlin
    cat >"$new/pom.xml" <<XML
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>codementor</groupId><artifactId>kotlin</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies><dependency>
    <groupId>org.jetbrains.kotlin</groupId><artifactId>kotlin-compiler-embeddable</artifactId><version>$kotlin</version>
  </dependency></dependencies>
  <build><plugins><plugin>
    <groupId>org.apache.maven.plugins</groupId><artifactId>maven-dependency-plugin</artifactId><version>3.8.1</version>
  </plugin></plugins></build>
</project>
XML
    if ! mvn --batch-mode --quiet --strict-checksums --file "$new/pom.xml" dependency:copy-dependencies \
        -DincludeScope=runtime -DoutputDirectory="$new/lib" >"$log" 2>&1; then
        absent kotlin "Maven could not fetch it: $(last_line)"
        return
    fi
    printf '%s\n' "$kotlin" >"$new/version"
    mv "$new/lib/kotlin-stdlib-$kotlin.jar" "$new/lib/kotlin-stdlib.jar"
    ln -s "${java%/bin/java}" "$new/jdk"
    jars=
    for jar in "$new"/lib/*.jar; do jars=$jars:$folder/kotlin/lib/${jar##*/}; done
    printf -- '-cp "%s"\n' "${jars#:}" >"$new/classpath"
    cat >"$new/warm.kt" <<'KOTLIN'
import java.util.*

data class Edge(val from: Int, val to: Int)

fun sum(list: List<Int>): Long = list.fold(0L) { a, b -> a + b }

fun main() {
    val (a, b) = readln().trim().split(" ").map { it.toLong() }
    val seen = HashMap<String, MutableList<Edge>>()
    for (i in 0 until 3) seen.getOrPut("$i") { mutableListOf() }.add(Edge(i, i + 1))
    val queue = PriorityQueue<Int>(compareBy { -it })
    queue.add(1)
    when { a > b -> println(seen.values.flatten().sortedBy { it.to }) else -> println(sum(queue.toList()) + a) }
}
KOTLIN
    place kotlin "$stamp"
    # The archive knows its class path by name and time, so it is made where the jars stay.
    if ! "$folder/kotlin/jdk/bin/java" -XX:+UseSerialGC -XX:-UsePerfData -XX:-UseContainerSupport -XX:TieredStopAtLevel=1 \
        -XX:ArchiveClassesAtExit="$folder/kotlin/kotlin.jsa" "@$folder/kotlin/classpath" \
        org.jetbrains.kotlin.cli.jvm.K2JVMCompiler -no-stdlib -no-reflect -cp "$folder/kotlin/lib/kotlin-stdlib.jar" \
        -d "$folder/kotlin/warm" "$folder/kotlin/warm.kt" >"$log" 2>&1; then
        say "kotlin stays slow: $(last_line)"
    fi
    rm -rf "$folder/kotlin/warm"
    chmod -R a+rX "$folder/kotlin"
}

install_go() {
    go=go
    if ! have go; then go=/usr/local/go/bin/go; fi
    if ! have "$go"; then absent go 'no go on the PATH or in /usr/local/go'; return; fi
    if ! {
        version=$(GOTOOLCHAIN=local "$go" version 2>/dev/null) &&
            root=$(GOTOOLCHAIN=local "$go" env GOROOT 2>/dev/null) &&
            tools=$(GOTOOLCHAIN=local "$go" env GOTOOLDIR 2>/dev/null)
    }; then absent go 'go does not run'; return; fi
    stamp="$version $root $go_packages"
    settled go "$stamp" && return
    begin go
    ln -s "$root" "$new/root"
    ln -s "$tools" "$new/tools"
    mkdir "$new/pkg"
    # shellcheck disable=SC2086 # one word a package
    if ! GOTOOLCHAIN=local GOFLAGS=-trimpath GOPROXY=off CGO_ENABLED=0 GOCACHE="$new/cache" "$go" list -export -deps \
        -f '{{if .Export}}{{.ImportPath}} {{.Export}}{{end}}' $go_packages >"$new/list" 2>"$log"; then
        absent go "its standard library does not compile: $(last_line)"
        return
    fi
    while read -r name file; do
        to=pkg/$(printf %s "$name" | tr / ,).a
        mv "$file" "$new/$to"
        printf 'packagefile %s=%s/go/%s\n' "$name" "$folder" "$to"
    done <"$new/list" >"$new/importcfg"
    chmod -R u+w "$new/cache"
    rm -rf "$new/cache" "$new/list"
    place go "$stamp"
}

install_rust() {
    if ! have rustc; then absent rust 'no rustc on the PATH'; return; fi
    root=$(cd / && rustc --print sysroot 2>/dev/null) || { absent rust 'rustc does not run'; return; }
    rm -f "$folder/rust.absent"
    [ "$(readlink "$folder/rust" 2>/dev/null)" = "$root" ] || ln -sfn "$root" "$folder/rust"
}

install_pypy() {
    if have pypy3 || ! have apt-get || [ -n "$(find "$folder/pypy.absent" -mmin "-$patience" 2>/dev/null)" ]; then return; fi
    sudo=
    if [ "$(id -u)" -ne 0 ]; then
        sudo='sudo -n'
        if ! have sudo || ! sudo -n true 2>/dev/null; then absent pypy 'install pypy3 as root'; return; fi
    fi
    say 'preparing pypy'
    log=$folder/.log
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 install --yes --no-install-recommends \
        pypy3 >"$log" 2>&1 || { $sudo apt-get update >"$log" 2>&1 && $sudo env DEBIAN_FRONTEND=noninteractive apt-get \
        install --yes --no-install-recommends pypy3 >"$log" 2>&1; } || { absent pypy "apt-get: $(last_line)"; return; }
    rm -f "$folder/pypy.absent"
}

install_pypy
install_rust
install_typescript
install_kotlin
install_go
rm -rf "$folder"/.new-* "$folder/.log"
