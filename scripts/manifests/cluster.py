"""Our own rules over one rendering of k8s/: a list of objects as the cluster would get them."""

import ipaddress
import json
import re
from functools import cache

import jsonschema
import kubernetes_validate

from findings import ADDRESSES, Findings, address, check_end, check_environment, is_pinned

# The oldest version that has all that is used (`preStop.sleep`, `hostUsers`), and the newest known.
VERSIONS = ("1.33", "1.37")
WORKLOADS = ("Deployment", "StatefulSet", "Job")
IMAGES_OF_OTHERS = ("kafka", "postgres")

TEXT = {"type": "string", "minLength": 1}
COUNT = {"type": "integer", "minimum": 0}
# What Kubernetes' own schemas do not know.
SCHEMAS = {
    "ScaledObject": {
        "type": "object", "additionalProperties": False, "required": ["scaleTargetRef", "triggers", "minReplicaCount", "maxReplicaCount"],
        "properties": {
            "scaleTargetRef": {"type": "object", "required": ["name"]},
            "pollingInterval": {"const": 15}, "cooldownPeriod": COUNT, "minReplicaCount": COUNT, "maxReplicaCount": COUNT,
            "fallback": {"type": "object", "additionalProperties": False, "properties": {"failureThreshold": COUNT, "replicas": COUNT}},
            "advanced": {"type": "object"},
            "triggers": {"type": "array", "minItems": 1, "items": {
                "type": "object", "additionalProperties": False, "required": ["type", "metadata"],
                # KEDA takes nothing but texts here, numbers and truth values as well.
                "properties": {"type": {"enum": ["kafka", "prometheus"]}, "metadata": {"type": "object", "additionalProperties": TEXT}}}},
        },
    },
    "ServiceMonitor": {
        "type": "object", "additionalProperties": False, "required": ["selector", "endpoints"],
        "properties": {"selector": {"type": "object"}, "endpoints": {"type": "array", "minItems": 1, "items": {
            "type": "object", "additionalProperties": False, "required": ["port", "path"],
            "properties": {"port": TEXT, "path": TEXT, "interval": TEXT, "scrapeTimeout": TEXT, "relabelings": {"type": "array"}}}}},
    },
    "PrometheusRule": {
        "type": "object", "additionalProperties": False, "required": ["groups"],
        "properties": {"groups": {"type": "array", "items": {
            "type": "object", "additionalProperties": False, "required": ["name", "rules"],
            "properties": {"name": TEXT, "interval": TEXT, "rules": {"type": "array", "items": {
                "type": "object", "additionalProperties": False, "required": ["alert", "expr", "labels", "annotations"],
                "properties": {"alert": TEXT, "expr": TEXT, "for": TEXT, "labels": {"type": "object"}, "annotations": {"type": "object", "required": ["summary"]}}}}}}}},
    },
}


class Rendering:
    """The objects of one rendering, and the questions that rules ask of them."""

    def __init__(self, name: str, objects: list):
        self.name = name
        self.objects = [one for one in objects if one]
        self.findings = Findings(name)

    def of(self, *kinds: str) -> list:
        return [one for one in self.objects if one["kind"] in kinds]

    def find(self, kind: str, name: str):
        return next((one for one in self.of(kind) if one["metadata"]["name"] == name), None)

    def selected(self, selector: dict) -> list:
        return [one for one in self.of(*WORKLOADS) if selects(selector, template(one)["metadata"].get("labels", {}))]

    def environment(self, container: dict) -> dict:
        """Names and values; None for what comes from secrets and fields."""
        env = {}
        for source in container.get("envFrom", []):
            config = self.find("ConfigMap", source["configMapRef"]["name"])
            env |= (config or {}).get("data", {})
        for one in container.get("env", []):
            config = one.get("valueFrom", {}).get("configMapKeyRef")
            held = config and self.find("ConfigMap", config["name"])
            env[one["name"]] = held["data"].get(config["key"]) if held else one.get("value")
        return env


def template(workload: dict) -> dict:
    return workload["spec"]["template"]


def subject(one: dict) -> str:
    return f"{one['kind']}/{one['metadata']['name']}"


