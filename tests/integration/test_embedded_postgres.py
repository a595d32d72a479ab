"""EmbeddedPostgres is a real PostgreSQL: it keeps what it committed, and lets in who has its password."""

from __future__ import annotations

import stat
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from gridwatch.embedded import EmbeddedPostgres, installation
from gridwatch.embedded.account import Account
from gridwatch.errors import GridwatchError

pytestmark = pytest.mark.integration


def query(url: str, statement: str) -> list[tuple[Any, ...]]:
    connection = psycopg2.connect(url)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A server of this module's own: these tests stop and kill it."""
    with EmbeddedPostgres(tmp_path_factory.mktemp("postgres"), fsync=False) as started:
        yield started


def test_its_database_speaks_utf8_and_utc(server: EmbeddedPostgres) -> None:
    asked = "SELECT current_database(), getdatabaseencoding()::text, current_setting('timezone')"
    assert query(server.url, asked) == [("gridwatch", "UTF8", "UTC")]


def test_what_was_committed_outlives_a_kill_and_a_restart(server: EmbeddedPostgres) -> None:
    url = server.url
    query(url, "CREATE TABLE kept (word text)")
    query(url, "INSERT INTO kept VALUES ('before')")
    server.kill()
    assert not server.running
    server.start()
    query(url, "INSERT INTO kept VALUES ('after')")
    server.restart()
    assert server.url == url
    assert query(url, "SELECT word FROM kept ORDER BY word DESC") == [("before",), ("after",)]


def test_a_start_waits_for_a_predecessor_that_is_still_ending(server: EmbeddedPostgres) -> None:
    with ThreadPoolExecutor(1) as pool:
        starting = pool.submit(EmbeddedPostgres(server.folder, fsync=False).start)
        time.sleep(1)
        assert not starting.done()
        server.stop()
        successor = starting.result(30)
    assert query(successor.url, "SELECT 1") == [(1,)]
    successor.stop()
    server.start()


def test_stop_does_not_wait_for_clients_to_leave(server: EmbeddedPostgres) -> None:
    connection = psycopg2.connect(server.url)
    server.restart()
    with pytest.raises(psycopg2.Error):
        connection.cursor().execute("SELECT 1")
    connection.close()


def test_a_wrong_password_is_refused_and_the_right_one_is_its_owners_alone(server: EmbeddedPostgres) -> None:
    password = (server.folder / "password").read_text()
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(server.url.replace(password, "guess"))
    assert stat.S_IMODE((server.folder / "password").stat().st_mode) == 0o600


def test_each_data_folder_has_a_password_of_its_own(server: EmbeddedPostgres, tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path, fsync=False) as other:
        assert (other.folder / "password").read_text() != (server.folder / "password").read_text()


def test_it_listens_on_loopback_only(server: EmbeddedPostgres) -> None:
    shown = query(
        server.url, "SELECT current_setting('listen_addresses'), current_setting('unix_socket_directories')"
    )
    assert shown == [("127.0.0.1", "")]


def test_the_one_in_the_wheel_runs_where_the_machine_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installation, "_candidates", lambda: iter(()))
    with EmbeddedPostgres(tmp_path, fsync=False) as wheels:
        assert query(wheels.url, "SELECT current_setting('server_version_num')::int / 10000") == [(18,)]


def test_the_one_in_the_wheel_runs_from_a_copy_where_its_user_cannot_reach_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installation, "_candidates", lambda: iter(()))
    monkeypatch.setattr(installation, "closed_folders", lambda path: [Path("/closed")])
    found = installation.find_installation(Account("somebody", 12345, 12345), copies=tmp_path)
    assert tmp_path in found.binaries.parents
    for program in (found.initdb, found.postgres):
        ran = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
        assert "(PostgreSQL) 18" in ran.stdout


def test_a_wrong_setting_ends_in_an_error_with_the_servers_own_words(tmp_path: Path) -> None:
    with pytest.raises(GridwatchError) as caught:
        EmbeddedPostgres(tmp_path, fsync=False, overrides={"max_connections": "none"}).start()
    assert "max_connections" in str(caught.value)
