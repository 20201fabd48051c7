"""What the product says of itself: settings from `--help`, names and times from the sources.

Never holds a list of its own that could differ from the code.
"""

import re
import subprocess
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ("gateway", "execute", "question", "evaluation", "runner")
# Read by every service before its command line is.
EVERYWHERE = dict.fromkeys(("CODEMENTOR_LOG", "OTEL_EXPORTER_OTLP_ENDPOINT", "CODEMENTOR_TRACES_SHARE"), "crates/service/src/config.rs")
# The bits of Linux that the runner asks for, by number.
CAPABILITIES = {0: "CHOWN", 1: "DAC_OVERRIDE", 5: "KILL", 6: "SETGID", 7: "SETUID", 8: "SETPCAP", 21: "SYS_ADMIN"}


@dataclass
class Setting:
    """One variable of one service."""

    flag: str
    takes_value: bool
    required: bool
    default: str | None
    allowed: list[str] = field(default_factory=list)

    def fault(self, value: str) -> str | None:
        """Why this value will not do, as far as `--help` tells."""
        if not self.takes_value and value not in ("true", "false"):
            return "is true or false"
        if self.allowed and value and value not in self.allowed:
            return f"is one of {', '.join(self.allowed)}"
        if re.fullmatch(r"\d+", self.default or "") and not re.fullmatch(r"\d+", value):
            return "is a number"
        if re.fullmatch(r"127\.0\.0\.1:\d+", self.default or "") and not re.search(r":\d+$", value):
            return "ends with a port"
        return None

    @property
    def is_loopback(self) -> bool:
        """Whether the default is of no use in a container."""
        return "127.0.0.1" in (self.default or "")


def source(path: str) -> str:
    return (ROOT / path).read_text()


def sources() -> list[str]:
    return [path.read_text() for path in sorted(ROOT.glob("crates/*/src/**/*.rs"))]


def found(pattern: str, path: str) -> list[str]:
    """All matches; none is a fault of this check, which must then follow the code."""
    matches = re.findall(pattern, source(path), re.DOTALL)
    if not matches:
        raise SystemExit(f"check-manifests: {path} no longer has {pattern!r}: adapt scripts/manifests/product.py")
    return matches


class Product:
    """The binary and the sources that it was made of."""

    def __init__(self, binary: str):
        self.binary = binary
        self.paths = set(found(r'"(/(?:livez|readyz|startupz|metrics))"', "crates/service/src/ops.rs"))
        topic = "crates/contract/src/topic.rs"
        self.groups = set(found(r'pub const [A-Z_]+: &str = "([a-z-]+)"', topic))
        self.topics = set(found(r'=> "(codementor\.[a-z.-]+\.v\d+)"', topic))
        bits = re.findall(r"1(?: << (\d+))?", found(r"const NEEDED: u64 = ([^;]+);", "crates/sandbox/src/spawn.rs")[0])
        self.capabilities = {CAPABILITIES[int(bit or 0)] for bit in bits}
        for name, path in EVERYWHERE.items():
            found(name, path)

    @cache
    def settings(self, command: str) -> dict[str, Setting]:
        """The variables of a service or of `setup`, by name."""
        done = subprocess.run([self.binary, command, "--help"], env={}, capture_output=True, text=True, check=False)
        if done.returncode:
            return {}
        usage = re.search(r"^Usage: .*$", done.stdout, re.MULTILINE).group()
        required = set(re.findall(r"(?<!\[)--([a-z-]+)", usage))
        settings = {}
        for block in re.split(r"^\s+(?:-\w, )?--", done.stdout, flags=re.MULTILINE)[1:]:
            name = re.search(r"\[env: ([A-Z_0-9]+)", block)
            if not name:
                continue
            flag = re.match(r"[a-z-]+", block).group()
            default = re.search(r"\[default: ([^\]]*)\]\s*(?:\[|$|\n)", block)
            settings[name.group(1)] = Setting(
                flag=flag,
                takes_value=bool(re.match(r"[a-z-]+ <", block)),
                required=flag in required,
                default=default and default.group(1),
                allowed=re.findall(r"^\s+- ([a-z]+):", block, re.MULTILINE),
            )
        return settings

    @cache
    def metrics(self) -> dict[str, tuple[str, set[str] | None]]:
        """Kind and labels of every metric; labels are None where they cannot be read from the source."""
        metrics = {}
        call = re.compile(r'(counter|gauge|histogram)!\(\s*"(codementor_\w+)"(.*?)\)\s*\.', re.DOTALL)
        one = re.compile(r'(counter|gauge|histogram)!\(\s*"(codementor_\w+)"\s*,?([^;]*?)\)\s*(?:[.;])', re.DOTALL)
        for text in sources():
            for match in [*call.finditer(text), *one.finditer(text)]:
                kind, name, rest = match.groups()
                labels = set(re.findall(r'"(\w+)" =>', rest))
                if "&labels" in rest:
                    before = text[: match.start()].rsplit("let labels = [", 1)[-1]
                    labels |= set(re.findall(r'\(\s*"(\w+)"', before))
                    # `let [service, route, method] = labels;` goes on with the former ones.
                    labels |= set(re.findall(r"\w+", "".join(re.findall(r"let \[([\w, ]+)\] = labels", text))))
                known = metrics.get(name, (kind, set()))[1]
                metrics[name] = (kind, known | labels)
        return metrics
