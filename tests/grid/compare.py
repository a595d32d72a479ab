"""What the topics have against the exact computation: every difference, in words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tests.grid.incidents import incidents
from tests.grid.log import Step
from tests.grid.partition import Partition, Rules
from tests.grid.regions import Regions

Record = Mapping[str, Any]
#: Of a window: where it comes from, which depends on the run.
_ORIGIN = frozenset({"partition", "received_at", "region", "id"})


class Exact:
    """Everything that must come of the steps of all partitions."""

    def __init__(self, partitions: Iterable[Partition], rules: Rules) -> None:
        self.windows: dict[str, Record] = {}
        sources = []
        for partition in partitions:
            self.windows |= partition.windows.last
            sources.append(partition.bundles)
        self.rows = list(Regions(sources, rules.lateness).rows())
        self.incidents = incidents(sources)

    @classmethod
    def of(cls, steps: Mapping[int, Iterable[Step]], rules: Rules) -> Exact:
        """Take the steps of every partition."""
        return cls((Partition(number, rules).run(steps[number]) for number in sorted(steps)), rules)

    def differences(
        self, windows: Iterable[Record], rows: Iterable[Record], found: Iterable[Record]
    ) -> list[str]:
        """All differences to the records of the windows, the rows of the regions and the incidents."""
        return [*self._windows(windows), *self._rows(rows), *self._incidents(found)]

    def _windows(self, records: Iterable[Record]) -> Iterator[str]:
        last: dict[str, Record] = {}
        for record in records:
            known = last.get(record["id"])
            if known is None or known["revision"] < record["revision"]:
                last[record["id"]] = record
        for name in sorted(self.windows.keys() | last.keys()):
            yield from _differing(name, self.windows.get(name), last.get(name), _ORIGIN)

    def _rows(self, records: Iterable[Record]) -> Iterator[str]:
        found: dict[str, dict[int, Record]] = defaultdict(dict)
        for record in records:
            known = found[record["id"]].setdefault(record["revision"], record)
            if known != record:
                yield f"{record['id']}: revision {record['revision']} twice, and not the same"
        expected = {name: (early, final) for name, early, final in self.rows}
        for name in sorted(expected.keys() | found.keys()):
            early, final = expected.get(name, (None, None))
            of_row = [record for _, record in sorted(found.get(name, {}).items())]
            yield from _differing(f"{name} first", early, of_row[0] if of_row else None)
            if final is not None and of_row:
                yield from _differing(f"{name} last", final, of_row[-1])
            middle = {record["state"] for record in of_row[1 : -1 if final else None]}
            if middle - {"UPDATED"}:
                yield f"{name}: {[record['state'] for record in of_row]}"

    def _incidents(self, records: Iterable[Record]) -> Iterator[str]:
        found = {(record["id"], record["revision"]): record for record in records}
        expected = {(record["id"], record["revision"]): record for record in self.incidents}
        for name in sorted(expected.keys() | found.keys()):
            yield from _differing(f"{name[0]} revision {name[1]}", expected.get(name), found.get(name))


def _differing(
    name: str, expected: Record | None, found: Record | None, without: frozenset[str] = frozenset()
) -> Iterator[str]:
    if expected is None or found is None:
        yield f"{name}: {'missing' if found is None else f'too much: {dict(found)}'}"
        return
    fields = [
        f"{field} is {found.get(field)!r}, not {expected.get(field)!r}"
        for field in sorted((expected.keys() | found.keys()) - without)
        if expected.get(field) != found.get(field)
    ]
    if fields:
        yield f"{name}: {'; '.join(fields)}"
