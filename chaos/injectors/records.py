"""Faults of the services' data on the broker: their changelogs and committed offsets."""

from __future__ import annotations

import shutil
from contextlib import ExitStack

from chaos.schedule import Fault
from chaos.site import Site


def lose_changelog(site: Site, fault: Fault) -> None:
    """Kill every worker, recreate the changelogs; the data folders are kept or removed."""
    with ExitStack() as down:
        for service in site.workers:
            down.enter_context(service.held_down())
            service.kill()
            if fault.details["folders"] == "gone":
                shutil.rmtree(service.data, ignore_errors=True)
        site.servers.recreate_changelogs(site.settings, site.subject, compacted=site.compacted)


def lose_offsets(site: Site, fault: Fault) -> None:
    """Stop every service, and delete the committed offsets."""
    with ExitStack() as down:
        for service in site.services:
            down.enter_context(service.held_down())
        for service in site.services:
            service.stop()
        site.servers.delete_offsets([site.settings.app_id, site.settings.sink_group])
