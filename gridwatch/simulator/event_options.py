"""The options of the command that make something happen: one a kind of event."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click

from gridwatch.simulator.events import Event, EventKind
from gridwatch.simulator.options import EventType

_Command = Callable[..., Any]

#: Option, kind, how it is written after SCOPE@FROM, and what it does with an example.
EVENT_OPTIONS: tuple[tuple[str, EventKind, str, str], ...] = (
    ("outage", "outage", "SCOPE@FROM+DURATION",
     "A meter, transformer, feeder or region sends nothing: R02-F0001@-2h+45m."),
    ("spike", "spike", "METER@FROM+DURATION×FACTOR",
     "A meter draws so many times its power: R01-F0001-T1-M000001@-1h+30m×5."),
    ("overload", "overload", "REGION@FROM+DURATION×FACTOR",
     "All meters of a region do: R01@-1h+45m×1.8."),
    ("power-drop", "drop", "SCOPE@FROM+DURATION×FACTOR",
     "Meters draw a part of their power: R01-F0001-T1-M000001@-1h+30m×0.1."),
    ("zero", "zero-run", "SCOPE@FROM+DURATION",
     "Meters draw nothing, and say so: R01-F0001-T1-M000001@-2d+30h."),
    ("flat", "flat-line", "SCOPE@FROM+DURATION",
     "Meters draw their mean power, evenly: R01-F0001-T1-M000001@-2d+12h."),
    ("level-shift", "level-shift", "SCOPE@FROM[+DURATION]×FACTOR",
     "Meters draw so many times their power for days, or for ever: R01-F0001-T1-M000001@-5d×3."),
    ("reverse-flow", "reverse-flow", "SCOPE@FROM+DURATION=KW",
     "Meters draw nothing and feed in: R01-F0001-T1-M000001@-2h+1h=1.5."),
    ("voltage", "voltage", "SCOPE@FROM+DURATION=VOLTS",
     "Meters measure this voltage: R01-F0001@-2h+1h=190."),
    ("frequency", "frequency", "SCOPE@FROM+DURATION=HERTZ",
     "Meters measure this frequency: R01@-2h+1h=48.5."),
    ("power-factor", "power-factor", "SCOPE@FROM+DURATION=FACTOR",
     "Meters measure this power factor: R01-F0001-T1@-2h+1h=0.6."),
)  # fmt: skip


def event_options(command: _Command) -> _Command:
    """Add them all to a command, in the order in which they are listed."""
    for name, kind, metavar, says in reversed(EVENT_OPTIONS):
        command = click.option(
            f"--{name}", _parameter(name), type=EventType(kind), multiple=True, metavar=metavar, help=says
        )(command)
    return command


def events_of(given: Mapping[str, tuple[Event, ...]]) -> tuple[Event, ...]:
    """All events that were asked for, by kind; `given` has them by parameter."""
    return tuple(event for name, *_ in EVENT_OPTIONS for event in given[_parameter(name)])


def _parameter(name: str) -> str:
    return f"{name.replace('-', '_')}_events"
