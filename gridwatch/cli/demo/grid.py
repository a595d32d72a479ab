"""Where the demo's meters are: registered in a few regions, each built for a bit more than it will need."""

from __future__ import annotations

from gridwatch.domain.instants import format_instant
from gridwatch.domain.registry.records import ACTIVE
from gridwatch.registry.book import Timing, apply
from gridwatch.registry.entities import METER, REGION
from gridwatch.registry.files import Table
from gridwatch.registry.problems import Problems
from gridwatch.registry.relay.service import Relay
from gridwatch.settings import Settings
from replay.sample.lines import FORMS
from sinks.database import connect

_REGIONS = ("North", "South", "West")
#: What is built for each household.
_KW = 2.2


def register(settings: Settings, meters: int, start: int) -> int:
    """Write regions and meters to the book, as of `start` (µs), and publish them; returns how many records
    that were. GridwatchError when database or broker cannot be reached."""
    used = _REGIONS[:meters]
    name_of = FORMS["spec"].meter.format
    named = [(name_of(number), used[number % len(used)]) for number in range(1, meters + 1)]
    begun = format_instant(start)
    sizes = [(region, f"{sum(of == region for _, of in named) * _KW:g}") for region in used]
    places = [(meter, ACTIVE, region, begun) for meter, region in named]
    with connect(settings.database) as connection:
        for entity, head, rows in (
            (REGION, ("region", "capacity_kw"), iter(enumerate(sizes, 1))),
            (METER, ("meter_id", "status", "region", "installed_at"), iter(enumerate(places, 1))),
        ):
            table = Table(entity.plural, head, rows, None, by_line=False)
            apply(connection, entity, table, settings, Problems(), timing=Timing(as_of=begun))
    return Relay(settings, once=True).run()
