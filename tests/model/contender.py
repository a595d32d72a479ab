"""The real domain on a log, made as hard as can be: random batches, budgets, restarts from stored rows."""

from __future__ import annotations

import dataclasses
import json
import random
import re
from collections.abc import Iterable
from typing import Any

from gridwatch import topics
from gridwatch.codecs.decode import decode_readings, decode_telemetry
from gridwatch.codecs.wire import encode_outputs
from gridwatch.domain.meter.state import MeterState
from gridwatch.domain.outputs import Aggregate, Anomaly, Bundle, Output
from gridwatch.domain.partition.processor import Processor
from gridwatch.domain.partition.state import PartitionState
from gridwatch.domain.policy import Policy
from gridwatch.domain.reading import LogRecord
from gridwatch.tables.readings import METERS, due_times
from tests.model.logs import Parameters
from tests.model.wire import Record

KINDS = {
    topics.VALIDATED.name: "validated",
    topics.LATE_EVENTS.name: "late_event",
    topics.GAP_ALERTS.name: "gap_alert",
    topics.METRICS.name: "metric",
    topics.DEAD_LETTERS.name: "dead_letter",
}


GRID: dict[type[Any], str] = {  # compared before they are encoded
    Aggregate: "aggregate", Bundle: "bundle", Anomaly: "anomaly",
}  # fmt: skip
TYPES = ("validated", "late_event", "gap_alert", "metric", "dead_letter", *GRID.values())


def kind_of(output: Output) -> str:
    return re.sub("(?<!^)(?=[A-Z])", "_", type(output).__name__).lower()


def plain(value: Any) -> Any:
    """A named tuple as a dict, all that is in it too."""
    if hasattr(value, "_asdict"):
        return {name: plain(inner) for name, inner in value._asdict().items()}
    return [plain(inner) for inner in value] if isinstance(value, tuple) else value


def published(output: Any) -> dict[str, Any]:
    """One of ``GRID`` as a dict, without what is known of it for anomalies only."""
    fields: dict[str, Any] = plain(output)
    if isinstance(output, Aggregate):
        del fields["frequency"]
    return fields


class Contender:
    """One partition worked by the domain, committed as a worker would."""

    def __init__(self, parameters: Parameters, partition: int, seed: int) -> None:
        self.random = random.Random(seed)
        self.policy = Policy(**dataclasses.asdict(parameters))
        self.partition = PartitionState(partition)
        self.states: dict[str, Any] = {}
        self.stored: dict[str, bytes] = {}
        self.decode = decode_readings if self.random.random() < 0.7 else None
        self.order: list[str] = []  # of all outputs, by kind
        self.processor = self.open()

    def open(self, due: Iterable[tuple[int, str]] = ()) -> Processor:
        other = decode_telemetry if self.decode else None
        return Processor(
            self.policy, self.partition, self.states, due=due, decode=self.decode, decode_other=other
        )

    def run(self, records: list[Record]) -> dict[str, list[dict[str, Any]]]:
        """What came out, kind by kind, in order, as read back from the wire."""
        emitted: dict[str, list[dict[str, Any]]] = {kind: [] for kind in TYPES}
        log = [LogRecord(*record) for record in records]
        sizes = [len(log)] if self.random.random() < 0.2 else [1, 1, 2, 5, 20]
        at = 0
        while at < len(log):
            size, complete = self.random.choice(sizes), False
            while not complete:
                again = max(0, at - self.random.choice([0, 0, 1, 3]))
                budget = self.random.choice([0, 0, 1, 200, 2000])
                outcome = self.processor.process(log[again : at + size], budget=budget)
                complete = outcome.complete
                self.processor.seal(outcome)
                for output in outcome.outputs:
                    if type(output) is not Anomaly:  # their order is their own
                        self.order.append(kind_of(output))
                    if type(output) in GRID:
                        emitted[kind_of(output)].append(published(output))
                wired = [output for output in outcome.outputs if type(output) not in GRID]
                for topic, messages in encode_outputs(wired).items():
                    emitted[KINDS[topic]] += [json.loads(value) for _, value in messages]
                self.commit(outcome.changed)
                if self.random.random() < 0.15:
                    self.restart()
            at += size
        return emitted

    @property
    def meters(self) -> dict[str, MeterState]:
        return {name: state for name, state in self.states.items() if METERS.is_state(name.encode())}

    def commit(self, changed: dict[str, Any]) -> None:
        for meter_id, state in changed.items():
            if state is None:
                self.states.pop(meter_id, None)
                self.stored.pop(meter_id, None)
            else:
                self.states[meter_id] = state
                self.stored[meter_id] = METERS.encode(meter_id, state)

    def restart(self) -> None:
        """Forget everything but the stored rows."""
        self.partition, _ = METERS.decode_partition(METERS.encode_partition(self.partition, 1))
        self.states = {name: METERS.decode(name, row) for name, row in self.stored.items()}
        self.processor = self.open(
            due_times([(name.encode(), row) for name, row in sorted(self.stored.items())])
        )
