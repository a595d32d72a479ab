"""What a partition adds up: windows of consumption and sums of the regions, from every accepted reading.

``clean`` collects the readings of the straight path. ``drain`` works it off, always before anything else
happens to the meters: so it sees each of them as it was at its reading.
"""

from __future__ import annotations

from gridwatch.domain.consumption.sums import micro_wh
from gridwatch.domain.meter.grid import first_from
from gridwatch.domain.meter.intervals import lag_of
from gridwatch.domain.meter.state import MeterState
from gridwatch.domain.meter.usage import values_of
from gridwatch.domain.partials.group import QUARTER
from gridwatch.domain.partition.sums.anomalies import Anomalies
from gridwatch.domain.partition.sums.bundles import Bundles
from gridwatch.domain.partition.sums.contribution import Applied, Clean, Contribution, count_unplaced
from gridwatch.domain.partition.sums.emission import Emission
from gridwatch.domain.partition.sums.lives import LIVES
from gridwatch.domain.partition.sums.regions import GROUP, SILENT, SUMS, Regions
from gridwatch.domain.partition.sums.windows import ENDED, Windows
from gridwatch.domain.partition.workbench import Workbench
from gridwatch.domain.policy import MINUTE, NEVER
from gridwatch.domain.registry.registration import Registration


