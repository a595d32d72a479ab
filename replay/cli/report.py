"""What a replay says at its end, for people: what a dry run found and assumed, what was sent."""

from __future__ import annotations

from gridwatch.domain.instants import format_instant
from gridwatch.durations import calendar_words
from replay.files.survey.census import Census
from replay.files.survey.devices import Devices
from replay.run.request import Request
from replay.run.summary import Summary

#: Files left aside, and replaced meters, that are named.
_SHOWN = 20


def found(summary: Summary, request: Request, zone: str) -> str:
    """The findings of a dry run; `zone` is the one in which stamps were read."""
    survey = summary.survey
    lines = []
    for layout in summary.layouts:
        if not layout.named:
            columns = f"columns {', '.join(layout.headers)}, no header"
        else:
            delimiter = {"\t": "tab"}.get(layout.delimiter, layout.delimiter)
            named = ", ".join(f"{name} = {layout.headers[at]!r}" for name, at in layout.columns.items())
            columns = f"delimiter {delimiter!r}, {named}"
        packed = ", ".join((*(("gzip",) if layout.compressed else ()), *layout.notes, ""))
        lines.append(f"{layout.file}: {packed}{columns}")
        if layout.cells:
            lines.append(f"  columns with values: {len(layout.cells)}")
        if layout.ignored:
            lines.append(f"  columns without meaning here: {', '.join(layout.ignored)[:400]}")
    profile = summary.profile
    why = f" (found out: {summary.profile_why})" if summary.profile_why else ""
    stated = "as published" if profile.zone and profile.zone_known else "assumed"
    sent = {"start": "", "end": "; sent is the interval's start", "unknown": "; sent as they stand"}
    unit = profile.unit + (f" × {profile.multiply}" if profile.multiply != 1 else "")
    lines += [
        f"found     {survey.rows:,} readings of {survey.meters:,} meters, "
        f"{format_instant(survey.first)} to {format_instant(survey.last)}, order: {survey.order}",
        *(_census(summary.census) if summary.census else ()),
        f"assumed   profile {profile.name}{why}; stamps without offset are {zone} ({stated}); "
        f"values are {unit} per interval; "
        f"which end of its interval a stamp names: {profile.anchor}{sent[profile.anchor]}",
        f"would send {summary.readings:,} readings, {summary.delayed:,} of them delayed, "
        f"and withhold {summary.withheld:,}; "
        f"{summary.ticks:,} ticks to each partition",
    ]
    return "\n".join(lines + _remarks(summary, request))


def _census(census: Census) -> list[str]:
    shares = ", ".join(f"{minutes:g} min × {count:,}" for minutes, count in census.intervals)
    changes = ", ".join(
        f"{change.date} ({change.hours:g} h, {change.readings:,} readings)" for change in census.changes
    )
    every = calendar_words(census.calendar) if census.calendar else f"{census.interval} min"
    return [
        f"interval  {every} (between readings of a meter: {shares or 'one reading each'})",
        f"values    {census.micro_kwh / 1_000_000:,.6f} kWh in all, as they stand; "
        f"{census.negative:,} negative, {census.zero:,} zero; {census.repeated:,} exact duplicates, "
        f"{census.contradicting:,} with another value; {census.off_grid:,} off the common grid",
        f"clocks    {'days that have not 24 hours: ' + changes if changes else 'no change of clocks'}",
        *_plausible(census),
    ]


def _plausible(census: Census) -> list[str]:
    plausible = census.plausible
    a_day = plausible.a_day
    lines = []
    if a_day:
        lines.append(
            f"a day     {a_day['median']:,.3f} kWh a meter (median), {a_day['least']:,.3f} "
            f"({a_day['least_meter']}) to {a_day['most']:,.3f} ({a_day['most_meter']})"
        )
    return lines + [f"hint      {hint}" for hint in plausible.hints]


