"""The brokers and the topics on them: address, security, consumer group, partitions."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import BaseModel, Field, SecretStr, ValidationInfo, field_validator

from gridwatch.settings.flows import DEFAULT_FLOW, application, base_of


class Brokers(BaseModel):
    """The brokers, and the names of the consumer groups and their members."""

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
    app_id: str = Field(
        "gridwatch",
        pattern=r"^[A-Za-z0-9._-]{1,100}$",
        validate_default=True,
        description="consumer group and changelog prefix of the worker, in another flow than smartmeter with "
        "'-<flow>' after it; the sink's group is this + '-sink', for all flows",
    )
    instance_id: str = Field(
        "",
        pattern=r"^[A-Za-z0-9._-]{0,100}$",
        description="static consumer-group member name, one a worker; empty: host name and web port",
    )
    partitions: int = Field(6, ge=1, le=1000, description="partitions of every topic of the flow")
    replication_factor: int = Field(1, ge=1, le=9, description="copies of every topic")

    @field_validator("app_id")
    @classmethod
    def _no_two_flows_share_an_application(cls, value: str, info: ValidationInfo) -> str:
        flow = info.data.get("flow", DEFAULT_FLOW)
        base = base_of(value, flow)
        for other in info.data.get("flows", ()):
            if base.endswith(f"-{other}"):
                raise ValueError(f"{base!r} is read as the application of flow {other}; leave '-{other}' out")
        return application(base, flow)

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

    @property
    def bootstrap(self) -> str:
        """Brokers as `host:port,host:port`."""
        return bootstrap_servers(self.broker)


def bootstrap_servers(broker: str) -> str:
    """`kafka://a:1;kafka://b:2`, `kafka://a:1,b:2` or `a:1,b:2` as `a:1,b:2`."""
    return ",".join(part.strip().removeprefix("kafka://") for part in re.split("[,;]", broker))