class Totals:
    """All that is added up in one partition."""

    def __init__(self, bench: Workbench) -> None:
        policy = bench.policy
        self._bench = bench
        self._policy = policy
        self.is_on = bool(policy.windows) or policy.regional or policy.judges
        self.clean: list[Clean] = []
        """Clean readings that are not added up yet."""
        self._windows = Windows(bench)
        self._anomalies = Anomalies(bench) if policy.judges else None
        self._emission = Emission(bench, self._windows, self._anomalies)
        self._regions = Regions(bench) if policy.regional else None
        self._bundles = None if self._regions is None else Bundles(bench, self._regions)

    def load(self, name: str, last_seen: int) -> None:
        """Load a stored state by its name; of a meter only when it was seen last."""
        if name >= " ":
            self._windows.expect(name, last_seen)
        elif name.startswith(ENDED):
            self._windows.load_ended(name[1:])
        elif name.startswith(LIVES):
            if self._anomalies is not None:
                self._anomalies.lives.load(name[1:])
        elif name.startswith((SUMS, GROUP, SILENT)) and self._regions is not None:
            self._regions.load(name)

    @property
    def timer(self) -> int:
        """The watermark at which windows and bundles are emitted next."""
        crossed = self._bench.partition.crossed
        return NEVER if crossed is None else crossed + MINUTE

    def start(self) -> None:
        """Begin with the watermark as it is: what ended before is not emitted."""
        part = self._bench.partition
        if self.is_on and part.crossed is None and part.watermark is not None:
            part.crossed = minute_of(part.watermark)

    def flush(self) -> None:
        """At the end of a call: make all that changed part of the outcome."""
        self.drain()
        if self._regions is not None:
            self._regions.flush()

    # -- readings

    def drain(self) -> None:
        """Add up the clean readings so far."""
        if not self.clean:
            return
        if self._anomalies is not None:
            self._anomalies.note_clean(self.clean)
        self._add_up()
        self.clean.clear()

    def _add_up(self) -> None:
        policy, windows, regions = self._policy, self._windows, self._regions
        longest, lateness, horizon = windows.longest, policy.allowed_lateness, self._bench.horizon_key
        crossed = self._bench.partition.crossed or 0
        always_start = policy.anchor == "start"
        for raw, time, meter, slot, interval, _ in self.clean:
            region = None if regions is None else meter.region
            if interval > longest and region is None:
                continue
            usage, energy = meter.use(), micro_wh(raw.consumption_kwh)
            terms = meter.terms
            lag = 0 if always_start and (terms is None or terms.anchor is None) else lag_of(meter, policy)
            if interval <= longest:
                if lag != usage.lag:  # its interval is known from here on
                    windows.note_lag(raw.meter_id, meter)
                if time - lag >= usage.shortest_until or usage.shortest_until <= crossed:
                    windows.mark(raw.meter_id, meter, usage, time - lag, lag)
                if lag > lateness and QUARTER in policy.windows:
                    count_unplaced(self._bench, energy, time - lag, time - lag)
                values = values_of(raw)
                running = windows.running.get(raw.meter_id)
                if running is not None:
                    running.add(time - lag, energy, values)
                if values is not None:
                    usage.add_values(time, values, horizon)
            if region is None or regions is None:
                continue
            if usage.place is None and terms is None:
                moved = regions.move(raw.meter_id, meter, None, None, 0, slot - lag)
                usage.place, usage.joined = moved
            if interval <= lateness:
                regions.add_clean(region, usage, energy, slot - lag, interval)

    def note(self, applied: Applied, meter: MeterState, registration: Registration | None) -> None:
        """Add up a reading that was just applied and remembered."""
        if not self.is_on:
            return
        shares = Contribution(self._bench, applied, meter)
        self._windows.note(applied, meter, shares.span)
        shares.remember()
        if self._regions is not None:
            self._move(applied.meter_id, meter, registration, shares.since)
            self._regions.contribute(shares)
        if self._anomalies is not None:
            self._anomalies.note(applied, meter, shares)

    def touched(self, meter_id: str, meter: MeterState, registration: Registration | None) -> None:
        """After a reading that is too late: with it, the interval of its meter may be known."""
        if self._regions is not None:
            self._move(meter_id, meter, registration, self._bench.partition.watermark or 0)

    # -- meters

    def _move(
        self, meter_id: str, meter: MeterState | None, registration: Registration | None, at: int
    ) -> None:
        """Let a meter count where it belongs now, from ``at`` on."""
        regions = self._regions
        if regions is None:
            return
        if meter is not None:
            usage = meter.usage
            before, joined = (None, 0) if usage is None else (usage.place, usage.joined)
            now, joined = regions.move(meter_id, meter, registration, before, joined, at)
            if now != before:
                meter.use().place, meter.use().joined = now, joined
                regions.watch(meter_id, now, meter.open_gap)
        elif registration is not None:
            before = registration.place
            now, joined = regions.move(meter_id, None, registration, before, registration.joined, at)
            if now != before:
                registration.place, registration.joined = now, joined
                regions.watch(meter_id, now, registration.gap)

    def settled(
        self,
        meter_id: str,
        meter: MeterState | None,
        registration: Registration | None,
        turned: int | None,
        gap_changed: bool,
    ) -> None:
        """After a meter was settled. ``turned``: since when the entry holds that has just taken over."""
        regions, bench, policy = self._regions, self._bench, self._policy
        if turned is not None and meter is not None and self.is_on:
            self._windows.note_lag(meter_id, meter)
            self._windows.change(meter_id, meter)
        if regions is None:
            return
        if turned is not None:
            at = turned
            if meter is not None:
                lag = lag_of(meter, policy)
                at = first_from(turned + lag, meter.cursor, meter.interval, meter.calendar) - lag
            self._move(meter_id, meter, registration, at)
            if meter is not None:
                bench.mark(meter_id, meter)
        if gap_changed:
            if meter is not None:
                place, gap = None if meter.usage is None else meter.usage.place, meter.open_gap
            elif registration is not None:
                place, gap = registration.place, registration.gap
            else:
                return
            regions.watch(meter_id, place, gap)

    def dropping(
        self, meter_id: str, meter: MeterState, registration: Registration | None, gap_changed: bool
    ) -> None:
        """Before the state of a meter is dropped: emit its windows. It may count on by its registration."""
        if not self.is_on:
            return
        self._emission.finish(meter_id, meter, minute_of(self._bench.partition.watermark or 0))
        if self._anomalies is not None:
            self._anomalies.drop(meter_id, meter)
        regions = self._regions
        if regions is None:
            return
        usage, at = meter.usage, meter.cursor - lag_of(meter, self._policy)
        before, joined = (None, 0) if usage is None else (usage.place, usage.joined)
        now, joined = regions.move(meter_id, None, registration, before, joined, at)
        if registration is not None:
            registration.place, registration.joined = now, joined
        if gap_changed:
            regions.watch(meter_id, now, None if registration is None else registration.gap)

    # -- time

    def cross(self) -> bool:
        """As the watermark has crossed a minute: emit windows and bundles. False if the budget ran out."""
        part = self._bench.partition
        if not self.is_on or part.watermark is None:
            return True
        if part.crossed is None:
            self.start()
        reached = minute_of(part.watermark)
        if part.crossed is None or reached <= part.crossed:
            return True
        if not self._emission.cross(reached):
            return False
        if self._anomalies is not None:
            self._anomalies.lives.cross(reached)
        if self._bundles is not None:
            self._bundles.emit(reached)
        part.crossed, part.crossing = reached, None
        return True

    def note_region(self, name: str) -> None:
        """Note that there is a new record of a region."""
        if self._bundles is not None:
            self._bundles.note_region(name)
        if self._anomalies is not None:
            self._anomalies.note_region()


def minute_of(time: int) -> int:
    """The minute that an instant lies in."""
    return time - time % MINUTE
