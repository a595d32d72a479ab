"""The rules of gridwatch, and nothing else.

Pure: the standard library only, no I/O, no wall clock. Time is an argument, always: int microseconds
since the Unix epoch, UTC; durations are int microseconds too. The answer is a function of the log: the
same records of one raw partition give the same outputs and the same states, however they are cut into
batches.

    validation/      what a record must be to count as a reading, and what a refused one probably was
    meter/           one meter: its slots, its gaps, its interval, its deadline
    partition/       one step of one partition: watermark, windows, ticks; the entry point ``processor``
    reading.py       what goes in
    outputs.py       what comes out
    policy.py        the numbers that the rules depend on
    instants.py      time stamps, in and out
    partitioning.py  which partition a meter belongs to
    origins.py       outputs of an earlier stage that come again
"""
