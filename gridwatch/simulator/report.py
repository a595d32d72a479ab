"""What a simulation says at its end, for people and for `--json`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from gridwatch.domain.instants import format_instant
from gridwatch.simulator.request import Request
from gridwatch.simulator.simulation import Summary


def text(summary: Summary, request: Request, *, sent: bool) -> str:
    """The summary, a line a thing; `sent`: it was more than a dry run."""
    verb = "sent" if sent else "would send"
    already = f" ({summary.already_sent:,} were there already)" if summary.resumed else ""
    end = "for ever" if request.end is None else format_instant(request.end)
    lines = [
        f"fleet     {request.meters:,} meters in {request.regions:,} regions, every {request.every} s, "
        f"{format_instant(request.start)} to {end}, seed {request.seed}",
        f"{verb:<9} {summary.readings:,} readings{already}, {summary.delayed:,} of them late, "
        f"and {'withheld' if sent else 'withhold'} {summary.withheld:,}; "
        + ("no ticks" if request.readings_only else f"{summary.ticks:,} ticks to each partition"),
        f"registry  {summary.control_records:,} control records for meters and regions"
        if summary.control_records
        else "registry  none sent",
        f"speed     {summary.seconds:,.1f} s, {summary.rate:,.0f} readings/s",
        "energy    " + f"{sum(kwh for _, kwh in summary.energy.values()):,.3f} kWh taken, "
        f"{summary.fed_in_kwh:,.3f} kWh fed in; by class:",
        *(
            f"          {name:<16} {meters:>7,} meters {kwh:>16,.3f} kWh"
            for name, (meters, kwh) in summary.energy.items()
        ),
    ]
    if not sent:
        for time, meter, kwh, _, members in summary.first:
            stamp = format_instant(time)
            lines.append(
                f'first     {{"meter_id":"{meter}","timestamp":"{stamp}","consumption_kwh":{kwh!r}{members}}}'
            )
    if summary.run:
        lines.append(f"run       {summary.run}")
    if request.readings_only:
        lines += _of_readings_only(summary)
    if request.truth:
        counts = ", ".join(f"{count:,} {kind}" for kind, count in sorted(summary.truth.items()))
        lines.append(f"truth     {request.truth} ({counts or 'nothing was done'})")
    return "\n".join(lines)


def _of_readings_only(summary: Summary) -> list[str]:
    lines = [
        "settled   no: neither ticks nor control records go this way; "
        "the last gaps are found when event time moves on"
    ]
    if (answers := summary.answers) is not None:
        lines.append(
            f"answers   {answers.url}: {answers.accepted:,} accepted, {answers.rejected:,} rejected"
            + (", the first of them:" if answers.examples else "")
        )
        lines += [f"          {example}" for example in answers.examples]
    return lines


def as_dict(summary: Summary, request: Request) -> dict[str, Any]:
    """For `--json`."""
    return {
        "run": summary.run,
        "seed": request.seed,
        "meters": request.meters,
        "regions": request.regions,
        "every_seconds": request.every,
        "from": format_instant(request.start),
        "until": None if request.end is None else format_instant(request.end),
        "readings": summary.readings,
        "delayed": summary.delayed,
        "withheld": summary.withheld,
        "ticks": summary.ticks,
        "tick_records": summary.tick_records,
        "control_records": summary.control_records,
        "already_sent": summary.already_sent,
        "resumed": summary.resumed,
        "settled_to": None if summary.settled_to is None else format_instant(summary.settled_to),
        "seconds": round(summary.seconds, 3),
        "readings_per_second": round(summary.rate),
        "energy_kwh": {name: round(kwh, 6) for name, (_, kwh) in summary.energy.items()},
        "classes": {name: meters for name, (meters, _) in summary.energy.items()},
        "fed_in_kwh": round(summary.fed_in_kwh, 6),
        "truth": summary.truth,
        "answers": None if summary.answers is None else asdict(summary.answers),
    }
