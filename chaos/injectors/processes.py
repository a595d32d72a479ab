"""Faults of processes: killed, stopped, frozen beyond their session, joining, leaving, swapping.

A target is chosen among the services that are wanted at that moment. The last worker and the last sink never
leave without a replacement.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence

from chaos.schedule import BEYOND_SESSION, RECOVERY, Fault
from chaos.service import SupervisedService
from chaos.site import Site
from gridwatch.deployment.polling import WaitTimeoutError, until

#: How long a named step is waited for; a step that is not reached is noted.
_STEP_SECONDS = 15.0
#: How long a graceful stop may take without a note.
_STOP_SECONDS = 5.0


def kill(site: Site, fault: Fault, of: Sequence[SupervisedService]) -> None:
    """Kill it with SIGKILL; restart it after a while."""
    service = _one(of, fault)
    with service.held_down():
        service.kill()
        time.sleep(fault.number_of("away"))


def kill_all(site: Site, fault: Fault) -> None:
    """Kill everything at once with SIGKILL."""
    for service in site.services:
        if service.wanted:
            service.kill()
    site.registrar.kill(fault.number_of("away"))


def term(site: Site, fault: Fault, of: Sequence[SupervisedService]) -> None:
    """Stop it with SIGTERM; it is restarted at once."""
    _stop(site, _one(of, fault))


def roll(site: Site, fault: Fault) -> None:
    """Restart one worker after the other, each time until all are ready."""
    for service in _wanted(site.workers):
        _stop(site, service)
        site.wait_until_ready()


def kill_at_step(site: Site, fault: Fault, of: Sequence[SupervisedService]) -> None:
    """Let it kill itself with SIGKILL, at the n-th pass of a step."""
    _signal_at_step(site, _one(of, fault), fault, signal.SIGKILL)


def kill_starting(site: Site, fault: Fault) -> None:
    """Kill it with SIGKILL during its start, several times."""
    service = _one(site.workers, fault)
    after = [float(seconds) for seconds in str(fault.details["after"]).split("+")]
    with service.held_down():
        service.kill()
        for seconds in after:
            service.start()
            time.sleep(seconds)
            service.kill()


def freeze(site: Site, fault: Fault, of: Sequence[SupervisedService]) -> None:
    """Freeze it with SIGSTOP beyond its session while others take over; then SIGCONT."""
    service = _one(of, fault)
    spare = _start_spare(of, service)
    service.freeze()
    time.sleep(BEYOND_SESSION)
    service.thaw()
    _maybe_leave(spare, fault)


def freeze_at_step(site: Site, fault: Fault, of: Sequence[SupervisedService]) -> None:
    """Let it freeze itself, at the n-th pass of a step, beyond its session; then SIGCONT."""
    service = _one(of, fault)
    spare = _start_spare(of, service)
    _signal_at_step(site, service, fault, signal.SIGSTOP)
    time.sleep(BEYOND_SESSION)
    service.thaw()
    service.disarm_failpoint()
    _maybe_leave(spare, fault)


def drop(site: Site, fault: Fault, of: Sequence[SupervisedService]) -> None:
    """Drop fetched batches silently, as Faust may."""
    service = _one(of, fault)
    step, batches = str(fault.details["step"]), int(fault.number_of("batches"))
    service.arm_failpoint(step, int(fault.number_of("pass")), 0, batches)
    if step == RECOVERY:
        service.kill()
    if not _wait_until_fired(site, service, fault):
        site.missed += 1
    service.disarm_failpoint()


def pause(site: Site, fault: Fault) -> None:
    """Freeze it with SIGSTOP within its session."""
    service = _one(site.workers, fault)
    service.freeze()
    time.sleep(fault.number_of("seconds"))
    service.thaw()


def join(site: Site, fault: Fault) -> None:
    """Start one more, up to the maximum."""
    _join(site.workers)


def leave(site: Site, fault: Fault) -> None:
    """Stop one for good; another one replaces it if it was the last."""
    service = _one(site.workers, fault)
    if len(_wanted(site.workers)) == 1:
        _join(site.workers)
    service.leave(str(fault.details["how"]))


def swap(site: Site, fault: Fault, of: Sequence[SupervisedService]) -> None:
    """Stop one for good while another one joins."""
    service = _one(of, fault)
    _join(of)
    service.leave(str(fault.details["how"]))
    if not _wanted(of):
        service.start()


def kill_rebalancing(site: Site, fault: Fault) -> None:
    """Kill one with SIGKILL during the rebalance of another one that joins or leaves."""
    service = _one(site.workers, fault)
    others = [one for one in _wanted(site.workers) if one is not service]
    if fault.details["by"] == "leave" and others:
        others[0].leave("stop")
    else:
        _join(site.workers)
    time.sleep(fault.number_of("after"))
    service.kill()


def clock(site: Site, fault: Fault) -> None:
    """Restart it with its wall clock shifted."""
    service = _one(site.workers, fault)
    with service.held_down():
        service.clock = fault.number_of("hours") * 3600
        service.kill()


# -- parts


def _wanted(of: Sequence[SupervisedService]) -> list[SupervisedService]:
    return [service for service in of if service.wanted]


def _one(of: Sequence[SupervisedService], fault: Fault) -> SupervisedService:
    wanted = _wanted(of)
    return wanted[fault.target % len(wanted)]


def _join(of: Sequence[SupervisedService]) -> SupervisedService | None:
    for service in of:
        if not service.wanted:
            service.start()
            return service
    return None


def _start_spare(of: Sequence[SupervisedService], service: SupervisedService) -> SupervisedService | None:
    """Start a spare if no other one could take over; None if one could."""
    return _join(of) if _wanted(of) == [service] else None


def _maybe_leave(spare: SupervisedService | None, fault: Fault) -> None:
    if spare is not None and fault.target % 2:
        spare.leave("stop")


def _signal_at_step(site: Site, service: SupervisedService, fault: Fault, number: signal.Signals) -> None:
    """Arm the failpoint and wait. A process that does not reach the step gets the signal where it is."""
    step = str(fault.details["step"])
    service.arm_failpoint(step, int(fault.number_of("pass")), number)
    if step == "taken":  # partitions are taken over at the start
        service.kill()
    if not _wait_until_fired(site, service, fault):
        service.kill() if number is signal.SIGKILL else service.freeze()


def _wait_until_fired(site: Site, service: SupervisedService, fault: Fault) -> bool:
    # Fired, or fired and disarmed by the supervisor already.
    step = fault.details["step"]
    try:
        until(
            f"step {step!r} is reached",
            lambda: service.failpoint_fired() or not service.failpoint_armed(),
            _STEP_SECONDS,
        )
    except WaitTimeoutError:
        service.disarm_failpoint()
        site.notes.append(f"{fault.number} {fault.kind}: step {step!r} was not reached")
        return False
    return True


def _stop(site: Site, service: SupervisedService) -> None:
    seconds = service.stop()
    if seconds > _STOP_SECONDS:
        site.notes.append(f"{service.name} took {seconds:.1f} s to stop")
