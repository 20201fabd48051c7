"""Checks the checks: each of these faults, put into good manifests, must be found. A rule that finds nothing is no rule."""

import copy
import re

import cluster
import compose
import monitoring


def container(rendering, name, kind="Deployment"):
    return cluster.template(rendering.find(kind, name))["spec"]["containers"][0]


def pod(rendering, name):
    return cluster.template(rendering.find("Deployment", name))["spec"]


def put(env, name, value):
    env[:] = [one for one in env if one["name"] != name] + ([{"name": name, "value": value}] if value is not None else [])


def drop(rendering, kind, name):
    rendering.objects.remove(rendering.find(kind, name))


def edit(rendering, kind, name, change):
    change(rendering.find(kind, name))


# What is done to the dev overlay, and what the finding must say.
CLUSTER = [
    (lambda r: put(container(r, "gateway")["env"], "CODEMENTOR_EXECUTE", "x"), "CODEMENTOR_EXECUTE is no setting"),
    (lambda r: put(container(r, "gateway")["env"], "CODEMENTOR_SERVICE_KEY", None), "CODEMENTOR_SERVICE_KEY is required"),
    (lambda r: put(container(r, "execute")["env"], "CODEMENTOR_QUESTION_URL", None), "of no use in a container"),
    (lambda r: put(container(r, "execute")["env"], "CODEMENTOR_QUESTION_URL", "http://questions:8080"), "is no Service"),
    (lambda r: put(container(r, "execute")["env"], "CODEMENTOR_RUNNER_URLS", "http://runner:8081"), "has no such port"),
    (lambda r: put(container(r, "evaluation-judge")["env"], "CODEMENTOR_ROLE", "judges"), "it is one of judge, review, both"),
    (lambda r: put(container(r, "gateway")["env"], "DATABASE_POOL", "many"), "it is a number"),
    (lambda r: put(container(r, "gateway")["env"], "DATABASE_POOL", "500"), "the services may open"),
    (lambda r: put(container(r, "runner")["env"], "CODEMENTOR_ALLOW_DEGRADED", "yes"), "it is true or false"),
    (lambda r: put(container(r, "runner")["env"], "CODEMENTOR_ALLOW_DEGRADED", None), "or says that it judges without"),
    (lambda r: put(container(r, "gateway")["env"], "CODEMENTOR_SERVICE_KEY", "/etc/codementor/key/gateway.pem"), "the volume has only"),
    (lambda r: container(r, "gateway")["ports"][0].update(containerPort=8081), "CODEMENTOR_LISTEN is"),
    (lambda r: container(r, "gateway")["livenessProbe"]["httpGet"].update(path="/health"), "the binary serves /livez"),
    (lambda r: container(r, "gateway")["readinessProbe"]["httpGet"].update(port="api"), "asks port api"),
    (lambda r: container(r, "runner")["readinessProbe"].update(periodSeconds=10), "every 15 s"),
    (lambda r: container(r, "gateway").pop("startupProbe"), "startupProbe asks None"),
    (lambda r: container(r, "gateway").pop("lifecycle"), "waits in preStop"),
    (lambda r: pod(r, "evaluation-judge").update(terminationGracePeriodSeconds=60), "is killed after 60 s"),
    (lambda r: put(container(r, "evaluation-judge")["env"], "CODEMENTOR_SHUTDOWN_GRACE_S", None), "drops after 25 s"),
    (lambda r: put(container(r, "runner")["env"], "CODEMENTOR_SHUTDOWN_GRACE_S", "200"), "drops after 200 s"),
    (lambda r: pod(r, "evaluation-review").update(terminationGracePeriodSeconds=60), "is killed after 60 s"),
    (lambda r: container(r, "gateway").update(image="codementor:latest"), "is not pinned"),
    (lambda r: container(r, "execute").update(image="codementor-runner:0.1.0"), "toolchains are in the runner's image"),
    (lambda r: container(r, "runner")["securityContext"].update(privileged=True), "is never privileged"),
    (lambda r: container(r, "runner")["securityContext"]["capabilities"]["add"].append("NET_ADMIN"), "the sandbox needs"),
    (lambda r: container(r, "question")["securityContext"].update(readOnlyRootFilesystem=False), "writes to its root"),
    (lambda r: pod(r, "runner").update(hostUsers=True), "user namespace of its own"),
    (lambda r: pod(r, "gateway").update(automountServiceAccountToken=True), "a token of the cluster"),
    (lambda r: pod(r, "gateway").update(hostNetwork=True), "hostNetwork is never needed"),
    (lambda r: pod(r, "gateway").update(priority="high"), "is not valid"),
    (lambda r: pod(r, "gateway").update(nosuchfield=1), "is not valid"),
    (lambda r: container(r, "execute")["resources"].pop("limits"), "says what it needs"),
    (lambda r: drop(r, "PodDisruptionBudget", "gateway"), "has one PodDisruptionBudget"),
    (lambda r: drop(r, "ServiceAccount", "runner"), "needs a ServiceAccount"),
    (lambda r: drop(r, "NetworkPolicy", "default-deny"), "there is no default-deny"),
    (lambda r: drop(r, "NetworkPolicy", "to-kafka"), "must reach kafka"),
    (lambda r: drop(r, "NetworkPolicy", "evaluation-judge"), "policies do not let evaluation-judge through"),
    (lambda r: edit(r, "NetworkPolicy", "runner", lambda one: one["spec"]["egress"].append({})), "the runner reaches"),
    (lambda r: edit(r, "NetworkPolicy", "question", lambda one: one["spec"].update(ingress=[])), "policies do not let"),
    (lambda r: edit(r, "Service", "question", lambda one: one["spec"]["selector"].update({"app.kubernetes.io/name": "questions"})), "selects nothing"),
    (lambda r: edit(r, "Service", "gateway", lambda one: one["spec"]["ports"][0].update(targetPort="http")), "port http is not open"),
    (lambda r: edit(r, "Service", "runner", lambda one: one["spec"].pop("clusterIP")), "judges ask every runner by its own address"),
    (lambda r: edit(r, "Service", "runner", lambda one: one["spec"]["ports"][0].update(port=80)), "nothing translates ports"),
    (lambda r: edit(r, "Deployment", "gateway", lambda one: one["spec"]["selector"]["matchLabels"].update({"app.kubernetes.io/name": "x"})), "does not select its own pods"),
    (lambda r: edit(r, "Deployment", "runner", lambda one: one["spec"].update(replicas=3)), "would undo the scaling"),
    (lambda r: edit(r, "HorizontalPodAutoscaler", "runner", lambda one: one["spec"]["behavior"]["scaleDown"].update(stabilizationWindowSeconds=0)), "too soon"),
    (lambda r: [one["metadata"].update(name="secret") for one in r.of("Secret") if "key-gateway" in one["metadata"]["name"]], "has no gateway.pem"),
]
# The text of the compose file, and what stands in its place.
COMPOSE = [
    ("CODEMENTOR_ROLE: judge", "CODEMENTOR_ROLE: judging", "it is one of judge"),
    ("CODEMENTOR_EXECUTE_URL: http://execute:8080", "CODEMENTOR_EXECUTE_URL: http://execute:8082", "nobody listens there"),
    ("CODEMENTOR_BLOBS: ", "CODEMENTOR_BLOB: ", "is no setting"),
    ("apache/kafka:4.1.1", "apache/kafka:latest", "is not pinned"),
    ("/readyz", "/health", "is asked"),
    ("    networks: [judging]", "    networks: [judging, inside]", "reaches Kafka or Postgres"),
    ("stop_grace_period: 330s", "stop_grace_period: 20s", "is killed after 20 s"),
    ("CODEMENTOR_SHUTDOWN_GRACE_S: 300", "CODEMENTOR_SHUTDOWN_GRACE_S: 30", "drops after 30 s"),
    (":?run scripts/make-secrets.sh first", "", "is empty where nobody set it"),
    ("    cap_add: [CHOWN", "    privileged: true\n    cap_add: [CHOWN", "is never privileged"),
    ("secrets: [execute.pem, trusted.json]", "secrets: [trusted.json]", "is not given that secret"),
    ("    shm_size: 256m", "    shm_sizes: 256m", "shm_sizes"),
]
QUERIES = [
    ("rate(codementor_requests_total[5m])", "is no metric of ours"),
    ("sum(rate(codementor_http_requests_total{code=\"500\"}[5m]))", "has no label code"),
    ("sum by (topic) (codementor_kafka_in_flight)", "no metric of it has the label topic"),
    ("rate(codementor_queue_wait_seconds[5m])", "is a histogram"),
    ("sum(codementor_outbox_rows", "does not parse"),
]


def run(rendering, text: str, dockerfile: str, product, external: set) -> tuple[int, list]:
    """How many faults were tried, and which of them nobody found."""
    missed = []
    for index, (change, wanted) in enumerate(CLUSTER):
        broken = cluster.Rendering("broken", copy.deepcopy(rendering.objects))
        change(broken)
        if not any(wanted in one for one in cluster.check(broken, product, external)):
            missed.append(f"fault {index} of the cluster: nobody says {wanted!r}")
    for old, new, wanted in COMPOSE:
        assert old in text, old
        if not any(wanted in one for one in compose.check(text.replace(old, new), dockerfile, product)):
            missed.append(f"compose with {new!r}: nobody says {wanted!r}")
    unpinned = re.sub(r"FROM rust:\S+", "FROM rust:latest", dockerfile)
    if not any("is not pinned" in one for one in compose.check(text, unpinned, product)):
        missed.append("an image that is not pinned in the Dockerfile")
    for query, wanted in QUERIES:
        findings = cluster.Findings("query")
        monitoring.check_query(findings, product, "broken", query)
        if not any(wanted in one for one in findings):
            missed.append(f"{query}: nobody says {wanted!r}")
    return len(CLUSTER) + len(COMPOSE) + 1 + len(QUERIES), missed
