"""`gridwatch doctor`: what is reachable, what is wrong, and what mends it. It only looks.

findings.py      what one look found             brokers.py    broker, topics, where the groups stand
api_versions.py  which Kafka a broker is         services.py   the pages of worker and sink
databases.py     kind, schema, clock             diagnosis.py  all of it at once, within a time limit
"""

from __future__ import annotations

from gridwatch.cli.doctor.diagnosis import Diagnosis, diagnose
from gridwatch.cli.doctor.findings import Finding

__all__ = ["Diagnosis", "Finding", "diagnose"]
