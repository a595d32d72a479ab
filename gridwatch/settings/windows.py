"""Windows of consumption, and the flows whose regions are added up."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Final

from pydantic import BaseModel, Field, field_validator
from pydantic_settings import NoDecode

from gridwatch.durations import Duration, parse_duration
from gridwatch.settings.flows import DEFAULT_FLOW, checked_name

_LENGTHS: Final = (timedelta(minutes=1), timedelta(minutes=15))
_NONE: Final = "none"


class Windows(BaseModel):
    """What is added up: each meter's consumption by window, and the load of the regions."""

    windows: Annotated[tuple[timedelta, ...], NoDecode] = Field(
        _LENGTHS,
        description="lengths of the windows of consumption, of `1m,15m`; `none`: there are none",
    )
    region_flows: Annotated[tuple[str, ...], NoDecode] = Field(
        (DEFAULT_FLOW,),
        description="the flows whose meters count in the load of their regions, `a,b`; all of them have to be"
        " alive; `none`: regions are not added up",
    )
    source_out_after: Duration = Field(
        timedelta(minutes=5),
        description="how long a partition may stand still, by the wall clock, before the regions go on"
        " without it",
    )

    @field_validator("windows", mode="before")
    @classmethod
    def _windows_are_a_list(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return () if value.strip() == _NONE else tuple(parse_duration(one) for one in value.split(","))

    @field_validator("windows")
    @classmethod
    def _windows_are_known(cls, value: tuple[timedelta, ...]) -> tuple[timedelta, ...]:
        if not set(value) <= set(_LENGTHS):
            raise ValueError("windows of 1m and 15m are made; write one of them, both, or none")
        return tuple(sorted(set(value)))

    @field_validator("region_flows", mode="before")
    @classmethod
    def _region_flows_are_a_list(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return () if value.strip() == _NONE else [name.strip() for name in value.split(",")]

    @field_validator("region_flows")
    @classmethod
    def _region_flows_are_names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(map(checked_name, value)))
