"""Every topic: name, key, value model, retention and clean-up policy.

All topics have the same number of partitions (`GRIDWATCH_PARTITIONS`), and an output goes to the
partition number of its source reading, so everything about a meter has one partition number.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gridwatch.models.dead_letter import DeadLetter
from gridwatch.models.gap_alert import GapAlert
from gridwatch.models.late_event import LateEvent
from gridwatch.models.metric import Metric
from gridwatch.models.validated import Validated

#: Marks a control record that advances event time; its value is an RFC 3339 instant.
TICK_HEADER = "gridwatch-tick"
#: With a tick: the last event time of the run that it settles, an RFC 3339 instant. What comes after it does
#: not become missing until a reading raises the watermark.
END_HEADER = "gridwatch-end"
#: Control records: what a meter, a region, a planned outage is. The value of the header is the version of
#: their format.
REGISTRY_HEADER = "gridwatch-registry"
REGION_HEADER = "gridwatch-region"
OUTAGE_HEADER = "gridwatch-outage"
CONTROL_VERSION = b"1"
#: The run of a replay that a record belongs to.
REPLAY_HEADER = "gridwatch-replay"
#: The row number of a replayed record, ticks too: where `replay --resume` finds its position.
ROW_HEADER = "gridwatch-row"

#: Larger than any raw record that is validated, so that an oversized one becomes a dead letter.
_RECORD_BYTES = 16 * 1024 * 1024
#: One commit is one record batch: the changelog has to accept the largest one.
CHANGELOG_BATCH_BYTES = 16 * 1024 * 1024


def _retained_days(days: int) -> dict[str, str]:
    return {
        "cleanup.policy": "delete",
        "retention.ms": str(days * 86_400_000),
        "max.message.bytes": str(_RECORD_BYTES),
    }


@dataclass(frozen=True)
class Topic:
    """A topic's name, its content, and its configuration on the broker."""

    name: str
    meaning: str
    key: str
    model: type | None
    config: dict[str, str] = field(default_factory=dict)


RAW = Topic(
    "smartmeter_raw",
    "readings as they come, and ticks",
    "meter_id",
    None,
    {
        **_retained_days(7),
        # Record time is the broker's: skew and idle time are measured by one clock.
        "message.timestamp.type": "LogAppendTime",
    },
)
VALIDATED = Topic(
    "smartmeter_validated",
    "readings that were accepted, on time or late",
    "meter_id",
    Validated,
    _retained_days(7),
)
LATE_EVENTS = Topic(
    "smartmeter_late_events",
    "readings too late to be processed",
    "meter_id",
    LateEvent,
    _retained_days(30),
)
GAP_ALERTS = Topic(
    "smartmeter_gap_alerts",
    "gaps, one record a revision",
    "meter_id",
    GapAlert,
    _retained_days(30),
)
METRICS = Topic(
    "smartmeter_metrics",
    "counts by event-time window, and system metrics by wall clock",
    "id",
    Metric,
    _retained_days(30),
)
DEAD_LETTERS = Topic(
    "smartmeter_dead_letters",
    "what could not be read or stored, with every reason",
    "id",
    DeadLetter,
    _retained_days(30),
)
METER_REGISTRY = Topic(
    "meter_registry",
    "the newest version of every meter, region and planned outage",
    "meter_id, region:<region> or outage:<outage_id>",
    None,
    {"cleanup.policy": "compact", "max.message.bytes": str(_RECORD_BYTES)},
)

#: The outputs of the worker, which are the inputs of the sink.
OUTPUTS = (VALIDATED, GAP_ALERTS, LATE_EVENTS, METRICS, DEAD_LETTERS)

#: The Faust table of the worker; Faust names its changelog after application and table.
STATE_TABLE = "meters"


def changelog(app_id: str, table: str = STATE_TABLE) -> Topic:
    """The changelog of a stage's table: one atomic record batch a commit."""
    return Topic(
        f"{app_id}-{table}-changelog",
        f"state of {table} and partitions: one record batch a commit",
        "name of the state, such as the meter_id",
        None,
        {
            "cleanup.policy": "compact",
            "max.message.bytes": str(CHANGELOG_BATCH_BYTES),
            # Rows of a stalled former owner are detected and superseded before compaction.
            "min.compaction.lag.ms": str(3_600_000),
        },
    )


def all_topics(app_id: str) -> tuple[Topic, ...]:
    """Every topic that has to exist before a worker or a sink starts."""
    return (RAW, *OUTPUTS, METER_REGISTRY, changelog(app_id))
