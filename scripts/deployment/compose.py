"""What `make compose-test` shows, part by part, with any Docker engine. Every wait is for a condition, with an end.

    python3 scripts/deployment/compose.py FOLDER [--build]        FOLDER: a copy of the checkout, and the compose project's

The commands are those of docs/runbook.md, taken from there, so that a reader's copy works as well.
"""

import json
import os
import re
import secrets
import socket
import subprocess
import sys
import time
from pathlib import Path

from learner import Client, Load, is_exact

FOLDER = Path(sys.argv[1])
BUILD = "--build" in sys.argv
SERVICES = ("gateway", "execute", "question", "evaluation-judge", "evaluation-review", "runner", "kafka", "postgres")
SOLUTIONS = FOLDER / "samples/tangerine-boxes/solutions"
LANGUAGES = {"c": "solution.c", "cpp": "solution.cpp", "java": "solution.java", "python": "solution.py", "javascript": "solution.js"}
# The longest that a container takes from its death to being well again, on a busy host.
PATIENCE = 300
BEGUN = time.monotonic()


class Failed(Exception):
    """One line that says what was not seen."""


def say(text: str) -> None:
    print(f"[{time.monotonic() - BEGUN:5.0f} s] {text}", flush=True)


def run(*command: str, check=True) -> str:
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise Failed(f"{' '.join(command)[:200]}: {(done.stderr or done.stdout).strip()[-1500:]}")
    return done.stdout


def compose(*arguments: str, check=True) -> str:
    return run("docker", "compose", *arguments, check=check)


def shell(script: str) -> str:
    return run("bash", "-euo", "pipefail", "-c", script)


def until(what: str, condition, every: float = 0.5):
    deadline = time.monotonic() + PATIENCE
    while not (answer := condition()):
        if time.monotonic() > deadline:
            raise Failed(f"{what}: not seen in {PATIENCE} s")
        time.sleep(every)
    return answer


def of_runbook(after: str) -> str:
    """The first block of commands after these words, without those for a cluster."""
    text = (FOLDER / "docs/runbook.md").read_text()
    block = re.search(r"```sh\n(.*?)```", text[text.index(after) :], re.DOTALL).group(1)
    lines = [line for line in block.splitlines(keepends=True) if not line.startswith("KUBE")]
    return re.sub(r"^COMPOSE\b", "docker compose", "".join(lines), flags=re.MULTILINE)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def state(service: str) -> dict:
    return json.loads(run("docker", "inspect", compose("ps", "--all", "--quiet", service).strip()))[0]


def is_well(service: str) -> bool:
    return state(service)["State"].get("Health", {}).get("Status") == "healthy"


def start() -> None:
    """With secrets of its own, by the one line of the runbook."""
    line = of_runbook("**One host**").strip()
    if not BUILD:
        line = line.replace(" --build", "")
    say(line)
    shell(line)
    say("all containers are well: " + ", ".join(service for service in SERVICES if is_well(service)))


def first_admin(port: int, password: str) -> str:
    made, _, rest = of_runbook("**The first admin**").partition("\n")
    printed = shell(made)
    code = printed.split("with: ")[1].split()[0]
    rest = rest.replace("http://localhost:8080", f"http://127.0.0.1:{port}")
    rest = rest.replace("THE-CODE", code).replace("a long password", password)
    say("the first admin has set a password with the one-time code")
    return shell(f'{rest}\necho "$token"').strip()


def first_question(port: int, token: str) -> None:
    stream = shell(f"url=http://127.0.0.1:{port} token={token}\n{of_runbook('**A first question**')}")
    names = re.findall(r"^event: (\S+)", stream, re.MULTILINE)
    if names[-1:] != ["done"]:
        raise Failed(f"the runbook's submission did not come to its end: {stream[-1500:]}")
    say(f"the runbook's curl line made a question and a submission: {' '.join(names)}")


def submissions() -> list[dict]:
    code = {language: (SOLUTIONS / file).read_text() for language, file in LANGUAGES.items()}
    return [{"question": "tangerine-boxes", "language": language, "code": code[language]} for language in LANGUAGES]


def languages(port: int, client: Client) -> None:
    """The README's line, with each language's solution in the place of its own."""
    judged = judgements()
    for body in submissions():
        stream = run(
            "curl", "-sSN", "--max-time", "180", f"http://127.0.0.1:{port}/api/v1/submissions",
            "-H", f"Authorization: Bearer {client.token()}", "-H", "Content-Type: application/json",
            "-H", "Accept: text/event-stream", "-d", json.dumps(body),
        )  # fmt: skip
        names = re.findall(r"^event: (\S+)", stream, re.MULTILINE)
        verdict = re.search(r"^event: verdict$.*?^data: (\{.*?\})$", stream, re.MULTILINE | re.DOTALL)
        found = json.loads(verdict.group(1)) if verdict else {}
        if names[-1:] != ["done"] or found.get("verdict") != "AC" or not found["passed"] == found["total"] > 0:
            raise Failed(f"{body['language']}: {stream[-1500:]}")
        say(f"  {body['language']:<10} {len(names)} events to done, {found['passed']}/{found['total']} tests, {found['time_ms']} ms, {found['memory_kib']} KiB")
    more = judgements() - judged
    if more < len(LANGUAGES):
        raise Failed(f"the runner's container has judged {more} of {len(LANGUAGES)}")


