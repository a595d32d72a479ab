"""`gridwatch doctor`: what is reachable, what is wrong, and how to fix it. Read-only.

findings.py      the result of one check         brokers.py    broker, topics, lag of the groups
api_versions.py  the release of a broker         services.py   the pages of worker and sink
databases.py     kind, schema, clock             diagnosis.py  all checks in parallel, within a time limit
clocks.py        the difference of two clocks    registry.py   the book, its outbox and its topic
"""

from __future__ import annotations

from gridwatch.cli.doctor.diagnosis import Diagnosis, diagnose
from gridwatch.cli.doctor.findings import Finding

__all__ = ["Diagnosis", "Finding", "diagnose"]
