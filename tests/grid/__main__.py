"""`python -m tests.grid --meters 5000 --minutes 180`: a run of any size, with one worker and with three.

Prints the differences to the exact computation, at most 30 of each run; exit 1 if there is any.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import click

from gridwatch.embedded import EmbeddedKafka
from tests.grid.fleet import Fleet
from tests.grid.run import differences, exact, processed, send

_SHOWN = 30


@click.command()
@click.option("--meters", type=int, default=5000, show_default=True)
@click.option("--minutes", type=int, default=180, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--storm", type=int, default=0, show_default=True, help="Meters that are silent at once.")
def command(*, meters: int, minutes: int, seed: int, storm: int) -> None:
    """Run a fleet through the worker, and compare what comes of it."""
    failed = False
    with tempfile.TemporaryDirectory(prefix="grid-") as name:
        folder = Path(name)
        with EmbeddedKafka(folder / "kafka") as kafka:
            send(kafka.bootstrap, folder, Fleet(meters, minutes, seed, storm))
            expected = None
            for workers, batch_records in ((1, 0), (3, 500)):
                began = time.monotonic()
                settings = {"batch_records": batch_records} if batch_records else {}
                with processed(kafka.bootstrap, folder, workers=workers, **settings):
                    processing = time.monotonic() - began
                    expected = expected or exact(kafka.bootstrap)
                    found = differences(kafka.bootstrap, expected)
                failed = failed or bool(found)
                click.echo(
                    f"{workers} workers, {processing:.0f} s: {len(expected.windows):,} windows, "
                    f"{len(expected.rows):,} quarters of regions, {len(expected.incidents):,} revisions of "
                    f"incidents; {len(found):,} differences"
                )
                for difference in found[:_SHOWN]:
                    click.echo(f"  {difference}")
    sys.exit(failed)


if __name__ == "__main__":
    command()