def selects(selector: dict, labels: dict) -> bool:
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    for expression in selector.get("matchExpressions") or []:
        held = labels.get(expression["key"]) in expression["values"]
        if held != (expression["operator"] == "In"):
            return False
    return True


def ports(workload: dict) -> dict:
    """Numbers by name."""
    containers = template(workload)["spec"]["containers"]
    return {port["name"]: port["containerPort"] for one in containers for port in one.get("ports", [])}


def service_of(workload: dict):
    """Which of our commands it runs, and in which role; None for Kafka and Postgres."""
    if workload["metadata"]["name"] in IMAGES_OF_OTHERS:
        return None
    container = template(workload)["spec"]["containers"][0]
    role = next((one.get("value") for one in container.get("env", []) if one["name"] == "CODEMENTOR_ROLE"), None)
    return (container.get("args") or ["?"])[0], role


def check(rendering: Rendering, product, external: set) -> list:
    """Everything that is wrong with it. `external` are the secrets and maps that the operator makes."""
    validate(rendering)
    for workload in rendering.of(*WORKLOADS):
        check_pod(rendering, product, workload)
        if service_of(workload):
            check_service(rendering, product, workload)
        check_references(rendering, workload, external)
    check_selectors(rendering)
    check_scaling(rendering, product)
    check_network(rendering)
    check_connections(rendering, product)
    return rendering.findings


def validate(rendering: Rendering) -> None:
    seen = set()
    for one in rendering.objects:
        key = (one["kind"], one["metadata"]["name"])
        rendering.findings.unless(key not in seen, subject(one), "is there twice")
        seen.add(key)
        fault = fault_of(json.dumps(one, sort_keys=True))
        rendering.findings.unless(not fault, subject(one), f"is not valid: {fault}")


@cache
def fault_of(text: str) -> str | None:
    """Why an object, as JSON, would be refused. Renderings have most objects in common."""
    one = json.loads(text)
    schema = SCHEMAS.get(one["kind"])
    try:
        if schema:
            jsonschema.validate(one["spec"], schema)
        else:
            for version in VERSIONS:
                kubernetes_validate.validate(one, version, strict=True)
    except Exception as error:  # two libraries, many types
        return str(error).splitlines()[0]
    return None


def check_pod(rendering: Rendering, product, workload: dict) -> None:
    """Hardening, images, resources: what holds for every pod, and what the runner alone may have."""
    name, spec = workload["metadata"]["name"], template(workload)["spec"]
    runner = name == "runner"
    say = lambda holds, sentence: rendering.findings.unless(holds, subject(workload), sentence)
    pod = spec.get("securityContext", {})
    for setting in ("hostNetwork", "hostPID", "hostIPC"):
        say(not spec.get(setting), f"{setting} is never needed")
    say(not any("hostPath" in volume for volume in spec.get("volumes", [])), "hostPath is never needed")
    say(spec.get("automountServiceAccountToken") is False, "a token of the cluster is in the pod")
    account = rendering.find("ServiceAccount", spec.get("serviceAccountName", "default"))
    say(account and account.get("automountServiceAccountToken") is False, "needs a ServiceAccount of its own, without a token")
    say(spec.get("enableServiceLinks") is False, "enableServiceLinks puts variables in that nobody wrote")
    kind = pod.get("seccompProfile", {}).get("type")
    if runner:
        say(spec.get("hostUsers") is False, "must have a user namespace of its own")
        degraded = rendering.environment(spec["containers"][0]).get("CODEMENTOR_ALLOW_DEGRADED") == "true"
        cgroups = rendering.find("RuntimeClass", spec.get("runtimeClassName", ""))
        say(bool(cgroups) != degraded, "has either a runtime that lets it make cgroups, or says that it judges without")
        say(kind == "Localhost" or (kind == "Unconfined" and degraded), "has the seccomp profile of k8s/nodes")
    else:
        say(pod.get("runAsNonRoot") is True and pod.get("runAsUser", 0) > 0, "must not be root")
        say(kind == "RuntimeDefault", "has the runtime's seccomp profile")
    for container in spec["containers"] + spec.get("initContainers", []):
        security = container.get("securityContext", {})
        added = set(security.get("capabilities", {}).get("add", []))
        say(not security.get("privileged"), "is never privileged")
        say(security.get("allowPrivilegeEscalation") is False, "allowPrivilegeEscalation is false")
        say(security.get("readOnlyRootFilesystem") is True or name == "kafka", "writes to its root file system")
        say(security.get("capabilities", {}).get("drop") == ["ALL"], "drops all capabilities")
        say(added == (product.capabilities if runner else set()), f"adds {sorted(added)}; the sandbox needs {sorted(product.capabilities)}, all others nothing")
        say(is_pinned(container["image"]), f"image {container['image']} is not pinned")
        say(container["image"].rsplit("/", 1)[-1].startswith("codementor-runner:") == runner, "toolchains are in the runner's image, and only there")
        resources = container.get("resources", {})
        requests, limits = resources.get("requests", {}), resources.get("limits", {})
        say({"cpu", "memory"} <= requests.keys() and "memory" in limits, "says what it needs, and how much memory it gets at most")
        if runner and not degraded:
            say(all(requests.get(one) == limits.get(one) for one in ("cpu", "memory")), "is Guaranteed, or neighbours change programs' times")
            say(rendering.environment(container).get("CODEMENTOR_RUNNER_SLOTS") == str(limits.get("cpu")), "has as many slots as processors")


