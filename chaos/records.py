"""Faults of what the broker keeps for the services: their changelog, their committed offsets."""

from __future__ import annotations

import shutil
from contextlib import ExitStack

from chaos.schedule import Fault
from chaos.site import Site


def lose_changelog(site: Site, fault: Fault) -> None:
    """Every worker killed, the changelogs deleted and made anew; their copies on disk stay, or go too."""
    with ExitStack() as down:
        for service in site.workers:
            down.enter_context(service.held())
            service.kill()
            if fault.details["folders"] == "gone":
                shutil.rmtree(service.data, ignore_errors=True)
        site.servers.recreate_changelogs(site.settings, site.subject, compacted=site.compacted)


def lose_offsets(site: Site, fault: Fault) -> None:
    """Everybody stopped, and what they had committed deleted."""
    with ExitStack() as down:
        for service in site.services:
            down.enter_context(service.held())
        for service in site.services:
            service.stop()
        site.servers.delete_offsets([site.settings.app_id, f"{site.settings.app_id}-sink"])
