"""Ctrl-C ends a statement that the database is working on.

Python runs the handler of a signal between two of its own instructions, and a statement is a single one,
which may take a minute. So a thread is woken by the signal and cancels the statement; then the interrupt is
raised as anywhere else, and the transaction is rolled back.
"""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection


@contextmanager
def interruptible(connection: Connection) -> Iterator[None]:
    """In this block, of the main thread, SIGINT cancels what the session is doing."""
    session: Any = connection.connection.dbapi_connection
    woken, waking = socket.socketpair()
    waking.setblocking(False)

    def cancel() -> None:
        while number := woken.recv(1):
            if number[0] == signal.SIGINT:
                session.cancel()

    thread = threading.Thread(target=cancel, daemon=True)
    thread.start()
    former = signal.set_wakeup_fd(waking.fileno(), warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(former)
        waking.close()
        thread.join()
        woken.close()
