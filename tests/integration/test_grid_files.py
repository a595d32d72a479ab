"""Files of half an hour and of an hour: what their regions sum up to is what the files hold, to the Wh.

Half an hour is shared out to two quarters, an hour to four; so no Wh may be lost, or counted twice, between
the rows of the file and those of the regions.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gridwatch.deployment.catching_up import wait_for_worker
from gridwatch.embedded import EmbeddedKafka
from gridwatch.topics import REGIONAL_AGGREGATES, REGISTRY_HEADER
from tests.processes import Site, gridwatch
from tests.records import PARTITIONS, Raw, decoded, partition_of, read
from tests.unit.replay import public_sets, real_sets

pytestmark = pytest.mark.integration

Truth = dict[tuple[str, datetime], Decimal]
REGION = "town"
HOURLY = "il-electricity-cdd-only-hourly"
FILES: dict[str, tuple[Callable[[], tuple[Any, Truth]], list[str]]] = {
    "LCL.csv": (public_sets.london, []),
    f"{HOURLY}.csv.gz": (
        partial(real_sets.eemeter, HOURLY),
        ["--end", f"{real_sets.EEMETER_END:%Y-%m-%d}"],
    ),
}


def registered(meter: str, first: datetime) -> Raw:
    """A record that puts a meter into the region from its first reading on."""
    begun = first.strftime("%Y-%m-%dT%H:%M:%SZ")
    body = {"meter_id": meter, "version": 1, "status": "active", "region": REGION, "as_of": begun}
    return Raw(
        partition_of(meter, PARTITIONS), meter.encode(), json.dumps(body).encode(), ((REGISTRY_HEADER, b"1"),)
    )


@pytest.mark.parametrize("name", FILES)
def test_the_regions_of_a_file_have_its_energy_to_the_watt_hour(
    name: str, kafka: EmbeddedKafka, tmp_path: Path
) -> None:
    make, options = FILES[name]
    content, truth = make()
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    first = min(time for _, time in truth)
    with Site(kafka.bootstrap, tmp_path, source_out_after="1h") as site:
        site.produce(registered(meter, first) for meter in sorted({meter for meter, _ in truth}))
        ended = gridwatch(
            "replay", name, "--profile", "auto", "--final", *options,
            env=site.environment(), folder=tmp_path, seconds=120,
        )  # fmt: skip
        assert ended.returncode == 0, ended.stderr
        wait_for_worker(site.settings, site.worker().start())
        rows = decoded(read(kafka.bootstrap, REGIONAL_AGGREGATES.name))
    final = {row["id"]: row["energy_kwh_sum"] for row in rows if row["state"] == "FINAL"}
    by_hour: Counter[str] = Counter()
    for name_of_row, energy in final.items():
        by_hour[name_of_row[: -len("MM:SSZ")]] += round(Decimal(energy) * 10**9)
    expected: Counter[str] = Counter()
    for (_, time), energy in truth.items():
        expected[f"{REGION}@{time:%Y-%m-%dT%H}:"] += round(energy * 10**9)
    assert len(final) > 20
    # Where the interval was not known yet the first reading counts at its stamp, which is in the same hour.
    assert {hour: energy for hour, energy in by_hour.items() if energy} == {
        hour: energy for hour, energy in expected.items() if energy
    }
