"""Flows: readings that share a watermark, in topics of their own, under a policy of their own."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from pydantic import BaseModel, Field, ValidationInfo, field_validator
from pydantic_settings import NoDecode

from gridwatch.domain.policy import Policy

DEFAULT_FLOW: Final = Policy().flow
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,30}")
#: Its application would have the consumer group of the sink.
_RESERVED: Final = "sink"


class Flows(BaseModel):
    """The flow of a worker or a producer, and those of the services that serve several."""

    flow: str = Field(
        DEFAULT_FLOW,
        description="the flow that a worker, a replay or a simulation belongs to: topics `<flow>_raw`, "
        "`<flow>_validated`, …",
    )
    flows: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        validate_default=True,
        description="the flows that a sink and the commands for topics serve, `a,b`; empty: GRIDWATCH_FLOW",
    )

    @field_validator("flow")
    @classmethod
    def _flow_is_a_name(cls, value: str) -> str:
        return checked_name(value)

    @field_validator("flows", mode="before")
    @classmethod
    def _flows_are_a_list(cls, value: Any) -> Any:
        return [name.strip() for name in value.split(",")] if isinstance(value, str) and value else value

    @field_validator("flows")
    @classmethod
    def _flows_are_names(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if repeated := sorted({name for name in value if value.count(name) > 1}):
            raise ValueError(f"{repeated[0]} is there twice; name each flow once")
        return tuple(map(checked_name, value)) or (info.data.get("flow", DEFAULT_FLOW),)


def checked_name(name: str) -> str:
    """The name of a flow; ValueError if it cannot be one."""
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"{name!r} is no name of a flow: a lower-case letter, then at most 30 of a-z, 0-9 and _"
        )
    if name == _RESERVED:
        raise ValueError(f"{name!r} is the sink's own name; choose another one")
    return name


def application(base: str, flow: str) -> str:
    """The application id of a flow, where that of the default flow is `base`. No two flows share one."""
    return base if flow == DEFAULT_FLOW else f"{base}-{flow}"


def base_of(app_id: str, flow: str) -> str:
    """The application id of the default flow, by that of another one; itself without the flow's name."""
    return app_id if flow == DEFAULT_FLOW else app_id.removesuffix(f"-{flow}")
