"""Writes an archive of images as `docker save` does, of one root file system and a thin layer for each image on top.

    images.py FOLDER BINARY JARS NODE
"""

import hashlib
import io
import json
import sys
import tarfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
LOG = ROOT / "crates/devkit/src/kafka/log4j2.properties"
USERS = (
    "codementor:x:10001:10001::/nonexistent:/usr/sbin/nologin\n"
    "postgres:x:999:999::/var/lib/postgresql:/bin/sh\n"
    "appuser:x:1000:1000::/home/appuser:/bin/sh\n"
)
GROUPS = "codementor:x:10001:\npostgres:x:999:\nappuser:x:1000:\n"


def sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def base_layer(folder: Path) -> Path:
    """The root file system, once."""
    layer = folder / "rootfs.tar"
    if not layer.exists():
        begun = folder / "rootfs.tar.new"
        with tarfile.open(begun, "w") as tar:
            # Devices are the container runtime's; whoever is in these groups and users is who was in them.
            tar.add(folder / "rootfs", ".", filter=lambda one: None if one.name.startswith("./dev/") else one)
        begun.rename(layer)
    return layer


def layer(path: Path, files: list[tuple[str, bytes | Path, int]], folders: list[tuple[str, int]]) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, owner in folders:
            info = tarfile.TarInfo(name)
            info.type, info.mode, info.uid, info.gid = tarfile.DIRTYPE, 0o755, owner, owner
            tar.addfile(info)
        for name, content, mode in files:
            info = tarfile.TarInfo(name)
            info.mode = mode
            if isinstance(content, Path):
                info.size = content.stat().st_size
                with content.open("rb") as file:
                    tar.addfile(info, file)
            else:
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    return path


def users(folder: Path) -> list[tuple[str, bytes, int]]:
    """Debian's own users, with those of the images; Debian's postgres has another number."""

    def with_ours(name: str, ours: str) -> bytes:
        lines = (folder / "rootfs/etc" / name).read_text().splitlines(keepends=True)
        return ("".join(line for line in lines if not line.startswith("postgres:")) + ours).encode()

    return [("etc/passwd", with_ours("passwd", USERS), 0o644), ("etc/group", with_ours("group", GROUPS), 0o644)]


def images(folder: Path, binary: Path, jars: Path, node: Path) -> dict[str, dict]:
    common = users(folder)
    service = layer(
        folder / "service.tar",
        [*common, ("usr/local/bin/codementor", binary, 0o755)],
        [("var/lib/codementor", 10001), ("var/lib/codementor/blobs", 10001), ("var/lib/codementor/runner", 0)],
    )
    # Node by itself: it stays the same while the binary changes.
    runner = layer(folder / "node.tar", [("usr/local/bin/node", node, 0o755)], [])
    postgres = layer(
        folder / "postgres.tar",
        [
            *common,
            ("usr/local/bin/docker-entrypoint.sh", HERE / "postgres-entrypoint.sh", 0o755),
        ],
        [("var/lib/postgresql/data", 999), ("run/postgresql", 999)],
    )
    kafka = layer(
        folder / "kafka.tar",
        [
            *common,
            ("opt/kafka/entrypoint.sh", HERE / "kafka-entrypoint.sh", 0o755),
            ("opt/kafka/bin/kafka-broker-api-versions.sh", HERE / "kafka-versions.sh", 0o755),
            ("opt/kafka/log4j2.properties", LOG, 0o644),
            *((f"opt/kafka/libs/{jar.name}", jar, 0o644) for jar in sorted(jars.glob("*.jar"))),
        ],
        [("var/lib/kafka", 1000), ("var/lib/kafka/data", 1000)],
    )
    ours = {
        "Entrypoint": ["codementor"],
        "Env": ["CODEMENTOR_LISTEN=0.0.0.0:8080", "CODEMENTOR_OPS_LISTEN=0.0.0.0:9080"],
        "StopSignal": "SIGTERM",
    }
    return {
        "codementor:0.1.0": {"layers": [service], "config": {**ours, "User": "10001:10001", "Cmd": ["--help"]}},
        "codementor-runner:0.1.0": {"layers": [runner, service], "config": {**ours, "User": "root", "Cmd": ["runner"]}},
        "postgres:15.18-bookworm": {
            "layers": [postgres],
            "config": {
                "Entrypoint": ["docker-entrypoint.sh"],
                "Cmd": ["postgres"],
                "Env": ["PATH=/usr/lib/postgresql/15/bin:/usr/local/bin:/usr/bin:/bin", "PGDATA=/var/lib/postgresql/data", "LANG=C.UTF-8"],
                "StopSignal": "SIGINT",
            },
        },
        "apache/kafka:4.1.1": {"layers": [kafka], "config": {"Entrypoint": ["/opt/kafka/entrypoint.sh"], "User": "1000:1000"}},
    }


def main(folder: Path, binary: Path, jars: Path, node: Path) -> None:
    base = base_layer(folder)
    layers = {base: sha256(base)}
    manifest, configs = [], {}
    for name, image in images(folder, binary, jars, node).items():
        for one in image["layers"]:
            layers.setdefault(one, sha256(one))
        ids = [layers[one] for one in (base, *image["layers"])]
        env = image["config"].get("Env", [])
        if not any(one.startswith("PATH=") for one in env):
            env = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", *env]
        config = {
            "architecture": "amd64",
            "os": "linux",
            "config": {**image["config"], "Env": env},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{one}" for one in ids]},
            "history": [{"created": "2026-01-01T00:00:00Z"}] * len(ids),
        }
        body = json.dumps(config).encode()
        config_name = f"{hashlib.sha256(body).hexdigest()}.json"
        configs[config_name] = body
        manifest.append({"Config": config_name, "RepoTags": [name], "Layers": [f"{one}.tar" for one in ids]})
    with tarfile.open(folder / "images.tar", "w") as archive:
        for path, digest in layers.items():
            archive.add(path, f"{digest}.tar")
        for name, body in [*configs.items(), ("manifest.json", json.dumps(manifest).encode())]:
            info = tarfile.TarInfo(name)
            info.size = len(body)
            archive.addfile(info, io.BytesIO(body))
    print(folder / "images.tar")


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:5]))
