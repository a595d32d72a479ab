"""The queries of the export, and the columns of their results.

Readings are the validated ones, and the late events that are not among them: together they are all the energy
received. Completeness follows the gap detection: a slot is expected if a reading filled it or a gap covers
it. So nothing is missing before a meter's first reading or after the last slot whose deadline has passed, and
a day with a clock change has its 46 or 50 half-hours. A meter of local days or months (`calendar`) has one
slot a day or month of its own zone, under the date at which that begins.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from sqlalchemy import Connection, text

#: "minutes" are a number that is written without a fraction where it has none; "words" have no spaces,
#: "names" may have any character.
Kind = Literal["text", "number", "minutes", "whole", "instant", "words", "names", "truth"]

#: Rows fetched, and written, per batch.
FETCH_ROWS = 10_000

#: Rows of a version before `interval_seconds` have whole minutes only.
_SECONDS = "coalesce(interval_seconds, CAST(round(interval_minutes * 60) AS integer))"

_OF_FLOW = "(CAST(:flow AS text) IS NULL OR flow = :flow)"

#: Late events have no interval: theirs is that of the meter's next reading, or of the one before.
_CALENDAR_OF_LATE = """coalesce(
        (SELECT after.calendar FROM validated_readings AS after
         WHERE after.meter_id = late.meter_id AND after.time >= late.time ORDER BY after.time LIMIT 1),
        (SELECT before.calendar FROM validated_readings AS before
         WHERE before.meter_id = late.meter_id AND before.time < late.time ORDER BY before.time DESC LIMIT 1)
    )"""
#: A reading so little before a local day or month belongs to it.
_NEAR = "interval '5 minutes'"
#: The unit and the zone of a calendar.
_UNIT, _ZONE = "CASE WHEN calendar LIKE '1mo %' THEN 'month' ELSE 'day' END", "split_part(calendar, ' ', 2)"


def _day_of(time: str) -> str:
    """The day of a time: of a calendar the one at which its day or month begins, else that of the zone."""
    return (
        f"CAST(CASE WHEN calendar IS NULL THEN {time} AT TIME ZONE :zone"
        f" ELSE date_trunc({_UNIT}, ({time} + {_NEAR}) AT TIME ZONE {_ZONE}) END AS date)"
    )


#: Of several late events with one timestamp the last one in log order wins.
_ALL_READINGS = f"""
    SELECT meter_id, time, consumption_kwh, interval_minutes, {_SECONDS} AS interval_seconds, calendar,
           region, voltage, current, power_kw, power_factor, frequency, sent_at, status, delay_seconds, flags,
           received_at, flow
    FROM validated_readings
    WHERE time >= CAST(:start AS timestamptz) AND time < CAST(:end AS timestamptz) AND meter_id ~ :meters
      AND {_OF_FLOW}
    UNION ALL
    SELECT meter_id, time, consumption_kwh, NULL::float8, NULL::integer, {_CALENDAR_OF_LATE}, NULL::text,
           NULL::float8, NULL::float8, NULL::float8, NULL::float8, NULL::float8, NULL::text, 'TOO_LATE',
           delay_seconds, flags, NULL::timestamptz, flow
    FROM (
        SELECT DISTINCT ON (meter_id, time) * FROM late_events
        WHERE time >= CAST(:start AS timestamptz) AND time < CAST(:end AS timestamptz)
          AND meter_id ~ :meters AND {_OF_FLOW}
        ORDER BY meter_id, time, flow DESC, source_partition DESC, source_offset DESC, source_index DESC
    ) AS late
    WHERE NOT EXISTS (
        SELECT FROM validated_readings AS valid
        WHERE valid.meter_id = late.meter_id AND valid.time = late.time
    )
