"""Every setting of gridwatch, once: name, type, default and meaning.

A key is read from the environment (`GRIDWATCH_GRACE=20m`), then from one TOML file (`grace = "20m"`,
named by `--config` or `GRIDWATCH_CONFIG`), then from the default here. Durations are written `90s`,
`15m`, `1h`, `7d` or as plain seconds. A wrong value stops the program at the start with exit code 2.

    flows.py       the flow of a worker, and the flows of the sink
    brokers.py     address, security, consumer group, partitions
    rules.py       the rules of the stream, and the policy made from them
    windows.py     windows of consumption, and the flows whose regions are added up
    worker.py      local state, sessions, batches, idle ticks
    readiness.py   when a service is not ready
    database.py    the database, what is kept in it, and the sink
    pages.py       web pages and log
    ingest.py      the HTTP entrance
    bridge.py      the MQTT entrance
    flat.py        all of them as one flat, frozen class, and where values come from
    loading.py     loading them, and the errors of wrong ones

A further concern is a file with a class of fields and validators, and a base of `Settings` in flat.py.
"""

from __future__ import annotations

from gridwatch.settings.brokers import bootstrap_servers
from gridwatch.settings.flat import PREFIX, Settings
from gridwatch.settings.loading import load_settings

__all__ = ["PREFIX", "Settings", "bootstrap_servers", "load_settings"]
