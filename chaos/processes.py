"""Faults of processes: killed, ended in order, frozen beyond their session, joining, leaving, swapping.

Targets are counted among those that are wanted at that moment. The last worker and the last sink never leave
without another in their place.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence

from chaos.schedule import BEYOND_SESSION, RECOVERY, Fault
from chaos.service import SupervisedService
from chaos.site import Site
from gridwatch.deployment.polling import WaitTimeoutError, until

#: How long a named step is waited for; a step that is not reached is said and counted.
_STEP_SECONDS = 15.0
#: What an orderly end may take.
_HAND_OVER_SECONDS = 5.0


def kill(site: Site, fault: Fault, of: Sequence[SupervisedService]) -> None:
    """kill -9; back after a while."""
    service = _one(of, fault)
    with service.held():
        service.kill()
        time.sleep(fault.number_of("away"))


def kill_all(site: Site, fault: Fault) -> None:
    """kill -9 of everything at once."""
    for service in site.services:
        if service.wanted:
            service.kill()
    time.sleep(fault.number_of("away"))


def term(site: Site, fault: Fault, of: Sequence[SupervisedService]) -> None:
    """SIGTERM; back at once."""
    _stop(site, _one(of, fault))


def roll(site: Site, fault: Fault) -> None:
    """One worker after the other: stopped, started, waited for until it says that it is ready."""
    for service in _wanted(site.workers):
        _stop(site, service)
        site.wait_until_ready()


def kill_at_step(site: Site, fault: Fault, of: Sequence[SupervisedService]) -> None:
    """kill -9 by itself, at the n-th pass of a step."""
    _ordered(site, _one(of, fault), fault, signal.SIGKILL)


def kill_starting(site: Site, fault: Fault) -> None:
    """kill -9 again and again as it starts."""
    service = _one(site.workers, fault)
    after = [float(seconds) for seconds in str(fault.details["after"]).split("+")]
    with service.held():
        service.kill()
        for seconds in after:
            service.start()
            time.sleep(seconds)
            service.kill()


def freeze(site: Site, fault: Fault, of: Sequence[SupervisedService]) -> None:
    """SIGSTOP beyond the session while others take over; then it wakes up where it was."""
    service = _one(of, fault)
    spare = _with_another(of, service)
    service.freeze()
    time.sleep(BEYOND_SESSION)
    service.thaw()
    _send_away(spare, fault)


def freeze_at_step(site: Site, fault: Fault, of: Sequence[SupervisedService]) -> None:
    """The same, by itself, at the n-th pass of a step."""
    service = _one(of, fault)
    spare = _with_another(of, service)
    if _ordered(site, service, fault, signal.SIGSTOP):
        time.sleep(BEYOND_SESSION)
    service.thaw()
    service.withdraw_orders()
    _send_away(spare, fault)


def drop(site: Site, fault: Fault, of: Sequence[SupervisedService]) -> None:
    """Batches that have been fetched are dropped, as if Faust had; nobody is told."""
    service = _one(of, fault)
    step, batches = str(fault.details["step"]), int(fault.number_of("batches"))
    service.give_orders(step, int(fault.number_of("pass")), 0, batches)
    if step == RECOVERY:
        service.kill()
    _carried_out(site, service, fault)
    service.withdraw_orders()


def pause(site: Site, fault: Fault) -> None:
    """SIGSTOP within the session."""
    service = _one(site.workers, fault)
    service.freeze()
    time.sleep(fault.number_of("seconds"))
    service.thaw()


def join(site: Site, fault: Fault) -> None:
    """One more, if there is room."""
    _join(site.workers)


def leave(site: Site, fault: Fault) -> None:
    """One less; another comes in its place if it was the last."""
    service = _one(site.workers, fault)
    if len(_wanted(site.workers)) == 1:
        _join(site.workers)
    service.leave(str(fault.details["how"]))


def swap(site: Site, fault: Fault, of: Sequence[SupervisedService]) -> None:
    """One leaves as another joins."""
    service = _one(of, fault)
    _join(of)
    service.leave(str(fault.details["how"]))
    if not _wanted(of):
        service.start()


def kill_rebalancing(site: Site, fault: Fault) -> None:
    """kill -9 of one while another's coming or going has the partitions dealt anew."""
    service = _one(site.workers, fault)
    others = [one for one in _wanted(site.workers) if one is not service]
    if fault.details["by"] == "leave" and others:
        others[0].leave("stop")
    else:
        _join(site.workers)
    time.sleep(fault.number_of("after"))
    service.kill()


def clock(site: Site, fault: Fault) -> None:
    """Back with its wall clock off."""
    service = _one(site.workers, fault)
    with service.held():
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


def _with_another(of: Sequence[SupervisedService], service: SupervisedService) -> SupervisedService | None:
    """The one that was started so that there is another to take over; None if there is one already."""
    return _join(of) if _wanted(of) == [service] else None


def _send_away(spare: SupervisedService | None, fault: Fault) -> None:
    if spare is not None and fault.target % 2:
        spare.leave("stop")


def _ordered(site: Site, service: SupervisedService, fault: Fault, number: signal.Signals) -> bool:
    """Give the order and wait; False if the step was not reached."""
    step = str(fault.details["step"])
    service.give_orders(step, int(fault.number_of("pass")), number)
    if step == "taken":  # it takes partitions over when it starts
        service.kill()
    return _carried_out(site, service, fault)


def _carried_out(site: Site, service: SupervisedService, fault: Fault) -> bool:
    # Carried out, and seen by the supervisor; a frozen one is never seen.
    step = fault.details["step"]
    try:
        until(
            f"step {step!r} is reached",
            lambda: service.orders_done() or not service.orders_given(),
            _STEP_SECONDS,
        )
    except WaitTimeoutError:
        service.withdraw_orders()
        site.missed += 1
        site.notes.append(f"{fault.number} {fault.kind}: step {step!r} was not reached")
        return False
    return True


def _stop(site: Site, service: SupervisedService) -> None:
    seconds = service.stop()
    if seconds > _HAND_OVER_SECONDS:
        site.notes.append(f"{service.name} took {seconds:.1f} s to end in order")
