"""The MQTT entrance: the broker it connects to, and its pages."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, Field, SecretStr, field_validator


class Bridge(BaseModel):
    """`gridwatch bridge`. Everything else about it is in its configuration file."""

    bridge_config: Path | None = Field(
        None, description="TOML file with the broker and the rules of `gridwatch bridge`: docs/mqtt.md"
    )
    mqtt_url: str = Field(
        "mqtt://127.0.0.1:1883", description="the MQTT broker, mqtt:// or mqtts://; precedes that of the file"
    )
    mqtt_password: SecretStr = Field(
        SecretStr(""), description="password of the bridge's user at the MQTT broker"
    )
    bridge_web_port: int = Field(
        6069, ge=1, le=65535, description="port of the bridge's health and metrics pages"
    )

    @field_validator("mqtt_url")
    @classmethod
    def _mqtt_is_a_scheme(cls, value: str) -> str:
        if not value.startswith(("mqtt://", "mqtts://")):
            raise ValueError("write mqtt://host:port or mqtts://host:port")
        return value
