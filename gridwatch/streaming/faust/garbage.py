"""Garbage in cycles, looked for by the clock.

What a batch makes has no cycles and is gone with the batch. Python cannot know that: it looks through young
objects whenever a number of them has piled up, and now and then through all there are, which with a million
meters takes seconds. That was a tenth of a worker's time. So here it looks every half minute, through what is
new since then; what stays is put aside. Once an hour it looks through everything.
"""

from __future__ import annotations

import asyncio
import gc

PAUSE_SECONDS = 30.0
PAUSES_OF_A_ROUND = 120


async def look_for_garbage() -> None:
    """Look for garbage until cancelled. From the first call on Python does not do so by itself."""
    gc.disable()
    while True:
        gc.freeze()
        for _ in range(PAUSES_OF_A_ROUND):
            await asyncio.sleep(PAUSE_SECONDS)
            gc.collect(0)
            gc.freeze()
        gc.unfreeze()
        gc.collect()
