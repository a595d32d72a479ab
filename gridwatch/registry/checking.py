"""Rows against the rules of the domain, and as COPY text.

Most values repeat: the cells of a column, or of columns that the rules look at together, are checked once for
every distinct value, in a record whose other fields are valid. Only keys are all different.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gridwatch.domain.policy import Policy
from gridwatch.domain.registry.fields import MAX_TEXT
from gridwatch.domain.validation.findings import Refusal
from gridwatch.domain.validation.rules import is_meter_id
from gridwatch.registry.cells import copy_text, value_of
from gridwatch.registry.entities import METER, VERSION, Column, Entity
from gridwatch.registry.files import Row
from gridwatch.registry.problems import Problem, Problems
from sinks.tables.copy_text import NULL

#: Distinct values of one group of columns that are remembered.
_REMEMBERED = 100_000
_VERSION = Column(VERSION, "integer", "leave it as it was exported, or leave the column out")


@dataclass(frozen=True)
class _Checked:
    text: str
    #: (field, message, remedy) of what is wrong.
    wrong: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True)
class Known:
    """What a meter may name."""

    flows: tuple[str, ...]
    regions: frozenset[str]


class Checker:
    """Checks the rows of a table with these columns.

    `order` is the order of the columns in the COPY text, after the number of the line.
    """

    def __init__(
        self, entity: Entity, head: Sequence[str], policy: Policy, known: Known, problems: Problems
    ) -> None:
        self._entity = entity
        self._policy = policy
        self._known = known
        self._problems = problems
        at = {name: place for place, name in enumerate(head)}
        others = [name for name in head if name != entity.key.name]
        groups: list[tuple[str, ...]] = []
        for name in others:
            group = next((one for one in entity.together if name in one), (name,))
            here = tuple(one for one in group if one in at)
            if here not in groups:
                groups.append(here)
        self._key_at = at[entity.key.name]
        self._groups = [
            (tuple(at[name] for name in group), self._columns(group), dict[tuple[str, ...], _Checked]())
            for group in groups
        ]
        self.order = (entity.key.name, *(name for group in groups for name in group))

    def _columns(self, names: Iterable[str]) -> tuple[Column, ...]:
        return tuple(_VERSION if name == VERSION else self._entity.by_name[name] for name in names)

    def lines(self, rows: Iterable[Row]) -> Iterator[str]:
        """Rows as lines of COPY text. What is wrong with one is a problem, and its line has the key alone."""
        key_at, groups = self._key_at, self._groups
        empty = f"\t{NULL}" * (len(self.order) - 1) + "\n"
        for line, row in rows:
            key = self._key(row[key_at])
            pieces = [str(line), key.text]
            wrong = list(key.wrong)
            for places, columns, known in groups:
                cells = tuple([row[place] for place in places])
                checked = known.get(cells)
                if checked is None:
                    if len(known) >= _REMEMBERED:
                        known.clear()
                    checked = known[cells] = self._check(columns, cells)
                if checked.wrong:
                    wrong += checked.wrong
                pieces.append(checked.text)
            if not wrong:
                yield "\t".join(pieces) + "\n"
                continue
            for field, message, remedy in wrong:
                self._problems.add(Problem(line, field, message, remedy))
            if not key.wrong:
                yield f"{line}\t{key.text}{empty}"

    def _key(self, cell: str) -> _Checked:
        column = self._entity.key
        key = cell.strip()
        if self._entity is METER and key and not is_meter_id(key, self._policy):
            most = self._policy.max_meter_id_bytes
            return _Checked(
                "", ((column.name, "is no meter id", f"write 1 to {most} bytes without control characters"),)
            )
        if 0 < len(key) <= MAX_TEXT and key.isascii() and key.isprintable() and "\\" not in key:
            return _Checked(key)
        return self._check((column,), (key,))

    def _check(self, columns: tuple[Column, ...], cells: tuple[str, ...]) -> _Checked:
        given = {column.name: value_of(column, cell) for column, cell in zip(columns, cells, strict=True)}
        fields = {**self._entity.sample, **self._filled(given)}
        wrong: list[tuple[str, str, str]] = []
        found = self._entity.record(fields, self._policy.timezone)
        if isinstance(found, Refusal):
            field = found.field or columns[0].name
            of = next((column for column in columns if column.name == field), columns[0])
            message = found.message.removeprefix(f"{field} ")
            says_it = message.startswith("must be") or of.write in message
            wrong.append((field, message, "" if says_it else of.write))
        if self._entity is METER:
            wrong += self._unknown(given)
        if wrong:
            return _Checked("", tuple(wrong))
        return _Checked("\t".join(map(copy_text, columns, cells)))

    def _unknown(self, given: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
        flow, region = given.get("flow"), given.get("region")
        if flow is not None and flow not in self._known.flows:
            what = f"is no flow: {flow!r}"
            yield "flow", what, f"write one of {', '.join(self._known.flows)}, or set GRIDWATCH_FLOWS"
        if region is not None and region not in self._known.regions:
            what = f"is no region of the book: {region!r}"
            yield "region", what, "gridwatch regions set, or gridwatch regions import, comes first"

    def _filled(self, given: dict[str, object]) -> dict[str, object]:
        """Empty cells that mean something else than nothing: a default, or that no version is expected."""
        defaults = {column.name for column in self._entity.columns if column.default is not None}
        return {
            name: value
            for name, value in given.items()
            if value is not None or not (name == VERSION or name in defaults)
        }