def check_service(rendering: Rendering, product, workload: dict) -> None:
    """A process of ours against what it says of itself."""
    findings, name, spec = rendering.findings, workload["metadata"]["name"], template(workload)["spec"]
    say = lambda holds, sentence: findings.unless(holds, subject(workload), sentence)
    container = spec["containers"][0]
    command, role = service_of(workload)
    env = rendering.environment(container)
    check_environment(findings, product, subject(workload), command, env, role)
    check_files(rendering, workload, env)
    if workload["kind"] == "Job":
        return
    named = ports(workload)
    for port, variable in (("api", "CODEMENTOR_LISTEN"), ("ops", "CODEMENTOR_OPS_LISTEN")):
        if port in named:
            say(env.get(variable) == f"0.0.0.0:{named[port]}", f"port {port} is {named[port]}, and {variable} is {env.get(variable)}")
    say("ops" in named, "names its port for probes `ops`")
    for probe, path in (("startupProbe", "/startupz"), ("livenessProbe", "/livez"), ("readinessProbe", "/readyz")):
        get = container.get(probe, {}).get("httpGet", {})
        say(get.get("path") == path and path in product.paths, f"{probe} asks {get.get('path')}; the binary serves {path}")
        say(get.get("port") == "ops", f"{probe} asks port {get.get('port')}")
        if command in ("evaluation", "runner") and probe != "startupProbe":
            say(container.get(probe, {}).get("periodSeconds") == 15, f"{probe} of the judging side is asked every 15 s")
    served = "api" in named
    pause = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
    say(pause > 0 or not served, "serves requests, and so waits in preStop until endpoints have forgotten it")
    check_end(findings, product, subject(workload), command, env, spec.get("terminationGracePeriodSeconds", 30), pause)
    scaled = [one for one in rendering.of("HorizontalPodAutoscaler", "ScaledObject") if one["spec"]["scaleTargetRef"]["name"] == name]
    if scaled or workload["spec"].get("replicas", 1) > 1:
        spread = {one["topologyKey"] for one in spec.get("topologySpreadConstraints", [])}
        say({"kubernetes.io/hostname", "topology.kubernetes.io/zone"} <= spread, "replicas are spread over nodes and zones")
    say(len([one for one in rendering.of("PodDisruptionBudget") if workload in rendering.selected(one["spec"]["selector"])]) == 1, "has one PodDisruptionBudget")
    for variable in ADDRESSES:
        for url in filter(None, (env.get(variable) or "").split(",")):
            check_address(rendering, workload, variable, url)


