"""The book against a plain model: random imports give the rows, versions and records that the rules say."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gridwatch.registry.book import Timing, apply
from gridwatch.registry.entities import METER
from gridwatch.registry.files import Table
from gridwatch.registry.problems import Problems, RefusedError
from gridwatch.settings import load_settings
from sinks.database import connect
from tests.integration.test_registry.conftest import Book, Query

pytestmark = pytest.mark.integration

FLOWS = ("smartmeter", "daily")
VALUES: dict[str, tuple[str, ...]] = {
    "flow": ("", *FLOWS),
    "status": ("", "active", "suspended", "removed"),
    "region": ("", "R01", "R02"),
    "max_kw": ("", "17.25", "8"),
    "valid_from": ("", "2030-01-01T00:00:00Z", "2031-01-01T00:00:00Z"),
    "version": ("", "1", "2", "3", "5"),
}
METERS = tuple(f"M{number}" for number in range(6))
Row = dict[str, Any]


class Model:
    """Meters by id, and the records that were published of them."""

    def __init__(self) -> None:
        self.meters: dict[str, Row] = {}
        self.published: list[tuple[str, Row]] = []

    def apply(self, rows: list[dict[str, str]], valid_from: str | None) -> bool:
        """Whether the rows could be applied, all of them."""
        if any(
            row.get("version")
            and int(row["version"]) < self.meters.get(row["meter_id"], {"version": 0})["version"]
            for row in rows
        ):
            return False
        removed, changed = [], []
        for row in rows:
            old = self.meters.get(row["meter_id"])
            new = self._merged(row, old)
            given = int(row["version"]) if row.get("version") else None
            asked = row.get("valid_from") or None
            kept = {
                name: value for name, value in (old or {}).items() if name not in ("version", "valid_from")
            }
            if old is not None:
                same = kept == new and (given is None or given <= old["version"])
                if same and (asked is None or asked == old["valid_from"]):
                    continue
            moved = old is not None and old["flow"] != new["flow"] and old["status"] != "removed"
            version = given or 1 if old is None else max(old["version"] + 1 + moved, given or 0)
            new |= {"version": version, "valid_from": asked or valid_from}
            if moved and old is not None:
                going = {"meter_id": row["meter_id"], "status": "removed", "flow": old["flow"]}
                removed.append(
                    (f"{old['flow']}_raw", {**going, "version": version - 1, "valid_from": new["valid_from"]})
                )
            changed.append((f"{new['flow']}_raw", {"meter_id": row["meter_id"], **new}))
            self.meters[row["meter_id"]] = new
        self.published += removed + changed
        return True

    @staticmethod
    def _merged(row: dict[str, str], old: Row | None) -> Row:
        before = old or {"flow": FLOWS[0], "status": "active", "region": None, "max_kw": None}
        merged = {}
        for name in ("flow", "status", "region", "max_kw"):
            if name not in row:
                merged[name] = before[name]
            elif name in ("flow", "status"):
                merged[name] = row[name] or before[name]
            else:
                merged[name] = row[name] or None
        if isinstance(merged["max_kw"], str):
            merged["max_kw"] = float(merged["max_kw"])
        return merged


def imports(seed: int) -> Iterator[tuple[list[dict[str, str]], str | None]]:
    """Rows of some meters and columns."""
    draw = random.Random(seed)
    for _ in range(40):
        columns = draw.sample(list(VALUES), draw.randint(1, len(VALUES)))
        if draw.random() < 0.7:
            columns = [name for name in columns if name != "version"]
        rows = [
            {"meter_id": meter, **{name: draw.choice(VALUES[name]) for name in columns}}
            for meter in draw.sample(METERS, draw.randint(1, len(METERS)))
        ]
        yield rows, draw.choice((None, None, "2032-01-01T00:00:00Z"))


@pytest.mark.parametrize("seed", range(4))
def test_the_book_is_what_a_plain_model_says(
    seed: int, book: Book, query: Query, database: str, flows: Callable[..., None]
) -> None:
    flows(*FLOWS)
    model, settings = Model(), load_settings()
    query("TRUNCATE outbox")
    refused = 0
    for rows, valid_from in imports(seed):
        table = Table(
            "rows", tuple(rows[0]), iter([(at, list(row.values())) for at, row in enumerate(rows)]), None
        )
        if model.apply(rows, valid_from):
            with connect(database) as connection:
                apply(connection, METER, table, settings, Problems(), timing=Timing(valid_from))
        else:
            refused += 1
            with pytest.raises(RefusedError), connect(database) as connection:
                apply(connection, METER, table, settings, Problems(), timing=Timing(valid_from))
    assert 0 < refused < 40
    stored = query(
        "SELECT meter_id, jsonb_build_object('flow', flow, 'status', status, 'region', region,"
        " 'max_kw', max_kw, 'version', version,"
        " 'valid_from', to_char(valid_from, 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')) FROM meters"
    )
    assert dict(stored) == model.meters
    assert [(topic, value) for _, topic, value in book.outbox()] == [
        (topic, {name: value for name, value in record.items() if value is not None})
        for topic, record in model.published
    ]
    versions: dict[str, int] = {}
    for _, _, value in book.outbox():
        assert value["version"] > versions.get(value["meter_id"], 0)
        versions[value["meter_id"]] = value["version"]
