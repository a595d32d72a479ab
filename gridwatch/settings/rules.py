"""The rules of the stream: what is late, missing or rejected, and the domain's policy made from them."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field, field_validator

from gridwatch.domain.policy import Policy
from gridwatch.durations import Duration, micros


class Rules(BaseModel):
    """The rules of a worker. Two workers, or two runs over one log, agree only if these agree."""

    default_interval: Duration = Field(
        timedelta(minutes=30),
        description="interval of a meter until one is given or learned; whole seconds, 1s to 32d",
    )
    grace: Duration = Field(
        timedelta(minutes=15),
        description="how long after its slot a reading may be missing before that is a gap; of meters below "
        "1m: three intervals, at least 30s",
    )
    max_out_of_orderness: Duration = Field(
        timedelta(seconds=10), description="how far the watermark stays behind the highest event time"
    )
    allowed_lateness: Duration = Field(
        timedelta(hours=1), description="how far behind the watermark a reading is still processed"
    )
    state_ttl: Duration = Field(
        timedelta(days=7),
        description="silence after which a meter's state is removed; at least three of its intervals",
    )
    max_future_skew: Duration = Field(
        timedelta(minutes=5), description="how far a timestamp may lie after its Kafka record's"
    )
    max_watermark_jump: Duration = Field(
        timedelta(hours=24),
        description="how far one meter alone may pull the watermark on; at least two of its intervals",
    )
    gap_memory: Duration = Field(
        timedelta(hours=24), description="how long ended gaps are remembered, in event time"
    )
    metrics_window: Duration = Field(
        timedelta(minutes=5), description="length of the event-time metric windows"
    )
    timezone: str = Field("UTC", description="zone of timestamps that come without an offset")
    anchor: str = Field(
        "start",
        pattern="^(start|end)$",
        description="whether a reading covers the interval that begins at its timestamp (start), or the one "
        "that ends there (end)",
    )
    never_heard_after: Duration = Field(
        timedelta(hours=24),
        description="how long a registered meter may take until its first reading, before that is a gap",
    )
    max_reading_kwh: float = Field(1000.0, gt=0, description="highest consumption of one reading, kWh")
    max_power_kw: float = Field(
        1000.0, gt=0, description="most power of a meter, kW: a register that rises faster is not believed"
    )
    register_digits: int | None = Field(
        None, ge=3, le=12, description="digits of the registers before the decimal mark, if they roll over"
    )
    max_meter_id_bytes: int = Field(128, ge=1, le=1024, description="longest meter id, bytes of UTF-8")
    max_record_bytes: int = Field(1_000_000, ge=1000, le=10_000_000, description="largest raw record, bytes")

    @field_validator("default_interval")
    @classmethod
    def _interval_is_whole_seconds(cls, value: timedelta) -> timedelta:
        if value % timedelta(seconds=1) or not timedelta(seconds=1) <= value <= timedelta(days=32):
            raise ValueError("an interval is a whole number of seconds from 1s to 32d")
        return value

    @field_validator("timezone")
    @classmethod
    def _timezone_is_known(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError("not a known time zone; write one like Europe/London") from error
        return value


def make_policy(
    rules: Rules, partitions: int, flow: str, *, windows: tuple[int, ...], regional: bool
) -> Policy:
    """The rules in the units of the domain, for a flow whose topics have so many partitions."""
    return Policy(
        partitions=partitions,
        default_interval=micros(rules.default_interval),
        grace=micros(rules.grace),
        max_out_of_orderness=micros(rules.max_out_of_orderness),
        allowed_lateness=micros(rules.allowed_lateness),
        state_ttl=micros(rules.state_ttl),
        max_future_skew=micros(rules.max_future_skew),
        max_watermark_jump=micros(rules.max_watermark_jump),
        gap_memory=micros(rules.gap_memory),
        metrics_window=micros(rules.metrics_window),
        timezone=rules.timezone,
        anchor=rules.anchor,
        never_heard_after=micros(rules.never_heard_after),
        flow=flow,
        windows=windows,
        regional=regional,
        max_kwh=rules.max_reading_kwh,
        max_power_kw=rules.max_power_kw,
        register_digits=rules.register_digits,
        max_meter_id_bytes=rules.max_meter_id_bytes,
        max_record_bytes=rules.max_record_bytes,
    )
