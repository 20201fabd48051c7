"""Alerts and dashboard: every query parses, every metric and label in them exists in the code, every alert is in the runbook."""

import json
import re

import promql_parser

from findings import Findings
from product import source

# Prometheus' own, and what its operator puts on everything.
GIVEN_LABELS = {"le", "job", "instance", "pod", "namespace"}


def check_query(findings, product, subject: str, query: str) -> None:
    text = query.replace("$__rate_interval", "5m")
    try:
        promql_parser.parse(text)
    except ValueError as error:
        findings.unless(False, subject, f"does not parse: {error}: {query}")
        return
    metrics, used = product.metrics(), set(GIVEN_LABELS)
    for name, selector in re.findall(r"\b(codementor_\w+)(\{[^}]*\})?", text):
        base = re.sub(r"_(bucket|sum|count)$", "", name)
        known = metrics.get(name) or (metrics.get(base) if metrics.get(base, ("",))[0] == "histogram" else None)
        if not findings.unless(known, subject, f"{name} is no metric of ours"):
            continue
        kind, labels = known
        findings.unless(kind != "histogram" or name != base, subject, f"{name} is a histogram: ask its _bucket, _sum or _count")
        findings.unless(not name.endswith("_bucket") or base.endswith("_seconds"), subject, f"{base} has no buckets: only those in seconds do")
        for label in re.findall(r"(\w+)\s*[=!]", selector):
            findings.unless(label in labels, subject, f"{name} has no label {label}; it has {sorted(labels)}")
        used |= labels
    for label in re.findall(r"\w+", " ".join(re.findall(r"\b(?:by|without|on)\s*\(([^)]*)\)", text))):
        findings.unless(label in used, subject, f"no metric of it has the label {label}: {query}")


def check_rules(findings, product, rules: list) -> None:
    runbook = source("docs/runbook.md")
    headings = set(re.findall(r"^### (\w+)$", runbook, re.MULTILINE))
    names = [rule["alert"] for rule in rules]
    for rule in rules:
        subject = f"alert {rule['alert']}"
        check_query(findings, product, subject, rule["expr"])
        findings.unless(rule["labels"].get("severity") in ("page", "ticket"), subject, "has no severity")
        findings.unless(rule["alert"] in headings, subject, "has no section in docs/runbook.md")
    findings.unless(len(names) == len(set(names)), "alerts", "two have one name")
    for heading in headings - set(names):
        findings.unless(False, "docs/runbook.md", f"tells of an alert {heading}, which there is not")


def check_dashboard(findings, product, text: str) -> None:
    dashboard = json.loads(text)
    ids = [panel["id"] for panel in dashboard["panels"]]
    findings.unless(len(ids) == len(set(ids)), "dashboard", "two panels have one id")
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            check_query(findings, product, f"panel {panel['title']!r}", target["expr"])
            shown = re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])
            kept = re.findall(r"\w+", " ".join(re.findall(r"by \(([^)]*)\)", target["expr"])))
            findings.unless(set(shown) <= set(kept), f"panel {panel['title']!r}", f"shows {shown}, and the query keeps {kept}")


def check(renderings: list, product) -> list:
    """Once over all renderings: rules and dashboard are the same in each."""
    findings = Findings("monitoring")
    rules = [rule for one in renderings for group in one.of("PrometheusRule") for sets in group["spec"]["groups"] for rule in sets["rules"]]
    unique = list({rule["alert"]: rule for rule in rules}.values())
    findings.unless(unique, "alerts", "there are none")
    check_rules(findings, product, unique)
    boards = {text for one in renderings for config in one.of("ConfigMap") if config["metadata"].get("labels", {}).get("grafana_dashboard") for text in config["data"].values()}
    findings.unless(boards, "dashboard", "there is none")
    for text in boards:
        check_dashboard(findings, product, text)
    for one in renderings:
        for scaled in one.of("ScaledObject"):
            for trigger in scaled["spec"]["triggers"]:
                if trigger["type"] == "prometheus":
                    check_query(findings, product, f"ScaledObject/{scaled['metadata']['name']}", trigger["metadata"]["query"])
    return findings
