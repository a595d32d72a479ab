"""A real Apache Kafka, PostgreSQL and MQTT broker, from Python packages alone.

For `gridwatch demo`, `gridwatch up`, the tests and the benchmarks. All listen on loopback only, keep
everything in one folder each, and end with the process that started them, however it ends.

    java.py         which Java runs Kafka            jars/            Kafka itself, downloaded once
    server.py       what the servers share: start, stop, kill, restart
    process.py      a server as a child process      watchdog.py     ends it with this process
    kafka.py        EmbeddedKafka                    kafka_probe.py  the readiness of a broker
    postgres.py     EmbeddedPostgres                 installation.py which PostgreSQL runs
    mqtt.py         EmbeddedMqtt
    account.py      an unprivileged user, for PostgreSQL when we are root
    ports.py        free ports on loopback           report.py       progress messages
"""

from __future__ import annotations

from gridwatch.embedded.kafka import EmbeddedKafka
from gridwatch.embedded.mqtt import EmbeddedMqtt
from gridwatch.embedded.postgres import EmbeddedPostgres

__all__ = ["EmbeddedKafka", "EmbeddedMqtt", "EmbeddedPostgres"]
