"""Every setting of gridwatch, once: name, type, default and meaning.

A key is read from the environment (`GRIDWATCH_GRACE=20m`), then from one TOML file (`grace = "20m"`,
named by `--config` or `GRIDWATCH_CONFIG`), then from the default here. Durations are written `90s`,
`15m`, `1h`, `7d` or as plain seconds. A wrong value stops the program at the start with exit code 2.
"""

from __future__ import annotations

import difflib
import logging
import os
import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings import TomlConfigSettingsSource as TomlSource

from gridwatch.domain.policy import Policy
from gridwatch.durations import Duration, micros
from gridwatch.errors import UsageProblem

PREFIX = "GRIDWATCH_"
#: Variables of ours that are no settings: where the settings file is, and where downloads are kept.
_OTHER_VARIABLES = {"GRIDWATCH_CONFIG", "GRIDWATCH_CACHE"}
logger = logging.getLogger(__name__)


class Settings(BaseSettings):
    """All settings, read once and frozen."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", env_ignore_empty=True)

    broker: str = Field(
        "kafka://127.0.0.1:9092",
        description="Kafka bootstrap servers: kafka://host:port or host:port,host:port",
    )
    security_protocol: str = Field(
        "PLAINTEXT",
        pattern="^(PLAINTEXT|SSL|SASL_PLAINTEXT|SASL_SSL)$",
        description="how to talk to the brokers",
    )
    sasl_mechanism: str = Field(
        "PLAIN",
        pattern="^(PLAIN|SCRAM-SHA-256|SCRAM-SHA-512)$",
        description="SASL mechanism, for SASL_… protocols",
    )
    sasl_username: str = Field("", description="SASL user name")
    sasl_password: SecretStr = Field(SecretStr(""), description="SASL password")
    ssl_cafile: Path | None = Field(None, description="CA certificates (PEM) the brokers are verified with")
    ssl_certfile: Path | None = Field(None, description="client certificate (PEM)")
    ssl_keyfile: Path | None = Field(None, description="key of the client certificate (PEM)")
    database_url: SecretStr = Field(
        SecretStr("postgresql://gridwatch@127.0.0.1:5432/gridwatch"),
        description="where the sink writes: postgresql://user:password@host:port/database",
    )
    datadir: Path = Field(
        Path("gridwatch-data"), description="folder of the local RocksDB tables; one a worker"
    )
    app_id: str = Field(
        "gridwatch",
        pattern=r"^[A-Za-z0-9._-]{1,100}$",
        description="consumer group and changelog prefix of the worker; the sink's is this + '-sink'",
    )
    instance_id: str = Field(
        "",
        pattern=r"^[A-Za-z0-9._-]{0,100}$",
        description="static consumer-group member name, one a worker; empty: host name and web port",
    )

    partitions: int = Field(6, ge=1, le=1000, description="partitions of every topic of the flow")
    replication_factor: int = Field(1, ge=1, le=9, description="copies of every topic")

    default_interval: Duration = Field(
        timedelta(minutes=30),
        description="interval of a meter until one is given or learned; whole minutes, 1m to 1d",
    )
    grace: Duration = Field(
        timedelta(minutes=15),
        description="how long after its slot a reading may be missing before that is a gap",
    )
    max_out_of_orderness: Duration = Field(
        timedelta(seconds=10), description="how far the watermark stays behind the highest event time"
    )
    allowed_lateness: Duration = Field(
        timedelta(hours=1), description="how far behind the watermark a reading is still processed"
    )
    state_ttl: Duration = Field(
        timedelta(days=7), description="silence after which a meter's state is removed"
    )
    max_future_skew: Duration = Field(
        timedelta(minutes=5), description="how far a timestamp may lie after its Kafka record's"
    )
    max_watermark_jump: Duration = Field(
        timedelta(hours=24), description="how far one meter alone may pull the watermark on"
    )
    gap_memory: Duration = Field(
        timedelta(hours=24), description="how long ended gaps are remembered, in event time"
    )
    metrics_window: Duration = Field(
        timedelta(minutes=5), description="length of the event-time metric windows"
    )
    timezone: str = Field("UTC", description="zone of timestamps that come without an offset")
    idle_timeout: Duration = Field(
        timedelta(seconds=30), description="how long a partition is empty before its owner sends ticks"
    )
    idle_delay: Duration = Field(
        timedelta(seconds=60), description="idle ticks never come nearer to now than this"
    )
    stalled_after: Duration = Field(
        timedelta(seconds=30), description="what has not moved for this long makes a service not ready"
    )

    max_reading_kwh: float = Field(1000.0, gt=0, description="highest consumption of one reading, kWh")
    max_meter_id_bytes: int = Field(128, ge=1, le=1024, description="longest meter id, bytes of UTF-8")
    max_record_bytes: int = Field(1_000_000, ge=1000, le=10_000_000, description="largest raw record, bytes")

    dead_letter_run: int = Field(
        100, ge=0, description="dead letters in a row of one partition that make a service not ready; 0: any"
    )
    dead_letter_ratio: float = Field(
        0.5, ge=0, le=1, description="share of dead letters in one partition that does; 0: any"
    )
    dead_letter_window: int = Field(
        1000, ge=1, description="readings of one partition over which that share is judged"
    )

    session_timeout: Duration = Field(
        timedelta(seconds=20),
        description="silence after which a worker's or sink's partitions go to others; 6s to 60s",
    )
    batch_records: int = Field(
        5000, ge=1, le=100_000, description="most records of one partition handled in one commit"
    )
    meters_in_memory: int = Field(
        1_000_000,
        ge=1000,
        description="decoded meter states a worker keeps in memory; the rest are read from RocksDB",
    )
    sink_batch_rows: int = Field(
        20_000, ge=1, le=1_000_000, description="most rows of one database transaction"
    )
    sink_connections: int = Field(
        2, ge=1, le=32, description="database connections of a sink, side by side; partitions share them"
    )

    chunk_interval: Duration = Field(
        timedelta(days=7),
        description="TimescaleDB: length of a chunk; one of readings, with its indexes, should fit a quarter"
        " of the server's memory",
    )
    compress_after: Duration = Field(
        timedelta(days=30),
        description="TimescaleDB: age at which chunks are compressed; later than anything is still revised",
    )
    retention: Duration | None = Field(
        None,
        description="age by event time at which rows other than metrics are removed; empty: kept for ever",
    )
    metrics_retention: Duration | None = Field(
        None, description="age at which metrics are removed; empty: kept for ever"
    )

    log_format: str = Field(
        "text",
        pattern="^(text|json)$",
        description="how worker and sink log: text, or json, one object a line",
    )
    web_host: str = Field("127.0.0.1", description="address the web pages listen on")
    web_port: int = Field(6066, ge=1, le=65535, description="port of the worker's pages")
    web_advertised_url: str = Field(
        "", description="URL under which other workers reach this one; empty: from host and port"
    )
    sink_web_port: int = Field(
        6067, ge=1, le=65535, description="port of the sink's health and metrics pages"
    )

    @field_validator("broker")
    @classmethod
    def _broker_has_addresses(cls, value: str) -> str:
        for address in bootstrap_servers(value).split(","):
            host, _, port = address.rpartition(":")
            if not host or not port.isdigit() or not 0 < int(port) < 65536:
                raise ValueError(
                    f"{address!r} is not host:port; write kafka://host:port or host:port,host:port"
                )
        return value

    @field_validator("database_url")
    @classmethod
    def _database_is_postgresql(cls, value: SecretStr) -> SecretStr:
        if not re.match(r"postgres(ql)?(\+psycopg2)?://", value.get_secret_value()):
            raise ValueError("write postgresql://user:password@host:port/database")
        return value

    @field_validator("timezone")
    @classmethod
    def _timezone_is_known(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError("not a known time zone; write one like Europe/London") from error
        return value

    @field_validator("default_interval")
    @classmethod
    def _interval_is_whole_minutes(cls, value: timedelta) -> timedelta:
        if value % timedelta(minutes=1) or not timedelta(minutes=1) <= value <= timedelta(days=1):
            raise ValueError("an interval is a whole number of minutes from 1m to 1d")
        return value

    @field_validator("session_timeout")
    @classmethod
    def _session_is_one_that_brokers_allow(cls, value: timedelta) -> timedelta:
        if not timedelta(seconds=6) <= value <= timedelta(seconds=60):
            raise ValueError("brokers and clients allow 6s to 60s")
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Explicit values, then the environment, then the TOML file."""
        config = os.environ.get("GRIDWATCH_CONFIG")
        file = (TomlSource(settings_cls, toml_file=config),) if config else ()
        return (init_settings, env_settings, *file)

    @property
    def bootstrap(self) -> str:
        """Brokers as `host:port,host:port`."""
        return bootstrap_servers(self.broker)

    @property
    def database(self) -> str:
        """The database URL as SQLAlchemy and libpq both take it."""
        return re.sub(
            r"^postgres(ql)?(\+psycopg2)?://", "postgresql://", self.database_url.get_secret_value()
        )

    def policy(self) -> Policy:
        """The part of the settings that the rules of the stream depend on."""
        return Policy(
            partitions=self.partitions,
            default_interval=micros(self.default_interval),
            grace=micros(self.grace),
            max_out_of_orderness=micros(self.max_out_of_orderness),
            allowed_lateness=micros(self.allowed_lateness),
            state_ttl=micros(self.state_ttl),
            max_future_skew=micros(self.max_future_skew),
            max_watermark_jump=micros(self.max_watermark_jump),
            gap_memory=micros(self.gap_memory),
            metrics_window=micros(self.metrics_window),
            timezone=self.timezone,
            max_kwh=self.max_reading_kwh,
            max_meter_id_bytes=self.max_meter_id_bytes,
            max_record_bytes=self.max_record_bytes,
        )


