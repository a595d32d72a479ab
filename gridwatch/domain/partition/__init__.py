"""One step of one partition, for one reading or one tick.

processor.py      the entry point: records in, outputs and changed states out; the straight path
stepper.py        one step, with care
workbench.py      what a step may do to the states
reception.py      an element of a record on its way in
repeated_hour.py  which pass of a repeated hour a stamp without offset means
watermark.py      how far event time has come, and the guard against one clock that runs ahead
windows.py        counts by event-time window
reporting.py      the gaps that a step changed, as outputs
ticks.py          when a partition that has fallen silent is moved on, and where to
state.py          what is remembered of the partition as a whole
outcome.py        what came of some records and is not applied yet
"""
