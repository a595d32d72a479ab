"""The heat map of the regions, and the plots on the page of one."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from gridwatch.models.regional_aggregate import RegionalAggregate
from gridwatch.plots.axes import stamp
from gridwatch.plots.bands import Level, Step, stepped
from gridwatch.plots.canvas import SIZES, Frame
from gridwatch.plots.charts import Layer, layered
from gridwatch.plots.strips import Cell, small_line, strip
from gridwatch.views.regional.rows import QUARTER, WINDOWS

Windows = Sequence[tuple[int, RegionalAggregate]]
#: The load that warns, that is high and that is very high, %.
_LEVELS = (Level(60.0, "60 %", ""), Level(80.0, "80 %", "warn"), Level(90.0, "90 %", "bad"))
_COMPLETENESS_HEIGHT = 130


def heat_strip(region: str, windows: Windows, start: int) -> Markup:
    """The load of a region over the day from `start` on, µs, a cell for each quarter of an hour."""
    cells = [
        Cell((at - start) // QUARTER, row.load_percentage, not row.complete, title_of(at, row))
        for at, row in windows
    ]
    known = [(row.load_percentage, at) for at, row in windows if row.load_percentage is not None]
    unsure = len(windows) - len(known)
    parts = [f"Load of {region}, {len(windows)} of {WINDOWS} quarters of an hour"]
    if known:
        highest, at = max(known)
        parts.append(f"highest {highest:.1f} % at {stamp(at)}")
    if unsure:
        parts.append(f"{unsure} without a load")
    return strip(", ".join(parts), cells, WINDOWS)


def spark(region: str, windows: Windows, start: int) -> Markup:
    """The same as a small line, by the load in kW, which regions without a capacity have, too."""
    points = [((at - start) // QUARTER, row.load_kw) for at, row in windows if row.load_kw is not None]
    loads = [value for _, value in points]
    label = f"Load of {region}: " + (f"{min(loads):.1f} to {max(loads):.1f} kW" if loads else "not known")
    return small_line(label, points, WINDOWS, max(loads, default=1.0))


def title_of(at: int, row: RegionalAggregate) -> str:
    """A window in words."""
    if row.load_kw is None:
        said = "too little is known for a load"
    elif row.load_percentage is None or row.capacity_kw is None:
        said = f"{row.load_kw:.1f} kW, the capacity is not known"
    else:
        said = f"{row.load_percentage:.1f} % ({row.load_kw:.1f} of {row.capacity_kw:.1f} kW)"
    return f"{stamp(at)}: {said}{'' if row.complete else ', sources are missing'}"


def region_plots(region: str, windows: Windows, start: int, end: int) -> dict[str, list[Markup]]:
    """Load and completeness from start to end, µs, by the size of the plot."""
    plots = {}
    for size, (width, height) in SIZES.items():
        relative = any(row.load_percentage is not None for _, row in windows)
        loads = [
            Step(at, value, value, value)
            for at, row in windows
            if (value := row.load_percentage if relative else row.load_kw) is not None
        ]
        load = Frame(
            f"Load of {region}",
            "% of the capacity" if relative else "kW",
            start,
            end,
            width=width,
            height=height,
            size=size,
            least=100.0 if relative else 1.0,
        )
        complete = Frame(
            f"Completeness of {region}",
            "% of the time of its meters",
            start,
            end,
            width=width,
            height=_COMPLETENESS_HEIGHT,
            size=size,
            least=100.0,
        )
        plots[size] = [
            stepped(load, loads, QUARTER, _LEVELS if relative else ()),
            layered(complete, _completeness(windows), QUARTER),
        ]
    return plots


def _completeness(windows: Windows) -> list[Layer]:
    known = [(at, 100 * row.completeness, row) for at, row in windows if row.completeness is not None]
    enough = [(at, value) for at, value, row in known if row.load_kw is not None]
    too_little = [(at, value) for at, value, row in known if row.load_kw is None]
    return [Layer("enough", enough, "processed"), Layer("too little for a load", too_little, "missing")]
