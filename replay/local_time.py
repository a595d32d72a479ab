"""Local stamps to instants, also in the hours that the clocks skip or repeat.

A local time names one instant, two (the clocks went back) or none (they went forward). Which of two is
meant is not written in a file of local times; `Folds` tells them apart by the order of a meter's rows: the
first row with the name is the earlier instant and the second the later one, the other way round where the
rows run backwards in time.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from gridwatch.domain.instants import parse_instant
from replay.profile import RFC_3339
from replay.rows import BadCell, Row, Tally

_EPOCH = datetime(1970, 1, 1)
_EPOCH_UTC = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND = timedelta(microseconds=1)
_CACHED_TEXTS = 200_000
_MINUTE = 60_000_000
_TOP_OF_A_STAMP = len("2024-01-01T10:00")


class LocalTime:
    """The clocks of a zone. Times in µs; a local time is counted as if it were UTC."""

    def __init__(self, zone: str) -> None:
        self.name = zone
        self._zone = ZoneInfo(zone)

    def instants(self, local: int) -> tuple[int, ...]:
        """The instants of a local time: one, two in order, or none."""
        stamp = _EPOCH + timedelta(microseconds=local)
        both = [stamp.replace(tzinfo=self._zone, fold=fold).astimezone(timezone.utc) for fold in (0, 1)]
        if both[0].astimezone(self._zone).replace(tzinfo=None) != stamp:
            return ()
        times = sorted({(moment - _EPOCH_UTC) // _MICROSECOND for moment in both})
        return tuple(times)

    def skipped(self, local: int) -> BadCell:
        """What to say of a local time that names no instant."""
        stamp = _EPOCH + timedelta(microseconds=local)
        return BadCell(
            "timestamp",
            str(stamp),
            f"not a time: {stamp} does not exist in {self.name}: the clocks skipped it",
        )

    def midnight(self, local: int) -> int:
        """The instant at which the local day of a local time begins."""
        return self.instants(local - local % (1440 * _MINUTE))[0]


def local_micros(text: str, forms: tuple[str, ...]) -> int:
    """A stamp without offset, counted as if it were UTC. ValueError when it has none of the forms."""
    if not forms:
        return parse_instant(text, "UTC")[0]
    for form in forms:
        try:
            if form == RFC_3339:
                return parse_instant(text, "UTC")[0]
            return (datetime.strptime(text, form) - _EPOCH) // _MICROSECOND
        except ValueError:
            continue
    example = datetime(2024, 12, 31, 23, 30)
    shown = " or ".join(str(example) if form == RFC_3339 else example.strftime(form) for form in forms)
    raise ValueError(f"{text[:40]!r} is not written like {shown}")


class Stamps(dict[str, int]):
    """Text of a stamp → µs; files repeat each stamp for every meter.

    Of two instants the earlier; `folds` has the later one for it. `shift` (µs) is taken off each stamp: the
    interval, where stamps name its end. Stamps with and without offset in one file are refused.
    """

    def __init__(self, zone: str, tally: Tally, forms: tuple[str, ...] = (), shift: int = 0) -> None:
        super().__init__()
        self.folds: dict[int, int] = {}
        self.clocks = LocalTime(zone)
        self._tally = tally
        self._forms = forms
        self._may_have_offset = not forms or RFC_3339 in forms
        self._shift = shift
        self._offsets: bool | None = None

    def __missing__(self, text: str) -> int:
        stamp = text.strip()
        rest = stamp[_TOP_OF_A_STAMP:]
        offset = self._may_have_offset and any(mark in rest for mark in "Zz+-")
        try:
            times: tuple[int, ...] = (
                (parse_instant(stamp)[0],)
                if offset
                else self.clocks.instants(local := local_micros(stamp, self._forms))
            )
        except (ValueError, OverflowError) as problem:
            raise BadCell("timestamp", text, f"not a time: {problem}") from problem
        if not times:
            skipped = self.clocks.skipped(local)
            raise BadCell("timestamp", text, skipped.reason)
        if self._offsets is None:
            self._offsets = offset
        elif self._offsets != offset:
            has, before = ("an offset", "none") if offset else ("no offset", "one")
            raise BadCell(
                "timestamp", text, f"mixed zones: the stamp has {has}, those before it had {before}"
            )
        time = times[0] - self._shift
        if len(times) > 1:
            self._tally.ambiguous += 1
            self.folds[time] = times[1] - self._shift
        if len(self) >= _CACHED_TEXTS:
            self.clear()
        self[text] = time
        return time


class Folds:
    """Which of two instants a row means. Remembers each meter's rows in the latest repeated hour only."""

    def __init__(self) -> None:
        self._taken: dict[str, set[int]] = {}

    def tell(self, meter: str, earlier: int, later: int, previous: Row | None) -> int:
        """The instant of a row, given its meter's row before (or any other meter's, or none)."""
        taken = self._taken.get(meter)
        if taken is None or min(abs(earlier - time) for time in taken) > 1440 * _MINUTE:
            taken = self._taken[meter] = set()
        if earlier in taken:
            time = later
        elif later in taken:
            time = earlier
        else:
            past = previous is not None and previous[1] == meter and previous[0] > earlier
            time = later if past else earlier
        taken.add(time)
        return time
