"""The store of a table without a Faust application around it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from gridwatch.tables.layout import TableLayout
from gridwatch.tables.readings import METERS
from gridwatch.tables.store import Store


def store_in(folder: Path, layout: TableLayout[Any] = METERS, table: str = "meters") -> Store:
    """A table's databases in a folder."""
    conf = SimpleNamespace(tabledir=folder, table_key_index_size=100)
    app: Any = SimpleNamespace(conf=conf)
    return Store(
        "gridwatch://", app, SimpleNamespace(name=table), table_name=table, options={"layout": layout}
    )