def _refused(census: Census | None) -> list[str]:
    if census is None or not census.refusals.readings:
        return []
    refusals = census.refusals
    lines = [
        f"refused   {refusals.readings:,} readings by the worker's own rules: they become dead letters, and "
        f"{census.accepted_micro_kwh / 1_000_000:,.6f} kWh are accepted"
    ]
    lines += [f"          {reason}" for reason in refusals.described]
    if census.negative:
        lines.append("note      the worker refuses negative readings (NEGATIVE)")
    return lines


def _left_aside(files: list[str]) -> list[str]:
    if not files:
        return []
    lines = [f"left aside {len(files):,} {'file' if len(files) == 1 else 'files'}"]
    lines += [f"          {file}" for file in files[:_SHOWN]]
    if len(files) > _SHOWN:
        lines.append(f"          and {len(files) - _SHOWN:,} more (--json has them all)")
    return lines


def _replaced(devices: Devices) -> list[str]:
    meters = devices.replaced
    lines = [
        f"replaced  {meter}: {devices.described(meter)}; parts of a day are added up"
        for meter in meters[:_SHOWN]
    ]
    if len(meters) > _SHOWN:
        lines.append(f"          and {len(meters) - _SHOWN:,} more meters")
    return lines


def done(summary: Summary, request: Request) -> str:
    """What was sent."""
    already = f" ({summary.already_sent:,} were there already)" if summary.resumed else ""
    settled = "" if summary.settled_to is None else f", settled to {format_instant(summary.settled_to)}"
    lines = [
        f"sent      {summary.readings:,} readings{already} in {summary.seconds:,.1f} s, "
        f"{summary.rate:,.0f} readings/s, after {summary.reading_seconds:,.1f} s of reading",
        f"faults    {summary.delayed:,} delayed, {summary.withheld:,} withheld"
        + (f", {summary.garbage:,} garbage" if summary.garbage else ""),
        f"ticks     {summary.ticks:,} to each partition{settled}",
        f"run       {summary.run}",
    ]
    return "\n".join(lines + _remarks(summary, request))


def _remarks(summary: Summary, request: Request) -> list[str]:
    tally = summary.tally
    lines = [*(f"hint      {doubt}" for doubt in summary.doubts), *_left_aside(summary.left_aside)]
    if tally.left_out:
        lines.append(f"left out  {tally.left_out:,} rows by --start, --end or --meters")
    for count, what in (
        (tally.null_values, "values that stand for no reading"),
        (tally.other_series, "values of series that are no energy, or by --flow"),
        (tally.off_grid, "rows off the grid"),
        (tally.skipped_hours, "zeros of an hour that the clocks skipped"),
    ):
        if count:
            lines.append(f"not sent  {count:,} {what}")
    if tally.split_hours:
        lines.append(f"halved    {tally.split_hours:,} values of a repeated hour (DST_SPLIT)")
    if summary.survey.bytes_on_disk:
        lines.append(
            f"sorted    on disk: {summary.survey.bytes_on_disk / 1e6:,.0f} MB in "
            f"{summary.survey.runs_on_disk} runs "
            + (
                "(as the interrupted replay left them)"
                if summary.sorted_before
                else f"(reckoned: {summary.temp_estimate / 1e6:,.0f} MB)"
            )
        )
    lines += [*_refused(summary.census), *_replaced(summary.survey.devices)]
    if tally.bad:
        reasons = "; ".join(f"{count:,} × {reason}" for reason, count in tally.bad.most_common())
        lines.append(f"bad rows  {reasons}")
        lines += [f"          {bad}" for bad in tally.examples]
        if request.rejected:
            lines.append(f"          all of them: {request.rejected}")
    for note, count in tally.notes.items():
        lines.append(f"note      {note}" + (f" (× {count:,})" if count > 1 else ""))
    if request.truth:
        counts = ", ".join(f"{count:,} {kind}" for kind, count in sorted(summary.truth.items()))
        lines.append(f"truth     {request.truth} ({counts or 'no faults'})")
    return lines
