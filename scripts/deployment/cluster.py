"""What `make cluster-test` shows, part by part, on a real cluster. Every wait is for a condition, with an end."""

import json
import os
import pathlib
import secrets
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
KUBECTL = sys.argv[1].split()
SPACE, CLIENT = "codementor", "codementor-client"
ADMIN = "admin@example.org"
SERVICES = ("gateway", "execute", "question", "evaluation-judge", "evaluation-review", "runner")
PATIENCE = 300
# Kept between runs, for those that ask for some parts ONLY.
REMEMBERED = ROOT / "k8s/overlays/dev/secrets/admin-password"
if not REMEMBERED.exists():
    REMEMBERED.write_text(secrets.token_hex(12))
PASSWORD = REMEMBERED.read_text()
BEGUN = time.monotonic()

RIGHT = ROOT / "samples/tangerine-boxes/solutions"
LANGUAGES = {"c": "solution.c", "cpp": "solution.cpp", "java": "solution.java", "python": "solution.py", "javascript": "solution.js"}


class Failed(Exception):
    """One line that says what was not seen."""


def say(text: str) -> None:
    print(f"[{time.monotonic() - BEGUN:5.0f} s] {text}", flush=True)


def kubectl(*arguments: str, stdin: str | None = None, check=True, space: str | None = SPACE, timeout=PATIENCE + 30) -> str:
    command = [*KUBECTL, *(["--namespace", space] if space else []), *arguments]
    try:
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        raise Failed(f"kubectl {' '.join(arguments)[:200]}: no end in {timeout} s") from None
    if check and done.returncode:
        raise Failed(f"kubectl {' '.join(arguments)[:200]}: {(done.stderr or done.stdout).strip()[-600:]}")
    return done.stdout


def objects(kind: str, selector: str = "") -> list[dict]:
    return json.loads(kubectl("get", kind, "-o", "json", *(["-l", selector] if selector else [])))["items"]


def until(what: str, condition, patience: float = PATIENCE, every: float = 1):
    """The first true answer of the condition."""
    deadline = time.monotonic() + patience
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise Failed(f"{what}: not seen in {patience:.0f} s")
        time.sleep(every)


def pods(name: str) -> list[dict]:
    """Of one service, without those that are ending."""
    found = objects("pods", f"app.kubernetes.io/name={name}")
    return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]


def is_ready(pod: dict) -> bool:
    return any(one["type"] == "Ready" and one["status"] == "True" for one in pod["status"].get("conditions", []))


def restarts(pod: dict) -> int:
    return sum(one["restartCount"] for one in pod["status"].get("containerStatuses", []))


def all_ready() -> None:
    def ready():
        for name in SERVICES:
            found = pods(name)
            if not found or not all(is_ready(pod) for pod in found):
                return False
        return True

    until("every pod ready", ready)


def inside(pod: str, *command: str, space: str = SPACE, check=True) -> str:
    return kubectl("exec", pod, "--", *command, space=space, check=check)


def question() -> dict:
    folder = ROOT / "samples/tangerine-boxes"
    body = json.loads((folder / "question.json").read_text())
    body["statements"] = {one: (folder / f"statement.{one}.md").read_text() for one in ("ko", "en")}
    for test in body["tests"]:
        test["input"], test["output"] = ((folder / "tests" / f"{test['name']}.{end}").read_text() for end in ("in", "out"))
    for solution in body.get("solutions", []):
        solution["code"] = (folder / "solutions" / solution.pop("file")).read_text()
    return body


def submissions() -> list[dict]:
    return [
        {"question": "tangerine-boxes", "language": language, "code": (RIGHT / file).read_text()}
        for language, file in LANGUAGES.items()
    ]


