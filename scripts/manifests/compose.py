"""The compose file and the Dockerfile, held to the same rules as the manifests."""

import json
import re
from functools import cache
from importlib import resources

import jsonschema
import yaml

from findings import ADDRESSES, Findings, address, check_end, check_environment, is_pinned
from product import SERVICES

OF_OTHERS = ("kafka", "postgres")
# What the operator must have made; the file must not start without it.
GIVEN = {"POSTGRES_PASSWORD": "0123"}


@cache
def specification():
    """The schema of compose files."""
    schema = json.loads((resources.files("check_jsonschema") / "builtin_schemas/vendor/compose-spec.json").read_text())
    return jsonschema.validators.validator_for(schema)(schema)


def interpolate(text: str, findings, given: dict) -> str:
    """As compose does; a variable without a default must refuse to be empty."""

    def value(match):
        name, operator, rest = match.groups()
        if operator == ":-":
            return given.get(name, rest)
        findings.unless(operator == ":?" or name in given, f"${{{name}}}", "is empty where nobody set it: give a default or refuse")
        return given.get(name, "")

    return re.sub(r"\$\{([A-Z_]+)(:-|:\?)?([^}]*)\}", value, text)


def seconds(text: str) -> int:
    minutes, rest = re.fullmatch(r"(?:(\d+)m)?(?:(\d+)s)?", text).groups()
    return 60 * int(minutes or 0) + int(rest or 0)


def check_dockerfile(text: str) -> tuple[Findings, dict, dict]:
    """What is wrong with it, the user of each stage, and the environment of the images."""
    findings, users, env, stage = Findings("Dockerfile"), {}, {}, None
    joined = text.replace("\\\n", " ")
    for line in joined.splitlines():
        words = line.split()
        if words[:1] == ["FROM"]:
            stage = words[3]
            findings.unless(words[1] in users or is_pinned(words[1]), stage, f"{words[1]} is not pinned")
            users[stage] = users.get(words[1], "root")
        elif words[:1] == ["USER"]:
            users[stage] = words[1]
        elif words[:1] == ["ENV"]:
            env |= dict(word.split("=", 1) for word in words[1:])
    findings.unless(users.get(stage) not in ("root", "0"), stage, "the image that is made unless another is asked for runs as root")
    toolchains = re.findall(r"^FROM base AS runner$.*?^USER", text, re.MULTILINE | re.DOTALL)
    for package in ("gcc", "g++", "openjdk-17", "python3", "pypy3", "/bin/node"):
        findings.unless(toolchains and package in toolchains[0], "runner", f"{package} is missing")
    findings.unless(not re.search(r"^(ENV|ARG) .*(PASSWORD|SECRET|TOKEN|_KEY=)", joined, re.MULTILINE), "image", "a secret is no part of an image")
    return findings, users, env


def check(text: str, dockerfile: str, product) -> list:
    findings = Findings("docker-compose.yml")
    of_image, users, image_env = check_dockerfile(dockerfile)
    missing = Findings("docker-compose.yml")
    interpolate(text, missing, {})
    findings += missing
    document = yaml.safe_load(interpolate(text, findings, GIVEN))
    for error in specification().iter_errors(document):
        findings.unless(False, "/".join(map(str, error.path)), error.message)
    services = document["services"]
    for name, service in services.items():
        check_container(findings, product, document, name, service, users)
        if name not in OF_OTHERS:
            check_service(findings, product, document, name, service, image_env)
    started = [service.get("command", ["?"])[0] for service in services.values()]
    for one in (*SERVICES, "setup"):
        findings.unless(one in started, one, "is no container")
    return [*of_image, *findings]


def check_container(findings, product, document: dict, name: str, service: dict, users: dict) -> None:
    say = lambda holds, sentence: findings.unless(holds, name, sentence)
    say(is_pinned(service["image"]), f"image {service['image']} is not pinned")
    say(not service.get("privileged"), "is never privileged")
    say("no-new-privileges:true" in service.get("security_opt", []), "programs in it could gain privileges")
    say("mem_limit" in service, "has no limit of memory")
    say("healthcheck" in service, "nothing asks whether it is well")
    say(service.get("restart") == ("no" if name == "setup" else "unless-stopped"), "is started again after the machine was, or is a job")
    for other in service.get("depends_on", {}):
        say(other in document["services"], f"waits for {other}, which there is not")
    for secret in service.get("secrets", []):
        say(secret in document["secrets"], f"secret {secret} is nowhere")
    for network in service.get("networks", []):
        say(network in document["networks"], f"network {network} is nowhere")
    for volume in service.get("volumes", []):
        source = volume.split(":")[0]
        say(source in document["volumes"] or (name == "runner" and source == "/sys/fs/cgroup"), f"volume {source} is nowhere, or is a folder of the host")
    for port in service.get("ports", []):
        say(name == "gateway" and port.startswith("127.0.0.1:"), f"port {port} is open to others; only the gateway's is, and to this host")
    if name in OF_OTHERS:
        return
    runner = name == "runner"
    say(service.get("read_only") is True, "writes to its root file system")
    say(service.get("cap_drop") == ["ALL"], "drops all capabilities")
    say(set(service.get("cap_add", [])) == (product.capabilities if runner else set()), "has the capabilities that the sandbox needs, and others none")
    target = service["build"]["target"]
    say(target in users, f"the Dockerfile has no target {target}")
    say((users.get(target) in ("root", "0")) == runner, "is root, or the runner is not")
    networks = set(service["networks"])
    if runner:
        with_servers = {one for server in OF_OTHERS for one in document["services"][server]["networks"]}
        say(not networks & with_servers, "reaches Kafka or Postgres")
    outside = {one for one in networks if not (document["networks"][one] or {}).get("internal")}
    say(not outside or name in ("gateway", "evaluation-review"), f"leaves by {sorted(outside)}")


def check_service(findings, product, document: dict, name: str, service: dict, image_env: dict) -> None:
    say = lambda holds, sentence: findings.unless(holds, name, sentence)
    command = service["command"][0]
    env = {variable: str(value) for variable, value in service.get("environment", {}).items()}
    role = env.get("CODEMENTOR_ROLE")
    say(name == command or name == f"{command}-{role}", f"runs `{command}`")
    # The image's own variables are the services', not those of `setup`.
    check_environment(findings, product, name, command, env if command == "setup" else image_env | env, role)
    for variable, value in env.items():
        if value and str(value).startswith("/run/secrets/"):
            say(value.removeprefix("/run/secrets/") in service.get("secrets", []), f"{variable}={value}: it is not given that secret")
    for variable in ADDRESSES:
        for url in filter(None, (env.get(variable) or "").split(",")):
            place = address(url)
            other = document["services"].get(place[0]) if place else None
            if say(other, f"{variable}={url} is no container"):
                say(image_env["CODEMENTOR_LISTEN"].endswith(f":{place[1]}"), f"{variable}={url}: nobody listens there")
                say(set(other["networks"]) & set(service["networks"]), f"{variable}={url} is on no network of its own")
    if command == "setup":
        return
    port = image_env["CODEMENTOR_OPS_LISTEN"].rsplit(":", 1)[1]
    asked = service["healthcheck"]["test"][-1]
    say(asked == f"http://127.0.0.1:{port}/readyz" and "/readyz" in product.paths, f"is asked {asked}")
    check_end(findings, product, name, command, env, seconds(service["stop_grace_period"]))
