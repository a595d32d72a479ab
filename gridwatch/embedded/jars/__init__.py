"""Apache Kafka, as the jars that it is made of.

cache.py        the jars in the user's cache: complete and verified, or absent
coordinates.py  which jars there are, pinned with their checksums
fetch.py        their download
"""

from __future__ import annotations

from gridwatch.embedded.jars.cache import cache_folder, invalid_jars, kafka_jars

__all__ = ["cache_folder", "invalid_jars", "kafka_jars"]
