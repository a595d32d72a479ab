"""Runs one server and ends it when the process that asked for it is gone, however that went.

Started as a script of its own (standard library only, no site packages: it is up in milliseconds). Its
standard input is a pipe whose other end only the asking process holds: the kernel closes it even on
SIGKILL, on every Unix, whichever thread started us. That is why this is not done with Linux'
parent-death signal: it follows a thread, not a process, and a server that changes its user loses it.

    watchdog.py PARENT STOP GRACE USER GROUP LOCK COMMAND…

PARENT: process id of who asked; being somebody else's child is the second sign that it is gone (a fork of
the parent may hold the pipe open). STOP: signal number for an orderly end; after GRACE seconds the server
is killed. USER, GROUP: ids to run the server as, or - for our own. LOCK: a descriptor that the server
inherits, so that a lock on its folder lives exactly as long as it does, or - for none. On standard input:
`s` stops, `k` kills, the end of input stops. On standard output: the server's process id, once. Exits with
its code.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time

_LOOK_SECONDS = 0.25


def main(arguments: list[str]) -> int:
    parent, stop, grace = int(arguments[0]), int(arguments[1]), float(arguments[2])
    user, group, command = arguments[3], arguments[4], arguments[6:]
    inherited = [] if arguments[5] == "-" else [int(arguments[5])]
    other = {} if user == "-" else {"user": int(user), "group": int(group), "extra_groups": []}
    wake, woken = os.pipe()
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(woken)
    # A handler has to be there for the wake-up to be written; the end of the server then ends select at once.
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda *_: None)
    server = subprocess.Popen(  # type: ignore[call-overload]
        command, stdin=subprocess.DEVNULL, stdout=sys.stderr, stderr=sys.stderr, pass_fds=inherited, **other
    )
    with contextlib.suppress(BrokenPipeError):  # who asked is gone already: seen below
        os.write(1, f"{server.pid}\n".encode())
    os.close(1)

    deadline: float | None = None
    listening = [0, wake]
    while server.poll() is None:
        ready, _, _ = select.select(listening, [], [], _LOOK_SECONDS)
        asked = b""
        if wake in ready and signal.SIGTERM in os.read(wake, 64):
            asked = b"s"
        if 0 in ready:
            asked = os.read(0, 1)
            if not asked:
                listening = [wake]
                asked = b"s"
        if os.getppid() != parent:
            asked = asked or b"s"
        now = time.monotonic()
        if asked == b"k" or (deadline is not None and now >= deadline):
            server.kill()
        elif asked == b"s" and deadline is None:
            deadline = now + grace
            server.send_signal(stop)
    code: int = server.returncode
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
