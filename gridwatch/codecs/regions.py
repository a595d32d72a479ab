"""Decodes the records of the topic of partials, and encodes rows of regions, incidents and dead letters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from gridwatch.codecs.encoded import Encoded, Feed, Message
from gridwatch.codecs.wire import dead_letter
from gridwatch.domain.instants import Stamps, instant_text
from gridwatch.domain.outputs import Bundle, DeadLetter, RegionGroup, RegionLimit, RegionWindow
from gridwatch.domain.regions.outcome import Outcome
from gridwatch.domain.regions.records import (
    NEWER_VERSION,
    QUARTER,
    Incident,
    Record,
    Refused,
    RegionRow,
    SourceOut,
    source_name,
)
from gridwatch.domain.validation.findings import BAD_VALUE, NOT_JSON
from gridwatch.models import incident as wire_incident
from gridwatch.models import partial
from gridwatch.models import regional_aggregate as wire_row
from gridwatch.topics import (
    DEAD_LETTERS,
    INCIDENTS,
    REGIONAL_AGGREGATES,
    REGIONAL_PARTIALS,
    SOURCE_OUT_HEADER,
)

#: The version of bundles that this program reads.
VERSION: Final = 1

_MINUTES: Final = 15
#: Larger numbers are no energy and no time, and do not fit a row.
_MOST: Final = 1 << 62
_KWH: Final = 1_000_000_000
_KW: Final = 1_000_000


class _Versioned(msgspec.Struct):
    version: int


_decode_partial: Final = msgspec.json.Decoder(partial.Partial).decode
_decode_out: Final = msgspec.json.Decoder(partial.SourceOut).decode
_decode_version: Final = msgspec.json.Decoder(_Versioned).decode
_encode: Final = msgspec.json.Encoder().encode
_stamps: Final = Stamps("UTC")


# -- records


def partial_records(records: Iterable[Any]) -> list[Record]:
    """The domain's records, from records with `offset`, `timestamp` (milliseconds), `value` and `headers`."""
    return [
        Record(one.offset, one.timestamp * 1000, one.value or b"", _content(one.value or b"", one.headers))
        for one in records
    ]


def _content(value: bytes, headers: Iterable[tuple[str, Any]]) -> Bundle | SourceOut | Refused:
    try:
        if any(name == SOURCE_OUT_HEADER for name, _ in headers):
            out = _decode_out(value)
            return SourceOut(out.flow, out.partition)
        decoded = _decode_partial(value)
        if decoded.version > VERSION:
            return _newer(decoded.version)
        return _bundle(decoded)
    except msgspec.ValidationError as problem:
        return _refusal_of_shape(value, problem)
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        return Refused((NOT_JSON,), str(problem), None)
    except ValueError as problem:
        return Refused((BAD_VALUE,), str(problem), None)


def _refusal_of_shape(value: bytes, problem: Exception) -> Refused:
    """The refusal of JSON that is no bundle of this version; it may be one of a newer."""
    try:
        version = _decode_version(value).version
    except msgspec.ValidationError:
        version = VERSION
    return _newer(version) if version > VERSION else Refused((BAD_VALUE,), str(problem), None)


def _newer(version: int) -> Refused:
    return Refused(
        (NEWER_VERSION,), f"a bundle of version {version}; this gridwatch reads {VERSION}", "version"
    )


def _bundle(one: partial.Partial) -> Bundle:
    """A bundle of the domain; ValueError if something in it cannot be."""
    groups = tuple(
        RegionGroup(
            group.region,
            group.feeder,
            group.transformer,
            _number(group.active),
            _number(group.open),
            tuple((_instant(minute), _number(count)) for minute, count in group.openings),
            tuple(group.meters),
        )
        for group in one.groups
    )
    limits = tuple(
        RegionLimit(
            limit.region,
            _number(limit.version),
            limit.capacity_kw,
            None if limit.valid_from is None else _instant(limit.valid_from),
        )
        for limit in one.regions
    )
    windows = tuple(map(_window, one.windows))
    return Bundle(one.flow, one.partition, 0, _instant(one.watermark), windows, groups, limits)


