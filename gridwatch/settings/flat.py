"""All settings as one flat class, composed of the concerns, and the sources of their values."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Final

from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings import TomlConfigSettingsSource as TomlSource

from gridwatch.domain.policy import Policy
from gridwatch.durations import micros
from gridwatch.settings.anomalies import Anomalies
from gridwatch.settings.bridge import Bridge
from gridwatch.settings.brokers import Brokers
from gridwatch.settings.database import Database
from gridwatch.settings.flows import DEFAULT_FLOW, Flows, application, base_of
from gridwatch.settings.ingest import Ingest
from gridwatch.settings.pages import Pages
from gridwatch.settings.readiness import Readiness
from gridwatch.settings.rules import Rules, make_policy
from gridwatch.settings.windows import Windows
from gridwatch.settings.worker import Worker

PREFIX: Final = "GRIDWATCH_"


# The last base's fields come first, in errors and in the table of README.md.
class Settings(
    Bridge,
    Ingest,
    Pages,
    Database,
    Readiness,
    Worker,
    Anomalies,
    Windows,
    Rules,
    Brokers,
    Flows,
    BaseSettings,
):
    """All settings, read once and frozen."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", env_ignore_empty=True)

    def policy(self) -> Policy:
        """The part of the settings that the rules of the stream depend on."""
        policy = make_policy(
            self,
            self.partitions,
            self.flow,
            windows=tuple(map(micros, self.windows)),
            regional=self.flow in self.region_flows,
        )
        return replace(policy, **self.judging)

    @property
    def adds_up_regions(self) -> bool:
        """Whether the worker of this flow has the stage `regions`: there is one for all flows."""
        return self.flow == DEFAULT_FLOW and bool(self.region_flows)

    @property
    def applications(self) -> dict[str, str]:
        """Each of `flows` with the application id of its worker."""
        base = base_of(self.app_id, self.flow)
        return {flow: application(base, flow) for flow in self.flows}

    @property
    def sink_group(self) -> str:
        """The consumer group of the sinks: one for all flows."""
        return f"{base_of(self.app_id, self.flow)}-sink"

    @property
    def state_folder(self) -> Path:
        """Where the tables of this flow are: workers of two flows on one host may share `datadir`."""
        return self.datadir if self.flow == DEFAULT_FLOW else self.datadir / self.flow

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
