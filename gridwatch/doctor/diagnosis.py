"""All looks at once, each in a thread of its own, and none of them waited for longer than the limit.

The limit is on the whole: a name server or a host that swallows packets can hold a look for minutes, and
whoever asks what is wrong wants to know now. A look that is still at it then is a finding of its own.
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
from gridwatch.doctor.brokers import BROKER, look_at_broker
from gridwatch.doctor.databases import DATABASE, look_at_database
from gridwatch.doctor.findings import Finding, good, wrong
from gridwatch.doctor.services import PARTITIONS, SINK, WORKER, look_at_sink, look_at_worker
from gridwatch.domain.partition import processor
from gridwatch.errors import GridwatchError
from gridwatch.settings import Settings

LIMIT_SECONDS = 25.0
_LIBRARIES = ("faust-streaming", "mode-streaming", "aiokafka", "rocksdict", "confluent-kafka", "SQLAlchemy")

Look = Callable[[Settings], list[Finding]]
LOOKS: dict[str, Look] = {
    BROKER: look_at_broker,
    WORKER: look_at_worker,
    DATABASE: look_at_database,
    SINK: look_at_sink,
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
    """Look at everything; takes at most about `limit` seconds."""
    answers: dict[str, list[Finding]] = {}
    threads = {
        # Daemons: one that hangs in a library must not keep the command from ending.
        name: threading.Thread(target=_look, args=(name, look, settings, answers), daemon=True)
        for name, look in LOOKS.items()
    }
    deadline = time.monotonic() + limit
    for thread in threads.values():
        thread.start()
    for thread in threads.values():
        thread.join(max(0.0, deadline - time.monotonic()))
    findings = [versions()]
    for name in LOOKS:
        unanswered = wrong(
            name, f"no answer within {limit:g} s", "check the address and the network on the way"
        )
        findings += answers.get(name, [unanswered])
    return Diagnosis(findings)


def _look(name: str, look: Look, settings: Settings, answers: dict[str, list[Finding]]) -> None:
    try:
        answers[name] = look(settings)
    except GridwatchError as problem:
        answers[name] = [wrong(name, problem.message, problem.remedy)]
    except Exception as problem:  # the one thing doctor must never do is fail itself
        answers[name] = [
            wrong(name, f"looking failed: {problem!r}", "please report this with the output of --json")
        ]


def versions() -> Finding:
    """What runs here."""
    libraries = {name: version(name) for name in _LIBRARIES}
    rules = "rules in Python" if (processor.__file__ or "").endswith(".py") else "rules compiled"
    said = (
        f"gridwatch {__version__} ({rules}), Python {platform.python_version()},"
        f" Faust {libraries['faust-streaming']}"
    )
    more = {"gridwatch": __version__, "python": platform.python_version(), "rules": rules}
    return good("versions", said, **more, **libraries)