def _window(one: partial.PartialWindow) -> RegionWindow:
    start = _instant(one.window_start)
    if start % QUARTER or len(one.minutes) != _MINUTES:
        raise ValueError(
            f"the window of {one.region} at {one.window_start} with {len(one.minutes)} minutes is no quarter"
            " of an hour"
        )
    return RegionWindow(
        one.region,
        start,
        _number(one.revision),
        one.initial,
        one.final,
        _number(one.flat),
        tuple(map(_number, one.minutes)),
        _number(one.received),
        _number(one.expected),
        _number(one.active),
        _number(one.uncovered),
        _number(one.reporting),
        _number(one.prorated),
    )


def _instant(text: str) -> int:
    return _stamps.read(text)[0]


def _number(value: int) -> int:
    if not -_MOST < value < _MOST:
        raise ValueError(f"{value} is out of range")
    return value


def source_out_record(flow: str, partition: int) -> Message:
    """The record that puts a source out; it needs the header SOURCE_OUT_HEADER."""
    return source_name(flow, partition).encode(), _encode(partial.SourceOut(flow, partition))


# -- outputs


class RegionsEncoder:
    """The outputs of one commit of the stage (`streaming.stage.Encoder`)."""

    def __init__(self) -> None:
        self.outcome = Outcome()

    def drain(self) -> Encoded:
        """The outputs since the last call, as messages by topic name."""
        outcome = self.outcome
        rows: list[Message] = []
        incidents: list[Message] = []
        letters: list[Message] = []
        example = ""
        for output in outcome.outputs:
            if isinstance(output, RegionRow):
                rows.append((output.region.encode(), _encode(_row(output))))
            elif isinstance(output, Incident):
                incidents.append((output.id.encode(), _encode(_incident(output))))
            else:
                letters.append(_letter(output))
                example = f"{' '.join(output.reasons)}: {output.message}"
        feed = Feed(outcome.good, len(letters), outcome.run, example)
        outcome.outputs.clear()
        outcome.good = outcome.run = 0
        messages = {
            REGIONAL_AGGREGATES.name: rows,
            INCIDENTS.name: incidents,
            DEAD_LETTERS.name: letters,
        }
        return Encoded(messages, feed)


def _row(row: RegionRow) -> wire_row.RegionalAggregate:
    return wire_row.RegionalAggregate(
        id=row.id,
        region=row.region,
        window_start=instant_text(row.start),
        window_end=instant_text(row.start + QUARTER),
        revision=row.revision,
        state=row.state,  # type: ignore[arg-type]
        complete=row.complete,
        quality="INSUFFICIENT" if row.percentage is None else "OK",
        meters_active=row.active,
        meters_reporting=row.reporting,
        completeness=_scaled(row.completeness, 10_000),
        energy_kwh_sum=row.energy / _KWH,
        load_kw=_scaled(row.load, _KW),
        power_kw_min=_scaled(row.lowest, _KW),
        power_kw_max=_scaled(row.highest, _KW),
        capacity_kw=_scaled(row.capacity, _KW),
        load_percentage=_scaled(row.percentage, 10),
        prorated=row.prorated,
        uncovered=row.uncovered,
    )


def _scaled(value: int | None, unit: int) -> float | None:
    return None if value is None else value / unit


def _incident(one: Incident) -> wire_incident.Incident:
    return wire_incident.Incident(
        id=one.id,
        kind=one.kind,  # type: ignore[arg-type]
        region=one.region,
        target=one.target,
        state=one.state,  # type: ignore[arg-type]
        revision=one.revision,
        started_at=instant_text(one.started),
        updated_at=instant_text(one.updated),
        ended_at=None if one.ended is None else instant_text(one.ended),
        meters_open=one.open,
        meters_active=one.active,
        meters_peak=one.peak,
        meters=list(one.meters),
        parent_id=one.parent,
    )


def _letter(output: DeadLetter) -> Message:
    letter = dead_letter(output, REGIONAL_PARTIALS.name)
    return letter.id.encode(), _encode(letter)
