"""One step of one partition, for one reading or one tick.

processor.py      the entry point: records in, outputs and changed states out; the straight path
stepper.py        one step, every case
registry.py       registrations, planned outages and regions of the partition
workbench.py      what a step may do to the states
schedule.py       what is due at a watermark
reception.py      validates the elements of a record
jump_guard.py     holds the readings that are too far ahead
repeated_hour.py  which pass of a repeated hour a stamp without offset means
watermark.py      how far event time has come, and the guard against a clock that runs ahead
windows.py        counts by event-time window
reporting.py      emits the gaps that a step changed
ticks.py          when an idle partition gets a tick, and of which instant
state.py          the state of the partition as a whole
outcome.py        outputs and changed states that are not committed yet
"""
