"""Policy: every number that a rule depends on, frozen for the life of a worker.

Two workers, or two runs over the same log, agree only if their policies agree. So nothing in here may
change while records are processed, and no rule may depend on a number from elsewhere. All durations are
microseconds.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Final

SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
MONTH: Final = 30 * DAY
"""What a month is taken for where it has to be one number."""
_THREE_MONTHS: Final = 3 * 32 * DAY
"""Longer than any three months, and three of the longest intervals."""
DEFAULT_FLOW: Final = "smartmeter"
NEVER: Final = 1 << 62
"""After every instant; its negative is before every one."""
_SHORTEST_GRACE: Final = 30 * SECOND


def short_grace(interval: int) -> int:
    """The grace of a meter with an ``interval`` below a minute: three intervals, at least 30 s."""
    return max(3 * interval, _SHORTEST_GRACE)


def grace_of(interval: int, grace: int) -> int:
    """The grace of a meter with this ``interval``: the ``grace`` of the policy from a minute on."""
    return grace if interval >= MINUTE else short_grace(interval)


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings of the rules; defaults as documented for the ``GRIDWATCH_…`` settings.

    Raises ``ValueError`` naming the field if a number cannot work: durations and limits must be positive.
    """

    partitions: int = 6
    """Partitions of every topic; decides which partition a meter belongs to."""
    default_interval: int = 30 * MINUTE
    """Interval of a meter until its readings give or teach another one."""
    grace: int = 15 * MINUTE
    """How long after its slot a reading may be missing before that is a gap; see ``grace_of``."""
    max_out_of_orderness: int = 10 * SECOND
    """How far the watermark stays behind the highest event time."""
    allowed_lateness: int = HOUR
    """How far behind the watermark a reading may be and still be processed."""
    state_ttl: int = 7 * DAY
    """Silence after which the state of a meter is removed; at least three of its intervals."""
    max_future_skew: int = 5 * MINUTE
    """How far a stamp may be after the timestamp of its Kafka record."""
    max_watermark_jump: int = DAY
    """How far one meter alone may advance the watermark; at least two of its intervals."""
    gap_memory: int = DAY
    """How long after its end a gap can still be filled."""
    metrics_window: int = 5 * MINUTE
    """Length of a window of the event-time metrics."""
    timezone: str = "UTC"
    """IANA zone in which a stamp without offset is read, and of a calendar interval without zone."""
    anchor: str = "start"
    """Whether a reading covers the interval from its stamp on (``start``), or up to it (``end``)."""
    never_heard_after: int = DAY
    """How long a registered meter may take until its first reading, before that is a gap."""
    flow: str = DEFAULT_FLOW
    """The flow of these readings; control records of others do not belong here."""
    windows: tuple[int, ...] = ()
    """Lengths of the windows of consumption, ascending, each a number of minutes that divides an hour."""
    regional: bool = False
    """Whether the meters of this flow count in the load of their regions."""
    judges: bool = False
    """Whether anomalies are looked for (``anomalies``)."""
    judged_window: int | None = 15 * MINUTE
    """The windows that are judged: those of this length, of meters with a longer interval their own slots;
    None: of all meters."""
    nominal_voltage: float = 230.0
    nominal_frequency: float = 50.0
    """Hz."""
    max_kwh: float = 1000.0
    """Highest consumption of one reading."""
    max_power_kw: float = 1000.0
    """Most power of a meter: what a register may rise by, and what a power that stands for energy may be."""
    max_register_kwh: float = 1_000_000_000.0
    """A register is below this."""
    register_digits: int | None = None
    """Digits of a register before its decimal mark, after which it rolls over; None if unknown."""
    max_meter_id_bytes: int = 128
    max_record_bytes: int = 1_000_000
    min_interval: int = SECOND
    max_interval: int = 32 * DAY
    max_learned_interval: int = DAY
    """A longer one has to be given: silence teaches nothing."""
    max_remembered_gaps: int = 32
    """Ended gaps remembered for one meter."""
    hot_readings: int = 12
    """Remembered readings that the state of a meter holds at most: others are in blocks (``archive``)."""
    block_readings: int = 64
    max_held: int = 64
    """Readings beyond the jump guard that one partition holds."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, (int, float)) and not isinstance(value, bool) and not value > 0:
                raise ValueError(f"{field.name} must be above zero, not {value!r}")
        if self.min_interval > self.max_interval:
            raise ValueError("min_interval must not be above max_interval")
        if not self.min_interval <= self.default_interval <= self.max_interval:
            raise ValueError("default_interval must lie between min_interval and max_interval")

    def with_limits(self, max_power_kw: float | None, register_digits: int | None) -> Policy:
        """This policy with another most power and number of register digits, where given."""
        return _with_limits(self, max_power_kw, register_digits)

    def life_of(self, interval: int) -> int:
        """Silence after which the state of a meter with this interval is removed."""
        return max(self.state_ttl, 3 * interval if interval < MONTH else _THREE_MONTHS)

    def jump_of(self, interval: int) -> int:
        """How far a meter with this interval alone may advance the watermark."""
        return max(self.max_watermark_jump, 2 * interval)


@lru_cache(maxsize=1000)
def _with_limits(policy: Policy, max_power_kw: float | None, register_digits: int | None) -> Policy:
    return replace(
        policy,
        max_power_kw=max_power_kw or policy.max_power_kw,
        register_digits=register_digits or policy.register_digits,
    )