def bootstrap_servers(broker: str) -> str:
    """`kafka://a:1;kafka://b:2`, `kafka://a:1,b:2` or `a:1,b:2` as `a:1,b:2`."""
    return ",".join(part.strip().removeprefix("kafka://") for part in re.split("[,;]", broker))


def load_settings(**overrides: Any) -> Settings:
    """Read the settings; UsageProblem names the first wrong key and what is allowed."""
    config = os.environ.get("GRIDWATCH_CONFIG")
    if config and not Path(config).is_file():
        raise UsageProblem(
            f"GRIDWATCH_CONFIG: no such file: {config}", "name an existing TOML file, or unset it"
        )
    _warn_of_unknown_variables()
    try:
        return Settings(**overrides)
    except ValidationError as problem:
        raise UsageProblem("\n".join(_explain(error) for error in problem.errors())) from problem
    except ValueError as problem:  # the TOML file itself cannot be read as TOML
        raise UsageProblem(f"{config}: {problem}", "mend the TOML file") from problem


def _warn_of_unknown_variables() -> None:
    """A misspelt variable would silently do nothing. Only a warning: orchestrators add some of their own."""
    known = {PREFIX + key.upper() for key in Settings.model_fields} | _OTHER_VARIABLES
    for name in sorted(os.environ):
        if name.startswith(PREFIX) and name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            logger.warning(
                "%s is no setting of gridwatch%s", name, f"; did you mean {near[0]}?" if near else ""
            )


def _explain(error: Any) -> str:
    key = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        known = ", ".join(sorted(Settings.model_fields))
        return f"unknown setting {key!r}; known are: {known}"
    secret = Settings.model_fields[key].annotation is SecretStr if key in Settings.model_fields else False
    given = "" if secret else f" (given: {error['input']!r})"
    reason = error["msg"].removeprefix("Value error, ")
    return f"{PREFIX}{key.upper()}: {reason}{given}"
