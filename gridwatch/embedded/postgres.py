"""EmbeddedPostgres: one real PostgreSQL on loopback, with a password of its own.

The password is random for each data folder and stored in it, readable by its owner only: the port is open to
all users of the machine. Locale C and UTF-8, so that text sorts the same everywhere. As root it runs as
`nobody` (`account.py`).
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

import psycopg2

from gridwatch.embedded.account import Account, make_reachable, unprivileged_account
from gridwatch.embedded.installation import Installation, find_installation
from gridwatch.embedded.ports import LOOPBACK
from gridwatch.embedded.process import ServerProcess
from gridwatch.embedded.report import Report, print_to_stderr
from gridwatch.embedded.server import EmbeddedServer
from gridwatch.errors import GridwatchError

USER = "gridwatch"
DATABASE = "gridwatch"

_STOP_SECONDS = 20.0
_INIT_SECONDS = 120


class EmbeddedPostgres(EmbeddedServer):
    """A database server that keeps its data in `folder`.

    port: 0 for any free one. fsync: False for tests, whose data survive a crash of the server, but need not
    survive one of the machine. overrides: server settings that take precedence. report: gets a message when
    PostgreSQL runs as another user.
    """

    name = "PostgreSQL"
    _port_in_use = "could not bind"

    def __init__(
        self,
        folder: Path | str,
        *,
        port: int = 0,
        fsync: bool = True,
        overrides: Mapping[str, str] | None = None,
        report: Report = print_to_stderr,
    ) -> None:
        super().__init__(folder, port, "postgres.log")
        self._data = self.folder / "data"
        self._secret = self.folder / "password"
        self._fsync = fsync
        self._overrides = dict(overrides or {})
        self._report = report
        self._account: Account | None = None
        self._installation: Installation | None = None

    @property
    def url(self) -> str:
        """`postgresql://user:password@host:port/database`, valid once it has been started."""
        return self._url(DATABASE)

    def _prepare(self) -> None:
        self._account = unprivileged_account()
        if self._account is not None:
            self.folder.chmod(0o711)  # searchable, not readable
            make_reachable(self._data, self._account)
        version = self._data / "PG_VERSION"
        major = int(version.read_text()) if version.exists() else None
        self._installation = find_installation(self._account, major=major, copies=self.folder / "postgresql")
        if major is None:
            self._initialise(self._installation.initdb)

    def _url(self, database: str) -> str:
        return f"postgresql://{USER}:{self._secret.read_text()}@{LOOPBACK}:{self.port}/{database}"

    def _initialise(self, initdb: str) -> None:
        unfinished = self.folder / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)  # what an interrupted start left
        unfinished.mkdir(mode=0o700)
        self._secret.touch(mode=0o600)
        self._secret.write_text(secrets.token_urlsafe(24))
        command = [initdb, "-D", str(unfinished), "-U", USER, "--auth=scram-sha-256"]
        command += [f"--pwfile={self._secret}", "--encoding=UTF8", "--locale=C"]
        if not self._fsync:
            command.append("--no-sync")
        user = group = extra_groups = None
        if self._account is not None:
            self._report(f"PostgreSQL refuses to run as root: it runs as {self._account.name}")
            user, group, extra_groups = self._account.uid, self._account.gid, ()
            for path in (unfinished, self._secret):
                os.chown(path, user, group)
        ran = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=_INIT_SECONDS,
            check=False,
            cwd=self.folder,
            user=user,
            group=group,
            extra_groups=extra_groups,
        )
        if ran.returncode != 0:
            raise GridwatchError(
                f"could not prepare {self._data} for the embedded PostgreSQL",
                (ran.stderr or ran.stdout).strip() or "choose an empty folder",
            )
        unfinished.rename(self._data)

    def _launch(self, port: int, lock: int) -> ServerProcess:
        if self._installation is None:
            raise AssertionError("start() prepares first")
        switch = "on" if self._fsync else "off"
        settings = {
            "listen_addresses": LOOPBACK,
            "port": str(port),
            "unix_socket_directories": "",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "fsync": switch,
            "full_page_writes": switch,
            **self._overrides,
        }
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        return ServerProcess(
            self.name,
            [self._installation.postgres, "-D", str(self._data), *options],
            self.log,
            lock,
            stop_signal=signal.SIGINT,  # "fast": does not wait for clients to leave
            grace=_STOP_SECONDS,
            account=self._account,
        )

    def _is_ready(self, process: ServerProcess, port: int) -> bool:
        """PostgreSQL writes its pid and state into postmaster.pid; a killed one leaves a stale file."""
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[0] == str(process.pid) and lines[7].strip() == "ready"

    def _started(self) -> None:
        """Create the database at the first start."""
        connection = psycopg2.connect(self._url("postgres"))
        try:
            connection.autocommit = True  # CREATE DATABASE runs in no transaction
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,))
                if cursor.fetchone() is None:
                    cursor.execute(f'CREATE DATABASE "{DATABASE}"')
        finally:
            connection.close()
