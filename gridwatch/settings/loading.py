"""Loads the settings; a wrong one gives an error that names it."""

from __future__ import annotations

import difflib
import logging
import os
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError

from gridwatch.errors import UsageProblem
from gridwatch.settings.flat import PREFIX, Settings

#: Variables of ours that are not settings: the path of the settings file, and of the download cache.
_OTHER_VARIABLES = {"GRIDWATCH_CONFIG", "GRIDWATCH_CACHE", "GRIDWATCH_INGEST_KEY"}
logger = logging.getLogger(__name__)


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
        raise UsageProblem(f"{config}: {problem}", "fix the TOML file") from problem


def _warn_of_unknown_variables() -> None:
    """Warn of variables that are not settings, such as misspelt ones. Orchestrators add some of their own."""
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
    secret = secret or "@" in str(error["input"])  # of a URL, before which a password may be
    given = "" if secret else f" (given: {error['input']!r})"
    reason = error["msg"].removeprefix("Value error, ")
    return f"{PREFIX}{key.upper()}: {reason}{given}"
