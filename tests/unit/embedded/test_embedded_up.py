"""`gridwatch up`: the files that it writes."""

from __future__ import annotations

import shlex
import socket
import stat
import subprocess
from pathlib import Path

import pytest

from gridwatch.cli.commands.up import (
    folder_lock,
    last_ports,
    save_ports,
    setting_lines,
    write_env_file,
)
from gridwatch.embedded.ports import LOOPBACK, free_ports
from gridwatch.errors import GridwatchError

URL = "postgresql://gridwatch:se-cr_et@127.0.0.1:5433/gridwatch"
LINES = setting_lines("127.0.0.1:9093", URL)


def test_a_shell_can_source_the_env_file(tmp_path: Path) -> None:
    path = tmp_path / "up.env"
    write_env_file(path, LINES)
    script = f"set -a; . {shlex.quote(str(path))}; printenv GRIDWATCH_BROKER GRIDWATCH_DATABASE_URL"
    ran = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == ["kafka://127.0.0.1:9093", URL]


def test_the_mqtt_broker_is_among_the_settings_where_there_is_one() -> None:
    assert setting_lines("127.0.0.1:9093", URL, "mqtt://127.0.0.1:1884") == [
        *LINES,
        "GRIDWATCH_MQTT_URL=mqtt://127.0.0.1:1884\n",
    ]


def test_the_env_file_is_readable_by_its_owner_only_even_if_it_was_not_before(tmp_path: Path) -> None:
    path = tmp_path / "up.env"
    path.write_text("old")
    path.chmod(0o644)
    write_env_file(path, LINES)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text() == "".join(LINES)
    assert list(tmp_path.iterdir()) == [path]


def test_the_ports_of_the_last_run_are_used_again_where_they_are_free(tmp_path: Path) -> None:
    free, taken = free_ports(2)
    save_ports(tmp_path, {"kafka": free, "postgres": taken})
    with socket.create_server((LOOPBACK, taken)):
        assert last_ports(tmp_path) == {"kafka": free}


@pytest.mark.parametrize("content", [None, "", "{", "[]", '{"kafka": "x"}'])
def test_without_a_readable_file_of_the_last_ports_any_free_ones_are_used(
    tmp_path: Path, content: str | None
) -> None:
    if content is not None:
        (tmp_path / "ports.json").write_text(content)
    assert last_ports(tmp_path) == {}


def test_a_folder_is_locked_by_one_run_at_a_time(tmp_path: Path) -> None:
    with folder_lock(tmp_path), pytest.raises(GridwatchError, match="in use"), folder_lock(tmp_path):
        pytest.fail("entered twice")
    with folder_lock(tmp_path):
        pass
