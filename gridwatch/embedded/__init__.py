"""A real Apache Kafka and a real PostgreSQL from nothing but Python packages.

For `gridwatch demo`, `gridwatch up`, the tests and the benchmarks. Both listen on loopback only, keep
everything in the folder they are given, and end with the process that started them, however it ends.

    java.py         which Java runs Kafka            coordinates.py  the jars, pinned with their checksums
    jars.py         the jars in the user's cache     fetch.py        how they get there, once
    server.py       what both servers share: start, stop, kill, restart
    process.py      a server as a child process      watchdog.py     ends it when we are gone
    kafka.py        EmbeddedKafka                    kafka_probe.py  when a broker is truly ready
    postgres.py     EmbeddedPostgres                 installation.py which PostgreSQL there is
    account.py      an unprivileged user, for PostgreSQL when we are root
    ports.py        free ports on loopback           report.py       what a person is told meanwhile
"""

from __future__ import annotations

from gridwatch.embedded.kafka import EmbeddedKafka
from gridwatch.embedded.postgres import EmbeddedPostgres

__all__ = ["EmbeddedKafka", "EmbeddedPostgres"]
