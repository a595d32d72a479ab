"""Runs one server and stops it when the process that started it has ended, however it ended.

A script of its own (standard library only, no site packages: it starts in milliseconds). Its standard input
is a pipe whose other end only the parent holds: the kernel closes it even on SIGKILL, on every Unix. Linux'
parent-death signal would not do: it is bound to a thread, not a process, and is cleared when a server changes
its user.

    watchdog.py PARENT STOP GRACE USER GROUP LOCK COMMAND…

PARENT: process id of the parent; another parent id is the second sign that it has ended (a fork of it may
hold the pipe open). STOP: signal number for a graceful stop; after GRACE seconds the server is killed. USER,
GROUP: ids to run the server as, or - for our own. LOCK: a descriptor that the server inherits, so that a lock
on its folder is held exactly as long as it lives, or - for none. On standard input: `s` stops, `k` kills, the
end of input stops. On standard output: the server's process id, once. Exits with its code.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time

_POLL_SECONDS = 0.25


def main(arguments: list[str]) -> int:
    parent, stop, grace = int(arguments[0]), int(arguments[1]), float(arguments[2])
    user, group, command = arguments[3], arguments[4], arguments[6:]
    inherited = [] if arguments[5] == "-" else [int(arguments[5])]
    other = {} if user == "-" else {"user": int(user), "group": int(group), "extra_groups": []}
    wake, woken = os.pipe()
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(woken)
    # The wake-up needs a handler to be set; the server's exit then ends select at once.
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda *_: None)
    server = subprocess.Popen(  # type: ignore[call-overload]
        command, stdin=subprocess.DEVNULL, stdout=sys.stderr, stderr=sys.stderr, pass_fds=inherited, **other
    )
    with contextlib.suppress(BrokenPipeError):  # the parent has ended already: seen below
        os.write(1, f"{server.pid}\n".encode())
    os.close(1)

    deadline: float | None = None
    listening = [0, wake]
    while server.poll() is None:
        ready, _, _ = select.select(listening, [], [], _POLL_SECONDS)
        request = b""
        if wake in ready and signal.SIGTERM in os.read(wake, 64):
            request = b"s"
        if 0 in ready:
            request = os.read(0, 1)
            if not request:
                listening = [wake]
                request = b"s"
        if os.getppid() != parent:
            request = request or b"s"
        now = time.monotonic()
        if request == b"k" or (deadline is not None and now >= deadline):
            server.kill()
        elif request == b"s" and deadline is None:
            deadline = now + grace
            server.send_signal(stop)
    code: int = server.returncode
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
