"""All settings as one flat class, composed of the concerns, and the sources of their values."""

from __future__ import annotations

import os
from typing import Final

from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings import TomlConfigSettingsSource as TomlSource

from gridwatch.domain.policy import Policy
from gridwatch.settings.brokers import Brokers
from gridwatch.settings.database import Database
from gridwatch.settings.pages import Pages
from gridwatch.settings.readiness import Readiness
from gridwatch.settings.rules import Rules, make_policy
from gridwatch.settings.worker import Worker

PREFIX: Final = "GRIDWATCH_"


# The last base's fields come first, in errors and in the table of README.md.
class Settings(Pages, Database, Readiness, Worker, Rules, Brokers, BaseSettings):
    """All settings, read once and frozen."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", env_ignore_empty=True)

    def policy(self) -> Policy:
        """The part of the settings that the rules of the stream depend on."""
        return make_policy(self, self.partitions)

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