def check_address(rendering: Rendering, workload: dict, variable: str, url: str) -> None:
    """An address leads through a Service to a port that is open, and policies let it through."""
    place = address(url)
    service = place and rendering.find("Service", place[0])
    say = lambda holds, sentence: rendering.findings.unless(holds, subject(workload), sentence)
    if not say(service, f"{variable}={url} is no Service"):
        return
    port = next((one for one in service["spec"]["ports"] if one["port"] == place[1]), None)
    if not say(port, f"{variable}={url}: that Service has no such port"):
        return
    for behind in rendering.selected({"matchLabels": service["spec"]["selector"]}):
        # Evaluation passes question's address on to runners, and never goes there itself.
        asks = rendering.find("Deployment", "runner") if variable == "CODEMENTOR_QUESTION_URL" and service_of(workload)[0] == "evaluation" else workload
        say(is_allowed(rendering, asks, behind, ports(behind).get(port["targetPort"])), f"{variable}={url}: policies do not let {asks['metadata']['name']} through")


def check_files(rendering: Rendering, workload: dict, env: dict) -> None:
    """Files and folders that variables name are mounted, and those that are written can be."""
    spec = template(workload)["spec"]
    mounts = {mount["mountPath"]: mount for mount in spec["containers"][0].get("volumeMounts", [])}
    volumes = {volume["name"]: volume for volume in spec.get("volumes", [])}
    say = lambda holds, sentence: rendering.findings.unless(holds, subject(workload), sentence)
    for variable in ("CODEMENTOR_SERVICE_KEY", "CODEMENTOR_TRUSTED_KEYS"):
        if not env.get(variable):
            continue
        folder, file = env[variable].rsplit("/", 1)
        if say(folder in mounts, f"{variable}={env[variable]}: nothing is mounted there"):
            volume = volumes[mounts[folder]["name"]]
            items = (volume.get("secret") or volume.get("configMap")).get("items")
            config = rendering.find("ConfigMap", volume.get("configMap", {}).get("name", ""))
            there = {item["path"] for item in items} if items else set((config or {"data": {file: ""}})["data"])
            say(file in there, f"{variable}={env[variable]}: the volume has only {sorted(there)}")
    for variable in ("CODEMENTOR_BLOBS", "CODEMENTOR_RUNNER_DIR"):
        if env.get(variable):
            mount = mounts.get(env[variable])
            say(mount and not mount.get("readOnly"), f"{variable}={env[variable]} cannot be written to")


def check_references(rendering: Rendering, workload: dict, external: set) -> None:
    """Secrets, maps and claims that a pod names are there, or are among those that the operator makes."""
    spec = template(workload)["spec"]
    wanted = []
    for container in spec["containers"]:
        for one in container.get("env", []):
            for kind, reference in (("Secret", "secretKeyRef"), ("ConfigMap", "configMapKeyRef")):
                held = one.get("valueFrom", {}).get(reference)
                if held and not held.get("optional"):
                    wanted.append((kind, held["name"], held["key"]))
        wanted += [("ConfigMap", one["configMapRef"]["name"], None) for one in container.get("envFrom", [])]
    for volume in spec.get("volumes", []):
        secret, config, claim = volume.get("secret"), volume.get("configMap"), volume.get("persistentVolumeClaim")
        if secret:
            wanted += [("Secret", secret["secretName"], item["key"]) for item in secret.get("items", [])]
        if config:
            wanted.append(("ConfigMap", config["name"], None))
        if claim:
            wanted.append(("PersistentVolumeClaim", claim["claimName"], None))
    for kind, name, key in wanted:
        held = rendering.find(kind, name)
        there = held and (key is None or key in held.get("data", {}))
        rendering.findings.unless(there or (kind, name, key) in external or (kind, name, None) in external, subject(workload), f"{kind} {name} has no {key or 'such object'}")


