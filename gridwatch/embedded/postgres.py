"""EmbeddedPostgres: one real PostgreSQL on loopback, with a password of its own.

The password is made at random for each data folder and kept in it, readable by its owner only; nobody else
on the machine gets in although the port is open to all of them. Locale C and UTF-8, so that text sorts the
same everywhere. As root it runs as `nobody` (`account.py`).
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from gridwatch.embedded.account import Account, open_the_way, unprivileged_account
from gridwatch.embedded.installation import Installation, find_installation
from gridwatch.embedded.ports import LOOPBACK, free_ports, is_free
from gridwatch.embedded.process import ServerEnded, ServerProcess, wait_until_ready
from gridwatch.errors import GridwatchError

USER = "gridwatch"
DATABASE = "gridwatch"

_START_SECONDS = 60
_STOP_SECONDS = 20
_ATTEMPTS = 3
_AFTERMATH_SECONDS = 15
_AFTERMATH = "pre-existing shared memory block"


class EmbeddedPostgres:
    """A database server that keeps its data in `folder`.

    port: 0 for any free one (kept across restart()). fsync: False for tests, which may lose data when the
    machine crashes (not when the server does). overrides: server settings that win over the ones here.
    """

    def __init__(
        self,
        folder: Path | str,
        *,
        port: int = 0,
        fsync: bool = True,
        overrides: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = Path(folder).absolute()
        self.port = port
        self.log = self.folder / "postgres.log"
        self._data = self.folder / "data"
        self._secret = self.folder / "password"
        self._fsync = fsync
        self._overrides = dict(overrides or {})
        self._process: ServerProcess | None = None

    @property
    def url(self) -> str:
        """`postgresql://user:password@host:port/database`; the folder must have been started once."""
        return self._url(DATABASE, self.port)

    @property
    def pid(self) -> int:
        """The server's process id while it runs."""
        if self._process is None:
            raise GridwatchError("the embedded PostgreSQL is not running", "call start() first")
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.running

    def start(self) -> EmbeddedPostgres:
        """Start and return when the database takes connections; GridwatchError with the log's end if not."""
        if self.running:
            return self
        self.folder.mkdir(parents=True, exist_ok=True)
        account = unprivileged_account()
        if account is not None:
            self.folder.chmod(0o711)  # ours: to be passed through, not read
            open_the_way(self._data, account)
        version = self._data / "PG_VERSION"
        major = int(version.read_text()) if version.exists() else None
        installation = find_installation(account, major=major, copies=self.folder / "postgresql")
        if major is None:
            self._initialise(installation, account)
        aftermath = time.monotonic() + _AFTERMATH_SECONDS
        attempt = 1
        while True:
            try:
                self._start_once(installation, account)
                break
            except ServerEnded as problem:
                # After a kill the old server's own children need a moment to notice and let go.
                if _AFTERMATH in str(problem) and time.monotonic() < aftermath:
                    time.sleep(0.2)
                    continue
                if "could not bind" not in str(problem) or attempt == _ATTEMPTS:
                    raise
                attempt += 1
        self._create_database()
        return self

    def stop(self) -> None:
        """End in order (open connections are cut) and wait; does nothing when it is not running."""
        if self._process is not None:
            self._process.stop()
            self._process = None

    def kill(self) -> None:
        """SIGKILL the server, as a crash would. start() brings it back on the same port, recovered."""
        if self._process is not None:
            self._process.kill()
            self._process = None

    def restart(self) -> None:
        """stop() and start() on the same port with the same data."""
        self.stop()
        self.start()

    def __enter__(self) -> EmbeddedPostgres:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _url(self, database: str, port: int) -> str:
        return f"postgresql://{USER}:{self._secret.read_text()}@{LOOPBACK}:{port}/{database}"

    def _initialise(self, installation: Installation, account: Account | None) -> None:
        shutil.rmtree(self._data, ignore_errors=True)  # what an interrupted initdb left
        self._data.mkdir(mode=0o700)
        self._secret.touch(mode=0o600)
        self._secret.write_text(secrets.token_urlsafe(24))
        run_as = {}
        if account is not None:
            os.chown(self._data, account.uid, account.gid)
            os.chown(self._secret, account.uid, account.gid)
            run_as = {"user": account.uid, "group": account.gid, "extra_groups": ()}
        command = [installation.initdb, "-D", str(self._data), "-U", USER, "--auth=scram-sha-256"]
        command += [f"--pwfile={self._secret}", "--encoding=UTF8", "--locale=C"]
        if not self._fsync:
            command.append("--no-sync")
        ran = subprocess.run(
            command, capture_output=True, text=True, timeout=_START_SECONDS, check=False, cwd="/", **run_as
        )
        if ran.returncode != 0:
            shutil.rmtree(self._data, ignore_errors=True)
            raise GridwatchError(
                f"could not prepare {self._data} for the embedded PostgreSQL",
                (ran.stderr or ran.stdout).strip() or "choose an empty folder",
            )

    def _start_once(self, installation: Installation, account: Account | None) -> None:
        if self.port and not is_free(self.port):
            raise GridwatchError(
                f"port {self.port} on {LOOPBACK} is taken, so the embedded PostgreSQL cannot listen there",
                "end what listens there, or choose another port",
            )
        port = self.port or free_ports(1)[0]
        switch = "on" if self._fsync else "off"
        settings = {
            "listen_addresses": LOOPBACK,
            "port": str(port),
            "unix_socket_directories": "",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "fsync": switch,
            "full_page_writes": switch,
            "synchronous_commit": switch,
            **self._overrides,
        }
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        process = ServerProcess(
            "PostgreSQL",
            [installation.postgres, "-D", str(self._data), *options],
            self.log,
            stop_signal=signal.SIGINT,  # "fast": does not wait for clients to leave
            grace=_STOP_SECONDS,
            account=account,
        )
        try:
            wait_until_ready(process, lambda: self._is_ready(process.pid), seconds=_START_SECONDS)
        except BaseException:
            process.kill()
            raise
        self._process, self.port = process, port

    def _is_ready(self, pid: int) -> bool:
        """PostgreSQL writes its id and state into postmaster.pid; a killed one leaves its file behind."""
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"

    def _create_database(self) -> None:
        import psycopg2

        connection = psycopg2.connect(self._url("postgres", self.port))
        try:
            connection.autocommit = True  # CREATE DATABASE runs in no transaction
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,))
                if cursor.fetchone() is None:
                    cursor.execute(f'CREATE DATABASE "{DATABASE}"')
        finally:
            connection.close()
