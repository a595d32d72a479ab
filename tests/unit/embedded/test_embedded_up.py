"""`gridwatch up`: what it writes and keeps."""

from __future__ import annotations

import shlex
import socket
import stat
import subprocess
from pathlib import Path

import pytest

from gridwatch.cli.commands.up import (
    keep_ports,
    last_ports,
    setting_lines,
    sole_use,
    write_env_file,
)
from gridwatch.embedded.ports import LOOPBACK, free_ports
from gridwatch.errors import GridwatchError

URL = "postgresql://gridwatch:se-cr_et@127.0.0.1:5433/gridwatch"
LINES = setting_lines("127.0.0.1:9093", URL)


def test_a_shell_takes_the_settings_from_the_env_file(tmp_path: Path) -> None:
    path = tmp_path / "up.env"
    write_env_file(path, LINES)
    script = f"set -a; . {shlex.quote(str(path))}; printenv GRIDWATCH_BROKER GRIDWATCH_DATABASE_URL"
    ran = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == ["kafka://127.0.0.1:9093", URL]


def test_the_env_file_is_its_owners_alone_even_where_an_open_one_was(tmp_path: Path) -> None:
    path = tmp_path / "up.env"
    path.write_text("old")
    path.chmod(0o644)
    write_env_file(path, LINES)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text() == "".join(LINES)
    assert list(tmp_path.iterdir()) == [path]


def test_the_ports_of_the_last_run_are_taken_again_where_they_are_free(tmp_path: Path) -> None:
    free, taken = free_ports(2)
    keep_ports(tmp_path, {"kafka": free, "postgres": taken})
    with socket.create_server((LOOPBACK, taken)):
        assert last_ports(tmp_path) == {"kafka": free}


@pytest.mark.parametrize("content", [None, "", "{", "[]", '{"kafka": "x"}'])
def test_without_a_readable_record_of_the_last_run_any_ports_will_do(
    tmp_path: Path, content: str | None
) -> None:
    if content is not None:
        (tmp_path / "ports.json").write_text(content)
    assert last_ports(tmp_path) == {}


def test_a_folder_serves_one_run_at_a_time(tmp_path: Path) -> None:
    with sole_use(tmp_path), pytest.raises(GridwatchError, match="in use"), sole_use(tmp_path):
        pytest.fail("entered twice")
    with sole_use(tmp_path):
        pass
