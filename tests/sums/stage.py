"""The declaration of the stage `sums`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import msgspec

from gridwatch.codecs.encoded import Encoded, Feed, Message
from gridwatch.codecs.wire import raw_text
from gridwatch.domain.instants import format_instant
from gridwatch.domain.origins import Origins
from gridwatch.models.dead_letter import DeadLetter
from gridwatch.models.validated import Validated
from gridwatch.settings import Settings
from gridwatch.streaming.stage.declaration import Stage
from gridwatch.tables.layout import TableLayout
from gridwatch.tables.row_kind import RowKind
from gridwatch.tables.states import StoredStates
from gridwatch.topics import DEAD_LETTERS, VALIDATED, Topic
from tests.sums.rules import Outcome, Partition, Processor, Reached, Reading, Record, Refused, Sum

SUMS = Topic("smartmeter_sums", "each meter's sum at every tenth reading", "id", None, dict(VALIDATED.config))

_decode = msgspec.json.Decoder(Validated).decode
_encode = msgspec.json.Encoder().encode


# -- rows


def _plain(state: Partition) -> tuple[Any, ...]:
    return state.partition, state.next_offset, state.record_time, state.row_count, state.origins.highest()


def _state(plain: Any, version: int) -> Partition:
    partition, next_offset, record_time, row_count, highest = plain
    origins = Origins((number, (offset, index)) for number, (offset, index) in highest)
    return Partition(partition, next_offset, record_time, row_count, origins)


LAYOUT: TableLayout[Partition] = TableLayout(
    "sums",
    RowKind("partition", 3, _plain, _state, oldest=3),
    {"": RowKind("sum", 1, tuple, lambda plain, version: Sum(*plain), head=b"\x92")},
)


# -- records


def _records(records: Iterable[Any]) -> list[Record]:
    return [_record(one.offset, one.timestamp, one.value) for one in records]


def _record(offset: int, timestamp: int, value: bytes | None) -> Record:
    try:
        one = _decode(value or b"")
    except msgspec.MsgspecError as problem:
        return Record(offset, timestamp, None, str(problem), value or b"")
    micro_kwh = round(one.consumption_kwh * 1_000_000)
    reading = Reading(one.meter_id, micro_kwh, (one.partition, one.offset, one.index))
    return Record(offset, timestamp, reading)


# -- outputs


class Encoder:
    """The outputs of one commit."""

    def __init__(self) -> None:
        self.outcome = Outcome()

    def drain(self) -> Encoded:
        """The outputs since the last call."""
        sums: list[Message] = []
        letters: list[Message] = []
        for output in self.outcome.outputs:
            if isinstance(output, Reached):
                sums.append(_sum(output))
            else:
                letters.append(_letter(output))
        self.outcome.outputs.clear()
        return Encoded({SUMS.name: sums, DEAD_LETTERS.name: letters}, Feed(len(sums), len(letters)))


def _sum(output: Reached) -> Message:
    name = f"{output.meter_id}@{output.readings}"
    body = {
        "id": name,
        "meter_id": output.meter_id,
        "readings": output.readings,
        "micro_kwh": output.micro_kwh,
    }
    return name.encode(), json.dumps(body).encode()


def _letter(output: Refused) -> Message:
    record = output.record
    name = f"{VALIDATED.name}-{record.offset}"
    text, encoding = raw_text(record.value)
    return name.encode(), _encode(
        DeadLetter(
            id=name,
            reasons=["NOT_VALIDATED"],
            message=record.problem,
            field=None,
            raw=text,
            raw_encoding=encoding,  # type: ignore[arg-type]
            raw_size=len(record.value),
            raw_truncated=False,
            topic=VALIDATED.name,
            partition=0,
            offset=record.offset,
            index=0,
            record_timestamp=format_instant(record.timestamp * 1000),
            meter_id=None,
        )
    )


# -- the stage


def _open(settings: Settings, partition: Partition, sums: StoredStates[Any], index: list[Any]) -> Processor:
    return Processor(partition, sums)


STAGE = Stage(
    name=LAYOUT.stage,
    meaning="Add up what each meter has used.",
    source=VALIDATED,
    outputs=(SUMS, DEAD_LETTERS),
    table="sums",
    layout=LAYOUT,
    unpack=_records,
    new=Partition,
    index=lambda rows: [],
    open=_open,
    encoder=Encoder,
)
