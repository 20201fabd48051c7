"""Where checks put what they find, and the few questions that all of them ask."""

import re

from product import EVERYWHERE

# Longest judgement that runners are sized for, in seconds: k8s/README.md, "Ending".
LONGEST_JUDGEMENT = 300
# What the end of a process needs besides.
MARGIN = 10


class Findings(list):
    """What is wrong, a sentence each."""

    def __init__(self, place: str):
        super().__init__()
        self.place = place

    def unless(self, holds, subject: str, sentence: str) -> bool:
        if not holds:
            self.append(f"{self.place}: {subject}: {sentence}")
        return bool(holds)


def is_pinned(image: str) -> bool:
    """A whole version or a digest; a name alone, `latest` or a major version move."""
    return bool(re.search(r"@sha256:[0-9a-f]{64}$|:v?\d+\.\d+[\w.-]*$", image))


def check_environment(findings, product, subject: str, command: str, env: dict, role: str | None) -> None:
    """Every variable exists and has a value of the right form; every required one is set. None stands for a secret's value."""
    settings = product.settings(command)
    if not findings.unless(settings, subject, f"there is no `codementor {command}`"):
        return
    for name, value in env.items():
        if name in EVERYWHERE:
            continue
        if findings.unless(name in settings, subject, f"{name} is no setting of `codementor {command}`") and value is not None:
            fault = settings[name].fault(value)
            findings.unless(not fault, subject, f"{name}={value}: it {fault}")
    # A reviewer asks no runner and hands out no tests.
    unused = {"CODEMENTOR_RUNNER_URLS", "CODEMENTOR_QUESTION_URL"} if role == "review" else set()
    # A job that ends listens nowhere.
    for name, setting in settings.items():
        if name not in env and name not in unused:
            findings.unless(not setting.required, subject, f"{name} is required and not set")
            findings.unless(not setting.is_loopback, subject, f"{name} is not set, and its default {setting.default} is of no use in a container")


def check_end(findings, product, subject: str, command: str, env: dict, killed_after: int, pause: int = 0) -> None:
    """An instance may finish what it has begun, and is not killed before."""
    role = env.get("CODEMENTOR_ROLE")
    settings = product.settings(command)
    longest = 0
    if command == "runner" or (command == "evaluation" and role != "review"):
        longest = LONGEST_JUDGEMENT
    elif role == "review":
        longest = int(env.get("CODEMENTOR_REVIEW_TOTAL_MS") or settings["CODEMENTOR_REVIEW_TOTAL_MS"].default) // 1000
    grace = int(env.get("CODEMENTOR_SHUTDOWN_GRACE_S") or settings["CODEMENTOR_SHUTDOWN_GRACE_S"].default)
    findings.unless(grace >= longest, subject, f"drops after {grace} s what it has begun, and the longest takes {longest} s")
    needed = grace + pause + MARGIN
    findings.unless(killed_after >= needed, subject, f"is killed after {killed_after} s, and may need {needed} s to end")


def address(value: str):
    """Host and port of an address of ours, else None."""
    match = re.fullmatch(r"http://([a-z-]+):(\d+)", value or "")
    return match and (match.group(1), int(match.group(2)))


ADDRESSES = ("CODEMENTOR_EXECUTE_URL", "CODEMENTOR_QUESTION_URL", "CODEMENTOR_RUNNER_URLS")
