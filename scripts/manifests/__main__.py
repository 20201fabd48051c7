"""Renders k8s/, checks every rendering, the compose file and what is watched, and then the checks themselves.

    python scripts/manifests BINARY RENDER…     prints what is wrong, a sentence a line; the exit code is 0 only for nothing
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

import cluster
import compose
import monitoring
import mutations
from product import ROOT, Product, source

COMPONENTS = ("dedicated-runners", "keda", "monitoring", "plain-nodes", "tracing")


def main(binary: str, render: str) -> int:
    since = time.monotonic()
    product = Product(binary)
    external = made_by_the_operator()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder) / "k8s"
        shutil.copytree(ROOT / "k8s", work, ignore=shutil.ignore_patterns("secrets"))
        # Keys that open nothing, in the place of those that the operator makes.
        secrets = work / "overlays/dev/secrets"
        subprocess.run([ROOT / "scripts/make-secrets.sh", secrets], check=True, stderr=subprocess.DEVNULL)
        renderings = [rendered(name, path, render) for name, path in places(work)]
    findings = []
    for rendering in renderings:
        findings += cluster.check(rendering, product, external)
    findings += monitoring.check(renderings, product)
    findings += check_profile(source("k8s/nodes/seccomp-runner.json"))
    text, dockerfile = source("docker-compose.yml"), source("Dockerfile")
    findings += compose.check(text, dockerfile, product)
    dev = next(one for one in renderings if one.name == "overlays/dev")
    tried, missed = mutations.run(dev, text, dockerfile, product, external)
    for one in [*dict.fromkeys(findings), *missed]:
        print(one)
    objects = sum(len(one.objects) for one in renderings)
    wrong = len(set(findings)) + len(missed)
    print(f"check-manifests: {len(renderings)} renderings with {objects} objects, {len(product.metrics())} metrics, {tried} faults tried: "
          f"{f'{wrong} findings' if wrong else 'all well'} ({time.monotonic() - since:.1f} s)")
    return 1 if wrong else 0


def check_profile(text: str) -> list:
    """The runner's seccomp profile forbids nothing that the sandbox is made of, and allows no way around it."""
    findings = cluster.Findings("seccomp-runner.json")
    profile = json.loads(text)
    refused = {name for rule in profile["syscalls"] if rule["action"] == "SCMP_ACT_ERRNO" for name in rule["names"]}
    needed = {"clone", "unshare", "mount", "mount_setattr", "umount2", "pivot_root", "sethostname", "seccomp", "landlock_restrict_self", "prctl", "pidfd_send_signal"}
    findings.unless(not needed & refused, "profile", f"forbids {sorted(needed & refused)}")
    kernel = {"bpf", "init_module", "finit_module", "kexec_load", "open_by_handle_at", "perf_event_open", "keyctl", "io_uring_setup", "ptrace", "userfaultfd"}
    findings.unless(kernel <= refused, "profile", f"allows {sorted(kernel - refused)}")
    return findings


def places(work: Path):
    """Base, overlays, and each component on base and on both overlays, as far as they are not in them already."""
    yield "base", work / "base"
    for overlay in ("dev", "prod"):
        yield f"overlays/{overlay}", work / "overlays" / overlay
    for component in COMPONENTS:
        for below in ("base", "overlays/dev", "overlays/prod"):
            file = work / below / "kustomization.yaml"
            if f"components/{component}" in file.read_text():
                continue
            folder = work / f"try-{component}-{below.replace('/', '-')}"
            folder.mkdir()
            (folder / "kustomization.yaml").write_text(
                "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nnamespace: codementor\n"
                f"resources: [../{below}]\ncomponents: [../components/{component}]\n")
            yield f"{component} on {below}", folder


def rendered(name: str, path: Path, render: str) -> cluster.Rendering:
    done = subprocess.run([*render.split(), str(path)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"check-manifests: {name} cannot be rendered: {done.stderr.strip()}")
    if "deprecated" in done.stderr:
        raise SystemExit(f"check-manifests: {name}: {done.stderr.strip()}")
    return cluster.Rendering(name, list(yaml.safe_load_all(done.stdout)))


def made_by_the_operator() -> set:
    """What the head of the prod overlay says must be there before; the base alone stands on the same."""
    head = re.findall(r"^#   (Secret|ConfigMap) (\S+)\s+([\w., -]+?)(?:\s{2,}.*)?$", source("k8s/overlays/prod/kustomization.yaml"), re.MULTILINE)
    external = {(kind, name, key.strip()) for kind, name, keys in head for key in keys.split(",")}
    external |= {("Secret", f"codementor-key-{name}", f"{name}.pem") for name in ("execute", "question", "evaluation")}
    return external | {("ConfigMap", name, None) for kind, name, _ in external if kind == "ConfigMap"}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