def check_selectors(rendering: Rendering) -> None:
    for workload in rendering.of("Deployment", "StatefulSet"):
        labels = template(workload)["metadata"]["labels"]
        rendering.findings.unless(selects(workload["spec"]["selector"], labels), subject(workload), "does not select its own pods")
        same = rendering.selected(workload["spec"]["selector"])
        rendering.findings.unless(same == [workload], subject(workload), f"selects pods of {[one['metadata']['name'] for one in same]}")
    for service in rendering.of("Service"):
        behind = rendering.selected({"matchLabels": service["spec"]["selector"]})
        rendering.findings.unless(behind, subject(service), "selects nothing")
        for port in service["spec"]["ports"]:
            missing = [one["metadata"]["name"] for one in behind if port["targetPort"] not in ports(one)]
            rendering.findings.unless(not missing, subject(service), f"port {port['targetPort']} is not open in {missing}")
            if service["spec"].get("clusterIP") == "None":
                other = [one["metadata"]["name"] for one in behind if ports(one).get(port["targetPort"], port["port"]) != port["port"]]
                rendering.findings.unless(not other, subject(service), f"is headless, and {other} do not listen on {port['port']}: nothing translates ports")
    runner = rendering.find("Service", "runner")
    rendering.findings.unless(runner and runner["spec"].get("clusterIP") == "None", "Service runner", "is headless: judges ask every runner by its own address")
    for budget in rendering.of("PodDisruptionBudget"):
        rendering.findings.unless(len(rendering.selected(budget["spec"]["selector"])) == 1, subject(budget), "selects one workload")
        rendering.findings.unless(budget["spec"].get("maxUnavailable", 0) >= 1, subject(budget), "lets no node be emptied")
    for rule in [path for one in rendering.of("Ingress") for rule in one["spec"]["rules"] for path in rule["http"]["paths"]]:
        name = rule["backend"]["service"]["name"]
        service = rendering.find("Service", name)
        rendering.findings.unless(service and rule["backend"]["service"]["port"]["name"] in [one["name"] for one in service["spec"]["ports"]], "Ingress", f"leads to {name}, which is not there")
        rendering.findings.unless(name == "gateway", "Ingress", "leads past the gateway")


def check_scaling(rendering: Rendering, product) -> None:
    targets = [one["spec"]["scaleTargetRef"]["name"] for one in rendering.of("HorizontalPodAutoscaler", "ScaledObject")]
    rendering.findings.unless(len(targets) == len(set(targets)), "scaling", f"two scale one of {sorted(targets)}")
    rendering.findings.unless({"runner", "evaluation-judge"} <= set(targets), "scaling", "runner and evaluation-judge are scaled")
    for name in targets:
        workload = rendering.find("Deployment", name)
        if rendering.findings.unless(workload, "scaling", f"there is no Deployment {name}"):
            rendering.findings.unless("replicas" not in workload["spec"], subject(workload), "is scaled, and says replicas all the same: each apply would undo the scaling")
    for one in rendering.of("HorizontalPodAutoscaler"):
        calm = one["spec"].get("behavior", {}).get("scaleDown", {}).get("stabilizationWindowSeconds", 0)
        rendering.findings.unless(calm >= 300, subject(one), "takes pods away too soon")
    for one in rendering.of("ScaledObject"):
        for trigger in one["spec"]["triggers"]:
            held = trigger["metadata"]
            if trigger["type"] == "kafka":
                rendering.findings.unless(held.get("consumerGroup") in product.groups, subject(one), f"{held.get('consumerGroup')} is no group")
                rendering.findings.unless(held.get("topic") in product.topics, subject(one), f"{held.get('topic')} is no topic")


