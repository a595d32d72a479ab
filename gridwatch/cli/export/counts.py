"""What an export has written, counted for people and for `--json`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from gridwatch.cli.export.queries import Query


@dataclass
class Counts:
    """The rows of a query: how many, of how many meters, regions or devices (`groups`), their energy, its
    tallies."""

    query: Query
    rows: int = 0
    groups: int = 0
    energy: Decimal = Decimal(0)
    tallies: dict[str, int] = field(default_factory=dict)
    _group: str | None = None

    def __post_init__(self) -> None:
        self.tallies = dict.fromkeys(self.query.tallies, 0)
        self._at = {column.name: place for place, column in enumerate(self.query.columns)}

    def add(self, rows: Sequence[Sequence[Any]]) -> None:
        """Count rows, which are in order of the first column: meter, region or device."""
        for row in rows:
            if row[0] != self._group:
                self._group = row[0]
                self.groups += 1
        self.rows += len(rows)
        if self.query.energy:
            place = self._at[self.query.energy]
            self.energy += sum((Decimal(repr(row[place])) for row in rows), Decimal(0))
        for name, (column, counted) in self.query.tallies.items():
            place = self._at[column]
            self.tallies[name] += sum(counted(row[place]) for row in rows)

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        energy = {self.query.energy: float(self.energy)} if self.query.energy else {}
        found = {"rows": self.rows, self.query.of: self.groups, **energy, **self.tallies}
        return found | ({"completeness_percent": self._percent} if "expected" in self.tallies else {})

    def __str__(self) -> str:
        more = {name: f"{count:,}" for name, count in self.tallies.items()}
        summary = self.query.summary.format(
            rows=f"{self.rows:,}", groups=f"{self.groups:,}", energy=f"{self.energy:,.6f}", **more
        )
        return summary if self._percent is None else f"{summary}, {self._percent:.3f} %"

    @property
    def _percent(self) -> float | None:
        """Of the slots of days: how many had a reading."""
        expected = self.tallies.get("expected", 0)
        return 100 * self.tallies["had"] / expected if expected else None
