"""The worker's one Faust table: a row a meter and a row a partition, in RocksDB and in the changelog."""

from __future__ import annotations

from typing import Any

from gridwatch.settings import Settings
from gridwatch.streaming.batches import BatchSchema
from gridwatch.topics import STATE_TABLE, changelog

#: Events are whole fetches here, so a few of them already make a large write.
_RECOVERY_BUFFER_EVENTS = 4


def meters_table(app: Any, settings: Settings) -> Any:
    """Declare the table on a Faust application."""
    return app.Table(
        STATE_TABLE,
        key_type=bytes,
        value_type=bytes,
        schema=BatchSchema(key_type=bytes, value_type=bytes),
        partitions=settings.partitions,
        recovery_buffer_size=_RECOVERY_BUFFER_EVENTS,
        extra_topic_configs=changelog(settings.app_id).config,
        help="state of each meter and each partition",
    )
