"""The injector of each kind of fault in the schedule."""

from __future__ import annotations

from collections.abc import Callable

from chaos.injectors import disks, outages, processes, records
from chaos.schedule import Fault
from chaos.site import Site

#: The function that injects a fault, by kind.
INJECTORS: dict[str, Callable[[Site, Fault], None]] = {
    "worker-kill": lambda site, fault: processes.kill(site, fault, site.workers),
    "worker-term": lambda site, fault: processes.term(site, fault, site.workers),
    "worker-kill-at-step": lambda site, fault: processes.kill_at_step(site, fault, site.workers),
    "worker-kill-starting": processes.kill_starting,
    "worker-freeze": lambda site, fault: processes.freeze(site, fault, site.workers),
    "worker-freeze-at-step": lambda site, fault: processes.freeze_at_step(site, fault, site.workers),
    "worker-pause": processes.pause,
    "worker-join": processes.join,
    "worker-leave": processes.leave,
    "worker-swap": lambda site, fault: processes.swap(site, fault, site.workers),
    "worker-kill-rebalancing": processes.kill_rebalancing,
    "worker-rolling": processes.roll,
    "worker-clock": processes.clock,
    "worker-batch-dropped": lambda site, fault: processes.drop(site, fault, site.workers),
    "sink-kill": lambda site, fault: processes.kill(site, fault, site.sinks),
    "sink-term": lambda site, fault: processes.term(site, fault, site.sinks),
    "sink-freeze": lambda site, fault: processes.freeze(site, fault, site.sinks),
    "sink-swap": lambda site, fault: processes.swap(site, fault, site.sinks),
    "sink-kill-at-step": lambda site, fault: processes.kill_at_step(site, fault, site.sinks),
    "sink-freeze-at-step": lambda site, fault: processes.freeze_at_step(site, fault, site.sinks),
    "sink-batch-dropped": lambda site, fault: processes.drop(site, fault, site.sinks),
    "relay-kill": lambda site, fault: site.registrar.kill(fault.number_of("away")),
    "all-kill": processes.kill_all,
    "broker-kill": lambda site, fault: outages.kill(site, fault, site.servers.kafka),
    "broker-stop": lambda site, fault: outages.stop(site, fault, site.servers.kafka),
    "broker-freeze": outages.freeze_broker,
    "postgres-kill": lambda site, fault: outages.kill(site, fault, site.servers.postgres),
    "postgres-stop": lambda site, fault: outages.stop(site, fault, site.servers.postgres),
    "postgres-cut": outages.cut_connections,
    "postgres-lock": outages.hold_lock,
    "postgres-refusing": outages.refuse,
    "disk-wiped": disks.wipe,
    "disk-truncated": disks.truncate,
    "disk-flipped": disks.flip,
    "topic-changelog": records.lose_changelog,
    "topic-offsets": records.lose_offsets,
}


def inject(site: Site, fault: Fault) -> None:
    """Inject the fault, and return when it is over."""
    INJECTORS[fault.kind](site, fault)
