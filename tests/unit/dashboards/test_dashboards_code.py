"""The JSON that is shipped is what the code makes."""

from __future__ import annotations

from dashboards.__main__ import FOLDER, built


def test_the_json_is_that_of_the_code() -> None:
    shipped = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")}
    assert shipped == built(), "dashboards/json is behind the code: make dashboards"
