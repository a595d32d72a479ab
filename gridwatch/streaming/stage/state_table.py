"""A stage's Faust table: a row a state and a row a partition, in RocksDB and in the changelog."""

from __future__ import annotations

from typing import Any

from gridwatch.settings import Settings
from gridwatch.streaming.faust.batches import BatchSchema
from gridwatch.streaming.stage.declaration import P, Stage

#: Events are whole fetches here, so a few of them are already a large write.
_RECOVERY_BUFFER_EVENTS = 4


def state_table(app: Any, settings: Settings, stage: Stage[P]) -> Any:
    """Declare the table on a Faust application."""
    changelog = stage.changelog(settings.app_id)
    return app.Table(
        stage.table,
        key_type=bytes,
        value_type=bytes,
        schema=BatchSchema(key_type=bytes, value_type=bytes),
        partitions=settings.partitions,
        recovery_buffer_size=_RECOVERY_BUFFER_EVENTS,
        extra_topic_configs=changelog.config,
        options={"layout": stage.layout},
        help=changelog.meaning,
    )
