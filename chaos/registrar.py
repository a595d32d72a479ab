"""The registry under faults: a book that changes, and a relay that is killed while it publishes.

The book is of a flow of its own (`ledger`) that no worker reads. Records that the relay repeats after a kill
would move the offsets of all that follows on a raw topic, and with them ids of outputs; the control records
that the workers read are part of the input. What is compared is what the relay promises: each version of each
row of the book is published, newer ones after older ones, and the last is the book's.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psycopg2
from sqlalchemy.exc import DBAPIError

from chaos.compare.changelog import Reader
from gridwatch.deployment.environment import environment_of
from gridwatch.deployment.polling import until
from gridwatch.deployment.process import ChildProcess
from gridwatch.errors import GridwatchError
from gridwatch.registry.book import Timing, apply
from gridwatch.registry.entities import METER, OUTAGE, REGION, Entity
from gridwatch.registry.files import Table
from gridwatch.registry.problems import Problems
from gridwatch.settings import Settings
from gridwatch.topics import METER_REGISTRY, flow
from sinks.database import connect

FLOW = "ledger"
TOPICS = (flow(FLOW).raw, METER_REGISTRY)
_METERS = 40
_CHANGES = 30
_TIMEOUT_SECONDS = 75.0
#: Every row of a table of the book, without what depends on the wall clock.
_ROWS = "SELECT to_jsonb(t) - 'updated_at' || jsonb_build_object('key', t.{key}) FROM {table} t"
_STOP_SECONDS = 10.0
_SAID = Timing(as_of="2024-01-01T00:00:00Z")


class Registrar:
    """Changes the book step by step, and keeps a relay running."""

    def __init__(self, settings: Settings, folder: Path, common: dict[str, Any], seed: int) -> None:
        self._settings = settings.model_copy(update={"flow": FLOW, "flows": (FLOW,)})
        self._steps = list(_changes(random.Random(f"book {seed}")))  # noqa: S311  to be repeated
        self._done = 0
        command = [sys.executable, "-m", "gridwatch", "relay"]
        environment = environment_of({**common, "flow": FLOW, "flows": FLOW}, inherited=False)
        self.relay = ChildProcess("relay", command, folder, environment, grace=_STOP_SECONDS)

    def advance(self, share: float) -> None:
        """Make this share of the changes; a change whose answer was lost is made again, and is none then."""
        self.relay.start()
        while self._done < round(share * len(self._steps)):
            entity, rows = self._steps[self._done]
            until(
                "the book is changed",
                partial(self._change, entity, rows),
                _TIMEOUT_SECONDS,
                transient=(DBAPIError, GridwatchError),
            )
            self._done += 1

    def _change(self, entity: Entity, rows: list[dict[str, str]]) -> bool:
        head = tuple(rows[0])
        lines = ((number, tuple(row.values())) for number, row in enumerate(rows, 2))
        with connect(self._settings.database) as connection:
            table = Table("chaos", head, lines, len(rows))
            apply(connection, entity, table, self._settings, Problems(), timing=_SAID)
        return True

    def kill(self, away: float) -> None:
        """Kill the relay; it comes back after a while."""
        self.relay.kill()
        time.sleep(away)
        self.relay.start()

    def finish(self) -> None:
        """Make the rest of the changes, and return when all are published."""
        self.advance(1.0)
        until("the outbox is empty", self._published, _TIMEOUT_SECONDS, transient=(psycopg2.Error,))
        self.relay.stop()

    def _published(self) -> bool:
        self.relay.start()
        [(left,)] = self._query("SELECT count(*) FROM outbox WHERE published_at IS NULL")
        return not left

    def _query(self, sql: str) -> list[tuple[Any, ...]]:
        session = psycopg2.connect(self._settings.database)
        try:
            with session, session.cursor() as cursor:
                cursor.execute(sql)
                return list(cursor.fetchall())
        finally:
            session.close()

    def contents(self) -> dict[str, dict[str, Any]]:
        """The book, and what is on the topics of it, by key: every version in its order."""
        found = {
            f"book of {entity.plural}": {
                str(row["key"]): row
                for (row,) in self._query(_ROWS.format(key=entity.key.stored, table=entity.table))
            }
            for entity in (METER, REGION, OUTAGE)
        }
        for topic in TOPICS:
            reader = Reader(self._settings, topic.name)
            try:
                found[f"topic {topic.name}"] = _versions(reader.new())
            finally:
                reader.close()
        return found


def _versions(messages: list[Any]) -> dict[str, Any]:
    """By partition and key, the records in the order of their first appearance."""
    found: dict[str, Any] = {}
    for message in messages:
        said = found.setdefault(f"{message.partition()} {(message.key() or b'').decode()}", [])
        value = json.loads(message.value())
        if value not in said:
            said.append(value)
    return found


def _changes(chance: random.Random) -> Iterator[tuple[Entity, list[dict[str, str]]]]:
    """Tables that are applied one after the other."""
    regions = ("R1", "R2")
    yield REGION, [{"region": region, "capacity_kw": "500"} for region in regions]
    names = [f"LEDGER_{number:03}" for number in range(_METERS)]
    yield METER, [{"meter_id": name, "flow": FLOW, "region": "R1", "interval": "30m"} for name in names]
    for number in range(_CHANGES):
        roll = chance.random()
        if roll < 0.15:
            yield REGION, [{"region": chance.choice(regions), "capacity_kw": str(chance.randrange(100, 900))}]
        elif roll < 0.3:
            span = {"from": "2024-02-01T00:00:00Z", "until": f"2024-02-0{chance.randrange(2, 9)}T00:00:00Z"}
            yield OUTAGE, [{"outage_id": f"O{number % 3}", "scope": "region", "target": "R1", **span}]
        else:
            some = chance.sample(names, chance.randrange(1, _METERS))
            status, region = chance.choice(("active", "suspended", "removed")), chance.choice(regions)
            yield METER, [{"meter_id": name, "status": status, "region": region} for name in some]
