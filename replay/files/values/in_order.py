"""Samples of each meter in order of time, for what depends on the value before: registers, varying steps.

A file may run forwards, which is handed on as it comes, or backwards, which is held to its end. Anything
else is an error: the difference of two values that do not follow on each other is no energy.
"""

from __future__ import annotations

from collections.abc import Iterator

from replay.files.values.samples import Sample


class InOrder:
    """The samples of the meters of one file."""

    def __init__(self) -> None:
        #: The last sample of a meter that runs forwards.
        self._last: dict[str, Sample] = {}
        self._first: dict[str, Sample] = {}
        self._backwards: dict[str, list[Sample]] = {}

    def take(self, sample: Sample) -> list[Sample]:
        """The samples that are in order now. BadCell where one lies out of order, or contradicts another."""
        meter = sample.meter
        before = self._before(meter)
        if before is None:
            self._first[meter] = sample
            return []
        if sample.time == before.time:
            if sample.value != before.value:
                raise sample.wrong(
                    str(sample.value), f"another value for one time: {before.value} in line {before.line}"
                )
            return []
        if meter in self._first:
            first = self._first.pop(meter)
            if sample.time < first.time:
                self._backwards[meter] = [first, sample]
                return []
            self._last[meter] = sample
            return [first, sample]
        backwards = self._backwards.get(meter)
        if (sample.time < before.time) != (backwards is not None):
            raise sample.wrong(
                str(sample.value),
                f"out of order: it turns back in time after line {before.line}, and values that depend on "
                "the one before must run one way: sort the file",
                "sort the file by time",
            )
        if backwards is not None:
            backwards.append(sample)
            return []
        self._last[meter] = sample
        return [sample]

    def rest(self) -> Iterator[Sample]:
        """What is held at the end of the file; each sample once."""
        while self._first:
            yield self._first.popitem()[1]
        while self._backwards:
            _, samples = self._backwards.popitem()
            while samples:
                yield samples.pop()

    def _before(self, meter: str) -> Sample | None:
        if meter in self._first:
            return self._first[meter]
        if meter in self._backwards:
            return self._backwards[meter][-1]
        return self._last.get(meter)
