"""`python -m benchmarks`: everybody in turn, round by round, medians and ratios at the end."""

from __future__ import annotations

import json
import signal
import statistics
import sys
import tempfile
from pathlib import Path

import click

from benchmarks import race, readings
from benchmarks.contestants import CONTESTANTS
from gridwatch.embedded.kafka import EmbeddedKafka

RESULTS = Path("benchmarks/results")


@click.command(epilog="Example:  python -m benchmarks --readings 600000 --meters 200000 --rounds 3")
@click.option("--readings", "count", default=600_000, show_default=True, help="Readings in the input.")
@click.option("--meters", default=1000, show_default=True, help="Meters that send them.")
@click.option("--rounds", default=5, show_default=True, help="Interleaved rounds.")
@click.option("--partitions", default=6, show_default=True, help="Partitions of every topic.")
def main(count: int, meters: int, rounds: int, partitions: int) -> None:
    """Measure gridwatch beside a plain confluent-kafka loop and stock Faust."""
    # Ended from outside, it still stops what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="gridwatch-bench-") as folder:
        kafka = EmbeddedKafka(Path(folder) / "kafka")
        kafka.start()
        try:
            results = _race(kafka.bootstrap, count, meters, rounds, partitions)
            _report(results, count, meters)
        finally:
            kafka.stop()


def _race(
    bootstrap: str, count: int, meters: int, rounds: int, partitions: int
) -> dict[str, list[race.Result]]:
    from gridwatch.broker import Broker
    from gridwatch.settings import load_settings

    Broker(load_settings(broker=bootstrap, partitions=partitions)).create()
    readings.load(bootstrap, partitions, count, meters)
    results: dict[str, list[race.Result]] = {contestant.name: [] for contestant in CONTESTANTS}
    expected: list[list[bytes]] | None = None
    for number in range(1, rounds + 1):
        for contestant in CONTESTANTS:
            result, said = race.run(contestant, bootstrap, partitions, count, expected)
            expected = expected or said  # the floor runs first, on the whole input
            results[contestant.name].append(result)
            click.echo(
                f"round {number}  {contestant.name:<40} {result.rate:>10,.0f} readings/CPU-s "
                f"({result.readings:,} in {result.cpu:.1f} CPU-s, {result.wall:.1f} s)"
            )
    return results


def _report(results: dict[str, list[race.Result]], count: int, meters: int) -> None:
    medians = {name: statistics.median(r.rate for r in runs) for name, runs in results.items()}
    floor = next(iter(medians.values()))
    stock = medians[CONTESTANTS[1].name]
    click.echo(
        f"\n{count:,} readings of {meters:,} meters, medians of {len(next(iter(results.values())))} rounds"
    )
    click.echo(f"{'':<40} {'readings/CPU-s':>15} {'min–max':>19} {'of floor':>9} {'of Faust':>9}")
    for name, runs in results.items():
        rates = [run.rate for run in runs]
        spread = f"{min(rates):,.0f}–{max(rates):,.0f}"
        ratios = f"{medians[name] / floor:>9.2f} {medians[name] / stock:>9.1f}"
        click.echo(f"{name:<40} {medians[name]:>15,.0f} {spread:>19} {ratios}")
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"race-{meters}-meters.json"
    path.write_text(
        json.dumps({name: [vars(run) for run in runs] for name, runs in results.items()}, indent=2)
    )
    click.echo(f"written to {path}")


if __name__ == "__main__":
    main()
