"""The list of services names existing commands and port settings."""

from __future__ import annotations

from gridwatch.cli import COMMANDS
from gridwatch.deployment.kinds import KINDS
from gridwatch.settings import Settings


def test_every_kind_of_service_is_a_command_with_a_port_setting_of_its_own() -> None:
    assert {kind.command[0] for kind in KINDS.values()} <= set(COMMANDS)
    ports = [kind.port_setting for kind in KINDS.values()]
    assert set(ports) <= Settings.model_fields.keys()
    assert len(set(ports)) == len(ports)
    assert all(name == kind.name for name, kind in KINDS.items())
