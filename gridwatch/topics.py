"""Every topic: name, key, value model, retention and clean-up policy.

Topics are declared once, under the names that they have in the default flow; a `Flow` has its own of each.
All topics have the same number of partitions (`GRIDWATCH_PARTITIONS`), and an output goes to the
partition number of its source reading, so everything about a meter has one partition number.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Final

from gridwatch.domain.policy import Policy
from gridwatch.models.aggregate import Aggregate
from gridwatch.models.anomaly import Anomaly
from gridwatch.models.dead_letter import DeadLetter
from gridwatch.models.gap_alert import GapAlert
from gridwatch.models.homelab import EnergyReading, HeatpumpReading, HomelabDeadLetter, TemperatureReading
from gridwatch.models.incident import Incident
from gridwatch.models.late_event import LateEvent
from gridwatch.models.metric import Metric
from gridwatch.models.partial import Partial
from gridwatch.models.regional_aggregate import RegionalAggregate
from gridwatch.models.validated import Validated

#: Marks a control record that advances event time; its value is an RFC 3339 instant.
TICK_HEADER = "gridwatch-tick"
#: With a tick: the last event time of the run that it settles, an RFC 3339 instant. What comes after it does
#: not become missing until a reading raises the watermark.
END_HEADER = "gridwatch-end"
#: Control records: what a meter, a region, a planned outage is. The value of the header is the version of
#: their format (`domain.reading.CONTROL_VERSION`).
REGISTRY_HEADER = "gridwatch-registry"
REGION_HEADER = "gridwatch-region"
OUTAGE_HEADER = "gridwatch-outage"
#: In the topic of partials: a source that is not waited for any more.
SOURCE_OUT_HEADER = "gridwatch-source-out"
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
AGGREGATES_1M = Topic(
    "aggregates_1m",
    "consumption of a meter by minute, one record a revision",
    "meter_id",
    Aggregate,
    _retained_days(7),
)
AGGREGATES_15M = Topic(
    "aggregates_15m",
    "consumption of a meter by quarter of an hour, one record a revision",
    "meter_id",
    Aggregate,
    _retained_days(30),
)
REGIONAL_PARTIALS = Topic(
    "regional_partials",
    "sums of the regions by source partition, which the stage `regions` adds up",
    "flow/partition",
    Partial,
    _retained_days(7),
)
REGIONAL_AGGREGATES = Topic(
    "regional_aggregates",
    "load of the regions by quarter of an hour, one record a revision",
    "region",
    RegionalAggregate,
    _retained_days(30),
)
INCIDENTS = Topic(
    "incidents",
    "many meters that fell silent together, one record a revision",
    "id",
    Incident,
    _retained_days(30),
)
ANOMALIES = Topic(
    "anomalies",
    "what a meter used that was out of the ordinary, one record a revision",
    "meter_id",
    Anomaly,
    _retained_days(30),
)
HOMELAB_ENERGY = Topic(
    "homelab.energy",
    "what energy meters and plugs of a home published by MQTT",
    "device_id",
    EnergyReading,
    _retained_days(7),
)
HOMELAB_HEATPUMP = Topic(
    "homelab.heatpump",
    "what its heat pumps published",
    "device_id",
    HeatpumpReading,
    _retained_days(7),
)
HOMELAB_TEMPERATURE = Topic(
    "homelab.temperature",
    "what its thermometers published",
    "device_id",
    TemperatureReading,
    _retained_days(7),
)
HOMELAB_DEAD_LETTERS = Topic(
    "homelab.dead_letters",
    "messages of the home that are no measurement, with every reason",
    "MQTT topic",
    HomelabDeadLetter,
    _retained_days(30),
)
METER_REGISTRY = Topic(
    "meter_registry",
    "the newest version of every meter, region and planned outage",
    "meter_id, region:<region> or outage:<outage_id>",
    None,
    {"cleanup.policy": "compact", "max.message.bytes": str(_RECORD_BYTES)},
)

#: The outputs of the readings stage of a flow, which are the inputs of the sink.
OUTPUTS = (
    *(VALIDATED, GAP_ALERTS, LATE_EVENTS, METRICS, DEAD_LETTERS),
    *(AGGREGATES_1M, AGGREGATES_15M, ANOMALIES),
)
#: The topics of the stage `regions`, which there is once for all flows.
REGIONAL = (REGIONAL_PARTIALS, REGIONAL_AGGREGATES, INCIDENTS)
#: What the bridge writes, which there is once for all flows, too.
HOMELAB = (HOMELAB_ENERGY, HOMELAB_HEATPUMP, HOMELAB_TEMPERATURE, HOMELAB_DEAD_LETTERS)

DEFAULT_FLOW: Final = Policy().flow
_PREFIX: Final = f"{DEFAULT_FLOW}_"
#: What the raw topic of a flow has after its name.
RAW_SUFFIX: Final = RAW.name.removeprefix(DEFAULT_FLOW)


@dataclass(frozen=True)
class Flow:
    """Readings that share a watermark a partition: a name, and topics of its own. `flow` makes them."""

    name: str

    def of(self, topic: Topic) -> Topic:
        """Its own of a topic that is declared for the default flow."""
        if self.name == DEFAULT_FLOW:
            return topic
        return replace(topic, name=f"{self.name}_{topic.name.removeprefix(_PREFIX)}")

    def id(self, record_id: str) -> str:
        """The id of a record among those of several flows: in the default one it stays as it is."""
        return record_id if self.name == DEFAULT_FLOW else f"{self.name}/{record_id}"

    @cached_property
    def raw(self) -> Topic:
        return self.of(RAW)

    @cached_property
    def validated(self) -> Topic:
        return self.of(VALIDATED)

    @cached_property
    def late_events(self) -> Topic:
        return self.of(LATE_EVENTS)

    @cached_property
    def gap_alerts(self) -> Topic:
        return self.of(GAP_ALERTS)

    @cached_property
    def metrics(self) -> Topic:
        return self.of(METRICS)

    @cached_property
    def dead_letters(self) -> Topic:
        return self.of(DEAD_LETTERS)

    @cached_property
    def aggregates(self) -> dict[int, Topic]:
        """The topics of windows, by the length in seconds."""
        return {60: self.of(AGGREGATES_1M), 900: self.of(AGGREGATES_15M)}

    @cached_property
    def anomalies(self) -> Topic:
        return self.of(ANOMALIES)

    @cached_property
    def outputs(self) -> tuple[Topic, ...]:
        """What its worker writes, and the sink reads."""
        return tuple(map(self.of, OUTPUTS))


@cache
def flow(name: str) -> Flow:
    """The flow of this name."""
    return Flow(name)


SMARTMETER: Final = flow(DEFAULT_FLOW)


def flow_of(topic: str, declared: Iterable[Topic] = OUTPUTS) -> tuple[Flow, Topic]:
    """The flow of a topic by its name, and which of the declared ones it is. KeyError when it is none."""
    for one in declared:
        if topic == one.name:
            return SMARTMETER, one
    for one in declared:
        name = topic.removesuffix(f"_{one.name.removeprefix(_PREFIX)}")
        if name not in ("", topic):
            return flow(name), one
    raise KeyError(topic)


#: The Faust table of the worker; Faust names its changelog after application and table.
STATE_TABLE = "meters"
#: That of the stage `regions`.
REGIONS_TABLE = "regions"


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


def all_topics(app_id: str, of: Flow = SMARTMETER) -> tuple[Topic, ...]:
    """Every topic of a flow that has to exist before its worker or a sink starts."""
    once = (*REGIONAL, changelog(app_id, REGIONS_TABLE), *HOMELAB) if of == SMARTMETER else ()
    return (of.raw, *of.outputs, METER_REGISTRY, changelog(app_id), *once)


def topics_of(applications: Mapping[str, str]) -> tuple[Topic, ...]:
    """Those of several flows, by the application id of each; what there is once is among them once."""
    needed = (all_topics(app_id, flow(name)) for name, app_id in applications.items())
    return tuple({topic.name: topic for some in needed for topic in some}.values())
