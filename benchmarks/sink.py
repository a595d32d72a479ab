"""The sink alone: validated readings from Kafka to committed PostgreSQL rows, per CPU-second of the sink."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import uuid
from pathlib import Path

import click
import psutil
import psycopg2

from benchmarks.race import PATIENCE_SECONDS, cpu_seconds
from gridwatch.embedded.ports import free_ports
from gridwatch.embedded.postgres import EmbeddedPostgres


def measure(bootstrap: str, partitions: int, folder: Path) -> None:
    """Let a sink write what the races left in the output topics; prints rows per CPU-second."""
    postgres = EmbeddedPostgres(folder / "postgres")
    postgres.start()
    try:
        environment = os.environ | {
            "GRIDWATCH_BROKER": bootstrap,
            "GRIDWATCH_PARTITIONS": str(partitions),
            "GRIDWATCH_DATABASE_URL": postgres.url,
            "GRIDWATCH_APP_ID": f"bench-sink-{uuid.uuid4().hex[:8]}",
            "GRIDWATCH_SINK_WEB_PORT": str(free_ports(1)[0]),
            "GRIDWATCH_DATADIR": str(folder / "sink-data"),
        }
        command = [sys.executable, "-m", "gridwatch"]
        subprocess.run([*command, "topics", "create"], env=environment, check=True, capture_output=True)
        subprocess.run([*command, "db", "migrate"], env=environment, check=True, capture_output=True)
        log = (folder / "sink-log").open("wb")
        process = subprocess.Popen([*command, "sink", "-l", "warn"], env=environment, stdout=log, stderr=log)
        try:
            rows, cpu, wall = _until_still(postgres.url, process)
        finally:
            process.kill()
            process.wait()
        click.echo(f"\nsink: {rows:,} rows in {cpu:.1f} CPU-s ({wall:.1f} s): {rows / cpu:,.0f} rows/CPU-s")
    finally:
        postgres.stop()


def _until_still(url: str, process: subprocess.Popen[bytes]) -> tuple[int, float, float]:
    """Rows written (inserted or updated), CPU and wall seconds, once nothing more comes."""
    tree = psutil.Process(process.pid)
    begun = time.monotonic()
    best = (0, 0.0, 0.0)
    before: int | None = None  # what the migration itself wrote
    with psycopg2.connect(url) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        while time.monotonic() - begun < PATIENCE_SECONDS:
            if process.poll() is not None:
                raise RuntimeError("the sink stopped early")
            cursor.execute(
                "select coalesce(sum(n_tup_ins + n_tup_upd), 0) from pg_stat_user_tables"
                " where relname = 'validated_readings'"  # metrics of the sink itself never end
            )
            row = cursor.fetchone()
            counted = int(row[0]) if row else 0
            before = counted if before is None else before
            rows = counted - before
            if rows > best[0]:
                best = (rows, cpu_seconds(tree), time.monotonic() - begun)
            elif best[0] and time.monotonic() - begun > best[2] + 5:
                break
            time.sleep(0.2)
    return best