def ask(path: str, body, token: str = "") -> dict:
    """Posts to the gateway's Service, as any client of the cluster would."""
    text = kubectl(
        "exec", "-i", "client", "--", "curl", "-sS", "--fail-with-body", f"http://gateway.{SPACE}:8080/api/v1{path}",
        "-H", "Content-Type: application/json", *(["-H", f"Authorization: Bearer {token}"] if token else []), "-d", "@-",
        stdin=json.dumps(body), space=CLIENT,
    )  # fmt: skip
    return json.loads(text) if text else {}


def token() -> str:
    return ask("/auth/login", {"email": ADMIN, "password": PASSWORD})["access_token"]


class Learners:
    """Learners in a pod of the client's namespace, who submit and watch until they are told to end."""

    def __init__(self, bodies: list[dict], learners: int):
        command = ["--namespace", CLIENT, "exec", "-i", "client", "--", "python3", "/tmp/learner.py", f"gateway.{SPACE}", "8080", ADMIN, PASSWORD]
        self.process = subprocess.Popen([*KUBECTL, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.process.stdin.write(json.dumps({"bodies": bodies, "learners": learners}) + "\n")
        self.process.stdin.flush()
        self.told = {"accepted": 0, "exact": 0}
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self) -> None:
        for line in self.process.stdout:
            self.told = json.loads(line)

    def exact(self) -> int:
        if self.process.poll() is not None:
            raise Failed(f"the learners ended by themselves: {self.process.returncode}")
        return self.told["exact"]

    def go_on(self, after: str, more: int = 3) -> None:
        """Submissions come to their end."""
        before = self.exact()
        until(f"submissions end after {after}", lambda: self.exact() >= before + more)

    def end(self) -> int:
        """How many were accepted; each of them came to its right end, once."""
        # A line and not the end of it: that does not pass through every cluster's stream.
        self.process.stdin.write("end\n")
        self.process.stdin.flush()
        self.reader.join(2 * PATIENCE)
        if self.process.wait(PATIENCE) or "wrong" not in self.told:
            raise Failed(f"the learners did not end: {self.told}")
        if wrong := self.told["wrong"]:
            raise Failed(f"{len(wrong)} of {self.told['accepted']} submissions: " + "; ".join(wrong[:3]))
        return self.told["accepted"]


def deploy() -> None:
    """Applies the overlay to an empty namespace; the setup Job ends well and every pod gets ready."""
    kubectl("delete", "namespace", SPACE, CLIENT, "--ignore-not-found", "--wait=true", space=None)
    kubectl("apply", "--server-side", "-k", str(HERE / "overlay"), space=None)
    kubectl("apply", "-f", str(HERE / "client.yaml"), space=None)
    until("the setup Job", lambda: objects("jobs")[0]["status"].get("succeeded"))
    say("the setup Job has succeeded")
    all_ready()
    for name in SERVICES:
        say("  ready: " + ", ".join(f"{pod['metadata']['name']} ({restarts(pod)} restarts)" for pod in pods(name)))
    kubectl("wait", "--for=condition=Ready", "pod/client", "--timeout=120s", space=CLIENT)
    kubectl("exec", "-i", "client", "--", "sh", "-c", "cat >/tmp/learner.py", stdin=(HERE / "learner.py").read_text(), space=CLIENT)
    output = inside("deploy/gateway", "env", "CODEMENTOR_PROFILE=dev", "codementor", "setup", "--admin", ADMIN)
    code = output.split("with: ")[1].split()[0]
    ask("/auth/reset", {"code": code, "password": PASSWORD})
    made = question()
    ask("/questions", made, token())
    ask(f"/questions/{made['slug']}/publish?unverified=true", {}, token())
    say("an admin is there, and a question is published")


def languages() -> None:
    """The curl submission through the Service streams to done in five languages."""
    for body in submissions():
        stream = inside(
            "client", "curl", "-sSN", "--max-time", "180", f"http://gateway.{SPACE}:8080/api/v1/submissions",
            "-H", f"Authorization: Bearer {token()}", "-H", "Content-Type: application/json",
            "-H", "Accept: text/event-stream", "-d", json.dumps(body), space=CLIENT,
        )  # fmt: skip
        names = [line[6:].strip() for line in stream.splitlines() if line.startswith("event:")]
        verdict = stream.split("event: verdict", 1)[-1].split("data:", 1)[-1].splitlines()[0][:150]
        if names[-1:] != ["done"] or '"AC"' not in verdict:
            raise Failed(f"{body['language']}: {names} {stream[-800:]}")
        say(f"  {body['language']:<10} {len(names)} events to done, {names.count('test')} tests, verdict AC")


def runner_pod() -> None:
    """All of it was judged in pods of user namespaces of their own, without privileges."""
    judged = 0
    for pod in pods("runner"):
        container = pod["spec"]["containers"][0]["securityContext"]
        if pod["spec"].get("hostUsers") is not False or container.get("privileged"):
            raise Failed(f"the runner's pod is {pod['spec'].get('hostUsers')=} {container=}")
        name = pod["metadata"]["name"]
        uid_map = inside(name, "cat", "/proc/self/uid_map").split()
        if uid_map[1] == "0":
            raise Failed(f"root in {name} is root on the node: {uid_map}")
        metrics = inside(name, "curl", "-s", "http://127.0.0.1:9080/metrics").splitlines()
        mode = next((line.split('"')[1] for line in metrics if line.startswith("codementor_sandbox_mode{")), "unknown")
        ran = sum(int(line.split()[-1]) for line in metrics if line.startswith("codementor_test_run_seconds_count"))
        added = " ".join(container["capabilities"]["add"])
        say(f"  {name}: hostUsers false, not privileged, root is {uid_map[1]} on the node, capabilities {added}")
        judged += ran
        say(f"    has run {ran} tests; limits by cgroups: {mode}, for its node mounts {cgroups(name)}")
    if not judged:
        raise Failed("no runner has run a test")


def cgroups(pod: str) -> str:
    """What the pod sees of them, which decides what its sandbox can use."""
    mounts = [line.split() for line in inside(pod, "cat", "/proc/self/mountinfo").splitlines() if " /sys/fs/cgroup" in line]
    kinds = sorted({f"{one[one.index('-') + 1]} ({one[5].split(',')[0]})" for one in mounts})
    return ", ".join(kinds)


def reaches(pod: str, target: str, space: str = SPACE) -> bool:
    host, port = target.split(":")
    script = f"timeout 4 bash -c 'exec 3<>/dev/tcp/{host}/{port}' && echo yes"
    return "yes" in inside(pod, "sh", "-c", script, space=space, check=False)


def policies() -> None:
    """From the runner's pod: question, and no Kafka, Postgres, gateway, API server, other namespace or internet."""
    # Somebody who listens outside of the namespace: closed to all, whether or not the cluster has an internet.
    inside("client", "sh", "-c", "nohup python3 -m http.server 8000 --directory /usr/share/misc >/dev/null 2>&1 &", space=CLIENT)
    other = json.loads(kubectl("get", "pod", "client", "-o", "json", space=CLIENT))["status"]["podIP"] + ":8000"
    until("somebody listens outside", lambda: reaches("client", other, CLIENT))
    wanted = {
        "deploy/runner": {
            "question:8080": True, "kafka:9092": False, "postgres:5432": False, "gateway:8080": False,
            "execute:8080": False, "kubernetes.default:443": False, other: False, "1.1.1.1:443": False,
        },
        "deploy/execute": {"kafka:9092": True, "postgres:5432": True, "question:8080": True, "gateway:8080": False, other: False},
        "deploy/gateway": {"kafka:9092": True, "execute:8080": True, "runner:8080": False, other: False},
        "deploy/question": {"kafka:9092": True, "postgres:5432": True, "runner:8080": False},
        "deploy/evaluation-judge": {"runner:8080": True, "question:8080": False, other: False},
        "deploy/evaluation-review": {"kafka:9092": True, "postgres:5432": True, "runner:8080": False, other: False},
    }  # fmt: skip
    for pod, targets in wanted.items():
        seen = {target: reaches(pod, target) for target in targets}
        if seen != targets:
            raise Failed(f"{pod} reaches {seen}, and should {targets}")
        say(f"  {pod}: " + ", ".join(f"{target} {'open' if open_ else 'closed'}" for target, open_ in seen.items()))
    say(f"  a pod without policies reaches {other}, and {'1.1.1.1:443' if reaches('client', '1.1.1.1:443', CLIENT) else 'no internet here'}")


def files(pod: str, limit: str) -> None:
    """Takes a service its file descriptors, or gives them back: then it cannot answer, as when it leaked them."""
    inside(pod, "prlimit", "--pid", "1", f"--nofile={limit}:")


def endpoints(service: str) -> dict[str, bool]:
    found = {}
    for slice_ in objects("endpointslices", f"kubernetes.io/service-name={service}"):
        for one in slice_.get("endpoints") or []:
            found[one["targetRef"]["name"]] = bool(one["conditions"].get("ready"))
    return found


def answers(pod: str, path: str) -> str:
    """What the probe of that path is told from inside; 000 for no answer."""
    return inside(pod, "curl", "-s", "-o", "/dev/null", "-m", "2", "-w", "%{http_code}", f"http://127.0.0.1:9080{path}", check=False)


def the_pod(name: str, pod: str) -> dict:
    return next(one for one in pods(name) if one["metadata"]["name"] == pod)


def unready() -> None:
    """A gateway that is made unready gets no requests, and gets them again when it is ready again."""
    kubectl("scale", "deployment/gateway", "--replicas=2")
    until("a second gateway", lambda: len([pod for pod in pods("gateway") if is_ready(pod)]) == 2)
    until("both in the Service", lambda: sum(endpoints("gateway").values()) == 2)
    victim = pods("gateway")[0]["metadata"]["name"]
    before = restarts(the_pod("gateway", victim))
    usual = inside(victim, "prlimit", "--pid", "1", "--nofile", "--raw", "--noheadings", "--output", "SOFT").strip()
    files(victim, "8")
    taken = time.monotonic()
    until("no answer to the probe", lambda: answers(victim, "/readyz") == "000")
    until("the endpoint is taken out", lambda: not endpoints("gateway").get(victim), every=0.5)
    say(f"  {victim}: no file descriptors left, /readyz does not answer, out of the Service after {time.monotonic() - taken:.0f} s")
    url = f"http://gateway.{SPACE}:8080/api/v1/languages"
    script = f"for i in $(seq 20); do curl -s -o /dev/null -m 3 -w '%{{http_code}} ' {url}; done"
    # Every node has to hear of it first.
    until("all requests are answered by the other", lambda: set(inside("client", "sh", "-c", script, space=CLIENT).split()) == {"200"})
    files(victim, usual)
    say("  20 of 20 requests were answered by the other")
    until("it is ready again", lambda: endpoints("gateway").get(victim))
    say(f"  {victim} is in the Service again, {restarts(the_pod('gateway', victim)) - before} restarts")
    kubectl("scale", "deployment/gateway", "--replicas=1")
    until("one gateway", lambda: len(objects("pods", "app.kubernetes.io/name=gateway")) == 1)


def unhealthy() -> None:
    """A service that is made unhealthy is restarted."""
    victim = pods("execute")[0]["metadata"]["name"]
    before = restarts(the_pod("execute", victim))
    files(victim, "8")
    broken = time.monotonic()
    until("no answer to the probe", lambda: answers(victim, "/livez") == "000")
    say(f"  {victim}: no file descriptors left, /livez does not answer")
    until("a restart", lambda: restarts(the_pod("execute", victim)) > before)
    say(f"  restarted after {time.monotonic() - broken:.0f} s: {before} restarts before, {restarts(the_pod('execute', victim))} now")
    all_ready()
    events = kubectl("get", "events", "--field-selector", f"involvedObject.name={victim},reason=Killing", "-o", "json")
    told = [one["message"] for one in json.loads(events)["items"]]
    if not any("liveness" in one for one in told):
        raise Failed(f"it was restarted, and not for its liveness: {told}")
    say(f"  {told[-1]}")


def all_of(name: str) -> set[str]:
    """The names of a service's ready pods."""
    return {pod["metadata"]["name"] for pod in pods(name) if is_ready(pod)}


def crashes() -> None:
    """Every service is killed, all its pods at once and without notice, and rolled, while learners submit."""
    learners = Learners(submissions(), learners=2)
    learners.go_on("the load began")
    for name in SERVICES:
        before, begun = all_of(name), time.monotonic()
        kubectl("delete", "pods", "-l", f"app.kubernetes.io/name={name}", "--grace-period=0", "--force", "--wait=false")
        until(f"{name} is back", lambda: len(all_of(name) - before) >= len(before))
        back = time.monotonic() - begun
        learners.go_on(f"{name} was killed")
        begun = time.monotonic()
        kubectl("rollout", "restart", f"deployment/{name}")
        kubectl("rollout", "status", f"deployment/{name}", f"--timeout={PATIENCE}s")
        rolled = time.monotonic() - begun
        learners.go_on(f"{name} was rolled")
        say(f"  {name:<17} killed: {len(before)} pods, back after {back:3.0f} s; rolled in {rolled:3.0f} s; {learners.exact()} submissions exact so far")
    say(f"  {learners.end()} submissions were accepted meanwhile, and every stream is exact")
    audit = inside("deploy/execute", "codementor", "audit").strip().splitlines()
    say(f"  {audit[-1]}")


def scales() -> None:
    """The autoscaler adds runners under load and takes them away after it, and busy ones finish."""
    busy = {"question": "tangerine-boxes", "language": "python", "code": "for _ in range(3_000_000):\n    pass\n" + (RIGHT / "solution.py").read_text()}

    def scaler() -> dict:
        return json.loads(kubectl("get", "hpa", "runner", "-o", "json"))

    least = scaler()["spec"]["minReplicas"]
    until("the autoscaler knows the load", lambda: scaler()["status"].get("currentMetrics"))
    until(f"{least} runners", lambda: len(all_of("runner")) == least)
    many, begun = Learners([busy], learners=6), time.monotonic()
    until("more runners", lambda: len(all_of("runner")) > least)
    more = len(all_of("runner"))
    say(f"  {least} runners became {more} after {time.monotonic() - begun:.0f} s of load")
    # What costs next to nothing: a few at a time in Java would keep a runner busy enough to stay.
    accepted, few, begun = many.end(), Learners(submissions()[:1], learners=1), time.monotonic()
    until(f"{least} runners again", lambda: len(pods("runner")) == least, patience=3 * PATIENCE)
    say(f"  and {least} again {time.monotonic() - begun:.0f} s after it")
    say(f"  {accepted + few.end()} submissions were accepted meanwhile, and every stream is exact")


PARTS = (deploy, languages, runner_pod, policies, unready, unhealthy, crashes, scales)


def main() -> int:
    only = os.environ.get("ONLY", "").split()
    for part in PARTS:
        if only and part.__name__ not in only:
            continue
        say(f"{part.__name__}: {part.__doc__}")
        try:
            part()
        except Failed as failed:
            say(f"FAILED {part.__name__}: {failed}")
            print(kubectl("get", "pods", "-o", "wide", check=False))
            print(kubectl("get", "events", "--sort-by=.lastTimestamp", check=False)[-3000:])
            return 1
    if not os.environ.get("KEEP"):
        kubectl("delete", "namespace", SPACE, CLIENT, "--wait=false", space=None)
    say("all of it was seen")
    return 0


if __name__ == "__main__":
    sys.exit(main())
