"""A server as a child process: it ends when stopped, when killed, and when its parent has ended."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gridwatch.embedded import process as process_module
from gridwatch.embedded.process import ServerProcess

PATIENT = "import time; print('up', flush=True); time.sleep(600)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {PATIENT}"


def eventually(holds: Callable[[], bool], *, seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.02)
    return holds()


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def start(tmp_path: Path, script: str, *, grace: float = 5.0) -> ServerProcess:
    with (tmp_path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        command = [sys.executable, "-c", script]
        process = ServerProcess("test server", command, tmp_path / "log", lock.fileno(), grace=grace)
    assert eventually(lambda: "up" in process.log_tail())
    return process


def test_stop_is_graceful_and_waits(tmp_path: Path) -> None:
    says_goodbye = (
        "import signal, sys, time\n"
        "def end(*_): print('goodbye', flush=True); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end); print('up', flush=True); time.sleep(600)"
    )
    process = start(tmp_path, says_goodbye)
    process.stop()
    assert not is_alive(process.pid)
    assert not process.running
    assert process.log_tail().endswith("goodbye")


def test_a_server_that_ignores_the_stop_is_killed_after_the_grace(tmp_path: Path) -> None:
    process = start(tmp_path, STUBBORN, grace=0.3)
    process.stop()
    assert not is_alive(process.pid)


def test_kill_does_not_wait_for_the_grace(tmp_path: Path) -> None:
    process = start(tmp_path, STUBBORN, grace=60)
    before = time.monotonic()
    process.kill()
    assert not is_alive(process.pid)
    assert time.monotonic() - before < 10


def test_stop_after_it_exited_by_itself_does_nothing(tmp_path: Path) -> None:
    process = start(tmp_path, "print('up', flush=True)")
    assert eventually(lambda: not process.running)
    process.stop()
    process.stop()


def test_the_log_tail_is_of_this_run_only(tmp_path: Path) -> None:
    start(tmp_path, "print('up first', flush=True)").stop()
    second = start(tmp_path, "print('up second', flush=True)")
    second.stop()
    assert second.log_tail() == "up second"
    assert "up first" in (tmp_path / "log").read_text()


def test_the_log_tail_leaves_out_the_frames_of_a_stack_trace(tmp_path: Path) -> None:
    trace = "print('java.net.BindException: taken\\n\\tat a.b(C.java:1)\\n\\t... 16 more\\nup', flush=True)"
    process = start(tmp_path, trace)
    process.stop()
    assert process.log_tail().splitlines() == ["java.net.BindException: taken", "up"]


def is_locked(path: Path) -> bool:
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_the_lock_is_held_as_long_as_it_lives_and_no_longer(tmp_path: Path) -> None:
    process = start(tmp_path, PATIENT)
    assert is_locked(tmp_path / "lock")
    process.stop()
    assert not is_locked(tmp_path / "lock")


def test_the_lock_is_held_also_when_it_outlives_its_watchdog(tmp_path: Path) -> None:
    process = start(tmp_path, PATIENT)
    os.kill(process._watchdog.pid, signal.SIGKILL)
    assert eventually(lambda: not process.running)
    assert is_locked(tmp_path / "lock")
    os.kill(process.pid, signal.SIGKILL)
    assert eventually(lambda: not is_locked(tmp_path / "lock"))
    process.stop()


def test_the_terminals_interrupt_does_not_reach_it(tmp_path: Path) -> None:
    process = start(tmp_path, PATIENT)
    try:
        assert os.getsid(process.pid) != os.getsid(0)
    finally:
        process.stop()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize("forked", [False, True])
def test_it_ends_when_the_process_that_started_it_dies(
    tmp_path: Path, how: signal.Signals, forked: bool
) -> None:
    # A fork that outlives the parent keeps the pipe open: the second sign, being orphaned, must do.
    log = tmp_path / "log"
    parent = f"""
import os, sys, time
from pathlib import Path
from gridwatch.embedded.process import ServerProcess
command = [sys.executable, "-c", {STUBBORN!r}]
lock = os.open(os.devnull, os.O_RDONLY)
server = ServerProcess("test server", command, Path({str(log)!r}), lock, grace=0.3)
fork = os.fork() if {forked} else 1
if fork == 0:
    os.close(1)
    time.sleep(20)
    os._exit(0)
print(server.pid, fork, flush=True)
time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        server, fork = (int(word) for word in process.stdout.readline().split())
        assert is_alive(server)
        process.send_signal(how)
        process.wait()
    try:
        assert eventually(lambda: not is_alive(server))
    finally:
        if forked:
            os.kill(fork, signal.SIGKILL)


def test_it_ends_also_when_we_are_gone_before_it_could_say_its_name(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    someone_else = "1"
    arguments = [someone_else, str(int(signal.SIGTERM)), "5", "-", "-", "2", sys.executable, "-c", PATIENT]
    try:
        with (
            (tmp_path / "log").open("w") as log,
            subprocess.Popen(
                [sys.executable, str(process_module._WATCHDOG), *arguments],
                stdin=subprocess.PIPE,
                stdout=writer,
                stderr=log,
            ) as watchdog,
        ):
            watchdog.wait(10)
    finally:
        os.close(writer)
    assert "Error" not in (tmp_path / "log").read_text()
    assert watchdog.returncode == 128 + signal.SIGTERM


def test_a_program_that_is_not_there_is_said(tmp_path: Path) -> None:
    from gridwatch.errors import GridwatchError

    with pytest.raises(GridwatchError, match="test server could not be started"):
        ServerProcess("test server", [str(tmp_path / "absent")], tmp_path / "log", 0)
