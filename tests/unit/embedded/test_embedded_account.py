"""The user that PostgreSQL runs as when we are root, and its file permissions."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from gridwatch.embedded import account, installation
from gridwatch.embedded.account import Account, closed_folders, make_reachable, unprivileged_account
from gridwatch.embedded.installation import Installation, find_installation
from gridwatch.errors import GridwatchError

SOMEBODY = Account("somebody", 12345, 12345)


def closed_folder(parent: Path) -> Path:
    folder = parent / "closed"
    folder.mkdir()
    folder.chmod(0o700)
    return folder


def test_an_ordinary_user_runs_it_as_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert unprivileged_account() is None


def test_root_runs_it_as_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    found = unprivileged_account()
    assert found is not None
    assert found.name == "nobody"
    assert found.uid != 0


def test_temporary_parent_folders_get_search_permission_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = closed_folder(tmp_path)
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(account, "closed_folders", lambda path: [folder])
    make_reachable(folder / "data", SOMEBODY)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o701
    assert folder not in closed_folders(folder / "data")


def test_any_other_closed_parent_folder_is_an_error_and_left_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "temporary"))
    tmp_path.chmod(0o755)
    folder = closed_folder(tmp_path)
    monkeypatch.setattr(account, "closed_folders", lambda path: [folder])
    with pytest.raises(GridwatchError, match=str(folder)):
        make_reachable(folder / "data", SOMEBODY)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def fake_postgres(folder: Path, version: str) -> Path:
    folder.mkdir()
    (folder / "initdb").touch()
    program = folder / "postgres"
    program.write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n")
    program.chmod(0o755)
    return folder


def test_the_newest_postgresql_of_the_machine_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [fake_postgres(tmp_path / version, version) for version in ("14.2", "16.1", "13.9", "15.18")]
    monkeypatch.setattr(installation, "_candidates", lambda: iter(found))
    assert find_installation(None, copies=tmp_path) == Installation(tmp_path / "16.1", 16)


def test_a_data_folder_is_served_by_its_own_major_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [fake_postgres(tmp_path / version, version) for version in ("14.2", "16.1")]
    monkeypatch.setattr(installation, "_candidates", lambda: iter(found))
    assert find_installation(None, major=14, copies=tmp_path).major == 14
    with pytest.raises(GridwatchError, match="made by PostgreSQL 12"):
        find_installation(None, major=12, copies=tmp_path)


def test_an_installation_that_the_other_user_cannot_access_is_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = fake_postgres(closed_folder(tmp_path) / "17.0", "17.0")
    monkeypatch.setattr(installation, "_candidates", lambda: iter([hidden]))
    assert find_installation(None, copies=tmp_path).binaries == hidden
    assert find_installation(SOMEBODY, copies=tmp_path / "copies").binaries != hidden