def metrics(service: str) -> dict[str, float]:
    lines = compose("exec", "-T", service, "curl", "-s", "http://127.0.0.1:9080/metrics").splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[:1] not in ("#", ""))}


def judgements() -> int:
    return int(sum(value for name, value in metrics("runner").items() if name.startswith("codementor_http_requests_total") and "judge" in name))


def runner() -> None:
    """Limits by cgroups, without privileges, and out of reach of what it has nothing to do with."""
    mode = re.search(r'codementor_sandbox_mode\{mode="(\w+)"\}', "\n".join(metrics("runner")))
    if not mode or mode.group(1) not in ("v2", "hybrid"):
        raise Failed(f"the runner's sandbox has no cgroups: {mode and mode.group(1)}")
    host = state("runner")["HostConfig"]
    if host["Privileged"]:
        raise Failed("the runner is privileged")
    say(f"the runner's sandbox limits by cgroups ({mode.group(1)}); not privileged, capabilities {' '.join(host['CapAdd'])}")
    for target, open_ in {"question:8080": True, "kafka:9092": False, "postgres:5432": False, "gateway:8080": False}.items():
        script = f"timeout 5 bash -c 'exec 3<>/dev/tcp/{target.replace(':', '/')}' 2>/dev/null && echo open || echo closed"
        if (compose("exec", "-T", "runner", "sh", "-c", script).strip() == "open") != open_:
            raise Failed(f"{target} is {'closed' if open_ else 'open'} to the runner")
    say("the runner reaches question, and no Kafka, Postgres or gateway")


def kill(service: str) -> None:
    """As a crash does, from outside of the container: what `docker kill` ends stays ended."""
    run(
        "docker", "run", "--rm", "--pid", "host", "--user", "0", "--network", "none", "--security-opt", "apparmor=unconfined",
        "--entrypoint", "sh", "codementor:0.1.0", "-c", f"kill -9 {state(service)['State']['Pid']}",
    )  # fmt: skip


def crashes(load: Load) -> None:
    """Each container is killed, and then told to restart, while learners submit."""
    for service in SERVICES:
        for how, act in (("killed", lambda: kill(service)), ("restarted", lambda: compose("restart", "--no-deps", service))):
            before, since = state(service)["State"]["StartedAt"], time.monotonic()
            act()
            until(f"{service} is well again", lambda: state(service)["State"]["StartedAt"] != before and is_well(service))
            well, exact = time.monotonic() - since, load.exact()
            until(f"submissions end after {service} was {how}", lambda: load.exact() >= exact + 3)
            say(f"  {service:<18} {how:<9} well after {well:4.1f} s; {load.exact()} submissions exact so far")


def audit() -> None:
    say(compose("exec", "-T", "execute", "codementor", "audit").strip().splitlines()[-1])


def everything(client: Client, ids: list[str]) -> dict[str, list]:
    return {one: client.follow(one) for one in ids}


def stop_and_start(client: Client, ids: list[str]) -> None:
    before = everything(client, ids)
    waiting = [client.submit(body) for body in submissions()[:3]]
    compose("stop")
    compose("up", "--detach", "--wait")
    if wrong := [one for one in waiting if not is_exact(client.follow(one))]:
        raise Failed(f"submitted just before the stop, and not judged after the start: {wrong}")
    say(f"`docker compose stop` and `up`: {len(waiting)} submitted just before were judged after it")
    compose("down")
    compose("up", "--detach", "--wait")
    after = everything(client, ids)
    if different := [one for one in ids if before[one] != after[one]]:
        raise Failed(f"not as before: {different}")
    say(f"`docker compose down` and `up`: all {len(ids)} submissions are there, each stream event for event")


def backup_and_restore(client: Client, ids: list[str]) -> None:
    """By the runbook, into empty volumes."""
    before = everything(client, ids)
    shell(of_runbook("**By hand**").partition("# A cluster")[0])
    sizes = ", ".join(f"{name} {(FOLDER / name).stat().st_size >> 10} KiB" for name in ("codementor.dump", "blobs.tar.gz", "secrets.tar.gz"))
    compose("down", "--volumes")
    shell(of_runbook("and back, into an empty place"))
    after = everything(client, ids)
    if different := [one for one in ids if before[one] != after[one]]:
        raise Failed(f"not as when the backup was made: {different}")
    body = submissions()[0]
    if not is_exact(client.follow(client.submit(body))):
        raise Failed("a new submission is not judged after the restore")
    say(f"a backup ({sizes}) restored into empty volumes: all {len(ids)} submissions are there, and a new one is judged")


def main() -> None:
    port, password = free_port(), secrets.token_hex(12)
    os.environ["CODEMENTOR_PORT"] = f"127.0.0.1:{port}"
    start()
    first_question(port, first_admin(port, password))
    client = Client("127.0.0.1", port, "you@example.org", password)
    languages(port, client)
    runner()
    load = Load(client, submissions(), learners=2)
    crashes(load)
    accepted, wrong = load.end()
    if wrong:
        raise Failed(f"{len(wrong)} of {accepted} submissions: " + "; ".join(wrong[:3]))
    say(f"{accepted} submissions were accepted meanwhile, and every stream is exact")
    audit()
    stop_and_start(client, load.accepted)
    audit()
    backup_and_restore(client, load.accepted)
    say("done")


if __name__ == "__main__":
    try:
        main()
    except Failed as failed:
        sys.exit(f"compose-test: {failed}")
