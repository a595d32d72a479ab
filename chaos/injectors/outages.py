"""Faults of the servers: the broker and the database down, frozen, or refusing."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2

from chaos.schedule import BEYOND_SESSION, Fault
from chaos.servers import start
from chaos.site import Site
from gridwatch.embedded.server import EmbeddedServer

_CUT_PAUSE_SECONDS = 0.2
_CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'gridwatch-sink'"


def kill(site: Site, fault: Fault, server: EmbeddedServer) -> None:
    """Kill it with SIGKILL; restart it after a while."""
    server.kill()
    time.sleep(fault.number_of("away"))
    start(server)


def stop(site: Site, fault: Fault, server: EmbeddedServer) -> None:
    """Stop it; start it after a while."""
    server.stop()
    time.sleep(fault.number_of("away"))
    start(server)


def freeze_broker(site: Site, fault: Fault) -> None:
    """Freeze the broker for longer than a session: connections stay open, without answers."""
    pid = site.servers.kafka.pid
    os.kill(pid, signal.SIGSTOP)
    try:
        time.sleep(BEYOND_SESSION)
    finally:
        os.kill(pid, signal.SIGCONT)


def cut_connections(site: Site, fault: Fault) -> None:
    """Terminate the sink's sessions, at whatever step they are."""
    with _cursor(site) as cursor:
        for _ in range(int(fault.number_of("times"))):
            cursor.execute(_CUT)
            time.sleep(_CUT_PAUSE_SECONDS)


def hold_lock(site: Site, fault: Fault) -> None:
    """Hold an ACCESS EXCLUSIVE lock on a table."""
    with _cursor(site) as cursor:
        cursor.execute(f"BEGIN; LOCK TABLE {fault.details['table']} IN ACCESS EXCLUSIVE MODE")
        time.sleep(fault.number_of("seconds"))
        cursor.execute("ROLLBACK")


def refuse(site: Site, fault: Fault) -> None:
    """Let every insert into a table fail with a transient error."""
    table, sqlstate = fault.details["table"], fault.details["sqlstate"]
    with _cursor(site) as cursor:
        cursor.execute(
            "CREATE OR REPLACE FUNCTION chaos() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION 'chaos' USING ERRCODE = '{sqlstate}'; END $$"
        )
        cursor.execute(
            f"CREATE TRIGGER chaos BEFORE INSERT ON {table} FOR EACH STATEMENT EXECUTE FUNCTION chaos()"
        )
        try:
            time.sleep(fault.number_of("seconds"))
        finally:
            cursor.execute(f"DROP TRIGGER chaos ON {table}")


@contextmanager
def _cursor(site: Site) -> Iterator[Any]:
    session = psycopg2.connect(site.settings.database)
    try:
        session.autocommit = True
        with session.cursor() as cursor:
            yield cursor
    finally:
        session.close()