"""  # noqa: S608 - composed of constants
_READINGS = _ALL_READINGS + "ORDER BY meter_id, time"
_COMPLETENESS = f"""
WITH readings AS ({_ALL_READINGS}), had AS (
    SELECT meter_id, {_day_of("time")} AS day, max(calendar) AS calendar,
        (max(ARRAY[CAST(extract(epoch FROM time) * 1000000 AS bigint), interval_seconds])
            FILTER (WHERE interval_seconds IS NOT NULL))[2] AS interval_seconds,
        count(*) FILTER (WHERE NOT flags && ARRAY['OFF_GRID', 'EXTRA', 'SLOT_FILLED']) AS had,
        count(*) FILTER (WHERE status = 'LATE') AS late,
        count(*) FILTER (WHERE status = 'TOO_LATE') AS too_late,
        sum(CAST(consumption_kwh AS numeric)) AS consumption_kwh
    FROM readings
    GROUP BY 1, 2
), missing AS (
    SELECT meter_id, day, max(calendar) AS calendar, max({_SECONDS}) AS interval_seconds, count(*) AS missing
    FROM gap_alerts AS gap, jsonb_array_elements(missing_ranges) AS stretch, LATERAL (
        SELECT CAST(stretch ->> 0 AS timestamptz) AS first, CAST(stretch ->> 1 AS timestamptz) AS stop
    ) AS bounds, LATERAL (
        SELECT slot, CAST(slot AT TIME ZONE :zone AS date) AS day
        FROM generate_series(first, stop - interval '1 microsecond', {_SECONDS} * interval '1 second') AS slot
        WHERE calendar IS NULL AND NOT EXISTS (
            SELECT FROM late_events AS late WHERE late.meter_id = gap.meter_id AND late.time = slot
        )
        UNION ALL
        SELECT local AT TIME ZONE {_ZONE} AS slot, CAST(local AS date) AS day
        FROM generate_series(
            date_trunc('day', first AT TIME ZONE {_ZONE}),
            date_trunc('day', stop AT TIME ZONE {_ZONE}) - interval '1 microsecond',
            CAST('1 ' || {_UNIT} AS interval)
        ) AS local
        WHERE calendar IS NOT NULL AND NOT EXISTS (
            SELECT FROM late_events AS late
            WHERE late.meter_id = gap.meter_id AND late.time >= first - {_NEAR} AND late.time < stop
              AND {_day_of("late.time")} = CAST(local AS date)
        )
    ) AS slots
    WHERE state <> 'RETRACTED' AND meter_id ~ :meters AND {_OF_FLOW}
      AND slot >= CAST(:start AS timestamptz) AND slot < CAST(:end AS timestamptz)
    GROUP BY 1, 2
), days AS (
    SELECT meter_id, day, coalesce(had.interval_seconds, missing.interval_seconds) AS interval_seconds,
        coalesce(had.calendar, missing.calendar) AS calendar,
        coalesce(had, 0) AS had, coalesce(missing, 0) AS missing,
        coalesce(late, 0) AS late, coalesce(too_late, 0) AS too_late,
        coalesce(consumption_kwh, 0) AS consumption_kwh,
        extract(epoch FROM CAST(day + 1 AS timestamp) AT TIME ZONE :zone
            - CAST(day AS timestamp) AT TIME ZONE :zone) AS seconds
    FROM had FULL JOIN missing USING (meter_id, day)
)
SELECT meter_id, to_char(day, 'YYYY-MM-DD'), CAST(interval_seconds AS float8) / 60,
    CAST(interval_seconds AS integer), calendar,
    CAST(greatest(1, round(seconds / interval_seconds)) AS integer),
    had + missing, had, missing,
    CAST(100.0 * had / nullif(had + missing, 0) AS float8), late, too_late, CAST(consumption_kwh AS float8)
