"""A score for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from gridwatch.cli.scoring.anomalies import SEVERITIES, AnomalyScore, KindScore
from gridwatch.cli.scoring.database import NearbyReading
from gridwatch.cli.scoring.sums import Sums
from replay.scoring.score import Difference, Rates, Score

_HEAD = f"{'expected':>10}{'found':>10}{'matched':>10}{'precision':>11}{'recall':>9}"
_ANOMALY_HEAD = (
    f"{'injected':>9}{'decided':>9}{'found':>7}{'left out':>9}{'recall':>8}"
    + "".join(f"{severity:>9}" for severity in SEVERITIES)
    + f"{'high conf.':>12}{'false':>7}"
)


def text(
    result: Score,
    named: Sequence[tuple[Difference, Sequence[NearbyReading]]],
    sums: Sums,
    anomalies: AnomalyScore | None,
    show: int,
) -> str:
    """Tables of rates, the other figures, and the differences of `named` with the readings around them; of
    `sums` and `anomalies` so many as `show` says, 0 for all."""
    lines = [f"{'':<15}{_HEAD}"]
    lines += [_row(name, rates) for name, rates in result.parts.items() if rates.expected or rates.found]
    lines.append(_row("overall", result.overall))
    lines += ["", *figures(result).values(), *(f"{name}: {part}" for name, part in sums.parts.items())]
    if result.kinds:
        lines += ["", f"{'by fault':<33}{_HEAD}"]
        lines += [
            f"{kind:<18}{_row(of, rates)}"
            for (kind, of), rates in sorted(result.kinds.items())
            if rates != Rates()
        ]
    if anomalies is not None:
        lines += ["", f"{'anomalies':<18}{_ANOMALY_HEAD}"]
        lines += [f"{kind:<18}{_anomaly_row(one)}" for kind, one in anomalies.rows.items()]
        lines += anomalies.figures
    if named:
        lines.append("")
    for difference, readings in named:
        lines.append(str(difference))
        lines += [f"    {reading}" for reading in readings]
    if len(result.differences) > len(named):
        lines.append(f"… and {len(result.differences) - len(named):,} more (--show 0 names all)")
    differences = sums.differences
    lines += ["", *differences[: show or None]] if differences else []
    missed = anomalies.missed if anomalies is not None else []
    lines += ["", *missed[: show or None]] if missed else []
    return "\n".join(lines)


def figures(result: Score) -> dict[str, str]:
    """Every figure that is not a rate, as text, by name."""
    edges, seconds = result.edges.as_dict(), result.seconds_to_detect
    pairs = edges["gaps"]
    lines = {}
    if pairs:
        ends = ", ".join(
            f"{edge} exact in {edges[edge]['exact']:,} of {pairs:,}, off by "
            f"{edges[edge]['mean_seconds']:,.1f} s on average and {edges[edge]['max_seconds']:,.0f} s at most"
            for edge in ("start", "end")
        )
        lines["edges"] = f"edges of gaps: {ends}"
    if seconds is not None:
        lines["detection"] = (
            f"time to detect, from the first missing slot: median {seconds['median'] / 60:,.1f} min, "
            f"95% within {seconds['p95'] / 60:,.1f} min, longest {seconds['max'] / 60:,.1f} min"
        )
    rate = result.false_alarm_rate
    lines["false alarms"] = f"false alarms: {result.false_alarms:,} gaps" + (
        f" in {result.meter_years:,.2f} meter-years, {rate:.4f} a meter-year" if rate is not None else ""
    )
    if result.unjudged:
        lines["not judged"] = (
            f"not judged: {result.unjudged:,} (before a meter's grid was known, outside of the replay, "
            "or late only because a wrong clock was ahead)"
        )
    return lines


def _row(name: str, rates: Rates) -> str:
    counts = f"{rates.expected:>10,}{rates.found:>10,}{rates.matched:>10,}"
    return f"{name:<15}{counts}{rates.precision:>11.4f}{rates.recall:>9.4f}"


def _anomaly_row(kind: KindScore) -> str:
    episodes = f"{kind.injected:>9,}{kind.decided:>9,}{kind.found:>7,}{kind.left_out:>9,}{kind.recall:>8.4f}"
    stored = "".join(f"{count:>9,}" for count in kind.stored.values())
    return f"{episodes}{stored}{kind.high:>12,}{kind.false_alarms:>7,}"
