"""Runs all checks in parallel, each in a thread of its own, within one time limit.

A name server or a host that drops packets can block a check for minutes. A check that has not finished within
the limit is a finding of its own.
"""

from __future__ import annotations

import platform
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from gridwatch import __version__
from gridwatch.cli.doctor.brokers import BROKER, check_broker
from gridwatch.cli.doctor.databases import DATABASE, check_database
from gridwatch.cli.doctor.findings import Finding, good, wrong
from gridwatch.cli.doctor.registry import REGISTRY, check_registry
from gridwatch.cli.doctor.services import PARTITIONS, SINK, WORKER, check_sink, check_worker
from gridwatch.domain.partition import processor
from gridwatch.errors import GridwatchError
from gridwatch.settings import Settings

LIMIT_SECONDS = 25.0
_LIBRARIES = ("faust-streaming", "mode-streaming", "aiokafka", "rocksdict", "confluent-kafka", "SQLAlchemy")

Check = Callable[[Settings], list[Finding]]
CHECKS: dict[str, Check] = {
    BROKER: check_broker,
    WORKER: check_worker,
    DATABASE: check_database,
    SINK: check_sink,
    REGISTRY: check_registry,
}


@dataclass(frozen=True)
class Diagnosis:
    """Every finding, in the order of the flow."""

    findings: list[Finding]

    @property
    def ok(self) -> bool:
        return all(finding.ok for finding in self.findings)

    @property
    def partitions(self) -> list[dict[str, Any]]:
        """The worker's own row of each partition; empty when no worker answers."""
        rows = [
            finding.details.get("partitions", []) for finding in self.findings if finding.check == PARTITIONS
        ]
        return list(rows[0]) if rows else []

    def as_dict(self) -> dict[str, Any]:
        return {"ok": self.ok, "findings": [finding.as_dict() for finding in self.findings]}


def diagnose(settings: Settings, limit: float = LIMIT_SECONDS) -> Diagnosis:
    """Run every check; takes at most about `limit` seconds."""
    answers: dict[str, list[Finding]] = {}
    threads = {
        # Daemons: one that hangs in a library must not keep the command from ending.
        name: threading.Thread(target=_run_check, args=(name, check, settings, answers), daemon=True)
        for name, check in CHECKS.items()
    }
    deadline = time.monotonic() + limit
    for thread in threads.values():
        thread.start()
    for thread in threads.values():
        thread.join(max(0.0, deadline - time.monotonic()))
    findings = [versions()]
    for name in CHECKS:
        unanswered = wrong(
            name, f"no answer within {limit:g} s", "check the address and the network on the way"
        )
        findings += answers.get(name, [unanswered])
    return Diagnosis(findings)


def _run_check(name: str, check: Check, settings: Settings, answers: dict[str, list[Finding]]) -> None:
    try:
        answers[name] = check(settings)
    except GridwatchError as problem:
        answers[name] = [wrong(name, problem.message, problem.remedy)]
    except Exception as problem:  # doctor itself must not fail
        answers[name] = [
            wrong(name, f"the check failed: {problem!r}", "please report this with the output of --json")
        ]


def versions() -> Finding:
    """The versions of gridwatch and its libraries."""
    libraries = {name: version(name) for name in _LIBRARIES}
    rules = "rules in Python" if (processor.__file__ or "").endswith(".py") else "rules compiled"
    message = (
        f"gridwatch {__version__} ({rules}), Python {platform.python_version()},"
        f" Faust {libraries['faust-streaming']}"
    )
    more = {"gridwatch": __version__, "python": platform.python_version(), "rules": rules}
    return good("versions", message, **more, **libraries)
