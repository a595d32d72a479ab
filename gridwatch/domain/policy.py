"""Policy: every number that a rule depends on, frozen for the life of a worker.

Two workers, or two runs over the same log, agree only if their policies agree. So nothing in here may
change while records are processed, and no rule may depend on a number from elsewhere. All durations are
microseconds.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
NEVER: Final = 1 << 62
"""After every instant; its negative is before every one."""


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
    """How long after its slot a reading may be missing before that is a gap."""
    max_out_of_orderness: int = 10 * SECOND
    """How far the watermark stays behind the highest event time."""
    allowed_lateness: int = HOUR
    """How far behind the watermark a reading may be and still be processed."""
    state_ttl: int = 7 * DAY
    """Silence after which the state of a meter is removed."""
    max_future_skew: int = 5 * MINUTE
    """How far a stamp may be after the timestamp of its Kafka record."""
    max_watermark_jump: int = DAY
    """How far one meter alone may advance the watermark."""
    gap_memory: int = DAY
    """How long after its end a gap can still be filled."""
    metrics_window: int = 5 * MINUTE
    """Length of a window of the event-time metrics."""
    timezone: str = "UTC"
    """IANA zone in which a stamp without offset is read."""
    max_kwh: float = 1000.0
    """Highest consumption of one reading."""
    max_meter_id_bytes: int = 128
    max_record_bytes: int = 1_000_000
    min_interval: int = MINUTE
    max_interval: int = DAY
    max_remembered_gaps: int = 32
    """Ended gaps remembered for one meter."""
    max_held: int = 64
    """Readings beyond the jump guard that one partition holds."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, (int, float)) and not value > 0:
                raise ValueError(f"{field.name} must be above zero, not {value!r}")
        if self.min_interval > self.max_interval:
            raise ValueError("min_interval must not be above max_interval")
        if not self.min_interval <= self.default_interval <= self.max_interval:
            raise ValueError("default_interval must lie between min_interval and max_interval")
