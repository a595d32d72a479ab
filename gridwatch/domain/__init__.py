"""The rules of gridwatch, and nothing else.

Pure: the standard library only, no I/O, no wall clock. Time is always an argument: int microseconds since
the Unix epoch, UTC; durations are int microseconds too. The result is a function of the log: the same
records of one raw partition give the same outputs and the same states, however they are split into
batches.

    validation/      what makes a record a valid reading, and what a rejected one probably was
    meter/           one meter: its slots, its gaps, its interval, its deadline
    partition/       one step of one partition: watermark, windows, ticks; the entry point ``processor``
    reading.py       the inputs: records and readings
    outputs.py       the outputs, one class a topic
    policy.py        the numbers that the rules depend on
    instants.py      timestamps parsed and formatted
    partitioning.py  which partition a meter belongs to
    origins.py       deduplicates the outputs of an upstream stage
"""