FROM days ORDER BY meter_id, day
"""  # noqa: S608 - composed of constants


@dataclass(frozen=True)
class Column:
    """A column of an export and the type of its values."""

    name: str
    kind: Kind


@dataclass(frozen=True)
class Query:
    """SQL with parameters of a Selection, the columns of its result, and what is counted in it.

    Rows are in order of their first column, which names one of `of` (a field of Selection). `energy` is the
    column that is added up. `tallies`: name → column, and whether a value of it counts, or for how much.
    `summary` has the fields `rows`, `groups`, `energy` and the names of the tallies.
    """

    sql: str
    columns: tuple[Column, ...]
    summary: str
    of: str = "meters"
    energy: str = ""
    tallies: Mapping[str, tuple[str, Callable[[Any], int]]] = field(default_factory=dict)

    @property
    def parameters(self) -> frozenset[str]:
        """The fields of a Selection that it goes by."""
        return frozenset(text(self.sql).compile().params)


@dataclass(frozen=True)
class Selection:
    """The rows: `start` ≤ time < `end` (RFC 3339, or the database's `infinity`), meters, regions and devices
    by shell patterns.

    `zone` is the time zone of the days of completeness; `flow` None: of all flows.
    """

    start: str = "-infinity"
    end: str = "infinity"
    meters: str = "*"
    regions: str = "*"
    devices: str = "*"
    zone: str = "UTC"
    flow: str | None = None


READINGS = Query(
    _READINGS,
    (
        Column("meter_id", "text"),
        Column("timestamp", "instant"),
        Column("consumption_kwh", "number"),
        Column("interval_minutes", "minutes"),
        Column("interval_seconds", "whole"),
        Column("calendar", "text"),
        Column("region", "text"),
        Column("voltage", "number"),
        Column("current", "number"),
        Column("power_kw", "number"),
        Column("power_factor", "number"),
        Column("frequency", "number"),
        Column("sent_at", "text"),
        Column("status", "text"),
        Column("delay_seconds", "number"),
        Column("flags", "words"),
        Column("received_at", "instant"),
        Column("flow", "text"),
    ),
    "{rows} readings of {groups} meters, {energy} kWh; {too_late} of them came too late",
    energy="consumption_kwh",
    tallies={"too_late": ("status", lambda status: status == "TOO_LATE")},
)
COMPLETENESS = Query(
    _COMPLETENESS,
    (
        Column("meter_id", "text"),
        Column("day", "text"),
        Column("interval_minutes", "minutes"),
        Column("interval_seconds", "whole"),
        Column("calendar", "text"),
        Column("slots_of_day", "whole"),
        Column("expected", "whole"),
        Column("had", "whole"),
        Column("missing", "whole"),
        Column("completeness_percent", "number"),
        Column("late", "whole"),
        Column("too_late", "whole"),
        Column("consumption_kwh", "number"),
    ),
    "{rows} days of {groups} meters; {had} of {expected} slots had a reading",
    energy="consumption_kwh",
    tallies={"had": ("had", int), "expected": ("expected", int)},
)


def fetch(connection: Connection, query: Query, selection: Selection) -> Iterator[Sequence[Sequence[Any]]]:
    """The rows of the result, in batches, in order of their first column, and time; instants are in UTC."""
    connection.execute(text("SET LOCAL TimeZone = 'UTC'"))
    values = asdict(selection) | {
        "meters": regex_of(selection.meters),
        "regions": regex_of(selection.regions),
        "devices": regex_of(selection.devices),
    }
    found = connection.execution_options(stream_results=True, yield_per=FETCH_ROWS).execute(
        text(query.sql), {name: values[name] for name in query.parameters}
    )
    yield from found.partitions(FETCH_ROWS)


def regex_of(pattern: str) -> str:
    """A shell pattern (`*`, `?`, `[a-c]`, `[!a-c]`) as PostgreSQL's regular expression for whole ids."""
    found = ""
    for part in re.findall(r"\[!?\]?[^\]]*\]|.", pattern, re.DOTALL):
        if part == "*":
            found += ".*"
        elif part == "?":
            found += "."
        elif len(part) > 1:
            inside = part[1:-1]
            negated = inside.startswith("!")
            inner = re.sub(r"([\\\[\]^])", r"\\\1", inside.removeprefix("!"))
            found += f"[{'^' if negated else ''}{inner}]"
        else:
            found += part if part.isalnum() or part == "_" else f"\\{part}"
    return f"^{found}$"
