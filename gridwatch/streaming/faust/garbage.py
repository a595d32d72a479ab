"""Cyclic garbage collection on a timer.

The objects of a batch have no cycles and are freed with the batch. Python cannot know that: it collects young
objects whenever a number of them exists, and now and then all objects, which with a million meters takes
seconds. That was a tenth of a worker's time. So here the objects of the last half minute are collected every
half minute, and the survivors are frozen. Once an hour everything is collected.
"""

from __future__ import annotations

import asyncio
import gc

INTERVAL_SECONDS = 30.0
INTERVALS_PER_FULL_COLLECTION = 120


async def collect_garbage() -> None:
    """Collect garbage until cancelled; disables Python's automatic collection."""
    gc.disable()
    while True:
        gc.freeze()
        for _ in range(INTERVALS_PER_FULL_COLLECTION):
            await asyncio.sleep(INTERVAL_SECONDS)
            gc.collect(0)
            gc.freeze()
        gc.unfreeze()
        gc.collect()