def check_network(rendering: Rendering) -> None:
    """Default deny, and who may not reach whom although nobody asks for it."""
    deny = rendering.find("NetworkPolicy", "default-deny")
    rendering.findings.unless(
        deny and deny["spec"]["podSelector"] == {} and set(deny["spec"]["policyTypes"]) == {"Ingress", "Egress"} and not deny["spec"].get("ingress") and not deny["spec"].get("egress"),
        "NetworkPolicy", "there is no default-deny of both ways")
    leaves = [one["metadata"]["name"] for one in rendering.of(*WORKLOADS) if reaches(rendering, one, "1.1.1.1", 443)]
    rendering.findings.unless(leaves == ["evaluation-review"], "NetworkPolicy", f"{leaves} leave the cluster; only evaluation-review may")
    runner = rendering.find("Deployment", "runner")
    for target in ("169.254.169.254", "10.20.0.5", "10.20.1.5", "1.1.1.1"):
        for port in (80, 443, 5432, 9092):
            rendering.findings.unless(not reaches(rendering, runner, target, port), "NetworkPolicy", f"the runner reaches {target}:{port}")
    for other in rendering.of(*WORKLOADS):
        for number in ports(other).values():
            allowed = other["metadata"]["name"] == "question" and number == ports(other)["api"]
            rendering.findings.unless(is_allowed(rendering, runner, other, number) == allowed, "NetworkPolicy", f"the runner and {other['metadata']['name']}:{number}: reaches question's api only")
    if rendering.find("Service", "kafka"):
        for workload in [one for one in rendering.of(*WORKLOADS) if service_of(one)]:
            env = rendering.environment(template(workload)["spec"]["containers"][0])
            for server, number, variable in (("kafka", 9092, "KAFKA_BROKERS"), ("postgres", 5432, "DATABASE_URL")):
                wants = variable in env
                rendering.findings.unless(is_allowed(rendering, workload, rendering.find("StatefulSet", server), number) == wants, "NetworkPolicy", f"{workload['metadata']['name']} {'must' if wants else 'must not'} reach {server}")


def policies(rendering: Rendering, workload: dict, way: str) -> list:
    """The rules that hold for it; an empty list lets nothing through."""
    labels = template(workload)["metadata"]["labels"]
    held = [one["spec"] for one in rendering.of("NetworkPolicy") if way in one["spec"]["policyTypes"] and selects(one["spec"]["podSelector"], labels)]
    return [rule for one in held for rule in one.get(way.lower()) or []]


def has_port(rule: dict, workload: dict, number: int) -> bool:
    return "ports" not in rule or any(ports(workload).get(one["port"], one["port"]) == number for one in rule["ports"] if one.get("protocol") == "TCP")


def is_allowed(rendering: Rendering, source: dict, target: dict, number: int) -> bool:
    out = any(has_port(rule, target, number) and any("podSelector" in peer and "namespaceSelector" not in peer and selects(peer["podSelector"], template(target)["metadata"]["labels"]) for peer in rule.get("to", [])) for rule in policies(rendering, source, "Egress"))
    into = any(has_port(rule, target, number) and ("from" not in rule or any("podSelector" in peer and selects(peer["podSelector"], template(source)["metadata"]["labels"]) for peer in rule["from"] if "namespaceSelector" not in peer)) for rule in policies(rendering, target, "Ingress"))
    return out and into


def reaches(rendering: Rendering, source: dict, target: str, number: int) -> bool:
    """Whether an address outside is open to it."""
    place = ipaddress.ip_address(target)
    for rule in policies(rendering, source, "Egress"):
        if not any(one["port"] == number for one in rule.get("ports", [{"port": number}])):
            continue
        if "to" not in rule:
            return True
        for block in [peer["ipBlock"] for peer in rule["to"] if "ipBlock" in peer]:
            if place in ipaddress.ip_network(block["cidr"]) and not any(place in ipaddress.ip_network(one) for one in block.get("except", [])):
                return True
    return False


def check_connections(rendering: Rendering, product) -> None:
    """Where Postgres is ours: all replicas, and one more of each in a roll, find a free connection."""
    server = rendering.find("StatefulSet", "postgres")
    if not server:
        return
    limit = int(re.search(r"max_connections=(\d+)", " ".join(template(server)["spec"]["containers"][0]["args"])).group(1))
    total = 16
    for workload in rendering.of("Deployment"):
        env = rendering.environment(template(workload)["spec"]["containers"][0])
        scaled = [one["spec"].get("maxReplicas") or one["spec"].get("maxReplicaCount") for one in rendering.of("HorizontalPodAutoscaler", "ScaledObject") if one["spec"]["scaleTargetRef"]["name"] == workload["metadata"]["name"]]
        pool = env.get("DATABASE_POOL") or "0"
        total += (int(pool) if pool.isdigit() else 0) * (max([workload["spec"].get("replicas", 1), *scaled]) + 1)
    rendering.findings.unless(total < limit, subject(server), f"takes {limit} connections, and the services may open {total}")
