"""Services as child processes: started, waited for with reasons, stopped, several of them together."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest

from gridwatch.deployment.polling import WaitTimeoutError, until
from gridwatch.deployment.process import ChildProcess, excerpt
from gridwatch.deployment.site import Site
from gridwatch.errors import GridwatchError
from tests.unit.deployment.fakes import FakeService

SECRET = "postgresql://gridwatch:se-cr_et@127.0.0.1:1/gridwatch"

Make = Callable[..., Site[FakeService]]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site[FakeService]]:
    make = partial(FakeService, arguments=("--extra",), grace=5.0)
    with Site(tmp_path, {"database_url": SECRET}, make) as site:
        yield site


def test_a_service_is_ready_when_its_page_answers_200(site: Site[FakeService]) -> None:
    sink = site.add("sink", ready_after=0.3)
    begun = time.monotonic()
    assert not sink.is_ready()
    assert sink.start().wait_until_ready() is sink
    assert time.monotonic() - begun >= 0.3
    assert sink.is_ready()
    assert sink.status("/live/") == 200
    assert sink.status("/nowhere/") == 404
    assert sink.page("/live/")["pid"] == sink.pid
    assert '"reasons"' in sink.text("/live/")


def test_a_service_that_is_not_ready_in_time_is_an_error_with_its_reasons(site: Site[FakeService]) -> None:
    sink = site.add("sink", "slow", ready_after=60).start()
    until("it answers", lambda: sink.status("/live/"), 20, transient=(OSError,))
    with pytest.raises(GridwatchError, match=r"slow was not ready within 0\.2 s: \['warming up'\]"):
        sink.wait_until_ready(0.2)


def test_a_service_that_exits_by_itself_is_an_error_with_its_log(site: Site[FakeService]) -> None:
    sink = site.add("sink", fails="no such topic")
    begun = time.monotonic()
    sink.start()
    with pytest.raises(GridwatchError, match=r"(?s)sink ended by itself.*\[CRITICAL\] no such topic"):
        sink.wait_until_ready()
    assert time.monotonic() - begun < 30
    assert sink.process.exit_code == 1
    for waiting in (sink.until, site.until):
        sink.start()
        with pytest.raises(GridwatchError, match="ended by itself"):
            waiting("the end of the world", lambda: False, 30)
    with pytest.raises(GridwatchError, match="ended by itself"):
        site.require_running()


def test_a_timeout_is_an_error_with_the_log(site: Site[FakeService]) -> None:
    sink = site.add("sink").start().wait_until_ready()
    with pytest.raises(WaitTimeoutError, match=r"(?s)until rows come; from its log.*up"):
        sink.until("rows come", lambda: False, 0.05)


def test_secrets_are_in_the_environment_and_not_on_a_command_line(site: Site[FakeService]) -> None:
    sink = site.add("sink").start().wait_until_ready()
    processes = [psutil.Process(sink.pid), psutil.Process(sink.pid).parent()]
    assert processes[0].environ()["GRIDWATCH_DATABASE_URL"] == SECRET
    assert "se-cr_et" not in str([process.cmdline() for process in processes if process])


def test_a_stop_is_graceful_and_a_kill_is_not(site: Site[FakeService]) -> None:
    sink = site.add("sink", stops_after=0.3).start().wait_until_ready()
    assert 0.3 <= sink.stop() < 5
    assert "stopped in order" in sink.excerpt()
    first = sink.start().wait_until_ready().pid
    assert sink.start().pid == first, "a running service is not started again"
    sink.kill()
    assert "stopped in order" not in sink.excerpt()
    assert (sink.running, sink.pid, sink.process.exit_code) == (False, None, 137)


def test_a_frozen_service_runs_and_does_not_answer_until_it_is_thawed(site: Site[FakeService]) -> None:
    sink = site.add("sink").start().wait_until_ready()
    sink.freeze()
    until("it is stopped", lambda: psutil.Process(sink.pid).status() == psutil.STATUS_STOPPED, 5)
    assert sink.running
    sink.thaw()
    assert sink.wait_until_ready(10).running
    sink.kill()
    sink.freeze()  # it does not run: nothing to do


def test_services_of_a_site_share_settings_and_have_ports_and_folders_of_their_own(
    site: Site[FakeService],
) -> None:
    first, second = site.add("sink", "first"), site.add("sink", "second", sink_batch_rows=5)
    for service in (first, second):
        service.start().wait_until_ready()
    assert first.port != second.port
    assert first.data != second.data
    environments = [psutil.Process(service.pid).environ() for service in (first, second)]
    assert {one["GRIDWATCH_DATABASE_URL"] for one in environments} == {SECRET}
    assert [one.get("GRIDWATCH_SINK_BATCH_ROWS") for one in environments] == [None, "5"]
    assert [one["GRIDWATCH_DATADIR"] for one in environments] == [str(first.data), str(second.data)]
    assert site.settings.database_url.get_secret_value() == SECRET
    assert site.environment(web_port=7)["GRIDWATCH_WEB_PORT"] == "7"
    assert "up -l info --extra" in first.excerpt()


def test_services_are_stopped_in_parallel(site: Site[FakeService]) -> None:
    services = [site.add("sink", f"sink-{number}", stops_after=1.0) for number in range(3)]
    for service in services:
        service.start()
    for service in services:
        service.wait_until_ready()
    begun = time.monotonic()
    site.stop()
    assert time.monotonic() - begun < 2.9
    assert all("stopped in order" in service.excerpt() for service in services)


def test_a_site_leaves_nothing_running(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), Site(tmp_path, {}, FakeService) as site:
        pid = site.add("sink").start().wait_until_ready().pid
        raise ZeroDivisionError
    assert pid is not None
    assert not psutil.pid_exists(pid)


def test_a_child_process_leaves_nothing_running_either(tmp_path: Path) -> None:
    with ChildProcess("sleeper", [sys.executable, "-c", "import time; time.sleep(60)"], tmp_path) as sleeper:
        with pytest.raises(GridwatchError, match="sleeper was never started"):
            sleeper.excerpt()
        assert sleeper.start().running
    assert not sleeper.running


def test_an_excerpt_is_the_end_of_a_log_after_its_first_failure() -> None:
    quiet = [f"line {number}" for number in range(100)]
    assert excerpt(quiet, 4).splitlines() == quiet[-4:]
    assert excerpt(quiet[:3], 4).splitlines() == quiet[:3]
    for failure in ("[2026-01-01] [CRITICAL] no broker", "Traceback (most recent call last):"):
        failed = [*quiet[:10], failure, *quiet[11:]]
        assert excerpt(failed, 4).splitlines() == [failure, "line 11", "…", "line 98", "line 99"]
        assert excerpt([*quiet, failure, "last"], 4).splitlines() == [*quiet[-2:], failure, "last"]
