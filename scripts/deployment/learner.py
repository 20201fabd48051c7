"""A learner at the gateway: submits, follows the stream to its end however often it is cut, and keeps what was heard.

    python3 learner.py HOST PORT EMAIL PASSWORD        learners from elsewhere, until a second line comes; the first is
                                                       {"bodies": [...], "learners": 2}; says each second how far they are, in JSON

Nothing of this project is needed to run it.
"""

import http.client
import json
import sys
import threading
import time
import uuid

PATIENCE = 300
TERMINAL = ("done", "failed", "cancelled")
AWAY = (OSError, http.client.HTTPException, ValueError)


class Refused(Exception):
    """An answer that says no."""


class Client:
    def __init__(self, host: str, port: int, email: str, password: str):
        self.host, self.port, self.email, self.password = host, port, email, password
        self.lock, self.until, self.value = threading.Lock(), 0.0, ""

    def ask(self, method: str, path: str, body=None, headers=None, signed=True, timeout=20):
        connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        headers = {"Content-Type": "application/json", **(headers or {})}
        if signed:
            headers["Authorization"] = f"Bearer {self.token()}"
        connection.request(method, f"/api/v1{path}", json.dumps(body) if body is not None else None, headers)
        return connection.getresponse()

    def answer(self, method: str, path: str, body=None, headers=None, signed=True):
        response = self.ask(method, path, body, headers, signed)
        text = response.read()
        if response.status >= 300:
            raise Refused(f"{method} {path}: {response.status} {text.decode(errors='replace')[:300]}")
        return json.loads(text) if text else None

    def token(self) -> str:
        """Signs in again before the token ends."""
        with self.lock:
            if time.monotonic() > self.until:
                body = {"email": self.email, "password": self.password}
                self.value = patiently(lambda: self.answer("POST", "/auth/login", body, signed=False))["access_token"]
                self.until = time.monotonic() + 400
            return self.value

    def submit(self, body: dict) -> str:
        """Tries again with the same key until it is accepted: then it is accepted once."""
        key = {"Idempotency-Key": str(uuid.uuid4())}
        return patiently(lambda: self.answer("POST", "/submissions", body, key))["id"]

    def follow(self, submission: str) -> list[tuple[str, str, dict]]:
        """Number, name and data of each event, from the first to the last; resumes where the stream was cut."""
        heard: list[tuple[str, str, dict]] = []
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": heard[-1][0]} if heard else {})
            try:
                response = self.ask("GET", f"/submissions/{submission}/events", headers=headers, timeout=30)
                for event in events(response) if response.status == 200 else ():
                    heard.append(event)
                    if event[1] in TERMINAL:
                        return heard
            except AWAY:
                pass
            time.sleep(0.3)
        return heard


def events(response):
    name = number = ""
    for line in response:
        key, _, value = line.decode().rstrip("\r\n").partition(": ")
        if key == "event":
            name = value
        elif key == "id":
            number = value
        elif key == "data" and name and number:
            yield number, name, json.loads(value)
            name = ""


def patiently(step):
    """What a client does while a service is away."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return step()
        except (*AWAY, Refused):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)


def is_exact(heard: list[tuple[str, str, dict]]) -> bool:
    """Accepted once, ended once by `done`, no event twice, and the last verdict is right."""
    # Where it stands in the queue is told at times, and is no event of the record.
    lasting = [one for one in heard if one[1] != "queued"]
    numbers, names = [one[0] for one in lasting], [one[1] for one in lasting]
    verdicts = [one[2]["verdict"] for one in lasting if one[1] == "verdict"]
    return (
        names[:1] == ["accepted"]
        and names[-1:] == ["done"]
        and names.count("accepted") == names.count("done") == 1
        and len(set(numbers)) == len(numbers)
        and verdicts[-1:] == ["AC"]
    )


class Load:
    """Learners who submit and watch all the time, until they are told to end."""

    def __init__(self, client: Client, bodies: list[dict], learners: int):
        self.client, self.bodies = client, bodies
        self.ended, self.lock = threading.Event(), threading.Lock()
        self.accepted: list[str] = []
        self.heard: dict[str, list] = {}
        self.threads = [threading.Thread(target=self.learner, args=(number,), daemon=True) for number in range(learners)]
        for thread in self.threads:
            thread.start()

    def learner(self, number: int) -> None:
        while not self.ended.is_set():
            submission = self.client.submit(self.bodies[number % len(self.bodies)])
            number += len(self.threads)
            with self.lock:
                self.accepted.append(submission)
            heard = self.client.follow(submission)
            with self.lock:
                self.heard[submission] = heard
            # An account may submit so often a minute.
            self.ended.wait(2)

    def exact(self) -> int:
        with self.lock:
            return sum(map(is_exact, self.heard.values()))

    def end(self) -> tuple[int, list[str]]:
        """How many were accepted, and what is wrong with those whose stream was not exact."""
        self.ended.set()
        for thread in self.threads:
            thread.join(2 * PATIENCE)
        wrong = [
            f"{one}: {[(number, name, data.get('verdict')) for number, name, data in self.heard.get(one, [])]}"
            for one in self.accepted
            if not is_exact(self.heard.get(one, []))
        ]
        return len(self.accepted), wrong


def main() -> None:
    host, port, email, password = sys.argv[1:]
    work = json.loads(sys.stdin.readline())
    load = Load(Client(host, int(port), email, password), work["bodies"], work["learners"])
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.readline(), ended.set()), daemon=True).start()
    while not ended.wait(1):
        print(json.dumps({"accepted": len(load.accepted), "exact": load.exact()}), flush=True)
    accepted, wrong = load.end()
    print(json.dumps({"accepted": accepted, "exact": accepted - len(wrong), "wrong": wrong}), flush=True)


if __name__ == "__main__":
    main()
